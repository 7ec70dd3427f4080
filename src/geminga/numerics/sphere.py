"""Geometry on the unit sphere, on plain float arrays.

Angles are in radians, longitude grows eastwards, unit vectors are arrays with the component (x, y, z) as first axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ICRS_TO_GALACTIC",
    "angle_between",
    "frame_rotation",
    "lonlat",
    "offset_by",
    "polygon_solid_angle",
    "position_angle",
    "rotate",
    "rotation_about",
    "separation",
    "unit_vector",
]

Floats = NDArray[np.float64]


def unit_vector(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """Unit vectors, shape (3, ...), of directions in radians."""
    lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    cos_lat, vector = np.cos(lat), np.empty((3, *lat.shape))
    np.multiply(cos_lat, np.cos(lon), out=vector[0, ...])
    np.multiply(cos_lat, np.sin(lon), out=vector[1, ...])
    np.sin(lat, out=vector[2, ...])
    return vector


def lonlat(vector: ArrayLike) -> tuple[Floats, Floats]:
    """Longitude in [0, 2 pi) and latitude of vectors of shape (3, ...), of any length."""
    x, y, z = np.asarray(vector, dtype=float)
    lon = np.arctan2(y, x)
    return np.where(lon < 0, lon + 2 * np.pi, lon), np.asarray(np.arctan2(z, np.hypot(x, y)))


def separation(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Great-circle distance (Vincenty), accurate for all distances.

    Examples
    --------
    >>> from geminga.numerics.sphere import separation
    >>> float(separation(0.0, 0.0, 0.0, 0.5))
    0.5
    """
    lat1, lat2 = np.asarray(lat1, dtype=float), np.asarray(lat2, dtype=float)
    dlon = np.asarray(lon2, dtype=float) - np.asarray(lon1, dtype=float)
    sin1, cos1, sin2, cos2 = np.sin(lat1), np.cos(lat1), np.sin(lat2), np.cos(lat2)
    sin_d, cos_d = np.sin(dlon), np.cos(dlon)
    return np.asarray(np.arctan2(np.hypot(cos2 * sin_d, cos1 * sin2 - sin1 * cos2 * cos_d), sin1 * sin2 + cos1 * cos2 * cos_d))


def angle_between(a: ArrayLike, b: ArrayLike) -> Floats:
    """Angle between unit vectors of shape (3, ...), accurate for all angles."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    half_chord = np.sqrt(((a - b) ** 2).sum(axis=0))
    half_sum = np.sqrt(((a + b) ** 2).sum(axis=0))
    return np.asarray(2 * np.arctan2(half_chord, half_sum))


def position_angle(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Angle at point 1 from north towards east of the great circle to point 2, in [0, 2 pi)."""
    lat1, lat2 = np.asarray(lat1, dtype=float), np.asarray(lat2, dtype=float)
    dlon = np.asarray(lon2, dtype=float) - np.asarray(lon1, dtype=float)
    x = np.sin(lat2) * np.cos(lat1) - np.cos(lat2) * np.sin(lat1) * np.cos(dlon)
    y = np.cos(lat2) * np.sin(dlon)
    return np.asarray(np.mod(np.arctan2(y, x), 2 * np.pi))


def offset_by(lon: ArrayLike, lat: ArrayLike, angle: ArrayLike, distance: ArrayLike) -> tuple[Floats, Floats]:
    """Point at `distance` in the direction `angle` (from north towards east).

    Returns
    -------
    lon, lat : array
        Longitude in [0, 2 pi) and latitude.
    """
    lat, angle, distance = (np.asarray(v, dtype=float) for v in (lat, angle, distance))
    sin_d, cos_d, sin_lat, cos_lat = np.sin(distance), np.cos(distance), np.sin(lat), np.cos(lat)
    along, across = sin_d * np.cos(angle), sin_d * np.sin(angle)
    z = sin_lat * cos_d + cos_lat * along
    x = cos_lat * cos_d - sin_lat * along
    out = np.asarray(lon, dtype=float) + np.arctan2(across, x)
    return np.asarray(np.mod(out, 2 * np.pi)), np.asarray(np.arctan2(z, np.hypot(x, across)))


def rotation_about(axis: ArrayLike, angle: float) -> Floats:
    """Matrix that turns vectors by `angle` about the unit vector `axis`, counter-clockwise seen from its tip."""
    x, y, z = np.asarray(axis, dtype=float)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross))


def rotate(matrix: Floats, vector: ArrayLike) -> Floats:
    """Apply a 3 x 3 matrix to vectors of shape (3, ...)."""
    return np.tensordot(matrix, np.asarray(vector, dtype=float), axes=(1, 0))


# Product of the ICRS frame bias to FK5 J2000 and of the galactic pole and node of IAU 1958 in J2000, made orthogonal.
ICRS_TO_GALACTIC: Floats = np.array(
    [
        [-0.05487565771259173, -0.8734370519556164, -0.48383507361671546],
        [0.49410943719272743, -0.44482972122329506, 0.7469821839866673],
        [-0.8676661375596587, -0.1980763372730005, 0.4559838136873017],
    ]
)
ICRS_TO_GALACTIC.flags.writeable = False

_FROM_ICRS: dict[str, Floats] = {"icrs": np.eye(3), "galactic": ICRS_TO_GALACTIC}


def frame_rotation(origin: str, target: str) -> Floats:
    """Matrix from frame `origin` to frame `target`, each ``"icrs"`` or ``"galactic"``.

    Raises
    ------
    ValueError
        If a frame is neither.
    """
    for name in (origin, target):
        if name not in _FROM_ICRS:
            msg = f"Frame {name!r} is not known here; expected one of {sorted(_FROM_ICRS)}."
            raise ValueError(msg)
    return np.asarray(_FROM_ICRS[target] @ _FROM_ICRS[origin].T)


def _triangle(a: Floats, b: Floats, c: Floats) -> Floats:
    """Signed solid angle of spherical triangles of unit vectors (Van Oosterom & Strackee 1983, eq. 8).

    The triple product is taken from differences, so that small triangles keep their digits.
    """
    ab, ac = b - a, c - a
    triple = (
        a[0] * (ab[1] * ac[2] - ab[2] * ac[1]) + a[1] * (ab[2] * ac[0] - ab[0] * ac[2]) + a[2] * (ab[0] * ac[1] - ab[1] * ac[0])
    )
    dots = 1.0 + (a * b).sum(axis=0) + (b * c).sum(axis=0) + (c * a).sum(axis=0)
    return np.asarray(2.0 * np.arctan2(triple, dots))


def polygon_solid_angle(corners: ArrayLike) -> Floats:
    """Solid angle (sr) of spherical polygons whose sides are great circles.

    Parameters
    ----------
    corners : array, shape (ncorner, 3, ...)
        Unit vectors in order round the polygon.

    Returns
    -------
    solid_angle : array
        Positive whichever way round the corners go.
    """
    corners = np.asarray(corners, dtype=float)
    total = np.zeros(corners.shape[2:])
    for second, third in zip(corners[1:-1], corners[2:], strict=True):
        total = total + _triangle(corners[0], second, third)
    return np.asarray(np.abs(total))
