"""Fits of a small simulated field: the truth comes back, all backends agree, and what goes wrong is said."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.cli.simulate import simulate_field
from geminga.datasets import Datasets
from geminga.errors import DataError, FitError, InputError, NameLookupError, ParameterError
from geminga.modeling import Fit, Parameter
from geminga.modeling.fit.curvature import Dense
from geminga.modeling.fit.end import End
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    SpatialModel,
    SpectralModel,
    TemplateSpectralModel,
)
from tests.unit.datasets import builders

TRUTH = {"star.index": 2.2, "star.amplitude": 8e-13, "star.lon_0": 195.6, "star.lat_0": 4.65, "nebula.sigma": 0.3}


@pytest.fixture(scope="module")
def field():
    """Simulated dataset and its true models."""
    dataset = simulate_field(seed=7)
    return dataset, dataset.models.copy()


@pytest.fixture
def dataset(field):
    own, models = field
    own.models = models.copy()
    return own


def star(dataset):
    return dataset.models["star"]


def errors(result):
    return np.array([p.error for p in result.parameters.free_parameters])


def values(result):
    return np.array([p.value for p in result.parameters.free_parameters])


def state(models):
    return [(p.name, p.value, p.error, p.frozen, p.min, p.max) for p in models.parameters]


def test_truth_comes_back(dataset):
    result = Fit().run([dataset])
    assert result.success
    for name, truth in TRUTH.items():
        model, parameter = name.split(".")
        own = dataset.models[model].parameters[parameter]
        assert abs(own.value - truth) < 4.5 * own.error
        assert own.error > 0
    assert_allclose(result.total_stat, dataset.stat_sum(), atol=1e-5)


def test_backends_agree(dataset, field):
    best = {}
    for backend in ("newton", "minuit", "scipy"):
        dataset.models = field[1].copy()
        result = Fit(backend=backend).run([dataset])
        assert result.success, result.message
        best[backend] = values(result)
    sigma = errors(result)
    assert_allclose(best["minuit"] / sigma, best["newton"] / sigma, atol=1e-3)
    assert_allclose(best["scipy"] / sigma, best["newton"] / sigma, atol=1e-3)


def test_gaussian_start_far_away(dataset):
    nebula = dataset.models["nebula"]
    nebula.spatial_model.sigma.value = 0.1
    nebula.spatial_model.lon_0.value += 0.1
    nebula.spectral_model.amplitude.value *= 0.3
    assert Fit().run([dataset]).success
    assert abs(nebula.spatial_model.sigma.value - 0.3) < 4.5 * nebula.spatial_model.sigma.error


def test_confidence_is_where_the_profile_rises_by_one(dataset):
    fit = Fit()
    result = fit.run([dataset])
    amplitude = star(dataset).spectral_model.amplitude
    before = state(dataset.models)
    limits = fit.confidence([dataset], amplitude, sigma=1)
    assert limits["success"]
    assert state(dataset.models) == before
    assert_allclose([limits["errp"], limits["errn"]], amplitude.error, rtol=0.1)
    amplitude.scan_values = amplitude.value + np.array([-limits["errn"], 0, limits["errp"]])
    profile = fit.stat_profile([dataset], amplitude, reoptimize=True)
    assert_allclose(profile["stat_scan"] - result.total_stat, [1, 0, 1], atol=2e-3)
    assert_allclose(profile["star.spectral.amplitude_scan"], amplitude.scan_values)
    assert state(dataset.models) == before


def test_minos_agrees(dataset):
    Fit().run([dataset])
    index = star(dataset).spectral_model.index
    ours = Fit().confidence([dataset], index)
    theirs = Fit(backend="minuit").confidence([dataset], index)
    assert_allclose([ours["errp"], ours["errn"]], [theirs["errp"], theirs["errn"]], rtol=5e-3)


def test_surface_and_contour(dataset):
    fit = Fit()
    result = fit.run([dataset])
    index, amplitude = star(dataset).spectral_model.index, star(dataset).spectral_model.amplitude
    for p in (index, amplitude):
        p.scan_n_values = 3
    surface = fit.stat_surface([dataset], index, amplitude)
    assert surface["stat_scan"].shape == (3, 3)
    assert_allclose(surface["stat_scan"][1, 1], result.total_stat, atol=0.1)  # amplitudes are spaced in log
    assert surface["stat_scan"].min() == surface["stat_scan"][1, 1]
    contour = fit.stat_contour([dataset], index, amplitude, numpoints=6)
    assert contour["success"]
    x = contour["star.spectral.index"] - index.value
    assert 0.8 * index.error < np.abs(x).max() < 1.3 * index.error
    index.frozen = amplitude.frozen = True
    for pair in zip(contour["star.spectral.index"], contour["star.spectral.amplitude"], strict=True):
        index.value, amplitude.value = pair
        assert_allclose(Fit().run([dataset]).total_stat - result.total_stat, 1, atol=1e-3)


def test_prior_pulls(dataset):
    index = star(dataset).spectral_model.index
    Fit().run([dataset])
    free = index.value
    index.prior = GaussianPrior(mu=free + 0.3, sigma=1e-3)
    Fit().run([dataset])
    assert_allclose(index.value, free + 0.3, atol=0.01)


def test_linked_parameter_is_one(dataset):
    nebula = dataset.models["nebula"]
    nebula.spectral_model.index = star(dataset).spectral_model.index
    result = Fit().run([dataset])
    assert result.success
    assert nebula.spectral_model.index is star(dataset).spectral_model.index
    assert len({id(p) for p in result.parameters.free_parameters}) == 10


def test_joint_fit_of_two_copies_halves_the_variance(dataset, field):
    single = Fit().run([dataset])
    sigma = single.parameters["index"].error
    dataset.models = field[1].select(name_substring="star").copy()
    twin = dataset.copy(name="twin")
    both = Datasets([dataset, twin])
    both.models = [
        *field[1].select(name_substring="star").copy(),
        *field[1].select(name_substring="nebula").copy(),
        *(FoVBackgroundModel(dataset_name=d.name) for d in both),
    ]
    result = Fit().run(both)
    assert result.success
    assert_allclose(result.parameters["index"].error, sigma / np.sqrt(2), rtol=0.02)


class OwnSpectrum(SpectralModel):
    """A power law written as users write models."""

    tag = ["OwnSpectrum", "own-pl"]
    index = Parameter("index", 2.0)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")
    reference = Parameter("reference", "1 TeV", frozen=True)

    @staticmethod
    def evaluate(energy, index, amplitude, reference):
        return amplitude * (energy / reference) ** (-index)


class OwnShape(SpatialModel):
    """A Gaussian written as users write models."""

    tag = ["OwnShape", "own-gauss"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg")
    width = Parameter("width", "0.3 deg", min=0.01)

    @property
    def evaluation_radius(self):
        return 5 * self.width.quantity

    @staticmethod
    def evaluate(lon, lat, lon_0, lat_0, width):
        x = (lon - lon_0) * np.cos(lat_0)
        r2 = x**2 + (lat - lat_0) ** 2
        return (np.exp(-0.5 * (r2 / width**2).to_value("")) / (2 * np.pi * width**2)).to("sr-1")


def test_models_of_ones_own(dataset, field):
    """The same field with home-made models gives the same answer."""
    Fit().run([dataset])
    best = {p.name: (p.value, p.error) for p in star(dataset).parameters}
    own = field[1].copy()
    spectrum = OwnSpectrum(index=2.1, amplitude="1e-12 cm-2 s-1 TeV-1")
    spatial = OwnShape(lon_0="194.7 deg", lat_0="3.95 deg", width="0.28 deg", frame="galactic")
    dataset.models = [
        SkyModel(spectrum, own["star"].spatial_model.copy(), name="star"),
        SkyModel(own["nebula"].spectral_model.copy(), spatial, name="nebula"),
        FoVBackgroundModel(dataset_name=dataset.name),
    ]
    result = Fit().run([dataset])
    assert result.success, result.message
    for name in ("index", "amplitude"):
        own = dataset.models["star"].parameters[name]
        assert abs(own.value - best[name][0]) < 0.05 * best[name][1]
        assert_allclose(own.error, best[name][1], rtol=0.02)
    assert abs(spatial.width.value - 0.3) < 4.5 * spatial.width.error


# ---- what goes wrong is said ------------------------------------------------------------------


def test_no_models(dataset):
    dataset.models = None
    with pytest.raises(FitError, match="No models are set on dataset 'demo'"):
        Fit().run([dataset])


def test_nothing_free(dataset):
    dataset.models.freeze()
    with pytest.raises(FitError, match="All parameters are frozen"):
        Fit().run([dataset])


def test_value_outside_its_bounds(dataset):
    index = star(dataset).spectral_model.index
    index.min = 3.0
    with pytest.raises(ParameterError, match=r"'index' has value 2.2 outside its bounds \[3.0"):
        Fit().run([dataset])


def test_source_outside_the_field(dataset):
    star(dataset).spatial_model.lon_0.value += 40
    with pytest.raises(InputError, match="'star'.*outside the pixels which dataset 'demo' uses"):
        Fit().run([dataset])


def test_no_exposure(dataset, field):
    broken = dataset.copy(name="demo")
    broken.exposure = None
    broken.models = field[1].copy()
    with pytest.raises(DataError, match="no exposure"):
        Fit().run([broken])


def test_unknown_backend_and_option(dataset):
    with pytest.raises(NameLookupError, match="'sherpa' is not known; choose one of newton, minuit, scipy"):
        Fit(backend="sherpa")
    with pytest.raises(InputError, match="tolerance is not known to the newton backend"):
        Fit(optimize_opts={"tolerance": 1}).run([dataset])


def test_frozen_parameter_has_no_profile(dataset):
    with pytest.raises(NameLookupError, match="'reference' is frozen"):
        Fit().confidence([dataset], star(dataset).spectral_model.reference)


def test_not_a_dataset():
    with pytest.raises(InputError, match="expected a dataset"):
        Fit().run(["crab"])


def test_parameter_without_effect(dataset):
    model = star(dataset)
    model.spectral_model.amplitude.value = 0.0
    model.spectral_model.amplitude.frozen = True
    before = state(dataset.models)
    result = Fit().run([dataset])
    assert not result.success
    assert "star.index, star.lon_0 and star.lat_0 have no effect on the statistic; freeze them" in result.message
    assert state(dataset.models) == before


def test_bound_is_named(dataset):
    index = star(dataset).spectral_model.index
    index.value, index.min = 2.6, 2.5
    result = Fit().run([dataset])
    assert index.value == 2.5
    assert "star.index is at its lower bound 2.5" in result.message
    assert np.isnan(index.error)


def test_rounding_beside_a_bound_is_the_bound():
    """A step to a best value at the bound may end beside it, with a slope that is noise; a slope that is none is heeded."""
    low, high = np.zeros(5), np.ones(5)
    names = list("abcde")
    objective = SimpleNamespace(
        low=low, high=high, names=lambda: names, value_many=lambda points: points.sum(axis=1), size=np.abs
    )
    x = np.array([5e-22, 0.0, 5e-22, 1 - 1e-16, 0.5])
    gradient = np.array([-1.6e-10, 3.0, -0.1, 1e-9, 0.0])
    end = End(objective, x, 0.0, gradient, Dense(np.diag(np.full(5, 100.0))))
    assert end.at_bound.tolist() == [True, True, False, True, False]
    remarks = end.remarks()
    assert remarks[:2] == [f"{name} is at its lower bound 0, so it has no two-sided error" for name in "ab"]
    assert remarks[2] == "d is at its upper bound 1, so it has no two-sided error"


def test_too_few_iterations_leave_the_models(dataset):
    star(dataset).spectral_model.amplitude.value *= 5
    before = state(dataset.models)
    result = Fit(optimize_opts={"max_iterations": 1}).run([dataset])
    assert not result.success
    assert "did not converge" in result.message
    assert "The models are unchanged" in result.message
    assert state(dataset.models) == before


def test_interrupt_leaves_the_models(dataset, monkeypatch):
    from geminga.forward.term import PoissonTerm

    original, calls = PoissonTerm.evaluate, []

    def interrupted(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(PoissonTerm, "evaluate", interrupted)
    before = state(dataset.models)
    with pytest.raises(KeyboardInterrupt):
        Fit().run([dataset])
    assert state(dataset.models) == before


@pytest.mark.parametrize("name", ["_covariance", "_judge"])
def test_interrupt_while_results_are_written(dataset, monkeypatch, name):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Fit, name, interrupted)
    before = state(dataset.models)
    with pytest.raises(KeyboardInterrupt):
        Fit().run([dataset])
    assert state(dataset.models) == before


def test_degenerate_pair_is_named(dataset):
    models = dataset.models.copy()
    copy = models["star"].copy(name="twin")
    for p in copy.parameters:
        p.frozen = True
    copy.spectral_model.amplitude.frozen = False
    dataset.models = [*models, copy]
    result = Fit().run([dataset])
    assert "can hardly be told apart" in result.message or "not positive" in str(result.covariance_result)


def test_result_prints_and_writes(dataset, tmp_path):
    result = Fit(store_trace=True).run([dataset])
    text = str(result)
    assert "OptimizeResult" in text
    assert "CovarianceResult" in text
    assert len(result.trace) > 2
    assert "star.spectral.index" in result.trace.colnames
    result.write(tmp_path / "fit.yaml")
    assert "total_stat" in (tmp_path / "fit.yaml").read_text()


def test_ellipse_and_unit_of_the_user(dataset, field):
    """A Gaussian with free eccentricity goes through the general path and agrees with the round one; units are the user's."""
    own = field[1].copy()
    Fit().run([dataset])
    best = dataset.models["nebula"].spatial_model.sigma
    shape = GaussianSpatialModel(lon_0="194.7 deg", lat_0="3.95 deg", sigma="18 arcmin", e=0.1, phi="30 deg", frame="galactic")
    shape.e.frozen = False
    dataset.models = [
        own["star"],
        SkyModel(own["nebula"].spectral_model.copy(), shape, name="nebula"),
        FoVBackgroundModel(dataset_name=dataset.name),
    ]
    result = Fit().run([dataset])
    assert result.success, result.message
    minor = shape.sigma.quantity.to_value("deg") * np.sqrt(1 - shape.e.value**2)
    assert abs(0.5 * (minor + shape.sigma.quantity.to_value("deg")) - best.value) < 3 * best.error
    assert shape.sigma.unit == u.arcmin


