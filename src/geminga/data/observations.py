"""A list of observations."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator, MutableSequence, Sequence
from typing import Any, Self

import numpy as np
from astropy.time import Time

from geminga.data.gti import GTI
from geminga.data.observation import Observation
from geminga.errors import InputError, NameLookupError

__all__ = ["Observations"]

log = logging.getLogger(__name__)


class Observations(MutableSequence[Observation]):
    """List of observations, found by position or identifier.

    Parameters
    ----------
    observations : sequence of Observation, optional
        Observations.

    Raises
    ------
    InputError
        If one is of another type.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.data import Observation, Observations
    >>> pointing = SkyCoord(83.63, 22.51, unit="deg")
    >>> observations = Observations([Observation.create(pointing, obs_id=i, livetime="1 h") for i in (7, 8)])
    >>> observations.ids, observations["8"].obs_id
    (['7', '8'], 8)
    """

    def __init__(self, observations: Any = None) -> None:
        self._observations: list[Observation] = []
        self._known: set[str] = set()
        for observation in observations if observations is not None else []:
            self.append(observation)

    @property
    def ids(self) -> list[str]:
        """Identifiers, as text."""
        return [str(observation.obs_id) for observation in self._observations]

    # Items

    def _position(self, key: Any) -> int:
        if isinstance(key, str):
            if key not in self.ids:
                msg = f"Observations: {key!r} is not in list; there are {_some(self.ids)}."
                raise NameLookupError(msg)
            return self.ids.index(key)
        return int(key)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(self._observations[key])
        if isinstance(key, (list, tuple, np.ndarray)):
            return type(self)([self._observations[self._position(one)] for one in key])
        return self._observations[self._position(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        position = self._position(key)
        self._observations[position] = self._checked(value, without=position)
        self._known = set(self.ids)

    def __delitem__(self, key: Any) -> None:
        del self._observations[key if isinstance(key, slice) else self._position(key)]
        self._known = set(self.ids)

    def __len__(self) -> int:
        return len(self._observations)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._observations)

    def insert(self, idx: int, obs: Observation) -> None:
        """Insert an observation at a position; one with a known identifier is welcome too, and warned about."""
        self._observations.insert(idx, self._checked(obs))
        self._known.add(str(obs.obs_id))

    def _checked(self, value: Any, without: int | None = None) -> Observation:
        if not isinstance(value, Observation):
            msg = f"Observations: got {type(value).__name__}, expected an Observation."
            raise InputError(msg)
        known = self._known if without is None else {one for i, one in enumerate(self.ids) if i != without}
        if str(value.obs_id) in known:
            log.warning("Observation with obs_id %s already belongs to Observations.", value.obs_id)
        return value

    def index(self, key: Any, *args: Any) -> int:
        """Position of an observation, or of an identifier.

        Raises
        ------
        NameLookupError
            If it is not there.
        """
        return self._position(key) if isinstance(key, str) else self._observations.index(key, *args)

    # Parts and sums

    @classmethod
    def from_stack(cls, observations_list: Sequence[Observations]) -> Self:
        """Join several lists.

        Parameters
        ----------
        observations_list : sequence of Observations
            Lists.
        """
        return cls([observation for one in observations_list for observation in one])

    def select_time(self, time_intervals: Any, inverted: bool = False) -> Self:
        """Parts of the observations in each time interval, which become observations of their own.

        Parameters
        ----------
        time_intervals : Time of length two, list of such, or GTI
            Intervals.
        inverted : bool
            Keep the time outside of each interval.

        Returns
        -------
        observations : Observations
            Those with good time left.
        """
        parts = [
            observation.select_time(interval, inverted)
            for interval in _intervals(time_intervals)
            for observation in self._observations
        ]
        new = type(self)()
        # Parts share the identifier of their observation on purpose.
        new._observations = [part for part in parts if part.gti.time_sum.value > 0]
        new._known = set(new.ids)
        return new

    def group_by_label(self, labels: Sequence[Any]) -> dict[str, Self]:
        """Groups, by a label for each observation.

        Parameters
        ----------
        labels : sequence
            Labels.

        Returns
        -------
        groups : dict
            ``group_<label>`` to observations.

        Raises
        ------
        InputError
            If there is not one label for each.
        """
        labels = list(labels)
        if len(labels) != len(self):
            msg = f"Observations.group_by_label got {len(labels)} labels for {len(self)} observations; give one for each."
            raise InputError(msg)
        groups: dict[str, list[Observation]] = {}
        for label in np.unique(np.asarray(labels)).tolist():
            members = [one for one, its in zip(self._observations, labels, strict=True) if its == label]
            groups[f"group_{label}"] = members
        return {name: type(self)(members) for name, members in groups.items()}

    def in_memory_generator(self) -> Iterator[Observation]:
        """Copies that depend on no file, one after the other."""
        for observation in self._observations:
            yield observation.copy(in_memory=True)

    def __str__(self) -> str:
        return "\n".join(
            ["Observations", f"Number of observations: {len(self)}", *(str(one).rstrip("\n") + "\n" for one in self)]
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _intervals(time_intervals: Any) -> list[Any]:
    """List of intervals, of what users give."""
    if isinstance(time_intervals, GTI):
        return time_intervals.time_intervals
    if isinstance(time_intervals, Time):
        return [time_intervals] if time_intervals.ndim == 1 else list(time_intervals)
    items = list(time_intervals)
    is_one = len(items) == 2 and all(isinstance(one, Time) and one.isscalar for one in items)
    return [items] if is_one else items


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
