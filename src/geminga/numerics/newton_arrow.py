"""Bounded trust-region Newton for thousands of parameters whose curvature is an arrow (see `geminga.numerics.arrow`).

As `geminga.numerics.newton`, but every step costs as much as there are parameters. Far from the minimum the curvature is
J^T W J, closer it is exact at some of the steps; where that is not positive, and to shorten a step, the diagonal is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.arrow import Arrow
from geminga.numerics.newton import GOOD_STEP, NOISE, NewtonOptions, Step, take_last_step

__all__ = ["ArrowMinimum", "minimize_arrow"]

Array = NDArray[np.float64]
Function = Callable[[Array, int], tuple[float, Array, Arrow]]


@dataclass(frozen=True)
class ArrowMinimum:
    """Outcome of `minimize_arrow`; see `geminga.numerics.newton.NewtonResult`."""

    x: Array
    value: float
    edm: float
    nfev: int
    status: str
    trace: list[Step]


def _shifted_step(matrix: Arrow, gradient: Array, radius: float) -> Array:
    """Step of the quadratic model, with the smallest shift that makes it positive and keeps the step within `radius`."""
    shift, low, step = 0.0, 0.0, np.zeros_like(gradient)
    high = np.inf
    for _ in range(60):
        inverse = matrix.shifted(shift).inverse() if shift else matrix.inverse()
        if inverse is not None:
            step = -inverse.solve(gradient)
            norm = float(np.linalg.norm(step))
            if norm <= radius and (shift == 0 or norm > 0.8 * radius or low == 0 or high < 1.1 * low):
                return step
            if norm <= radius:
                high = shift
            else:
                low = shift
        else:
            low = shift
        shift = 10 * max(low, 1e-4) if not np.isfinite(high) else float(np.sqrt(max(low, 1e-3 * high) * high))
    return step


def _bounded_step(matrix: Arrow, gradient: Array, radius: float, low: Array, high: Array) -> Array:
    """The same inside the box ``low <= p <= high`` (which contains 0), by an active set."""
    p = np.zeros_like(gradient)
    active = ((low >= 0) & (gradient > 0)) | ((high <= 0) & (gradient < 0))
    for _ in range(20):
        if active.all():
            break
        rhs = np.where(active, 0.0, gradient + matrix.times(np.where(active, p, 0.0)))
        step = _shifted_step(matrix.without(active), rhs, radius)
        p = np.where(active, p, step)
        below, above = (p < low) & ~active, (p > high) & ~active
        if not (below | above).any():
            break
        p[below], p[above] = low[below], high[above]
        active |= below | above
    return np.clip(p, low, high)


class _Walk:
    """Where the search is, and its steps."""

    def __init__(self, function: Function, x0: Array, low: Array, high: Array, options: NewtonOptions) -> None:
        self.function, self.low, self.high = function, low, high
        self.x = np.clip(np.asarray(x0, dtype=float), low, high)
        self.is_exact = self.moved = False
        self.nfev = 1
        self.value, self.gradient, self.curvature = function(self.x, 2)
        diagonal = self.curvature.diagonal()
        magnitude = np.where(self.x != 0, np.abs(self.x), 1.0)
        self.scale = np.where(diagonal > 0, 1 / np.sqrt(np.maximum(diagonal, 1e-300)), magnitude)
        self.radius = options.radius * np.sqrt(len(self.x))
        self.trace: list[Step] = []

    def model_step(self, radius: float) -> tuple[Array, float]:
        """Best step of the quadratic model in scaled variables, and the predicted decrease."""
        s = self.scale
        matrix, gradient = self.curvature.scaled(s), self.gradient * s
        p = _bounded_step(matrix, gradient, radius, (self.low - self.x) / s, (self.high - self.x) / s)
        return p, -float(gradient @ p + 0.5 * p @ matrix.times(p))

    def look(self, order: int) -> None:
        """Evaluate derivatives here; second ones stay with an `order` of 1."""
        self.value, self.gradient, curvature = self.function(self.x, order)
        self.curvature = curvature if order > 1 else self.curvature
        self.is_exact, self.moved = order == 3 or (order == 1 and self.is_exact), order < 3
        self.nfev += 1

    def wants_exact(self, edm: float, before: float, near: float) -> bool:
        """Are exact second derivatives due: near the minimum, and anew after a step which did not do what they promise."""
        return self.moved and edm > GOOD_STEP * before if self.is_exact else edm < near

    def step(self, p: Array, predicted: float) -> bool:
        """Try a step that was planned within the radius; says whether the search can go on."""
        trial = np.clip(self.x + self.scale * p, self.low, self.high)
        value = self.function(trial, 0)[0]
        finite = bool(np.isfinite(value))
        ratio = (self.value - value) / predicted if finite and predicted > 0 else -1.0
        noise = NOISE * abs(self.value)
        is_rounding = finite and abs(value - self.value) <= 20 * noise and abs(predicted) < 1e3 * noise
        accepted = ratio > 1e-4 or is_rounding
        length = float(np.linalg.norm(p))
        self.trace.append(Step(trial, value, ratio, self.radius, accepted))
        if accepted:
            self.x = trial
            self.look(1 if self.is_exact else 2)
        if ratio > 0.75:
            self.radius = max(self.radius, 3 * length)
        elif ratio < 0.25:
            self.radius = (0.25 if finite else 0.1) * length
        return accepted or self.radius > 1e-7


def minimize_arrow(function: Function, x0: Array, low: Array, high: Array, options: NewtonOptions | None = None) -> ArrowMinimum:
    """Minimise ``function(x, order) -> (value, gradient, Arrow)`` inside a box.

    Parameters
    ----------
    function : callable
        `order` 0 asks for the value; 2 for all three; 3 for the exact curvature in place of the positive one.
    x0, low, high : array
        Start and bounds; infinite where there is none.
    options : NewtonOptions, optional
        Settings.
    """
    options = options or NewtonOptions()
    walk = _Walk(function, x0, low, high, options)
    if not (np.isfinite(walk.value) and np.isfinite(walk.gradient).all()):
        return _result(walk, "invalid", np.inf)
    edm = before = np.inf
    # The distance at which the quadratic model can be trusted grows with the number of directions.
    near = options.exact_below * max(1.0, 0.1 * len(walk.x))
    for _ in range(options.max_iterations):
        p, edm = walk.model_step(np.inf)
        if walk.wants_exact(edm, before, near):
            walk.look(3)
            continue
        if 0 <= edm < options.tol:
            take_last_step(walk, p)
            return _result(walk, "converged", edm)
        predicted = before = edm
        if np.linalg.norm(p) > walk.radius:
            p, predicted = walk.model_step(walk.radius)
        if not walk.step(p, predicted):
            return _result(walk, "stalled", edm)
    return _result(walk, "iterations", edm)


def _result(walk: _Walk, status: str, edm: float) -> ArrowMinimum:
    return ArrowMinimum(walk.x, walk.value, edm, walk.nfev, status, walk.trace)
