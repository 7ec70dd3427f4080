"""Points of a geometry at which responses are evaluated: its pixels, or those inside a region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError, GeometryError
from geminga.irf.interpolate import grid_interpolator
from geminga.maps import Map
from geminga.maps.coord import skycoord_lonlat
from geminga.numerics.field_of_view import offset_angle
from geminga.numerics.grid_weights import linear_weights
from geminga.numerics.sphere import unit_vector

__all__ = ["FieldPoints", "energy_rows", "field_points", "finite_map", "icrs_vector", "offset_weights"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FieldPoints:
    """Directions at which a response is evaluated, and how they become the pixels of an image.

    Attributes
    ----------
    vectors : array, shape (3, n)
        Unit vectors in ICRS; NaN where a pixel is not on the sky.
    shape : tuple of int
        Shape of the image, (lat, lon).
    weights : array, shape (n,), optional
        Weights of the points of a region, whose sum is one; None if each point is a pixel.
    """

    vectors: Array
    shape: tuple[int, int]
    weights: Array | None = None

    def offset(self, pointing: Array) -> Array:
        """Angle from the pointing (unit vector in ICRS), deg; 180 deg where there is no sky."""
        return np.nan_to_num(np.rad2deg(offset_angle(self.vectors, pointing)), nan=180.0)

    def image(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values, shape (n_rows, n), as images, shape (n_rows, lat, lon)."""
        if self.weights is not None:
            return (values @ self.weights.astype(values.dtype)).reshape(-1, 1, 1)
        return values.reshape(-1, *self.shape)


def field_points(geom: Any, use_region_center: bool = True) -> FieldPoints:
    """Pixel centres of a geometry.

    Parameters
    ----------
    geom : WcsGeom or RegionGeom
        Geometry.
    use_region_center : bool
        Take one point for a region, else an average over points inside it.

    Raises
    ------
    GeometryError
        If there is no region.
    """
    if not geom.is_region:
        return FieldPoints(geom.pixel_unit_vectors("icrs").reshape(3, -1), geom.to_image().data_shape)
    if geom.region is None:
        msg = "A response cannot be evaluated on a RegionGeom without region; give it one with region=."
        raise GeometryError(msg)
    if use_region_center or geom.is_all_point_sky_regions:
        return FieldPoints(geom.pixel_unit_vectors("icrs").reshape(3, -1), (1, 1))
    coords, weights = geom.get_wcs_coord_and_weights()
    sky = coords.skycoord.icrs
    vectors = unit_vector(np.ravel(sky.ra.rad), np.ravel(sky.dec.rad))
    weights = np.broadcast_to(weights, np.shape(sky.ra)).reshape(-1)
    return FieldPoints(vectors, (1, 1), weights / weights.sum())


def icrs_vector(position: Any) -> Array:
    """Unit vector in ICRS of a position, or of a pointing that is fixed on the sky."""
    position = position.get_icrs() if hasattr(position, "get_icrs") else position
    lon, lat = skycoord_lonlat(position, "icrs")
    return unit_vector(float(np.deg2rad(np.squeeze(lon))), float(np.deg2rad(np.squeeze(lat))))


def offset_weights(axis: Any, offset: Array, dtype: Any = np.float32) -> tuple[Any, NDArray[np.bool_]]:
    """Weights of the centres of an offset axis for offsets in deg, and which of them are between its edges."""
    centers, edges = axis.center.to_value("deg"), axis.edges.to_value("deg")
    inside = (offset >= edges[0]) & (offset <= edges[-1]) if edges[0] < edges[-1] else np.ones(offset.shape, bool)
    return linear_weights([centers], [np.clip(offset, edges[0], edges[-1])], dtype=dtype), inside


def energy_rows(axis: Any, energy: Array, data: Any, fill: bool = True) -> Array:
    """Table with its first axis (of energy) interpolated at energies in the unit of the axis; zero outside if `fill`."""
    rows = grid_interpolator([axis], data)([np.clip(energy, *axis.edge_values[[0, -1]])])
    if fill:
        rows[(energy < axis.edge_values[0]) | (energy > axis.edge_values[-1])] = 0.0
    return rows


def finite_map(geom: Any, data: NDArray[np.floating], unit: str, what: str, irf: Any, meta: Any = None) -> Any:
    """Map of an evaluated response.

    Raises
    ------
    DataError
        If it holds NaN, as a response with NaN does.
    """
    bad = int(np.count_nonzero(~np.isfinite(data)))
    if bad:
        name = type(irf).__name__
        msg = (
            f"{name}: {what} is not a number in {bad} of {data.size} bins, since the table holds NaN or infinity where it is "
            "evaluated; repair the table, or choose a geometry that does not reach there."
        )
        raise DataError(msg)
    return Map.from_geom(geom, data=data.reshape(geom.data_shape), unit=unit, meta=meta, dtype=data.dtype)
