"""Bayesian blocks: the division of a series into pieces of constant flux that explains it best."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.stats.series import checked_series

__all__ = ["bayesian_blocks"]

Array = NDArray[np.float64]


def bayesian_blocks(flux: Any, flux_err: Any, p0: float = 0.05, ncp_prior: float | None = None) -> NDArray[np.intp]:
    """Where a series of fluxes changes.

    Of all divisions into blocks of constant flux, the one with the largest sum of log likelihoods less a constant for each block;
    found exactly, in a time that grows with the square of the number of points.

    Parameters
    ----------
    flux, flux_err : array or Quantity
        Fluxes in order of time and their standard deviations, shape (n,). Points that are not known belong to the block they
        are in.
    p0 : float
        Probability to find a change in a constant series.
    ncp_prior : float, optional
        The constant for each block; by default ``4 - ln(73.53 p0 n^-0.478)``.

    Returns
    -------
    starts : int array
        Number of the first point of each block; the first is 0.

    Raises
    ------
    InputError
        If shapes or units do not fit, an error is not positive, or `p0` is not between 0 and 1.

    References
    ----------
    J. D. Scargle et al. (2013), ApJ 764, 167, eq. 21 and 41.

    Examples
    --------
    >>> from geminga.stats import bayesian_blocks
    >>> bayesian_blocks([1.0, 1.1, 0.9, 3.0, 3.1, 2.9], [0.1] * 6).tolist()
    [0, 3]
    """
    f, e = checked_series(flux, flux_err, 0)
    if f.ndim != 1:
        msg = f"bayesian_blocks: flux has the shape {f.shape}; expected one series."
        raise InputError(msg)
    known = np.flatnonzero(np.isfinite(f))
    if (e[known] <= 0).any():
        msg = f"bayesian_blocks: {int((e[known] <= 0).sum())} errors are zero; expected positive standard deviations."
        raise InputError(msg)
    if not 0 < p0 < 1:
        msg = f"bayesian_blocks: p0 is {p0!r}; expected a probability between 0 and 1."
        raise InputError(msg)
    if not len(known):
        return np.zeros(1, dtype=np.intp)
    prior = 4 - np.log(73.53 * p0 * len(known) ** -0.478) if ncp_prior is None else float(ncp_prior)
    starts = known[_best_division(f[known], e[known] ** -2.0, prior)]
    starts[0] = 0
    return np.asarray(starts, dtype=np.intp)


def _best_division(x: Array, weight: Array, prior: float) -> NDArray[np.intp]:
    """First point of each block, by dynamic programming over the last block."""
    n = len(x)
    # About its mean the log likelihood of a block is (sum w x)^2 / (2 sum w), up to a constant of the whole series.
    center = x - np.sum(weight * x) / np.sum(weight)
    sum_x, sum_w = (np.concatenate([[0.0], np.cumsum(a)]) for a in (weight * center, weight))
    best, last = np.zeros(n + 1), np.zeros(n, dtype=np.intp)
    for r in range(n):
        fitness = 0.5 * (sum_x[r + 1] - sum_x[: r + 1]) ** 2 / (sum_w[r + 1] - sum_w[: r + 1]) - prior + best[: r + 1]
        last[r] = np.argmax(fitness)
        best[r + 1] = fitness[last[r]]
    starts = []
    stop = n
    while stop > 0:
        stop = int(last[stop - 1])
        starts.append(stop)
    return np.array(starts[::-1], dtype=np.intp)
