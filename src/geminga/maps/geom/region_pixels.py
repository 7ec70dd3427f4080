"""Coordinates of a region geometry, and the pixels of its projection that the region covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.maps.coord import MapCoord, degrees, rotated_lonlat
from geminga.maps.geom.grid import PixelGrid, shifted_wcs
from geminga.maps.geom.masks import region_image_mask
from geminga.maps.geom.region_shape import bounding_center, bounding_width, is_points
from geminga.numerics.sphere import unit_vector
from geminga.utils.regions import as_region_list
from geminga.utils.units import as_quantity

if TYPE_CHECKING:
    from geminga.maps.geom.region import RegionGeom

__all__ = [
    "center_unit_vector",
    "contains",
    "contains_pixels",
    "get_coord",
    "get_idx",
    "get_wcs_coord_and_weights",
    "latitudes",
    "same_region",
    "to_wcs_geom",
    "weighted_pixels",
]


def contains(self: RegionGeom, coords: Any) -> NDArray[np.bool_]:
    """Whether points are inside the region; whatever their other coordinates.

    A point has no extent: what belongs to it is chosen before (by RAD_MAX), so it holds all positions.

    Raises
    ------
    GeometryError
        If there is no region.
    """
    self._known_region  # noqa: B018  (raises without a region)
    coords = MapCoord.create(coords, frame=self.frame)
    lon, lat = np.broadcast_arrays(degrees(coords.lon), degrees(coords.lat))
    low, high = latitudes(self)
    # Most events are at other latitudes; to project them takes longer than all the rest.
    (near,) = np.nonzero(~((lat.ravel() < low) | (lat.ravel() > high)))
    inside = np.zeros(lat.size, dtype=bool)
    inside[near] = self.contains_wcs_pix(self._grid.to_pix(lon.ravel()[near], lat.ravel()[near]))
    return inside.reshape(lat.shape)


#: Pixel coordinate beyond all regions.
_FAR = 1e9


def contains_pixels(geom: RegionGeom, pix: Any) -> NDArray[np.bool_]:
    """Whether pixel coordinates (x, y) of the projection are inside the region.

    A point has no extent: what belongs to it is chosen before (by RAD_MAX), so all positions are inside.
    """
    from regions import PixCoord

    x, y = np.broadcast_arrays(np.asarray(pix[0], dtype=float), np.asarray(pix[1], dtype=float))
    inside = np.zeros(x.shape, dtype=bool)
    finite = np.isfinite(x) & np.isfinite(y)
    # The package regions does not like NaN; a point far away is outside of all but inverted regions.
    where = PixCoord(np.where(finite, x, -1e30), np.where(finite, y, -1e30))
    for part in _pixel_regions(geom):
        if part is None:
            return np.ones(x.shape, dtype=bool)
        inside |= part.contains(where)
    return inside & finite


def _pixel_regions(geom: RegionGeom) -> list[Any]:
    """Parts of the region in pixels, None for a point."""
    if "pixel_regions" not in geom._found:
        parts = as_region_list(geom._known_region)
        geom._found["pixel_regions"] = [None if is_points(part) else part.to_pixel(geom.wcs) for part in parts]
    return geom._found["pixel_regions"]


def latitudes(geom: RegionGeom) -> tuple[float, float]:
    """Range of latitudes (deg, in the frame of the geometry) in which the region surely lies."""
    if "latitudes" not in geom._found:
        geom._found["latitudes"] = _latitudes(geom)
    return geom._found["latitudes"]


def _latitudes(geom: RegionGeom) -> tuple[float, float]:
    is_everywhere = bool(contains_pixels(geom, ([_FAR], [_FAR]))[0])  # points, and inverted regions
    if is_everywhere or geom._grid.projection != "TAN":
        return -np.inf, np.inf
    # On a tangential plane no distance is shorter than on the sky. The box is of whole pixels, its centre up to one away.
    reach = 0.5 * float(np.hypot(*geom.width.to_value("deg"))) + float(geom._grid.scales.max())
    lat = geom._center_lonlat[1]
    return lat - reach, lat + reach


def get_idx(self: RegionGeom) -> tuple[NDArray[np.intp], ...]:
    """Indices ``(lon, lat, ...)`` of all bins, each of the shape of the data."""
    return tuple(np.indices(self.data_shape)[::-1])


def get_coord(
    self: RegionGeom, mode: str = "center", frame: str | None = None, sparse: bool = False, axis_name: str | None = None
) -> MapCoord:
    """Coordinates of all bins, at the centre of the region.

    Parameters
    ----------
    mode : {"center", "edges"}
        Centres, or edges of the axis `axis_name`.
    frame : str, optional
        Sky frame of the result.
    sparse : bool
        Give arrays that broadcast against each other instead of full ones.
    axis_name : str, optional
        Axis whose edges are wanted.

    Returns
    -------
    coords : MapCoord
        Coordinates, NaN on the sky if there is no region.

    Raises
    ------
    InputError
        If edges are wanted and no axis is named.
    """
    if mode not in {"center", "edges"}:
        msg = f"RegionGeom: mode is {mode!r}, expected 'center' or 'edges'."
        raise InputError(msg)
    if mode == "edges" and axis_name is None:
        msg = "RegionGeom: Mode 'edges' requires axis name; a region has no edges."
        raise InputError(msg)
    if axis_name is not None:
        self.axes.index(axis_name)
    lon, lat = (u.Quantity(np.full((1,) * self.ndim, value), "deg") for value in self._center_lonlat)
    data = {"lon": lon, "lat": lat, **self.axes.get_coord(mode=mode, axis_name=axis_name)}
    coords = MapCoord(data, frame=self.frame)
    coords = coords if frame is None else coords.to_frame(frame)
    return coords if sparse else coords.broadcasted


def center_unit_vector(geom: RegionGeom, frame: str) -> NDArray[np.float64]:
    """Unit vector of the centre in a frame (icrs, galactic, or that of the geometry), shape (3, 1, 1)."""
    lon, lat = geom._center_lonlat
    if frame != geom.frame:
        lon, lat = rotated_lonlat(lon, lat, geom.frame, frame)  # type: ignore[assignment]
    return unit_vector(np.deg2rad(lon), np.deg2rad(lat)).reshape(3, 1, 1)


def to_wcs_geom(geom: RegionGeom, width_min: Any = None) -> Any:
    """Image of the bounding box, in pixels of the projection."""
    from geminga.maps.geom.wcs import WcsGeom

    width = bounding_width(geom._known_region, geom.wcs).to_value("deg")
    scales = geom._grid.scales
    if width_min is not None:
        width = np.maximum(width, np.broadcast_to(as_quantity(width_min, u.deg, "width_min").value, (2,)))
    size = np.maximum(np.rint(width / scales).astype(int), 1)
    x, y = bounding_center(geom._known_region, geom.wcs)
    start = np.ceil(np.array([x, y]) - size / 2.0 - 1e-6)
    npix = (int(size[0]), int(size[1]))
    grid = PixelGrid(shifted_wcs(geom.wcs, np.subtract(geom.wcs.wcs.crpix, start), npix), npix)
    return WcsGeom(grid, axes=geom.axes)


def _weights(geom: RegionGeom, factor: int) -> tuple[Any, NDArray[np.float64]]:
    key = ("weights", factor)
    if key not in geom._found:
        image = geom.to_wcs_geom().to_image()
        nlat, nlon = image.data_shape
        fine = region_image_mask(image.upsample(factor), as_region_list(geom.region))
        geom._found[key] = image, fine.reshape(nlat, factor, nlon, factor).mean(axis=(1, 3))
    return geom._found[key]


def weighted_pixels(geom: RegionGeom, factor: int = 50) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Part of each pixel inside the region, and solid angles of the pixels, sr."""
    image, weights = _weights(geom, factor)
    return weights, image.solid_angle().value


