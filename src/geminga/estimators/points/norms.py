"""Norms, errors, limits and profiles of all problems of a batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.binned_norm import BinnedProblem
from geminga.numerics.norm_fit import best_norm, crossing

__all__ = ["NormOptions", "estimate_norms", "sensitivity"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NormOptions:
    """What to compute, and the range of the norm."""

    selection: Collection[str]
    n_sigma: float
    n_sigma_ul: float
    n_sigma_sensitivity: float
    low: float
    high: float
    scan: Array


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
    if "errn-errp" in options.selection:
        out["norm_errp"] = np.minimum(crossing(problem, norm, options.n_sigma**2, 1), options.high) - norm
        # Where the statistic does not rise enough before its lowest norm, the error reaches down to that.
        lowest = np.maximum(problem.floor, options.low)
        out["norm_errn"] = np.maximum(norm - np.fmax(crossing(problem, norm, options.n_sigma**2, -1), lowest), 0.0)
    if "ul" in options.selection:
        out["norm_ul"] = np.minimum(crossing(problem, norm, options.n_sigma_ul**2, 1), options.high)
    if "sensitivity" in options.selection:
        out["norm_sensitivity"] = sensitivity(whole, options.n_sigma_sensitivity)
    if "scan" in options.selection:
        scan = np.stack([problem.absolute(np.full(problem.number, value)) for value in options.scan])
        out["stat_scan"] = np.where(has_bins, scan, np.nan)
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
