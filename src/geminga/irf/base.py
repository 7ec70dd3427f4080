"""A response function: numbers with a unit on a few axes, interpolated between the centres of the bins."""

from __future__ import annotations

import copy
import html
from collections.abc import Iterator
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, NameLookupError, UnitError
from geminga.irf import along, interpolate
from geminga.irf.io import gadf
from geminga.maps import MapAxes
from geminga.utils.faults import Checked, bad_values, reported
from geminga.utils.files import read_fits, reading, write_fits
from geminga.utils.units import parse_unit

__all__ = ["IRF", "FoVAlignment"]

Array = NDArray[np.float64]


class FoVAlignment(Enum):
    """Which way the field of view's latitude points."""

    ALTAZ = "ALTAZ"
    RADEC = "RADEC"
    REVERSE_LON_RADEC = "REVERSE_LON_RADEC"


class IRF(Checked):
    """Response function on axes.

    Parameters
    ----------
    axes : list of MapAxis or MapAxes
        Axes, in the order of the data.
    data : array or Quantity
        Values, shape of the axes (or one that broadcasts to it).
    unit : str or Unit
        Unit of the data.
    is_pointlike : bool
        Only valid inside a region around the source.
    fov_alignment : FoVAlignment
        Orientation of the field of view.
    meta : dict, optional
        Keywords of the file.
    interp_kwargs : dict, optional
        ``bounds_error``, ``fill_value``, ``method``, ``values_scale`` of the interpolation.

    Raises
    ------
    GeometryError
        If axes are missing or the shape does not fit.
    """

    tag: ClassVar[str] = ""
    required_axes: ClassVar[list[str]] = []
    default_unit: ClassVar[u.UnitBase] = u.dimensionless_unscaled
    default_interp_kwargs: ClassVar[dict[str, Any]] = {"bounds_error": False, "fill_value": 0.0}
    #: Must the data have a unit convertible to `default_unit`.
    has_fixed_unit: ClassVar[bool] = False
    #: What plots call the values, and whether these range over many orders of magnitude.
    plotted_name: ClassVar[str] = "Value"
    is_plotted_in_log: ClassVar[bool] = False

    def __init__(
        self,
        axes: Any,
        data: Any = 0,
        unit: Any = "",
        is_pointlike: bool = False,
        fov_alignment: FoVAlignment | str = FoVAlignment.RADEC,
        meta: dict[str, Any] | None = None,
        interp_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self._axes = axes if isinstance(axes, MapAxes) else MapAxes(axes)
        if self.required_axes:
            self._axes.assert_names(self.required_axes)
        self._fov_alignment = FoVAlignment(fov_alignment)
        self._is_pointlike = bool(is_pointlike)
        self.meta = meta or {}
        self.interp_kwargs = {**self.default_interp_kwargs, **(interp_kwargs or {})}
        if isinstance(data, u.Quantity):
            self._unit = data.unit if not unit else parse_unit(unit)
            self.data = data.to_value(self._unit)
        else:
            self._unit = parse_unit(unit) if unit != "" else self.default_unit
            self.data = data
        self._check_unit(self._unit)

    def _faults(self) -> Iterator[str]:
        data = self.data
        # A millionth of the largest value below zero is rounding.
        floor = -1e-6 * max(float(np.nanmax(data, initial=0.0)), 0.0) if data.dtype.kind == "f" else 0.0
        yield from bad_values(self.tag, data, self.axes, floor=floor, is_sky=False)

    # ---- state -------------------------------------------------------------------------------

    axes = property(lambda self: self._axes, doc="Axes (`MapAxes`).")
    unit = property(lambda self: self._unit, doc="Unit of the data.")
    is_pointlike = property(lambda self: self._is_pointlike, doc="Is it valid inside a region only.")

    @property
    def fov_alignment(self) -> FoVAlignment:
        """Orientation of the field of view (may be set)."""
        return self._fov_alignment

    @fov_alignment.setter
    def fov_alignment(self, value: FoVAlignment | str) -> None:
        self._fov_alignment = FoVAlignment(value)

    @classmethod
    def _check_unit(cls, unit: Any) -> None:
        if cls.has_fixed_unit and not unit.is_equivalent(cls.default_unit):
            msg = f"{cls.__name__}: the data are in '{unit}', expected a unit convertible to '{cls.default_unit}'."
            raise UnitError(msg)

    @property
    def required_arguments(self) -> list[str]:
        """Arguments of `evaluate`."""
        return list(self.required_axes) or list(self.axes.names)

    @property
    def has_offset_axis(self) -> bool:
        """Does it depend on the offset from the pointing."""
        return "offset" in self.axes.names

    @property
    def data(self) -> Any:
        """Values, in `unit`."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if isinstance(value, u.Quantity):
            msg = f"{type(self).__name__}: data got a Quantity in {value.unit}; set 'quantity' instead."
            raise InputError(msg)
        array = np.asarray(value)
        shape = self.axes.shape
        if array.shape == ():
            array = np.full(shape, array)
        if array.shape != shape:
            msg = f"{type(self).__name__}: data have shape {array.shape}, the axes {self.axes.names} have {shape}."
            raise GeometryError(msg)
        self._data = array

    @property
    def quantity(self) -> u.Quantity:
        """Values with their unit."""
        return u.Quantity(self.data, self.unit, copy=False)

    @quantity.setter
    def quantity(self, value: Any) -> None:
        value = u.Quantity(value)
        self._check_unit(value.unit)
        self._unit = value.unit
        self.data = value.value

    def _like(self, axes: Any, data: Any, unit: Any = None) -> Any:
        return type(self)(
            axes=axes,
            data=data,
            unit=self.unit if unit is None else unit,
            interp_kwargs=dict(self.interp_kwargs),
            **self._state(),
        )

    def _state(self) -> dict[str, Any]:
        """What a response made of this one has in common with it besides axes and data."""
        return {"is_pointlike": self.is_pointlike, "fov_alignment": self.fov_alignment, "meta": dict(self.meta)}

    def __str__(self) -> str:
        name = type(self).__name__
        lines = [
            f"  axes  : {self.axes.names}",
            f"  shape : {tuple(int(n) for n in self.data.shape)}",
            f"  ndim  : {len(self.axes)}",
            f"  unit  : {self.unit}",
            f"  dtype : {self.data.dtype}",
        ]
        return "\n".join([name, "-" * len(name), "", *lines, ""])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.is_allclose(other, rtol_axes=1e-3, rtol=1e-3)

    __hash__ = None  # type: ignore[assignment]

    def is_allclose(self, other: Any, rtol_axes: float = 1e-3, atol_axes: float = 1e-6, **kwargs: Any) -> bool:
        """Are axes and data equal within tolerances (``rtol``, ``atol`` of `numpy.allclose`).

        Raises
        ------
        InputError
            If the other is of another type.
        """
        self._must_be_alike(other)
        if self.data.shape != other.data.shape or not self.unit.is_equivalent(other.unit):
            return False
        axes = self.axes.is_allclose(other.axes, rtol=rtol_axes, atol=atol_axes)
        return bool(axes and np.allclose(self.quantity, other.quantity, **kwargs))

    def _must_be_alike(self, other: Any) -> None:
        if not isinstance(other, type(self)):
            msg = f"Cannot compare {type(self).__name__} with {type(other).__name__}."
            raise InputError(msg)

    # ---- evaluation --------------------------------------------------------------------------

    evaluate = interpolate.evaluate

    # ---- along an axis -----------------------------------------------------------------------

    def _measure(self, axis_name: str) -> u.Quantity:
        axis = self.axes[axis_name]
        if axis_name in {"rad", "offset"}:
            ring = 2 * np.pi * axis.center.to_value("rad") * axis.bin_width.to_value("rad")
            return u.Quantity(ring, "sr")
        return u.Quantity(axis.bin_width)

    def cumsum(self, axis_name: str) -> Any:
        """Integral along an axis from its lower end to each edge."""
        position, measure = self.axes.index(axis_name), self._measure(axis_name)
        shape = [1] * len(self.axes)
        shape[position] = -1
        sums = np.cumsum(self.data * measure.value.reshape(shape), axis=position)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis=position)), sums], axis=position)
        axis = self.axes[axis_name]
        axes = self.axes.replace(axis.copy(nodes=axis.edges, node_type="center"))
        return IRF(axes, sums, unit=self.unit * measure.unit)

    def integral(self, axis_name: str, **kwargs: Any) -> u.Quantity:
        """Integral along an axis up to the coordinate given for it; beyond the axis it keeps its last value."""
        sums = self.cumsum(axis_name)
        ends = sums.axes[axis_name].center[[0, -1]]
        kwargs[axis_name] = np.clip(u.Quantity(kwargs[axis_name]), *ends)
        return sums.evaluate(**kwargs)

    def normalize(self, axis_name: str) -> None:
        """Divide by the integral along an axis, in place; zero where that is zero."""
        position = self.axes.index(axis_name)
        total = self.cumsum(axis_name).data.take([-1], axis=position)
        data = np.asarray(self.data, dtype=float)
        self.data = np.divide(data, total, out=np.zeros_like(data), where=total != 0)

    integrate_log_log = along.integrate_log_log
    interp_missing_data = along.interp_missing_data

    # ---- transformation ----------------------------------------------------------------------

    def copy(self) -> Any:
        """Independent copy; the axes, which do not change, are shared."""
        new = copy.copy(self)
        new.meta, new.interp_kwargs, new._data = dict(self.meta), dict(self.interp_kwargs), self._data.copy()
        return new

    def slice_by_idx(self, slices: dict[str, Any]) -> Any:
        """Part of the axes, ``{name: slice}``.

        Raises
        ------
        InputError
            If an index is not a slice: the number of axes stays.
        """
        for name, value in slices.items():
            if not isinstance(value, slice):
                msg = f"{type(self).__name__}.slice_by_idx: {name}={value!r}; give a slice, for example slice(0, 1)."
                raise InputError(msg)
        axes = self.axes.slice_by_idx(slices)
        index = tuple(slices.get(axis.name, slice(None)) for axis in self.axes)
        return self._like(axes, self.data[index])

    def pad(self, pad_width: Any, axis_name: str, **kwargs: Any) -> Any:
        """Extend an axis on both sides (arguments of `numpy.pad`)."""
        width = (pad_width, pad_width) if np.isscalar(pad_width) else tuple(pad_width)
        padding = [(0, 0)] * len(self.axes)
        padding[self.axes.index(axis_name)] = width
        axes = self.axes.pad(axis_name=axis_name, pad_width=width)
        return self._like(axes, np.pad(self.data, padding, **kwargs))

    def to_unit(self, unit: Any) -> Any:
        """The same in another unit."""
        return self._like(self.axes, self.quantity.to_value(unit), unit)

    # ---- files -------------------------------------------------------------------------------

    @classmethod
    def from_table(cls, table: Any, format: str = "gadf-dl3") -> Any:
        """Read from a table with one row.

        Raises
        ------
        FormatError
            If a column is missing, or axes and data do not fit.
        """
        gadf.check_format(format)
        return gadf.irf_from_table(cls, table)

    @classmethod
    def from_hdulist(cls, hdulist: Any, hdu: str | int | None = None, format: str = "gadf-dl3") -> Any:
        """Read from an HDU; if none is named, from that of this kind of response, else from the first table.

        Raises
        ------
        NameLookupError
            If the HDU is missing.
        """
        gadf.check_format(format)
        wanted = gadf.find_hdu(hdulist, cls.tag) if hdu is None else hdu
        try:
            table_hdu = hdulist[wanted]
        except (KeyError, IndexError, TypeError) as error:
            msg = f"{cls.__name__}: there is no HDU {wanted!r}; the file has {', '.join(h.name for h in hdulist)}."
            raise NameLookupError(msg) from error
        return cls.from_table(gadf.read_table(table_hdu, cls.__name__), format=format)

    @classmethod
    def read_unit(cls, text: str, column: str) -> Any:
        """Unit of a column of a file."""
        return parse_unit(text, f"{cls.__name__}, column {column}")

    @classmethod
    def read(cls, filename: Any, hdu: str | int | None = None, format: str = "gadf-dl3") -> Any:
        """Read from a FITS file.

        Raises
        ------
        FileError, CorruptFileError
            If it cannot be read.
        """
        with reading(filename):
            return reported(cls.from_hdulist(read_fits(filename), hdu=hdu, format=format), f"File {filename}")

    def to_table(self, format: str = "gadf-dl3") -> Table:
        """Table with one row."""
        gadf.check_format(format)
        return gadf.irf_to_table(self)

    def to_table_hdu(self, format: str = "gadf-dl3") -> Any:
        """Table HDU."""
        gadf.check_format(format)
        return gadf.irf_to_hdu(self)

    def to_hdulist(self, format: str = "gadf-dl3") -> Any:
        """Primary HDU and table HDU."""
        return fits.HDUList([fits.PrimaryHDU(), self.to_table_hdu(format=format)])

    def write(self, filename: Any, *args: Any, **kwargs: Any) -> None:
        """Write to a FITS file (``overwrite`` as usual)."""
        write_fits(self.to_hdulist(), filename, *args, **kwargs)
