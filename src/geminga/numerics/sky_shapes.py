"""Densities on the sphere, round and elliptical, with gradients.

A shape is a function of the separation from the centre and, for ellipses, of the position angle: the radius is replaced by
the radius of the ellipse in that direction. `density` puts one on the sky: positions and sizes in deg, density in sr-1, gradient
with respect to lon_0, lat_0 and the shape's own parameters.

All shapes integrate to one on the sphere. Below 1 deg the plane is used instead, where the difference is less than 1e-4; between
1 and 2 deg one goes over smoothly into the other (`_taper`). A round Gaussian is exact at all sizes (von Mises-Fisher).

Legend: s separation (rad), angle position angle minus phi, q axis ratio, N norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, exp, gamma, pi, radians, sin, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, erfc

from geminga.numerics.profiles import EDGE_SCALE
from geminga.numerics.radial import gauss_legendre

__all__ = ["Shape", "density", "disk", "ellipse_radius", "gauss", "gauss_general", "shell"]

Array = NDArray[np.float64]
DEG = radians(1.0)


@dataclass(frozen=True)
class Shape:
    """Values and derivatives of a shape at given separations and angles.

    Attributes
    ----------
    value : array
        Density in sr-1.
    by_separation, by_angle : array
        Derivatives with respect to the separation and the position angle, per rad; `by_angle` None if round.
    by_parameter : list of array
        Derivatives with respect to the shape's parameters, as they are given (deg).
    """

    value: Array
    by_separation: Array
    by_angle: Array | None
    by_parameter: list[Array]


@dataclass(frozen=True)
class _Ellipse:
    """Radius of the ellipse in some directions, and its derivatives."""

    radius: Array | float
    by_angle: Array | float
    by_size: Array | float
    by_e: Array | float


def ellipse_radius(angle: ArrayLike, size: float, e: float) -> Array:
    """Radius of an ellipse seen from its centre at `angle` from the major axis (rad), in the unit of `size`.

    Examples
    --------
    >>> from geminga.numerics.sky_shapes import ellipse_radius
    >>> float(ellipse_radius(0.0, 2.0, 0.6))
    2.0
    """
    ratio = sqrt(max(1 - e * e, 1e-12))
    return np.asarray(size * ratio / np.hypot(np.sin(angle), ratio * np.cos(angle)))


def _ellipse(angle: Array, size: float, e: float) -> _Ellipse:
    ratio = sqrt(max(1 - e * e, 1e-12))
    sine, cosine = np.sin(angle), np.cos(angle)
    height = np.hypot(sine, ratio * cosine)
    radius = size * ratio / height
    by_ratio = size * sine**2 / height**3
    by_angle = -size * ratio * (1 - ratio**2) * sine * cosine / height**3
    return _Ellipse(radius, by_angle, radius / size, -by_ratio * e / ratio)


def _taper(size: float) -> float:
    """0 below 1 deg, 1 above 2 deg, twice differentiable between."""
    t = min(max(size / DEG - 1.0, 0.0), 1.0)
    return t**3 * (10 - 15 * t + 6 * t * t)


def _differences(function: Callable[..., float], values: tuple[float, ...]) -> tuple[float, list[float]]:
    """A smooth function of a few numbers and its derivatives by central differences (relative error 1e-9)."""
    slopes = []
    for i, value in enumerate(values):
        step = 1e-5 * max(abs(value), 1e-3)
        up = function(*values[:i], value + step, *values[i + 1 :])
        down = function(*values[:i], max(value - step, 0.0), *values[i + 1 :])
        slopes.append((up - down) / (value + step - max(value - step, 0.0)))
    return function(*values), slopes


def _directions(e: float) -> Array:
    """Angles over which a mean over all directions converges; more for slender ellipses."""
    ratio = sqrt(max(1 - e * e, 1e-12))
    n = int(min(4096, 16 * np.ceil(4 / ratio)))
    return np.asarray((np.arange(n) + 0.5) * (pi / n))


def _gauss_norm(size: float, e: float) -> float:
    plane = 1 / (2 * pi * size**2 * sqrt(max(1 - e * e, 1e-12)))
    weight = _taper(size)
    if weight == 0:
        return plane
    a = 2 * np.sin(0.5 * ellipse_radius(_directions(e), size, e)) ** 2
    exact = 1 / (4 * pi * np.mean(a * -np.expm1(-1 / a)))
    return float(plane * (1 - weight) + exact * weight)


def gauss(s: Array, angle: Array | None, sigma: float, e: float) -> Shape:
    """Gaussian in the chord, ``exp(-(1 - cos s) / (2 (1 - cos sigma)))``; parameters sigma (deg), e."""
    size = sigma * DEG
    if angle is None:
        a = 2 * sin(0.5 * size) ** 2
        decay = exp(-1 / a)
        norm = 1 / (4 * pi * a * (1 - decay))
        by_a = -1 / a + decay / (a * a * (1 - decay))
        exponent = np.sin(0.5 * s) ** 2 / a
        value = norm * np.exp(-exponent)
        by_size = value * (exponent / a + by_a) * sin(size)
        return Shape(value, -value * np.sin(s) / (2 * a), None, [by_size * DEG, np.zeros_like(value)])
    ellipse = _ellipse(angle, size, e)
    a_all = 2 * np.sin(0.5 * ellipse.radius) ** 2
    norm, slopes = _differences(_gauss_norm, (size, e))
    exponent = np.sin(0.5 * s) ** 2 / a_all
    value = norm * np.exp(-exponent)
    by_radius = value * exponent / a_all * np.sin(ellipse.radius)
    by_parameter = [
        (by_radius * ellipse.by_size + value * (slopes[0] / norm)) * DEG,
        by_radius * ellipse.by_e + value * (slopes[1] / norm),
    ]
    return Shape(value, -value * np.sin(s) / (2 * a_all), by_radius * ellipse.by_angle, by_parameter)


def _disk_norm(size: float, e: float, edge_width: float) -> float:
    """One over the solid angle: a soft edge is a normal mixture of sharp ones, over which cos(radius) is averaged."""
    radius = ellipse_radius(_directions(e), size, e) if e else np.array([size])
    if edge_width <= 0:
        return float(1 / (4 * pi * np.mean(np.sin(0.5 * radius) ** 2)))
    spread = edge_width / (sqrt(2) * EDGE_SCALE)
    node, weight = gauss_legendre(48)
    low = max(-8.0, -1 / spread)
    z = low + (8.0 - low) * node
    bell = weight * (8.0 - low) * np.exp(-0.5 * z * z) / sqrt(2 * pi)
    part = np.sin(0.5 * np.minimum(np.outer(radius, 1 + spread * z), pi)) ** 2 @ bell
    return float(1 / (4 * pi * np.mean(part)))


def disk(s: Array, angle: Array | None, r_0: float, e: float, edge_width: float) -> Shape:
    """Disk with an erf edge; parameters r_0 (deg), e, edge_width."""
    size = r_0 * DEG
    norm, slopes = _differences(_disk_norm, (size, e, edge_width))
    ellipse = _Ellipse(size, 0.0, 1.0, 0.0) if angle is None else _ellipse(angle, size, e)
    radius = ellipse.radius
    if edge_width <= 0:
        value = norm * np.heaviside(radius - s, 0.5)
        zero = np.zeros_like(value)
        by_radius, by_separation, by_width = zero, zero, zero
    else:
        z = EDGE_SCALE * (s - radius) / (radius * edge_width)
        value = 0.5 * norm * erfc(z)
        bell = norm * np.exp(-np.minimum(z * z, 700.0)) / sqrt(pi)
        by_separation = -bell * EDGE_SCALE / (radius * edge_width)
        by_radius = -by_separation * s / radius
        by_width = bell * z / edge_width
    by_parameter = [
        (by_radius * ellipse.by_size + value * (slopes[0] / norm)) * DEG,
        by_radius * ellipse.by_e + value * (slopes[1] / norm),
        by_width + value * (slopes[2] / norm),
    ]
    return Shape(value, by_separation, None if angle is None else by_radius * ellipse.by_angle, by_parameter)


def _shell_norm(inner: float, outer: float) -> float:
    """Norm of a projected shell: the plane's, divided by the mean of sin(s) / s on the sphere (moments of s)."""
    volume = (outer - inner) * (outer * outer + outer * inner + inner * inner)
    plane = 3 / (2 * pi * volume)
    weight = _taper(outer)
    if weight == 0:
        return plane
    moments = [c * (outer**n - inner**n) / volume for c, n in ((2 / 5, 5), (8 / 35, 7), (16 / 105, 9))]
    mean = 1 - moments[0] / 6 + moments[1] / 120 - moments[2] / 5040
    return plane * (1 - weight + weight / mean)


