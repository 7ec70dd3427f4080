"""Priors and penalties in fits: exact derivatives, counted once, across datasets, with blocks and without."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from geminga.datasets import Datasets
from geminga.errors import UnsupportedError
from geminga.modeling import Fit
from geminga.modeling.fit.constraints import Constraints
from geminga.modeling.fit.objective import Objective
from geminga.modeling.models import (
    GaussianPrior,
    GeneralizedGaussianPrior,
    LogNormalPrior,
    LogUniformPrior,
    Models,
    SamplesKDEPrior,
    UniformPrior,
)
from geminga.modeling.parameter import Parameter
from geminga.modeling.prior_parameter import PriorParameter
from geminga.modeling.priors import Prior
from geminga.stats import FitStatisticPenalty, GaussianPriorPenalty
from tests.unit.modeling.sampler.test_sampler import EXPOSURE, counting

PRIORS = [
    GaussianPrior(mu=1.5, sigma=0.4),
    GeneralizedGaussianPrior(mu=1.5, sigma=0.4, eta=0.3),
    GeneralizedGaussianPrior(mu=1.5, sigma=0.4, eta=0.8),
    UniformPrior(min=0, max=9),
    LogUniformPrior(min=0.01, max=9),
    LogNormalPrior(mu=1.5, sigma=0.4),
    SamplesKDEPrior(np.linspace(0, 3, 20) ** 1.3),
]


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: prior.tag[0])
@pytest.mark.parametrize("value", [0.3, 1.2, 1.9, 3.7])
def test_derivatives_of_priors(prior, value):
    h = 1e-4
    slope = (prior(value + h) - prior(value - h)) / (2 * h)
    assert_allclose(prior.derivative(value), slope, rtol=1e-5, atol=1e-7)
    bend = (prior.derivative(value + h) - prior.derivative(value - h)) / (2 * h)
    assert_allclose(prior.curvature(value), bend, rtol=1e-5, atol=1e-7)
    values = np.array([value, value + 0.1])
    assert_allclose(prior.curvature(values), [prior.curvature(x) for x in values])


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        (GaussianPrior(mu=2, sigma=0.3), -0.12562409779808137),
        (UniformPrior(min=1, max=4), 2.1972245773362196),
        (LogUniformPrior(min=1, max=10), 3.244979611224452),
        (GeneralizedGaussianPrior(mu=2, sigma=0.3, eta=0.5), -0.12562409779808137),  # the normal density
        (LogNormalPrior(mu=2, sigma=0.3), -2 * norm.logpdf(np.log(2.2), np.log(2), 0.3) + 2 * np.log(2.2)),
    ],
)
def test_minus_twice_the_logarithm_of_a_density(prior, expected):
    assert_allclose(prior(2.2), expected, rtol=1e-6)


def test_curvature_at_a_mean_of_zero():
    assert GaussianPrior(mu=1, sigma=0.1).curvature(0.0) == pytest.approx(200)
    assert np.isfinite(GeneralizedGaussianPrior(eta=0.9).curvature(0.0))


class Parabola(Prior):
    """A prior of one's own, which gives no derivatives."""

    tag = ["Parabola"]
    mu = PriorParameter("mu", 0.1)
    sigma = PriorParameter("sigma", 0.2)

    @staticmethod
    def evaluate(value, mu, sigma):
        return ((value - mu) / sigma) ** 2


@pytest.mark.parametrize("value", [0.0, 0.3, -1.7])
def test_derivatives_of_a_prior_which_gives_none(value):
    prior = Parabola()
    assert_allclose(prior.derivative(value), 2 * (value - 0.1) / 0.2**2, rtol=1e-6)
    assert_allclose(prior.curvature(value), 2 / 0.2**2, rtol=1e-3)


class Ratio(FitStatisticPenalty):
    def evaluate(self, values):
        return (np.log(np.abs(values[..., 0] / values[..., 1])) / 0.2) ** 2


