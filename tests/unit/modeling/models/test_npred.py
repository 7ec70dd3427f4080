"""Templates of counts: parts, sums and files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose, assert_array_equal

from geminga.errors import FormatError, GeometryError, InputError
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import Models, PowerLawNormSpectralModel, PowerLawSpectralModel, TemplateNPredModel

AXIS = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=4)
GEOM = WcsGeom.create(npix=(6, 5), binsz=0.5, axes=[AXIS])
EDGES = AXIS.edges


@pytest.fixture
def model() -> TemplateNPredModel:
    counts = Map.from_geom(GEOM, data=np.arange(120.0).reshape(GEOM.data_shape))
    return TemplateNPredModel(counts, PowerLawNormSpectralModel(norm=2, tilt=0.5), name="counts")


def test_evaluate(model: TemplateNPredModel) -> None:
    factor = 2 * AXIS.center.value**-0.5
    assert_allclose(model.evaluate().data, model.map.data * factor[:, None, None], rtol=1e-12)


def test_slices_make_up_the_whole(model: TemplateNPredModel) -> None:
    low, high = model.slice_by_energy(energy_max=EDGES[1]), model.slice_by_energy(energy_min=1.02 * EDGES[1], name="high")
    assert high.name == "high"
    assert_array_equal(np.concatenate([low.evaluate().data, high.evaluate().data]), model.evaluate().data)
    assert_array_equal(model.slice_by_energy("1.8 TeV", 5600 * u.GeV).map.data, model.map.data[1:3])


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ((5 * u.TeV, 2 * u.TeV), InputError, "TemplateNPredModel 'counts': energy_min 5.0 TeV is not below energy_max 2.0 TeV"),
        ((20 * u.TeV, 30 * u.TeV), GeometryError, "leave no whole bin between 1.0 TeV and 10.0 TeV"),
        ((5 * u.s, 2 * u.TeV), ValueError, "energy_min: .* has unit 's'"),
    ],
)
def test_slice_refusals(model: TemplateNPredModel, bounds: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model.slice_by_energy(*bounds)


def test_stack_adds_predictions(model: TemplateNPredModel) -> None:
    other = model.copy(name="other")
    other.spectral_model.norm.value = 3
    expected = model.evaluate().data + other.evaluate().data
    model.stack(other)
    assert_allclose(model.evaluate().data, expected, rtol=1e-12)
    assert model.spectral_model.norm.value == 1
    assert model.spectral_model.tilt.value == 0


def test_file_and_back(model: TemplateNPredModel, tmp_path) -> None:
    with pytest.raises(InputError, match="has no filename"):
        model.write()
    model.filename = tmp_path / "counts.fits"
    model.write()
    (new,) = Models.from_dict(Models([model]).to_dict())
    assert_allclose(new.evaluate().data, model.evaluate().data, rtol=1e-6)
    assert new.name == "counts"


def test_refusals(model: TemplateNPredModel) -> None:
    with pytest.raises(GeometryError, match="it needs an axis 'energy' with edges"):
        TemplateNPredModel(Map.from_geom(GEOM.to_image()))
    with pytest.raises(InputError, match="a norm spectral model is required"):
        TemplateNPredModel(model.map, PowerLawSpectralModel())
    with pytest.raises(FormatError, match="'lost' has no 'filename'"):
        TemplateNPredModel.from_dict({"type": "TemplateNPredModel", "name": "lost"})