def shell(s: Array, radius: float, width: float) -> Shape:
    """Projected spherical shell; parameters radius, width (deg)."""
    inner = radius * DEG
    outer = inner + max(width * DEG, 1e-7 * inner)
    norm, slopes = _differences(_shell_norm, (inner, outer))
    chord_outer = np.sqrt(np.maximum(outer**2 - s * s, 0.0))
    chord_inner = np.sqrt(np.maximum(inner**2 - s * s, 0.0))
    value = norm * (chord_outer - chord_inner)
    over_outer = np.divide(norm, chord_outer, out=np.zeros_like(s), where=chord_outer > 0)
    over_inner = np.divide(norm, chord_inner, out=np.zeros_like(s), where=chord_inner > 0)
    by_outer = outer * over_outer + value * (slopes[1] / norm)
    by_inner = -inner * over_inner + value * (slopes[0] / norm)
    return Shape(value, s * (over_inner - over_outer), None, [(by_inner + by_outer) * DEG, by_outer * DEG])


def _gauss_general_norm(size: float, eta: float, e: float) -> float:
    plane = 1 / (2 * pi * size**2 * sqrt(max(1 - e * e, 1e-12)) * eta * gamma(2 * eta))
    weight = _taper(size)
    if weight == 0:
        return plane
    radius = ellipse_radius(_directions(e), size, e)
    node, node_weight = gauss_legendre(96)
    reach = pi * node**2
    measure = 2 * pi * node * node_weight * np.sin(reach)
    part = np.exp(-np.minimum((reach / radius[:, None]) ** (1 / eta), 700.0)) @ measure
    exact = 1 / (2 * pi * np.mean(part))
    return float(plane * (1 - weight) + exact * weight)


