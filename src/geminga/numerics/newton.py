"""Bounded trust-region Newton for statistics with an exact gradient.

The curvature handed in is the Gauss-Newton part J^T W J, which is positive. What it leaves out, the second
derivatives of the model times the residuals, is estimated from the change of the gradient by a structured secant
(Dennis, Gay & Welsch 1981, ACM TOMS 7, 348, eq. 3.2). Variables are scaled to their conditional errors; bounds are
kept by an active set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["NewtonOptions", "NewtonResult", "minimize"]

Array = NDArray[np.float64]
Function = Callable[[Array, int], tuple[float, Array, Array]]


@dataclass(frozen=True)
class NewtonOptions:
    """Settings of `minimize`.

    Attributes
    ----------
    tol : float
        Converged when the estimated distance to the minimum, in units of the statistic, is below this.
    max_iterations : int
        Largest number of accepted or refused steps.
    radius : float
        First trust radius, in conditional standard deviations.
    exact_below : float
        Take the exact second derivatives once the estimated distance is below this.
    """

    tol: float = 1e-7
    max_iterations: int = 200
    radius: float = 30.0
    exact_below: float = 3.0


@dataclass(frozen=True)
class NewtonResult:
    """Outcome of `minimize`; `status` is ``converged``, ``stalled``, ``iterations`` or ``invalid``."""

    x: Array
    value: float
    gradient: Array
    curvature: Array
    edm: float
    nfev: int
    status: str
    at_bound: NDArray[np.bool_]
    trace: list[dict[str, object]] = field(default_factory=list)


def _solve(curvature: Array, gradient: Array, radius: float) -> tuple[Array, float]:
    """Step within `radius` which lowers the quadratic model most, and the predicted decrease."""
    eigen, vector = np.linalg.eigh(curvature)
    g = vector.T @ gradient
    largest = max(float(np.abs(eigen).max()), 1e-300)
    floor = 1e-11 * largest
    flat = (np.abs(eigen) < floor) & (np.abs(g) < 1e-9 * max(float(np.abs(g).max()), 1e-300))
    safe = np.where(flat, np.inf, eigen)

    def step(shift: float) -> Array:
        return np.asarray(-g / np.maximum(safe + shift, floor))

    low = max(0.0, floor - float(eigen.min())) if (eigen < floor).any() else 0.0
    p = step(low)
    if np.linalg.norm(p) > radius:
        lo, hi = low, low + float(np.linalg.norm(g)) / radius + largest
        for _ in range(60):
            mid = np.sqrt(max(lo, 1e-12 * hi) * hi)
            p = step(mid)
            norm = float(np.linalg.norm(p))
            if abs(norm - radius) < 0.05 * radius:
                break
            lo, hi = (mid, hi) if norm > radius else (lo, mid)
    decrease = -float(g @ p + 0.5 * np.sum(np.where(flat, 0.0, eigen) * p * p))
    return vector @ p, decrease


def _bounded_step(curvature: Array, gradient: Array, radius: float, low: Array, high: Array) -> tuple[Array, float]:
    """Trust-region step inside the box ``low <= p <= high`` (which contains 0), by an active set."""
    n = len(gradient)
    p = np.zeros(n)
    active = ((low >= 0) & (gradient > 0)) | ((high <= 0) & (gradient < 0))
    for _ in range(n + 1):
        free = ~active
        if not free.any():
            break
        rhs = gradient[free] + curvature[np.ix_(free, active)] @ p[active]
        p[free], _ = _solve(curvature[np.ix_(free, free)], rhs, radius)
        below, above = (p < low) & free, (p > high) & free
        if not (below | above).any():
            break
        p[below], p[above] = low[below], high[above]
        active |= below | above
    return p, -float(gradient @ p + 0.5 * p @ curvature @ p)


def _secant(s: Array, d: Array, y: Array, y_structured: Array) -> Array:
    """Update of the second-order part with size control."""
    dy = float(d @ y)
    if dy <= 1e-12 * float(np.linalg.norm(d) * np.linalg.norm(y)):
        return s
    sd = s @ d
    dsd = float(d @ sd)
    size = min(abs(float(d @ y_structured)) / abs(dsd), 1.0) if dsd != 0 else 1.0
    s = size * s
    r = y_structured - size * sd
    return np.asarray(s + (np.outer(r, y) + np.outer(y, r)) / dy - float(d @ r) / dy**2 * np.outer(y, y))


def minimize(function: Function, x0: Array, low: Array, high: Array, options: NewtonOptions | None = None) -> NewtonResult:
    """Minimise ``function(x, order) -> (value, gradient, curvature)`` inside a box.

    Parameters
    ----------
    function : callable
        `order` 2 asks for all three; 3 for the exact curvature in place of the positive one.
    x0, low, high : array
        Start and bounds; infinite where there is none.
    """
    options = options or NewtonOptions()
    x = np.clip(np.asarray(x0, dtype=float), low, high)
    value, gradient, curvature = function(x, 2)
    nfev = 1
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        return NewtonResult(x, value, gradient, curvature, np.inf, nfev, "invalid", np.zeros(len(x), bool))
    diagonal = np.diag(curvature)
    magnitude = np.where(x != 0, np.abs(x), 1.0)
    scale = np.where(diagonal > 0, 1 / np.sqrt(np.maximum(diagonal, 1e-300)), magnitude)
    second = np.zeros_like(curvature)
    radius = options.radius * np.sqrt(len(x))
    trace: list[dict[str, object]] = []
    status, edm, small, exact = "iterations", np.inf, 0, False
    for _ in range(options.max_iterations):
        g = gradient * scale
        a = (curvature + second) * np.outer(scale, scale)
        lo, hi = (low - x) / scale, (high - x) / scale
        _, edm = _bounded_step(a, g, np.inf, lo, hi)
        if edm < options.exact_below and not exact:
            # Close to the minimum the exact second derivatives make the rest quadratic.
            second = function(x, 3)[2] - curvature
            exact = True
            nfev += 1
            continue
        if 0 <= edm < options.tol:
            status = "converged"
            break
        p, predicted = _bounded_step(a, g, radius, lo, hi)
        trial = np.clip(x + scale * p, low, high)
        if not predicted > 0 or np.array_equal(trial, x):
            second = np.zeros_like(second)
            small += 1
            if small > 2:
                status = "stalled"
                break
            continue
        new_value, new_gradient, new_curvature = function(trial, 2)
        nfev += 1
        finite = np.isfinite(new_value) and np.isfinite(new_gradient).all()
        ratio = (value - new_value) / predicted if finite else -1.0
        noise = 1e-13 * abs(value)
        accepted = ratio > 1e-4 or (finite and abs(value - new_value) <= 20 * noise and predicted < 1e3 * noise)
        length = float(np.linalg.norm(p))
        trace.append({"x": trial, "stat": new_value, "ratio": ratio, "radius": radius, "accepted": accepted})
        if accepted:
            d, y = trial - x, new_gradient - gradient
            second = _secant(second, d, y, y - new_curvature @ d)
        if accepted:
            small = 0
            x, value, gradient, curvature = trial, new_value, new_gradient, new_curvature
            if ratio > 0.75:
                radius = max(radius, 3 * length)
        if ratio < 0.25:
            radius = 0.25 * length if finite else 0.1 * length
            if radius < 1e-7:
                status = "stalled"
                break
    bound = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
    return NewtonResult(x, value, gradient, curvature + second, edm, nfev, status, bound, trace)
