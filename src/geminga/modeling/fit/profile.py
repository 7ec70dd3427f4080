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
from geminga.modeling.fit.objective import Objective

__all__ = ["confidence", "contour", "minos", "scan"]

Array = NDArray[np.float64]


def _minimum_at(objective: Objective, fixed: NDArray[np.intp], values: Array, start: Array) -> Minimum:
    """Minimum over the other parameters where some have given values: bounds hold them there."""
    low, high, x = objective.low.copy(), objective.high.copy(), start.copy()
    low[fixed] = high[fixed] = x[fixed] = values
    return newton(objective, x, low, high, [], None)


def _profile_stat(objective: Objective, position: int, value: float, start: Array) -> tuple[float, Array]:
    """Statistic minimised over the others at one value, and where."""
    minimum = _minimum_at(objective, np.array([position]), np.array([value]), start)
    return minimum.stat, minimum.x


class _Profile:
    """Rise of the statistic over its minimum along one parameter, at distances to one side.

    Parameters
    ----------
    objective : Objective
        At its minimum.
    position : int
        The parameter.
    side : int
        1 for larger values, -1 for smaller ones.
    target : float
        Statistic to be reached.
    reoptimize : bool
        Minimise over the other parameters at every distance, from where the last search ended.
    """

    def __init__(self, objective: Objective, position: int, side: int, target: float, reoptimize: bool) -> None:
        self.objective, self.position, self.side, self.target = objective, position, side, target
        self.reoptimize = reoptimize
        self.start = objective.x0.copy()
        bound = objective.high[position] if side > 0 else objective.low[position]
        self.limit = float(abs(bound - self.start[position]))

    def excess(self, distance: float) -> float:
        """Statistic over the target."""
        x0 = self.objective.x0
        value = x0[self.position] + self.side * distance
        if self.reoptimize:
            stat, self.start = _profile_stat(self.objective, self.position, value, self.start)
            return stat - self.target
        x0 = x0.copy()
        x0[self.position] = value
        return self.objective(x0, 0)[0] - self.target


def _crossing(profile: _Profile, sigma: float, step: float) -> float:
    """Distance from the minimum at which the profile reaches its target; NaN if it does not."""
    low, f_low = 0.0, -(sigma**2)
    high = min(step * sigma, profile.limit)
    for _ in range(60):
        f_high = profile.excess(high)
        if f_high > 0 or not np.isfinite(f_high):
            return _regula_falsi(profile, sigma, (low, f_low), (high, f_high))
        if high >= profile.limit:
            break
        low, f_low = high, f_high
        high = min(2 * high, profile.limit)
    return float("nan")


def _regula_falsi(profile: _Profile, sigma: float, low_end: tuple[float, float], high_end: tuple[float, float]) -> float:
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
        f_middle = profile.excess(middle)
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
    values = {
        name: _crossing(_Profile(objective, position, side, stat + sigma**2, reoptimize), sigma, step)
        for name, side in (("errp", 1), ("errn", -1))
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
    kept = [(p, p.frozen) for p in parameters]
    try:
        for p in parameters:
            p.frozen = False
        objective = Objective(datasets, within_bounds=False)
    finally:
        for p, frozen in kept:
            p.frozen = frozen
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
    """Points of the contour of two parameters, by MNCONTOUR of iminuit with the exact gradient."""
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
