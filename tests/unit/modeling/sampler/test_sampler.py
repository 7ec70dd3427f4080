"""Sampling: posteriors and evidences that are known, priors that are missing, extras that are not installed."""

import importlib

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import gammainc, gammaln
from scipy.stats import gamma, norm

from geminga.datasets import Datasets, SpectrumDataset
from geminga.errors import InputError, MissingDependencyError, NameLookupError, ParameterError
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit, Parameter, Sampler
from geminga.modeling.models import (
    ConstantSpectralModel,
    GaussianPrior,
    LogUniformPrior,
    Models,
    PowerLawSpectralModel,
    SkyModel,
    UniformPrior,
)
from geminga.modeling.prior_parameter import PriorParameter
from geminga.modeling.priors import Prior
from geminga.modeling.sampler.result import SamplerResult
from geminga.stats import GaussianPriorPenalty

EXPOSURE = 1e13


def counting(counts=30):
    """One bin of 1 TeV width, 10 counts expected for 1e-12 cm-2 s-1 TeV-1, no background."""
    energy = MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=1)
    true = MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=1, name="energy_true")
    region = "icrs;circle(0, 0, 0.1)"
    exposure = RegionNDMap.create(region, axes=[true], unit="cm2 s", data=EXPOSURE)
    counts = RegionNDMap.from_geom(RegionGeom.create(region, axes=[energy]), data=float(counts))
    dataset = SpectrumDataset(counts=counts, exposure=exposure, name="bin")
    model = ConstantSpectralModel(const="3e-12 cm-2 s-1 TeV-1")
    model.const.prior = UniformPrior(min=0, max=2e-11)
    dataset.models = [SkyModel(model, name="source")]
    return dataset


def expected_evidence(counts, prior_max):
    """Integral of the likelihood e^-mu mu^n (as the statistic counts it) over a flat prior of mu."""
    return np.log(gammainc(counts + 1, prior_max)) + gammaln(counts + 1) - np.log(prior_max)


def test_nested_sampling_of_a_counting_experiment():
    dataset = counting()
    result = Sampler(sampler_opts={"random_state": 1}).run(Datasets([dataset]))
    assert result.success
    assert abs(result.log_evidence - expected_evidence(30, 200)) < 4 * result.log_evidence_error + 0.05
    posterior = gamma(31, scale=1 / EXPOSURE)
    own = dataset.models["source"].spectral_model.const
    n = len(result.samples)
    assert abs(own.value - posterior.mean()) < 5 * posterior.std() / np.sqrt(n)
    assert_allclose(own.error, posterior.std(), rtol=0.15)
    assert_allclose(np.quantile(result.samples, [0.1, 0.5, 0.9]), posterior.ppf([0.1, 0.5, 0.9]), rtol=0.06)
    assert result.models["source"].spectral_model.const is own
    assert_allclose(result.models.covariance.data[0, 0], own.error**2)
    assert result.parameter_names == ["source.const"]
    assert result.nfev > n
    assert "log evidence" in str(result)
    assert result.to_table().colnames == ["name", "mean", "error", "median", "low", "high"]


def test_an_ensemble_finds_the_same_posterior():
    dataset = counting()
    result = Sampler(backend="emcee", sampler_opts={"random_state": 2}).run([dataset])
    assert result.success
    assert result.log_evidence is None
    posterior = gamma(31, scale=1 / EXPOSURE)
    own = dataset.models["source"].spectral_model.const
    assert_allclose(own.value, posterior.mean(), rtol=0.02)
    assert_allclose(own.error, posterior.std(), rtol=0.05)
    again = Sampler(backend="emcee", sampler_opts={"random_state": 2}).run([counting()])
    assert_allclose(again.samples[:50].mean(), result.samples[:50].mean(), rtol=0.2)


def test_too_short_chains_say_so():
    result = Sampler(backend="emcee", sampler_opts={"random_state": 2, "nsteps": 60, "burn": 20}).run([counting()])
    assert not result.success
    assert "autocorrelation time of source.const is" in result.message
    assert "60 were taken" in str(result)


def test_bounds_cut_the_prior():
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    own.min, own.max = 3.1e-12, 1e-11
    for backend in ("ultranest", "emcee"):
        own.value = 3.5e-12
        result = Sampler(backend, sampler_opts={"random_state": 0}).run(dataset)
        assert result.samples.min() >= 3.1e-12
        assert own.value >= 3.1e-12


