import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.numerics import stieltjes
from geminga.numerics.stieltjes import fraction, fraction_integral, fraction_value


def moments(x, n, number=12):
    return np.array([np.sum(n * x ** (j + 1), axis=-1) for j in range(number)])


@given(st.integers(0, 2**31), st.floats(-0.5, 4.0))
def test_sum_integral_and_slope(seed, norm):
    rng = np.random.default_rng(seed)
    x, n = rng.uniform(0, 1, (3, 400)), rng.poisson(1.0, (3, 400)).astype(float)
    a, f = fraction(moments(x, n)), np.full(3, norm)
    value, slope = fraction_value(a, f)
    np.testing.assert_allclose(value, np.sum(n * x / (1 + norm * x), axis=1), rtol=2e-5)
    np.testing.assert_allclose(slope, -np.sum(n * x**2 / (1 + norm * x) ** 2, axis=1), rtol=5e-4)
    np.testing.assert_allclose(fraction_integral(a, f), np.sum(n * np.log1p(norm * x), axis=1), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_few_points_are_exact(number):
    x = np.linspace(0.2, 0.9, number)
    n = np.ones(number)
    a = fraction(moments(x, n)[:, None])
    value, _ = fraction_value(a, np.array([20.0]))
    np.testing.assert_allclose(value, np.sum(n * x / (1 + 20 * x)), rtol=1e-6)
    assert (a >= 0).all()


def test_many_problems_are_worked_in_parts():
    """Parts are for speed alone: each problem has the value that it has by itself."""
    rng = np.random.default_rng(1)
    number = 2 * stieltjes.BLOCK + 17
    x, n = rng.uniform(0.1, 1.0, (4, number)), rng.poisson(3, (4, number)) + 1.0
    moments = np.array([(n * x ** (j + 1)).sum(axis=0) for j in range(6)])
    a, norm = stieltjes.fraction(moments), rng.uniform(-0.5, 3, number)
    value, slope = stieltjes.fraction_value(a, norm)
    integral = stieltjes.fraction_integral(a, norm, x.max(axis=0))
    some = np.r_[0, stieltjes.BLOCK - 1, stieltjes.BLOCK, number - 1]
    np.testing.assert_array_equal(stieltjes.fraction(moments[:, some]), a[:, some])
    for whole, own in zip((value, slope), stieltjes.fraction_value(a[:, some], norm[some]), strict=True):
        np.testing.assert_array_equal(own, whole[some])
    np.testing.assert_allclose(stieltjes.fraction_integral(a[:, some], norm[some], x.max(axis=0)[some]), integral[some])
