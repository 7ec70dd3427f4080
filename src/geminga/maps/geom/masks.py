"""Masks of geometries: along an axis, of regions, of the border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.utils.units import values_in

if TYPE_CHECKING:
    from geminga.maps.geom.base import Geom
    from geminga.maps.geom.wcs import WcsGeom

__all__ = [
    "axis_mask",
    "binary_structure",
    "boundary_mask",
    "create_mask",
    "energy_mask",
    "region_image_mask",
    "region_mask",
    "region_weights",
]


def as_map(geom: Any, data: NDArray[Any]) -> Any:
    """Map of a geometry with given data."""
    from geminga.maps.map import Map

    return Map.from_geom(geom, data=data, dtype=data.dtype)


def energy_mask(self: Geom, energy_min: Any = None, energy_max: Any = None, round_to_edge: bool = False) -> Any:
    """Mask of the energy bins that lie wholly between two energies.

    Parameters
    ----------
    energy_min, energy_max : Quantity or str, optional
        Bounds.
    round_to_edge : bool
        Round the bounds to the nearest edges before.

    Returns
    -------
    mask : Map
        Map of bool.

    Raises
    ------
    NameLookupError
        If there is no axis ``energy`` (nor ``energy_true``).
    """
    name = "energy_true" if "energy_true" in self.axes.names and "energy" not in self.axes.names else "energy"
    return self.create_mask(name, energy_min, energy_max, round_to_edge)


def create_mask(self: Geom, axis_name: str, edge_min: Any = None, edge_max: Any = None, round_to_edge: bool = False) -> Any:
    """Mask of the bins of an axis that lie wholly between two coordinates; see `energy_mask`."""
    axis = self.axes[axis_name]
    selected = axis_mask(axis, edge_min, edge_max, round_to_edge)
    shape = [1] * len(self.data_shape)
    shape[self.axes.index_data(axis_name)] = -1
    return as_map(self, np.broadcast_to(selected.reshape(shape), self.data_shape).copy())


def axis_mask(axis: Any, edge_min: Any = None, edge_max: Any = None, round_to_edge: bool = False) -> NDArray[np.bool_]:
    """Bins wholly between two coordinates, up to 1e-9 of their width; shape (nbin,)."""
    if axis.node_type == "label":
        msg = f"Axis {axis.name!r} holds labels, which are not between two others; slice it instead."
        raise GeometryError(msg)
    if round_to_edge:
        edge_min = None if edge_min is None else axis.round(edge_min)
        edge_max = None if edge_max is None else axis.round(edge_max)
    low, high = axis.edges_min.to_value(axis.unit), axis.edges_max.to_value(axis.unit)
    low, high = np.minimum(low, high), np.maximum(low, high)
    tolerance = 1e-9 * (high - low)
    if edge_min is not None and edge_max is not None and not _coordinate(axis, edge_min) <= _coordinate(axis, edge_max):
        msg = f"Axis {axis.name!r}: the range from {edge_min} to {edge_max} ends before it starts; exchange the two."
        raise InputError(msg)
    mask = np.ones(axis.nbin, dtype=bool)
    if edge_min is not None:
        mask &= low >= _coordinate(axis, edge_min) - tolerance
    if edge_max is not None:
        mask &= high <= _coordinate(axis, edge_max) + tolerance
    return mask


def _coordinate(axis: Any, edge: Any) -> Any:
    if isinstance(edge, Time):
        edge = edge - axis.reference_time
        return edge.to_value(axis.unit)
    return values_in(edge, axis.unit, f"Bound of axis {axis.name!r}")


def region_image_mask(geom: WcsGeom, regions: Any) -> NDArray[np.bool_]:
    """Pixels whose centre is in one of several regions, shape (lat, lon).

    A point selects the (up to four) pixels between whose centres it lies.
    """
    from regions import PixCoord, PixelRegion, PointPixelRegion

    nlat, nlon = geom.data_shape[-2:]
    mask = np.zeros((nlat, nlon), dtype=bool)
    for region in regions:
        pixel = region if isinstance(region, PixelRegion) else region.to_pixel(geom.wcs)
        if isinstance(pixel, PointPixelRegion):
            _mark_point(mask, float(pixel.center.x), float(pixel.center.y))
            continue
        rows, cols = _bounding_slices(pixel, (nlat, nlon))
        y, x = np.mgrid[rows, cols]
        if x.size:
            mask[rows, cols] |= pixel.contains(PixCoord(x, y))
    return mask


def _mark_point(mask: NDArray[np.bool_], x: float, y: float) -> None:
    if not (np.isfinite(x) and np.isfinite(y)):
        return
    for col in {int(np.floor(x)), int(np.ceil(x))}:
        for row in {int(np.floor(y)), int(np.ceil(y))}:
            if 0 <= row < mask.shape[0] and 0 <= col < mask.shape[1]:
                mask[row, col] = True


def _bounding_slices(pixel: Any, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Part of the image that can be in a region; all of it where the region has no bounds (or includes its outside)."""
    everything = slice(0, shape[0]), slice(0, shape[1])
    if not pixel.meta.get("include", True):
        return everything
    try:
        box = pixel.bounding_box
    except (NotImplementedError, ValueError, AttributeError):
        return everything
    first = max(box.iymin - 1, 0), max(box.ixmin - 1, 0)
    # A region beside the image selects an empty part of it.
    rows = slice(first[0], max(min(box.iymax + 1, shape[0]), first[0]))
    cols = slice(first[1], max(min(box.ixmax + 1, shape[1]), first[1]))
    return rows, cols


