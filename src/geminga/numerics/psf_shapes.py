"""Point spread functions by formula: sums of Gaussians, and the King function, on the plane.

Radii and widths are in deg, densities in sr-1; a fraction is the integral over a disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEG2_PER_SR",
    "king_containment",
    "king_density",
    "king_radius",
    "multi_gauss_containment",
    "multi_gauss_density",
    "multi_gauss_radius",
]

Array = NDArray[np.float64]

#: Square degrees in a steradian.
DEG2_PER_SR = (180.0 / np.pi) ** 2


def multi_gauss_density(rad: Array, sigmas: Sequence[Array], weights: Sequence[Array]) -> Array:
    """Density of a sum of Gaussians.

    Parameters
    ----------
    rad : array
        Radius, deg.
    sigmas, weights : sequence of array
        Width (deg) and fraction of each Gaussian; all broadcast against `rad`.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.psf_shapes import DEG2_PER_SR, multi_gauss_density
    >>> round(float(multi_gauss_density(np.zeros(1), [np.ones(1)], [np.ones(1)])[0]) / DEG2_PER_SR * 2 * np.pi, 12)
    1.0
    """
    total: Any = 0.0
    for sigma, weight in zip(sigmas, weights, strict=True):
        if not np.any(weight):
            continue
        variance = sigma**2
        total = total + weight * np.exp(-0.5 * rad**2 / variance) / (2 * np.pi * variance)
    return np.asarray(DEG2_PER_SR * total + 0 * rad)


def multi_gauss_containment(rad: Array, sigmas: Sequence[Array], weights: Sequence[Array]) -> Array:
    """Fraction of a sum of Gaussians within a radius (see `multi_gauss_density`)."""
    parts = [-weight * np.expm1(-0.5 * rad**2 / sigma**2) for sigma, weight in zip(sigmas, weights, strict=True)]
    return np.asarray(sum(parts))


def king_density(rad: Array, gamma: Array, sigma: Array) -> Array:
    """Density of a King function, (1/2 pi sigma^2) (1 - 1/gamma) (1 + r^2 / (2 gamma sigma^2))^-gamma.

    Ackermann et al. 2013, ApJ 765, 54, eq. 3.
    """
    return DEG2_PER_SR * (1 - 1 / gamma) / (2 * np.pi * sigma**2) * (1 + rad**2 / (2 * gamma * sigma**2)) ** -gamma


def king_containment(rad: Array, gamma: Array, sigma: Array) -> Array:
    """Fraction of a King function within a radius."""
    return -np.expm1((1 - gamma) * np.log1p(rad**2 / (2 * gamma * sigma**2)))


def king_radius(fraction: Array, gamma: Array, sigma: Array) -> Array:
    """Radius within which a fraction of a King function lies, deg."""
    return sigma * np.sqrt(2 * gamma * np.expm1(np.log1p(-fraction) / (1 - gamma)))


def multi_gauss_radius(fraction: Array, sigmas: Sequence[Array], weights: Sequence[Array]) -> Array:
    """Radius (deg) within which a fraction of a sum of Gaussians lies, by bisection in the square of the radius."""
    missing = -2 * np.log1p(-np.asarray(fraction, dtype=float))
    used = [(np.where(weight > 0, sigma, np.nan)) ** 2 for sigma, weight in zip(sigmas, weights, strict=True)]
    low, high = (limit(np.stack(np.broadcast_arrays(*used)), axis=0) * missing for limit in (np.fmin.reduce, np.fmax.reduce))
    for _ in range(60):
        middle = 0.5 * (low + high)
        is_below = multi_gauss_containment(np.sqrt(middle), sigmas, weights) < fraction
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.asarray(np.sqrt(0.5 * (low + high)))
