"""Functions of the distance in time against slow sums over all pairs, and against known delays."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time, TimeDelta
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.stats import discrete_correlation, structure_function

RANDOM = np.random.default_rng(0)
FLUX = RANDOM.uniform(1, 5, size=(12, 2))
ERROR = RANDOM.uniform(0.05, 0.2, size=(12, 2))
TIME = np.array([0, 1, 2, 4, 5, 7, 8, 9, 12, 13, 14, 16.0]) * u.h


def slow_structure_function(flux, error, time):
    sums = {}
    for i in range(len(flux)):
        for j in range(i + 1, len(flux)):
            weight = flux[i] / error[i] * flux[j] / error[j]
            part = sums.setdefault(time[j] - time[i], [0, 0])
            part[0] += weight * (flux[j] - flux[i]) ** 2
            part[1] += weight
    return {lag: part[0] / part[1] for lag, part in sums.items()}


def test_structure_function_is_the_sum_over_pairs():
    found, lags = structure_function(FLUX, ERROR, TIME)
    assert found.shape == (len(lags), 2)
    for k in range(2):
        expected = slow_structure_function(FLUX[:, k], ERROR[:, k], TIME.value)
        assert_allclose(lags.value, sorted(expected))
        assert_allclose(found[:, k], [expected[lag] for lag in sorted(expected)])
    one, _ = structure_function(FLUX[:, 0], ERROR[:, 0], Time("2020-01-01") + TimeDelta(TIME))
    assert_allclose(one, found[:, 0])


def test_structure_function_joins_nearly_equal_distances():
    time = np.array([0, 1.04, 2.0, 3.02, 4.0]) * u.h
    _, lags = structure_function(FLUX[:5, 0], ERROR[:5, 0], time, tdelta_precision=1)
    assert_allclose(lags.value, [1, 2, 3, 4])


def test_structure_function_leaves_out_what_is_not_known():
    flux = FLUX[:, 0].copy()
    flux[3] = np.nan
    keep = np.arange(12) != 3
    found, lags = structure_function(flux, ERROR[:, 0], TIME)
    expected, own = structure_function(flux[keep], ERROR[keep, 0], TIME[keep])
    assert_allclose(found[np.isin(lags.value, own.value)], expected)
    with pytest.raises(InputError, match="time has the shape"):
        structure_function(flux, ERROR[:, 0], TIME[:4])


def slow_correlation(one, two, e1, e2, lag, width):
    """Pairs in each bin of width `width` round multiples of it."""
    d1, d2 = one - one.mean(), two - two.mean()
    scale = np.sqrt((np.mean(d1**2) - np.mean(e1**2)) * (np.mean(d2**2) - np.mean(e2**2)))
    bins = {}
    for i in range(len(one)):
        for j in range(len(two)):
            bins.setdefault(int(np.floor(lag[i, j] / width + 0.5)), []).append(d1[i] * d2[j] / scale)
    return bins


def test_correlation_is_the_mean_over_pairs():
    bins, found, error = discrete_correlation(FLUX, ERROR, FLUX[:9], ERROR[:9], TIME, TIME[:9], 2 * u.h)
    lag = TIME.value[None, :9] - TIME.value[:, None]
    for k in range(2):
        expected = slow_correlation(FLUX[:, k], FLUX[:9, k], ERROR[:, k], ERROR[:9, k], lag, 2.0)
        for number, value, spread in zip(np.round(bins.value / 2).astype(int), found[:, k], error[:, k], strict=True):
            pairs = np.array(expected.get(number, []))
            if not len(pairs):
                assert np.isnan(value)
                continue
            assert_allclose(value, pairs.mean())
            if len(pairs) > 1:
                assert_allclose(spread, np.sqrt(np.sum((pairs - pairs.mean()) ** 2)) / (len(pairs) - 1))
            else:
                assert np.isnan(spread)


def test_correlation_with_itself_is_symmetric_and_one_at_zero():
    time = np.arange(200.0) * u.d
    flux = np.cumsum(RANDOM.normal(size=200))
    error = np.full(200, 1e-3)
    bins, found, _ = discrete_correlation(flux, error, flux, error, time, time, 1 * u.d)
    middle = len(bins) // 2
    assert bins[middle] == 0 * u.d
    assert_allclose(found[middle], 1, rtol=1e-5)
    assert_allclose(found[:, 0], found[::-1, 0])


@pytest.mark.parametrize("delay", [-7, 0, 3.0])
def test_delay_is_found(delay):
    times = Time("2020-01-01") + np.sort(RANDOM.uniform(0, 100, 150)) * u.d
    later = Time("2020-01-01") + np.sort(RANDOM.uniform(0, 100, 120)) * u.d
    peaks = np.array([20, 34, 41, 60, 77])
    days = (times - times[0]).to_value("d"), (later - times[0]).to_value("d") - delay
    course = [np.exp(-0.5 * ((x[:, None] - peaks) / 2) ** 2).sum(axis=1) for x in days]
    bins, found, _ = discrete_correlation(course[0], np.full(150, 0.01), course[1], np.full(120, 0.01), times, later, 1 * u.d)
    near = np.abs(bins.to_value("d")) < 15
    assert abs(bins.to_value("d")[near][np.nanargmax(found[near, 0])] - delay) < 1.5


def test_correlation_refuses_what_does_not_fit():
    one, error = FLUX[:, 0], ERROR[:, 0]
    with pytest.raises(InputError, match="time1 has 3 times; expected one for each of the 12 points"):
        discrete_correlation(one, error, one, error, TIME[:3], TIME, 1 * u.h)
    with pytest.raises(InputError, match="tau is .* expected a positive duration"):
        discrete_correlation(one, error, one, error, TIME, TIME, -1 * u.h)
    with pytest.raises(InputError, match="flux1 has 2 series, flux2 1"):
        discrete_correlation(FLUX, ERROR, one, error, TIME, TIME, 1 * u.h)
    noise = discrete_correlation(one, 100 * error, one, error, TIME, TIME, 1 * u.h)
    assert np.isnan(noise[1]).all()
