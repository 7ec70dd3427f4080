"""Numbers of variability against what they should be for constant, noisy and changing sources."""

from __future__ import annotations

from itertools import permutations

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time, TimeDelta
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.stats import compute_chisq, compute_flux_doubling, compute_fpp, compute_fvar

FLUX = np.array([1, 2, 3, 2.5, 1.2])
ERROR = np.array([0.1, 0.2, 0.2, 0.1, 0.1])
TIME = np.array([0, 1, 2, 4, 7.0]) * u.h
UNIT = u.Unit("cm-2 s-1")


def series(n, n_series, spread, seed=0):
    """White noise with a mean of 10 and errors of 1."""
    flux = 10 + spread * np.random.default_rng(seed).normal(size=(n, n_series))
    return flux, np.ones_like(flux)


def square(values):
    """Mean square of fractions, with their sign."""
    return np.mean(np.sign(values) * values**2)


def test_fvar_reference_value():
    assert_allclose(compute_fvar(FLUX, ERROR), [0.4300340951466848, 0.03446114438595276], rtol=1e-9)


@pytest.mark.parametrize("function", [compute_fvar, compute_fpp])
def test_constant_source_does_not_vary(function):
    value, _ = function(*series(50, 4000, spread=1))
    assert abs(square(value)) < 3e-4  # the errors are a hundredth of the square of the mean
    assert (value < 0).mean() > 0.4


@pytest.mark.parametrize("function", [compute_fvar, compute_fpp])
def test_white_noise_has_its_variance(function):
    value, _ = function(*series(50, 4000, spread=2))
    assert_allclose(np.sqrt(square(value)), np.sqrt(3) / 10, rtol=0.01)


def test_mean_over_all_orders_is_the_variance():
    # What decides about the factor 1/2: without order, both are the same, exactly.
    flux = np.array([3.0, 7.0, 4.0, 11.0, 6.5])
    orders = np.array(list(permutations(flux))).T
    error = np.full_like(orders, 0.5)
    assert_allclose(square(compute_fpp(orders, error)[0]).mean(), square(compute_fvar(flux, error[:, 0])[0]), rtol=1e-12)


def test_slow_variations_are_not_from_point_to_point():
    flux = 10 + 3 * np.sin(0.1 * np.arange(200))
    error = np.full(200, 0.01)
    assert_allclose(compute_fvar(flux, error)[0], 0.3 / np.sqrt(2), rtol=0.02)
    assert_allclose(compute_fpp(flux, error)[0], 0.3 / np.sqrt(2) * 2 * np.sin(0.05) / np.sqrt(2), rtol=0.02)


@pytest.mark.parametrize(("function", "tolerance"), [(compute_fvar, 0.1), (compute_fpp, 0.35)])
def test_error_is_the_scatter_from_noise(function, tolerance):
    true = 10 + 3 * np.sin(0.7 * np.arange(60))
    flux = true[:, None] + 0.8 * np.random.default_rng(1).normal(size=(60, 3000))
    value, error = function(flux, np.full_like(flux, 0.8))
    assert_allclose(error.mean(), value.std(), rtol=tolerance)


@pytest.mark.parametrize("function", [compute_fvar, compute_fpp])
def test_shapes_units_and_unknown_points(function):
    expected = function(FLUX, ERROR)
    both = np.stack([FLUX, 2 * FLUX], axis=1), np.stack([ERROR, 2 * ERROR], axis=1)
    assert_allclose(function(*both)[0], [expected[0], expected[0]])
    assert_allclose(function(both[0].T, both[1].T, axis=1)[1], [expected[1], expected[1]])
    assert_allclose(function(FLUX * UNIT, ERROR * UNIT), expected)
    assert_allclose(function(FLUX * UNIT, (ERROR * UNIT).to("m-2 s-1")), expected)
    padded = np.insert(FLUX, [0, 2, 5], np.nan), np.insert(ERROR, [0, 2, 5], [np.nan, 0.5, np.nan])
    assert_allclose(function(*padded), expected)
    assert np.isnan(function(FLUX[:1], ERROR[:1])).all()
    assert np.isnan(function([np.nan, np.nan], [1.0, 1.0])).all()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"flux has the shape \(5,\), flux_err \(3,\)"):
        compute_fvar(FLUX, ERROR[:3])
    with pytest.raises(InputError, match="flux_err has 1 negative values, the lowest is -0.1"):
        compute_fpp(FLUX, [0.1, -0.1, 0.2, 0.2, 0.2])
    with pytest.raises(InputError, match="flux_err has the unit 'm'"):
        compute_fvar(FLUX * UNIT, ERROR * u.m)


