import astropy.units as u
import numpy as np
import pytest

from geminga.errors import InputError, NameLookupError
from geminga.estimators import FluxPointsEstimator
from geminga.estimators.points.sed import FluxCollectionEstimator
from geminga.maps import Map
from geminga.modeling import Fit
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.unit.estimators.test_points import EDGES, spectrum


def field(seed=1):
    dataset = spectrum(exposure=3e14, seed=seed)
    other = SkyModel(PowerLawSpectralModel(index=4.5, amplitude="1e-11 cm-2 s-1 TeV-1"), name="other")
    dataset.models = [*dataset.models, other]
    if seed is None:
        dataset.counts = dataset.npred()
    else:
        dataset.counts.data = np.random.default_rng(seed).poisson(dataset.npred().data).astype(float)
    return dataset


def test_expected_counts_give_norms_of_one():
    result = FluxCollectionEstimator(EDGES, ["star", "other"]).run(field(None))
    for points in result["flux_points"].values():
        np.testing.assert_allclose(points.norm.data, 1, atol=1e-3)
    assert len(result["solver_results"]) == len(result["energy_edges"]) - 1 == 4


def test_one_source_is_its_flux_points():
    dataset = field()
    options = {"selection_optional": ["errn-errp", "ul"]}
    one = FluxCollectionEstimator(EDGES, ["star"], **options).run(dataset)["flux_points"]["star"]
    points = FluxPointsEstimator(EDGES, source="star", **options).run(dataset)
    for name in ("norm", "norm_err", "norm_ul", "norm_errn", "norm_errp", "ts"):
        np.testing.assert_allclose(one[name].data, points[name].data, rtol=2e-3, err_msg=name)


def test_two_sources_are_the_joint_fit():
    dataset = field()
    before = [(p.value, p.error, p.frozen) for p in dataset.models.parameters]
    found = FluxCollectionEstimator(EDGES, dataset.models, solver=Fit()).run(dataset)["flux_points"]
    assert [(p.value, p.error, p.frozen) for p in dataset.models.parameters] == before
    cut = dataset.slice_by_energy(EDGES[0], EDGES[1], name="cut")
    models = [model.copy(name=model.name) for model in dataset.models]
    for model in models:
        model.spectral_model.index.frozen = True
    cut.models = models
    Fit().run(cut)
    for model in models:
        amplitude, points = model.spectral_model.amplitude, found[model.name]
        truth = dataset.models[model.name].spectral_model.amplitude.value
        assert points.norm.data.ravel()[0] == pytest.approx(amplitude.value / truth, rel=1e-3, abs=1e-3)
        assert points.norm_err.data.ravel()[0] == pytest.approx(amplitude.error / truth, rel=1e-2)


def test_a_band_that_fails_says_why():
    dataset = field()
    inside = np.ones((8, 1, 1), bool)
    inside[2:4] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    result = FluxCollectionEstimator(EDGES, ["star"]).run(dataset)
    points = result["flux_points"]["star"]
    np.testing.assert_array_equal(np.isnan(points.norm.data.ravel()), [False, True, False, False])
    assert "masked" in points.meta["failures"][0]
    assert result["solver_results"][1] is None


def test_refusals():
    with pytest.raises(InputError, match="each once"):
        FluxCollectionEstimator(EDGES, ["a", "a"])
    with pytest.raises(InputError, match="scan"):
        FluxCollectionEstimator([1, 2] * u.TeV, ["a"], selection_optional=["scan"])
    with pytest.raises(NameLookupError, match="'sun'.*star, other"):
        FluxCollectionEstimator(EDGES, ["sun"]).run(field())
