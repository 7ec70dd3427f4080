"""Errors split into statistical and systematic ones: the parts are those of fits with the nuisance parameters fixed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import Datasets
from geminga.errors import FitError, NameLookupError
from geminga.modeling import Covariance, CovarianceResult, ErrorBudget, Fit, FitResult
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    LogNormalPrior,
    PowerLawSpectralModel,
    SkyModel,
    SystematicsModel,
    UniformPrior,
)
from tests.unit.datasets.builders import spectrum_dataset

NAMES = ["source.spectral.index", "source.spectral.amplitude"]


@pytest.fixture
def fitted():
    """Two spectra with errors of their own and of both."""
    datasets = Datasets([spectrum_dataset(name, nbin=6) for name in "ab"])
    source = SkyModel(PowerLawSpectralModel(index=1.8, amplitude="2e-12 cm-2 s-1 TeV-1"), name="source")
    own = [SystematicsModel(name, name=f"errors-{name}", area_scale=GaussianPrior(mu=1, sigma=0.05)) for name in "ab"]
    prior = LogNormalPrior(mu=1, sigma=0.03)
    both = SystematicsModel(name="scale", energy_scale=prior, background_norm=GaussianPrior(mu=1, sigma=0.1))
    datasets.models = [source, *own, both]
    for dataset in datasets:
        dataset.counts = dataset.npred()
    datasets["a"].counts.data *= 1.1
    return datasets, Fit().run(datasets)


def refitted(datasets, frozen):
    """Errors of the source if some parameters are held where they are."""
    for p in frozen:
        p.frozen = True
    Fit().covariance(datasets)
    for p in frozen:
        p.frozen = False
    return datasets.models["source"].parameters.free_parameters


def errors_of(parameters):
    return np.array([p.error for p in parameters])


def test_parts_are_those_of_a_fit_with_fixed_nuisance_parameters(fitted):
    datasets, result = fitted
    assert result.success, result.message
    total = errors_of(datasets.models["source"].parameters.free_parameters)
    budget = result.error_budget()
    assert isinstance(budget, ErrorBudget)
    assert budget.names == NAMES
    assert budget.units == ["", "1 / (TeV s cm2)"]
    assert_allclose(budget.errors, total)
    assert_allclose(budget.errors**2, budget.statistical**2 + budget.systematic**2)
    nuisance = [p for m in datasets.models[1:] for p in m.parameters.free_parameters]
    statistical = errors_of(refitted(datasets, nuisance))
    assert_allclose(budget.statistical, statistical, rtol=1e-6)
    assert (budget.systematic > 0.1 * budget.statistical).all()
    for name in ("errors-a", "errors-b", "scale"):
        fixed = errors_of(refitted(datasets, datasets.models[name].parameters.free_parameters))
        assert_allclose(budget.shares[name] ** 2, total**2 - fixed**2, rtol=1e-5)


def test_impacts_are_the_moves_of_a_fit(fitted):
    datasets, result = fitted
    budget = result.error_budget()
    assert budget.nuisance == ["errors-a.area_scale", "scale.energy_scale", "scale.background_norm_0", "errors-b.area_scale"]
    best = budget.values.copy()
    for j, name in enumerate(budget.nuisance):
        model, _, key = name.partition(".")
        p = datasets.models[model].parameters[key]
        start = [(q, q.value) for q in datasets.models.parameters]
        p.value, p.frozen = p.value + 0.1 * p.error, True
        Fit().optimize(datasets)
        moved = datasets.models["source"].parameters.free_parameters.value
        assert_allclose(0.1 * budget.impacts[:, j] / budget.errors, (moved - best) / budget.errors, atol=0.01)
        p.frozen = False
        for q, value in start:
            q.value = value


def test_pulls_and_constraints(fitted):
    datasets, result = fitted
    budget = result.error_budget()
    area, scale = datasets.models["errors-a"].area_scale, datasets.models["scale"].energy_scale
    assert budget.pulls[0] > 0.2 > budget.pulls[3]
    assert_allclose(budget.pulls[[0, 1]], [(area.value - 1) / 0.05, np.log(scale.value) / 0.03])
    assert_allclose(budget.constraints[[0, 1]], [area.error / 0.05, scale.error / scale.value / 0.03])
    assert (budget.constraints <= 1.001).all()


def test_tables(fitted):
    budget = fitted[1].error_budget()
    table = budget.to_table()
    shares = [f"syst_{name}" for name in ("errors-a", "scale", "errors-b")]
    assert table.colnames == ["name", "value", "error", "stat", "syst", *shares, "unit"]
    assert table["name"].tolist() == NAMES
    assert budget.to_impacts_table().colnames == ["nuisance", "pull", "constraint", *NAMES]
    assert "scale.energy_scale" in str(budget)
    assert "source.spectral.index" in str(budget)


def test_any_parameter_can_be_a_nuisance(fitted):
    datasets, result = fitted
    index = datasets.models["source"].spectral_model.index
    for own in (index, "source.spectral.index"):
        budget = result.error_budget([own])
        assert budget.nuisance == ["source.spectral.index"]
        assert NAMES[1] in budget.names
    place = budget.names.index(NAMES[1])
    fixed = {p.name: p.error for p in refitted(datasets, [index])}
    assert_allclose(budget.statistical[place], fixed["amplitude"], rtol=1e-6)


def test_without_systematic_errors_all_is_statistical():
    dataset = spectrum_dataset(nbin=6)
    source = SkyModel(PowerLawSpectralModel(index=1.8, amplitude="2e-12 cm-2 s-1 TeV-1"), name="source")
    dataset.models = [source, FoVBackgroundModel("spectrum")]
    dataset.counts = dataset.npred()
    budget = Fit().run([dataset]).error_budget()
    assert_allclose(budget.statistical, budget.errors)
    assert not budget.systematic.any()
    assert budget.impacts.shape == (3, 0)
    assert "source.spectral.index" in str(budget)


def test_prior_without_width_has_no_pull(fitted):
    datasets, _ = fitted
    datasets.models["errors-a"].area_scale.prior = UniformPrior(min=0.8, max=1.2)
    budget = Fit().run(datasets).error_budget()
    assert np.isnan(budget.pulls[0])
    assert np.isnan(budget.constraints[0])


def test_refusals(fitted):
    datasets, result = fitted
    with pytest.raises(FitError, match="no covariance"):
        FitResult(result.optimize_result).error_budget()
    reference = datasets.models["source"].spectral_model.reference
    with pytest.raises(NameLookupError, match="'reference' is not among the free parameters"):
        result.error_budget([reference])
    with pytest.raises(NameLookupError, match="'nothing' is not among"):
        result.error_budget(["nothing"])


def test_covariance_given_as_a_matrix(fitted):
    _, result = fitted
    known = result.covariance_result
    plain = CovarianceResult(np.array(known.matrix), backend="", method="", success=True, message="")
    same = FitResult(result.optimize_result, plain).error_budget()
    assert isinstance(result.models.covariance, Covariance)
    assert_allclose(same.systematic, result.error_budget().systematic, rtol=1e-9)
