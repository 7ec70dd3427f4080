"""Maps on other geometries: interpolated, refilled, reprojected."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.map import get
from geminga.maps.map.reduce import weighted

__all__ = [
    "interp_to_geom",
    "reproject_by_image",
    "reproject_to_geom",
    "resample",
]


def _coords_of(geom: Any, source: Any) -> Any:
    """Centres of all bins; without the sky if it is not known and `source` does not need it."""
    coords = geom.get_coord(sparse=True)
    if source.is_region and geom.is_region and geom.region is None:
        return {name: coords[name] for name in geom.axes.names}
    return coords


def interp_to_geom(self: Any, geom: Any, preserve_counts: bool = False, fill_value: float | None = 0, **kwargs: Any) -> Any:
    """Interpolate at the centres of another geometry. Masks take the nearest bin.

    Parameters
    ----------
    geom : Geom
        Geometry with the same axes' names; axes of one bin count as constant.
    preserve_counts : bool
        Interpolate the density (per solid angle and width of the bins) and multiply it by the new sizes.
    fill_value : float, optional
        Number for points outside; None continues the map.
    **kwargs
        ``method`` and ``values_scale`` of `interp_by_coord`.

    Returns
    -------
    map : Map
        Map on `geom`.
    """
    coords = _coords_of(geom, self.geom)
    if self.is_mask:
        values = get.interp_by_coord(self, coords, method="nearest", fill_value=0 if fill_value is None else fill_value)
        return self._like(np.broadcast_to(values, geom.data_shape) > 0.5, geom)
    source = self
    if preserve_counts:
        source = self._like(self.frozen_data / self.geom.bin_volume().value, unit=self.unit / self.geom.bin_volume().unit)
    # A region without extent in the other's eyes is the same everywhere on it.
    if self.geom.is_region:
        kwargs = {k: v for k, v in kwargs.items() if k in {"method", "values_scale"}}
        values = source.interp_by_coord(coords, **kwargs)
    else:
        values = source.interp_by_coord(coords, fill_value=fill_value, **kwargs)
    values = np.array(np.broadcast_to(values, geom.data_shape))
    if preserve_counts:
        values = (values * geom.bin_volume()).to_value(self.geom.bin_volume().unit)
    return self._like(values, geom)


def resample(self: Any, geom: Any, weights: Any = None, preserve_counts: bool = True, smooth: bool = False) -> Any:
    """Put the content of each bin into the bin of another geometry its centre is in.

    Parameters
    ----------
    geom : Geom
        Geometry with the same axes' names.
    weights : Map, optional
        Weights that multiply the data first.
    preserve_counts : bool
        Sum what comes into a bin; else take the mean (0 where nothing comes).
    smooth : bool
        Divide pixels before, until they are at most half as wide as those of `geom`, so that none of these is missed.

    Raises
    ------
    NameLookupError
        If axes do not have the same names.
    """
    source = self if weights is None else self._like(weighted(self, weights))
    if smooth and not (self.geom.is_region or geom.is_region):
        ratio = float(np.max(self.geom.pixel_scales / geom.pixel_scales))
        source = source.upsample(max(int(np.ceil(2 * ratio)), 1), preserve_counts=preserve_counts)
    coords = source.geom.get_coord()
    new = self._like(np.zeros(geom.data_shape, dtype=bool if self.is_mask else float), geom)
    new.fill_by_coord(coords, weights=source.frozen_data)
    if not preserve_counts and not self.is_mask:
        number = self._like(np.zeros(geom.data_shape), geom, unit="")
        number.fill_by_coord(coords)
        new.data = new.frozen_data / np.maximum(number.frozen_data, 1)
    return new if self.is_mask else new.copy(dtype=np.result_type(self.frozen_data.dtype, np.float32))


def reproject_by_image(self: Any, geom: Any, preserve_counts: bool = False, precision_factor: int = 10) -> Any:
    """Average over each pixel of another geometry; axes must be equal, or be left to the new image.

    Parameters
    ----------
    geom : WcsGeom
        Geometry; if it has no axes it takes those of the map.
    preserve_counts : bool
        Average the density per solid angle and multiply it by the new solid angles.
    precision_factor : int
        Number of points a side at which each new pixel is tried.

    Returns
    -------
    map : Map
        Zero outside the map. A mask is true where at least half of the pixel is.

    Raises
    ------
    GeometryError
        If axes differ.
    """
    if geom.is_image and not self.geom.is_image:
        geom = geom.to_cube(list(self.geom.axes))
    if geom.axes != self.geom.axes:
        msg = f"Map.reproject_by_image: axes {self.geom.axes.names} and {geom.axes.names} differ; use .reproject_to_geom."
        raise GeometryError(msg)
    data = self.frozen_data.astype(float)
    if preserve_counts:
        data = data / self.geom.solid_angle().value
    values = _averaged(data, self.geom, geom, int(precision_factor))
    if preserve_counts:
        values = values * geom.solid_angle().value
    if self.is_mask:
        return self._like(values >= 0.5, geom)
    return self._like(values.astype(np.result_type(self.frozen_data.dtype, np.float32)), geom)


def _averaged(data: NDArray[np.float64], source: Any, target: Any, factor: int) -> NDArray[np.float64]:
    """Mean over points in each new pixel of the old pixel they are in."""
    if factor < 1:
        msg = f"Map.reproject: precision_factor is {factor}, expected at least 1."
        raise InputError(msg)
    image, old = target.to_image(), source.to_image()
    out = np.zeros((*data.shape[:-2], *image.data_shape))
    offsets = (np.arange(factor) + 0.5) / factor - 0.5
    y, x = np.indices(image.data_shape, dtype=float)
    flat = np.nan_to_num(data.reshape(*data.shape[:-2], -1))
    for dy in offsets:
        for dx in offsets:
            lon, lat, *_ = image.pix_to_coord((x + dx, y + dy))
            i, j = old.coord_to_idx(SkyCoord(lon, lat, frame=image.frame))
            inside = (i >= 0) & (j >= 0)
            out[..., inside] += flat[..., j[inside] * old.data_shape[1] + i[inside]]
    return out / factor**2


def reproject_to_geom(self: Any, geom: Any, preserve_counts: bool = False, precision_factor: int = 10) -> Any:
    """Reproject to another geometry: average over its pixels, join or interpolate along its axes.

    Parameters
    ----------
    geom : Geom
        Geometry with the same axes' names; an image takes the axes of the map.
    preserve_counts : bool
        Conserve the sum of the data (of those inside, for a region).
    precision_factor : int
        Number of points a side at which each new pixel (or each pixel of the map, for a region) is tried.

    Returns
    -------
    map : Map
        Zero outside the map.

    Raises
    ------
    GeometryError
        If axes have other names.
    """
    if geom.is_image and not self.geom.is_image:
        geom = geom.to_cube(list(self.geom.axes))
    if sorted(geom.axes.names) != sorted(self.geom.axes.names):
        msg = f"Map.reproject_to_geom: axes are {self.geom.axes.names}, those wanted {geom.axes.names}; names must be equal."
        raise GeometryError(msg)
    out = self.reorder_axes(geom.axes.names)
    if out.geom.axes != geom.axes:
        out = _to_axes(out, geom, preserve_counts)
    if self.geom.is_region:
        return _spread(out, geom, preserve_counts, precision_factor)
    if geom.is_region:
        return _onto_region(out, geom, preserve_counts, precision_factor)
    image = geom.to_image().to_cube(list(out.geom.axes))
    out = out.reproject_by_image(image, preserve_counts=preserve_counts, precision_factor=precision_factor)
    return out._like(out.frozen_data, geom)


def _onto_region(map_: Any, geom: Any, preserve_counts: bool, factor: int) -> Any:
    """Sum, or mean, of pixels over a region, each counted by the part of it that is inside."""
    if geom.region is None or geom.is_all_point_sky_regions:
        return map_.interp_to_geom(geom, preserve_counts=preserve_counts)
    weights = map_.geom.to_image().region_weights([geom.region], oversampling_factor=int(factor)).frozen_data
    if not weights.any():
        msg = f"Map.reproject_to_geom: no pixel of the map is in the region {geom.region}; choose another or larger one."
        raise GeometryError(msg)
    data = np.tensordot(np.nan_to_num(map_.frozen_data.astype(float)), weights.astype(float), axes=2)
    data = (data if preserve_counts else data / weights.sum()).reshape(geom.data_shape)
    return map_._like(data >= 0.5 if map_.is_mask else data, geom)


def _spread(map_: Any, geom: Any, preserve_counts: bool, factor: int) -> Any:
    """Number of a region everywhere, or spread evenly over the pixels of the region."""
    if geom.is_region or not preserve_counts or map_.geom.region is None:
        return map_._like(np.broadcast_to(map_.frozen_data, geom.data_shape).copy(), geom)
    weights = geom.to_image().region_weights([map_.geom.region], oversampling_factor=int(factor)).frozen_data
    return map_._like(map_.frozen_data * (weights / max(weights.sum(), np.finfo(float).tiny)), geom)


def _to_axes(map_: Any, geom: Any, preserve_counts: bool) -> Any:
    """Same image in the bins of other axes: shared in proportion to their overlap, or their means."""
    for name in geom.axes.names:
        old, new = map_.geom.axes[name], geom.axes[name]
        if old == new:
            continue
        low, high = old.edges_min.to_value(new.unit), old.edges_max.to_value(new.unit)
        overlap = np.minimum(high[:, None], new.edges_max.value) - np.maximum(low[:, None], new.edges_min.value)
        overlap = np.clip(overlap, 0, None)
        if preserve_counts:
            matrix = overlap / (high - low)[:, None]
        else:
            total = overlap.sum(axis=0)
            matrix = overlap / np.where(total > 0, total, 1.0)
        position = map_.geom.axes.index_data(name)
        data: NDArray[Any] = np.moveaxis(np.tensordot(map_.frozen_data.astype(float), matrix, axes=(position, 0)), -1, position)
        map_ = map_._like(data if not map_.is_mask else data >= 0.5, map_.geom.replace_axis(new))
    return map_
