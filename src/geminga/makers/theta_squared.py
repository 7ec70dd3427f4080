"""Counts against the squared distance from a position, with as many off positions around the pointing."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.irf.points import icrs_vector
from geminga.makers.map import pointing_of
from geminga.numerics.sphere import angle_between, rotate, rotation_about, unit_vector
from geminga.stats import WStatCountsStatistic

__all__ = ["ThetaSquaredTable"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]


class ThetaSquaredTable:
    """Distribution of events in the squared distance from a position.

    Parameters
    ----------
    observations : Observations or list of Observation
        Observations.
    theta_squared_axis : MapAxis
        Squared distances.
    position : SkyCoord
        Position.
    position_off : SkyCoord, optional
        Position of the background; by default `position` turned round the pointing of each observation.
    energy_edges : Quantity, optional
        Lowest and highest energy.
    off_regions_number : int
        Number of off positions round the pointing. If they would overlap, one is taken, with a warning.

    Raises
    ------
    InputError
        If there is more than one interval of energy, or no off position.
    """

    def __init__(
        self,
        observations: Any,
        theta_squared_axis: Any,
        position: Any,
        position_off: Any = None,
        energy_edges: Any = None,
        off_regions_number: int = 1,
    ) -> None:
        self.observations = observations
        self.theta_squared_axis = theta_squared_axis
        self.position = position
        self.position_off = position_off
        self.energy_edges = None if energy_edges is None else u.Quantity(energy_edges)
        self.off_regions_number = off_regions_number
        if self.energy_edges is not None and self.energy_edges.shape != (2,):
            msg = f"ThetaSquaredTable: energy_edges are {energy_edges}; expected two, one interval of energy."
            raise InputError(msg)
        if int(off_regions_number) != off_regions_number or off_regions_number < 1:
            msg = f"ThetaSquaredTable: off_regions_number is {off_regions_number!r}; expected a whole number, at least 1."
            raise InputError(msg)

    def _off_vectors(self, pointing: Array) -> list[Array]:
        """Unit vectors of the off positions of an observation."""
        if self.position_off is not None:
            return [icrs_vector(self.position_off)]
        position, number = icrs_vector(self.position), int(self.off_regions_number)
        turned = [rotate(rotation_about(pointing, 2 * np.pi * k / (number + 1)), position) for k in range(1, number + 1)]
        radius = np.sqrt(self.theta_squared_axis.edges[-1].to_value("rad2"))
        if number > 1 and float(angle_between(position, turned[0])) < 2 * radius:
            log.warning("ThetaSquaredTable: %d off positions would overlap; one is taken.", number)
            return [rotate(rotation_about(pointing, np.pi), position)]
        return turned

    def _histogram(self, events: Array, position: Array) -> Any:
        squared = np.rad2deg(angle_between(events, position[:, np.newaxis])) ** 2
        return np.histogram(squared, self.theta_squared_axis.edges.to_value("deg2"))[0]

    def run(self) -> Table:
        """Count.

        Returns
        -------
        table : Table
            Columns ``theta2_min``, ``theta2_max`` (deg2), ``counts``, ``counts_off``, ``acceptance``, ``acceptance_off``,
            ``alpha``, ``excess``, ``sqrt_ts``, ``excess_errn``, ``excess_errp``.
        """
        axis = self.theta_squared_axis
        counts, counts_off = (np.zeros(axis.nbin, dtype=int) for _ in range(2))
        acceptance, acceptance_off = np.zeros(axis.nbin), np.zeros(axis.nbin)
        position = icrs_vector(self.position)
        for observation in self.observations:
            events = observation.events
            if self.energy_edges is not None:
                events = events.select_energy(self.energy_edges)
            vectors = unit_vector(events.radec.ra.rad, events.radec.dec.rad)
            off = self._off_vectors(icrs_vector(pointing_of(observation)))
            counts += self._histogram(vectors, position)
            counts_off += sum(self._histogram(vectors, one) for one in off)
            acceptance += 1
            acceptance_off += len(off)
        return self._table(counts, counts_off, acceptance, acceptance_off)

    def _table(self, counts: Any, counts_off: Any, acceptance: Array, acceptance_off: Array) -> Table:
        edges = self.theta_squared_axis.edges
        alpha = np.divide(acceptance, acceptance_off, out=np.zeros_like(acceptance), where=acceptance_off > 0)
        statistic = WStatCountsStatistic(counts, counts_off, alpha)
        table = Table()
        table["theta2_min"], table["theta2_max"] = edges[:-1], edges[1:]
        table["counts"], table["counts_off"] = counts, counts_off
        table["acceptance"], table["acceptance_off"], table["alpha"] = acceptance, acceptance_off, alpha
        table["excess"], table["sqrt_ts"] = statistic.n_sig, statistic.sqrt_ts
        table["excess_errn"], table["excess_errp"] = statistic.compute_errn(), statistic.compute_errp()
        table.meta = {"ON_RA": self.position.icrs.ra, "ON_DEC": self.position.icrs.dec}
        if self.energy_edges is not None:
            table.meta["Energy_filter"] = self.energy_edges
        if self.position_off is not None:
            table.meta |= {"OFF_RA": self.position_off.icrs.ra, "OFF_DEC": self.position_off.icrs.dec}
        return table
