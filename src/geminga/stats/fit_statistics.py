"""Fit statistics: -2 ln L of each bin, up to a constant.

`cash` and `cstat` are for counts with a known prediction, `wstat` is for counts with an off measurement, whose background is
profiled out. Formulas are in `geminga.numerics.poisson`, with their derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.errors import InputError
from geminga.numerics import poisson

__all__ = ["cash", "cstat", "get_wstat_gof_terms", "get_wstat_mu_bkg", "wstat"]

Array = NDArray[np.float64]


def _truncation(value: float | None) -> float:
    if value is None:
        return poisson.TRUNCATION
    if not value > 0:
        msg = f"truncation_value is {value!r}; expected a positive number, such as {poisson.TRUNCATION}."
        raise InputError(msg)
    return float(value)


def _check_shapes(**arrays: Any) -> None:
    try:
        np.broadcast_shapes(*[np.shape(a) for a in arrays.values()])
    except ValueError as error:
        shapes = ", ".join(f"{name} {np.shape(a)}" for name, a in arrays.items())
        msg = f"Shapes do not fit together: {shapes}; give arrays which broadcast."
        raise InputError(msg) from error


def cash(n_on: ArrayLike, mu_on: ArrayLike, truncation_value: float | None = None) -> Any:
    """Cash statistic for Poisson data, 2 (mu_on - n_on ln mu_on).

    Parameters
    ----------
    n_on : array
        Observed counts.
    mu_on : array
        Expected counts.
    truncation_value : float, optional
        Smallest expectation that is used, 1e-25 by default.

    Returns
    -------
    stat : array
        Statistic of each bin.

    Raises
    ------
    InputError
        If shapes do not broadcast, or `truncation_value` is not positive.

    References
    ----------
    W. Cash (1979), ApJ 228, 939.

    Examples
    --------
    >>> from geminga.stats import cash
    >>> cash([0, 1], [2.0, 1.0]).tolist()
    [4.0, 2.0]
    """
    _check_shapes(n_on=n_on, mu_on=mu_on)
    return poisson.cash(n_on, mu_on, _truncation(truncation_value))[()]


def cstat(n_on: ArrayLike, mu_on: ArrayLike, truncation_value: float | None = None) -> Any:
    """Cash statistic relative to a perfect prediction, 2 (mu_on - n_on + n_on ln(n_on / mu_on)).

    Parameters
    ----------
    n_on : array
        Observed counts.
    mu_on : array
        Expected counts.
    truncation_value : float, optional
        Smallest counts and expectation that are used, 1e-25 by default.

    Raises
    ------
    InputError
        If shapes do not broadcast, or `truncation_value` is not positive.

    Examples
    --------
    >>> from geminga.stats import cstat
    >>> cstat([0, 1, 5], [1, 2, 4]).round(4).tolist()
    [2.0, 0.6137, 0.2314]
    """
    _check_shapes(n_on=n_on, mu_on=mu_on)
    return poisson.cstat(n_on, mu_on, _truncation(truncation_value))[()]


def wstat(
    n_on: ArrayLike,
    n_off: ArrayLike,
    alpha: ArrayLike,
    mu_sig: ArrayLike,
    mu_bkg: ArrayLike | None = None,
    extra_terms: bool = True,
) -> Any:
    """W statistic: Poisson data with a Poisson background measurement.

    Parameters
    ----------
    n_on, n_off : array
        Observed counts in the on and in the off region.
    alpha : array
        Exposure (acceptance) of the on region over that of the off region.
    mu_sig : array
        Expected signal counts in the on region.
    mu_bkg : array, optional
        Expected background in the off region; if not given the one that makes the statistic smallest.
    extra_terms : bool
        Add the terms of the counts alone, so that a perfect prediction has statistic 0.

    Returns
    -------
    stat : array
        Statistic of each bin.

    Raises
    ------
    InputError
        If shapes do not broadcast.

    Examples
    --------
    >>> from geminga.stats import wstat
    >>> wstat([5, 0, 3], [10, 4, 0], 0.2, [3, 1, 1]).round(4).tolist()
    [0.0, 3.4586, 2.5917]
    """
    _check_shapes(n_on=n_on, n_off=n_off, alpha=alpha, mu_sig=mu_sig)
    if mu_bkg is None:
        stat = poisson.wstat(n_on, n_off, alpha, mu_sig)
    else:
        _check_shapes(n_on=n_on, mu_bkg=mu_bkg)
        stat = poisson.wstat_fixed(n_on, n_off, alpha, mu_sig, mu_bkg)
    if not extra_terms:
        stat = stat - get_wstat_gof_terms(n_on, n_off)
    return np.asarray(stat)[()]


def get_wstat_mu_bkg(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu_sig: ArrayLike) -> Any:
    """Background in the off region which makes the W statistic smallest.

    Examples
    --------
    >>> from geminga.stats import get_wstat_mu_bkg
    >>> round(float(get_wstat_mu_bkg(5, 10, 0.2, 3)), 6)
    10.0
    """
    _check_shapes(n_on=n_on, n_off=n_off, alpha=alpha, mu_sig=mu_sig)
    return poisson.wstat_background(n_on, n_off, alpha, mu_sig)[()]


def get_wstat_gof_terms(n_on: ArrayLike, n_off: ArrayLike) -> Any:
    """Terms of the W statistic which depend on the counts alone, -2 n (1 - ln n) for both regions."""
    _check_shapes(n_on=n_on, n_off=n_off)
    return (poisson.goodness(n_on) + poisson.goodness(n_off))[()]