def test_penalties_and_priors_count_once():
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    models = Models(list(dataset.models))
    models.set_penalties(GaussianPriorPenalty.from_diagonal([own], sigma=1e-13, mean=2e-12))
    datasets = Datasets([dataset])
    datasets.models = models
    stat = datasets.stat_sum_many([[2.2e-12]])
    own.value = 2.2e-12
    assert_allclose(stat[0], datasets.stat_sum())
    result = Sampler(sampler_opts={"random_state": 3, "live_points": 200}).run(datasets)
    grid = np.linspace(1e-12, 3e-12, 2001)
    density = np.exp(30 * np.log(grid * EXPOSURE) - grid * EXPOSURE - 0.5 * ((grid - 2e-12) / 1e-13) ** 2)
    assert_allclose(result.samples.mean(), np.sum(grid * density) / density.sum(), rtol=0.01)


def test_gaussians_of_known_evidence():
    """Two independent normal likelihoods within normal and log-uniform priors."""
    first = Parameter("first", 0.0, prior=GaussianPrior(mu=0, sigma=2))
    second = Parameter("second", 1.0, prior=LogUniformPrior(min=0.01, max=100))

    def like(points):
        return norm.logpdf(points[:, 0], 1, 0.5) + norm.logpdf(np.log(points[:, 1]), 0, 0.3)

    result = Sampler(sampler_opts={"random_state": 5}).sampler_ultranest([first, second], like)
    expected = norm.logpdf(1, 0, np.hypot(2, 0.5)) - np.log(np.log(1e4))
    assert abs(result.log_evidence - expected) < 4 * result.log_evidence_error + 0.05
    assert_allclose(result.samples[:, 0].mean(), 1 * 4 / 4.25, atol=0.1)
    assert first.value == 0.0


def test_steps_along_slices():
    options = {"random_state": 1, "step_sampler": True, "nsteps": 3, "live_points": 60}
    result = Sampler(sampler_opts=options).run([counting()])
    assert abs(result.log_evidence - expected_evidence(30, 200)) < 5 * result.log_evidence_error + 0.2


def test_it_agrees_with_the_fit():
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=8)
    true = MapAxis.from_energy_bounds("0.7 TeV", "40 TeV", nbin=16, name="energy_true")
    exposure = RegionNDMap.create("icrs;circle(0, 0, 0.1)", axes=[true], unit="cm2 s", data=1e15)
    counts = RegionNDMap.from_geom(RegionGeom.create("icrs;circle(0, 0, 0.1)", axes=[energy]))
    from geminga.irf import EDispKernelMap

    dataset = SpectrumDataset(
        counts=counts, exposure=exposure, edisp=EDispKernelMap.from_diagonal_response(energy, true, geom=None), name="d"
    )
    spectrum = PowerLawSpectralModel(index=2.3, amplitude="1e-12 cm-2 s-1 TeV-1")
    dataset.models = [SkyModel(spectrum, name="s")]
    dataset.fake(random_state=0)
    fit = Fit().run([dataset])
    best = {p.name: (p.value, p.error) for p in fit.parameters.free_parameters}
    spectrum.index.prior = UniformPrior(min=1, max=4)
    spectrum.amplitude.prior = UniformPrior(min=1e-13, max=1e-11)
    result = Sampler(sampler_opts={"random_state": 0}).run([dataset])
    for i, name in enumerate(["index", "amplitude"]):
        assert abs(result.samples[:, i].mean() - best[name][0]) < 0.3 * best[name][1]
        assert_allclose(result.samples[:, i].std(), best[name][1], rtol=0.15)
    fitted = np.corrcoef(result.samples.T)[0, 1]
    assert_allclose(fit.models.covariance.correlation[0, 1], fitted, atol=0.1)


def test_a_missing_prior_is_named():
    dataset = counting()
    dataset.models["source"].spectral_model.const.prior = None
    before = dataset.models["source"].spectral_model.const.value
    with pytest.raises(ParameterError, match=r"source\.const has none.*UniformPrior"):
        Sampler().run([dataset])
    with pytest.raises(ParameterError, match="a, b have none"):
        Sampler().sampler_ultranest([Parameter("a", 1), Parameter("b", 2)], len)
    assert dataset.models["source"].spectral_model.const.value == before


class Improper(Prior):
    """No density: it cannot be drawn from."""

    tag = ["Improper"]
    level = PriorParameter("level", 0)

    @staticmethod
    def evaluate(value, level):
        return level + 0 * value


class Endless(Improper):
    """Quantiles that are not finite."""

    tag = ["Endless"]

    def inverse_cdf(self, probability):
        return np.where(np.asarray(probability) > 0.5, np.inf, 0.0)


