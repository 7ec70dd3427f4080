"""Interpolation of quantities on grids, and of likelihood profiles.

The arithmetic is in `geminga.numerics.interpolation`; here are the units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError, UnitError
from geminga.numerics.interpolation import SCALES, GridInterpolator, Scale, signed_root_profile

__all__ = ["InterpolationScale", "ScaledRegularGridInterpolator", "interpolate_profile", "interpolation_scale"]


class InterpolationScale:
    """A transformation with an inverse, which gives back the unit that went in.

    Parameters
    ----------
    scale : Scale
        Transformation of floats.
    """

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._unit: u.UnitBase | None = None

    def __call__(self, values: Any) -> NDArray[np.float64]:
        """Transformed values as floats."""
        if isinstance(values, u.Quantity):
            self._unit, values = values.unit, values.value
        else:
            self._unit = None
        return self._scale.forward(values)

    def inverse(self, values: Any) -> Any:
        """Values before the transformation."""
        out = self._scale.inverse(values)
        return out if self._unit is None else u.Quantity(out, self._unit, copy=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._scale.name!r})"


def _profile_root(values: Any) -> NDArray[np.float64]:
    return signed_root_profile(np.asarray(values, dtype=float))


_STAT_PROFILE = Scale("stat-profile", _profile_root, lambda values: np.asarray(np.asarray(values, dtype=float) ** 2))


def interpolation_scale(scale: Any = "lin") -> Any:
    """Scale by name.

    Parameters
    ----------
    scale : {"lin", "log", "sqrt", "stat-profile"} or callable
        Name; something that is callable and has an ``inverse`` is passed on.

    Returns
    -------
    scale : InterpolationScale
        Callable, with the method ``inverse``.

    Raises
    ------
    NameLookupError
        If the name is unknown.

    Examples
    --------
    >>> from geminga.utils.interpolation import interpolation_scale
    >>> float(interpolation_scale("sqrt")(9.0))
    3.0
    """
    if callable(scale) and hasattr(scale, "inverse"):
        return scale
    known = {**SCALES, "stat-profile": _STAT_PROFILE}
    if scale not in known:
        msg = f"Not a valid value scaling mode: {scale!r}; expected one of {', '.join(known)}."
        raise NameLookupError(msg)
    return InterpolationScale(known[scale])


class ScaledRegularGridInterpolator:
    """Interpolation of a Quantity on a rectangular grid of Quantities, on scales.

    Axes with one point are constant.

    Parameters
    ----------
    points : tuple of array or Quantity
        Increasing nodes of each axis.
    values : array or Quantity
        Values on the grid.
    points_scale : tuple of str, optional
        Scale of each axis: lin, log or sqrt.
    values_scale : str
        Scale of the values.
    extrapolate : bool
        Continue linearly beyond the grid; else give ``fill_value`` there.
    axis : int, optional
        Interpolate along this axis of `values` only; `points` is then one.
    **kwargs : dict
        ``method``: linear, nearest, or one of `scipy.interpolate.RegularGridInterpolator`; ``fill_value``: value outside.

    Raises
    ------
    InputError
        If shapes do not fit.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.utils.interpolation import ScaledRegularGridInterpolator
    >>> area = ScaledRegularGridInterpolator(([1, 100] * u.TeV,), [1, 1e4] * u.m**2, ["log"], "log")
    >>> area((10 * u.TeV,)).round(6)
    <Quantity 100. m2>
    """

    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        points_scale: Sequence[str] | None = None,
        values_scale: str = "lin",
        extrapolate: bool = True,
        axis: int | None = None,
        **kwargs: Any,
    ) -> None:
        names = ["lin"] * len(points) if points_scale is None else list(points_scale)
        self.scale_points = [interpolation_scale(name) for name in names]
        self.scale = interpolation_scale(values_scale)
        self.axis = axis
        self._units = [p.unit if isinstance(p, u.Quantity) else None for p in points]
        self._unit = values.unit if isinstance(values, u.Quantity) else None
        array = np.asarray(u.Quantity(values).value if self._unit is not None else values, dtype=float)
        nodes = [np.asarray(p.value if isinstance(p, u.Quantity) else p, dtype=float).reshape(-1) for p in points]
        if axis is not None:
            array = np.moveaxis(array, axis, 0)
        fill = kwargs.pop("fill_value", None)
        outside = extrapolate and fill is None
        method = kwargs.pop("method", "linear")
        try:
            if method in {"linear", "nearest"}:
                fill = np.nan if fill is None else fill
                self._table: Callable[[Sequence[Any]], Any] = GridInterpolator(
                    nodes, array, names, values_scale, outside, fill, method
                )
            else:
                self._table = _smooth_table(nodes, array, names, values_scale, outside, method, fill)
        except ValueError as error:
            msg = f"ScaledRegularGridInterpolator: {error}"
            raise InputError(msg) from error

    def __call__(self, points: Sequence[Any], method: str | None = None, clip: bool = True, **kwargs: Any) -> Any:
        """Interpolated values.

        Parameters
        ----------
        points : tuple of array or Quantity
            Coordinates, broadcast against each other.
        method : str, optional
            Only the one chosen at the start.
        clip : bool
            Replace values below zero by zero.

        Raises
        ------
        UnitError
            If a unit does not fit.
        """
        coords = [self._plain(point, unit) for point, unit in zip(points, self._units, strict=True)]
        out = np.asarray(self._table(coords))
        if clip:
            out = np.where(out < 0, 0.0, out)
        if self.axis is not None:
            sample = np.ndim(coords[0])
            axis = self.axis if self.axis >= 0 else self.axis + out.ndim - sample + 1
            out = np.moveaxis(out, range(sample), range(axis, axis + sample))
        if self._unit is not None:
            return u.Quantity(out, self._unit, copy=False)
        return out if out.ndim else out[()]

    @staticmethod
    def _plain(point: Any, unit: Any) -> NDArray[np.float64]:
        if unit is None or not isinstance(point, u.Quantity):
            return np.asarray(point.value if isinstance(point, u.Quantity) else point, dtype=float)
        try:
            return np.asarray(point.to_value(unit), dtype=float)
        except u.UnitConversionError as error:
            msg = f"ScaledRegularGridInterpolator: a coordinate has unit '{point.unit}', expected one convertible to '{unit}'."
            raise UnitError(msg) from error


def _smooth_table(
    nodes: list[NDArray[Any]], array: NDArray[Any], names: list[str], values_scale: str, extrapolate: bool, method: str, fill: Any
) -> Callable[[Sequence[Any]], Any]:
    """Interpolation by a method of scipy, on scales."""
    from scipy.interpolate import RegularGridInterpolator

    scales, out_scale = [SCALES[name] for name in names], SCALES[values_scale]
    used = [i for i, node in enumerate(nodes) if len(node) > 1]
    squeezed = array.reshape([n for n in array.shape if n > 1] or [1])
    grid = tuple(scales[i].forward(nodes[i]) for i in used)
    table = RegularGridInterpolator(grid, out_scale.forward(squeezed), method=method, bounds_error=False, fill_value=None)
    limits = [(g[0], g[-1]) for g in grid]

    def evaluate(coords: Sequence[Any]) -> NDArray[np.float64]:
        scaled = np.broadcast_arrays(*[scale.forward(c) for scale, c in zip(scales, coords, strict=True)])
        picked = [scaled[i] for i in used]
        out = np.asarray(out_scale.inverse(table(tuple(picked))))
        if extrapolate:
            return out
        inside = np.all([(x >= low) & (x <= high) for x, (low, high) in zip(picked, limits, strict=True)], axis=0)
        return np.where(inside, out, np.nan if fill is None else fill)

    return evaluate


def interpolate_profile(x: Any, y: Any, interp_scale: str = "sqrt", extrapolate: bool = False) -> Callable[[Any], Any]:
    """Interpolate a likelihood profile.

    Parameters
    ----------
    x : array
        Values of the parameter, increasing.
    y : array
        Fit statistic, counted from its minimum; points that are not finite are left out.
    interp_scale : {"sqrt", "lin"}
        Interpolate the square root with its sign (a parabola is then a straight line), or the values.
    extrapolate : bool
        Continue beyond the ends; else raise there.

    Returns
    -------
    profile : callable
        Statistic at parameter values; it raises `InputError` outside unless `extrapolate`.

    Raises
    ------
    InputError
        If fewer than three points are finite, or the scale is unknown.

    Examples
    --------
    >>> from geminga.utils.interpolation import interpolate_profile
    >>> round(float(interpolate_profile([0, 1, 2, 3], [4, 1, 0, 1])(1.5)), 6)
    0.25
    """
    from scipy.interpolate import make_interp_spline

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    finite = np.isfinite(x) & np.isfinite(y)
    if finite.sum() < 3:
        msg = f"interpolate_profile: {int(finite.sum())} of {len(x)} points are finite, expected at least 3."
        raise InputError(msg)
    if interp_scale not in {"sqrt", "lin"}:
        msg = f"interpolate_profile: interp_scale is {interp_scale!r}, expected 'sqrt' or 'lin'."
        raise InputError(msg)
    x, y = x[finite], y[finite]
    rooted = interp_scale == "sqrt"
    spline = make_interp_spline(x, signed_root_profile(y) if rooted else y, k=2)

    def profile(x_new: Any) -> Any:
        where = np.asarray(x_new, dtype=float)
        if not extrapolate and ((where < x[0]) | (where > x[-1])).any():
            msg = f"interpolate_profile: {x_new} is outside the profile, which goes from {x[0]} to {x[-1]}; use extrapolate=True."
            raise InputError(msg)
        out = np.asarray(spline(where))
        return out**2 if rooted else out

    return profile
