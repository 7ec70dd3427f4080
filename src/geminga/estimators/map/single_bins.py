"""Excess of single measurements, with errors, limits and sensitivity in closed form: one for each pixel of a map.

The errors of counts above a known background depend on the counts alone, so that each number of counts is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geminga.estimators.points.norms import NormOptions
from geminga.numerics.poisson import TRUNCATION, deviance, wstat
from geminga.numerics.poisson_limits import cash_errors, cash_matching_excess, wstat_limit, wstat_matching_excess

__all__ = ["cash_excess", "wstat_excess"]

Array = NDArray[np.float64]


def cash_excess(counts: Array, background: Array, options: NormOptions) -> dict[str, Array]:
    """Excess over a known background: norm, error, test statistic and what the options ask for, in counts."""
    ts = deviance(counts, np.where(counts > 0, np.maximum(background, TRUNCATION), background))
    out = _common(counts - background, np.sqrt(counts), ts, options)
    if "errn-errp" in options.selection:
        out["norm_errn"], out["norm_errp"] = _tabulated(lambda n: cash_errors(n, options.n_sigma**2), counts)
    if "ul" in options.selection:
        (up,) = _tabulated(lambda n: cash_errors(n, options.n_sigma_ul**2)[1:], counts)
        out["norm_ul"] = out["norm"] + up
    if "sensitivity" in options.selection:
        out["norm_sensitivity"] = cash_matching_excess(background, options.n_sigma_sensitivity)
    return out


def wstat_excess(counts: Array, other: Array, off: Array, alpha: Array, options: NormOptions) -> dict[str, Array]:
    """Excess over a measured background and over `other` counts, which are known; as `cash_excess`."""
    whole = counts - alpha * off
    out = _common(whole - other, np.sqrt(counts + alpha**2 * off), wstat(counts, off, alpha, other), options)
    if "errn-errp" in options.selection:
        out["norm_errn"] = whole - wstat_limit(counts, off, alpha, options.n_sigma**2, side=-1)
        out["norm_errp"] = wstat_limit(counts, off, alpha, options.n_sigma**2, side=1) - whole
    if "ul" in options.selection:
        out["norm_ul"] = wstat_limit(counts, off, alpha, options.n_sigma_ul**2, side=1) - other
    if "sensitivity" in options.selection:
        out["norm_sensitivity"] = wstat_matching_excess(off, alpha, options.n_sigma_sensitivity, other)
    return out


def _common(norm: Array, error: Array, ts: Array, options: NormOptions) -> dict[str, Array]:
    """What every map has. Without counts there is no error of this kind."""
    return {
        "norm": norm,
        "norm_err": np.where(error > 0, options.n_sigma * error, np.nan),
        "ts": ts,
        "sqrt_ts": np.copysign(np.sqrt(np.maximum(ts, 0.0)), norm),
    }


def _tabulated(function: Callable[[Array], tuple[Array, ...]], counts: Array) -> tuple[Array, ...]:
    """Values of functions of the counts, from a table where these are whole numbers."""
    known = np.nan_to_num(counts)
    index = known.astype(np.intp)
    if not len(index) or index.max() > len(index) or (index != known).any():
        return function(counts)
    return tuple(values[index] for values in function(np.arange(index.max() + 1.0)))
