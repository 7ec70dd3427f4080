"""Round shapes in the plane: radial profiles and their Fourier (Hankel) transforms, with gradients.

Profiles take radii in deg, shape (n,), and return sr-1; transforms take wave numbers k in 1/deg, shape (n,), and return
``m(k) = int M(r) J0(k r) 2 pi r dr`` with ``m(0) = 1``. Both return the value and the derivatives with respect to the
sizes (in deg), shape (n_size, n), in the order of the arguments.

Which one do I want? A profile and its transform here are an exact pair in the plane. `geminga.numerics.sky_shapes` has the
densities on the sphere, also for ellipses.

Legend: r0 radius of the disk, w its relative edge width, R and Ro inner and outer radius of the shell.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, factorial, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, j0, j1

from geminga.numerics.radial import SQUARE_DEG, gauss_legendre

__all__ = [
    "EDGE_SCALE",
    "disk_profile",
    "disk_transform",
    "gauss_profile",
    "gauss_transform",
    "shell_profile",
    "shell_transform",
]

Array = NDArray[np.float64]
Result = tuple[Array, Array]

#: A disk falls from 95 % to 5 % of its height within ``edge_width * r_0``: sqrt(2) times the 95 % quantile of a normal law.
EDGE_SCALE = 2.326174307353347

#: Relative variance of the radius above which the expansion of the soft-edged disk gives way to quadrature.
_MAX_VARIANCE = 2.5e-3
_N_TERMS = 9


def gauss_profile(r: Array, sigma: float) -> Result:
    """Gaussian in the plane."""
    square = (r / sigma) ** 2
    value = np.exp(-0.5 * square) / (2 * np.pi * sigma**2 * SQUARE_DEG)
    return value, (value * (square - 2) / sigma)[None]


def gauss_transform(k: Array, sigma: float) -> Result:
    """``exp(-k^2 sigma^2 / 2)``.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.profiles import gauss_transform
    >>> float(gauss_transform(np.zeros(1), 0.3)[0][0])
    1.0
    """
    square = k * k
    value = np.exp((-0.5 * sigma**2) * square)
    return value, (value * (-sigma * square))[None]


def _edge_variance(edge_width: float) -> float:
    """Variance of the radius in units of r0^2: a soft edge is a normal mixture of sharp disks."""
    return 0.5 * (edge_width / EDGE_SCALE) ** 2


def _edge_moment(variance: float) -> tuple[float, float]:
    """Mean square of a positive normal radius with mean 1, not renormalised, and its derivative by the variance."""
    if variance <= 0:
        return 1.0, 1.0
    spread = sqrt(variance)
    tail = 0.5 * float(erfc(1 / (sqrt(2) * spread)))
    bell = exp(-0.5 / variance) / sqrt(2 * pi)
    return (1 + variance) * (1 - tail) + spread * bell, 1 - tail


def disk_profile(r: Array, r_0: float, edge_width: float) -> Result:
    """Disk with an erf edge, normalised in the plane."""
    moment, moment_slope = _edge_moment(_edge_variance(edge_width))
    norm = 1 / (np.pi * r_0**2 * moment * SQUARE_DEG)
    if edge_width <= 0:
        value = norm * np.heaviside(r_0 - r, 0.5)
        return value, np.stack([-2 * value / r_0, np.zeros_like(r)])
    z = EDGE_SCALE * (r - r_0) / (r_0 * edge_width)
    value = norm * 0.5 * erfc(z)
    bell = norm * np.exp(-np.minimum(z * z, 700.0)) / sqrt(np.pi)
    by_radius = bell * EDGE_SCALE * r / (r_0**2 * edge_width) - 2 * value / r_0
    by_width = bell * z / edge_width - value * moment_slope * edge_width / (EDGE_SCALE**2 * moment)
    return value, np.stack([by_radius, by_width])


@lru_cache(maxsize=1)
def _edge_terms() -> tuple[list[dict[int, float]], list[dict[int, float]]]:
    """Polynomials in x of the expansion of a soft-edged disk, one pair for each power of variance / 2.

    The mean of u(R) = R J1(k R) over normal R is exp(variance / 2 d2/dR2) u. Taking out exp(-k^2 variance / 2) leaves
    powers of L = d2/dR2 + k^2, which act on p(R) J0 + q(R) J1 with p and q Laurent polynomials; here k = x and R = 1.
    Terms are stored as {(power of R, power of k): coefficient}.
    """
    p: dict[tuple[int, int], float] = {}
    q: dict[tuple[int, int], float] = {(1, 0): 1.0}

    def add(target: dict[tuple[int, int], float], key: tuple[int, int], value: float) -> None:
        target[key] = target.get(key, 0.0) + value

    def derivative(p: dict, q: dict) -> tuple[dict, dict]:
        dp: dict[tuple[int, int], float] = {}
        dq: dict[tuple[int, int], float] = {}
        for (n, m), c in p.items():
            add(dp, (n - 1, m), n * c)
            add(dq, (n, m + 1), -c)
        for (n, m), c in q.items():
            add(dq, (n - 1, m), (n - 1) * c)
            add(dp, (n, m + 1), c)
        return dp, dq

    p_terms, q_terms = [], []
    for _ in range(_N_TERMS):
        # J0 enters divided by x, J1 as J1(x) / x times x / x: see `_expanded`.
        p_terms.append(_collect(p, -1))
        q_terms.append(_collect(q, 0))
        p2, q2 = derivative(*derivative(p, q))
        for target, source in ((p2, p), (q2, q)):
            for (n, m), c in source.items():
                add(target, (n, m + 2), c)
        p, q = p2, q2
    return p_terms, q_terms


def _collect(terms: dict[tuple[int, int], float], shift: int) -> dict[int, float]:
    """Sum the terms at R = 1 by their power of k, divided by k^-shift; all powers are even."""
    powers: dict[int, float] = {}
    for (_, m), c in terms.items():
        if c:
            powers[m + shift] = powers.get(m + shift, 0.0) + c
    return powers


@lru_cache(maxsize=8)
def _edge_polynomials(variance: float) -> tuple[Array, Array, Array, Array]:
    """Coefficients in x^2 (highest first) of J0 and J1 / x, and their derivatives with respect to the variance."""
    p_terms, q_terms = _edge_terms()
    size = 1 + max(max(t, default=0) for t in p_terms + q_terms) // 2
    result = np.zeros((4, size))
    for n in range(_N_TERMS):
        factor = (0.5 * variance) ** n / factorial(n)
        slope = 0.5 * (0.5 * variance) ** (n - 1) / factorial(n - 1) if n else 0.0
        for row, terms in enumerate((p_terms[n], q_terms[n])):
            for power, c in terms.items():
                result[row, power // 2] += factor * c
                result[row + 2, power // 2] += slope * c
    p, q, dp, dq = result[:, ::-1]
    return p, q, dp, dq


def _horner(coefficients: Array, square: Array) -> tuple[Array, Array]:
    """Polynomial in x^2 and its derivative with respect to x^2."""
    nonzero = np.flatnonzero(coefficients)
    value, slope = np.zeros_like(square), np.zeros_like(square)
    if not len(nonzero):
        return value, slope
    for c in coefficients[nonzero[0] :]:
        slope = slope * square + value
        value = value * square + c
    return value, slope


def _jinc(x: Array) -> tuple[Array, Array, Array]:
    """J0(x), J1(x) / x and the derivative of the latter."""
    bessel0 = j0(x)
    small = x < 1e-3
    safe = np.where(small, 1.0, x)
    ratio = np.where(small, 0.5 - x * x / 16, j1(safe) / safe)
    slope = np.where(small, -x / 8, (bessel0 - 2 * ratio) / safe)
    return bessel0, ratio, slope


def _expanded(x: Array, variance: float) -> tuple[Array, Array, Array]:
    """Transform of a soft-edged disk at x = k r0, its derivatives by x and by the variance, for a narrow edge."""
    p, q, dp, dq = _edge_polynomials(variance)
    square = x * x
    bessel0, ratio, ratio_slope = _jinc(x)
    p_value, p_slope = _horner(p, square)
    q_value, q_slope = _horner(q, square)
    damping = 2 * np.exp(-0.5 * variance * square) / (1 + variance)
    bracket = p_value * bessel0 + q_value * ratio
    value = damping * bracket
    by_x = (
        damping * (2 * x * (p_slope * bessel0 + q_slope * ratio) - p_value * x * ratio + q_value * ratio_slope)
        - variance * x * value
    )
    by_variance = damping * (_horner(dp, square)[0] * bessel0 + _horner(dq, square)[0] * ratio)
    by_variance -= value * (0.5 * square + 1 / (1 + variance))
    return value, by_x, by_variance


def _mixture(x: Array, variance: float) -> tuple[Array, Array, Array]:
    """The same as `_expanded` by quadrature over the radius of the sharp disks, for a wide edge."""
    spread = sqrt(variance)
    low = max(-8.0, -1 / spread)
    # A mixture that does not reach radius 0 cancels to below 1e-10 beyond 7 / spread, else to below 1e-8 at 40 / spread.
    near = x < (7.0 if spread < 0.15 else 40.0) / spread
    phase = spread * (8.0 - low) * x[near].max(initial=0.0)
    t, weight = gauss_legendre(40 + 16 * int(phase / 28))
    z = low + (8.0 - low) * t
    bell = (8.0 - low) * weight * np.exp(-0.5 * z * z) / sqrt(2 * np.pi)
    radius = 1 + spread * z
    area = bell * radius**2
    norm, norm_slope = area.sum(), (2 * bell * radius * z).sum() / (2 * spread)
    value, by_x, by_variance = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    bessel0, ratio, _ = _jinc(np.outer(x[near], radius))
    value[near] = 2 * ratio @ area / norm
    # d(R J1(x R))/dR = x R J0(x R), and x d/dx of 2 J1(x R) R / x = 2 R^2 (J0 - 2 J1 / (x R)).
    by_x[near] = np.divide(2 * (bessel0 - 2 * ratio) @ area / norm, x[near], out=np.zeros(near.sum()), where=x[near] > 0)
    by_variance[near] = (bessel0 @ (2 * bell * radius * z)) / (2 * spread) / norm - value[near] * norm_slope / norm
    return value, by_x, by_variance


def disk_transform(k: Array, r_0: float, edge_width: float) -> Result:
    """Transform of a disk with an erf edge.

    A soft edge is a normal mixture of sharp disks. For narrow edges the mixture is summed in closed form (an expansion in its
    variance, better than 1e-9), for wide ones by quadrature.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.profiles import disk_transform
    >>> float(disk_transform(np.zeros(1), 0.3, 0.01)[0].round(12)[0])
    1.0
    """
    variance = _edge_variance(edge_width)
    x = k * r_0
    value, by_x, by_variance = (_expanded if variance <= _MAX_VARIANCE else _mixture)(x, variance)
    return value, np.stack([k * by_x, by_variance * (edge_width / EDGE_SCALE**2)])


def _cube_difference(inner: float, outer: float) -> float:
    return (outer - inner) * (outer * outer + outer * inner + inner * inner)


def shell_profile(r: Array, radius: float, width: float) -> Result:
    """Projected spherical shell between `radius` and ``radius + width``, normalised in the plane."""
    inner, outer = radius, radius + max(width, 1e-7 * radius)
    chord_outer = np.sqrt(np.maximum(outer**2 - r * r, 0.0))
    chord_inner = np.sqrt(np.maximum(inner**2 - r * r, 0.0))
    volume = _cube_difference(inner, outer)
    norm = 3 / (2 * np.pi * volume * SQUARE_DEG)
    value = norm * (chord_outer - chord_inner)
    by_outer = norm * np.divide(outer, chord_outer, out=np.zeros_like(r), where=chord_outer > 0) - 3 * outer**2 / volume * value
    by_inner = -norm * np.divide(inner, chord_inner, out=np.zeros_like(r), where=chord_inner > 0) + 3 * inner**2 / volume * value
    return value, np.stack([by_inner + by_outer, by_outer])


def _ball(k: Array, radius: float) -> tuple[Array, Array]:
    """``3 (sin y - y cos y) / k^3`` with ``y = k radius`` (radius cubed times the transform of a ball), and its derivative."""
    y = k * radius
    small = y < 0.5
    safe = np.where(small, 1.0, y)
    sine = np.sin(safe)
    square = y * y
    series = 1 - square / 10 * (1 - square / 28 * (1 - square / 54 * (1 - square / 88 * (1 - square / 130))))
    value = radius**3 * np.where(small, series, 3 * (sine - safe * np.cos(safe)) / safe**3)
    sinc = np.where(
        small, 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110)))), sine / safe
    )
    return value, 3 * radius**2 * sinc


def shell_transform(k: Array, radius: float, width: float) -> Result:
    """Transform of a projected spherical shell.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.profiles import shell_transform
    >>> float(shell_transform(np.zeros(1), 0.3, 0.1)[0].round(12)[0])
    1.0
    """
    inner, outer = radius, radius + max(width, 1e-7 * radius)
    ball_inner, slope_inner = _ball(k, inner)
    ball_outer, slope_outer = _ball(k, outer)
    volume = _cube_difference(inner, outer)
    value = (ball_outer - ball_inner) / volume
    by_outer = (slope_outer - 3 * outer**2 * value) / volume
    by_inner = (3 * inner**2 * value - slope_inner) / volume
    return value, np.stack([by_inner + by_outer, by_outer])
