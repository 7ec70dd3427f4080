"""Point spread functions by formula, with parameters for each true energy and offset."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from astropy.table import Table
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, UnitError, UnsupportedError
from geminga.irf.base import FoVAlignment
from geminga.irf.defaults import rad_axis_default
from geminga.irf.interpolate import coordinates, grid_interpolator
from geminga.irf.io import gadf
from geminga.irf.psf.base import PSF
from geminga.irf.psf.table import PSF3D, checked_fraction
from geminga.maps import MapAxis
from geminga.utils.units import parse_unit

__all__ = ["ParametricPSF", "filled_along_energy"]

Array = NDArray[np.float64]


class ParametricPSF(PSF):
    """Base of PSFs by formula.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true`` and ``offset``.
    data : structured array, or dict of arrays or Quantities
        The parameters, each of shape (energy_true, offset).
    unit : dict of str or Unit, optional
        Unit of each parameter.

    Notes
    -----
    Each parameter is interpolated linearly between the centres of the bins. Where the table is empty (a width of zero), as
    tables are beyond the energies and offsets of an instrument, the parameters of the nearest energy at the same offset that
    has some are taken; where an offset has none, the density is zero.
    """

    required_parameters: ClassVar[list[str]] = []
    #: Arguments of `evaluate`: the table has no ``rad`` axis, the formula does.
    required_arguments: ClassVar[list[str]] = ["rad", "energy_true", "offset"]
    #: Unit of each parameter, to which those of files must be convertible; None for any.
    parameter_units: ClassVar[dict[str, str | None]] = {}

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
        given = dict(unit) if isinstance(unit, dict) else {}
        if isinstance(data, dict):
            given |= {name: value.unit for name, value in data.items() if isinstance(value, u.Quantity) and name not in given}
        self._units = {name: self._parameter_unit(name, given.get(name)) for name in self.required_parameters}
        super().__init__(axes, data, "", is_pointlike, fov_alignment, meta, interp_kwargs)

    @classmethod
    def _parameter_unit(cls, name: str, unit: Any) -> u.UnitBase:
        expected = cls.parameter_units[name]
        parsed = parse_unit(expected or "" if unit is None else unit, f"{cls.__name__}, parameter {name}")
        if expected is not None and not parsed.is_equivalent(expected):
            msg = f"{cls.__name__}: parameter {name!r} is in '{parsed}', expected a unit convertible to '{expected}'."
            raise UnitError(msg)
        return parsed

    # ---- state -------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """Parameters as a structured array, shape (energy_true, offset)."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        shape, names = self.axes.shape, self.required_parameters
        if not isinstance(value, dict) and np.shape(value) == () and getattr(np.asarray(value).dtype, "names", None) is None:
            value = dict.fromkeys(names, value)
        found = list(value) if isinstance(value, dict) else list(np.asarray(value).dtype.names or ())
        missing = [name for name in names if name not in found]
        if missing:
            msg = f"{type(self).__name__}: the data lack the parameters {missing}; expected {names}."
            raise InputError(msg)
        columns = {name: _plain(value[name], self._units[name]) for name in names}
        for name, column in columns.items():
            if column.shape not in {(), shape}:
                msg = f"{type(self).__name__}: {name} has shape {column.shape}, the axes {self.axes.names} have {shape}."
                raise GeometryError(msg)
        self._data = np.zeros(shape, dtype=[(name, column.dtype) for name, column in columns.items()])
        for name, column in columns.items():
            self._data[name] = column

    @property
    def quantity(self) -> dict[str, u.Quantity]:
        """Each parameter with its unit."""
        return {name: u.Quantity(self.data[name], unit, copy=False) for name, unit in self._units.items()}

    @quantity.setter
    def quantity(self, value: dict[str, u.Quantity]) -> None:
        self._units = {name: self._parameter_unit(name, u.Quantity(value[name]).unit) for name in self.required_parameters}
        self.data = value

    @property
    def unit(self) -> dict[str, u.UnitBase]:
        """Unit of each parameter."""
        return dict(self._units)

    def __str__(self) -> str:
        name = type(self).__name__
        lines = [
            f"  axes      : {self.axes.names}",
            f"  shape     : {self.axes.shape}",
            f"  ndim      : {len(self.axes)}",
            f"  parameters: {self.required_parameters}",
        ]
        return "\n".join([name, "-" * len(name), "", *lines, ""])

    def is_allclose(self, other: Any, rtol_axes: float = 1e-3, atol_axes: float = 1e-6, **kwargs: Any) -> bool:
        """Are axes and parameters equal within tolerances (``rtol``, ``atol`` of `numpy.allclose`).

        Raises
        ------
        InputError
            If the other is of another type.
        """
        self._must_be_alike(other)
        if self.data.shape != other.data.shape or not self.axes.is_allclose(other.axes, rtol=rtol_axes, atol=atol_axes):
            return False
        theirs = other.quantity
        return all(
            mine.unit.is_equivalent(theirs[name].unit) and np.allclose(mine, theirs[name], **kwargs)
            for name, mine in self.quantity.items()
        )

    def to_unit(self, unit: Any) -> Any:
        """Not offered: the parameters have different units.

        Raises
        ------
        UnsupportedError
            Always.
        """
        msg = f"{type(self).__name__} has parameters of different units, so it cannot be converted; use to_psf3d().to_unit()."
        raise UnsupportedError(msg)

    def normalize(self) -> None:  # type: ignore[override]
        """Do nothing: the formula is normalised."""

    # ---- evaluation --------------------------------------------------------------------------

    @classmethod
    def has_shape(cls, parameters: dict[str, Array]) -> NDArray[np.bool_]:
        """Where parameters (floats in `parameter_units`) define a density."""
        raise NotImplementedError

    @staticmethod
    def evaluate_direct(rad: Any, **kwargs: Any) -> u.Quantity:
        """Density at a radius for given parameters."""
        raise NotImplementedError

    @staticmethod
    def evaluate_containment(rad: Any, **kwargs: Any) -> u.Quantity:
        """Fraction within a radius for given parameters."""
        raise NotImplementedError

    @staticmethod
    def evaluate_radius(fraction: Any, **kwargs: Any) -> u.Quantity:
        """Radius within which a fraction lies for given parameters."""
        raise NotImplementedError

    def _filled(self) -> dict[str, Array]:
        """Parameters as floats, where the table is empty those of the nearest energy."""
        values = {
            name: np.array(self.data[name] * self._units[name].to(self.parameter_units[name] or self._units[name]), dtype=float)
            for name in self.required_parameters
        }
        good = np.broadcast_to(self.has_shape(values), self.axes.shape)
        return {name: filled_along_energy(column, good) for name, column in values.items()}

    def evaluate_parameters(self, energy_true: Any, offset: Any) -> dict[str, u.Quantity]:
        """Parameters at energies and offsets; beyond the table those at its edge.

        Parameters
        ----------
        energy_true, offset : Quantity
            Where; they broadcast.
        """
        given = {"energy_true": energy_true, "offset": offset}
        coords = coordinates(self, given, self.required_axes)
        coords = [np.clip(x, *self.axes[name].edge_values[[0, -1]]) for x, name in zip(coords, self.required_axes, strict=True)]
        out = {}
        for name, column in self._filled().items():
            unit = self.parameter_units[name] or self._units[name]
            out[name] = u.Quantity(grid_interpolator(self.axes, column)(coords), unit)
        return out

    def evaluate(self, rad: Any, **kwargs: Any) -> u.Quantity:  # type: ignore[override]
        """Density at a radius.

        Parameters
        ----------
        rad : Quantity
            Radius.
        **kwargs : Quantity
            ``energy_true`` and ``offset``; all broadcast.

        Returns
        -------
        density : Quantity
            sr-1.
        """
        return self.evaluate_direct(rad, **self.evaluate_parameters(**kwargs))

    def containment(self, rad: Any, **kwargs: Any) -> u.Quantity:
        """Fraction within a radius.

        Parameters
        ----------
        rad : Quantity
            Radius.
        **kwargs : Quantity
            ``energy_true`` and ``offset``; all broadcast.
        """
        return self.evaluate_containment(rad, **self.evaluate_parameters(**kwargs))

    def containment_radius(self, fraction: Any, factor: int = 20, **kwargs: Any) -> u.Quantity:
        """Radius within which a fraction lies, NaN where there is no PSF.

        Parameters
        ----------
        fraction : float or array
            Fraction, between 0 and 1.
        factor : int
            Not used: the formula is inverted.
        **kwargs : Quantity
            ``energy_true`` and ``offset``; all broadcast.

        Raises
        ------
        InputError
            If a fraction is not between 0 and 1.
        """
        return self.evaluate_radius(checked_fraction(fraction), **self.evaluate_parameters(**kwargs))

    def profiles(self, energy: Array, rad: Array, offset: Array) -> NDArray[np.floating]:
        """Density (sr-1) at true energies in the unit of the table, radii and offsets in deg, shape (energy, rad, offset)."""
        unit = self.axes["energy_true"].unit
        parameters = self.evaluate_parameters(u.Quantity(energy, unit)[:, np.newaxis, np.newaxis], u.Quantity(offset, "deg"))
        return np.asarray(self.evaluate_direct(u.Quantity(rad, "deg")[:, np.newaxis], **parameters).value, dtype=np.float32)

    def to_psf3d(self, rad: Any = None) -> PSF3D:
        """Table in radius.

        Parameters
        ----------
        rad : MapAxis or Quantity, optional
            Axis, or edges of the bins; 0 to 0.66 deg in 66 bins if not given.
        """
        if rad is None:
            axis = rad_axis_default()
        elif hasattr(rad, "node_type"):
            axis = rad
        else:
            axis = MapAxis.from_edges(u.Quantity(rad), name="rad")
        true, offset = self.axes["energy_true"], self.axes["offset"]
        data = self.evaluate(
            rad=axis.center, energy_true=true.center[:, np.newaxis, np.newaxis], offset=offset.center[:, np.newaxis]
        )
        return PSF3D(
            axes=[true, offset, axis],
            data=data.to_value("sr-1"),
            unit="sr-1",
            **self._state(),
        )

    # ---- files -------------------------------------------------------------------------------

    @classmethod
    def from_table(cls, table: Any, format: str = "gadf-dl3") -> Any:
        """Read from a table with one row.

        Raises
        ------
        FormatError
            If a column is missing, or axes and data do not fit.
        UnitError
            If a parameter has the wrong unit.
        """
        gadf.check_format(format)
        axes = [gadf.read_axis(table, name) for name in cls.required_axes]
        columns = {name: gadf.read_column(table, name.upper(), axes) for name in cls.required_parameters}
        data = {name: column for name, (column, _) in columns.items()}
        units = {name: cls.read_unit(unit, name.upper()) for name, (_, unit) in columns.items()}
        return cls(axes=axes, data=data, unit=units, **gadf.state_from_table(table))

    def to_table(self, format: str = "gadf-dl3") -> Table:
        """Table with one row."""
        gadf.check_format(format)
        table = gadf.empty_table(self)
        for name, unit in self._units.items():
            gadf.add_column(table, self, name.upper(), self.data[name], unit)
        return table


def _plain(value: Any, unit: Any) -> NDArray[Any]:
    """Numbers in a unit, as floats of the precision they have."""
    array = np.asarray(value.to_value(unit) if isinstance(value, u.Quantity) else value)
    return array if array.dtype.kind == "f" else array.astype(float)


def filled_along_energy(values: Array, good: NDArray[np.bool_]) -> Array:
    """Values, shape (energy_true, offset), with those that are not good replaced by the nearest good one at the same offset."""
    if good.all():
        return values
    out = values.copy()
    for j in np.flatnonzero(good.any(axis=0)):
        known = np.flatnonzero(good[:, j])
        out[:, j] = values[known[np.argmin(np.abs(np.arange(len(good))[:, None] - known), axis=1)], j]
    return out
