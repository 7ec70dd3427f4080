from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.numerics import poisson

counts = st.integers(0, 2000)
alphas = st.floats(1e-3, 10)


def exact_wstat(n_on, n_off, alpha, mu) -> float:
    """Profile statistic with 60 digits, from the textbook root of the quadratic equation."""
    with mp.workdps(60):
        n_on, n_off, alpha, mu = (mp.mpf(float(x)) for x in (n_on, n_off, alpha, mu))
        c = alpha * (n_on + n_off) - (1 + alpha) * mu
        b = (c + mp.sqrt(c**2 + 4 * alpha * (alpha + 1) * n_off * mu)) / (2 * alpha * (alpha + 1))
        m = mu + alpha * b
        b, m = (mp.mpf(0) if abs(x) < mp.mpf(10) ** -40 else x for x in (b, m))
        stat = mu + (1 + alpha) * b - n_on - n_off
        stat += n_on * mp.log(n_on / m) if n_on > 0 else 0
        stat += n_off * mp.log(n_off / b) if n_off > 0 else 0
        return float(2 * stat)


CORNERS = list(product([0, 1, 5, 1000], [0, 1, 7, 1000], [1e-12, 1e-6, 0.2, 1, 30], [0, 1e-8, 0.1, 3, 1e4]))


def test_wstat_in_corners():
    ours = poisson.wstat(*np.array(CORNERS).T)
    np.testing.assert_allclose(ours, [exact_wstat(*c) for c in CORNERS], rtol=1e-10, atol=1e-12)


def test_wstat_at_random_points():
    rng = np.random.default_rng(0)
    n_on, n_off = rng.poisson(10 ** rng.uniform(-1, 4, (2, 500)))
    alpha, mu = 10 ** rng.uniform(-6, 1, 500), 10 ** rng.uniform(-6, 4, 500)
    exact = [exact_wstat(*p) for p in zip(n_on, n_off, alpha, mu, strict=True)]
    np.testing.assert_allclose(poisson.wstat(n_on, n_off, alpha, mu), exact, rtol=1e-10, atol=1e-12)


def test_wstat_of_negative_signal():
    rng = np.random.default_rng(1)
    n_on, n_off = rng.poisson(10 ** rng.uniform(-1, 3, (2, 300)))
    alpha, mu = 10 ** rng.uniform(-2, 1, 300), -(10 ** rng.uniform(-3, 3, 300))
    exact = [exact_wstat(*p) for p in zip(n_on, n_off, alpha, mu, strict=True)]
    np.testing.assert_allclose(poisson.wstat(n_on, n_off, alpha, mu), exact, rtol=1e-10, atol=1e-10)


@given(counts, counts, alphas, st.floats(0, 500))
def test_background_makes_wstat_smallest(n_on, n_off, alpha, mu):
    best = poisson.wstat(n_on, n_off, alpha, mu)
    b = poisson.wstat_background(n_on, n_off, alpha, mu)
    for factor in (0.9, 0.999, 1.001, 1.1):
        assert poisson.wstat_fixed(n_on, n_off, alpha, mu, b * factor + 1e-12) >= best - 1e-9


@given(counts, counts, alphas)
def test_wstat_is_zero_at_the_excess(n_on, n_off, alpha):
    assert float(poisson.wstat(n_on, n_off, alpha, n_on - alpha * n_off)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("mu", [-30.0, -0.4, 0.3, 2.0, 40.0])
@pytest.mark.parametrize(
    ("n_on", "n_off", "alpha"), [(5, 10, 0.2), (0, 4, 0.2), (3, 0, 0.2), (0, 0, 0.5), (200, 3, 2.0), (1, 900, 0.01)]
)
def test_wstat_derivatives_are_those_of_the_value(n_on, n_off, alpha, mu):
    step = 1e-4
    values = poisson.wstat(n_on, n_off, alpha, mu + step * np.arange(-2, 3))
    first = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * step)
    second = (values[3] - 2 * values[2] + values[1]) / step**2
    value, slope, curvature = poisson.wstat_terms(n_on, n_off, alpha, mu)
    assert value == values[2]
    assert float(slope) == pytest.approx(first, rel=1e-6, abs=1e-7)
    assert float(curvature) == pytest.approx(second, rel=1e-3, abs=1e-4)


@given(counts, counts, alphas, st.floats(-100, 500))
def test_wstat_is_convex(n_on, n_off, alpha, mu):
    assert poisson.wstat_terms(n_on, n_off, alpha, mu)[2] >= 0


@given(counts, st.floats(1e-3, 3000))
def test_cash_derivatives(n, mu):
    value, slope, curvature = poisson.cash_terms(n, mu)
    assert float(value) == float(poisson.cash(n, mu))
    assert float(slope) == pytest.approx(2 * (1 - n / mu))
    assert float(curvature) == pytest.approx(2 * n / mu**2)


def test_cash_below_the_truncation_has_no_logarithm_left():
    value, slope, curvature = poisson.cash_terms(1, [0.0, -1.0])
    assert value == pytest.approx(115.12925464970229, rel=1e-6)
    assert slope.tolist() == [2, 2]
    assert curvature.tolist() == [0, 0]


@given(st.integers(1, 10**9), st.floats(-1, 1))
def test_deviance_keeps_its_digits(n, shift):
    mu = n + shift * np.sqrt(n) * 0.01
    with mp.workdps(50):
        exact = 2 * (mp.mpf(mu) - n + n * mp.log(mp.mpf(n) / mp.mpf(mu)))
    assert float(poisson.deviance(n, mu)) == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_deviance_limits():
    assert poisson.deviance([0, 0, 3, 3], [2, 0, 0, 3]).tolist() == [4, 0, np.inf, 0]


def test_cstat_is_cash_plus_goodness():
    n, mu = np.array([1.0, 5, 20]), np.array([2.0, 4, 31])
    np.testing.assert_allclose(poisson.cstat(n, mu), poisson.cash(n, mu) - 2 * (n - n * np.log(n)))


def test_no_exposure_off_is_cash_with_all_off_counts():
    np.testing.assert_allclose(poisson.wstat(5, [0, 3], 0.0, 4.0), poisson.deviance(5, 4.0) * np.ones(2))


def test_nan_stays():
    stat, slope, curvature = poisson.wstat_terms([1, np.nan], [2, 2], [np.nan, 0.1], 1.0)
    assert np.isnan([stat, slope, curvature]).all()
