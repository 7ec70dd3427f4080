"""Functions of the distance in time of two points, over all pairs of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.stats.series import check_length, checked_series, elapsed, known_sum

__all__ = ["discrete_correlation", "structure_function"]

Array = NDArray[np.float64]


def structure_function(flux: Any, flux_err: Any, time: Any, tdelta_precision: int = 5) -> tuple[Array, u.Quantity]:
    """Structure function: mean square of the difference of two fluxes as a function of their distance in time.

    The mean is weighted with the product of the signal to noise ratios of both.

    Parameters
    ----------
    flux, flux_err : array or Quantity
        Fluxes and their standard deviations, time on the first axis.
    time : Quantity or Time
        Times.
    tdelta_precision : int
        Decimals, in the unit of `time`, to which distances are rounded; equal ones are joined.

    Returns
    -------
    sf : array
        Squares of the flux's unit, shape (n_distances, ...).
    distances : Quantity
        In order, without zero.

    Raises
    ------
    InputError
        If shapes or units do not fit.

    References
    ----------
    D. Emmanoulopoulos, I. McHardy & P. Uttley (2010), MNRAS 404, 931.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.stats import structure_function
    >>> sf, distances = structure_function([1.0, 2.0, 4.0], [0.1, 0.2, 0.4], [0, 1, 2] * u.d)
    >>> sf.tolist(), distances
    ([2.5, 9.0], <Quantity [1., 2.] d>)
    """
    f, e = (np.moveaxis(a, -1, 0) for a in checked_series(flux, flux_err, 0))
    times, unit = elapsed(time)
    check_length(times, len(f), "time")
    i, j = np.triu_indices(len(f), k=1)
    lags, group = np.unique(np.round(np.abs(times[j] - times[i]), tdelta_precision), return_inverse=True)
    flat, ratio = f.reshape(len(f), -1), (f / e).reshape(len(f), -1)
    out = np.empty((len(lags), flat.shape[1]))
    for k in range(flat.shape[1]):
        weight = ratio[i, k] * ratio[j, k]
        square = (flat[j, k] - flat[i, k]) ** 2
        good = np.isfinite(weight) & np.isfinite(square)
        total = np.bincount(group[good], weight[good], minlength=len(lags))
        with np.errstate(divide="ignore", invalid="ignore"):
            out[:, k] = np.bincount(group[good], (weight * square)[good], minlength=len(lags)) / total
    keep = lags > 0
    return out[keep].reshape(int(keep.sum()), *f.shape[1:]), u.Quantity(lags[keep], unit)


def discrete_correlation(
    flux1: Any, flux_err1: Any, flux2: Any, flux_err2: Any, time1: Any, time2: Any, tau: Any, axis: int = 0
) -> tuple[u.Quantity, Array, Array]:
    """Discrete correlation function of two unevenly sampled series.

    The mean, over all pairs whose distance ``t2 - t1`` lies in a bin of width `tau`, of
    ``(F1 - <F1>) (F2 - <F2>) / sqrt((S1^2 - <s1^2>) (S2^2 - <s2^2>))``. Bins are centred on multiples of `tau`.

    Parameters
    ----------
    flux1, flux_err1, flux2, flux_err2 : array or Quantity
        Fluxes of both series and their standard deviations.
    time1, time2 : Quantity or Time
        Times of both.
    tau : Quantity
        Width of the bins.
    axis : int
        Axis of time.

    Returns
    -------
    bins : Quantity
        Centres of the bins, shape (n_bins,).
    correlation, correlation_err : array
        Shape (n_bins, n): a column for each of the further bins. The error is NaN for one pair, both for none, and where the
        variance of a series is not larger than its errors explain.

    Raises
    ------
    InputError
        If shapes or units do not fit.

    References
    ----------
    R. A. Edelson & J. H. Krolik (1988), ApJ 333, 646.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from geminga.stats import discrete_correlation
    >>> time = np.arange(40) * u.d
    >>> one, error = np.sin(0.5 * time.value), np.full(40, 0.01)
    >>> two = np.sin(0.5 * (time.value - 3))
    >>> bins, correlation, _ = discrete_correlation(one, error, two, error, time, time, 1 * u.d)
    >>> print(bins[27:53][correlation[27:53, 0].argmax()])
    3.0 d
    """
    series = []
    for number, (flux, flux_err) in enumerate(((flux1, flux_err1), (flux2, flux_err2)), start=1):
        f, e = (a.reshape(-1, a.shape[-1]) for a in checked_series(flux, flux_err, axis))
        n = np.isfinite(f).sum(axis=-1)
        deviation = f - (known_sum(f) / n)[:, None]
        excess = known_sum(deviation**2) / n - known_sum(e**2) / n
        series.append((deviation, np.where(excess > 0, excess, np.nan)))
        if number == 2 and series[0][0].shape[0] != f.shape[0]:
            msg = f"flux1 has {series[0][0].shape[0]} series, flux2 {f.shape[0]}; expected as many."
            raise InputError(msg)
    lag, unit = _lags(time1, time2)
    for times, (deviation, _), name in ((lag.shape[0], series[0], "time1"), (lag.shape[1], series[1], "time2")):
        if times != deviation.shape[1]:
            msg = f"{name} has {times} times; expected one for each of the {deviation.shape[1]} points."
            raise InputError(msg)
    width = float(u.Quantity(tau).to_value(unit))
    if not width > 0:
        msg = f"tau is {tau!r}; expected a positive duration."
        raise InputError(msg)
    index = np.floor(lag / width + 0.5).astype(int)
    low, high = int(index.min()), int(index.max())
    group, n_bins = (index - low).ravel(), high - low + 1
    scale = np.sqrt(series[0][1] * series[1][1])
    columns = [_correlated(series[0][0][k], series[1][0][k], scale[k], group, n_bins) for k in range(len(scale))]
    correlation, error = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    return u.Quantity(np.arange(low, high + 1) * width, unit), correlation, error


def _lags(time1: Any, time2: Any) -> tuple[Array, u.UnitBase]:
    """Distances of all pairs, shape (n1, n2)."""
    if isinstance(time1, Time):
        start = time1[0]
        one, two = (np.asarray((t - start).to_value("s"), dtype=float) for t in (time1, time2))
        return two[None, :] - one[:, None], u.s
    one, unit = elapsed(time1)
    two = np.asarray(u.Quantity(time2).to_value(unit), dtype=float)
    return two[None, :] - one[:, None], unit


def _correlated(one: Array, two: Array, scale: float, group: NDArray[np.intp], n_bins: int) -> tuple[Array, Array]:
    """Mean of the products in each bin, and its error (eq. 5 of the paper)."""
    product = (one[:, None] * two[None, :] / scale).ravel()
    good = np.isfinite(product)
    own, values = group[good], product[good]
    n = np.bincount(own, minlength=n_bins).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(n > 0, np.bincount(own, values, minlength=n_bins) / n, np.nan)
        spread = np.bincount(own, (values - mean[own]) ** 2, minlength=n_bins)
        error = np.where(n > 1, np.sqrt(spread) / (n - 1), np.nan)
    return mean, error