def test_point_source_without_psf(dataset, field):
    own = field[1].copy()
    bare = dataset.copy(name="bare")
    bare.psf = None
    bare.models = [own["star"]]
    total = bare.npred_signal().data.sum()
    dataset.models = [own["star"].copy(name="other")]
    assert_allclose(total, dataset.npred_signal().data.sum(), rtol=2e-2)


def test_without_spatial_model(dataset):
    dataset.models = [SkyModel(PowerLawSpectralModel(), name="flat")]
    with pytest.raises(InputError, match="'flat' has no spatial model"):
        dataset.npred_signal()
    assert PointSpatialModel().symmetry() == "point"


@pytest.mark.parametrize("backend", ["newton", "minuit", "scipy"])
def test_every_backend_keeps_its_trace(backend):
    from tests.unit.datasets import builders

    dataset = builders.spectrum_dataset()
    dataset.models = [SkyModel.create("pl", name="source")]
    trace = Fit(backend=backend, store_trace=True).run([dataset]).optimize_result.trace
    assert trace.colnames == ["total_stat", "source.spectral.index", "source.spectral.amplitude"]
    assert len(trace) >= 1


@pytest.mark.parametrize("shape", ["point", "gauss"])
def test_spectrum_without_parameters(shape):
    """The position alone can be fitted."""
    dataset = builders.map_dataset(name="field", safe=2.0)
    spectrum = TemplateSpectralModel([0.3, 30] * u.TeV, [3e-11, 3e-15] * u.Unit("cm-2 s-1 TeV-1"))
    model = SkyModel.create(spectrum, shape, name="source")
    model.spatial_model.frame = "icrs"
    model.spatial_model.lon_0.quantity, model.spatial_model.lat_0.quantity = 83.6 * u.deg, 22.0 * u.deg
    if shape == "gauss":
        model.spatial_model.sigma.value = 0.1
    dataset.models = [model]
    dataset.counts = dataset.npred()
    model.spatial_model.lon_0.value += 0.02
    assert Fit().run(dataset).success
    np.testing.assert_allclose(model.spatial_model.lon_0.value, 83.6, atol=1e-3)