def test_sum_and_derivatives():
    parameters = [Parameter(f"p{i}", 1.0 + i) for i in range(4)]
    parameters[0].prior, parameters[2].prior = PRIORS[4], PRIORS[5]
    frozen = Parameter("elsewhere", 3.0)
    penalties = [
        GaussianPriorPenalty([parameters[3], parameters[1], frozen], covariance=np.eye(3) + 0.3),
        Ratio([parameters[1], parameters[2]]),
    ]
    own = Constraints(parameters, penalties)
    x = np.array([1.1, 1.8, 2.9, 4.2])
    total, gradient, bends, blocks = own.derivatives(x, exact=True)
    dense = np.diag(bends)
    for index, block in blocks:
        np.add.at(dense, np.ix_(index, index), block)
    h = 1e-4
    for j in range(4):
        d = np.eye(4)[j] * h
        ends = own.derivatives(x + d, True), own.derivatives(x - d, True)
        assert_allclose(gradient[j], (ends[0][0] - ends[1][0]) / (2 * h), rtol=1e-5)
        assert_allclose(dense[j], (ends[0][1] - ends[1][1]) / (2 * h), rtol=1e-4, atol=1e-4)
    assert_allclose(own.values(np.array([x, x + 0.1])), [total, own.derivatives(x + 0.1, True)[0]])
    priors = own.values(x[None]) - own.values(x[None], priors=False)
    assert_allclose(priors, PRIORS[4](x[0]) + PRIORS[5](x[2]))
    assert (own.derivatives(x, exact=False)[2] >= 0).all()
    for _, block in own.derivatives(x, exact=False)[3]:
        assert np.linalg.eigvalsh(block)[0] >= -1e-9


class Capped(GaussianPrior):
    """No parabola any more."""

    tag = ["Capped"]

    @staticmethod
    def evaluate(value, mu, sigma):
        return np.minimum(GaussianPrior.evaluate(value, mu, sigma), 4.0)


def test_normal_priors_are_summed_at_once():
    parameters = [Parameter(f"p{i}", 0.5 * i) for i in range(5)]
    for i, p in enumerate(parameters[:4]):
        p.prior = GaussianPrior(mu=0.3 * i, sigma=0.1 + i, weight=0.5 * i)
    parameters[4].prior = Capped(sigma=0.1)
    own, x = Constraints(parameters, []), np.array([0.1, -0.3, 2.0, 1.0, 7.0])
    total, gradient, bends, blocks = own.derivatives(x, exact=True)
    assert blocks == []
    assert_allclose(total, sum(p.prior(v) for p, v in zip(parameters, x, strict=True)))
    assert_allclose(own.values(x[None]), total)
    assert_allclose(gradient[:4], [p.prior.derivative(v) for p, v in zip(parameters[:4], x, strict=False)])
    assert_allclose(bends[:4], [p.prior.curvature(v) for p, v in zip(parameters[:4], x, strict=False)])
    assert parameters[4].prior(7.0) == 4.0


def pair():
    """Two datasets, each with a source of its own."""
    first, second = counting(40), counting(20)
    for i, dataset in enumerate((first, second)):
        dataset._name = f"bin-{i}"
        model = dataset.models[0].copy(name=f"source-{i}")
        model.datasets_names = [f"bin-{i}"]
        model.spectral_model.const.prior = None
        dataset.models = [model]
    return Datasets([first, second])


