"""The minimiser: known minima, bounds, and honest failure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.numerics.newton import NewtonOptions, minimize

FREE = np.full(2, np.inf)


def rosenbrock(x, order):
    a, b = x
    value = float((1 - a) ** 2 + 100 * (b - a**2) ** 2)
    gradient = np.array([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)])
    j = np.array([[-1.0, 0.0], [-20 * a, 10.0]])
    positive = 2 * j.T @ j
    if order > 2:
        positive = positive + np.array([[-400 * (b - a**2), 0.0], [0.0, 0.0]])
    return value, gradient, positive


@pytest.mark.parametrize("start", [(-1.2, 1.0), (3.0, -4.0), (0.0, 0.0)])
def test_rosenbrock(start):
    result = minimize(rosenbrock, np.array(start), -FREE, FREE)
    assert result.status == "converged"
    np.testing.assert_allclose(result.x, [1, 1], atol=1e-3)


def test_bound_is_kept_and_reported():
    result = minimize(rosenbrock, np.array([0.0, 0.0]), -FREE, np.array([0.5, np.inf]))
    np.testing.assert_allclose(result.x, [0.5, 0.25], atol=1e-5)
    assert result.at_bound.tolist() == [True, False]


def test_secant_finds_what_gauss_newton_misses():
    """Without exact curvature at the end the structured secant still converges on a misfit model."""

    def function(x, order):
        value, gradient, positive = rosenbrock(x, min(order, 2))
        return value, gradient, 1.5 * positive

    result = minimize(function, np.array([-1.2, 1.0]), -FREE, FREE, NewtonOptions(exact_below=0.0))
    np.testing.assert_allclose(result.x, [1, 1], atol=1e-3)


def test_flat_direction_does_not_blow_up():
    def function(x, order):
        return float((x[0] - 2) ** 2), np.array([2 * (x[0] - 2), 0.0]), np.array([[2.0, 0.0], [0.0, 0.0]])

    result = minimize(function, np.array([0.0, 5.0]), -FREE, FREE)
    assert result.status == "converged"
    np.testing.assert_allclose(result.x, [2, 5], atol=1e-4)


def test_start_without_a_value_is_refused():
    result = minimize(lambda x, o: (np.nan, np.zeros(2), np.eye(2)), np.zeros(2), -FREE, FREE)
    assert result.status == "invalid"


def test_gives_up_and_says_so():
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), -FREE, FREE, NewtonOptions(max_iterations=2))
    assert result.status == "iterations"


def counted(function):
    """The function and a list of the orders it was asked for."""
    orders = []

    def inner(x, order):
        orders.append(order)
        return function(x, order)

    return inner, orders


def poisson(x, order):
    """Counts of an exponential, two parameters, exact derivatives."""
    t = np.linspace(0, 2, 9)
    n = np.array([52.0, 31, 29, 15, 12, 9, 4, 4, 1])
    mu = np.exp(x[0] - x[1] * t)
    jacobian = np.array([mu, -t * mu])
    weight = 2 * (1 - n / mu)
    curvature = (jacobian * (2 * n / mu**2)) @ jacobian.T
    if order > 2:
        curvature = curvature + np.array([[mu, -t * mu], [-t * mu, t**2 * mu]]) @ weight
    return float(2 * np.sum(mu - n * np.log(mu))), jacobian @ weight, curvature


def test_second_derivatives_serve_for_more_than_one_step():
    function, orders = counted(poisson)
    own = minimize(function, np.array([1.0, 0.0]), np.full(2, -9.0), np.full(2, 9.0))
    assert own.status == "converged"
    assert_allclose(poisson(own.x, 1)[1], 0, atol=1e-5)
    assert orders.count(3) == 1
    assert orders.count(1) >= 1


@pytest.mark.parametrize("start", [(1.0, 3.0), (0.4, 5.0), (2.0, 2.0), (3.0, 0.9)])
def test_a_curved_valley_without_a_minimum_along_it_ends_flat(start):
    """Only the product matters: what bends along the valley is gone at its bottom."""

    def function(x, order):
        product = x[0] * x[1]
        slope = np.array([x[1], x[0]])
        curvature = 2 * np.outer(slope, slope)
        if order > 2:
            curvature = curvature + 2 * (product - 4) * np.array([[0.0, 1.0], [1.0, 0.0]])
        return float((product - 4) ** 2), 2 * (product - 4) * slope, curvature

    own = minimize(function, np.array(start), np.full(2, -99.0), np.full(2, 99.0))
    assert own.status == "converged"
    eigen = np.linalg.eigvalsh(function(own.x, 3)[2])
    assert abs(eigen[0]) < 1e-8 * eigen[1]
