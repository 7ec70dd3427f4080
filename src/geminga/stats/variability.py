"""How much a flux varies: numbers of light curves.

Which one do I want? Is it constant at all: `compute_chisq`. By how much does it vary beyond its errors: `compute_fvar`, between
neighbours `compute_fpp`. How fast: `compute_flux_doubling`. On which time scale: `structure_function`, `discrete_correlation`.
Where does it change: `geminga.stats.bayesian_blocks`.

All are functions of arrays; a point with NaN in flux or error is left out. Fluxes may be Quantities, then errors of the same
kind.

Legend: N points, F flux, s error, S^2 sample variance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time, TimeDelta
from numpy.typing import NDArray
from scipy.stats import chi2

from geminga.errors import InputError
from geminga.stats.series import check_length, checked_series, elapsed, known_sum, plain

__all__ = ["compute_chisq", "compute_flux_doubling", "compute_fpp", "compute_fvar"]

Array = NDArray[np.float64]


def _fraction(excess: Array, noise: Array, mean: Array, n: Array) -> tuple[Any, Any]:
    """Fractional root of an excess variance with its sign, and its error (Vaughan et al. 2003, eq. B2)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = np.sign(excess) * np.sqrt(np.abs(excess)) / mean
        one = np.sqrt(1 / (2 * n)) * noise / (mean**2 * np.abs(fraction))
        two = np.sqrt(noise / n) / mean
        error = np.sqrt(one**2 + two**2)
    return fraction[()], np.where(np.isnan(fraction), np.nan, error)[()]


def compute_fvar(flux: Any, flux_err: Any, axis: int = 0) -> tuple[Any, Any]:
    """Fractional excess variance.

    ``F_var = sqrt(S^2 - <s^2>) / <F>``, with the sample variance S^2 (N - 1 in the denominator). It is negative where S^2 is less
    than the errors explain: then ``-sqrt(<s^2> - S^2) / <F>``.

    Parameters
    ----------
    flux, flux_err : array or Quantity
        Fluxes and their standard deviations.
    axis : int
        Axis of time.

    Returns
    -------
    fvar, fvar_err : float or array
        NaN with fewer than two points.

    Raises
    ------
    InputError
        If shapes or units do not fit, or an error is negative.

    References
    ----------
    S. Vaughan et al. (2003), MNRAS 345, 1271, eq. 10 and B2.

    Examples
    --------
    >>> from geminga.stats import compute_fvar
    >>> fvar, error = compute_fvar([1, 2, 3, 2.5, 1.2], [0.1, 0.2, 0.2, 0.1, 0.1])
    >>> round(float(fvar), 4), round(float(error), 4)
    (0.43, 0.0345)
    """
    f, e = checked_series(flux, flux_err, axis)
    n = np.isfinite(f).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, noise = known_sum(f) / n, known_sum(e**2) / n
        variance = np.where(n > 1, known_sum((f - mean[..., None]) ** 2) / (n - 1), np.nan)
    return _fraction(variance - noise, noise, mean, n)


def compute_fpp(flux: Any, flux_err: Any, axis: int = 0) -> tuple[Any, Any]:
    """Fractional point-to-point variability: the excess variance between neighbours.

    ``F_pp = sqrt(sum (F_i+1 - F_i)^2 / (2 (N - 1)) - <s^2>) / <F>``, negative where neighbours differ by less than their errors
    explain. White noise has the same F_pp as `compute_fvar`, a slow variation a smaller one, and a constant source zero.

    Parameters
    ----------
    flux, flux_err : array or Quantity
        Fluxes in order of time, and their standard deviations. Points that are not known are passed over.
    axis : int
        Axis of time.

    Returns
    -------
    fpp, fpp_err : float or array
        NaN with fewer than two points.

    Raises
    ------
    InputError
        If shapes or units do not fit, or an error is negative.

    References
    ----------
    R. Edelson et al. (2002), ApJ 568, 610, eq. 3, for the quantity; J. von Neumann et al. (1941), Ann. Math. Stat. 12, 153, for
    half of the mean squared successive difference as an estimate of the variance.

    Notes
    -----
    The factor 1/2 follows from what F_pp is meant to be, equal to F_var for white noise: the difference of two independent values
    has twice their variance. Exactly, the mean of ``sum (F_i+1 - F_i)^2 / (2 (N - 1))`` over all orders of a series is its
    unbiased variance.

    Examples
    --------
    >>> from geminga.stats import compute_fpp
    >>> fpp, error = compute_fpp([1, 2, 3, 2.5, 1.2], [0.1, 0.2, 0.2, 0.1, 0.1])
    >>> round(float(fpp), 4), round(float(error), 4)
    (0.3536, 0.0346)
    """
    f, e = checked_series(flux, flux_err, axis)
    n = np.isfinite(f).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, noise = known_sum(f) / n, known_sum(e**2) / n
        squares = np.where(n > 1, known_sum(np.diff(_filled(f), axis=-1) ** 2) / (2 * (n - 1)), np.nan)
    return _fraction(squares - noise, noise, mean, n)


def _filled(f: Array) -> Array:
    """Unknown values replaced by the last known one, so that a difference is one of known neighbours, or zero."""
    place = np.where(np.isfinite(f), np.arange(f.shape[-1]), -1)
    place = np.maximum.accumulate(place, axis=-1)
    return np.where(place < 0, np.nan, np.take_along_axis(f, np.maximum(place, 0), axis=-1))


