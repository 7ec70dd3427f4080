"""Significance in standard deviations and likelihood-ratio test statistic.

Tails are handled by their logarithm, so that a test statistic of several thousand still has its significance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfinv, gammainc, gammaincc, gammaln, log_ndtr, ndtri_exp
from scipy.stats import chi2, ncx2

__all__ = ["sigma_to_ts", "ts_to_sigma"]

Array = NDArray[np.float64]

#: Beyond this x, Q(a, x) may underflow, and its continued fraction converges at once.
_FAR = 300.0


def ts_to_sigma(ts: ArrayLike, df: float = 1, ts_asimov: float = 0) -> Any:
    """Number of standard deviations of a test statistic.

    Parameters
    ----------
    ts : array
        Difference of -2 ln L; negative values count as 0.
    df : float
        Number of degrees of freedom.
    ts_asimov : float
        Test statistic of the data set expected under the alternative hypothesis, the non-centrality of its distribution.

    Returns
    -------
    sigma : array
        Significance.

    References
    ----------
    Cowan et al. (2011), Eur. Phys. J. C 71, 1554.

    Examples
    --------
    >>> from geminga.stats import ts_to_sigma
    >>> round(float(ts_to_sigma(25, df=4)), 6)
    4.054183
    """
    stat = np.maximum(np.asarray(ts, dtype=float), 0.0)
    if df == 1:
        return np.sqrt(stat)[()]
    if ts_asimov != 0:
        return np.sqrt(ncx2.isf(ncx2.sf(stat, df=df, nc=ts_asimov), df=1, nc=ts_asimov))[()]
    below = gammainc(df / 2, stat / 2)
    with np.errstate(divide="ignore"):
        far = -ndtri_exp(np.minimum(_log_tail(df / 2, stat / 2) - np.log(2), -np.log(2)))
    return np.where(below < 0.5, np.sqrt(2) * erfinv(np.minimum(below, 0.5)), far)[()]


def sigma_to_ts(n_sigma: ArrayLike, df: float = 1, n_sigma_asimov: float = 0) -> Any:
    """Test statistic that corresponds to a number of standard deviations.

    Parameters
    ----------
    n_sigma : array
        Significance.
    df : float
        Number of degrees of freedom.
    n_sigma_asimov : float
        Significance of the data set expected under the alternative hypothesis.

    Returns
    -------
    ts : array
        Difference of -2 ln L.

    Examples
    --------
    >>> from geminga.stats import sigma_to_ts
    >>> round(float(sigma_to_ts(3, df=2)), 6)
    11.829158
    """
    sigma = np.asarray(n_sigma, dtype=float)
    if df == 1:
        return np.asarray(sigma**2)[()]
    if n_sigma_asimov != 0:
        nc = n_sigma_asimov**2
        return ncx2.isf(ncx2.sf(sigma**2, df=1, nc=nc), df=df, nc=nc)[()]
    log_p = np.log(2) + log_ndtr(-np.abs(sigma))
    ts = np.where(log_p > -600, chi2.isf(np.exp(np.maximum(log_p, -600)), df), sigma**2)
    is_far = log_p <= -600
    for _ in range(50 if np.any(is_far) else 0):
        # d ln Q / d ts is -1/2 up to terms in 1 / ts
        ts = np.where(is_far, ts + 2 * (_log_tail(df / 2, ts / 2) - log_p), ts)
    return np.asarray(ts)[()]


def _log_tail(a: float, x: Array) -> Array:
    """Logarithm of the regularised upper incomplete gamma function Q(a, x)."""
    x = np.asarray(x, dtype=float)
    near = np.log(gammaincc(a, np.minimum(x, _FAR)))
    safe = np.maximum(x, _FAR)
    # Continued fraction of Abramowitz & Stegun 6.5.31, from its end.
    fraction = safe
    for k in range(40, 0, -1):
        fraction = safe + (k - a) / (1 + k / fraction)
    far = a * np.log(safe) - safe - gammaln(a) - np.log(fraction)
    return np.asarray(np.where(x <= _FAR, near, far))
