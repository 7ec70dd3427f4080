"""Scans, asymmetric errors and contours. Nothing here writes into a parameter for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from geminga.modeling.fit.backends import make_minuit, newton
from geminga.modeling.fit.diagnosis import covariance_of
from geminga.modeling.fit.objective import Objective

__all__ = ["confidence", "contour", "minos", "scan"]

Array = NDArray[np.float64]


def _without(objective: Objective, fixed: NDArray[np.intp], values: Array) -> Callable[[Array, int], tuple[float, Array, Array]]:
    """The objective as a function of the remaining parameters."""
    keep = np.setdiff1d(np.arange(len(objective.x0)), fixed)

    def function(x: Array, order: int) -> tuple[float, Array, Array]:
        full = np.empty(len(keep) + len(fixed))
        full[keep], full[fixed] = x, values
        stat, gradient, curvature = objective(full, order)
        return stat, gradient[keep] if order else gradient, curvature[np.ix_(keep, keep)] if order > 1 else curvature

    return function


def _profile_stat(objective: Objective, position: int, value: float, start: Array) -> tuple[float, Array]:
    """Statistic minimised over the others at one value, and where."""
    n = len(start)
    keep = np.delete(np.arange(n), position)
    full = start.copy()
    full[position] = value
    if n == 1:
        return objective(full, 0)[0], full
    function = _without(objective, np.array([position]), np.array([value]))
    names = [objective.names()[i] for i in keep]
    minimum = newton(function, start[keep], objective.low[keep], objective.high[keep], names, None)
    full[keep] = minimum.x
    return minimum.stat, full


def _crossing(
    objective: Objective, position: int, target: float, side: int, sigma: float, reoptimize: bool, step: float
) -> float:
    """Distance from the minimum at which the profile reaches `target`; NaN if it does not."""
    x0 = objective.x0
    bound = objective.high[position] if side > 0 else objective.low[position]
    limit = abs(bound - x0[position])
    start = x0.copy()

    def excess(distance: float) -> float:
        nonlocal start
        value = x0[position] + side * distance
        if reoptimize:
            stat, start = _profile_stat(objective, position, value, start)
        else:
            full = x0.copy()
            full[position] = value
            stat = objective(full, 0)[0]
        return stat - target

    low, f_low = 0.0, -(sigma**2)
    high = min(step * sigma, limit)
    for _ in range(60):
        f_high = excess(high)
        if f_high > 0 or not np.isfinite(f_high):
            break
        if high >= limit:
            return float("nan")
        low, f_low = high, f_high
        high = min(2 * high, limit)
    else:
        return float("nan")
    # Regula falsi in sqrt(stat), which is nearly linear (Illinois variant).
    root = sigma**2
    for _ in range(60):
        if np.isfinite(f_high):
            a, b = np.sqrt(max(f_low + root, 0)), np.sqrt(f_high + root)
            middle = low + (high - low) * (sigma - a) / (b - a) if b > a else 0.5 * (low + high)
            middle = min(max(middle, low + 0.02 * (high - low)), high - 0.02 * (high - low))
        else:
            middle = 0.5 * (low + high)
        f_middle = excess(middle)
        if abs(f_middle) < 1e-6 * root or high - low < 1e-9 * high:
            return float(middle)
        if f_middle > 0:
            high, f_high = middle, f_middle
        else:
            low, f_low = middle, f_middle
    return float(middle)


def confidence(objective: Objective, position: int, sigma: float, reoptimize: bool) -> dict[str, Any]:
    """Asymmetric errors by following the profile (see `Fit.confidence`)."""
    x0 = objective.x0
    stat, _, curvature = objective.curvature(x0, 3)
    covariance, _ = covariance_of(curvature, x0, np.zeros(len(x0), bool))
    error = np.nan if covariance is None else np.sqrt(covariance.variances()[position])
    if not reoptimize:
        error = np.sqrt(2 / max(curvature.diagonal()[position], 1e-300))
    step = float(error) if np.isfinite(error) and error > 0 else 0.1 * max(abs(float(x0[position])), 1e-3)
    values = {
        name: _crossing(objective, position, stat + sigma**2, side, sigma, reoptimize, step)
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


def scan(
    items: list[Any], parameters: Sequence[Any], points: Array, reoptimize: bool, optimize: Callable[..., Any]
) -> tuple[Array, list[Any]]:
    """Statistic at given values of some parameters, the others at their values or at their best."""
    from geminga.modeling.models.collection import Models

    kept = [(p, p.value, p.frozen) for p in parameters]
    models = Models([*{id(m): m for d in items for m in (d.models or [])}.values()])
    stats, results = [], []
    try:
        for p in parameters:
            p.frozen = False
        objective = Objective(items)
        index = np.array([next(i for i, q in enumerate(objective.free_parameters) if q is p) for p in parameters])
        keep = np.setdiff1d(np.arange(len(objective.x0)), index)
        start = objective.x0
        for point in points:
            full = start.copy()
            full[index] = point
            if not reoptimize or len(keep) == 0:
                stats.append(objective(full, 0)[0])
                continue
            for p, value in zip(parameters, point, strict=True):
                p.value, p.frozen = float(value), True
            result = optimize(Objective(items), models)
            results.append(result)
            stats.append(result.total_stat)
    finally:
        for p, value, frozen in kept:
            p.value, p.frozen = value, frozen
    return np.array(stats), results


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