def gauss_general(s: Array, angle: Array | None, r_0: float, eta: float, e: float) -> Shape:
    """Generalised Gaussian ``exp(-(s / r)^(1 / eta))``; parameters r_0 (deg), eta, e."""
    size = r_0 * DEG
    norm, slopes = _differences(_gauss_general_norm, (size, eta, e))
    if _taper(size) == 0:
        slopes[1] = -norm * (1 / eta + 2 * float(digamma(2 * eta)))
    ellipse = _Ellipse(size, 0.0, 1.0, 0.0) if angle is None else _ellipse(angle, size, e)
    u = np.maximum(s, 1e-30) / ellipse.radius
    log_u = np.log(u)
    t = np.exp(np.minimum(log_u / eta, 600.0))
    value = norm * np.exp(-t)
    by_radius = value * t / (eta * ellipse.radius)
    by_separation = -value * np.exp(np.minimum(log_u * (1 / eta - 1), 600.0)) / (eta * ellipse.radius)
    by_parameter = [
        (by_radius * ellipse.by_size + value * (slopes[0] / norm)) * DEG,
        value * t * log_u / eta**2 + value * (slopes[1] / norm),
        by_radius * ellipse.by_e + value * (slopes[2] / norm),
    ]
    return Shape(value, by_separation, None if angle is None else by_radius * ellipse.by_angle, by_parameter)


def density(
    shape: Callable[..., Shape],
    lon: ArrayLike,
    lat: ArrayLike,
    lon_0: float,
    lat_0: float,
    *sizes: float,
    phi: float | None = None,
    with_gradient: bool = True,
) -> tuple[Array, Array]:
    """Put a shape on the sky.

    Parameters
    ----------
    shape : callable
        ``(s, angle, *sizes)`` (or ``(s, *sizes)`` for shapes which are always round) giving a `Shape`.
    lon, lat : array
        Positions in deg, broadcast together.
    lon_0, lat_0 : float
        Centre in deg.
    phi : float, optional
        Position angle of the major axis in deg, from north through east; None if round.
    with_gradient : bool
        False leaves the gradient empty.

    Returns
    -------
    value, gradient : array
        sr-1, and per deg (or unit of the size) with the rows lon_0, lat_0, sizes and, if `phi` is given, phi.
    """
    lon, lat = np.broadcast_arrays(np.asarray(lon, float), np.asarray(lat, float))
    half_lon, half_lat = np.sin((0.5 * DEG) * (lon - lon_0)), np.sin((0.5 * DEG) * (lat - lat_0))
    cos_lat, cos_0, sin_0 = np.cos(lat * DEG), cos(lat_0 * DEG), sin(lat_0 * DEG)
    haversine = half_lat**2 + cos_lat * cos_0 * half_lon**2
    s = 2 * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    # East and north components of the unit vector, written so that they keep their digits near the centre.
    east = cos_lat * np.sin(DEG * (lon - lon_0))
    north = np.sin(DEG * (lat - lat_0)) + 2 * cos_lat * sin_0 * half_lon**2
    length = np.hypot(east, north)
    away = length > 0
    sin_angle = np.divide(east, length, out=np.zeros_like(s), where=away)
    cos_angle = np.divide(north, length, out=np.zeros_like(s), where=away)
    if phi is None:
        result = shape(s, *sizes)
        if not with_gradient:
            return result.value, np.zeros((0, *s.shape))
        rows = [-cos_0 * sin_angle * result.by_separation, -cos_angle * result.by_separation]
        return result.value, np.stack([rows[0] * DEG, rows[1] * DEG, *result.by_parameter])
    result = shape(s, np.arctan2(sin_angle, cos_angle) - phi * DEG, *sizes)
    if not with_gradient:
        return result.value, np.zeros((0, *s.shape))
    turn = np.zeros_like(s) if result.by_angle is None else result.by_angle
    # d(position angle): grows as 1 / s near the centre, where by_angle vanishes as s^2 or is of no consequence.
    cot = np.divide(1 - 2 * haversine, length, out=np.zeros_like(s), where=away)
    by_lon = -cos_0 * sin_angle * result.by_separation + turn * (sin_0 - cos_angle * cos_0 * cot)
    by_lat = -cos_angle * result.by_separation + turn * sin_angle * cot
    return result.value, np.stack([by_lon * DEG, by_lat * DEG, *result.by_parameter, -turn * DEG])