def get_wcs_coord_and_weights(self: RegionGeom, factor: int = 10) -> tuple[MapCoord, NDArray[np.float64]]:
    """Pixels of the projection that the region covers.

    Parameters
    ----------
    factor : int
        Number of points a side at which each pixel is tried.

    Returns
    -------
    coords : MapCoord
        Centres of the pixels, longitude and latitude of shape (n,); further axes, if any, as columns of shape (nbin, ..., 1).
    weights : array, shape (n,)
        Part of each pixel inside the region. Points have weight 1.

    Raises
    ------
    GeometryError
        If there is no region.
    """
    if factor < 1:
        msg = f"RegionGeom: factor is {factor}, expected at least 1."
        raise InputError(msg)
    if self.is_all_point_sky_regions:
        positions = [part.center.transform_to(self.frame) for part in as_region_list(self._known_region)]
        lon, lat = np.array([(p.spherical.lon.deg, p.spherical.lat.deg) for p in positions]).T
        weights = np.ones(len(lon))
    else:
        image, all_weights = _weights(self, int(factor))
        covered = all_weights > 0
        lon, lat = (value[covered] for value in image._grid.lonlat)
        weights = all_weights[covered]
    return MapCoord({"lon": u.Quantity(lon, "deg"), "lat": u.Quantity(lat, "deg")}, frame=self.frame), weights


def _describe(region: Any) -> list[tuple[Any, ...]]:
    """Numbers and kinds that make a region: angles in deg, positions in icrs."""
    if region is None:
        return [("None",)]
    out: list[tuple[Any, ...]] = []
    for part in as_region_list(region):
        if hasattr(part, "region1"):
            out += [(part.operator.__name__,), *_describe(part.region1), *_describe(part.region2)]
            continue
        numbers: list[float] = []
        for name in ("center", "vertices", "start", "end"):
            position = getattr(part, name, None)
            if position is not None:
                icrs = position.transform_to("icrs").spherical
                numbers += unit_vector(icrs.lon.to_value("rad"), icrs.lat.to_value("rad")).ravel().tolist()
        for name in ("radius", "inner_radius", "outer_radius", "width", "height", "inner_width", "outer_width", "angle"):
            value = getattr(part, name, None)
            if value is not None:
                numbers.append(value.to_value("deg"))
        out.append((type(part).__name__, *numbers))
    return out


def same_region(one: Any, two: Any) -> bool:
    """Whether two regions have the same parts, in the same order, up to rounding."""
    if one is two:
        return True
    first, second = _describe(one), _describe(two)
    if [(row[0], len(row)) for row in first] != [(row[0], len(row)) for row in second]:
        return False
    return all(np.allclose(a[1:], b[1:], rtol=1e-6, atol=1e-8) for a, b in zip(first, second, strict=True))
