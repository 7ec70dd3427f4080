"""Profiles through a few nodes against the functions they were taken from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from geminga.numerics.stat_profile import make_profiles

NODES = np.geomspace(0.2, 5, 11)


def poisson(n, b, s):
    def stat(x):
        mu = b + x * s
        return 2 * (mu - n * np.log(mu))

    return stat, (n - b) / s


def test_parabola_is_exact_everywhere():
    profiles = make_profiles([0.0, 1.0, 2.0, 5.0], [(np.array([0.0, 1.0, 2.0, 5.0]) - 1.7) ** 2 / 0.09], [1.7], [0.0])
    x = np.linspace(-3, 9, 40)
    rise = np.array([profiles.rise([v])[0] for v in x])
    assert_allclose(rise, (x - 1.7) ** 2 / 0.09, rtol=1e-9, atol=1e-9)
    assert_allclose(profiles.crossing(2), [2.3])
    assert_allclose(profiles.crossing(-10), [-1.3])


@pytest.mark.parametrize(("n", "b", "s"), [(10, 3.0, 10.0), (100, 20.0, 80.0), (3, 5.0, 10.0), (1000, 200.0, 900.0)])
def test_poisson(n, b, s):
    stat, best = poisson(n, b, s)
    profiles = make_profiles(NODES, [stat(NODES)], [best], [stat(best)])
    x = NODES[0] + (NODES[-1] - NODES[0]) * np.linspace(0, 1, 200)
    near = x[stat(x) - stat(best) < 9]
    rise = np.array([profiles.rise([v])[0] for v in near])
    assert_allclose(rise, stat(near) - stat(best), atol=0.02)
    for sigma in (1, 2, 3):
        expected = brentq(lambda v, k=sigma: stat(v) - stat(best) - k**2, max(best, -b / s + 1e-9), 20)
        assert_allclose(profiles.crossing(sigma), expected, rtol=2e-3, atol=0.01 * np.sqrt(n) / s)


def test_minimum_is_found_where_it_is_not_known():
    stat, best = poisson(100, 20.0, 80.0)
    profiles = make_profiles(NODES, [stat(NODES)])
    assert_allclose(profiles.x_min, best, atol=0.3 * np.sqrt(100) / 80)
    edge = make_profiles([1.0, 2.0, 3.0], [[1.0, 2.0, 5.0]])
    assert edge.x_min[0] == 1
    assert_allclose(edge.rise([1.0]), 0)


def test_derivatives():
    stat, best = poisson(100, 20.0, 80.0)
    profiles = make_profiles(NODES, np.array([stat(NODES)] * 3), np.full(3, best), np.full(3, stat(best)))
    x, h = np.array([-0.4, 0.77, 8.0]), 1e-5
    _, first, second = profiles.evaluate(x)
    up, down = profiles.evaluate(x + h), profiles.evaluate(x - h)
    assert_allclose(first, (up[0] - down[0]) / (2 * h), rtol=1e-8)
    assert_allclose(second, (up[1] - down[1]) / (2 * h), atol=1e-4)


def test_several_minima_stay_finite_and_give_the_outer_crossing():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    profiles = make_profiles(x, [[9.0, 0.0, 4.0, 1.0, 16.0]])
    assert profiles.crossing(1.5)[0] > 3
    assert np.isfinite(profiles.rise([2.5])).all()


def test_nodes_without_value_are_left_out():
    stat, best = poisson(100, 20.0, 80.0)
    values = np.array([stat(NODES), np.full(11, np.nan), stat(NODES)])
    values[2, 3] = np.nan
    profiles = make_profiles(NODES, values, np.full(3, best), np.full(3, stat(best)))
    assert profiles.is_known.tolist() == [True, False, True]
    assert np.isnan(profiles.rise(np.ones(3))).tolist() == [False, True, False]
    assert_allclose(profiles.crossing(2)[0], profiles.crossing(2)[2], rtol=1e-2)
    assert np.isnan(profiles.crossing(2)[1])


def test_node_at_the_minimum_counts_once():
    profiles = make_profiles([0.0, 1.0, 2.0], [[1.0, 0.0, 1.0]], [1.0], [0.0])
    assert_allclose(profiles.crossing(1), [2])
    assert_allclose(profiles.crossing(3), [4])