def test_a_penalty_across_datasets():
    """Two measurements of normal likelihoods (40 and 20 counts) drawn together: the known answer of a linear system."""
    datasets = pair()
    models = Models([m for d in datasets for m in d.models])
    own = [model.spectral_model.const for model in models]
    sigma = 3e-13
    precision = np.array([[1, -1], [-1, 1]]) / sigma**2
    models.set_penalties(GaussianPriorPenalty.from_precision(own, precision))
    datasets.models = models
    result = Fit().run(datasets)
    assert result.success
    a, b = (p.value * EXPOSURE for p in own)
    # Stationary: 2 (1 - n / mu) + 2 (a - b) / sigma^2 = 0
    size = sigma * EXPOSURE
    assert_allclose(1 - 40 / a + (a - b) / size**2, 0, atol=1e-5)
    assert_allclose(1 - 20 / b - (a - b) / size**2, 0, atol=1e-5)
    assert_allclose(result.total_stat, datasets.stat_sum(), rtol=1e-12)
    hessian = np.diag([40 / a**2, 20 / b**2]) + np.array([[1, -1], [-1, 1]]) / size**2
    assert_allclose(result.models.covariance.data * EXPOSURE**2, np.linalg.inv(hessian), rtol=1e-4)
    assert result.models.penalties == models.penalties
    assert Fit().forecast(datasets).errors[0] > 0
    for backend in ("minuit", "scipy"):
        before = [p.value for p in own]
        assert Fit(backend=backend).run(datasets).success
        assert_allclose([p.value for p in own], before, rtol=1e-3)


def test_blocks_with_a_penalty(monkeypatch):
    """Fits of many parameters keep the curvature in blocks, also where a penalty ties some together."""
    datasets = pair()
    models = Models([m for d in datasets for m in d.models])
    own = [model.spectral_model.const for model in models]
    models.set_penalties([GaussianPriorPenalty.SmoothnessPenalty(own, mean=3e-12, lambda_=1e25)])
    own[0].prior = GaussianPrior(mu=3.5e-12, sigma=1e-13)
    datasets.models = models
    dense = Objective(datasets)
    monkeypatch.setattr("geminga.modeling.fit.objective.MANY", 1)
    monkeypatch.setattr(Objective, "_layout", layout)
    blocks = Objective(datasets)
    assert blocks.layout is not None
    assert blocks.layout.shared.tolist() == [0, 1]
    for order in (2, 3):
        for mine, twin in zip(blocks(dense.x0, order), dense(dense.x0, order), strict=True):
            assert_allclose(mine, twin, rtol=1e-12)


def layout(objective):
    """As the objective makes it, whatever its size."""
    from geminga.numerics.arrow import arrow_layout

    groups = objective.constraints.groups()
    tied = set(np.concatenate(groups).tolist())
    n = len(objective.free_parameters)
    return arrow_layout(n, [np.array([i]) for i in range(n) if i not in tied])


def test_a_prior_moves_the_minimum_as_it_should():
    dataset = counting(30)
    own = dataset.models[0].spectral_model.const
    own.prior = GaussianPrior(mu=2e-12, sigma=2e-13)
    result = Fit().run([dataset])
    assert result.success
    mu = own.value * EXPOSURE
    assert_allclose(1 - 30 / mu + (mu - 20) / 2**2, 0, atol=1e-6)
    assert_allclose(own.error * EXPOSURE, (30 / mu**2 + 1 / 4) ** -0.5, rtol=1e-6)
    expected = 2 * (mu - 30 * np.log(mu)) - 2 * norm.logpdf(own.value, 2e-12, 2e-13)
    assert_allclose(result.total_stat, expected, rtol=1e-9)


def test_prior_on_a_frozen_parameter_is_a_constant():
    dataset = counting(30)
    extra = dataset.models[0].spectral_model.const
    stat = Fit().run([dataset]).total_stat
    assert_allclose(stat, dataset.stat_sum() + extra.prior_stat_sum())


def test_a_foreign_penalty_is_refused():
    class Penalty:
        def __init__(self, parameters):
            self.parameters = parameters

        def stat_sum(self):
            return 0.0

    dataset = counting()
    dataset.models = Models(list(dataset.models), penalties=[Penalty(dataset.models.parameters)])
    with pytest.raises(UnsupportedError, match="FitStatisticPenalty"):
        Fit().run([dataset])
