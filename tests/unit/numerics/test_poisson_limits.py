from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from geminga.numerics import poisson, poisson_limits

counts = st.integers(0, 5000)
rises = st.floats(0.1, 30)


@given(st.integers(1, 10**7), rises)
def test_cash_errors_raise_the_statistic(n, rise):
    down, up = poisson_limits.cash_errors(n, rise)
    assert float(poisson.deviance(n, n - down)) == pytest.approx(rise, rel=1e-6)
    assert float(poisson.deviance(n, n + up)) == pytest.approx(rise, rel=1e-6)


@given(counts, counts, st.floats(1e-3, 10), rises)
def test_wstat_limits_raise_the_statistic(n_on, n_off, alpha, rise):
    for side in (1, -1):
        limit = poisson_limits.wstat_limit(n_on, n_off, alpha, rise, side)
        assert side * (limit - (n_on - alpha * n_off)) > 0
        assert float(poisson.wstat(n_on, n_off, alpha, limit)) == pytest.approx(rise, rel=1e-6)


def test_wstat_limits_equal_a_bracketed_search():
    rng = np.random.default_rng(3)
    n_on, n_off, alpha = rng.poisson(5, 30), rng.poisson(9, 30), rng.uniform(0.05, 2, 30)
    limits = poisson_limits.wstat_limit(n_on, n_off, alpha, 4.0, 1)
    for row in range(30):
        best = n_on[row] - alpha[row] * n_off[row]
        root = brentq(lambda mu, i=row: poisson.wstat(n_on[i], n_off[i], alpha[i], mu) - 4.0, best, best + 200, xtol=1e-12)
        assert limits[row] == pytest.approx(root, rel=1e-9)


@given(counts, st.floats(0, 3000), rises)
def test_bounded_limit_is_not_negative(n, mu, rise):
    limit = float(poisson_limits.cash_limit(n, mu, rise))
    best = max(n - mu, 0.0)
    assert limit > best
    assert float(poisson.cash(n, limit + mu) - poisson.cash(n, best + mu)) == pytest.approx(rise, rel=1e-4, abs=1e-6)


def test_bounded_limit_without_counts_does_not_depend_on_the_background():
    np.testing.assert_allclose(poisson_limits.cash_limit(0, [0.0, 1.0, 50.0], 4.0), 2.0)
    np.testing.assert_allclose(poisson_limits.wstat_limit(0, [0, 5], 0.2, 4.0, 1, bounded=True), 2.0)


@given(st.floats(1e-6, 1e5), st.floats(0.1, 30))
def test_cash_matching_excess_has_the_significance(mu, significance):
    excess = poisson_limits.cash_matching_excess(mu, significance)
    assert np.sqrt(float(poisson.deviance(mu + excess, mu))) == pytest.approx(significance, rel=1e-6)


@given(counts, st.floats(1e-3, 3), st.floats(0.1, 15), st.floats(0, 50))
def test_wstat_matching_excess_has_the_significance(n_off, alpha, significance, mu):
    excess = poisson_limits.wstat_matching_excess(n_off, alpha, significance, mu)
    stat = poisson.wstat(alpha * n_off + mu + excess, n_off, alpha, mu)
    assert np.sqrt(float(stat)) == pytest.approx(significance, rel=1e-5)


def test_no_off_exposure_has_the_errors_of_the_counts():
    down = 5 - poisson_limits.wstat_limit(5, 0, 0.0, 1.0, -1)
    assert float(down) == pytest.approx(float(poisson_limits.cash_errors(5, 1.0)[0]))


def test_nan_gives_nan():
    assert np.isnan(poisson_limits.wstat_limit([1, 2], [1, 1], [np.nan, 0.1], 1.0, 1)).tolist() == [True, False]
