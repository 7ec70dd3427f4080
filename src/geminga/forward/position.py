"""Positions on the sphere as unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["position_second", "position_vectors"]

Array = NDArray[np.float64]


def position_vectors(lon: float, lat: float, rotation: Array) -> tuple[Array, Array, Array]:
    """Unit vector at (lon, lat) in deg, and its derivatives by lon and lat per rad, all rotated."""
    phi, theta = np.deg2rad(lon), np.deg2rad(lat)
    cos_lat, sin_lat, cos_lon, sin_lon = np.cos(theta), np.sin(theta), np.cos(phi), np.sin(phi)
    center = np.array([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    east = np.array([-cos_lat * sin_lon, cos_lat * cos_lon, 0.0])
    north = np.array([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat])
    return rotation @ center, rotation @ east, rotation @ north


def position_second(lon: float, lat: float, rotation: Array) -> list[list[Array]]:
    """Second derivatives of the unit vector by (lon, lat), per rad^2."""
    phi, theta = np.deg2rad(lon), np.deg2rad(lat)
    cos_lat, sin_lat, cos_lon, sin_lon = np.cos(theta), np.sin(theta), np.cos(phi), np.sin(phi)
    lon_lon = rotation @ np.array([-cos_lat * cos_lon, -cos_lat * sin_lon, 0.0])
    lon_lat = rotation @ np.array([sin_lat * sin_lon, -sin_lat * cos_lon, 0.0])
    lat_lat = rotation @ np.array([-cos_lat * cos_lon, -cos_lat * sin_lon, -sin_lat])
    return [[lon_lon, lon_lat], [lon_lat, lat_lat]]
