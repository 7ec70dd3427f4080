"""Scans, asymmetric errors and contours. Nothing here writes into a parameter for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from geminga.modeling.fit.backends import Minimum, make_minuit, newton
from geminga.modeling.fit.diagnosis import covariance_of
from geminga.modeling.fit.end import End
from geminga.modeling.fit.objective import Objective, freed

__all__ = ["confidence", "contour", "minos", "mncontour", "scan"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def _minimum_at(objective: Objective, fixed: Index, values: Array, start: Array) -> Minimum:
    """Minimum over the other parameters where some have given values: bounds hold them there."""
    low, high, x = objective.low.copy(), objective.high.copy(), start.copy()
    low[fixed] = high[fixed] = x[fixed] = values
    return newton(objective, x, low, high, objective.names(), None)


class _Ray:
    """Rise of the statistic over a target along a ray from the minimum, in the space of some parameters.

    Parameters
    ----------
    objective : Objective
        At its minimum.
    positions : array of int
        The parameters.
    direction : array
        By how much each changes for a distance of 1.
    target : float
        Statistic to be reached.
    reoptimize : bool
        Minimise over the other parameters at every distance, from where the last search ended.
    """

    def __init__(self, objective: Objective, positions: Index, direction: Array, target: float, reoptimize: bool) -> None:
        self.objective, self.positions, self.direction, self.target = objective, positions, direction, target
        self.reoptimize = reoptimize
        self.origin = objective.x0[positions]
        self.start = objective.x0.copy()
        bound = np.where(direction > 0, objective.high[positions], objective.low[positions])
        with np.errstate(divide="ignore", invalid="ignore"):
            self.limit = float(np.min(np.where(direction != 0, (bound - self.origin) / direction, np.inf)))

    def point(self, distance: float) -> Array:
        """Values of the parameters at a distance, not beyond their bounds."""
        own = self.origin + distance * self.direction
        return np.clip(own, self.objective.low[self.positions], self.objective.high[self.positions])

    def excess(self, distance: float) -> float:
        """Statistic over the target."""
        if self.reoptimize:
            minimum = _minimum_at(self.objective, self.positions, self.point(distance), self.start)
            self.start = minimum.x
            return minimum.stat - self.target
        x = self.objective.x0.copy()
        x[self.positions] = self.point(distance)
        return self.objective(x, 0)[0] - self.target


def _crossing(ray: _Ray, sigma: float, step: float) -> float:
    """Distance from the minimum at which the statistic reaches the target; NaN if it does not."""
    low, f_low = 0.0, -(sigma**2)
    high = min(step * sigma, ray.limit)
    for _ in range(60):
        f_high = ray.excess(high)
        if f_high > 0 or not np.isfinite(f_high):
            return _regula_falsi(ray, sigma, (low, f_low), (high, f_high))
        if high >= ray.limit:
            break
        low, f_low = high, f_high
        high = min(2 * high, ray.limit)
    return float("nan")


def _regula_falsi(ray: _Ray, sigma: float, low_end: tuple[float, float], high_end: tuple[float, float]) -> float:
    """Root between two distances, by regula falsi in sqrt(stat), which is nearly linear (Illinois variant)."""
    (low, f_low), (high, f_high) = low_end, high_end
    root = sigma**2
    middle = high
    for _ in range(60):
        middle = 0.5 * (low + high)
        if np.isfinite(f_high):
            a, b = np.sqrt(max(f_low + root, 0)), np.sqrt(f_high + root)
            middle = low + (high - low) * (sigma - a) / (b - a) if b > a else middle
            middle = min(max(middle, low + 0.02 * (high - low)), high - 0.02 * (high - low))
        f_middle = ray.excess(middle)
        if abs(f_middle) < 1e-6 * root or high - low < 1e-9 * high:
            break
        if f_middle > 0:
            high, f_high = middle, f_middle
        else:
            low, f_low = middle, f_middle
    return float(middle)


def confidence(objective: Objective, position: int, sigma: float, reoptimize: bool) -> dict[str, Any]:
    """Asymmetric errors by following the profile (see `Fit.confidence`)."""
    x0 = objective.x0
    end = End.at(objective, x0)
    stat, curvature, (covariance, _) = end.stat, end.curvature, covariance_of(end.curvature, end.dead)
    error = np.nan if covariance is None else np.sqrt(covariance.variances()[position])
    if not reoptimize:
        error = np.sqrt(2 / max(curvature.diagonal()[position], 1e-300))
    step = float(error) if np.isfinite(error) and error > 0 else 0.1 * max(abs(float(x0[position])), 1e-3)
    own, target = np.array([position]), stat + sigma**2
    values = {
        name: _crossing(_Ray(objective, own, np.array([side]), target, reoptimize), sigma, step)
        for name, side in (("errp", 1.0), ("errn", -1.0))
    }
    failed = [n for n, v in values.items() if not np.isfinite(v)]
    name = objective.names()[position]
    message = "Confidence terminated successfully."
    if failed:
        message = f"The statistic of {name} does not rise by {sigma**2:g} inside its bounds: no {' and '.join(failed)}."
    return {"success": not failed, "message": message, **values, "nfev": objective.nfev}


def minos(objective: Objective, position: int, sigma: float) -> dict[str, Any]:
    """Asymmetric errors by MINOS."""
    names = objective.names()
    m = make_minuit(objective, objective.x0, objective.low, objective.high, names, {})
    m.migrad()
    m.minos(names[position], cl=float(chi2(1).cdf(sigma**2)))
    error = m.merrors[names[position]]
    scale = m.geminga_scale[position]
    message = "Minos terminated successfully." if error.is_valid else f"MINOS failed for {names[position]}."
    return {
        "success": bool(error.is_valid),
        "message": message,
        "errp": float(error.upper * scale) if error.upper_valid else float("nan"),
        "errn": float(-error.lower * scale) if error.lower_valid else float("nan"),
        "nfev": objective.nfev,
    }


def scan(datasets: Any, parameters: Sequence[Any], points: Array, reoptimize: bool) -> tuple[Array, list[tuple[Minimum, int]]]:
    """Statistic at given values of some parameters, the others at their values or at their best.

    With `reoptimize` also each minimum and the number of evaluations it took; one starts where the last one ended.
    """
    with freed(parameters):
        objective = Objective(datasets, within_bounds=False)
    place = {id(p): i for i, p in enumerate(objective.free_parameters)}
    index = np.array([place[id(p)] for p in parameters])
    if not reoptimize:
        full = np.repeat(objective.x0[None], len(points), axis=0)
        full[:, index] = points
        return objective.value_many(full), []
    minima, x = [], objective.x0
    for point in points:
        before = objective.nfev
        minimum = _minimum_at(objective, index, point, x)
        if minimum.success and objective.refresh(minimum.x):
            minimum = _minimum_at(objective, index, point, minimum.x)
        minima.append((minimum, objective.nfev - before))
        x = minimum.x if minimum.success else objective.x0
    return np.array([minimum.stat for minimum, _ in minima]), minima


def contour(objective: Objective, i: int, j: int, numpoints: int, sigma: float) -> tuple[Array, Array, bool]:
    """Points of the contour of two parameters, on rays which the covariance spaces evenly; cut off by their bounds.

    Each ray starts where the search on the one before ended.
    """
    end, positions = End.at(objective, objective.x0), np.array([i, j])
    covariance, _ = covariance_of(end.curvature, end.dead | end.at_bound)
    if covariance is None or not covariance.used[positions].all():
        return np.zeros(0), np.zeros(0), False
    size = np.linalg.cholesky(covariance.block(positions))
    points, start, success = [], objective.x0, True
    for angle in np.linspace(0, 2 * np.pi, numpoints, endpoint=False):
        direction = size @ np.array([np.cos(angle), np.sin(angle)])
        ray = _Ray(objective, positions, direction, end.stat + sigma**2, reoptimize=True)
        ray.start = start
        distance = _crossing(ray, sigma, 1.0)
        start = ray.start
        if not np.isfinite(distance):
            distance = ray.limit  # the bound is the border
            success &= bool(np.isfinite(distance))
        points.append(ray.point(distance if np.isfinite(distance) else np.nan))
    closed = np.array([*points, points[0]])
    return closed[:, 0], closed[:, 1], success


def mncontour(objective: Objective, i: int, j: int, numpoints: int, sigma: float) -> tuple[Array, Array, bool]:
    """The same by MNCONTOUR of iminuit with the exact gradient."""
    names = objective.names()
    m = make_minuit(objective, objective.x0, objective.low, objective.high, names, {})
    m.migrad()
    m.hesse()
    points = np.asarray(m.mncontour(names[i], names[j], cl=float(chi2(2).cdf(sigma**2)), size=numpoints))
    if len(points) == 0:
        return np.zeros(0), np.zeros(0), False
    if not np.array_equal(points[0], points[-1]):
        points = np.concatenate([points, points[:1]])
    scale = m.geminga_scale
    return points[:, 0] * scale[i], points[:, 1] * scale[j], True