def _region_list(regions: Any) -> list[Any]:
    from geminga.utils.regions import as_region_list

    found = as_region_list(regions)
    if not found:
        msg = "Geom: no regions were given, expected at least one."
        raise InputError(msg)
    return found


def region_mask(self: WcsGeom, regions: Any, inside: bool = True) -> Any:
    """Mask of the pixels whose centre is in one of the regions.

    Parameters
    ----------
    regions : str, Region or list of Region
        Regions; a string is in the ds9 format. A point selects the pixels between whose centres it lies.
    inside : bool
        True inside the regions (or True outside them).

    Returns
    -------
    mask : WcsNDMap
        Map of bool.

    Raises
    ------
    InputError
        If no regions are given.

    Examples
    --------
    >>> from geminga.maps import WcsGeom
    >>> geom = WcsGeom.create(npix=(10, 10), binsz=0.1)
    >>> int(geom.region_mask("icrs;circle(0, 0, 0.2)").data.sum())
    12
    """
    mask = region_image_mask(self, _region_list(regions))
    return as_map(self, np.broadcast_to(mask if inside else ~mask, self.data_shape).copy())


def region_weights(self: WcsGeom, regions: Any, oversampling_factor: int = 10) -> Any:
    """Part of each pixel that is in one of the regions.

    Parameters
    ----------
    regions : str, Region or list of Region
        Regions.
    oversampling_factor : int
        Number of points a side at which each pixel is tried.

    Returns
    -------
    weights : WcsNDMap
        Numbers from 0 to 1.
    """
    factor = int(oversampling_factor)
    if factor < 1:
        msg = f"WcsGeom.region_weights: oversampling_factor is {oversampling_factor}, expected at least 1."
        raise InputError(msg)
    nlat, nlon = self.data_shape[-2:]
    fine = region_image_mask(self.to_image().upsample(factor), _region_list(regions))
    weights = fine.reshape(nlat, factor, nlon, factor).mean(axis=(1, 3))
    return as_map(self, np.broadcast_to(weights, self.data_shape).copy())


def _pixels(geom: WcsGeom, width: Any, name: str) -> NDArray[np.float64]:
    """A width (deg or Quantity, one or (lon, lat)) in pixels, (lon, lat)."""
    values = np.broadcast_to(values_in(width, u.deg, name), (2,))
    if not (values >= 0).all():
        msg = f"WcsGeom: {name} is {width}, expected at least 0 deg."
        raise InputError(msg)
    return np.asarray(values / geom.pixel_scales.to_value("deg"))


def binary_structure(self: WcsGeom, width: Any, kernel: str = "disk") -> NDArray[np.float64]:
    """Structuring element of a given radius.

    Parameters
    ----------
    width : Quantity, str or float
        Radius of the disk, half width of the box (deg if a bare number); rounded up to whole pixels.
    kernel : {"disk", "box"}
        Shape.

    Returns
    -------
    structure : array
        Ones and zeros, with an axis of length one for each axis beside the sky.

    Raises
    ------
    InputError
        If the kernel is unknown or the width negative.
    """
    # A width of 3.0000001 pixels, from rounding, is 3.
    nx, ny = np.ceil(_pixels(self, width, "width") - 1e-6).astype(int)
    y, x = np.mgrid[-ny : ny + 1, -nx : nx + 1]
    if kernel == "disk":
        structure = (x * max(ny, 1)) ** 2 + (y * max(nx, 1)) ** 2 <= (max(nx, 1) * max(ny, 1)) ** 2
    elif kernel == "box":
        structure = np.ones(x.shape, dtype=bool)
    else:
        msg = f"WcsGeom.binary_structure: kernel is {kernel!r}, expected 'disk' or 'box'."
        raise InputError(msg)
    return structure.astype(float).reshape((1,) * len(self.axes) + structure.shape)


def boundary_mask(self: WcsGeom, width: Any) -> Any:
    """Mask that is False within a distance of the border of the image.

    Parameters
    ----------
    width : Quantity, str, float or a pair (lon, lat)
        Width of the border (deg if a bare number).

    Returns
    -------
    mask : WcsNDMap
        Map of bool.
    """
    nx, ny = np.ceil(_pixels(self, width, "width") - 1e-6).astype(int)
    mask = np.zeros(self.data_shape, dtype=bool)
    nlat, nlon = self.data_shape[-2:]
    mask[..., ny : max(nlat - ny, 0), nx : max(nlon - nx, 0)] = True
    return as_map(self, mask)
