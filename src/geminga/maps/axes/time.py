"""An axis of time intervals, which may have gaps between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, NameLookupError, UnsupportedError
from geminga.maps.axes import bands, intervals, plot
from geminga.maps.axes.map import frozen, pix_to_idx
from geminga.utils.time import time_ref_from_dict, time_ref_to_dict
from geminga.utils.units import as_quantity

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

__all__ = ["TimeMapAxis"]


class TimeMapAxis:
    """An axis of time intervals that do not overlap.

    An instant belongs to an interval if ``start < time <= stop``.

    Parameters
    ----------
    edges_min, edges_max : Quantity
        Start and stop of each interval since `reference_time`, in order.
    reference_time : Time
        Reference.
    name : str
        Name of the axis.
    interp : str
        Interpolation, ``"lin"`` only.

    Raises
    ------
    InputError
        If intervals overlap, are not in order, or have no length.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.time import Time
    >>> from geminga.maps import TimeMapAxis
    >>> axis = TimeMapAxis([0, 5] * u.d, [1, 6] * u.d, reference_time=Time("2020-01-01"))
    >>> axis.coord_to_idx(Time(["2020-01-01 12:00:00", "2020-01-03"])).tolist()
    [0, -1]
    """

    node_type = "intervals"
    is_continuous = False
    is_energy_axis = False
    as_plot_scale = "linear"

    def __init__(self, edges_min: Any, edges_max: Any, reference_time: Time, name: str = "time", interp: str = "lin") -> None:
        if interp != "lin":
            msg = f"TimeMapAxis {name!r}: interp is {interp!r}, expected 'lin'."
            raise InputError(msg)
        if not isinstance(reference_time, Time) or not reference_time.isscalar:
            msg = f"TimeMapAxis {name!r}: reference_time is {reference_time!r}, expected one astropy Time."
            raise InputError(msg)
        low, high = np.atleast_1d(u.Quantity(edges_min)), np.atleast_1d(u.Quantity(edges_max))
        as_quantity(low, u.s, f"TimeMapAxis {name!r} edges_min")
        high = as_quantity(high, low.unit, f"TimeMapAxis {name!r} edges_max")  # type: ignore[attr-defined]
        intervals.check(low.value, high.value, name)  # type: ignore[attr-defined]
        self._low, self._high = frozen(np.array(low.value, dtype=float)), frozen(np.array(high.value, dtype=float))  # type: ignore[attr-defined]
        self._unit, self._name, self._interp = low.unit, str(name), interp  # type: ignore[attr-defined]
        self._reference_time = reference_time.copy(format="iso" if reference_time.format == "iso" else None)
        self._time_format = "iso"

    # State

    name = property(lambda self: self._name, doc="Name of the axis.")
    unit = property(lambda self: self._unit, doc="Unit of the edges.")
    interp = property(lambda self: self._interp, doc="Interpolation: lin.")
    reference_time = property(lambda self: self._reference_time, doc="Time from which edges count.")
    nbin = property(lambda self: len(self._low), doc="Number of intervals.")
    edges_min = property(lambda self: u.Quantity(self._low, self._unit, copy=False), doc="Starts since the reference time.")
    edges_max = property(lambda self: u.Quantity(self._high, self._unit, copy=False), doc="Stops since the reference time.")

    @property
    def time_format(self) -> str:
        """Format in which times are shown: any of astropy's."""
        return self._time_format

    @time_format.setter
    def time_format(self, value: str) -> None:
        if value not in Time.FORMATS:
            msg = f"TimeMapAxis {self._name!r}: time_format is {value!r}, expected one of {', '.join(sorted(Time.FORMATS))}."
            raise InputError(msg)
        self._time_format = value

    @property
    def is_contiguous(self) -> bool:
        """Whether each interval begins where the one before ends."""
        return bool(np.all(self._touching))

    @property
    def _touching(self) -> NDArray[np.bool_]:
        return np.isclose(self._low[1:], self._high[:-1], rtol=0, atol=1e-9 * (self._high - self._low).min())

    @property
    def edges(self) -> u.Quantity:
        """Edges since the reference time, shape (nbin + 1,).

        Raises
        ------
        GeometryError
            If there are gaps.
        """
        if not self.is_contiguous:
            msg = (
                f"TimeMapAxis {self._name!r}: there are gaps between intervals, so there are no common edges; see to_contiguous."
            )
            raise GeometryError(msg)
        return u.Quantity(np.append(self._low, self._high[-1]), self._unit)

    center = property(lambda self: u.Quantity(0.5 * (self._low + self._high), self._unit), doc="Middles since the reference.")
    bin_width = property(lambda self: u.Quantity(self._high - self._low, self._unit).to("h"), doc="Lengths in h.")
    bounds = property(lambda self: (self.edges_min[0], self.edges_max[-1]), doc="First start and last stop.")

    # Instants

    def _instants(self, values: Any) -> Time:
        time = self._reference_time + values
        time.format = self._time_format
        return time

    time_min = property(lambda self: self._instants(self.edges_min), doc="Starts.")
    time_max = property(lambda self: self._instants(self.edges_max), doc="Stops.")
    time_mid = property(lambda self: self._instants(self.center), doc="Middles.")
    time_edges = property(lambda self: self._instants(self.edges), doc="Edges, if there are no gaps.")
    time_bounds = property(lambda self: (self.time_min[0], self.time_max[-1]), doc="First start and last stop.")
    time_delta = property(lambda self: self.time_max - self.time_min, doc="Lengths.")

    @property
    def iter_by_edges(self) -> Iterator[tuple[u.Quantity, u.Quantity]]:
        """Pairs of start and stop since the reference time."""
        yield from zip(self.edges_min, self.edges_max, strict=True)

    @property
    def iter_by_time_edges(self) -> Iterator[tuple[Time, Time]]:
        """Pairs of start and stop."""
        yield from zip(self.time_min, self.time_max, strict=True)

    # Coordinates

    def _values(self, coord: Any) -> NDArray[np.float64]:
        """Coordinates since the reference time as floats; bare numbers are in `unit`."""
        if isinstance(coord, Time):
            coord = (coord - self._reference_time).to(self._unit)
        return np.asarray(as_quantity(coord, self._unit, f"TimeMapAxis {self._name!r} coordinate").value, dtype=float)

    def coord_to_idx(self, coord: Any, **kwargs: Any) -> NDArray[np.intp]:
        """Interval of each instant (Time, or Quantity since the reference), -1 outside."""
        values = self._values(coord)
        idx = np.searchsorted(self._low, values, side="left") - 1
        inside = (idx >= 0) & (values <= self._high[np.maximum(idx, 0)])
        return np.asarray(np.where(inside, idx, -1))

    def coord_to_pix(self, coord: Any, **kwargs: Any) -> NDArray[np.float64]:
        """Pixel coordinate: number of the interval plus the part of it that has passed, less 0.5; NaN outside."""
        values, idx = self._values(coord), self.coord_to_idx(coord)
        part = (values - self._low[idx]) / (self._high - self._low)[idx]
        return np.where(idx < 0, np.nan, idx + part - 0.5)

    def pix_to_coord(self, pix: Any) -> Time:
        """Instant of a pixel coordinate; a whole number is the middle of an interval."""
        pix = np.asarray(pix, dtype=float)
        idx = self.pix_to_idx(pix, clip=True)
        values = self._low[idx] + (pix - idx + 0.5) * (self._high - self._low)[idx]
        return self._instants(u.Quantity(np.where(self.pix_to_idx(pix) < 0, np.nan, values), self._unit))

    def pix_to_idx(self, pix: Any, clip: bool = False) -> NDArray[np.intp]:
        """Index of pixel coordinates, -1 outside (or the nearest one if `clip`)."""
        return pix_to_idx(pix, self.nbin, clip)

    # Other axes

    def copy(self, **kwargs: Any) -> TimeMapAxis:
        """Copy with some arguments replaced."""
        defaults = {
            "edges_min": self.edges_min,
            "edges_max": self.edges_max,
            "reference_time": self._reference_time,
            "name": self._name,
            "interp": self._interp,
        }
        return type(self)(**{**defaults, **kwargs})

    def rename(self, new_name: str) -> TimeMapAxis:
        """Same axis under another name."""
        return self.copy(name=new_name)

    slice = intervals.slice_axis
    squash = intervals.squash
    to_contiguous = intervals.to_contiguous
    group_table = intervals.group_table
    to_gti = intervals.to_gti
    from_time_bounds = classmethod(intervals.from_time_bounds)
    from_time_edges = classmethod(intervals.from_time_edges)
    from_gti = classmethod(intervals.from_gti)
    from_gti_bounds = classmethod(intervals.from_gti_bounds)

    def upsample(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered; raises `UnsupportedError`."""
        msg = f"TimeMapAxis {self._name!r}: upsample is not supported; make a new axis with from_time_bounds."
        raise UnsupportedError(msg)

    def downsample(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered; raises `UnsupportedError`."""
        msg = f"TimeMapAxis {self._name!r}: downsample is not supported; see group_table."
        raise UnsupportedError(msg)

    def pad(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered; raises `UnsupportedError`."""
        msg = f"TimeMapAxis {self._name!r}: pad is not supported; make a new axis."
        raise UnsupportedError(msg)

    # Files

    def bands_values(self) -> tuple[Any, ...]:
        """Columns of a BANDS table."""
        return self.center, self.edges_min, self.edges_max

    def to_header(self, format: str = "gadf", idx: int = 0) -> fits.Header:
        """Keywords ``AXCOLS<idx>``, ``INTERP<idx>`` and the time reference (in TT)."""
        from astropy.io import fits

        if format not in bands.FORMATS:
            msg = f"TimeMapAxis.to_header: format {format!r} is not known; expected one of {', '.join(bands.FORMATS)}."
            raise NameLookupError(msg)
        _, low, high = bands.columns_of(self._name)
        cards = {f"AXCOLS{idx}": f"{low},{high}", f"INTERP{idx}": self._interp, **time_ref_to_dict(self._reference_time)}
        return fits.Header(list(cards.items()))

    @classmethod
    def from_bands(cls, low: Any, high: Any, meta: Mapping[str, Any], name: str = "time", interp: str = "lin") -> TimeMapAxis:
        """Make the axis from columns of a BANDS table and its keywords."""
        reference = time_ref_from_dict(meta)
        reference.format = "iso"
        return cls(low, high, reference, name=name, interp=interp)

    @classmethod
    def from_table(cls, table: Table, format: str = "gadf", idx: int = 0) -> TimeMapAxis:
        """Read the axis from a table.

        Parameters
        ----------
        table : Table
            Table.
        format : {"gadf", "lightcurve"}
            Columns named by ``AXCOLS<idx>``; or ``time_min``, ``time_max`` of a light curve.
        idx : int
            Number of the axis.

        Raises
        ------
        NameLookupError, GeometryError
            If the format is unknown or the axis is not one of times.
        """
        if format == "lightcurve":
            return intervals.from_lightcurve(cls, table)
        if format != "gadf":
            msg = f"TimeMapAxis.from_table: format {format!r} is not known; expected 'gadf' or 'lightcurve'."
            raise NameLookupError(msg)
        axis = bands.axis_from_bands(cls, table, idx=idx)
        if not isinstance(axis, TimeMapAxis):
            msg = f"TimeMapAxis.from_table: axis {idx} of the table, {axis.name!r}, does not hold times."
            raise GeometryError(msg)
        return axis

    def to_table(self) -> Table:
        """Table with the instants ``START`` and ``STOP`` of each interval, shown as MJD."""
        from astropy.table import Table

        return Table({"START": Time(self.time_min, format="mjd"), "STOP": Time(self.time_max, format="mjd")})

    # Comparison

    def is_allclose(self, other: Any, **kwargs: Any) -> bool:
        """Whether name (whatever its case), number and limits of the intervals are equal.

        Parameters
        ----------
        other : TimeMapAxis
            Another axis.
        **kwargs : dict
            ``atol`` in `unit`, default 1e-6 of the shortest interval.
        """
        if not isinstance(other, TimeMapAxis) or self._name.upper() != other.name.upper() or self.nbin != other.nbin:
            return False
        shift = (other.reference_time - self._reference_time).to_value(self._unit)
        atol = kwargs.get("atol", 1e-6 * (self._high - self._low).min())
        pairs = ((self._low, other.edges_min), (self._high, other.edges_max))
        return all(np.allclose(mine, theirs.to_value(self._unit) + shift, rtol=0, atol=atol) for mine, theirs in pairs)

    def is_aligned(self, other: TimeMapAxis, atol: float = 2e-2) -> bool:
        """Whether the middles of one fall onto middles of the other, within `atol` of an interval."""
        for one, two in ((self, other), (other, self)):
            pix = one.coord_to_pix(two.time_mid)
            if not np.all(np.abs(pix - np.round(pix)) < atol):
                return False
        return True

    def assert_name(self, required_name: str) -> None:
        """Raise `NameLookupError` unless the axis has this name."""
        if self._name != required_name:
            msg = f"Axis is named {self._name!r}, expected {required_name!r}; rename it with .rename({required_name!r})."
            raise NameLookupError(msg)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeMapAxis):
            return NotImplemented
        return self.is_allclose(other)

    __hash__ = object.__hash__

    # Display

    as_plot_labels = property(plot.time_labels)
    as_plot_edges = property(plot.time_edges)
    as_plot_center = property(plot.time_center)
    as_plot_xerr = property(plot.time_xerr)
    format_plot_xaxis = plot.format_time_xaxis

    @cached_property
    def _text(self) -> str:
        title = type(self).__name__
        return (
            f"{title}\n{'-' * len(title)}\n\n"
            f"  name           : {self._name:<10s}\n"
            f"  nbins          : {self.nbin:<10d}\n"
            f"  reference time : {self._reference_time.iso}\n"
            f"  scale          : {self._reference_time.scale:<10s}\n"
            f"  time min.      : {self.time_bounds[0].iso}\n"
            f"  time max.      : {self.time_bounds[1].iso}\n"
            f"  total time     : {np.sum(self.bin_width):<10.1f}\n"
        )

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__
    _repr_html_ = plot.repr_html
