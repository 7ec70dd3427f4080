"""Bounded trust-region Newton for statistics with an exact gradient.

The curvature handed in is the Gauss-Newton part J^T W J, which is positive. What it leaves out, the second
derivatives of the model times the residuals, is estimated from the change of the gradient by a structured secant
(Dennis, Gay & Welsch 1981, ACM TOMS 7, 348, eq. 3.2). Variables are scaled to their conditional errors; bounds are
kept by an active set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NewtonOptions", "NewtonResult", "minimize"]

Array = NDArray[np.float64]
Function = Callable[[Array, int], tuple[float, Array, Array]]


#: Largest unit of the trust radius, relative to the size of a variable (or 1).
FARTHEST = 0.1


#: Fall of the estimated distance to the minimum by one step, beyond which the second derivatives of the last point will do.
GOOD_STEP = 0.1

#: Largest difference from 1 of actual over predicted decrease in a step after which they may.
AS_PREDICTED = 0.25


#: Smallest eigenvalue of the second derivatives, in the scales and relative to the largest, where there is no valley.
NO_VALLEY = 1e-3

#: How much nearer to its minimum a search comes in a valley: there the rest of a slope across looks like a bend along it.
DEEPER = 1e-6


#: Rounding of a statistic, relative to it.
NOISE = 1e-13

#: Derivatives, in units of the scales, beyond which a point is not one to go to.
ABSURD = 1e50


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
class Step:
    """One trial: where, its statistic, actual over predicted decrease, trust radius, and whether it was taken."""

    x: Array
    stat: float
    ratio: float
    radius: float
    accepted: bool


@dataclass(frozen=True)
class NewtonResult:
    """Outcome of `minimize`; `status` is ``converged``, ``stalled``, ``iterations`` or ``invalid``.

    The derivatives are those before the last step.
    """

    x: Array
    value: float
    gradient: Array
    curvature: Array
    edm: float
    nfev: int
    status: str
    at_bound: NDArray[np.bool_]
    trace: list[Step] = field(default_factory=list)


def _solve(curvature: Array, gradient: Array, radius: float) -> tuple[Array, float]:
    """Step within `radius` which lowers the quadratic model most, and the predicted decrease."""
    eigen, vector = np.linalg.eigh(curvature)
    g = vector.T @ gradient
    largest = max(float(np.abs(eigen).max()), 1e-300)
    # Where nothing bends at all the step is long, but a number.
    floor = max(1e-11 * largest, 1e-14 * float(np.abs(g).max()))
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
        if free.all():
            p, _ = _solve(curvature, gradient, radius)
        else:
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


class _Walk:
    """Where the search is, and its steps."""

    def __init__(self, function: Function, x0: Array, low: Array, high: Array, options: NewtonOptions) -> None:
        self.function, self.low, self.high, self.options = function, low, high, options
        self.x = np.clip(np.asarray(x0, dtype=float), low, high)
        self.value, self.gradient, self.curvature = function(self.x, 2)
        self.nfev = 1
        diagonal = np.diag(self.curvature)
        magnitude = np.where(self.x != 0, np.abs(self.x), 1.0)
        self.scale = np.where(diagonal > 0, 1 / np.sqrt(np.maximum(diagonal, 1e-300)), magnitude)
        # Where the statistic hardly bends, the conditional error says nothing about how far a step may go.
        self.scale = np.minimum(self.scale, FARTHEST * np.maximum(magnitude, 1.0))
        self.second = np.zeros_like(self.curvature)
        self.radius = options.radius * np.sqrt(len(self.x))
        self.is_exact, self.moved = False, False  # whether second derivatives are, or were where the search came from
        self.refused = 0
        self.trace: list[Step] = []

    def is_valid(self) -> bool:
        """Can the search start."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())

    def model_step(self, radius: float) -> tuple[Array, float]:
        """Best step of the quadratic model in scaled variables, and the predicted decrease."""
        s = self.scale
        a = (self.curvature + self.second) * np.outer(s, s)
        return _bounded_step(a, self.gradient * s, radius, (self.low - self.x) / s, (self.high - self.x) / s)

    def wants_exact(self, edm: float, before: float) -> bool:
        """Close to the minimum take exact second derivatives: no valley makes the search crawl.

        They are made anew only after a step which did not do what they promise; until then secants keep up with their change.
        """
        if not self.is_exact:
            return edm < self.options.exact_below
        return self.moved and (edm > GOOD_STEP * before or (self.is_done(edm, before) and self.is_valley()))

    def is_valley(self) -> bool:
        """Is the statistic much flatter along one direction than along another."""
        eigen = np.linalg.eigvalsh((self.curvature + self.second) * np.outer(self.scale, self.scale))
        return bool(eigen[0] < NO_VALLEY * eigen[-1])

    def is_done(self, edm: float, before: float) -> bool:
        """Is the minimum as near as asked for; in a valley, as near as rounding lets it come."""
        if not 0 <= edm < self.options.tol:
            return False
        return edm < DEEPER * self.options.tol or edm > GOOD_STEP * before or not (self.is_exact and self.is_valley())

    def make_exact(self) -> None:
        """Exact second derivatives here."""
        self.curvature = self.function(self.x, 3)[2]
        self.second = np.zeros_like(self.curvature)
        self.is_exact, self.moved = True, False
        self.nfev += 1

    def step(self, p: Array, predicted: float) -> str:
        """Try the step of the whole model, cut to the radius; gives a status if the search ends here, else nothing."""
        if np.linalg.norm(p) > self.radius:
            p, predicted = self.model_step(self.radius)
        trial = np.clip(self.x + self.scale * p, self.low, self.high)
        if not predicted > 0 or np.array_equal(trial, self.x):
            self.second = np.zeros_like(self.second)
            self.refused += 1
            return "stalled" if self.refused > 2 else ""
        value = self.function(trial, 0)[0]
        self.nfev += 1
        finite = bool(np.isfinite(value))
        ratio = (self.value - value) / predicted if finite else -1.0
        noise = NOISE * abs(self.value)
        is_rounding = finite and abs(value - self.value) <= 20 * noise and predicted < 1e3 * noise
        accepted = (ratio > 1e-4 or is_rounding) and self._accept(trial, is_rounding or abs(ratio - 1) < AS_PREDICTED)
        finite = finite and (accepted or ratio <= 1e-4)
        ratio = ratio if finite else -1.0
        length = float(np.linalg.norm(p))
        self.trace.append(Step(trial, value, ratio, self.radius, accepted))
        if accepted and ratio > 0.75:
            self.radius = max(self.radius, 3 * length)
        if ratio < 0.25:
            self.radius = (0.25 if finite else 0.1) * length
        return "stalled" if self.radius < 1e-7 else ""

    def _accept(self, trial: Array, as_predicted: bool) -> bool:
        """Move there; not to where derivatives are no numbers, or so large that nothing can be made from them."""
        keep = self.is_exact and as_predicted
        order = 1 if keep else 3 if self.is_exact else 2
        value, gradient, curvature = self.function(trial, order)
        curvature = self.curvature if keep else curvature
        size = float(np.abs(gradient * self.scale).max()) + float(np.abs(np.diag(curvature) * self.scale**2).max())
        if not size < ABSURD or not np.isfinite(curvature).all():
            return False
        d, y = trial - self.x, gradient - self.gradient
        self.second = np.zeros_like(self.second) if order > 2 else _secant(self.second, d, y, y - curvature @ d)
        self.x, self.value, self.gradient, self.curvature = trial, value, gradient, curvature
        self.refused, self.moved = 0, order < 3
        return True

    def result(self, status: str, edm: float) -> NewtonResult:
        """The outcome."""
        bound = ((self.x <= self.low) & (self.gradient > 0)) | ((self.x >= self.high) & (self.gradient < 0))
        curvature = self.curvature + self.second
        return NewtonResult(self.x, self.value, self.gradient, curvature, edm, self.nfev, status, bound, self.trace)


