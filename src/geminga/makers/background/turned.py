"""A region turned about the pointing, where the acceptance is the same if it is radially symmetric.

Instead of the region, points are turned: back into the region, where they are looked at as any others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.makers.background.exclusion import is_free
from geminga.maps import MapCoord, RegionGeom, WcsGeom
from geminga.maps.coord import skycoord_lonlat
from geminga.numerics.sphere import offset_by, position_angle, separation

__all__ = ["Extent", "TurnedRegion"]

Floats = NDArray[np.float64]

# Angular sizes are those of the pixels whose centres are inside, which are up to a pixel too small, so that neighbours may
# overlap. They are never below this fraction of the true size: then less than 1 % of the off regions counts twice.
_LEAST_SIZE = 0.96
_MAX_SEPARATION = 60.0
_FINE = 64


@dataclass(frozen=True)
class TurnedRegion:
    """Region seen from the pointing.

    Parameters
    ----------
    geom : RegionGeom
        Region.
    center : SkyCoord
        Pointing.
    """

    geom: Any
    center: Any
    _extents: dict[float, Extent] = field(default_factory=dict)
    _images: dict[float, Any] = field(default_factory=dict)

    @classmethod
    def create(cls, region: Any, center: Any) -> TurnedRegion:
        """Region (or its geometry) and pointing.

        Raises
        ------
        InputError
            If they are too far from each other.
        """
        new = cls(region if hasattr(region, "contains_wcs_pix") else RegionGeom.create(region), center.icrs)
        distance = float(np.rad2deg(new.distance))
        if not distance <= _MAX_SEPARATION:
            msg = (
                f"Off regions: the region is {distance:.1f} deg from the pointing, expected at most {_MAX_SEPARATION:g} deg; "
                "leave this observation out."
            )
            raise InputError(msg)
        return new

    @cached_property
    def _pivot(self) -> tuple[float, float]:
        return _lonlat(self.center)

    @cached_property
    def _place(self) -> tuple[float, float]:
        return _lonlat(self.geom.center_skydir)

    @cached_property
    def direction(self) -> float:
        """Direction from the pointing to the region, rad from north towards east."""
        return float(position_angle(*self._pivot, *self._place))

    @cached_property
    def distance(self) -> float:
        """Distance of the centre of the region from the pointing, rad."""
        return float(separation(*self._pivot, *self._place))

    @cached_property
    def is_round_pointing(self) -> bool:
        """Whether the pointing is in the region."""
        return bool(np.all(self.geom.contains(self.center)))

    def polar(self, lon: Any, lat: Any) -> tuple[Floats, Floats]:
        """Distance from the pointing, and angle from the direction to the region in [-pi, pi), rad, of positions in deg."""
        lon, lat = np.deg2rad(lon), np.deg2rad(lat)
        angle = position_angle(*self._pivot, lon, lat) - self.direction
        return separation(*self._pivot, lon, lat), _wrapped(angle)

    def contains(self, distance: Floats, angle: Floats) -> NDArray[np.bool_]:
        """Whether positions, see `polar`, are in the region."""
        lon, lat = np.rad2deg(offset_by(*self._pivot, angle + self.direction, distance))
        return np.asarray(self.geom.contains(MapCoord({"lon": lon, "lat": lat}, frame="icrs")))

    def contains_turned(self, distance: Floats, angle: Floats, turns: Floats, extent: Extent) -> NDArray[np.bool_]:
        """Whether positions, see `polar`, are in the region turned by angles (rad), shape (turn, position)."""
        inside = np.zeros((len(turns), len(distance)), dtype=bool)
        back = _wrapped(angle - np.asarray(turns)[:, None])
        near = (distance >= extent.distance[0]) & (distance <= extent.distance[1])
        turn, point = np.nonzero(near & (back >= extent.angle[0]) & (back <= extent.angle[1]))
        inside[turn, point] = self.contains(distance[point], back[turn, point])
        return inside

    def is_in_turned(self, lon: Floats, lat: Floats, turns: Floats, extent: Extent) -> NDArray[np.bool_]:
        """Whether positions in deg are in the region turned by any of the angles (rad)."""
        inside = np.zeros(len(lon), dtype=bool)
        # Most positions are at another declination than all turned regions: no angle is computed of these.
        (near,) = np.nonzero(np.abs(lat - np.rad2deg(self._pivot[1])) <= np.rad2deg(extent.distance[1]))
        distance, angle = self.polar(lon[near], lat[near])
        at = (distance >= extent.distance[0]) & (distance <= extent.distance[1])
        inside[near[at]] = self.contains_turned(distance[at], angle[at], turns, extent).any(axis=0)
        return inside

    def pixels(self, binsz: u.Quantity) -> WcsGeom:
        """Image centred on the pointing, around the circle on which regions are turned; made once."""
        key = float(binsz.to_value("deg"))
        if key not in self._images:
            width = u.Quantity(4 * np.rad2deg(self.distance) + 0.3, "deg")
            self._images[key] = WcsGeom.create(skydir=self.center, binsz=binsz, width=width, proj="TAN", frame="icrs")
        return self._images[key]

    def extent(self, binsz: u.Quantity) -> Extent:
        """How large the region is, seen from the pointing, which must be outside of it; found once.

        Raises
        ------
        GeometryError
            If the region has no area.
        """
        key = float(binsz.to_value("deg"))
        if key not in self._extents:
            self._extents[key] = self._find_extent(binsz)
        return self._extents[key]

    def _find_extent(self, binsz: u.Quantity) -> Extent:
        x, y, step = self._points_inside()
        world = self.geom.wcs.wcs_pix2world(x, y, 0)
        coords = MapCoord({"lon": world[0], "lat": world[1]}, frame=self.geom.frame).to_frame("icrs")
        distance, angle = self.polar(coords.lon, coords.lat)
        # The outermost points are about half a step from the border; the margin is wider, so that nothing is lost.
        true_size = _spread(angle) + 0.5 * step / np.sin(distance.mean())
        low, high = float(distance.min() - 2 * step), float(distance.max() + 2 * step)
        side = 2 * step / np.sin(max(low, step))
        size = max(self._pixel_size(binsz), _LEAST_SIZE * true_size)
        return Extent(size, (low, high), (float(angle.min() - side), float(angle.max() + side)))

    def _points_inside(self) -> tuple[Floats, Floats, float]:
        """Outermost points of a fine grid which are in the region, in pixels of its projection, and the step of the grid, rad.

        Raises
        ------
        GeometryError
            If there are none.
        """
        scale = self.geom.binsz_wcs.to_value("deg")
        half = 0.51 * self.geom.width.to_value("deg") / scale
        center = self._own_pixels(MapCoord.create(self.geom.center_skydir))
        ranges = [(float(np.squeeze(at)) - size, float(np.squeeze(at)) + size) for at, size in zip(center, half, strict=True)]
        # Twice, as the width of a geometry is that of whole pixels.
        for _ in range(2):
            x, y, steps = _grid(*ranges)
            inside = self.geom.contains_wcs_pix((x, y))
            if not inside.any():
                msg = f"Off regions: no point of the region {self.geom.region} is inside; expected one with an area."
                raise GeometryError(msg)
            border = _border(inside)
            x, y = x[border], y[border]
            ranges = [(axis.min() - step, axis.max() + step) for axis, step in zip((x, y), steps, strict=True)]
        return x, y, float(np.deg2rad(np.max(steps * scale)))

    def _pixel_size(self, binsz: u.Quantity) -> float:
        """Angular size of those pixels of the image round the pointing whose centres are in the region, 0 if there are none.

        The region keeps its shape in the plane of the image: only its scale and direction are those of the image.
        """
        image = self.pixels(binsz)
        lon, lat = (np.rad2deg(value) + np.array(step) for value, step in zip(self._place, ([0, 0], [0, 1e-3]), strict=True))
        coords = MapCoord({"lon": lon, "lat": lat}, frame="icrs")
        plane, own = (x + 1j * y for x, y in (image.coord_to_pix(coords)[:2], self._own_pixels(coords)))
        reach = int(np.ceil(self.geom.width.to_value("deg").max() / binsz.to_value("deg"))) + 2
        x, y = np.meshgrid(*(np.rint(value) + np.arange(-reach, reach + 1) for value in (plane[0].real, plane[0].imag)))
        back = own[0] + (x + 1j * y - plane[0]) * (own[1] - own[0]) / (plane[1] - plane[0])
        inside = self.geom.contains_wcs_pix((back.real, back.imag))
        pivot = image.wcs.wcs.crpix - 1
        points = x[inside] + 1j * y[inside] - complex(*pivot)
        return _spread(np.angle(points * np.conj(plane[0] - complex(*pivot))))

    def _own_pixels(self, coords: MapCoord) -> tuple[Floats, Floats]:
        """Pixel coordinates in the plane of the region."""
        own = coords.to_frame(self.geom.frame)
        x, y = self.geom.wcs.world_to_pixel_values(own.lon, own.lat)
        return np.asarray(x), np.asarray(y)

    def excluded(self, mask: Any, binsz: u.Quantity, extent: Extent) -> tuple[Floats, Floats]:
        """Polar coordinates of pixels at the distance of the region where a mask is false.

        Raises
        ------
        DataError
            If the mask is not one of bool.
        """
        image = self.pixels(binsz)
        reach = int(np.ceil(np.rad2deg(np.tan(extent.distance[1])) / binsz.to_value("deg"))) + 1
        pivot = image.wcs.wcs.crpix - 1
        x, y = (np.arange(np.ceil(value - reach), value + reach) for value in pivot)
        radius = np.arctan(np.deg2rad(np.hypot(*np.meshgrid(x - pivot[0], y - pivot[1])) * binsz.to_value("deg")))
        row, column = np.nonzero((radius >= extent.distance[0]) & (radius <= extent.distance[1]))
        lon, lat = (u.Quantity(value, "deg").value for value in image.pix_to_coord((x[column], y[row])))
        out = ~is_free(mask, lon, lat)
        return self.polar(lon[out], lat[out])


@dataclass(frozen=True)
class Extent:
    """Size of a region seen from the pointing, rad: of its pixels, and ranges of distance and angle in which it surely lies."""

    size: float
    distance: tuple[float, float]
    angle: tuple[float, float]


def _grid(x: tuple[float, float], y: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """Points of a grid over ranges, and its steps."""
    grids = np.meshgrid(*(np.linspace(low, high, _FINE) for low, high in (x, y)))
    return grids[0], grids[1], np.array([x[1] - x[0], y[1] - y[0]]) / (_FINE - 1)


def _border(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Points of a grid which are inside and have a neighbour that is not."""
    wide = np.pad(inside, 1)
    return inside & ~(wide[2:, 1:-1] & wide[:-2, 1:-1] & wide[1:-1, 2:] & wide[1:-1, :-2])


def _lonlat(position: Any) -> tuple[float, float]:
    """Longitude and latitude in ICRS, rad."""
    lon, lat = skycoord_lonlat(position, "icrs")
    return float(np.deg2rad(np.squeeze(lon))), float(np.deg2rad(np.squeeze(lat)))


def _wrapped(angle: Floats) -> Floats:
    return np.asarray(np.mod(angle + np.pi, 2 * np.pi) - np.pi)


def _spread(angle: Floats) -> float:
    return float(np.ptp(angle)) if len(angle) else 0.0
