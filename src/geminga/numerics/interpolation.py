"""Interpolation on plain float arrays.

`interpolate_linear` for one dimension, `GridInterpolator` for several, `SCALES` for the spacing
(linear, logarithmic, square root) in which either is done. All of them continue linearly
beyond the ends, since a response that stops short of the data must not become zero silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SCALES", "GridInterpolator", "Scale", "bilinear_corners", "bracket", "interpolate_linear", "signed_root_profile"]

Floats = NDArray[np.float64]

# Smallest number whose logarithm is taken; single precision, since tables are stored so.
_TINY = float(np.finfo(np.float32).tiny)


class Scale(NamedTuple):
    """A monotonic transformation and its inverse.

    Examples
    --------
    >>> from geminga.numerics.interpolation import SCALES
    >>> float(SCALES["sqrt"].inverse(SCALES["sqrt"].forward(9.0)))
    9.0
    """

    name: str
    forward: Callable[[ArrayLike], Floats]
    inverse: Callable[[ArrayLike], Floats]


def _identity(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=float)


def _log(values: ArrayLike) -> Floats:
    return np.asarray(np.log(np.maximum(np.asarray(values, dtype=float), _TINY)))


def _exp(values: ArrayLike) -> Floats:
    out = np.asarray(np.exp(np.asarray(values, dtype=float)))
    # What was clipped at the smallest number comes back as zero.
    return np.where(out <= _TINY * (1 + 1e-6), 0.0, out)


def _sqrt(values: ArrayLike) -> Floats:
    values = np.asarray(values, dtype=float)
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def _square(values: ArrayLike) -> Floats:
    values = np.asarray(values, dtype=float)
    return np.asarray(np.sign(values) * values**2)


SCALES: dict[str, Scale] = {
    "lin": Scale("lin", _identity, _identity),
    "log": Scale("log", _log, _exp),
    "sqrt": Scale("sqrt", _sqrt, _square),
}


def bracket(x: ArrayLike, grid: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Cell and fraction of `x` in an increasing grid.

    Parameters
    ----------
    x : array
        Where to look.
    grid : array, shape (n,)
        Strictly increasing; one point is allowed, then the fraction is zero.

    Returns
    -------
    index : int array
        Left node of the cell, between 0 and n - 2.
    fraction : float array
        0 at the left node, 1 at the right one; outside [0, 1] beyond the ends, NaN where `x` is NaN.
    """
    x = np.asarray(x, dtype=float)
    if len(grid) == 1:
        return np.zeros(x.shape, dtype=np.intp), np.where(np.isnan(x), np.nan, 0.0)
    index = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(grid) - 2)
    left = grid[index]
    return index, (x - left) / (grid[index + 1] - left)


def interpolate_linear(x: ArrayLike, xp: Floats, fp: Floats) -> Floats:
    """Linear interpolation in an increasing `xp`, continued linearly beyond the ends.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.interpolation import interpolate_linear
    >>> interpolate_linear([0.5, 3.0], np.array([0.0, 1.0]), np.array([0.0, 2.0])).tolist()
    [1.0, 6.0]
    """
    x = np.asarray(x, dtype=float)
    out = np.asarray(np.interp(x, xp, fp))
    if len(xp) == 1:
        return out
    below, above = x < xp[0], x > xp[-1]
    if below.any():
        out = np.where(below, fp[0] + (x - xp[0]) * ((fp[1] - fp[0]) / (xp[1] - xp[0])), out)
    if above.any():
        out = np.where(above, fp[-1] + (x - xp[-1]) * ((fp[-1] - fp[-2]) / (xp[-1] - xp[-2])), out)
    return out


