"""Numbers drawn from tables follow them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare, kstest

from geminga.numerics import sampling
from geminga.numerics.sampling import draw_columns, draw_power_law, log_slopes


@pytest.mark.parametrize(("block", "cache"), [(4_000_000, 50_000), (10, 0)])
def test_columns_follow_their_rows(monkeypatch, block, cache):
    monkeypatch.setattr(sampling, "_BLOCK", block)
    monkeypatch.setattr(sampling, "_CACHE", cache)
    rng = np.random.default_rng(1)
    table = rng.uniform(size=(7, 5))
    table[2] = [0, 3, 0, 1, 0]
    table[5] = 0
    rows = rng.integers(0, 7, size=70_000)
    asked = []

    def weights(used):
        asked.extend(used.tolist())
        return table[used]

    column, fraction = draw_columns(rows, weights, 5, rng)
    assert asked == list(range(7))
    assert (column[rows == 5] == -1).all()
    for row in (0, 1, 2, 3, 4, 6):
        found = np.bincount(column[rows == row], minlength=5)
        expected = table[row] / table[row].sum() * found.sum()
        assert (found[expected == 0] == 0).all()
        assert chisquare(found[expected > 0], expected[expected > 0]).pvalue > 1e-3
    assert kstest(fraction[rows != 5], "uniform").pvalue > 1e-3


def test_no_events_and_rows_that_are_not_used():
    column, fraction = draw_columns(np.zeros(0, dtype=int), lambda rows: np.ones((len(rows), 2)), 2, np.random.default_rng(0))
    assert (len(column), len(fraction)) == (0, 0)
    column, _ = draw_columns(np.array([3, 3]), lambda rows: np.array([[0.0, 1.0]]), 2, np.random.default_rng(0))
    assert_array_equal(column, [1, 1])


@pytest.mark.parametrize("slope", [-3.0, -1.0, -1 + 1e-8, 0.0, 2.0])
def test_power_law(slope):
    fraction = np.linspace(0, 1, 11)
    one = np.ones(11)
    found = draw_power_law(one, 5 * one, slope * one, fraction)
    p = slope + 1
    enclosed = np.log(found) / np.log(5) if abs(p) < 1e-6 else (found**p - 1) / (5**p - 1)
    assert_allclose(enclosed, fraction, atol=1e-7)


def test_slopes():
    edges = np.array([1.0, 2.0, 3.0, 7.0, 11.0])
    assert_allclose(log_slopes(edges, np.diff(np.log(edges))), -1, atol=0.1)
    assert_allclose(log_slopes(np.geomspace(1, 100, 9), np.diff(np.geomspace(1, 100, 9) ** -1.7) * -1), -2.7, rtol=1e-10)
    assert_array_equal(log_slopes([1.0, 2.0], [3.0]), [-1])
    assert np.isfinite(log_slopes([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0])).all()