def test_chisq_of_fluxes_follows_its_distribution():
    flux, error = series(20, 4000, spread=1)
    value, p_value = compute_chisq(flux, flux_err=error, axis=0)
    assert value.shape == (4000,)
    assert_allclose(value.mean(), 19, rtol=0.02)
    assert_allclose(np.quantile(p_value, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.03)


def test_chisq_with_unequal_errors():
    value, p_value = compute_chisq(FLUX * UNIT, flux_err=ERROR * UNIT)
    mean = np.average(FLUX, weights=ERROR**-2.0)
    assert_allclose(value, np.sum(((FLUX - mean) / ERROR) ** 2))
    assert p_value < 1e-10
    with_zero = compute_chisq(np.append(FLUX, 5.0), flux_err=np.append(ERROR, 0.0))
    assert_allclose(with_zero, [value, p_value])


def test_chisq_of_counts():
    assert_allclose(compute_chisq(FLUX), [1.480412371134021, 0.8301054136082808])
    counts = np.random.default_rng(2).poisson(50, size=(30, 2000))
    assert_allclose(compute_chisq(counts, axis=0)[0].mean(), 29, rtol=0.02)
    with pytest.raises(InputError, match="has the unit '1 / .s cm2.', so it is no number of counts; give flux_err"):
        compute_chisq(FLUX * UNIT)


def test_doubling_of_an_exponential_is_exact():
    time = np.arange(6.0) * u.h
    rising = 2 ** (time.to_value("h") / 3)
    result = compute_flux_doubling(rising, 0.1 * rising, time)
    assert_allclose(result["doubling"].to_value("h"), 3)
    assert np.isnan(result["halving"].value)
    assert np.isnan(result["halving_coord"].value)
    result = compute_flux_doubling(1 / rising, 0.1 / rising, time)
    assert_allclose(result["halving"].to_value("h"), 3)
    assert np.isnan(result["doubling"].value)


def test_doubling_times():
    flux = np.stack([FLUX, 2 * FLUX + 1], axis=1)
    error = np.stack([ERROR, ERROR], axis=1)
    result = compute_flux_doubling(flux * UNIT, error * UNIT, TIME)
    assert_allclose(result["doubling"].to_value("h"), [1, 1.35691545], rtol=1e-8)
    assert_allclose(result["doubling_err"].to_value("h"), [0.20402789, 0.13831006], rtol=1e-7)
    assert_allclose(result["halving"].to_value("h"), [2.8331456, 3.66109152], rtol=1e-8)
    assert_allclose(result["halving_coord"].to_value("h"), [4, 4])
    one = compute_flux_doubling(FLUX, ERROR, TIME)
    assert one["doubling"].shape == ()
    assert_allclose(one["halving_err"].to_value("h"), 0.35680669, rtol=1e-7)


def test_error_of_the_doubling_time_is_its_scatter():
    random = np.random.default_rng(3)
    flux = np.array([1.0, 3.0])[:, None] + 0.05 * random.normal(size=(2, 5000))
    result = compute_flux_doubling(flux, np.full_like(flux, 0.05), [0, 1] * u.h)
    assert_allclose(result["doubling"].value.std(), result["doubling_err"].value.mean(), rtol=0.05)


def test_doubling_leaves_out_what_is_not_positive():
    result = compute_flux_doubling([0.0, 1.0, -1.0, 2.0, 3.0], [0.1] * 5, np.arange(5) * u.d)
    assert_allclose(result["doubling"].value, np.log(2) / np.log(1.5))
    assert result["doubling_coord"] == 3 * u.d
    constant = compute_flux_doubling([1.0, 1.0], [0.1, 0.1], [0, 1] * u.d)
    assert np.isnan(constant["doubling"])
    assert np.isnan(constant["doubling_err"])


def test_doubling_with_times():
    times = Time("2020-01-01") + TimeDelta(TIME)
    result = compute_flux_doubling(FLUX, ERROR, times)
    assert_allclose(result["doubling"].to_value("h"), 1)
    assert result["halving_coord"].iso == times[3].iso
    with pytest.raises(InputError, match="coords are not in order of time"):
        compute_flux_doubling(FLUX, ERROR, TIME[::-1])
    with pytest.raises(InputError, match=r"coords has the shape \(3,\); expected one time for each of the 5 points"):
        compute_flux_doubling(FLUX, ERROR, TIME[:3])
