"""Coordinates in the field of view of a pointing, from unit vectors.

Angles are in radians; vectors have the component as first axis and are all in one frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["field_coordinates", "offset_angle", "rotation_rate"]

Array = NDArray[np.float64]

#: Rotation of the sky, in rad for each s.
_SIDEREAL = 2 * np.pi / 86164.0905


def offset_angle(vector: ArrayLike, pointing: ArrayLike) -> Array:
    """Angle between unit vectors, shape (3, ...), and that of the pointing, shape (3,).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.field_of_view import offset_angle
    >>> round(float(offset_angle([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]) * 2 / np.pi), 9)
    1.0
    """
    x, y, z = np.asarray(vector, dtype=float)
    a, b, c = np.asarray(pointing, dtype=float)
    chord = (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
    return np.asarray(2 * np.arcsin(np.minimum(0.5 * np.sqrt(chord), 1.0)))


def field_coordinates(vector: ArrayLike, pointing: ArrayLike, up: ArrayLike) -> tuple[Array, Array]:
    """Longitude and latitude in a frame with the pointing at its origin.

    Parameters
    ----------
    vector : array, shape (3, ...)
        Unit vectors of positions.
    pointing, up : array, shape (3,)
        Unit vectors of the origin and of the pole to which the latitude grows.

    Returns
    -------
    lon, lat : array
        Longitude grows like right ascension if `up` is the north pole: to the left, seen from the Earth with `up` at the top.

    Examples
    --------
    >>> from geminga.numerics.field_of_view import field_coordinates
    >>> lon, lat = field_coordinates([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    >>> float(lon.round(4)), float(lat.round(4))
    (1.5708, 0.0)
    """
    pointing = np.asarray(pointing, dtype=float)
    left = np.cross(np.asarray(up, dtype=float), pointing)
    length = float(np.sqrt((left**2).sum()))
    # At the pole itself any direction will do.
    left = left / length if length > 1e-12 else np.cross([0.0, 1.0, 0.0], pointing)
    north = np.cross(pointing, left)
    x, y, z = (np.tensordot(axis, np.asarray(vector, dtype=float), axes=1) for axis in (pointing, left, north))
    return np.asarray(np.arctan2(y, x)), np.asarray(np.arcsin(np.clip(z, -1.0, 1.0)))


def rotation_rate(azimuth: float, altitude: float, latitude: float) -> float:
    """Rate at which the field of view of a telescope on an altitude-azimuth mount turns, rad for each s.

    Parameters
    ----------
    azimuth, altitude : float
        Pointing.
    latitude : float
        Geographic latitude.
    """
    cos_altitude = max(abs(np.cos(altitude)), 1e-6)
    return float(_SIDEREAL * abs(np.cos(latitude) * np.cos(azimuth)) / cos_altitude)
