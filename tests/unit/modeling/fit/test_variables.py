"""Variables of the search: they go there and back, keep bounds and derivatives, and make curved valleys straight."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.modeling.fit.backends import newton
from geminga.modeling.fit.variables import Variables
from tests.helpers import data_path, requires_data

INFINITE = np.full(2, np.inf)


def both(low=-INFINITE, high=INFINITE):
    return Variables(np.array([True, False]), np.array([1e-12, 1.0]), low, high)


@pytest.mark.parametrize("value", [0.0, 1e-18, -3e-12, 1e-12, 4e-10, -1e-5])
def test_there_and_back(value):
    x = np.array([value, 2.5])
    assert_allclose(both().outside(both().inside(x)), x, rtol=1e-13)


def test_bounds_come_back_without_rounding():
    low, high = np.array([0.7e-12, -1.0]), np.array([3.3e-11, 2.0])
    own = both(low, high)
    assert (own.outside(own.inside(low)) == low).all()
    assert (own.outside(own.inside(high)) == high).all()
    assert (own.outside(own.inside(high) + 5) == high).all()


def test_the_start_comes_back_without_rounding():
    start = np.array([3.1e-12, 0.7])
    own = Variables.at(Logarithmic(), start, -INFINITE, INFINITE)
    assert own.bent.tolist() == [True, False]
    assert (own.outside(own.inside(start)) == start).all()


class Logarithmic:
    """A function whose first parameter is a strength."""

    logarithmic = np.array([True, False])

    def __call__(self, x, order):
        return 0.0, np.zeros(2), np.diag([1.7e24, 3.0])


def test_infinite_bounds_stay():
    assert both().inside(INFINITE).tolist() == [np.inf, np.inf]
    assert both().inside(-INFINITE).tolist() == [-np.inf, -np.inf]


def test_far_steps_stay_finite():
    assert np.isfinite(both().outside(np.array([1e6, 0.0]))).all()


def bent_valley(x, order):
    """Two counts measured at different places of ``a exp(b t)``, with exact derivatives."""
    t, n = np.array([5.0, 8.0]), np.array([400.0, 90.0])
    shape = np.exp(x[1] * t)
    mu = x[0] * shape
    if (mu <= 0).any():
        return np.inf, np.zeros(2), np.zeros((2, 2))
    jacobian = np.array([shape, mu * t])
    weight = 2 * (1 - n / mu)
    curvature = (jacobian * (2 * n / mu**2)) @ jacobian.T
    if order > 2:
        second = np.array([[0 * t, shape * t], [shape * t, mu * t**2]])
        curvature = curvature + second @ weight
    return float(2 * np.sum(mu - n * np.log(mu))), jacobian @ weight, curvature


def test_derivatives_are_those_of_the_variables():
    own = both()
    function = own.function(bent_valley)
    u = own.inside(np.array([30.0, 0.4]))
    _, gradient, curvature = function(u, 3)
    for j in range(2):
        step = np.zeros(2)
        step[j] = 1e-5
        up, down = function(u + step, 3), function(u - step, 3)
        assert_allclose(gradient[j], (up[0] - down[0]) / 2e-5, rtol=1e-6)
        assert_allclose(curvature[j], (up[1] - down[1]) / 2e-5, rtol=1e-6)


def minimum(logarithmic):
    calls = []

    def function(x, order):
        calls.append(order)
        return bent_valley(x, order)

    function.logarithmic = np.array([logarithmic, False])
    found = newton(function, np.array([1.0, 0.5]), -INFINITE, INFINITE, ["a", "b"], None)
    return found, len(calls)


def test_a_bent_valley_is_walked_in_few_steps():
    (straight, few), (crawl, many) = minimum(True), minimum(False)
    b = np.log(90 / 400) / 3
    for found in (straight, crawl):
        assert found.success
        assert_allclose(found.x, [400 * np.exp(-5 * b), b], rtol=1e-4)
    assert few < 0.7 * many
    assert all(len(x) == 2 for _, x in straight.trace)
    assert_allclose(straight.trace[-1][1], straight.x, rtol=1e-6)


@requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_datasets.yaml")
def test_pivot_energy_far_outside_of_the_data():
    from geminga.datasets import Datasets
    from geminga.modeling import Fit

    folder = data_path("fermi-3fhl-crab")
    name = str(folder / "Fermi-LAT-3FHL_{}.yaml")
    datasets = Datasets.read(name.format("datasets"), filename_models=name.format("models"))
    result = Fit().run(datasets)
    assert result.success
    assert result.total_stat < -12764.4732
    assert result.nfev < 40
    assert_allclose(datasets.stat_sum(), result.total_stat, atol=1e-6)


def product(x, order):
    """100 000 counts of an amplitude times a scale which is known to 5 per cent, and another number; exact derivatives."""
    a, s, b = x
    mu = np.array([a * s, a * s * b, b])
    if (mu <= 0).any():
        return np.inf, np.zeros(3), np.zeros((3, 3))
    n = np.array([1e5, 2e5, 2.1])
    jacobian = np.array([[s, s * b, 0], [a, a * b, 0], [0, a * s, 1]])
    weight = 2 * (1 - n / mu)
    curvature = (jacobian * (2 * n / mu**2)) @ jacobian.T + np.diag([0, 800, 0])
    if order > 2:
        second = np.zeros((3, 3, 3))
        second[0, 1] = second[1, 0] = [1, b, 0]
        second[0, 2] = second[2, 0] = [0, s, 0]
        second[1, 2] = second[2, 1] = [0, a, 0]
        curvature = curvature + second @ weight
    stat = 2 * np.sum(mu - n * np.log(mu)) + 400 * (s - 1) ** 2
    return float(stat), jacobian @ weight + np.array([0, 800 * (s - 1), 0]), curvature


def search(nuisances, low=-np.inf):
    calls = []

    def function(x, order):
        calls.append(order)
        return product(x, order)

    function.logarithmic = np.array([True, False, False])
    function.nuisances = np.array([False, nuisances, False])
    start = np.array([3e4, 1.0, 2.2])
    bounds = np.array([low, -np.inf, -np.inf]), np.full(3, np.inf)
    return newton(function, start, *bounds, ["a", "s", "b"], None), len(calls), Variables.at(function, start, *bounds)


def test_a_nuisance_is_not_dragged_along():
    (apart, few, _), (together, many, _) = search(True), search(False)
    for found in (apart, together):
        assert found.success
        assert_allclose(found.x, [1e5, 1, 2], rtol=2e-3)
    assert few < 0.8 * many
    drift = [max(abs(x[1] - 1) for _, x in found.trace) for found in (apart, together)]
    assert drift[0] < 0.6 * drift[1]


def test_shear_goes_there_and_back_and_keeps_derivatives():
    own = search(True)[2]
    assert own.shear is not None
    start = np.array([3e4, 1.0, 2.2])
    assert (own.outside(own.inside(start)) == start).all()
    x = np.array([4.7e4, 1.1, 1.7])
    assert_allclose(own.outside(own.inside(x)), x, rtol=1e-13)
    function, u = own.function(product), own.inside(x)
    _, gradient, curvature = function(u, 3)
    for j in range(3):
        step = np.eye(3)[j] * 1e-5
        up, down = function(u + step, 3), function(u - step, 3)
        assert_allclose(gradient[j], (up[0] - down[0]) / 2e-5, rtol=1e-5)
        assert_allclose(curvature[j], (up[1] - down[1]) / 2e-5, rtol=1e-5)
    # At the start the curvature has no part between the nuisance and the others.
    at_start = function(own.inside(start), 2)[2]
    scale = np.sqrt(np.diag(at_start))
    assert_allclose((at_start / np.outer(scale, scale))[1, [0, 2]], 0, atol=1e-10)


def test_a_nuisance_that_the_data_know_is_left_alone():
    """Moving the others as well leaves three quarters of the curvature along it."""
    own = Variables.at(
        search_function(np.array([[6.0, 3.0, 0], [3.0, 6.0, 0], [0, 0, 1.0]])),
        np.ones(3),
        -np.inf * np.ones(3),
        np.inf * np.ones(3),
    )
    assert own.shear is None


def search_function(curvature):
    def function(x, order):
        return 0.0, np.zeros(3), curvature

    function.nuisances = np.array([False, True, False])
    return function


def test_parameters_with_bounds_are_not_sheared():
    found, _, own = search(True, low=0.0)
    assert found.success
    assert own.shear is None  # the one it would move with has a bound
    assert own.box[0][0] == 0
    assert np.isinf(own.box[0][1:]).all()
