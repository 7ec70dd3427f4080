"""Time axes from times, good time intervals and other axes; groups of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.axes.build import check_nbin
from geminga.maps.axes.grouping import bin_range
from geminga.utils.units import as_quantity, parse_unit

if TYPE_CHECKING:
    from astropy.table import Table

    from geminga.maps.axes.time import TimeMapAxis

__all__ = ["check", "from_gti", "from_gti_bounds", "from_lightcurve", "from_time_bounds", "from_time_edges"]


def check(low: NDArray[np.float64], high: NDArray[np.float64], name: str) -> None:
    """Raise `InputError` unless intervals are in order, apart, and have a length."""
    problem = ""
    if low.shape != high.shape or low.ndim != 1 or not len(low):
        problem = (
            f"edges_min and edges_max have shapes {low.shape} and {high.shape}, expected equal ones with at least one interval"
        )
    elif not (high > low).all():
        problem = f"each interval must stop after it starts, got starts {low} and stops {high}"
    elif not (low[1:] > low[:-1]).all():
        problem = f"intervals must be in order, got starts {low}"
    elif (low[1:] < high[:-1] - 1e-9 * (high - low).min()).any():
        problem = f"Time intervals must not overlap, got starts {low} and stops {high}"
    if problem:
        msg = f"TimeMapAxis {name!r}: {problem}."
        raise InputError(msg)


def slice_axis(self: TimeMapAxis, idx: Any) -> TimeMapAxis:
    """Some of the intervals: an index, a slice, or a list of indices."""
    bins = bin_range(idx, self.nbin, self.name)
    return self.copy(edges_min=self.edges_min[bins], edges_max=self.edges_max[bins])


def squash(self: TimeMapAxis) -> TimeMapAxis:
    """One interval from the first start to the last stop."""
    return self.copy(edges_min=self.edges_min[:1], edges_max=self.edges_max[-1:])


def to_contiguous(self: TimeMapAxis) -> TimeMapAxis:
    """Axis without gaps, the gaps being intervals of their own."""
    low, high = self.edges_min.value, self.edges_max.value
    gaps = ~self._touching
    edges = np.sort(np.concatenate([low, high[:-1][gaps], high[-1:]]))
    return self.copy(edges_min=edges[:-1] * self.unit, edges_max=edges[1:] * self.unit)


def _pairs(interval_edges: Any) -> tuple[Time, Time]:
    """Starts and stops of a time axis, of instants that follow each other, or of a sequence of pairs of times."""
    if hasattr(interval_edges, "time_min"):
        return interval_edges.time_min, interval_edges.time_max
    if all(edge.isscalar for edge in interval_edges):
        edges = Time(list(interval_edges))
        return edges[:-1], edges[1:]
    starts, stops = zip(*[(pair[0], pair[1]) for pair in interval_edges], strict=True)
    return Time(list(starts)), Time(list(stops))


def group_table(self: TimeMapAxis, interval_edges: Any) -> Table:
    """Groups of intervals inside larger ones.

    Parameters
    ----------
    interval_edges : Time, TimeMapAxis or sequence of pairs of Time
        Larger intervals: instants between which they lie, an axis, or start and stop of each.

    Returns
    -------
    table : Table
        ``group_idx``, ``idx_min``, ``idx_max`` (inclusive), ``time_min``, ``time_max`` and ``bin_type`` (``normal``), one row
        for each larger interval that holds at least one whole interval.
    """
    from astropy.table import Table

    starts, stops = _pairs(interval_edges)
    tolerance = 1e-9 * (self.edges_max - self.edges_min).min()
    low = (starts - self.reference_time).to(self.unit) - tolerance
    high = (stops - self.reference_time).to(self.unit) + tolerance
    rows = []  # type: ignore[var-annotated]
    for start, stop in zip(np.atleast_1d(low), np.atleast_1d(high), strict=True):
        inside = np.flatnonzero((self.edges_min >= start) & (self.edges_max <= stop))
        if len(inside):
            first, last = int(inside[0]), int(inside[-1])
            rows.append((len(rows), first, last, self.time_min[first], self.time_max[last], "normal"))
    names = ("group_idx", "idx_min", "idx_max", "time_min", "time_max", "bin_type")
    if not rows:
        table = Table(names=names[:3], dtype=(int, int, int))
        table["time_min"], table["time_max"], table["bin_type"] = self.time_min[:0], self.time_max[:0], np.array([], dtype=str)
        return table
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    times = {key: Time(list(columns[key])) for key in ("time_min", "time_max")}
    return Table({key: times.get(key, list(values)) for key, values in columns.items()})


def _as_time(value: Any, label: str) -> Time:
    try:
        return value if isinstance(value, Time) else Time(value)
    except (ValueError, TypeError) as error:
        msg = f"TimeMapAxis: {label} is {value!r}, expected an astropy Time or a date such as '2020-01-01'."
        raise InputError(msg) from error


def from_time_bounds(
    cls: type[TimeMapAxis], time_min: Any, time_max: Any, nbin: int, unit: Any = "d", name: str = "time"
) -> TimeMapAxis:
    """Make an axis of `nbin` equal intervals.

    Parameters
    ----------
    time_min, time_max : Time
        Bounds.
    nbin : int
        Number of intervals.
    unit : str or Unit
        Unit of the edges.
    name : str
        Name of the axis.

    Raises
    ------
    InputError
        If bounds are not in order or `nbin` is below 1.
    """
    nbin = check_nbin(nbin)
    start, stop = _as_time(time_min, "time_min"), _as_time(time_max, "time_max")
    length = (stop - start).to_value(as_unit(unit))
    if not length > 0:
        msg = f"TimeMapAxis: bounds are {start} and {stop}, the upper one must be later."
        raise InputError(msg)
    edges = u.Quantity(np.linspace(0.0, length, nbin + 1), as_unit(unit))
    return cls(edges[:-1], edges[1:], reference_time=start, name=name)


def as_unit(unit: Any) -> u.UnitBase:
    """A unit of time, or `UnitError`."""
    parsed = parse_unit(unit, "unit")
    as_quantity(u.Quantity(1, parsed), u.s, "unit")
    return parsed


def from_time_edges(
    cls: type[TimeMapAxis], time_min: Any, time_max: Any, unit: Any = "d", interp: str = "lin", name: str = "time"
) -> TimeMapAxis:
    """Make an axis from starts and stops; the reference time is the first start."""
    starts, stops = _as_time(time_min, "time_min"), _as_time(time_max, "time_max")
    if starts.isscalar:
        starts, stops = starts.reshape(1), stops.reshape(1)
    reference = starts[0].copy()
    reference.format = "iso"
    low, high = ((times - reference).to(as_unit(unit)) for times in (starts, stops))
    return cls(low, high, reference_time=reference, interp=interp, name=name)


def from_gti(cls: type[TimeMapAxis], gti: Any, name: str = "time") -> TimeMapAxis:
    """Make an axis whose intervals are good time intervals.

    Parameters
    ----------
    gti : GTI
        Good time intervals, which must not overlap.
    name : str
        Name of the axis.
    """
    reference = gti.time_ref.copy()
    reference.format = "iso"
    low, high = ((times - reference).to("s") for times in (gti.time_start, gti.time_stop))
    return cls(low, high, reference_time=reference, name=name)


def from_gti_bounds(cls: type[TimeMapAxis], gti: Any, t_delta: Any, name: str = "time") -> TimeMapAxis:
    """Make an axis of equal intervals between the bounds of good time intervals.

    Parameters
    ----------
    gti : GTI
        Good time intervals.
    t_delta : Quantity
        Length wanted; it is changed slightly so that intervals fit.
    name : str
        Name of the axis.
    """
    start, stop = gti.time_start[0], gti.time_stop[-1]
    step = as_quantity(t_delta, "s", "t_delta")
    nbin = max(int(np.rint(((stop - start).to("s") / step).to_value(""))), 1)
    return from_time_bounds(cls, start, stop, nbin, unit="s", name=name)


def from_lightcurve(cls: type[TimeMapAxis], table: Table) -> TimeMapAxis:
    """Axis of a light curve table: columns ``time_min``, ``time_max``, in MJD or since a time reference in the meta data."""
    from geminga.utils.time import time_ref_from_dict

    missing = [name for name in ("time_min", "time_max") if name not in table.colnames]
    if missing:
        msg = f"Light curve has no column {' or '.join(missing)}; it has {', '.join(table.colnames)}."
        raise GeometryError(msg)
    columns = [table["time_min"], table["time_max"]]
    if isinstance(columns[0], Time):
        return from_time_edges(cls, *columns)
    values = [u.Quantity(np.asarray(c, dtype=float), c.unit or u.d) for c in columns]
    if "MJDREFI" in table.meta or "MJDREF" in table.meta:
        reference = time_ref_from_dict(table.meta)
        reference.format = "iso"
        return cls(values[0], values[1], reference_time=reference)
    scale = str(table.meta.get("TIMESYS", "utc")).lower()
    return from_time_edges(cls, *[Time(v.to_value("d"), format="mjd", scale=scale) for v in values])


def to_gti(self: TimeMapAxis) -> Any:
    """Good time intervals with the limits of the axis."""
    import importlib

    # GTI is built on top of maps: it is looked up when asked for, maps do not depend on it.
    gti = importlib.import_module("geminga.data").GTI
    return gti.create(self.edges_min, self.edges_max, reference_time=self.reference_time)
