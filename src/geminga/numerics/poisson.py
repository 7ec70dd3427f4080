"""Poisson statistics, -2 ln L, with their derivatives.

Which one do I want: `cash_terms` for counts with a known background, `wstat_terms` for counts with an off measurement (the
background is profiled out). Both return value, first and second derivative with respect to the prediction; `cash`,
`cstat` and `wstat` return the value only, in the forms users know.

Everything is elementwise and broadcasts. Values are made from `deviance`, which keeps its digits where prediction and counts
nearly agree, so that small differences of large statistics are right.

Legend: n counts, mu prediction, alpha ratio of the on to the off acceptance, b profiled background in the off region,
m = mu + alpha b profiled prediction in the on region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

__all__ = [
    "TRUNCATION",
    "cash",
    "cash_terms",
    "cstat",
    "deviance",
    "goodness",
    "wstat",
    "wstat_background",
    "wstat_fixed",
    "wstat_profile",
    "wstat_terms",
]

Array = NDArray[np.float64]

#: Smallest prediction whose logarithm is taken.
TRUNCATION = 1e-25

#: Relative distance of prediction and counts below which their deviance is a series, and its coefficients, 1e-16 there.
_NEAR = 0.1
_SERIES = 1.0 / (2 * np.arange(1, 7) + 1)


def _float_arrays(*values: ArrayLike) -> list[Array]:
    return [np.asarray(v) for v in np.broadcast_arrays(*[np.asarray(v, dtype=float) for v in values])]


def cash(n: ArrayLike, mu: ArrayLike, truncation: float = TRUNCATION) -> Array:
    """Cash (1979) statistic 2 (mu - n ln mu), predictions not below `truncation`.

    Examples
    --------
    >>> from geminga.numerics.poisson import cash
    >>> float(cash(0, 3.0))
    6.0
    """
    n, mu = _float_arrays(n, mu)
    mu = np.where(mu <= truncation, truncation, mu)
    return np.asarray(2 * (mu - n * np.log(mu)))


def cash_terms(n: ArrayLike, mu: ArrayLike, truncation: float = TRUNCATION) -> tuple[Array, Array, Array]:
    """Cash statistic and its first and second derivative with respect to `mu`.

    Below `truncation` the value is constant but for its linear term, so the logarithm has no slope there.
    """
    n, mu = _float_arrays(n, mu)
    is_low = mu <= truncation
    safe = np.where(is_low, truncation, mu)
    slope = np.where(is_low, 0.0, n / safe)
    return np.asarray(2 * (safe - n * np.log(safe))), 2 - 2 * slope, np.where(is_low, 0.0, 2 * slope / safe)


def cstat(n: ArrayLike, mu: ArrayLike, truncation: float = TRUNCATION) -> Array:
    """Cash statistic relative to its value at mu = n: 2 (mu - n + n ln(n / mu)), both not below `truncation`.

    Examples
    --------
    >>> from geminga.numerics.poisson import cstat
    >>> float(cstat(3, 3.0))
    0.0
    """
    n, mu = _float_arrays(n, mu)
    return deviance(np.where(n <= truncation, truncation, n), np.where(mu <= truncation, truncation, mu))


def deviance(n: ArrayLike, mu: ArrayLike) -> Array:
    """Poisson deviance 2 (mu - n + n ln(n / mu)), to full relative precision also for mu close to n.

    ``2 mu`` for n = 0; infinite for mu = 0 with n > 0.
    """
    n, mu = _float_arrays(n, mu)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        excess = mu - n
        x = excess / n
        out = np.asarray(excess - n * np.log(mu / n))
    near = np.abs(x) < _NEAR
    x = x[near]
    # x - ln(1 + x) = x r - 2 (r^3/3 + r^5/5 + ...) with r = x / (2 + x)
    r = x / (2 + x)
    square = r * r
    tail = np.zeros_like(r)
    for coefficient in _SERIES[::-1]:
        tail = square * (coefficient + tail)
    out[near] = n[near] * r * (x - 2 * tail)
    return np.asarray(2 * np.where(n == 0, mu, out))


def goodness(n: ArrayLike) -> Array:
    """Part of the deviance which does not depend on the prediction: -2 n (1 - ln n), 0 for n = 0."""
    n = np.asarray(n, dtype=float)
    return np.asarray(2 * (xlogy(n, n) - n))


def wstat_profile(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu: ArrayLike) -> tuple[Array, Array]:
    """Profiled predictions m in the on region and b in the off region, for a signal `mu`.

    They are the roots of quadratic equations with one discriminant, each written so that nothing cancels. `mu` may be negative,
    as for an excess below zero; then b is at least -mu / alpha, so that m is not negative.

    Examples
    --------
    >>> from geminga.numerics.poisson import wstat_profile
    >>> m, b = wstat_profile(5, 10, 0.2, 3.0)
    >>> float(m.round(9)), float(b.round(9))
    (5.0, 10.0)
    """
    n_on, n_off, alpha, mu = _float_arrays(n_on, n_off, alpha, mu)
    scaled = (1 + alpha) * mu
    total = alpha * (n_on + n_off)
    root = np.hypot(alpha * (n_on - n_off) - scaled, 2 * alpha * np.sqrt(n_on * n_off))
    with np.errstate(divide="ignore", invalid="ignore"):
        c = total - scaled
        b = np.where(c >= 0, (c + root) / (2 * alpha * (1 + alpha)), 2 * n_off * mu / (root - c))
        # Without off exposure the off counts are all there is.
        b = np.where((alpha == 0) & (mu >= 0), n_off, b)
        c = total + scaled
        m = np.where(c >= 0, (c + root) / (2 * (1 + alpha)), 2 * alpha * n_on * mu / (c - root))
    return np.asarray(m), np.asarray(b)


def wstat_background(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu: ArrayLike) -> Array:
    """Profiled background in the off region, see `wstat_profile`."""
    return wstat_profile(n_on, n_off, alpha, mu)[1]


def wstat(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu: ArrayLike) -> Array:
    """Profile statistic of an on and an off measurement, zero for a perfect fit.

    Parameters
    ----------
    n_on, n_off : array
        Counts.
    alpha : array
        Ratio of acceptances, on to off.
    mu : array
        Predicted signal in the on region.

    Returns
    -------
    stat : array
        Sum of the deviances of the two measurements at the profiled background.

    Examples
    --------
    >>> from geminga.numerics.poisson import wstat
    >>> round(float(wstat(0, 4, 0.2, 1.0)), 6)
    3.458572
    """
    n_on, n_off, alpha, mu = _float_arrays(n_on, n_off, alpha, mu)
    m, b = wstat_profile(n_on, n_off, alpha, mu)
    return deviance(n_on, _kept_positive(n_on, m)) + deviance(n_off, _kept_positive(n_off, b))


def _kept_positive(n: Array, mu: Array) -> Array:
    """Prediction, not below the truncation where there are counts."""
    return np.where((n > 0) & (mu < TRUNCATION), TRUNCATION, mu)


def wstat_terms(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu: ArrayLike) -> tuple[Array, Array, Array]:
    """Profile statistic and its first and second derivative with respect to the signal `mu`.

    The derivatives are those of the profile: the background follows the signal. The second one is never negative.
    """
    n_on, n_off, alpha, mu = _float_arrays(n_on, n_off, alpha, mu)
    m, b = wstat_profile(n_on, n_off, alpha, mu)
    stat = deviance(n_on, _kept_positive(n_on, m)) + deviance(n_off, _kept_positive(n_off, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where n_on = 0 and m = 0 (signal below zero), n_on / m is what makes b stationary.
        bound = np.where(b > 0, (1 + alpha - n_off / b) / alpha, (1 + alpha) / alpha)
        ratio = np.where(n_on > 0, n_on / _kept_positive(n_on, m), np.where(mu < 0, np.maximum(bound, 0.0), 0.0))
        full = n_on * n_off / (alpha**2 * n_on * b**2 + n_off * m**2)
        no_off = np.where(b > 0, 0.0, n_on / _kept_positive(n_on, m) ** 2)
        no_on = np.where(ratio > 0, n_off / (alpha * b) ** 2, 0.0)
        curvature = np.where(n_off > 0, np.where(n_on > 0, full, no_on), np.where(n_on > 0, no_off, 0.0))
        # On the edge of what m and the truncation allow the statistic is linear.
        curvature = np.where((n_on > 0) & (m < TRUNCATION), 0.0, curvature)
        slope = np.where((n_on > 0) & (m < TRUNCATION), 1.0, 1 - ratio)
    is_bad = np.isnan(stat)
    return stat, np.where(is_bad, np.nan, 2 * slope), np.where(is_bad, np.nan, 2 * curvature)


def wstat_fixed(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu: ArrayLike, background: ArrayLike) -> Array:
    """Sum of the deviances for a given `background` in the off region, not profiled."""
    n_on, n_off, alpha, mu, background = _float_arrays(n_on, n_off, alpha, mu, background)
    m = mu + alpha * background
    return deviance(n_on, _kept_positive(n_on, m)) + deviance(n_off, _kept_positive(n_off, background))