class GridInterpolator:
    """Multilinear (or nearest) interpolation on a rectangular grid.

    Coordinates broadcast against each other and are never expanded before the lookup, and
    an axis with one node is constant.

    Parameters
    ----------
    points : sequence of array
        Strictly increasing nodes of each axis.
    values : array
        Values on the grid; the first axes follow `points`, more may follow.
    points_scale : sequence of str, optional
        Name in `SCALES` for each axis.
    values_scale : str
        Name in `SCALES` in which values are interpolated.
    extrapolate : bool
        Continue linearly beyond the ends; else give `fill_value` there.
    fill_value : float
        Value outside when not extrapolating.
    method : {"linear", "nearest"}
        How.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.interpolation import GridInterpolator
    >>> table = GridInterpolator([np.array([1.0, 100.0])], np.array([1.0, 1e4]), ["log"], "log")
    >>> round(float(table([10.0])), 6)
    100.0
    """

    def __init__(
        self,
        points: Sequence[ArrayLike],
        values: ArrayLike,
        points_scale: Sequence[str] | None = None,
        values_scale: str = "lin",
        extrapolate: bool = True,
        fill_value: float = np.nan,
        method: str = "linear",
    ) -> None:
        names = ["lin"] * len(points) if points_scale is None else list(points_scale)
        self.scales = [SCALES[name] for name in names]
        self.values_scale = SCALES[values_scale]
        self.grid = [scale.forward(p).reshape(-1) for scale, p in zip(self.scales, points, strict=True)]
        self.values = self.values_scale.forward(values)
        self.extrapolate, self.fill_value, self.method = extrapolate, fill_value, method
        if self.values.shape[: len(self.grid)] != tuple(len(g) for g in self.grid):
            msg = f"GridInterpolator: values have shape {self.values.shape}, the grid has {[len(g) for g in self.grid]}."
            raise ValueError(msg)
        if method not in {"linear", "nearest"}:
            msg = f"GridInterpolator: method {method!r} is not known; choose 'linear' or 'nearest'."
            raise ValueError(msg)

    def __call__(self, coords: Sequence[ArrayLike]) -> Floats:
        """Values at `coords`, one array for each axis, broadcast against each other."""
        scaled = [scale.forward(c) for scale, c in zip(self.scales, coords, strict=True)]
        cells = [bracket(x, grid) for x, grid in zip(scaled, self.grid, strict=True)]
        out = self._nearest(cells) if self.method == "nearest" else self._linear(cells)
        out = self.values_scale.inverse(out)
        if self.extrapolate:
            return out
        outside = np.zeros((), dtype=bool)
        for x, grid in zip(scaled, self.grid, strict=True):
            if len(grid) > 1:
                outside = outside | ~((x >= grid[0]) & (x <= grid[-1]))
        return np.where(_trailing(outside, out.ndim), self.fill_value, out)

    def _nearest(self, cells: list[tuple[NDArray[np.intp], Floats]]) -> Floats:
        index = [i + (f > 0.5) * (len(g) > 1) for (i, f), g in zip(cells, self.grid, strict=True)]
        return np.asarray(self.values[tuple(index)])

    def _linear(self, cells: list[tuple[NDArray[np.intp], Floats]]) -> Floats:
        out: Any = 0.0
        corners = product(*[((0, 1) if len(g) > 1 else (0,)) for g in self.grid])
        for corner in corners:
            weight: Any = 1.0
            for (_, fraction), side in zip(cells, corner, strict=True):
                weight = weight * (fraction if side else 1.0 - fraction)
            index = tuple(i + side for (i, _), side in zip(cells, corner, strict=True))
            values = self.values[index]
            out = out + _trailing(np.asarray(weight), values.ndim) * values
        return np.asarray(out)


def _trailing(array: NDArray[Any], ndim: int) -> NDArray[Any]:
    """Append axes of length one up to `ndim`."""
    return array.reshape(array.shape + (1,) * (ndim - array.ndim))


def bilinear_corners(x: float, y: float, shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Rows, columns and weights of the four pixels of an image of `shape` around a position; outside, of its border.

    Examples
    --------
    >>> from geminga.numerics.interpolation import bilinear_corners
    >>> rows, columns, weights = bilinear_corners(0.25, 9.0, (2, 2))
    >>> rows.tolist(), columns.tolist(), weights.tolist()
    ([0, 0, 1, 1], [0, 1, 0, 1], [0.0, 0.0, 0.75, 0.25])
    """
    ny, nx = shape
    x, y = min(max(x, 0.0), nx - 1.0), min(max(y, 0.0), ny - 1.0)
    ix, iy = min(int(x), max(nx - 2, 0)), min(int(y), max(ny - 2, 0))
    fx, fy = x - ix, y - iy
    rows = np.array([iy, iy, min(iy + 1, ny - 1), min(iy + 1, ny - 1)])
    columns = np.array([ix, min(ix + 1, nx - 1)] * 2)
    return rows, columns, np.array([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy])


def signed_root_profile(y: ArrayLike) -> Floats:
    """Square root of a likelihood profile, negative on the left of its minimum.

    A parabola becomes a straight line, which makes profiles easy to interpolate. `y` is counted from its minimum
    upwards, values below zero are taken as zero.

    Examples
    --------
    >>> from geminga.numerics.interpolation import signed_root_profile
    >>> signed_root_profile([4.0, 1.0, 0.0, 1.0]).tolist()
    [-2.0, -1.0, 0.0, 1.0]
    """
    y = np.asarray(y, dtype=float)
    sign = np.where(np.arange(len(y)) < np.argmin(y), -1.0, 1.0)
    return np.asarray(sign * np.sqrt(np.maximum(y, 0.0)))
