"""Acceptances of on and off regions.

The acceptance of a region says how many background counts it sees, in arbitrary but common units: with alpha the ratio of the
on to the off acceptance, the background in the on region is alpha times the counts of the off region. Where nothing was
measured (no off acceptance, no off counts) alpha is 0: the bin is one without background.

When bins with different alpha are merged, the sum of their backgrounds decides: alpha = sum(background) / sum(off counts).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["acceptance_ratio", "merged_acceptance_off", "total_ratio"]

Array = NDArray[np.float64]


def acceptance_ratio(acceptance: ArrayLike, acceptance_off: ArrayLike, n_off: ArrayLike) -> Array:
    """Ratio alpha of the on to the off acceptance in each bin.

    Without off acceptance (zero or NaN) it is 0 if there are no off counts, and NaN, not defined, if there are.

    Examples
    --------
    >>> from geminga.numerics.acceptance import acceptance_ratio
    >>> acceptance_ratio([1, 1, 1], [5, 0, 0], [3, 0, 2]).tolist()
    [0.2, 0.0, nan]
    """
    acceptance, acceptance_off = np.asarray(acceptance, dtype=float), np.asarray(acceptance_off, dtype=float)
    is_measured = acceptance_off > 0
    missing = np.where(np.asarray(n_off) > 0, np.nan, 0.0)
    return np.divide(acceptance, acceptance_off, out=np.broadcast_to(missing, is_measured.shape).copy(), where=is_measured)


def total_ratio(acceptance: float, acceptance_off: float, n_off: float, background: float) -> float:
    """Ratio alpha of sums over bins: background over off counts, or that of the acceptances if there are no off counts.

    Examples
    --------
    >>> from geminga.numerics.acceptance import total_ratio
    >>> total_ratio(2, 10, n_off=8, background=2), total_ratio(2, 10, n_off=0, background=0)
    (0.25, 0.2)
    """
    if n_off > 0:
        return float(background / n_off)
    return float(acceptance / acceptance_off) if acceptance_off > 0 else 0.0


def merged_acceptance_off(acceptance: ArrayLike, acceptance_off: ArrayLike, n_off: ArrayLike, background: ArrayLike) -> Array:
    """Off acceptance of merged bins, so that their background is the sum of the backgrounds.

    Parameters
    ----------
    acceptance, acceptance_off, n_off, background : array
        Sums over the members of each merged bin.

    Returns
    -------
    acceptance_off : array
        ``acceptance n_off / background``. In bins without off counts alpha is that of all bins together, see `total_ratio`;
        where off counts belong to no on acceptance, the sum is kept.

    Examples
    --------
    >>> from geminga.numerics.acceptance import merged_acceptance_off
    >>> merged_acceptance_off([2, 2], [10, 12], [4, 0], [1.0, 0.0]).tolist()
    [8.0, 8.0]
    """
    acceptance, n_off, background = (np.asarray(value, dtype=float) for value in (acceptance, n_off, background))
    own = np.nan_to_num(np.asarray(acceptance_off, dtype=float))
    alpha = total_ratio(acceptance.sum(), own.sum(), n_off.sum(), background.sum())
    empty = acceptance / alpha if alpha > 0 else own
    has_background = (n_off > 0) & (background > 0)
    merged = np.divide(acceptance * n_off, background, out=np.array(own), where=has_background)
    return np.where(n_off > 0, merged, empty)
