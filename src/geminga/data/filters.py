"""What is taken of an observation: events and time by common criteria."""

from __future__ import annotations

import copy
import html
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from geminga.data.gti import GTI
from geminga.errors import InputError, NameLookupError

if TYPE_CHECKING:
    from geminga.data.events import EventList

__all__ = ["ObservationFilter"]


class ObservationFilter:
    """Filter of events and good time intervals.

    Parameters
    ----------
    time_filter : Time of length two, pair of Time, or GTI, optional
        Time to keep.
    event_filters : list of dict, optional
        Each with ``type`` (a key of `EVENT_FILTER_TYPES`) and ``opts``, the arguments of that method of `EventList`.
    inverted_time : bool
        Keep the time outside of `time_filter`.

    Raises
    ------
    NameLookupError
        If a type is not known.

    Examples
    --------
    >>> from geminga.data import ObservationFilter
    >>> phases = {"type": "custom", "opts": {"parameter": "PHASE", "values": [0.9, 0.15]}}
    >>> round(ObservationFilter(event_filters=[phases]).livetime_fraction, 6)
    0.25
    """

    EVENT_FILTER_TYPES: ClassVar[dict[str, str]] = {"sky_region": "select_region", "custom": "select_parameter"}

    def __init__(self, time_filter: Any = None, event_filters: Any = None, inverted_time: bool = False) -> None:
        self.time_filter = time_filter
        self.event_filters = list(event_filters or [])
        self.inverted_time = inverted_time
        # Earlier cuts, which hold as well.
        self._earlier: list[tuple[Any, bool]] = []
        for one in self.event_filters:
            if one.get("type") not in self.EVENT_FILTER_TYPES:
                msg = f"Event filter {one!r}: type must be one of {', '.join(self.EVENT_FILTER_TYPES)}."
                raise NameLookupError(msg)

    @property
    def _time_cuts(self) -> list[tuple[Any, bool]]:
        return self._earlier + ([] if self.time_filter is None else [(self.time_filter, self.inverted_time)])

    @property
    def livetime_fraction(self) -> float:
        """Fraction of the livetime which filters on phase (columns whose name ends in ``PHASE``) leave."""
        kept: dict[str, list[tuple[float, float]]] = {}
        for one in self.event_filters:
            options = one.get("opts", {})
            name = str(options.get("parameter", ""))
            if name.upper().endswith("PHASE") and options.get("is_range", True):
                intervals = _phase_intervals(options["values"])
                kept[name] = _overlaps(kept[name], intervals) if name in kept else intervals
        widths = [sum(high - low for low, high in intervals) for intervals in kept.values()]
        return float(np.prod(widths)) if widths else 1.0

    def filter_events(self, events: EventList) -> EventList:
        """Events that pass all criteria.

        Parameters
        ----------
        events : EventList
            Events.
        """
        for interval, inverted in self._time_cuts:
            events = _events_in(events, interval, inverted)
        for one in self.event_filters:
            events = getattr(events, self.EVENT_FILTER_TYPES[one["type"]])(**one["opts"])
        return events

    def filter_gti(self, gti: GTI) -> GTI:
        """Good time that is left.

        Parameters
        ----------
        gti : GTI
            Intervals.
        """
        for interval, inverted in self._time_cuts:
            gti = _gti_in(gti, interval, inverted)
        return gti

    def copy(self) -> ObservationFilter:
        """Independent copy."""
        return copy.deepcopy(self)

    def narrowed(self, time_interval: Any, inverted: bool = False) -> ObservationFilter:
        """Copy in which a further cut on time holds as well."""
        new = self.copy()
        new._earlier = new._time_cuts
        new.time_filter, new.inverted_time = time_interval, inverted
        return new

    def __str__(self) -> str:
        cuts = [f"{'outside' if inverted else 'inside'} {interval}" for interval, inverted in self._time_cuts]
        return f"ObservationFilter\n\n  time   : {'; '.join(cuts) or 'all'}\n  events : {self.event_filters or 'all'}\n"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _pairs(interval: Any) -> list[Any]:
    return interval.union().time_intervals if isinstance(interval, GTI) else [interval]


def _events_in(events: EventList, interval: Any, inverted: bool) -> EventList:
    if not isinstance(interval, GTI):
        return events.select_time(interval, inverted)
    union = interval.union()
    shift = float((union.time_ref - events.time_ref).sec)
    edges = np.stack([union.met_start.value, union.met_stop.value], axis=1).ravel() + shift
    inside = np.searchsorted(edges, events.numbers("TIME"), side="right") % 2 == 1
    return events.select_row_subset(inside != inverted)


def _gti_in(gti: GTI, interval: Any, inverted: bool) -> GTI:
    if inverted:
        for pair in _pairs(interval):
            gti = gti.delete_interval(pair)
        return gti
    parts = [gti.select_time(pair) for pair in _pairs(interval)]
    return GTI.from_stack(parts) if parts else gti.select_time([gti.time_ref, gti.time_ref])


def _phase_intervals(values: Any) -> list[tuple[float, float]]:
    """Disjoint intervals of phase in [0, 1], of ranges that may wrap round."""
    try:
        ranges = np.atleast_2d(np.asarray(values, dtype=float))
    except (TypeError, ValueError) as error:
        msg = f"Filter of phase: values are {values!r}; expected a lower and an upper limit, or several such pairs."
        raise InputError(msg) from error
    if ranges.shape[1:] != (2,) or not ((ranges >= 0) & (ranges <= 1)).all():
        msg = f"Filter of phase: values are {values!r}; expected pairs of numbers between 0 and 1."
        raise InputError(msg)
    pieces = sorted(p for low, high in ranges for p in ([(low, high)] if low <= high else [(0.0, high), (low, 1.0)]))
    joined: list[tuple[float, float]] = []
    for low, high in pieces:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], float(high)))
        else:
            joined.append((float(low), float(high)))
    return joined


def _overlaps(one: list[tuple[float, float]], two: list[tuple[float, float]]) -> list[tuple[float, float]]:
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in one for b in two]
    return [pair for pair in both if pair[1] > pair[0]]
