"""Radial profiles and their Fourier (Hankel) transforms.

A round source seen through a round point spread function is one-dimensional. Profiles are kept
as Hermite tables: value and slope at equidistant radii, so that a lookup is smooth, its slope is
exactly the derivative of its value, and nothing has a kink where a source crosses a pixel border.

Legend: r radius (deg), k wave number (1/deg), T true energy, h pixel side (deg).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import j0, j1

__all__ = [
    "SQUARE_DEG",
    "back_transform",
    "gauss_legendre",
    "pixel_transform",
    "psf_operator",
    "psf_transform",
    "ring_masses",
    "ring_quadrature",
    "subdivision",
    "wave_numbers",
]

Array = NDArray[np.float64]

#: Solid angle of one square degree in sr.
SQUARE_DEG = float(np.deg2rad(1.0) ** 2)


#: Width of a PSF's core in pixels from which an average over a pixel seen from all sides keeps the sum over pixels to 1e-4.
SPANS_PIXEL = 0.7

#: Largest number of parts along the side of a pixel.
FINEST = 8


def subdivision(core: float, side: float) -> int:
    """Number of parts along a pixel of side `side` that something with a core of `core` needs (same unit).

    The sum of a function over pixels is its integral up to its transform at the wave number 2 pi / side; for a Gaussian
    core of `SPANS_PIXEL` pixels that is exp(-2 pi^2 0.7^2), below 1e-4.

    Examples
    --------
    >>> from geminga.numerics.radial import subdivision
    >>> subdivision(0.1, 0.1), subdivision(0.05, 0.1)
    (1, 2)
    """
    if not core > 0:
        return 1
    return int(np.clip(np.ceil(SPANS_PIXEL * side / core - 1e-9), 1, FINEST))


@lru_cache(maxsize=64)
def gauss_legendre(n: int) -> tuple[Array, Array]:
    """Nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(n)
    return 0.5 * (x + 1), 0.5 * w


def ring_quadrature() -> tuple[Array, Array]:
    """Two radii and weights which average over a unit square as seen from all sides.

    They reproduce <rho^2>, <rho^4> and <rho^6> over the square (Gauss quadrature in rho^2).
    """
    m1, m2, m3 = 1 / 6, 7 / 180, 2 / 448 + 6 / (80 * 12)
    # Monic polynomial of degree two, orthogonal with respect to the moments of rho^2.
    b, c = np.linalg.solve(np.array([[m1, 1.0], [m2, m1]]), np.array([-m2, -m3]))
    s = np.sort(np.roots([1.0, b, c]).real)
    w = np.linalg.solve(np.array([[1.0, 1.0], [s[0], s[1]]]), np.array([1.0, m1]))
    return np.sqrt(s), w


def pixel_transform(k: Array, h: float) -> Array:
    """Transform of a square pixel of side `h`, averaged over direction, shape of `k`."""
    rho, w = ring_quadrature()
    return np.asarray(w[0] * j0(k * (rho[0] * h)) + w[1] * j0(k * (rho[1] * h)))


def _even_spline(rad: Array) -> CubicSpline:
    """Cubic spline basis in |r| through values at `rad`, zero slope at r = 0; column j is node j."""
    n = len(rad)
    values = np.eye(n)
    start = 0 if rad[0] > 0 else 1
    nodes = np.concatenate([-rad[start:][::-1], rad])
    return CubicSpline(nodes, np.concatenate([values[start:][::-1], values]), bc_type="natural")


@lru_cache(maxsize=16)
def _psf_operator(rad: tuple[float, ...], edge: float, h: float, step: float, n_nodes: int) -> tuple[Array, Array]:
    x = np.asarray(rad)
    spline = _even_spline(x)
    rho, weight = ring_quadrature()
    angle = (np.arange(6) + 0.5) * np.pi / 6
    r = step * np.arange(n_nodes)
    value = np.zeros((n_nodes, len(x)))
    slope = np.zeros((n_nodes, len(x)))
    for radius, w in zip(rho * h, weight / len(angle), strict=True):
        for cosine in np.cos(angle):
            distance = np.sqrt(np.maximum(r**2 + radius**2 - 2 * r * radius * cosine, 0))
            inside = distance < edge
            along = np.divide(r - radius * cosine, distance, out=np.zeros_like(r), where=distance > 0)
            value[inside] += w * spline(distance[inside])
            slope[inside] += w * along[inside, None] * spline(distance[inside], 1)
    slope[0] = 0
    return value, slope


