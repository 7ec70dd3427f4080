from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.numerics import poisson
from geminga.numerics.likelihood import Cash, Cstat, Wstat
from tests.unit.numerics.exact_wstat import CORNERS, exact_terms, random_points

SHAPE = (3, 4)


def _counts(seed: int = 0, mean: float = 5.0):
    return np.random.default_rng(seed).poisson(mean, SHAPE).astype(float)


STATISTICS = {
    "cash": Cash(_counts()),
    "cstat": Cstat(_counts()),
    "wstat": Wstat(_counts(1), _counts(2, 20), np.full(SHAPE, 0.2)),
    "wstat without off counts": Wstat(_counts(1), np.zeros(SHAPE), np.full(SHAPE, 0.2)),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_derivatives_are_those_of_the_value(name):
    statistic = STATISTICS[name]
    mu = np.random.default_rng(3).uniform(0.5, 8, SHAPE)
    value, slope, curvature = statistic.terms(mu)
    np.testing.assert_allclose(value, statistic.value(mu))
    h = 1e-4
    ends = [statistic.value(mu + f * h) for f in (-2, -1, 1, 2)]
    first = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * h)
    second = (ends[2] - 2 * value + ends[1]) / h**2
    np.testing.assert_allclose(slope, first, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(curvature, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", STATISTICS)
def test_predictions_broadcast_from_the_left(name):
    statistic = STATISTICS[name]
    mu = np.random.default_rng(4).uniform(0, 9, (5, *SHAPE))
    np.testing.assert_allclose(statistic.value(mu), [statistic.value(one) for one in mu])


@pytest.mark.parametrize("name", STATISTICS)
def test_joined_statistics_are_those_of_the_parts(name):
    statistic = STATISTICS[name]
    mu = np.random.default_rng(5).uniform(0, 9, (2 * SHAPE[0], SHAPE[1]))
    both = statistic.join([statistic])
    np.testing.assert_allclose(both.value(mu), np.concatenate([statistic.value(mu[:3]), statistic.value(mu[3:])]))


def test_they_equal_the_public_formulas():
    n, mu = _counts(), np.random.default_rng(6).uniform(0.1, 9, SHAPE)
    np.testing.assert_allclose(Cash(n).value(mu), poisson.cash(n, mu))
    np.testing.assert_allclose(Cstat(n).value(mu), poisson.cstat(n, mu), atol=1e-12)


def test_cash_sees_every_negative_prediction_as_uphill():
    statistic = Cash(np.array([[0.0, 4.0]]))
    value, slope, _ = statistic.terms(np.array([[-1.0, -1.0]]))
    assert value[0, 0] == -2
    assert slope[0, 0] == 2
    assert value[0, 1] > 400
    assert slope[0, 1] < -1e20


@given(st.integers(0, 300), st.integers(0, 300), st.floats(1e-8, 30), st.one_of(st.just(0.0), st.floats(1e-9, 1e5)))
def test_quick_wstat_equals_the_precise_one(n_on, n_off, alpha, mu):
    quick = Wstat(*(np.array([[float(x)]]) for x in (n_on, n_off, alpha)))
    ours = [float(x[0, 0]) for x in quick.terms(np.array([[mu]]))]
    value, slope, curvature = (float(x) for x in poisson.wstat_terms(n_on, n_off, alpha, mu))
    scale = 1 + abs(value) + n_on + n_off + mu
    assert ours[0] == pytest.approx(value, rel=1e-11, abs=1e-12 * scale)
    assert ours[1] == pytest.approx(slope, rel=1e-10, abs=1e-10)
    assert ours[2] == pytest.approx(curvature, rel=1e-9, abs=1e-200)


@pytest.mark.parametrize("points", [CORNERS, random_points(500)], ids=["corners", "random"])
def test_wstat_and_both_derivatives_against_many_digits(points):
    points = np.array(points, dtype=float)
    exact = np.array([exact_terms(*p) for p in points])
    n_on, n_off, alpha, mu = points.T[:, None]
    ours = np.array(Wstat(n_on, n_off, alpha).terms(mu))[:, 0].T
    np.testing.assert_allclose(ours[:, 0], exact[:, 0], rtol=1e-10, atol=1e-10 * (1 + n_on + n_off).max())
    for order in (1, 2):
        np.testing.assert_allclose(ours[:, order], exact[:, order], rtol=1e-10, atol=1e-10)
    precise = np.array(poisson.wstat_terms(*points.T)).T
    np.testing.assert_allclose(precise, exact, rtol=1e-10, atol=1e-12)


def test_a_negative_signal_takes_the_precise_form():
    statistic = STATISTICS["wstat"]
    mu = np.full(SHAPE, -0.3)
    expected = poisson.wstat_terms(statistic.n_on, statistic.n_off, statistic.alpha, mu)
    np.testing.assert_array_equal(np.array(statistic.terms(mu)), np.array(expected))


def test_no_off_exposure_is_a_measurement_without_background():
    statistic = Wstat(np.array([[3.0, 0.0]]), np.zeros((1, 2)), np.zeros((1, 2)))
    np.testing.assert_allclose(statistic.value(np.array([[2.0, 2.0]])), poisson.cstat([[3, 0]], 2.0))
