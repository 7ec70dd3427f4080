"""What follows from the shape of a region: centre, bounding box, projection, solid angle."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from geminga.maps.coord import skycoord_lonlat
from geminga.maps.geom.grid import PixelGrid, make_wcs
from geminga.numerics.sphere import angle_between, lonlat, polygon_solid_angle, unit_vector
from geminga.utils.regions import as_region_list

__all__ = ["bounding_width", "is_points", "region_wcs", "rough_center", "solid_angle", "vertices_of"]


def is_points(region: Any) -> bool:
    """Whether a region consists of points only."""
    from regions import PointPixelRegion, PointSkyRegion

    return region is not None and all(isinstance(r, (PointSkyRegion, PointPixelRegion)) for r in as_region_list(region))


def vertices_of(region: Any) -> SkyCoord:
    """Positions that stand for a simple region: its centre, vertices or ends."""
    for name in ("center", "vertices"):
        if hasattr(region, name):
            return getattr(region, name)
    if hasattr(region, "start"):
        return SkyCoord([region.start, region.end])
    return SkyCoord([vertices_of(part).ravel()[0] for part in (region.region1, region.region2)])


def rough_center(region: Any) -> SkyCoord:
    """Centre of a region, or mean direction of the centres and vertices of its parts, in the frame of the first."""
    parts = [vertices_of(part) for part in as_region_list(region)]
    if len(parts) == 1 and parts[0].isscalar:
        return parts[0]
    frame = parts[0].frame.name
    vectors = [unit_vector(*np.deg2rad(skycoord_lonlat(part, frame))).reshape(3, -1).mean(axis=1) for part in parts]
    lon, lat = np.rad2deg(lonlat(np.mean(vectors, axis=0)))
    return SkyCoord(lon, lat, unit="deg", frame=frame)


def _bounding_box(region: Any, wcs: WCS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First pixel, and number of pixels, (x, y), of the smallest box of whole pixels round a region."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for part in as_region_list(region):
        box = part.to_pixel(wcs).bounding_box
        low = np.minimum(low, [box.ixmin, box.iymin])
        high = np.maximum(high, [box.ixmax, box.iymax])
    return low, high - low


def bounding_width(region: Any, wcs: WCS) -> u.Quantity:
    """Width and height of the bounding box of a region, deg."""
    scales = np.sqrt((wcs.pixel_scale_matrix**2).sum(axis=0))
    return u.Quantity(_bounding_box(region, wcs)[1] * scales, "deg")


def bounding_center(region: Any, wcs: WCS) -> tuple[float, float]:
    """Pixel coordinates of the centre of the bounding box."""
    low, size = _bounding_box(region, wcs)
    x, y = low + (size - 1) / 2.0
    return float(x), float(y)


def region_wcs(region: Any, binsz: tuple[float, float]) -> WCS:
    """Tangential projection that holds a region, with its centre as reference.

    The box has a border of whole pixels: the region is set on a grid whose reference is a pixel corner.
    """
    center = rough_center(region)
    frame = center.frame.name if center.frame.name in {"icrs", "galactic", "fk5", "fk4"} else "icrs"
    crval = tuple(float(np.squeeze(value)) for value in skycoord_lonlat(center, frame))
    trial = make_wcs(frame, "TAN", crval, (0.5, 0.5), (-binsz[0], binsz[1]), (1, 1))  # type: ignore[arg-type]
    size = (
        np.ones(2)
        if is_points(region) and center.isscalar and len(as_region_list(region)) == 1
        else _bounding_box(region, trial)[1]
    )
    npix = tuple(int(n) for n in np.maximum(size, 1))
    crpix = tuple((n + 1) / 2.0 for n in npix)
    return make_wcs(frame, "TAN", crval, crpix, (-binsz[0], binsz[1]), npix)  # type: ignore[arg-type]


def _cap(radius: float) -> float:
    return 4 * np.pi * np.sin(0.5 * radius) ** 2


def _radii(region: Any) -> tuple[float, float] | None:
    """Inner and outer radius in rad of a circle or a ring, else None."""
    if hasattr(region, "radius"):
        return 0.0, float(region.radius.to_value("rad"))
    if hasattr(region, "inner_radius"):
        return float(region.inner_radius.to_value("rad")), float(region.outer_radius.to_value("rad"))
    return None


def _simple_solid_angle(region: Any, wcs: WCS) -> float:
    """Exact for circles, rings (spherical) and polygons (great circles); else pixel area times that of a pixel."""
    radii = _radii(region)
    if radii is not None:
        return _cap(radii[1]) - _cap(radii[0])
    if hasattr(region, "vertices"):
        lon, lat = (np.deg2rad(value) for value in skycoord_lonlat(region.vertices, "icrs"))
        return float(polygon_solid_angle(unit_vector(lon, lat).T))
    area = float(region.to_pixel(wcs).area)
    center = vertices_of(region).ravel()[0]
    x, y = PixelGrid(wcs, (1, 1)).skycoord_to_pix(center)
    cell = PixelGrid(wcs, (1, 1)).to_world(x + np.array([-0.5, 0.5, 0.5, -0.5]), y + np.array([-0.5, -0.5, 0.5, 0.5]))
    return area * float(polygon_solid_angle(unit_vector(*np.deg2rad(cell)).T))


def _apart(parts: list[Any]) -> bool:
    """Whether all are circles or rings that do not overlap."""
    radii = [_radii(part) for part in parts]
    if any(r is None for r in radii):
        return False
    outer = np.array([r[1] for r in radii if r is not None])
    vectors = np.stack([unit_vector(*np.deg2rad(skycoord_lonlat(part.center, "icrs"))) for part in parts], axis=1)
    distance = angle_between(vectors[:, :, np.newaxis], vectors[:, np.newaxis, :])
    touching = distance < outer[:, np.newaxis] + outer[np.newaxis, :] - 1e-12
    return not touching[np.triu_indices(len(parts), 1)].any()


def solid_angle(region: Any, wcs: WCS, weights: Any) -> float:
    """Solid angle of a region, sr; 0 for points.

    Parameters
    ----------
    region : SkyRegion
        Region, perhaps a union; parts that overlap count once.
    wcs : WCS
        Projection.
    weights : callable
        Gives (weights, solid angles) of pixels, for shapes and unions without a formula.
    """
    from regions import PointSkyRegion

    parts = [part for part in as_region_list(region) if not isinstance(part, PointSkyRegion)]
    if not parts:
        return 0.0
    if any(hasattr(part, "region1") for part in parts):
        return float(np.sum(np.prod(weights(), axis=0)))
    if len(parts) == 1 or _apart(parts):
        return sum(_simple_solid_angle(part, wcs) for part in parts)
    return float(np.sum(np.prod(weights(), axis=0)))
