"""Norms and powers of energy: value and gradient."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.numerics.factors import PowerFactor

X = np.linspace(-2, 3, 7)
BAND = (X > 0).astype(float)
FACTOR = PowerFactor(np.array([True, False, True, False]), np.array([np.ones(7), X, BAND, (X - 1) * BAND]))


@given(st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4))
def test_value_and_gradient(values):
    values = np.array(values)
    value, gradient = FACTOR(values)
    plain = values[0] * np.exp(values[1] * X) * np.where(BAND > 0, values[2] * np.exp(values[3] * (X - 1)), 1)
    assert_allclose(value, plain, rtol=1e-13, atol=1e-300)
    for j, step in enumerate(1e-4 * np.eye(4)):
        assert_allclose(gradient[j], (FACTOR(values + step)[0] - FACTOR(values - step)[0]) / 2e-4, rtol=1e-6, atol=1e-6)


def test_norm_of_zero_has_a_gradient():
    value, gradient = FACTOR([0.0, 0.5, 2.0, 0.0])
    assert not value.any()
    assert_allclose(gradient[0], FACTOR([1.0, 0.5, 2.0, 0.0])[0])


def test_many_points_at_once():
    points = np.random.default_rng(0).uniform(0.5, 1.5, (5, 4))
    value, gradient = FACTOR.many(points)
    for i, point in enumerate(points):
        assert_allclose(value[i], FACTOR(point)[0])
        assert_allclose(gradient[i], FACTOR(point)[1])