def test_priors_that_nested_sampling_cannot_draw_from():
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    own.prior = Improper()
    with pytest.raises(ParameterError, match=r"source\.const.*Improper does not offer inverse_cdf.*UniformPrior.*emcee"):
        Sampler().run([dataset])
    own.prior = Endless()
    with pytest.raises(ParameterError, match=r"Endless of source\.const.*to inf.*UniformPrior"):
        Sampler().run([dataset])
    own.prior = GaussianPrior(mu=5e-12, sigma=1e-13)
    own.max = 4e-12
    with pytest.raises(ParameterError, match=r"GaussianPrior of source\.const.*outside of the bounds \[0, 4e-12\].*change the"):
        Sampler().run([dataset])
    assert own.value == 3e-12


def test_a_likelihood_that_is_nowhere_a_number_is_refused():
    p = Parameter("a", 1)
    p.prior = UniformPrior(min=0, max=1)
    with pytest.raises(InputError, match="not finite at any of 400 points drawn from the priors of a "):
        Sampler().sampler_ultranest([p], lambda points: np.full(len(points), -np.inf))


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_an_ensemble_without_errors_starts_from_the_priors(error):
    """As after a fit whose covariance failed."""
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    options = {"random_state": 1, "nsteps": 300, "burn": 100}
    own.error = error
    Sampler("emcee", sampler_opts=options).run([dataset])
    assert_allclose(own.value, 31 / EXPOSURE, rtol=0.05)
    own.prior, own.error = Improper(), error
    with pytest.raises(ParameterError, match=r"source\.const has no error.*covariance failed.*UniformPrior"):
        Sampler("emcee", sampler_opts=options).run([dataset])


def test_an_ensemble_with_an_error_needs_no_quantiles():
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    own.prior, own.error, own.min = Improper(), 2e-11, 0  # too wide an error: half the walkers start out of bounds
    Sampler("emcee", sampler_opts={"random_state": 1, "nsteps": 1000, "burn": 300}).run([dataset])
    assert_allclose(own.value, 31 / EXPOSURE, rtol=0.05)


@pytest.mark.parametrize("backend", ["ultranest", "emcee"])
def test_a_missing_extra_is_named(backend, monkeypatch):
    real = importlib.import_module

    def hidden(name, *args):
        if name.startswith(backend):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", hidden)
    with pytest.raises(MissingDependencyError, match=r"geminga\[sampling\]"):
        Sampler(backend).run([counting()])


def test_unknown_backend_and_options():
    with pytest.raises(NameLookupError, match="'nautilus'.*ultranest, emcee"):
        Sampler("nautilus")
    with pytest.raises(InputError, match="walkers is not known to the emcee backend; known: nwalkers"):
        Sampler("emcee", sampler_opts={"walkers": 3})
    with pytest.raises(InputError, match="nsteps=10 and burn=20"):
        Sampler("emcee", sampler_opts={"nsteps": 10, "burn": 20}).run([counting()])


def test_interrupt_leaves_the_models(monkeypatch):
    dataset = counting()
    own = dataset.models["source"].spectral_model.const
    own.error = 1e-13

    def stop(*args, **kwargs):
        own.value = 7e-12
        raise KeyboardInterrupt

    monkeypatch.setattr("geminga.modeling.sampler.ultranest.sample", stop)
    with pytest.raises(KeyboardInterrupt):
        Sampler().run([dataset])
    assert (own.value, own.error) == (3e-12, 1e-13)


def test_samples_that_are_no_numbers_leave_errors_and_covariance(monkeypatch):
    dataset = counting()
    spectrum = PowerLawSpectralModel(index=2.3, amplitude="1e-12 cm-2 s-1 TeV-1")
    spectrum.index.prior, spectrum.amplitude.prior = UniformPrior(min=1, max=4), UniformPrior(min=0, max=1e-11)
    dataset.models = [SkyModel(spectrum, name="source")]
    source = dataset.models["source"]
    source.covariance = np.array([[4e-2, 1e-14, 0], [1e-14, 1e-26, 0], [0, 0, 0]])
    before = source.covariance.data.copy()

    def broken(likelihood, *args):
        return SamplerResult(nfev=50, success=True, samples=np.full((50, 2), np.nan))

    monkeypatch.setattr("geminga.modeling.sampler.ultranest.sample", broken)
    with pytest.raises(ParameterError, match="finite"):
        Sampler().run([dataset])
    assert_allclose(source.covariance.data, before)
    assert (spectrum.index.value, spectrum.index.error) == (2.3, 0.2)


def test_unit_of_the_prior_is_that_of_the_parameter():
    dataset = counting()
    model = ConstantSpectralModel(const=u.Quantity(3e-8, "m-2 s-1 TeV-1"))
    model.const.prior = UniformPrior(min=0, max=2e-7)
    dataset.models = [SkyModel(model, name="source")]
    result = Sampler(sampler_opts={"random_state": 1, "live_points": 100}).run([dataset])
    assert_allclose(result.samples.mean(), 3.1e-8, rtol=0.1)
