"""Norms, errors, limits and profiles of all problems of a batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling import Parameter
from geminga.numerics.binned_norm import BinnedProblem
from geminga.numerics.norm_fit import Problem, best_norm, crossing

__all__ = ["NormOptions", "estimate_limits", "estimate_norms", "norm_parameter", "sensitivity"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NormOptions:
    """What to compute, and the range of the norm."""

    selection: Collection[str]
    n_sigma: float
    n_sigma_ul: float
    n_sigma_sensitivity: float
    low: float = -np.inf
    high: float = np.inf
    scan: Array = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, estimator: Any) -> NormOptions:
        """Those of an estimator with a parameter ``norm``."""
        norm = estimator.norm
        low = -np.inf if np.isnan(norm.min) else norm.min
        high = np.inf if np.isnan(norm.max) else norm.max
        sigmas = estimator.n_sigma, estimator.n_sigma_ul, estimator.n_sigma_sensitivity
        return cls(estimator.selection_optional, *sigmas, low, high, np.asarray(norm.scan_values, dtype=float))


def norm_parameter(value: Any = None) -> Parameter:
    """Norm of an estimator: a parameter as given, or the usual one with some attributes replaced.

    The usual one has no bounds, and eleven scan values from 0.2 to 5.
    """
    if value is not None and not isinstance(value, dict):
        return value
    own = Parameter("norm", 1, unit="", interp="log", scan_min=0.2, scan_max=5, scan_n_values=11)
    for name, entry in (value or {}).items():
        setattr(own, name, entry)
    return own


def estimate_norms(problem: BinnedProblem, options: NormOptions) -> dict[str, Array]:
    """All quantities of each problem; NaN where no bin sees the source."""
    has_bins = np.bincount(problem.problem, minlength=problem.number) > 0
    whole, problem = problem, problem.occupied()
    norm, number = best_norm(problem)
    norm = np.clip(norm, options.low, options.high)
    known = np.nan_to_num(norm)
    good = np.isfinite(norm)
    _, slope = problem.value(known)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(good & (slope < 0), options.n_sigma / np.sqrt(-slope), np.nan)
    stat = problem.absolute(known)
    ts = problem.null - stat
    out = {
        "norm": norm,
        "norm_err": error,
        "stat": np.where(has_bins, stat, np.nan),
        "stat_null": np.where(has_bins, problem.null, np.nan),
        "ts": np.where(good, ts, np.nan),
        "sqrt_ts": np.where(good, np.sign(known) * np.sqrt(np.maximum(ts, 0.0)), np.nan),
        "niter": number.astype(float),
        "success": good.astype(float),
    }
    out |= estimate_limits(problem, norm, options)
    if "sensitivity" in options.selection:
        out["norm_sensitivity"] = sensitivity(whole, options.n_sigma_sensitivity)
    if "scan" in options.selection:
        scan = np.stack([problem.absolute(np.full(problem.number, value)) for value in options.scan])
        out["stat_scan"] = np.where(has_bins, scan, np.nan)
    return out


def estimate_limits(problem: Problem, norm: Array, options: NormOptions) -> dict[str, Array]:
    """Asymmetric errors and upper limits of best norms, as far as the options ask for them."""
    out = {}
    if "errn-errp" in options.selection:
        out["norm_errp"] = np.minimum(crossing(problem, norm, options.n_sigma**2, 1), options.high) - norm
        # Where the statistic does not rise enough before its lowest norm, the error reaches down to that.
        lowest = np.maximum(problem.floor, options.low)
        out["norm_errn"] = np.maximum(norm - np.fmax(crossing(problem, norm, options.n_sigma**2, -1), lowest), 0.0)
    if "ul" in options.selection:
        out["norm_ul"] = np.minimum(crossing(problem, norm, options.n_sigma_ul**2, 1), options.high)
    return out


def sensitivity(problem: BinnedProblem, n_sigma: float) -> Array:
    """Norm whose expected counts have a significance of `n_sigma` over the expected background.

    Asimov data: Cowan et al. 2011, EPJ C71, 1554. With an off measurement the background is the expected ``alpha * off``.
    """
    is_off = problem.is_off
    background = problem.other + np.where(is_off, np.nan_to_num(problem.alpha * problem.off), 0.0)
    seen = problem.total > 0

    def significance(norm: Array) -> Array:
        counts = background + norm[problem.problem] * problem.signal
        parts = (problem.other, problem.signal, problem.off, problem.alpha)
        own = BinnedProblem(problem.number, problem.problem, counts, *parts)
        return own.null - own.absolute(norm)

    low = np.zeros(problem.number)
    high = np.where(
        seen, n_sigma / np.sqrt(np.maximum(problem.total, 1e-300)) + n_sigma**2 / np.maximum(problem.total, 1e-300), 0
    )
    for _ in range(60):
        short = seen & (significance(high) < n_sigma**2)
        if not short.any():
            break
        high = np.where(short, 2 * high, high)
    for _ in range(50):
        mid = 0.5 * (low + high)
        short = significance(mid) < n_sigma**2
        low, high = np.where(short, mid, low), np.where(short, high, mid)
    return np.where(seen, 0.5 * (low + high), np.nan)
