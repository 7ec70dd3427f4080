"""Systematic errors as a model: what is free, copies, links and files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.datasets import Datasets
from geminga.errors import DataError, InputError, NameLookupError, UnitError
from geminga.modeling import Parameter
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    LogNormalPrior,
    Model,
    Models,
    SkyModel,
    SystematicsModel,
    UniformPrior,
)
from tests.unit.datasets.builders import spectrum_dataset

BANDS = [100, 1000, 10000] * u.GeV


def full():
    return SystematicsModel(
        ["a", "b"],
        energy_edges=BANDS,
        reference="2 TeV",
        name="errors",
        area_scale=LogNormalPrior(mu=1, sigma=0.1),
        area_slope=0.05,
        background_norm=GaussianPrior(mu=1, sigma=0.02),
        background_tilt=[UniformPrior(min=-0.1, max=0.2), 0.0],
    )


def test_priors_make_free():
    model = full()
    assert model.parameters.free_parameters.names == ["area_scale", "background_norm_0", "background_tilt_0", "background_norm_1"]
    assert [p.name for p in model.active] == [
        "area_scale",
        "area_slope",
        "background_norm_0",
        "background_tilt_0",
        "background_norm_1",
    ]
    assert model.background_norm_0.prior is not model.background_norm_1.prior
    assert (model.background_tilt_0.min, model.background_tilt_0.max) == (-0.1, 0.2)
    assert not SystematicsModel().active
    assert "active: none" in repr(SystematicsModel())


def test_freeze_and_unfreeze():
    model = full()
    free = model.parameters.free_parameters.names
    models = Models([model, SkyModel.create("pl")])
    models.freeze("spectral")
    assert model.parameters.free_parameters.names == free
    models.freeze()
    assert model.frozen
    models.unfreeze()
    assert model.parameters.free_parameters.names == free


def test_file_round_trip(tmp_path):
    models = Models([SkyModel.create("pl", name="source"), full(), SystematicsModel(name="empty")])
    models["errors"].area_scale.value = 1.05
    models["errors"].area_scale.error = 0.03
    models.write(tmp_path / "models.yaml")
    read = Models.read(tmp_path / "models.yaml")
    assert read.to_dict() == models.to_dict()
    assert read.to_dict(full_output=True) == models.to_dict(full_output=True)
    again = Models.from_yaml(read.to_yaml(full_output=True))["errors"]
    assert again.datasets_names == ["a", "b"]
    assert again.reference == 2 * u.TeV
    assert_allclose(again.energy_edges.to_value("TeV"), [0.1, 1, 10])
    assert isinstance(again.area_scale.prior, LogNormalPrior)
    assert again.area_scale.value == 1.05
    assert again.parameters.free_parameters.names == full().parameters.free_parameters.names


def test_file_with_datasets(tmp_path):
    datasets = Datasets([spectrum_dataset(name) for name in "ab"])
    datasets.models = [
        SkyModel.create("pl", name="source"),
        FoVBackgroundModel("a"),
        full(),
        SystematicsModel("b", name="own", background_norm=1.3),
    ]
    datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
    read = Datasets.read(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
    assert read.models.names == datasets.models.names
    assert read["a"].models.names == ["source", "a-bkg", "errors"]
    assert_allclose(read.stat_sum(), datasets.stat_sum(), rtol=1e-6)
    assert_allclose(read["b"].npred_background().data, datasets["b"].npred_background().data, rtol=1e-6)


def test_links_are_kept(tmp_path):
    a, b = full(), full()
    b = b.copy(name="other", datasets_names="c", area_scale=a.area_scale)
    models = Models([a, b])
    assert b.area_scale is a.area_scale
    read = Models.from_yaml(models.to_yaml())
    assert read["errors"].area_scale is read["other"].area_scale
    copied = models.copy()
    assert copied["errors"].area_scale is copied["other"].area_scale
    assert copied["errors"].area_scale is not a.area_scale


def test_copy_keeps_the_covariance():
    model = full()
    size = len(model.parameters)
    model.covariance = np.diag(np.arange(size) + 1.0)
    new = model.copy(name="new")
    assert_allclose(new.covariance.data, model.covariance.data)
    assert new.parameters.names == model.parameters.names
    assert not set(new.parameters) & set(model.parameters)
    assert new.parameters.free_parameters.names == model.parameters.free_parameters.names


def test_reassign_and_select():
    models = Models([full(), SkyModel.create("pl", name="source")])
    assert models.reassign("a", "c")["errors"].datasets_names == ["c", "b"]
    assert models.select(tag="systematics").names == ["errors"]
    assert models.select(datasets_names="z").names == ["source"]
    assert models.background_models == {}
    assert "area_scale" in str(models["errors"])
    assert models.to_parameters_table()["model"].tolist().count("errors") == len(full().parameters)


def test_creation_by_tag():
    assert isinstance(Model.create("systematics", area_scale=1.2), SystematicsModel)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"area": 1}, NameLookupError, "no parameter 'area'; known: area_scale, area_slope, energy_scale, psf_scale"),
        ({"background_norm_1": 1}, NameLookupError, "no parameter 'background_norm_1'"),
        ({"background_norm": [1, 2]}, InputError, "background_norm got 2 values; expected one, or one for each of 1 bands"),
        ({"energy_edges": [1] * u.TeV}, DataError, "expected at least 2 increasing positive energies"),
        ({"energy_edges": [3, 1] * u.TeV}, DataError, "expected at least 2 increasing positive energies"),
        ({"energy_edges": [1, 3] * u.cm}, UnitError, "energy_edges"),
        ({"reference": "1 deg"}, UnitError, "reference"),
        ({"datasets_names": 3}, InputError, "datasets_names"),
    ],
)
def test_refusals(arguments, error, message):
    with pytest.raises(error, match=message):
        SystematicsModel(**arguments)


def test_unknown_parameter_in_a_file():
    data = full().to_dict()
    data["parameters"].append(Parameter("area_norm", 1).to_dict())
    with pytest.raises(NameLookupError, match="'area_norm' is unknown; known parameters: area_scale"):
        SystematicsModel.from_dict(data)
