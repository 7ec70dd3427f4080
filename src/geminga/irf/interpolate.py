"""Evaluation of a response function between the centres of its bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from geminga.errors import InputError, NameLookupError, UnitError
from geminga.numerics.interpolation import SCALES, GridInterpolator

__all__ = ["coordinates", "evaluate", "grid_interpolator", "inside"]

Array = NDArray[np.float64]

_OTHER_METHODS = ("slinear", "cubic", "quintic", "pchip")


def coordinates(irf: Any, given: dict[str, Any], names: list[str]) -> list[Array]:
    """Coordinates of the named axes as floats in their units, in order.

    Raises
    ------
    InputError
        If one is missing or unknown.
    UnitError
        If one has the wrong dimension.
    """
    unknown = set(given) - set(names)
    missing = [name for name in names if name not in given]
    label = type(irf).__name__
    if unknown or missing:
        msg = f"{label}.evaluate needs {names}; missing {missing}, unknown {sorted(unknown)}."
        raise InputError(msg)
    found = []
    for name in names:
        unit = irf.axes[name].unit
        try:
            value = given[name] if isinstance(given[name], u.Quantity) else u.Quantity(given[name])
            found.append(np.asarray(value.to_value(unit), dtype=float))
        except u.UnitConversionError as error:
            msg = f"{label}.evaluate: {name}={given[name]!r} cannot be converted to {unit}."
            raise UnitError(msg) from error
    return found


def inside(axes: Any, coords: list[Array]) -> NDArray[np.bool_]:
    """Whether coordinates are between the first and the last edge of each axis; an axis of one node has no ends."""
    result: Any = np.True_
    for axis, x in zip(axes, coords, strict=True):
        low, high = axis.edge_values[[0, -1]]
        if low < high:
            result = result & (x >= low) & (x <= high)
    return np.asarray(result)


def grid_interpolator(axes: Any, values: Any, values_scale: str = "lin", method: str = "linear") -> GridInterpolator:
    """Interpolator over the centres of axes, continued linearly beyond the last ones.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    points = [axis.center_values for axis in axes]
    scales = [axis.interp for axis in axes]
    if method not in {"linear", "nearest"}:
        msg = f"Interpolation method {method!r} is not known; choose 'linear' or 'nearest', or of scipy {_OTHER_METHODS}."
        raise InputError(msg)
    return GridInterpolator(points, np.asarray(values, dtype=float), scales, values_scale, method=method)


def evaluate(self: Any, method: str | None = None, **kwargs: Any) -> u.Quantity:
    """Interpolate.

    Linear between the centres of the bins, in the scale of each axis (energy logarithmic), and continued to the outer
    edges; ``fill_value`` (zero, unless `interp_kwargs` says otherwise) beyond them. An axis with one bin is constant.

    Parameters
    ----------
    method : str, optional
        ``"linear"``, ``"nearest"``, or one of `scipy.interpolate.RegularGridInterpolator`; default from `interp_kwargs`.
    **kwargs : Quantity
        A coordinate for each axis; they broadcast.

    Raises
    ------
    InputError
        If a coordinate is missing or unknown.
    UnitError
        If one has the wrong dimension.
    """
    coords = coordinates(self, kwargs, self.axes.names)
    options = self.interp_kwargs
    scale, fill = options.get("values_scale", "lin"), options.get("fill_value", 0.0)
    method = method or options.get("method", "linear")
    if scale not in SCALES:
        msg = f"{type(self).__name__}: values_scale {scale!r} is not known; expected one of {', '.join(SCALES)}."
        raise NameLookupError(msg)
    if method in _OTHER_METHODS:
        result = _by_scipy(self, coords, method, scale)
    else:
        result = grid_interpolator(self.axes, self.data, scale, method)(coords)
    if fill is not None:
        result = np.where(inside(self.axes, coords), result, fill)
    return u.Quantity(result, self.unit, copy=False)


def _by_scipy(irf: Any, coords: list[Array], method: str, scale: str) -> Array:
    used = [i for i, axis in enumerate(irf.axes) if axis.nbin > 1]
    shape = np.broadcast_shapes(*(x.shape for x in coords))
    values = SCALES[scale].forward(irf.data)
    if not used:
        return SCALES[scale].inverse(np.broadcast_to(values.reshape(()), shape))
    forward = [SCALES[irf.axes[i].interp].forward for i in used]
    points = tuple(f(irf.axes[i].center_values) for f, i in zip(forward, used, strict=True))
    grid = values.reshape([irf.axes[i].nbin for i in used])
    where = np.stack([np.broadcast_to(f(coords[i]), shape) for f, i in zip(forward, used, strict=True)], axis=-1)
    found = RegularGridInterpolator(points, grid, method=method, bounds_error=False, fill_value=None)(where)
    return SCALES[scale].inverse(found.reshape(shape))
