"""Sparse weights against the plain interpolator, and integrals of power laws against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.numerics.grid_weights import linear_weights, spread
from geminga.numerics.interpolation import GridInterpolator
from geminga.numerics.log_integral import integrate_samples, log_samples


def grids(rng, shape):
    return [np.sort(rng.uniform(-1, 1, n)) for n in shape]


@given(st.integers(0, 1000), st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_equals_the_slow_twin(seed, shape):
    rng = np.random.default_rng(seed)
    axes = grids(rng, shape)
    points = [rng.uniform(-2, 2, 20) for _ in shape]
    table = rng.uniform(size=(*shape, 3))
    weights = linear_weights(axes, points)
    expected = GridInterpolator(axes, table)(points)
    assert_allclose(weights @ table.reshape(-1, 3), expected, atol=1e-9 * np.abs(expected).max())
    assert_allclose(weights.sum(axis=1), 1, atol=1e-9 * np.abs(weights).max())


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 40))
def test_both_ways_to_spread_agree(seed, n_points, n_rows):
    rng = np.random.default_rng(seed)
    weights = linear_weights(grids(rng, (4, 5)), [rng.uniform(-1, 1, n_points) for _ in range(2)])
    table = rng.uniform(size=(n_rows, 20))
    assert_allclose(spread(weights, table), (weights.toarray() @ table.T).T, atol=1e-9)
    assert spread(weights, table).flags.c_contiguous


EDGES = np.array([0.5, 1.0, 3.0, 10.0])


@pytest.mark.parametrize("index", [-3.0, -1.0, -0.7, 0.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_power_law_is_integrated_exactly(index, dtype):
    nodes = np.array([0.1, 0.7, 2.0, 2.5, 8.0, 40.0])
    samples = log_samples(EDGES, nodes, 0.1, 100.0)
    log_value = (index * samples.log_energy).astype(dtype)[:, np.newaxis]
    found = integrate_samples(log_value, samples, -80.0)[:, 0]
    low, high = EDGES[:-1], EDGES[1:]
    exact = np.log(high / low) if index == -1 else (high ** (index + 1) - low ** (index + 1)) / (index + 1)
    assert_allclose(found, exact, rtol=2e-6 if dtype is np.float32 else 1e-7)
    assert found.dtype == dtype


@given(st.lists(st.floats(-6, 2), min_size=7, max_size=7))
def test_a_broken_power_law_is_integrated_exactly(values):
    nodes = np.geomspace(0.3, 20, 7)
    values = np.array(values)

    def function(energy):
        return np.exp(np.interp(np.log(energy), np.log(nodes), values))

    samples = log_samples(EDGES, nodes, 0.3, 20.0)
    found = integrate_samples(np.log(function(np.exp(samples.log_energy)))[:, np.newaxis], samples, -80.0)[:, 0]
    for low, high, one in zip(EDGES[:-1], EDGES[1:], found, strict=True):
        cuts = np.concatenate([[low], nodes[(nodes > low) & (nodes < high)], [high]])
        fine = np.concatenate([np.geomspace(a, b, 400) for a, b in zip(cuts[:-1], cuts[1:], strict=True)])
        assert_allclose(one, np.trapezoid(function(fine), fine), rtol=2e-4)


def test_range_and_zeros():
    samples = log_samples(EDGES, np.array([2.0]), 0.8, 5.0)
    flat = np.zeros((len(samples.log_energy), 1))
    assert_allclose(integrate_samples(flat, samples, -80.0)[:, 0], [0.2, 2.0, 2.0])
    assert (integrate_samples(flat - 90, samples, -80.0) == 0).all()
    outside = log_samples(EDGES, np.array([2.0]), 20.0, 50.0)
    assert (integrate_samples(np.zeros((len(outside.log_energy), 1)), outside, -80.0) == 0).all()
