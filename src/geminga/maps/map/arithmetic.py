"""Operators of maps: units are converted, geometries must be equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, UnitError

__all__ = ["binary", "in_place", "invert", "is_allclose", "same_geometry"]

_COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
_LOGICAL = (np.logical_and, np.logical_or, np.logical_xor)


def is_map(value: Any) -> bool:
    """Whether a value has a geometry and data."""
    return hasattr(value, "geom") and hasattr(value, "frozen_data")


def same_geometry(one: Any, other: Any) -> bool:
    """Whether two geometries are equal; at once if they are one object."""
    return one is other or bool(type(one) is type(other) and one == other)


def _check_geometry(one: Any, other: Any) -> None:
    if not same_geometry(one.geom, other.geom):
        msg = (
            f"Map Arithmetic: Inconsistent geometries. {type(one.geom).__name__} {one.geom.axes_names} "
            f"{tuple(map(int, one.geom.data_shape))} and {type(other.geom).__name__} {other.geom.axes_names} "
            f"{tuple(map(int, other.geom.data_shape))}; bring one to the other with .interp_to_geom or .resample."
        )
        raise GeometryError(msg)


def _operand(self: Any, other: Any) -> tuple[NDArray[Any], u.UnitBase] | None:
    """Numbers and unit of the other side, None if it is nothing to calculate with."""
    if is_map(other):
        _check_geometry(self, other)
        return other.frozen_data, other.unit
    if isinstance(other, (str, bytes)) or other is None:
        return None
    if isinstance(other, u.Quantity):
        value, unit = np.asarray(other.value), other.unit
    else:
        value, unit = np.asarray(other), u.dimensionless_unscaled
    if value.dtype.kind not in "biuf":
        return None
    # Numbers count in double precision.
    value = value if value.dtype.kind in "bf" else value.astype(float)
    shape = tuple(int(n) for n in self.geom.data_shape)
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        msg = f"Map Arithmetic: an array of shape {value.shape} does not fit the map of shape {shape}."
        raise GeometryError(msg)
    return value, unit


def _converted(self: Any, value: NDArray[Any], unit: u.UnitBase, operator: Any) -> NDArray[Any]:
    """Numbers in the unit of the map; zero needs no unit."""
    if unit == self.unit or (value.ndim == 0 and unit == u.dimensionless_unscaled and not np.any(value)):
        return value
    try:
        factor = unit.to(self.unit)
    except u.UnitConversionError as error:
        msg = (
            f"Map Arithmetic: {operator.__name__} of a map in '{self.unit}' and a value in '{unit}': "
            "these units do not convert; give a Quantity or a map in a unit that does."
        )
        raise UnitError(msg) from error
    return np.asarray(value * factor)


def _evaluate(self: Any, other: Any, operator: Any, reflected: bool) -> tuple[NDArray[Any], u.UnitBase] | None:
    operand = _operand(self, other)
    if operand is None:
        return None
    value, unit = operand
    mine = self.frozen_data
    result_unit = self.unit
    if operator in _LOGICAL or operator in _COMPARISONS:
        result_unit = u.dimensionless_unscaled
    if operator is np.multiply:
        result_unit = self.unit * unit
    elif operator is np.true_divide:
        result_unit = unit / self.unit if reflected else self.unit / unit
    elif operator not in _LOGICAL:
        value = _converted(self, value, unit, operator)
    with np.errstate(divide="ignore", invalid="ignore"):
        data = operator(value, mine) if reflected else operator(mine, value)
    return data, result_unit


def binary(operator: Any, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """Operator method that makes a new map."""

    def method(self: Any, other: Any) -> Any:
        result = _evaluate(self, other, operator, reflected)
        return NotImplemented if result is None else self._like(result[0], unit=result[1])

    method.__doc__ = f"Map with {operator.__name__} of the data, bin by bin; see the module."
    return method


def in_place(operator: Any) -> Callable[[Any, Any], Any]:
    """Operator method that gives the map other data; arrays handed out before keep the old ones."""

    def method(self: Any, other: Any) -> Any:
        result = _evaluate(self, other, operator, reflected=False)
        if result is None:
            return NotImplemented
        self.data, self._unit = result
        return self

    method.__doc__ = f"Map itself with {operator.__name__} of the data, bin by bin."
    return method


def invert(self: Any) -> Any:
    """Map that is true where this one is not."""
    return self._like(np.logical_not(self.frozen_data), unit="")


def is_allclose(self: Any, other: Any, rtol_axes: float = 1e-3, atol_axes: float = 1e-6, **kwargs: Any) -> bool:
    """Whether geometry, unit and data are equal up to rounding.

    Parameters
    ----------
    other : Map
        Another map of the same class.
    rtol_axes, atol_axes : float
        Tolerance of the axes.
    **kwargs
        Arguments of `numpy.allclose` for the data, such as ``rtol``.

    Raises
    ------
    GeometryError
        If the other map is of another class.
    """
    if type(self) is not type(other):
        msg = f"Cannot compare {type(self).__name__} and {type(other).__name__}; expected two maps of one class."
        raise GeometryError(msg)
    if self.frozen_data.shape != other.frozen_data.shape or not self.unit.is_equivalent(other.unit):
        return False
    if not self.geom.is_allclose(other.geom, rtol_axes=rtol_axes, atol_axes=atol_axes):
        return False
    theirs = other.frozen_data if other.unit == self.unit else other.frozen_data * other.unit.to(self.unit)
    return bool(np.allclose(self.frozen_data, theirs, **kwargs))
