"""Sums, and other reductions, over axes; NaN is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError, GeometryError

__all__ = ["reduce", "reduce_array", "reduce_over_axes", "sum_over_axes", "weighted"]

# Ufuncs without a neutral element, and the ones that pass over NaN.
_IGNORING_NAN: dict[Any, Any] = {np.maximum: np.fmax, np.minimum: np.fmin}


def weighted(map_: Any, weights: Any) -> NDArray[Any]:
    """Data times the data of `weights` (none for None).

    Raises
    ------
    GeometryError
        If the weights do not broadcast to the map.
    DataError
        If there is NaN in them.
    """
    data: NDArray[Any] = map_.frozen_data
    if weights is None:
        return data
    factor = np.asarray(weights.frozen_data if hasattr(weights, "frozen_data") else weights)
    try:
        fits = np.broadcast_shapes(factor.shape, data.shape) == data.shape
    except ValueError:
        fits = False
    if not fits:
        msg = f"Weights have shape {factor.shape}, the map has {data.shape}; make them on the geometry of the map."
        raise GeometryError(msg)
    check_finite(factor, "weights")
    if data.dtype == bool and factor.dtype == bool:
        return np.asarray(data & factor)
    return np.asarray(data * factor)


def check_finite(values: NDArray[Any], name: str) -> None:
    """Raise `DataError` if there is NaN."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        msg = f"There are {int(np.isnan(values).sum())} NaN in the {name}; replace them, for instance with numpy.nan_to_num."
        raise DataError(msg)


def reduce_array(data: NDArray[Any], func: Any, axis: int, keepdims: bool = False) -> NDArray[Any]:
    """Reduce along an axis with a ufunc, leaving out NaN."""
    if data.dtype.kind != "f" or not np.isnan(data).any():
        return np.asarray(func.reduce(data, axis=axis, keepdims=keepdims))
    if func in _IGNORING_NAN:
        return np.asarray(_IGNORING_NAN[func].reduce(data, axis=axis, keepdims=keepdims))
    return np.asarray(func.reduce(data, axis=axis, keepdims=keepdims, where=~np.isnan(data)))


def reduce(self: Any, axis_name: str, func: Any = np.add, keepdims: bool = False, weights: Any = None) -> Any:
    """Reduce one axis.

    Parameters
    ----------
    axis_name : str
        Axis.
    func : ufunc
        How, such as `numpy.add`, `numpy.maximum`, `numpy.logical_or`.
    keepdims : bool
        Keep the axis, with one bin.
    weights : Map, optional
        Weights that multiply the data first.

    Returns
    -------
    map : Map
        Reduced map.
    """
    geom = self.geom.squash(axis_name) if keepdims else self.geom.drop(axis_name)
    data = reduce_array(weighted(self, weights), func, self.geom.axes.index_data(axis_name), keepdims)
    return self._like(data, geom)


def reduce_over_axes(
    self: Any, func: Any = np.add, keepdims: bool = False, axes_names: list[str] | None = None, weights: Any = None
) -> Any:
    """Reduce several axes.

    Parameters
    ----------
    func : ufunc
        How.
    keepdims : bool
        Keep the axes, with one bin each.
    axes_names : list of str, optional
        Axes; all beside the sky by default.
    weights : Map, optional
        Weights that multiply the data first.
    """
    names = self.geom.axes.names if axes_names is None else list(axes_names)
    out = self.copy() if weights is None else self._like(weighted(self, weights))
    for name in names:
        out = out.reduce(name, func=func, keepdims=keepdims)
    return out


def sum_over_axes(self: Any, axes_names: list[str] | None = None, keepdims: bool = True, weights: Any = None) -> Any:
    """Sum over axes.

    Parameters
    ----------
    axes_names : list of str, optional
        Axes; all beside the sky by default.
    keepdims : bool
        Keep the axes, with one bin each.
    weights : Map, optional
        Weights that multiply the data first.

    Examples
    --------
    >>> from geminga.maps import Map, MapAxis
    >>> cube = Map.create(npix=2, binsz=1, axes=[MapAxis([1, 2, 3], name="energy")])
    >>> cube.sum_over_axes().data.shape, cube.sum_over_axes(keepdims=False).data.shape
    ((1, 2, 2), (2, 2))
    """
    return self.reduce_over_axes(np.add, keepdims=keepdims, axes_names=axes_names, weights=weights)
