"""Fit statistics of measured values, -2 ln L of each point up to a constant, with derivatives in the model.

Each function returns statistic, first and second derivative, and the second derivative is never negative.

Legend: x measured value, m model, s standard deviation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

__all__ = ["asymmetric_terms", "chi2_terms", "correlated_terms", "upper_limit_terms"]

Array = NDArray[np.float64]
Terms = tuple[Array, Array, Array]

_LOG_ROOT_2_PI = 0.5 * np.log(2 * np.pi)


def chi2_terms(x: ArrayLike, s: ArrayLike, m: ArrayLike) -> Terms:
    """Normal distribution: ``((x - m) / s)^2``.

    Examples
    --------
    >>> from geminga.numerics.point_statistics import chi2_terms
    >>> [t.tolist() for t in chi2_terms([3.0], [2.0], [2.0])]
    [[0.25], [-0.5], [0.5]]
    """
    x, s, m = (np.asarray(a, dtype=float) for a in (x, s, m))
    z = (m - x) / s
    return z**2, 2 * z / s, np.broadcast_to(2 / s**2, z.shape).copy()


def correlated_terms(x: ArrayLike, inverse: ArrayLike, m: ArrayLike) -> Terms:
    """Normal distribution of several values together: ``(m - x) C^-1 (m - x)``, shared among the values.

    Parameters
    ----------
    x, m : array
        Values and model, shape (n,).
    inverse : array
        Inverse of the covariance, shape (n, n).

    Returns
    -------
    stat, first, second : array
        Part of each value, derivative by each model value, and second derivatives, shape (n, n).

    Examples
    --------
    >>> from geminga.numerics.point_statistics import correlated_terms
    >>> [t.tolist() for t in correlated_terms([3.0], [[0.25]], [2.0])]
    [[0.25], [-0.5], [[0.5]]]
    """
    x, inverse, m = (np.asarray(a, dtype=float) for a in (x, inverse, m))
    slope = inverse @ (m - x)
    return (m - x) * slope, 2 * slope, 2 * inverse


def asymmetric_terms(x: ArrayLike, s_low: ArrayLike, s_high: ArrayLike, m: ArrayLike) -> Terms:
    """Two halves of normal distributions: `s_high` where the model is above the value, else `s_low`.

    Statistic and first derivative are continuous where the halves meet.
    """
    x, m = np.asarray(x, dtype=float), np.asarray(m, dtype=float)
    return chi2_terms(x, np.where(m >= x, s_high, s_low), m)


def upper_limit_terms(limit: ArrayLike, s: ArrayLike, m: ArrayLike) -> Terms:
    r"""Value known to be below a limit: ``-2 ln Phi((limit - m) / s)``, with the normal distribution function Phi.

    It is the probability to measure less than the limit (Sawicki 2012, PASP 124, 1208): zero far below the limit, 1.4 at the
    limit, and as ``chi2`` far above it.

    Examples
    --------
    >>> from geminga.numerics.point_statistics import upper_limit_terms
    >>> upper_limit_terms([2.0, 2.0], [1.0, 1.0], [-6.0, 2.0])[0].round(4).tolist()
    [0.0, 1.3863]
    """
    limit, s, m = (np.asarray(a, dtype=float) for a in (limit, s, m))
    z = (limit - m) / s
    log_phi = log_ndtr(z)
    # phi(z) / Phi(z), from logarithms so that it does not become 0 / 0 far above the limit.
    ratio = np.exp(-0.5 * z**2 - _LOG_ROOT_2_PI - log_phi)
    return -2 * log_phi, 2 * ratio / s, np.maximum(2 * ratio * (z + ratio) / s**2, 0.0)
