"""Penalties: their numbers, derivatives, and refusals."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError, NameLookupError
from geminga.modeling import Parameter, Parameters
from geminga.stats import FitStatisticPenalty, GaussianPriorPenalty

VALUES = [1.0, 2.0, 4.0, 7.0, 11.0]


@pytest.fixture
def parameters():
    return Parameters([Parameter(f"p{i}", value) for i, value in enumerate(VALUES)])


# What gammapy 2.1 gives for these.
@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("L2", {}, 191.0),
        ("L2", {"mean": np.ones(5), "lambda_": 2}, 292.0),
        ("smoothness", {}, 152.0),
        ("smoothness", {"mean": np.ones(5), "lambda_": 3.0}, 390.0),
        ("diagonal", {"sigma": 2.0}, 47.75),
        ("diagonal", {"sigma": np.arange(1, 6.0)}, 11.680277777777778),
        ("precision", {"precision": np.diag(np.arange(1, 6.0))}, 858.0),
        ("precision", {"precision": np.diag(np.arange(1, 6.0)), "mean": np.ones(5), "lambda_": 2}, 1346.0),
    ],
)
def test_numbers_and_derivatives(parameters, method, arguments, expected):
    penalty = GaussianPriorPenalty.from_method(parameters, method, **arguments)
    assert_allclose(penalty.stat_sum(), expected, rtol=1e-12)
    stat, gradient, second = penalty.derivatives(np.array(VALUES))
    assert_allclose(stat, expected, rtol=1e-12)
    numeric = FitStatisticPenalty.derivatives(penalty, np.array(VALUES))
    assert_allclose(gradient, numeric[1], rtol=1e-7)
    assert_allclose(second, numeric[2], rtol=1e-3, atol=1e-3 * np.abs(second).max())
    assert_allclose(penalty.evaluate(np.array([VALUES, VALUES])), [expected, expected])


def test_covariance_and_mean(parameters):
    assert_allclose(GaussianPriorPenalty(parameters, mean=np.ones(5), covariance=4 * np.eye(5)).stat_sum(), 36.5)
    penalty = GaussianPriorPenalty(parameters, mean=1.0)
    assert_allclose(penalty.stat_sum(), 146.0)
    penalty.covariance = 2 * np.eye(5)
    assert_allclose(penalty.stat_sum(), 73.0)
    assert_allclose(penalty.covariance, 2 * np.eye(5))
    assert penalty.parameters is parameters


def test_smoothness_is_a_sum_of_squared_steps(parameters):
    steps = np.diff([0.0, *VALUES, 0.0])
    assert_allclose(GaussianPriorPenalty.SmoothnessPenalty(parameters).stat_sum(), np.sum(steps**2))


def test_a_direction_may_be_free(parameters):
    """Second differences leave straight lines free."""
    second = np.diff(np.eye(5), n=2, axis=0)
    penalty = GaussianPriorPenalty.from_precision(parameters, second.T @ second)
    assert_allclose(penalty.stat_sum(), np.sum(np.diff(VALUES, n=2) ** 2))
    with pytest.raises(InputError, match="singular"):
        _ = GaussianPriorPenalty.from_precision(parameters, np.diag([1, 1, 1, 1, 0.0])).covariance


def test_copy_follows_the_parameters(parameters):
    penalty = GaussianPriorPenalty(parameters)
    memo = {}
    other, own = copy.deepcopy(penalty, memo), copy.deepcopy(parameters, memo)
    own[0].value = 5
    assert_allclose(other.stat_sum(), 191 + 24)
    assert_allclose(penalty.stat_sum(), 191)


def test_of_ones_own():
    class Ratio(FitStatisticPenalty):
        def evaluate(self, values):
            return (np.log(values[..., 0] / values[..., 1]) / 0.2) ** 2

    penalty = Ratio([Parameter("a", 2.0), Parameter("b", 3.0)])
    stat, gradient, second = penalty.derivatives(np.array([2.0, 3.0]))
    log = np.log(2 / 3) / 0.04
    assert_allclose(stat, log**2 * 0.04)
    assert_allclose(gradient, [2 * log / 2, -2 * log / 3], rtol=1e-6)
    assert_allclose(second[0, 1], -2 / 0.04 / 6, rtol=1e-4)
    with pytest.raises(NotImplementedError, match="evaluate"):
        FitStatisticPenalty([Parameter("a", 1)]).stat_sum()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"mean": [1, 2]}, r"mean=\[1, 2\] for 5 parameters"),
        ({"mean": np.nan}, "finite"),
        ({"covariance": np.eye(3)}, r"shape \(3, 3\) for 5 parameters"),
        ({"covariance": -np.eye(5)}, "eigenvalue -1; expected all above 0"),
        ({"covariance": np.ones((5, 5))}, "expected all above 0"),
        ({"covariance": np.eye(5) + np.eye(5, k=1)}, "not symmetric"),
    ],
)
def test_refusals(parameters, arguments, match):
    with pytest.raises(InputError, match=match):
        GaussianPriorPenalty(parameters, **arguments)


def test_more_refusals(parameters):
    with pytest.raises(InputError, match="none below 0"):
        GaussianPriorPenalty.from_precision(parameters, -np.eye(5))
    with pytest.raises(InputError, match="no parameters"):
        GaussianPriorPenalty([])
    with pytest.raises(NameLookupError, match="'ridge'.*L2, smoothness"):
        GaussianPriorPenalty.from_method(parameters, "ridge")