def psf_operator(rad: Array, edge: float, h: float, step: float, n_nodes: int) -> tuple[Array, Array]:
    """Matrices which turn PSF values at `rad` into pixel averages and slopes at radii ``step * arange(n_nodes)``.

    Parameters
    ----------
    rad : array
        Radii of the table in deg, shape (n_rad,).
    edge : float
        Radius in deg beyond which the PSF is zero.
    h : float
        Pixel side in deg; 0 for no averaging.

    Returns
    -------
    value, slope : array
        Shape (n_nodes, n_rad); the slope is per deg.
    """
    return _psf_operator(tuple(rad.tolist()), float(edge), float(h), float(step), int(n_nodes))


@lru_cache(maxsize=16)
def _fine_rule(rad: tuple[float, ...], edge: float) -> tuple[Array, Array]:
    """Radii and matrix such that ``matrix @ psf`` are values times 2 pi r dr on a fine rule."""
    x = np.asarray(rad)
    bounds = np.concatenate([[0.0], 0.5 * (x[1:] + x[:-1]), [edge]])
    t, w = gauss_legendre(3)
    width = np.diff(bounds)
    r = (bounds[:-1, None] + width[:, None] * t).ravel()
    measure = (width[:, None] * w).ravel() * 2 * np.pi * r * SQUARE_DEG
    return r, _even_spline(x)(r) * measure[:, None]


@lru_cache(maxsize=16)
def ring_masses(rad: tuple[float, ...], edges: tuple[float, ...], number: int = 4) -> tuple[Array, Array]:
    """Matrix which turns PSF values (sr-1) at `rad` (deg) into their integrals over fine rings, and the edges of these (deg).

    Parameters
    ----------
    rad : tuple of float
        Radii of the table.
    edges : tuple of float
        Edges of the bins of the table; each is divided into `number` rings.

    Returns
    -------
    edges, matrix : array
        Shapes (n + 1,) and (n, n_rad).
    """
    bounds = np.asarray(edges)
    fine = np.append(np.linspace(bounds[:-1], bounds[1:], number, endpoint=False, axis=1).ravel(), bounds[-1])
    t, w = gauss_legendre(3)
    width = np.diff(fine)
    r = fine[:-1, None] + width[:, None] * t
    measure = width[:, None] * w * 2 * np.pi * r * SQUARE_DEG
    values = _even_spline(np.asarray(rad))(r.ravel()).reshape(*r.shape, len(rad))
    return fine, np.einsum("nq,nqr->nr", measure, values)


def psf_transform(k: Array, rad: Array, edge: float, psf: Array) -> Array:
    """Hankel transform of tabulated point spread functions.

    Parameters
    ----------
    k : array
        Wave numbers in 1/deg, shape (n_k,).
    psf : array
        Density in sr-1, shape (n_T, n_rad).

    Returns
    -------
    transform : array
        Shape (n_T, n_k); equals the integral of the PSF at k = 0.
    """
    r, matrix = _fine_rule(tuple(rad.tolist()), float(edge))
    return np.asarray((psf @ matrix.T) @ j0(np.outer(r, k)))


def psf_integral(rad: Array, edge: float, psf: Array) -> Array:
    """Integral of tabulated PSFs over the plane, shape (n_T,)."""
    _, matrix = _fine_rule(tuple(rad.tolist()), float(edge))
    return np.asarray(psf @ matrix.sum(axis=0))


def wave_numbers(k_max: float, r_max: float) -> tuple[Array, Array]:
    """Gauss-Legendre nodes in k which resolve J0(k r) up to `r_max`, with weights k dk / 2 pi.

    The number of nodes comes in steps of eight, so that small changes of a size keep the rule.
    """
    n = int(np.ceil((24 + 0.62 * k_max * r_max) / 8) * 8)
    x, w = gauss_legendre(min(n, 4000))
    k = k_max * x
    return k, k_max * w * k / (2 * np.pi)


def back_transform(k: Array, weight: Array, r: Array) -> tuple[Array, Array]:
    """Matrices from a transform at `k` to profile (sr-1) and slope (sr-1/deg) at radii `r`, shape (n_k, n_r)."""
    kr = np.outer(k, r)
    scale = weight[:, None] / SQUARE_DEG
    return scale * j0(kr), -(scale * k[:, None]) * j1(kr)