def compute_chisq(flux: Any, *, flux_err: Any = None, axis: int | None = None) -> tuple[Any, Any]:
    """Test of a constant flux.

    With errors, ``sum ((F - <F>) / s)^2`` about the mean weighted with ``1 / s^2``; without, fluxes are taken as counts, whose
    variance is their mean.

    Parameters
    ----------
    flux : array or Quantity
        Fluxes, or counts.
    flux_err : array or Quantity, optional
        Their standard deviations; points with an error of zero are left out.
    axis : int, optional
        Axis of time; all by default.

    Returns
    -------
    chi2, p_value : float or array
        With N - 1 degrees of freedom.

    Raises
    ------
    InputError
        If a flux with a unit comes without errors: its variance is not known then.

    Examples
    --------
    >>> from geminga.stats import compute_chisq
    >>> chi2, p_value = compute_chisq([1.0, 2.0, 3.0], flux_err=[0.5, 0.5, 0.5])
    >>> round(float(chi2), 3), round(float(p_value), 4)
    (8.0, 0.0183)
    """
    if flux_err is None:
        if getattr(flux, "unit", u.dimensionless_unscaled) != u.dimensionless_unscaled:
            msg = f"compute_chisq: flux has the unit '{flux.unit}', so it is no number of counts; give flux_err."
            raise InputError(msg)
        f = plain(flux, None, "flux")
        f = f.reshape(1, -1)[0] if axis is None else np.moveaxis(f, axis, -1)
        mean = np.nanmean(f, axis=-1, keepdims=True)
        variance = np.broadcast_to(mean, f.shape)
    else:
        f, e = checked_series(flux, flux_err, -1 if axis is None else axis)
        f, e = (f.ravel(), e.ravel()) if axis is None else (f, e)
        variance = np.where(e > 0, e, np.nan) ** 2
        weight = np.nan_to_num(1 / variance)
        mean = np.sum(weight * np.nan_to_num(f), axis=-1, keepdims=True) / np.sum(weight, axis=-1, keepdims=True)
    terms = (f - mean) ** 2 / variance
    total = known_sum(terms)
    return total[()], np.asarray(chi2.sf(total, np.isfinite(terms).sum(axis=-1) - 1))[()]


def compute_flux_doubling(flux: Any, flux_err: Any, coords: Any, axis: int = 0) -> dict[str, Any]:
    """Shortest doubling and halving time between neighbours.

    Between two neighbours the flux is taken to grow exponentially, so that ``t = (t2 - t1) ln 2 / ln (F2 / F1)``. The error is
    that of the two fluxes. Pairs with a flux that is not positive are left out.

    Parameters
    ----------
    flux, flux_err : array or Quantity
        Fluxes in order of time, and their standard deviations.
    coords : Quantity or Time
        Time of each.
    axis : int
        Axis of time.

    Returns
    -------
    result : dict
        ``doubling``, ``doubling_err`` (Quantity), ``doubling_coord`` (start of the pair, as `coords`), and the same for
        ``halving``; NaN where the flux never rises or falls.

    Raises
    ------
    InputError
        If shapes or units do not fit, or times are not in order.

    References
    ----------
    A. M. Brown (2013), MNRAS 431, 824, eq. 1.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.stats import compute_flux_doubling
    >>> result = compute_flux_doubling([1, 2, 3, 2.5], [0.1, 0.1, 0.1, 0.1], [0, 1, 2, 3] * u.h)
    >>> print(result["doubling"], result["doubling_coord"], result["halving"].round(2))
    1.0 h 0.0 h 3.8 h
    """
    f, e = checked_series(flux, flux_err, axis)
    times, unit = elapsed(coords)
    check_length(times, f.shape[-1], "coords")
    if np.any(np.diff(times) <= 0):
        msg = "coords are not in order of time, each once; sort the points."
        raise InputError(msg)
    f = np.where(f > 0, f, np.nan)
    ratio = np.log(f[..., 1:] / f[..., :-1])
    relative = np.hypot(e[..., 1:] / f[..., 1:], e[..., :-1] / f[..., :-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.diff(times) * np.log(2) / np.where(ratio == 0, np.nan, ratio)
        error = np.abs(scale / ratio) * relative
    result = {}
    for name, candidates in (("doubling", np.where(scale > 0, scale, np.inf)), ("halving", np.where(scale < 0, -scale, np.inf))):
        candidates = np.where(np.isnan(candidates), np.inf, candidates)  # noqa: PLW2901
        where = np.argmin(candidates, axis=-1)
        picked = [np.take_along_axis(a, where[..., None], axis=-1)[..., 0] for a in (candidates, error)]
        is_there = np.isfinite(picked[0])
        result[name] = u.Quantity(np.where(is_there, picked[0], np.nan), unit)
        result[f"{name}_err"] = u.Quantity(np.where(is_there, picked[1], np.nan), unit)
        result[f"{name}_coord"] = _at(coords, where, is_there, times, unit)
    return result


def _at(coords: Any, where: Any, is_there: Any, times: Array, unit: u.UnitBase) -> Any:
    """Times of the pairs found, as they came; NaN where there is none."""
    if isinstance(coords, Time):
        return coords[0] + TimeDelta(np.where(is_there, times[where], np.nan), format="jd")
    return u.Quantity(np.where(is_there, times[where], np.nan), unit)
