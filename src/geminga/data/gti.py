"""Good time intervals.

Starts and stops are kept as elapsed seconds from a reference time, in which intervals are compared, cut and joined; absolute
times are made when asked for, in the time scale they were given in.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from geminga.data.io import gti as gti_files
from geminga.data.io.gti import TOUCH
from geminga.errors import DataError, FormatError, InputError
from geminga.utils.faults import Checked
from geminga.utils.time import read_time, time_ref_from_dict
from geminga.utils.units import as_quantity

__all__ = ["GTI"]

Array = NDArray[np.float64]


def _reference(value: Any) -> Time:
    """Reference time as given; 2000-01-01 TT for None."""
    try:
        time = Time(51544.0, format="mjd", scale="tt") if value is None else read_time(value)
    except (ValueError, TypeError) as error:
        msg = f"GTI: reference_time is {value!r}; expected a time, such as '2020-01-01T12:00:00'."
        raise InputError(msg) from error
    if not time.isscalar:
        msg = f"GTI: reference_time has shape {time.shape}; expected one time."
        raise InputError(msg)
    time.format = "mjd"
    return time


def _elapsed(value: Any, reference: Time, name: str) -> Array:
    """Seconds since the reference, of times, durations or a table column."""
    if isinstance(value, (list, tuple)) and len(value) and isinstance(value[0], Time):
        value = Time(list(value))
    if isinstance(value, Time):
        return np.atleast_1d(np.asarray((value - reference).sec, dtype=float))
    unit = getattr(value, "unit", None) or "s"
    if hasattr(value, "colnames") or hasattr(value, "parent_table"):
        value = np.asarray(value, dtype=float) * u.Unit(unit)
    return np.atleast_1d(np.asarray(as_quantity(value, "s", f"GTI {name}").value, dtype=float))


class GTI(Checked):
    """Good time intervals.

    Parameters
    ----------
    table : Table
        Columns ``START`` and ``STOP``: `~astropy.time.Time`, or durations since the reference time (s without a unit).
    reference_time : Time or str, optional
        Reference of elapsed times; if not given that in the meta data of the table, or else 2000-01-01 TT.

    Raises
    ------
    FormatError
        If a column is missing.
    DataError
        If a time is NaN, or an interval stops before it starts.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.data import GTI
    >>> GTI.create([0, 100] * u.s, [50, 200] * u.s).time_sum
    <Quantity 150. s>
    """

    _remedy = "Join them with union(), as time_sum counts them twice."

    def _faults(self) -> Iterator[str]:
        order = np.argsort(self._start, kind="stable")
        overlap = self._start[order[1:]] < np.maximum.accumulate(self._stop[order])[:-1] - TOUCH
        if overlap.any():
            rows = ", ".join(str(row) for row in order[1:][overlap][:3])
            yield f"{int(overlap.sum())} good time intervals overlap with another, such as row {rows}"

    def __init__(self, table: Table, reference_time: Any = None) -> None:
        missing = [name for name in ("START", "STOP") if name not in table.colnames]
        if missing:
            msg = f"GTI table has columns {table.colnames}; {' and '.join(missing)} missing."
            raise FormatError(msg)
        if reference_time is None and ("MJDREFI" in table.meta or "MJDREF" in table.meta):
            reference_time = time_ref_from_dict(table.meta)
        self._set(table["START"], table["STOP"], _reference(reference_time))

    def _set(self, start: Any, stop: Any, reference: Time, scale: str | None = None) -> None:
        low, high = _elapsed(start, reference, "start"), _elapsed(stop, reference, "stop")
        if low.shape != high.shape:
            msg = f"GTI: {len(low)} starts but {len(high)} stops; give one stop for each start."
            raise InputError(msg)
        bad = ~(np.isfinite(low) & np.isfinite(high))
        if bad.any():
            msg = f"GTI row {int(np.flatnonzero(bad)[0])} has a START or STOP which is not finite; remove the row."
            raise DataError(msg)
        reverse = high < low
        if reverse.any():
            row = int(np.flatnonzero(reverse)[0])
            msg = f"GTI row {row} stops at {high[row]} s before it starts at {low[row]} s; exchange them or remove the row."
            raise DataError(msg)
        self._reference, self._start, self._stop = reference, low, high
        first = start[0] if isinstance(start, (list, tuple)) and len(start) else start
        self._scale = scale or (first.scale if isinstance(first, Time) else reference.scale)
        self._format = first.format if isinstance(first, Time) else "mjd"

    @classmethod
    def _make(cls, start: Any, stop: Any, reference: Time, scale: str | None = None) -> GTI:
        new = cls.__new__(cls)
        new._set(start, stop, reference, scale)
        return new

    def _like(self, start: Array, stop: Array) -> GTI:
        """Other intervals with the same reference, scale and format."""
        new = self._make(start * u.s, stop * u.s, self._reference, self._scale)
        new._format = self._format
        return new

    # Making

    @classmethod
    def create(cls, start: Any, stop: Any, reference_time: Any = None) -> GTI:
        """Make it from starts and stops.

        Parameters
        ----------
        start, stop : Time, Quantity or str
            Limits, scalar or array; as times, or as durations since the reference time.
        reference_time : Time or str, optional
            Reference, 2000-01-01 TT by default.

        Raises
        ------
        InputError
            If their lengths differ.
        DataError
            If a time is NaN, or an interval stops before it starts.
        """
        return cls._make(start, stop, _reference(reference_time))

    @classmethod
    def from_time_intervals(cls, time_intervals: Sequence[Any], reference_time: Any = None) -> GTI:
        """Make it from pairs of times.

        Parameters
        ----------
        time_intervals : sequence of pairs of Time
            Starts and stops.
        reference_time : Time or str, optional
            Reference, 2000-01-01 TT by default.
        """
        if len(time_intervals) == 0:
            return cls.create([] * u.s, [] * u.s, reference_time)
        start, stop = ([Time(pair[k]) for pair in time_intervals] for k in (0, 1))
        return cls.create(start, stop, reference_time)

    @classmethod
    def from_stack(cls, gtis: Sequence[GTI], **kwargs: Any) -> GTI:
        """Join several; elapsed times refer to the reference time of the first.

        Parameters
        ----------
        gtis : sequence of GTI
            What to join; intervals stay as they are, see `union`.
        **kwargs
            No effect: tables have no further columns to join.

        Raises
        ------
        InputError
            If there is none.
        """
        if not gtis:
            msg = "GTI.from_stack got no GTI; give at least one."
            raise InputError(msg)
        first = gtis[0]
        shifts = [float((gti.time_ref - first.time_ref).sec) for gti in gtis]
        start = np.concatenate([gti._start + shift for gti, shift in zip(gtis, shifts, strict=True)])
        stop = np.concatenate([gti._stop + shift for gti, shift in zip(gtis, shifts, strict=True)])
        return first._like(start, stop)

    def copy(self) -> GTI:
        """Independent copy."""
        return copy.deepcopy(self)

    # Files

    read = classmethod(gti_files.read)
    from_table_hdu = classmethod(gti_files.from_table_hdu)
    to_table_hdu = gti_files.to_table_hdu
    write = gti_files.write

    # Times

    time_ref = property(lambda self: self._reference, doc="Reference time.")
    met_start = property(lambda self: u.Quantity(self._start, "s"), doc="Starts as elapsed time, s.")
    met_stop = property(lambda self: u.Quantity(self._stop, "s"), doc="Stops as elapsed time, s.")
    time_start = property(lambda self: self._times(self._start), doc="Starts, `~astropy.time.Time`.")
    time_stop = property(lambda self: self._times(self._stop), doc="Stops, `~astropy.time.Time`.")
    time_delta = property(lambda self: u.Quantity(self._stop - self._start, "s"), doc="Durations, s.")
    time_sum = property(lambda self: self.time_delta.sum(), doc="Sum of the durations, s; overlaps count twice.")

    def _times(self, seconds: Array) -> Time:
        times = getattr(self._reference + u.Quantity(seconds, "s"), self._scale)
        times.format = self._format
        return times

    @property
    def table(self) -> Table:
        """Table of the intervals, made anew at each call, columns ``START`` and ``STOP`` of `~astropy.time.Time`."""
        return Table({"START": self.time_start, "STOP": self.time_stop})

    @property
    def time_intervals(self) -> list[tuple[Time, Time]]:
        """Pairs of start and stop."""
        return list(zip(self.time_start, self.time_stop, strict=True))

    def __len__(self) -> int:
        return len(self._start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GTI):
            return NotImplemented
        if len(self) != len(other):
            return False
        shift = float((other.time_ref - self.time_ref).sec)
        ours, theirs = np.stack([self._start, self._stop]), np.stack([other._start, other._stop])
        return bool(np.allclose(ours, theirs + shift, rtol=0, atol=TOUCH))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        lines = ["GTI info:", f"- Number of GTIs: {len(self)}", f"- Duration: {float(np.round(self.time_sum.value, 6))} s"]
        if len(self):
            for label, seconds in (("Start", self._start.min()), ("Stop", self._stop.max())):
                time = self._times(seconds)
                lines.append(f"- {label}: {float(np.round(seconds, 6))} s MET")
                lines.append(f"- {label}: {time.isot} (time standard: {time.scale.upper()})")
        return "\n".join([*lines, ""])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    # Selecting and joining

    def _interval(self, time_interval: Any) -> tuple[float, float]:
        try:
            low, high = (float((Time(time) - self.time_ref).sec) for time in time_interval)
        except (TypeError, ValueError) as error:
            msg = f"GTI: time interval is {time_interval!r}; expected two times."
            raise InputError(msg) from error
        if not low <= high:
            msg = f"GTI: time interval {time_interval!r} ends before it starts; exchange the two."
            raise InputError(msg)
        return low, high

    def select_time(self, time_interval: Any, inverted: bool = False) -> GTI:
        """Part inside an interval (or outside, if inverted); the reference time is kept.

        Parameters
        ----------
        time_interval : Time of length two, or pair of Time
            Limits.
        inverted : bool
            Keep what lies outside.

        Returns
        -------
        gti : GTI
            Without intervals of length zero.

        Examples
        --------
        >>> from astropy import units as u
        >>> from geminga.data import GTI
        >>> gti = GTI.create([0, 100] * u.s, [50, 200] * u.s)
        >>> gti.select_time([gti.time_ref + 100 * u.s, gti.time_ref + 120 * u.s]).met_start
        <Quantity [100.] s>
        """
        if inverted:
            return self.delete_interval(time_interval)
        low, high = self._interval(time_interval)
        start, stop = np.maximum(self._start, low), np.minimum(self._stop, high)
        kept = stop > start
        return self._like(start[kept], stop[kept])

    def delete_interval(self, time_interval: Any) -> GTI:
        """What is left without an interval; the reference time is kept.

        Parameters
        ----------
        time_interval : Time of length two, or pair of Time
            Limits of what to remove.
        """
        low, high = self._interval(time_interval)
        before = np.stack([self._start, np.minimum(self._stop, low)])
        after = np.stack([np.maximum(self._start, high), self._stop])
        pieces = np.concatenate([before, after], axis=1)
        pieces = pieces[:, pieces[1] > pieces[0]]
        return self._like(*pieces[:, np.argsort(pieces[0], kind="stable")])

    def stack(self, other: GTI) -> None:
        """Append the intervals of another, in place."""
        joined = GTI.from_stack([self, other])
        self._start, self._stop = joined._start, joined._stop

    def union(self, overlap_ok: bool = True, merge_equal: bool = True) -> GTI:
        """Intervals in order, with overlapping ones joined; the reference time is kept.

        Parameters
        ----------
        overlap_ok : bool
            If false, overlaps are refused.
        merge_equal : bool
            Join also intervals which touch (within a microsecond).

        Raises
        ------
        DataError
            If intervals overlap and `overlap_ok` is false.
        """
        order = np.lexsort([self._stop, self._start])
        start, stop = self._start[order], self._stop[order]
        if len(start) == 0:
            return self._like(start, stop)
        reach = np.maximum.accumulate(stop)
        overlaps = start[1:] < reach[:-1] - TOUCH
        if overlaps.any() and not overlap_ok:
            row = int(np.flatnonzero(overlaps)[0])
            msg = (
                f"GTI: intervals overlap, the one starting at {start[row + 1]} s begins before {reach[row]} s; "
                "use union(overlap_ok=True) to join them."
            )
            raise DataError(msg)
        joined = start[1:] <= reach[:-1] + TOUCH if merge_equal else overlaps
        first = np.flatnonzero(np.append(True, ~joined))
        return self._like(start[first], np.maximum.reduceat(stop, first))

    def group_table(self, time_intervals: Sequence[Any], atol: Any = "1e-6 s") -> Table:
        """Which intervals lie inside which of several larger ones.

        Parameters
        ----------
        time_intervals : sequence of pairs of Time
            Larger intervals, which must not overlap.
        atol : Quantity or str
            Tolerance on the limits.

        Returns
        -------
        table : Table
            One row for each interval: ``group_idx`` (-1 for none), ``time_min``, ``time_max`` (MJD) and ``bin_type``, which is
            empty inside a group, ``underflow`` before the first one, else ``overflow``.

        Raises
        ------
        InputError
            If there are no larger intervals, or they overlap.
        """
        tolerance = float(as_quantity(atol, "s", "atol").value)
        if len(time_intervals) == 0:
            msg = "GTI.group_table: there are no time intervals; give at least one pair of times."
            raise InputError(msg)
        limits = np.array([self._interval(pair) for pair in time_intervals])
        ordered = limits[np.argsort(limits[:, 0])]
        if (ordered[1:, 0] < ordered[:-1, 1] - tolerance).any():
            msg = "GTI.group_table: time intervals overlap; give disjoint ones."
            raise InputError(msg)
        inside = (self._start[:, None] >= limits[:, 0] - tolerance) & (self._stop[:, None] <= limits[:, 1] + tolerance)
        group = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
        outside = np.where(self._start < ordered[0, 0] - tolerance, "underflow", "overflow")
        columns = {"group_idx": group, "time_min": self.time_start.mjd, "time_max": self.time_stop.mjd}
        return Table(columns | {"bin_type": np.where(group >= 0, "", outside)})
