"""Statistics of measured values: derivatives, limits and numbers."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.numerics.point_statistics import asymmetric_terms, chi2_terms, upper_limit_terms

X = np.linspace(-4, 12, 33)
CASES = {
    "chi2": lambda m: chi2_terms(3.0, 2.0, m),
    "asymmetric": lambda m: asymmetric_terms(3.05, 2.0, 0.7, m),
    "limit": lambda m: upper_limit_terms(3.0, 1.3, m),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_differences(name):
    function, h = CASES[name], 1e-5
    _, first, second = function(X)
    assert_allclose(first, (function(X + h)[0] - function(X - h)[0]) / (2 * h), rtol=1e-6, atol=1e-8)
    assert_allclose(second, (function(X + h)[1] - function(X - h)[1]) / (2 * h), rtol=1e-5, atol=1e-8)
    assert (second >= 0).all()


def test_limit_against_high_precision():
    z = np.array([-60.0, -30.0, -5.0, -1.0, 0.0, 2.0, 8.0])
    stat, first, second = upper_limit_terms(z, np.ones(7), np.zeros(7))
    with mpmath.workdps(60):
        for k, value in enumerate(z):
            phi = mpmath.ncdf(value)
            ratio = mpmath.npdf(value) / phi
            assert_allclose(stat[k], float(-2 * mpmath.log(phi)), rtol=1e-12)
            assert_allclose(first[k], float(2 * ratio), rtol=1e-10)
            assert_allclose(second[k], float(2 * ratio * (value + ratio)), rtol=1e-6)


def test_limit_is_nothing_below_and_chi2_like_above():
    assert upper_limit_terms(5.0, 1.0, -5.0)[0] < 1e-20
    assert_allclose(upper_limit_terms(0.0, 1.0, 0.0)[0], 2 * np.log(2))
    assert_allclose(upper_limit_terms(0.0, 1.0, 100.0)[0], 1e4, rtol=2e-3)
    assert np.isfinite(upper_limit_terms(0.0, 1.0, 1e6)).all()
