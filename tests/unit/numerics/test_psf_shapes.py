from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.numerics.psf_shapes import (
    DEG2_PER_SR,
    king_containment,
    king_density,
    king_radius,
    multi_gauss_containment,
    multi_gauss_density,
    multi_gauss_radius,
)

SIGMA, FRACTION = st.floats(0.01, 2), st.floats(0.01, 0.99)


def integral(density, radius):
    r = np.linspace(0, radius, 20001)
    return np.trapezoid(2 * np.pi * r * density(r) / DEG2_PER_SR, r)


@given(st.lists(SIGMA, min_size=3, max_size=3), FRACTION)
def test_gaussians(sigmas, fraction):
    weights = [np.float64(w) for w in (0.5, 0.3, 0.2)]
    radius = multi_gauss_radius(np.array(fraction), [np.float64(s) for s in sigmas], weights)
    assert_allclose(multi_gauss_containment(radius, sigmas, weights), fraction, rtol=1e-9)
    assert_allclose(integral(lambda r: multi_gauss_density(r, sigmas, weights), radius), fraction, rtol=1e-4)


@given(st.floats(1.05, 10), SIGMA, FRACTION)
def test_king(gamma, sigma, fraction):
    radius = king_radius(np.array(fraction), np.float64(gamma), np.float64(sigma))
    assert_allclose(king_containment(radius, gamma, sigma), fraction, rtol=1e-9)
    if radius < 100 * sigma:
        assert_allclose(integral(lambda r: king_density(r, gamma, sigma), radius), fraction, rtol=1e-3)


def test_king_becomes_a_gaussian():
    r = np.linspace(0, 0.3, 5)
    assert_allclose(king_density(r, 1e7, 0.1), multi_gauss_density(r, [np.float64(0.1)], [np.float64(1)]), rtol=1e-5)
