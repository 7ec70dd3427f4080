"""Many points at once: the numbers of `stat_sum` at each, exact gradients, and parameters of one's choice."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.cli.simulate import simulate_field
from geminga.datasets import Datasets
from geminga.errors import InputError
from geminga.modeling import Parameter
from geminga.modeling.fit.likelihood import Likelihood
from geminga.modeling.models import GaussianPrior
from tests.unit.modeling.sampler.test_sampler import counting


@pytest.fixture(scope="module")
def datasets():
    return Datasets([simulate_field(seed=5)])


def moved(datasets, parameters, point):
    before = [p.value for p in parameters]
    try:
        for p, value in zip(parameters, point, strict=True):
            p.value = value
        return datasets.stat_sum()
    finally:
        for p, value in zip(parameters, before, strict=True):
            p.value = value


def test_numbers_are_those_of_stat_sum(datasets):
    datasets.models.freeze("spatial")
    own = datasets.models.parameters.free_unique_parameters
    own[0].prior = GaussianPrior(mu=2, sigma=0.3)
    rng = np.random.default_rng(0)
    points = np.array([p.value for p in own]) * rng.uniform(0.9, 1.1, (5, len(own)))
    stat = datasets.stat_sum_many(points)
    assert_allclose(stat, [moved(datasets, own, point) for point in points], rtol=1e-10)
    value, gradient = datasets.stat_sum_many(points, gradient=True)
    assert_allclose(value, stat, rtol=1e-12)
    for j in range(len(own)):
        step = np.zeros(len(own))
        step[j] = 1e-5 * points[0, j]
        ends = datasets.stat_sum_many([points[0] + step, points[0] - step])
        assert_allclose(gradient[0, j], (ends[0] - ends[1]) / (2 * step[j]), rtol=1e-3, atol=1e-3 / abs(step[j]) * 1e-4)
    own[0].prior = None
    datasets.models.unfreeze("spatial")


def test_chosen_parameters_in_a_chosen_order_also_frozen_ones(datasets):
    norm, tilt = datasets.models["demo-bkg"].spectral_model.norm, datasets.models["demo-bkg"].spectral_model.tilt
    assert tilt.frozen
    points = [[0.1, 1.0], [0.0, 1.1], [0.0, 1.0]]
    stat = datasets.stat_sum_many(points, parameters=[tilt, norm])
    assert_allclose(stat, [moved(datasets, [tilt, norm], point) for point in points], rtol=1e-8)
    assert tilt.frozen
    assert Likelihood(datasets, [tilt, norm]).names == ["demo-bkg.tilt", "demo-bkg.norm"]


def test_posterior_is_nothing_outside_of_the_bounds():
    dataset = counting()
    own = Likelihood([dataset])
    points = np.array([[3e-12], [-1e-12], [3e-11]])  # the prior is uniform from 0 to 2e-11
    posterior = own.log_posterior(points)
    assert np.isfinite(posterior[0])
    assert posterior[1] == posterior[2] == -np.inf
    assert np.isfinite(own(points)).all()
    assert_allclose(posterior[0], own(points)[0] - 0.5 * dataset.models.parameters.prior_stat_sum())


def test_refusals(datasets):
    with pytest.raises(InputError, match="belongs to no model"):
        datasets.stat_sum_many([[1.0]], parameters=[Parameter("x", 1)])
    norm = datasets.models["demo-bkg"].spectral_model.norm
    with pytest.raises(InputError, match=r"shape \(1, 2\); expected \(number, 1\).*demo-bkg.norm"):
        datasets.stat_sum_many([[1.0, 2.0]], parameters=[norm])
    with pytest.raises(InputError, match=r"shape \(1,\)"):
        datasets.stat_sum_many([1.0], parameters=[norm])
