import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets
from geminga.errors import InputError, NameLookupError
from geminga.estimators import EnergyDependentMorphologyEstimator
from geminga.estimators.energydependentmorphology import weighted_chi2_parameter
from geminga.maps import Map
from geminga.modeling import Fit
from geminga.modeling.models import FoVBackgroundModel
from tests.unit.estimators.test_ts import ENERGY, SHAPES, make, source


def field(widths, seed=1, name="d"):
    """Field with a Gaussian of one width for each energy."""
    dataset, total = make(name, npix=(41, 41)), 0.0
    for energy, width in enumerate(widths):
        model = source(SHAPES["gauss"]())
        model.spatial_model.sigma.value = width
        model.spectral_model.amplitude.value = 1e-10
        dataset.models = [model]
        part = dataset.npred().data.copy()
        part[np.arange(3) != energy] = 0
        total = total + part
    counts = np.random.default_rng(seed).poisson(total).astype(float)
    dataset.counts = Map.from_geom(dataset.counts.geom, data=counts)
    start = source(SHAPES["gauss"]())
    start.spectral_model.amplitude.value = 8e-11
    dataset.models = [start, FoVBackgroundModel(dataset_name=name)]
    return dataset


def test_finds_a_shape_that_changes():
    dataset = field([0.3, 0.2, 0.12])
    before = [(p.value, p.error, p.frozen) for p in dataset.models.parameters]
    result = EnergyDependentMorphologyEstimator(ENERGY.edges, source="source").run(dataset)
    table = result["energy_dependence"]["result"]
    assert table["Hypothesis"] == ["H0", "H1", "H1", "H1"]
    np.testing.assert_allclose(table["sigma"][1:].to_value("deg"), [0.3, 0.2, 0.12], atol=0.02)
    assert result["energy_dependence"]["df"] == 6
    assert result["energy_dependence"]["delta_ts"] > 200
    assert (np.array(result["src_above_bkg"]["significance"]) > 15).all()
    assert weighted_chi2_parameter(table, ["sigma"])["significance"][0] > 10
    assert weighted_chi2_parameter(table, ["lon_0"])["chi2"][0] < 12
    assert [(p.value, p.error, p.frozen) for p in dataset.models.parameters] == before


def test_each_hypothesis_is_the_fit_that_it_says():
    dataset = field([0.2, 0.2, 0.2], seed=3)
    estimator = EnergyDependentMorphologyEstimator(ENERGY.edges[[0, 1, 3]])
    found = estimator.estimate_energy_dependence(dataset)
    assert 0 <= found["delta_ts"] < 20  # no change: chi2 of three
    assert found["df"] == 3
    # The last band alone, fitted by hand.
    cut = dataset.slice_by_energy(*ENERGY.edges[[1, 3]], name="d-cut")
    start = source(SHAPES["gauss"]())
    start.spectral_model.amplitude.value = 8e-11
    cut.models = [start, FoVBackgroundModel(dataset_name="d-cut")]
    assert Fit().run(cut).success
    sigma = start.spatial_model.sigma
    assert found["result"]["sigma"][-1].value == pytest.approx(sigma.value, abs=0.02 * sigma.error)
    assert found["result"]["sigma_err"][-1].value == pytest.approx(sigma.error, rel=0.01)


def test_several_datasets():
    one, other = field([0.3, 0.2, 0.12], seed=1, name="a"), field([0.3, 0.2, 0.12], seed=2, name="b")
    models = [one.models["source"], FoVBackgroundModel(dataset_name="a"), FoVBackgroundModel(dataset_name="b")]
    both = Datasets([one, other])
    both.models = models
    alone = EnergyDependentMorphologyEstimator(ENERGY.edges).run(one)["energy_dependence"]
    joint = EnergyDependentMorphologyEstimator(ENERGY.edges).run(both)["energy_dependence"]
    assert joint["delta_ts"] > 1.3 * alone["delta_ts"]
    np.testing.assert_array_less(joint["result"]["sigma_err"].value, alone["result"]["sigma_err"].value)


def test_weighted_chi2_in_closed_form():
    table = {"sigma": [9, 0.3, 0.2] * u.deg, "sigma_err": [9, 0.03, 0.04] * u.deg}
    result = weighted_chi2_parameter(table)
    assert result["chi2"][0] == pytest.approx(0.1**2 / (0.03**2 + 0.04**2))
    assert result["df"] == [1]
    assert result["significance"][0] == pytest.approx(2.0)
    with pytest.raises(NameLookupError, match="'phi'"):
        weighted_chi2_parameter(table, ["phi"])


def test_refusals():
    with pytest.raises(InputError, match="two bands"):
        EnergyDependentMorphologyEstimator([1, 10] * u.TeV)
    dataset = field([0.2] * 3)
    with pytest.raises(NameLookupError, match="'crab'"):
        EnergyDependentMorphologyEstimator(ENERGY.edges, source="crab").run(dataset)
    for p in dataset.models["source"].spatial_model.parameters:
        p.frozen = True
    with pytest.raises(InputError, match="no free spatial parameter"):
        EnergyDependentMorphologyEstimator(ENERGY.edges).run(dataset)


def test_bands_without_a_value_say_why():
    """A band below the data and one that is masked are rows of NaN; the test is that of the other two."""
    dataset = field([0.2, 0.2, 0.2], seed=3)
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=np.ones(dataset.counts.data.shape, bool))
    dataset.mask_safe.data[1] = False
    edges = u.Quantity([0.1 * u.TeV, *ENERGY.edges])
    result = EnergyDependentMorphologyEstimator(edges, source="source").run(dataset)
    found = result["energy_dependence"]
    np.testing.assert_array_equal(np.isfinite(found["result"]["sigma"].value), [True, False, True, False, True])
    np.testing.assert_array_equal(np.isfinite(result["src_above_bkg"]["delta_ts"]), [False, True, False, True])
    assert found["df"] == 3
    assert 0 <= found["delta_ts"] < 20
    assert len(result["failures"]) == 2
    assert "no energy bin of the datasets lies inside" in result["failures"][0]
    nothing = EnergyDependentMorphologyEstimator([20, 30, 40] * u.TeV, source="source").run(dataset)
    assert np.isnan(nothing["energy_dependence"]["delta_ts"])
    assert len(nothing["failures"]) == 2