def take_last_step(walk: Any, p: Array) -> None:
    """Take the last step too, which is smaller than asked for, without a look at the derivatives there."""
    trial = np.clip(walk.x + walk.scale * p, walk.low, walk.high)
    value = walk.function(trial, 0)[0]
    walk.nfev += 1
    if value <= walk.value + NOISE * abs(walk.value):
        walk.x, walk.value = trial, value
        walk.trace.append(Step(trial, value, 1.0, walk.radius, True))


def minimize(function: Function, x0: Array, low: Array, high: Array, options: NewtonOptions | None = None) -> NewtonResult:
    """Minimise ``function(x, order) -> (value, gradient, curvature)`` inside a box.

    Parameters
    ----------
    function : callable
        `order` 0 asks for the value; 2 for all three; 3 for the exact curvature in place of the positive one.
    x0, low, high : array
        Start and bounds; infinite where there is none.
    options : NewtonOptions, optional
        Settings.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.newton import minimize
    >>> def parabola(x, order):
    ...     return float(x @ x), 2 * x, 2 * np.eye(2)
    >>> minimize(parabola, np.ones(2), np.full(2, -9.0), np.full(2, 9.0)).status
    'converged'
    """
    options = options or NewtonOptions()
    walk = _Walk(function, x0, low, high, options)
    if not walk.is_valid():
        return walk.result("invalid", np.inf)
    edm = before = np.inf
    for _ in range(options.max_iterations):
        p, edm = walk.model_step(np.inf)
        if walk.wants_exact(edm, before):
            walk.make_exact()
            continue
        if walk.is_done(edm, before):
            take_last_step(walk, p)
            return walk.result("converged", edm)
        before, status = edm, walk.step(p, edm)
        if status:
            return walk.result(status, edm)
    return walk.result("iterations", edm)
