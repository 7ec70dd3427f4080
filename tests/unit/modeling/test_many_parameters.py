"""Fits of many spectra at once: the curvature in blocks gives what the dense one gives."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.datasets import Datasets
from geminga.maps import Map
from geminga.modeling import Fit
from geminga.modeling.fit import objective as module
from geminga.modeling.fit.objective import Objective
from geminga.modeling.models import GaussianPrior, Models, PowerLawSpectralModel, SkyModel
from tests.unit.datasets.builders import spectrum_dataset


def many(n: int = 30, n_index: int = 1) -> Datasets:
    """Spectra with counts drawn from power laws; `n_index` groups share an index, each has its own amplitude."""
    rng = np.random.default_rng(0)
    datasets, shared = [], []
    for i in range(n):
        dataset = spectrum_dataset(name=f"d{i}", nbin=8)
        spectrum = PowerLawSpectralModel(index=2.2, amplitude=f"{rng.uniform(1, 3)}e-12 cm-2 s-1 TeV-1")
        if len(shared) < n_index:
            shared.append(spectrum.index)
        spectrum.index = shared[i % n_index]
        dataset.models = [SkyModel(spectrum, name=f"m{i}", datasets_names=[f"d{i}"])]
        dataset.counts = Map.from_geom(dataset.counts.geom, data=rng.poisson(dataset.npred().data).astype(float))
        spectrum.amplitude.value = 1e-12
        datasets.append(dataset)
    shared[0].value = 2.0
    return Datasets(datasets)


@pytest.fixture
def _blocks(monkeypatch):
    monkeypatch.setattr(module, "MANY", 2)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("with_prior", [False, True])
def test_blocks_hold_the_dense_curvature(with_prior):
    datasets = many(12)
    if with_prior:
        datasets.models[3].spectral_model.amplitude.prior = GaussianPrior(mu=1e-12, sigma=1e-13)
        datasets.models[0].spectral_model.index.prior = GaussianPrior(mu=2, sigma=0.1)
    objective = Objective(list(datasets))
    assert len(objective.terms) == 1
    assert objective.layout is not None
    assert len(objective.layout.shared) == 1
    x = objective.x0 * 1.05
    for order in (2, 3):
        stat, gradient, curvature = objective.blocks(x, order)
        plain = objective._evaluate(x, order)
        assert stat == plain[0] == objective(x, 0)[0]
        np.testing.assert_allclose(gradient, plain[1])
        np.testing.assert_allclose(curvature.dense(), plain[2], rtol=1e-9)


@pytest.mark.parametrize("n_index", [1, 3, 30])
def test_the_same_fit_in_blocks_and_dense(monkeypatch, n_index):
    results = []
    for limit in (2, 10**9):
        monkeypatch.setattr(module, "MANY", limit)
        datasets = many(n_index=n_index)
        result = Fit().run(datasets)
        assert result.success
        models = datasets.models
        results.append((result.total_stat, models.parameters.value, result.covariance_result.matrix, models.covariance.data))
        errors = np.array([p.error for p in models.parameters])
        np.testing.assert_allclose(np.sqrt(np.diag(models.covariance.data)), errors)
        np.testing.assert_allclose(
            models["m7"].covariance.data, models.covariance.get_subcovariance(models["m7"].parameters).data
        )
    blocks, dense = results
    assert blocks[0] == pytest.approx(dense[0], abs=1e-6)
    errors = np.sqrt(np.diag(dense[3]))
    np.testing.assert_array_less(np.abs(blocks[1] - dense[1])[errors > 0], 1e-3 * errors[errors > 0])
    scale = np.where(errors > 0, errors, 1)
    for a, b in ((blocks[2], dense[2]), (blocks[3], dense[3])):
        np.testing.assert_allclose(a / np.outer(scale, scale), b / np.outer(scale, scale), atol=1e-4)


@pytest.mark.usefixtures("_blocks")
def test_bounds_and_insensitive_parameters_are_named():
    datasets = many(20)
    models = datasets.models
    models["m2"].spectral_model.amplitude.max = 1.1e-12
    result = Fit().run(datasets)
    assert result.success
    assert "m2.amplitude is at its upper bound 1.1e-12" in result.message
    assert np.isnan(models["m2"].spectral_model.amplitude.error)
    datasets[4].exposure.data *= 0
    result = Fit().run(datasets)
    assert not result.success
    assert "m4.amplitude has no effect on the statistic" in result.message


@pytest.mark.usefixtures("_blocks")
def test_degenerate_parameters_are_named():
    datasets = many(20)
    twin = SkyModel(PowerLawSpectralModel(amplitude="1e-15 cm-2 s-1 TeV-1"), name="twin", datasets_names=["d3"])
    twin.spectral_model.index = datasets.models["m3"].spectral_model.index
    twin.spectral_model.amplitude.prior = GaussianPrior(mu=1e-15, sigma=1e-11)
    datasets.models = Models([*datasets.models, twin])
    assert Objective(list(datasets)).layout is not None
    assert "m3.amplitude and twin.amplitude can hardly be told apart (correlation -0.9998)" in Fit().run(datasets).message


def test_a_fit_of_single_datasets_is_the_joint_fit():
    """With nothing shared, the joint fit is all single fits."""
    joint, single = many(n_index=30), many(n_index=30)
    assert Fit().run(joint).success
    for dataset in single:
        assert Fit().run([dataset]).success
    ours, theirs = joint.models.parameters, single.models.parameters
    errors = np.array([p.error for p in theirs])
    free = errors > 0
    np.testing.assert_array_less(np.abs(ours.value - theirs.value)[free], 1e-3 * errors[free])
    np.testing.assert_allclose([p.error for p in ours], errors, rtol=1e-4)


@pytest.mark.usefixtures("_blocks")
def test_confidence_and_profiles_in_blocks():
    datasets = many(20)
    assert Fit().run(datasets).success
    amplitude = datasets.models["m4"].spectral_model.amplitude
    errors = Fit().confidence(datasets, amplitude)
    assert errors["success"]
    assert errors["errp"] == pytest.approx(amplitude.error, rel=0.1)
    amplitude.scan_values = amplitude.value + np.array([-errors["errn"], 0, errors["errp"]])
    scan = Fit().stat_profile(datasets, amplitude, reoptimize=True)
    np.testing.assert_allclose(scan["stat_scan"] - scan["stat_scan"][1], [1, 0, 1], atol=1e-4)


def test_a_scan_is_the_statistic_at_each_value():
    datasets = many(3)
    assert Fit().run(datasets).success
    amplitude = datasets.models["m1"].spectral_model.amplitude
    best = amplitude.value
    amplitude.scan_values = best * np.linspace(0.2, 2, 100)
    scan = Fit().stat_profile(datasets, amplitude)["stat_scan"]
    expected = []
    for value in amplitude.scan_values:
        amplitude.value = value
        expected.append(datasets.stat_sum())
    np.testing.assert_allclose(scan, expected, rtol=1e-12)
    amplitude.value = best
    index = datasets.models["m0"].spectral_model.index
    index.prior = GaussianPrior(mu=2, sigma=0.05)
    index.scan_values = np.array([1.9, 2.3])
    surface = Fit().stat_surface(datasets, index, amplitude)["stat_scan"]
    index.value, amplitude.value = 2.3, amplitude.scan_values[7]
    assert surface.shape == (2, 100)
    assert surface[1, 7] == pytest.approx(datasets.stat_sum(), rel=1e-12)


def test_a_frozen_parameter_can_be_scanned():
    datasets = many(2)
    reference = datasets.models["m0"].spectral_model.reference
    reference.scan_values = np.array([0.5, 2.0])
    values = Fit().stat_profile(datasets, reference)["stat_scan"]
    assert reference.frozen
    assert reference.value == 1
    reference.value = 2.0
    assert values[1] == pytest.approx(datasets.stat_sum())
