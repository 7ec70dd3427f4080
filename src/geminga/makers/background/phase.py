"""Background from phases in which a pulsar or binary does not shine."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from geminga.errors import InputError
from geminga.makers.background.measured import with_off_counts
from geminga.makers.base import Maker
from geminga.makers.rad_max import make_counts_rad_max, needed_rad_max
from geminga.maps import Map

__all__ = ["PhaseBackgroundMaker"]

Intervals = list[tuple[float, float]]


class PhaseBackgroundMaker(Maker):
    """Count on and off events in intervals of phase.

    Parameters
    ----------
    on_phase, off_phase : pair or list of pairs of float
        Intervals of phase, between 0 and 1; one whose upper limit is below the lower one wraps round at 1.
    phase_column_name : str
        Column of the events.

    Raises
    ------
    InputError
        If limits are not between 0 and 1, or on and off phases overlap.

    Notes
    -----
    The acceptances are the widths of the phases. The exposure is that of all phases, so fluxes are averages over the phase.

    Examples
    --------
    >>> from geminga.makers import PhaseBackgroundMaker
    >>> print(PhaseBackgroundMaker(on_phase=(0.5, 0.6), off_phase=(0.7, 0.1)))
    PhaseBackgroundMaker
    --------------------
    <BLANKLINE>
      on_phase          : [(0.5, 0.6)]
      off_phase         : [(0.7, 1.0), (0.0, 0.1)]
      phase_column_name : PHASE
    <BLANKLINE>
    """

    tag: ClassVar[str] = "PhaseBackgroundMaker"
    shown: ClassVar[tuple[str, ...]] = ("on_phase", "off_phase", "phase_column_name")

    def __init__(self, on_phase: Any, off_phase: Any, phase_column_name: str = "PHASE") -> None:
        self.on_phase = _intervals(on_phase, "on_phase")
        self.off_phase = _intervals(off_phase, "off_phase")
        self.phase_column_name = phase_column_name
        if any(max(a[0], b[0]) < min(a[1], b[1]) for a in self.on_phase for b in self.off_phase):
            msg = f"PhaseBackgroundMaker: on_phase {on_phase} and off_phase {off_phase} overlap; expected phases apart."
            raise InputError(msg)

    def _counts(self, dataset: Any, observation: Any, intervals: Intervals) -> Any:
        geom = dataset.counts.geom
        events = observation.events.select_parameter(self.phase_column_name, [list(pair) for pair in intervals])
        if geom.is_region and geom.is_all_point_sky_regions:
            return make_counts_rad_max(geom, needed_rad_max(observation), events)
        counts = Map.from_geom(geom)
        counts.fill_events(events)
        return counts

    def make_counts(self, dataset: Any, observation: Any) -> Any:
        """Counts in the on phases.

        Parameters
        ----------
        dataset : SpectrumDataset or MapDataset
            Dataset with the geometry.
        observation : Observation
            Observation whose events have a column of phases.
        """
        return self._counts(dataset, observation, self.on_phase)

    def make_counts_off(self, dataset: Any, observation: Any) -> Any:
        """Counts in the off phases.

        Parameters
        ----------
        dataset : SpectrumDataset or MapDataset
            Dataset with the geometry.
        observation : Observation
            Observation whose events have a column of phases.
        """
        return self._counts(dataset, observation, self.off_phase)

    def run(self, dataset: Any, observation: Any) -> Any:
        """Make an on/off dataset.

        Parameters
        ----------
        dataset : SpectrumDataset or MapDataset
            Dataset with the geometry; it is not changed.
        observation : Observation
            Observation whose events have a column of phases.

        Returns
        -------
        dataset : SpectrumDatasetOnOff or MapDatasetOnOff
            With counts of the on and the off phases.

        Raises
        ------
        NameLookupError
            If events have no such column.
        """
        widths = [sum(high - low for low, high in phases) for phases in (self.on_phase, self.off_phase)]
        new = with_off_counts(dataset, self.make_counts_off(dataset, observation), *widths)
        new.counts = self.make_counts(dataset, observation)
        return new


def _intervals(phases: Any, name: str) -> Intervals:
    """Intervals inside [0, 1], of pairs that may wrap round."""
    try:
        pairs = np.atleast_2d(np.asarray(phases, dtype=float))
    except (TypeError, ValueError):
        pairs = np.array([])
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not ((pairs >= 0) & (pairs <= 1)).all() or (pairs[:, 0] == pairs[:, 1]).any():
        msg = f"PhaseBackgroundMaker: {name} is {phases!r}; expected a pair of different numbers between 0 and 1, or several."
        raise InputError(msg)
    found: Intervals = []
    for low, high in pairs.tolist():
        pieces = [(low, high)] if low < high else [(low, 1.0), (0.0, high)]
        found += [piece for piece in pieces if piece[1] > piece[0]]
    return found
