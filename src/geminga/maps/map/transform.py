"""Maps with other pixels or bins: parts of a map, joined and divided bins, axes under another name or in another order."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.map.reduce import reduce_array, weighted
from geminga.utils.units import parse_unit

__all__ = [
    "crop",
    "cutout",
    "downsample",
    "pad",
    "rename_axes",
    "reorder_axes",
    "resample_axis",
    "slice_by_idx",
    "to_cube",
    "to_unit",
    "upsample",
]

log = logging.getLogger(__name__)


def slice_by_idx(self: Any, slices: dict[str, Any]) -> Any:
    """Cut axes.

    Parameters
    ----------
    slices : dict
        Axis name to slice or index; a slice keeps the axis, an index drops it.

    Returns
    -------
    map : Map
        Map whose data are a view: what is written into them in place is written into this map.

    Raises
    ------
    NameLookupError
        If a name is not that of an axis.

    Examples
    --------
    >>> from geminga.maps import Map, MapAxis
    >>> cube = Map.create(npix=2, binsz=1, axes=[MapAxis([1, 2, 3], name="energy")])
    >>> cube.slice_by_idx({"energy": slice(0, 1)}).data.shape, cube.slice_by_idx({"energy": 0}).data.shape
    ((1, 2, 2), (2, 2))
    """
    geom = self.geom.slice_by_idx(slices)
    index = tuple(slices.get(axis.name, slice(None)) for axis in self.geom.axes)[::-1]
    return self._like(self.data[index], geom)


def cutout(self: Any, position: Any, width: Any, mode: str = "trim", odd_npix: bool = False, min_npix: int = 1) -> Any:
    """Cut out a part round a position.

    Parameters
    ----------
    position : SkyCoord
        Centre, up to half a pixel.
    width : Quantity, str, float or a pair (lon, lat)
        Size (deg if a bare number), rounded to whole pixels.
    mode : {"trim", "partial", "strict"}
        What to do beyond the border: leave it out, fill it with zeros, or raise.
    odd_npix : bool
        Round sizes up to odd numbers.
    min_npix : int
        Least number of pixels in each direction.

    Returns
    -------
    map : WcsNDMap
        Map with its own data.

    Raises
    ------
    GeometryError
        If nothing overlaps, or for "strict" not all.
    """
    geom = self.geom.cutout(position=position, width=width, mode=mode, odd_npix=odd_npix, min_npix=min_npix)
    slices = geom.cutout_slices(self.geom, mode="partial")
    data = np.zeros(geom.data_shape, dtype=self.frozen_data.dtype)
    data[(..., *slices["cutout-slices"])] = self.frozen_data[(..., *slices["parent-slices"])]
    return self._like(data, geom)


def _pair(width: Any) -> tuple[int, int]:
    first, second = np.broadcast_to(width, (2,)).tolist()
    return int(first), int(second)


def crop(self: Any, crop_width: Any) -> Any:
    """Take pixels away at each border.

    Parameters
    ----------
    crop_width : int or (int, int)
        Number of pixels, (lon, lat).
    """
    geom = self.geom.crop(crop_width)
    nx, ny = _pair(crop_width)
    nlat, nlon = self.frozen_data.shape[-2:]
    return self._like(self.frozen_data[..., ny : nlat - ny, nx : nlon - nx].copy(), geom)


def pad(
    self: Any, pad_width: Any, axis_name: str | None = None, mode: str = "constant", cval: Any = 0, method: str = "linear"
) -> Any:
    """Add pixels at the borders, or bins at the ends of an axis.

    Parameters
    ----------
    pad_width : int or (int, int)
        Number of pixels, (lon, lat), at each border; or of bins before and after.
    axis_name : str, optional
        Axis; pixels are added if it is not given.
    mode : {"constant", "edge", "interp"}
        Fill with `cval`, with the nearest bin, or continue by interpolation.
    cval : float
        Number for "constant".
    method : {"linear", "nearest"}
        How to interpolate, for "interp".

    Raises
    ------
    InputError
        If the mode is unknown.
    """
    if mode not in {"constant", "edge", "interp"}:
        msg = f"Map.pad: mode is {mode!r}, expected 'constant', 'edge' or 'interp'."
        raise InputError(msg)
    geom = self.geom.pad(pad_width, axis_name=axis_name)
    first, second = _pair(pad_width)
    widths = [(0, 0)] * self.frozen_data.ndim
    if axis_name is None:
        widths[-2:] = [(second, second), (first, first)]
    else:
        widths[self.geom.axes.index_data(axis_name)] = (first, second)
    if mode != "interp":
        kwargs: dict[str, Any] = {"constant_values": cval} if mode == "constant" else {}
        padded: Any = np.pad  # its types know each mode apart
        return self._like(padded(self.frozen_data, widths, mode=mode, **kwargs), geom)
    inner = tuple(slice(a, n + a) for (a, _), n in zip(widths, self.frozen_data.shape, strict=True))
    pix = [np.arange(n) - a for n, (a, _) in zip(geom.data_shape, widths, strict=True)]
    grid = np.meshgrid(*pix[::-1], indexing="ij", sparse=True)
    data = self.interp_by_pix([np.transpose(p) for p in grid], method=method)
    data = np.broadcast_to(data, geom.data_shape).astype(self.frozen_data.dtype)
    data[inner] = self.frozen_data
    return self._like(data, geom)


def _blocks(data: NDArray[Any], factors: tuple[int, ...]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Data with a further axis for each block, and the numbers of those axes."""
    shape = [size for n, f in zip(data.shape, factors, strict=True) for size in (n // f, f)]
    return data.reshape(shape), tuple(range(1, 2 * data.ndim, 2))


def _factors(self: Any, factor: int, axis_name: str | None) -> tuple[int, ...]:
    factors = [1] * self.frozen_data.ndim
    if axis_name is not None:
        factors[self.geom.axes.index_data(axis_name)] = factor
    elif not self.geom.is_region:
        factors[-2:] = [factor, factor]
    return tuple(factors)


def downsample(self: Any, factor: int, preserve_counts: bool = True, axis_name: str | None = None, weights: Any = None) -> Any:
    """Join pixels, or bins of an axis. A mask is true where any of the joined bins is, on every kind of geometry.

    Parameters
    ----------
    factor : int
        Number of pixels in each direction, or of bins, to join.
    preserve_counts : bool
        Sum; else take the mean. NaN is left out.
    axis_name : str, optional
        Axis; pixels are joined if it is not given.
    weights : Map, optional
        Weights that multiply the data before they are summed, or with which the mean is taken.

    Returns
    -------
    map : Map
        The mean is NaN where the weights are all zero.

    Raises
    ------
    GeometryError
        If `factor` does not divide the number of pixels or bins.
    """
    geom = self.geom.downsample(factor, axis_name=axis_name)
    factors = _factors(self, int(factor), axis_name)
    values, axes = _blocks(weighted(self, weights), factors)
    if self.is_mask:
        return self._like((values != 0).any(axis=axes), geom)
    if preserve_counts:
        return self._like(np.nansum(values, axis=axes), geom)
    size = np.ones(1) if weights is None else np.asarray(getattr(weights, "frozen_data", weights), dtype=float)
    size, _ = _blocks(np.broadcast_to(size, self.frozen_data.shape), factors)
    known = np.where(np.isnan(values), 0.0, size) if np.isnan(values).any() else size
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(values, axis=axes, dtype=float) / known.sum(axis=axes)
    dtype = self.frozen_data.dtype if self.frozen_data.dtype.kind == "f" else float
    return self._like(mean.astype(dtype), geom)


def upsample(self: Any, factor: int, order: int = 0, preserve_counts: bool = True, axis_name: str | None = None) -> Any:
    """Divide pixels, or bins of an axis.

    Parameters
    ----------
    factor : int
        Number of parts, in each direction.
    order : int
        Order of the spline between bin centres; 0 repeats the numbers.
    preserve_counts : bool
        Share the content of a bin among its parts, in proportion to their widths; else numbers are repeated as they are.
    axis_name : str, optional
        Axis; pixels are divided if it is not given.

    Examples
    --------
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> import numpy as np
    >>> spectrum = RegionNDMap.create(None, axes=[MapAxis([0, 2, 4], name="energy")], data=np.array([10, 2]))
    >>> spectrum.upsample(2, axis_name="energy").data.ravel().tolist()
    [5.0, 5.0, 1.0, 1.0]
    """
    geom = self.geom.upsample(factor, axis_name=axis_name)
    factors = _factors(self, int(factor), axis_name)
    data = self.frozen_data
    if order == 0 or self.is_mask:
        for position, number in enumerate(factors):
            data = np.repeat(data, number, axis=position) if number > 1 else data
        data = data[tuple(slice(0, n) for n in geom.data_shape)]
    else:
        data = _spline(data, geom.data_shape, factors, order)
    if preserve_counts and not self.is_mask:
        data = data * _shares(self, geom, factors, axis_name)
    return self._like(np.array(data, dtype=data.dtype), geom)


def _spline(data: NDArray[Any], shape: Any, factors: tuple[int, ...], order: int) -> NDArray[Any]:
    from scipy.ndimage import map_coordinates

    pix = [(np.arange(n) - 0.5 * (f - 1)) / f for n, f in zip(shape, factors, strict=True)]
    coords = np.meshgrid(*pix, indexing="ij")
    return np.asarray(map_coordinates(data.astype(float), coords, order=order, mode="nearest"))


def _shares(self: Any, geom: Any, factors: tuple[int, ...], axis_name: str | None) -> Any:
    """Part of its old bin that each new bin is; the shares of a bin sum to one exactly."""
    if axis_name is None:
        return 1.0 / np.prod(factors)
    axis, position = geom.axes[axis_name], self.geom.axes.index_data(axis_name)
    width = np.abs(np.asarray(getattr(axis.bin_width, "value", axis.bin_width), dtype=float))
    if axis.node_type == "center":
        return 1.0 / factors[position]
    share = width.reshape(-1, factors[position])
    shape = [1] * self.frozen_data.ndim
    shape[position] = -1
    return (share / share.sum(axis=1, keepdims=True)).reshape(shape)


def resample_axis(self: Any, axis: Any, weights: Any = None, ufunc: Any = np.add) -> Any:
    """Join bins of an axis to come closest to another one; bins beyond it are left out.

    Parameters
    ----------
    axis : MapAxis
        Axis wanted; its edges are rounded to those there are.
    weights : Map, optional
        Weights that multiply the data first.
    ufunc : ufunc
        How bins are joined: `numpy.add`, for masks `numpy.logical_or`.

    Raises
    ------
    NameLookupError
        If there is no axis of this name.
    """
    geom = self.geom.resample_axis(axis)
    found = geom.axes[axis.name].edges
    if len(found) != len(axis.edges) or not np.allclose(found.to_value(axis.unit), axis.edges.value, rtol=1e-3, atol=0):
        log.warning("Edges of axis %s are rounded to those there are: %s instead of %s.", axis.name, found, axis.edges)
    groups = self.geom.axes[axis.name].group_table(axis.edges)
    groups = groups[groups["bin_type"] == "normal"]
    position = self.geom.axes.index_data(axis.name)
    data = weighted(self, weights)
    parts = []
    for low, high in zip(groups["idx_min"].tolist(), groups["idx_max"].tolist(), strict=True):
        where = (slice(None),) * position + (slice(low, high + 1),)
        parts.append(reduce_array(data[where], ufunc, position, keepdims=True))
    return self._like(np.concatenate(parts, axis=position), geom)


def rename_axes(self: Any, names: Any, new_names: Any) -> Any:
    """Rename axes.

    Parameters
    ----------
    names, new_names : str or list of str
        Old and new names.
    """
    return self._like(self.frozen_data.copy(), self.geom.rename_axes(names, new_names))


def reorder_axes(self: Any, axes_names: list[str]) -> Any:
    """Put the axes in another order.

    Parameters
    ----------
    axes_names : list of str
        Names of all axes beside the sky, first one fastest in the data.

    Raises
    ------
    GeometryError
        If they are not those of the axes.
    """
    axes, names = self.geom.axes, list(axes_names)
    if sorted(names) != sorted(axes.names):
        msg = f"Map.reorder_axes: got {names}, expected the names {axes.names} in any order."
        raise GeometryError(msg)
    ndim = self.frozen_data.ndim
    order = [axes.index_data(name) for name in names[::-1]]
    geom = self.geom.to_image().to_cube([axes[name] for name in names])
    return self._like(np.ascontiguousarray(self.frozen_data.transpose([*order, ndim - 2, ndim - 1])), geom)


def to_cube(self: Any, axes: Any) -> Any:
    """Append axes of one bin.

    Parameters
    ----------
    axes : list of MapAxis
        Axes with one bin each.

    Raises
    ------
    GeometryError
        If one has more bins.
    """
    if any(axis.nbin > 1 for axis in axes):
        msg = f"Map.to_cube: axes have {[axis.nbin for axis in axes]} bins, expected one each; data of more bins are not known."
        raise GeometryError(msg)
    geom = self.geom.to_cube(axes)
    return self._like(self.frozen_data.reshape(geom.data_shape).copy(), geom)


def to_unit(self: Any, unit: Any) -> Any:
    """Same map in another unit.

    Parameters
    ----------
    unit : str or Unit
        Unit.

    Raises
    ------
    UnitError
        If it does not convert.
    """
    from geminga.maps.map.fill import numbers

    unit = parse_unit(unit, "Map.to_unit")
    target = self._like(self.frozen_data, unit=unit)
    return self._like(numbers(target, self.quantity, "data"), unit=unit)
