"""Numbers of a map at coordinates, pixel coordinates and indices, as they are or interpolated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.coord import MapCoord
from geminga.numerics.interpolation import SCALES, GridInterpolator

__all__ = [
    "coord_to_pix",
    "get_by_coord",
    "get_by_idx",
    "get_by_pix",
    "get_image_by_coord",
    "get_image_by_idx",
    "get_image_by_pix",
    "interp_by_coord",
    "interp_by_pix",
    "interp_scaled_by_coord",
    "interp_scaled_by_pix",
    "mask_nearest_position",
]


def has_sky(coords: Any) -> bool:
    """Whether coordinates say where on the sky."""
    if isinstance(coords, Mapping):
        return "skycoord" in coords or {"lon", "lat"} <= set(coords)
    return True


def coord_to_pix(geom: Any, coords: Any) -> tuple[NDArray[np.float64], ...]:
    """Pixel coordinates; for a region geometry the position on the sky may be left out."""
    if geom.is_region and not has_sky(coords):
        further = geom.axes.coord_to_pix(coords)
        return (np.zeros(1), np.zeros(1), *further)
    return tuple(geom.coord_to_pix(coords))


def get_by_coord(self: Any, coords: Any, fill_value: Any = np.nan) -> NDArray[Any]:
    """Numbers of the bins in which points are.

    Parameters
    ----------
    coords : tuple, dict or MapCoord
        Points, in all axes.
    fill_value : float
        Number for points outside; the result then has its type.

    Returns
    -------
    values : array
        In the unit of the map.

    Raises
    ------
    NameLookupError
        If an axis is missing.
    """
    return np.asarray(self.get_by_pix(coord_to_pix(self.geom, coords), fill_value=fill_value))


def get_by_pix(self: Any, pix: Any, fill_value: Any = np.nan) -> NDArray[Any]:
    """Numbers of the bins in which pixel coordinates ``(lon, lat, ...)`` are; see `get_by_coord`."""
    idx = np.broadcast_arrays(*self.geom.pix_to_idx(pix))
    inside = np.logical_and.reduce([i >= 0 for i in idx])
    values = self.get_by_idx(idx)
    if inside.all():
        return np.asarray(values)
    wide = np.result_type(values.dtype, type(fill_value))
    return np.asarray(np.where(inside, values.astype(wide), fill_value))


def get_by_idx(self: Any, idx: Any) -> NDArray[Any]:
    """Numbers at indices.

    Parameters
    ----------
    idx : tuple of int array
        Indices ``(lon, lat, axes[0], ...)``.
    """
    return np.asarray(self.frozen_data[checked_idx(self.geom, idx)[::-1]])


def checked_idx(geom: Any, idx: Any) -> tuple[Any, ...]:
    """One index array, or slice, for each axis.

    Raises
    ------
    GeometryError
        If there are more or fewer.
    """
    indices = tuple(i if isinstance(i, slice) else np.atleast_1d(np.asarray(i)) for i in idx)
    if len(indices) != geom.ndim:
        msg = f"Got {len(indices)} indices, expected one for each of the axes {geom.axes_names}."
        raise GeometryError(msg)
    return tuple(i if isinstance(i, slice) or i.dtype.kind in "ib" else i.astype(np.intp) for i in indices)


def interp_by_coord(self: Any, coords: Any, method: str = "linear", fill_value: float | None = None) -> NDArray[np.float64]:
    """Interpolate at points, linearly in pixel coordinates; see `WcsNDMap.interp_by_coord`."""
    return interp_scaled_by_coord(self, coords, method=method, fill_value=fill_value)


def interp_by_pix(self: Any, pix: Any, method: str = "linear", fill_value: float | None = None) -> NDArray[np.float64]:
    """Interpolate at pixel coordinates ``(lon, lat, ...)``; see `interp_by_coord`."""
    return interp_scaled_by_pix(self, pix, method=method, fill_value=fill_value)


def interp_scaled_by_coord(
    self: Any, coords: Any, method: str = "linear", fill_value: float | None = None, values_scale: str = "lin"
) -> NDArray[np.float64]:
    """Interpolate at points, linearly in pixel coordinates.

    Parameters
    ----------
    coords : tuple, dict or MapCoord
        Points, in all axes. They broadcast against each other.
    method : {"linear", "nearest"}
        How.
    fill_value : float, optional
        Number for points outside; by default the map is continued linearly.
    values_scale : {"lin", "log", "sqrt"}
        Scale in which data are interpolated.

    Returns
    -------
    values : array
        In the unit of the map; NaN counts as zero. NaN where the projection has no pixel coordinate.

    Raises
    ------
    InputError
        If method or scale are unknown.
    """
    pix = coord_to_pix(self.geom, coords)
    return np.asarray(self.interp_by_pix(pix, method=method, fill_value=fill_value, values_scale=values_scale))


def interp_scaled_by_pix(
    self: Any, pix: Any, method: str = "linear", fill_value: float | None = None, values_scale: str = "lin"
) -> NDArray[np.float64]:
    """Interpolate at pixel coordinates ``(lon, lat, ...)``; see `interp_by_coord`."""
    if method not in {"linear", "nearest"} or values_scale not in SCALES:
        msg = (
            f"Map interpolation: method {method!r} in scale {values_scale!r} is not offered; "
            f"expected 'linear' or 'nearest' and one of {', '.join(SCALES)}."
        )
        raise InputError(msg)
    pix = [np.asarray(value, dtype=float) for value in pix]
    data = np.nan_to_num(np.asarray(self.frozen_data, dtype=float), nan=0.0)
    points = [np.arange(n, dtype=float) for n in data.shape]
    if _is_round(self.geom):
        data = np.concatenate([data[..., -1:], data, data[..., :1]], axis=-1)
        points[-1] = np.arange(data.shape[-1]) - 1.0
    out = GridInterpolator(points, data, values_scale=values_scale, method=method)(pix[::-1])
    finite, outside = np.ones((), dtype=bool), np.zeros((), dtype=bool)
    for value, size in zip(pix, self.frozen_data.shape[::-1], strict=True):
        finite = finite & np.isfinite(value)
        outside = outside | ~((value >= -0.5) & (value < size - 0.5))
    if fill_value is not None:
        return np.where(outside, fill_value, out)
    return np.where(finite, out, np.nan)


def _is_round(geom: Any) -> bool:
    """Whether the first column of pixels follows on the last one."""
    return not geom.is_region and geom.projection == "CAR" and abs(float(geom.width[0, 0].to_value("deg")) - 360.0) < 1e-6


def _other_axes(self: Any, values: Any, what: str) -> tuple[Any, ...]:
    """Values for the axes beside the sky, given as a tuple, a dict or with the sky in front."""
    names = self.geom.axes.names
    if isinstance(values, (MapCoord, Mapping)):
        return tuple(values[name] for name in names)
    items: tuple[Any, ...] = tuple(values) if isinstance(values, (tuple, list)) else (values,)
    if len(items) != len(names):
        msg = f"Map: {len(items)} {what} were given, expected one for each of the axes {names}."
        raise GeometryError(msg)
    return items


def get_image_by_coord(self: Any, coords: Any) -> Any:
    """Image at coordinates of the axes beside the sky.

    Parameters
    ----------
    coords : tuple or dict
        One coordinate for each axis beside the sky.

    Returns
    -------
    map : Map
        Image without further axes.

    Raises
    ------
    GeometryError
        If they are outside.
    """
    values = _other_axes(self, coords, "coordinates")
    idx = [int(np.squeeze(axis.coord_to_idx(v))) for axis, v in zip(self.geom.axes, values, strict=True)]
    if min(idx, default=0) < 0:
        msg = f"Map: coordinates {coords} are outside the axes {self.geom.axes.names}."
        raise GeometryError(msg)
    return self.get_image_by_idx(tuple(idx))


def get_image_by_pix(self: Any, pix: Any) -> Any:
    """Image at pixel coordinates of the axes beside the sky; see `get_image_by_coord`."""
    values = _other_axes(self, pix, "pixel coordinates")
    return self.get_image_by_idx(tuple(int(np.squeeze(i)) for i in self.geom.axes.pix_to_idx(values)))


def get_image_by_idx(self: Any, idx: Any) -> Any:
    """Image at indices of the axes beside the sky; see `get_image_by_coord`."""
    values = _other_axes(self, idx, "indices")
    shape = self.geom.axes.shape
    if any(not -n <= i < n for i, n in zip(values, shape, strict=True)):
        msg = f"Map: indices {idx} are outside the axes {self.geom.axes.names} with {shape} bins."
        raise GeometryError(msg)
    return self.slice_by_idx({name: int(i) for name, i in zip(self.geom.axes.names, values, strict=True)})


def mask_nearest_position(self: Any, position: SkyCoord) -> SkyCoord:
    """Centre of the pixel of a mask that is true and nearest to a position.

    Parameters
    ----------
    position : SkyCoord
        Position.

    Raises
    ------
    InputError
        If the map is no mask, or nowhere true.
    GeometryError
        If there are axes with more than one bin.
    """
    if not self.is_mask:
        msg = f"Map.mask_nearest_position: data are {self.frozen_data.dtype}, expected bool."
        raise InputError(msg)
    if not self.geom.is_flat:
        msg = f"Map.mask_nearest_position: the map has axes {self.geom.axes.names}, expected an image; use .reduce_over_axes."
        raise GeometryError(msg)
    mask = self.frozen_data.reshape(self.geom.to_image().data_shape)
    if not mask.any():
        msg = "Map.mask_nearest_position: the mask is nowhere true."
        raise InputError(msg)
    separation = np.where(mask, self.geom.to_image().separation(position).to_value("deg"), np.inf)
    where = np.unravel_index(np.argmin(separation), mask.shape)
    coords = self.geom.to_image().get_coord().skycoord
    return coords[where]
