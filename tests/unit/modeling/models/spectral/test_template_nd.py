"""Spectra on a grid of parameters."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.errors import DataError, FileError, FormatError, InputError
from geminga.maps import Map, MapAxis, RegionNDMap, WcsGeom
from geminga.modeling.models import Model, PowerLawSpectralModel, TemplateNDSpectralModel
from tests.unit.modeling.models.spectral.builders import grid_map

UNIT = u.Unit("cm-2 s-1 TeV-1")


def test_parameters_are_the_axes():
    """In the middle and bounded by the ends, as in gammapy."""
    model = TemplateNDSpectralModel(grid_map())
    assert model.parameters.names == ["slope", "cutoff"]
    assert (model.slope.value, model.slope.min, model.slope.max) == (2.25, 1.5, 3)
    assert (model.cutoff.quantity, model.cutoff.frozen) == (50.5 * u.TeV, False)
    assert not model.is_norm_spectral_model
    assert TemplateNDSpectralModel(grid_map("")).is_norm_spectral_model


def test_nodes_and_between():
    """Power laws in energy and exponents are interpolated exactly on the scale of values."""
    model = TemplateNDSpectralModel(grid_map())
    model.slope.value, model.cutoff.value = 2.0, 10.0
    energy = model.map.geom.axes["energy_true"].center
    assert_allclose(model(energy).value, 1e-12 * energy.value**-2 * np.exp(-energy.value / 10), rtol=1e-6)
    model.slope.value = 2.3
    assert_allclose(model(energy).value, 1e-12 * energy.value**-2.3 * np.exp(-energy.value / 10), rtol=1e-6)
    model.cutoff.quantity = 10 * u.TeV * 10**0.5  # half way between nodes on the log scale of the axis
    middle = -0.5 * (energy.value / 10 + energy.value / 100)
    assert_allclose(model(energy).value, 1e-12 * energy.value**-2.3 * np.exp(middle), rtol=1e-6)


def test_numbers_of_gammapy():
    """On a small grid, inside, between nodes and beyond."""
    energy = MapAxis.from_nodes(np.geomspace(1, 100, 5), unit="TeV", name="energy_true", interp="log")
    norm, tilt = MapAxis.from_nodes([1.5, 2, 3], name="norm_like"), MapAxis.from_nodes([0, 1, 2, 4], name="tilt", unit="deg")
    own = RegionNDMap.create(region=None, axes=[energy, norm, tilt], unit=UNIT)
    e, n, t = energy.center.value, norm.center.value[:, None], tilt.center.value[:, None, None]
    own.data = 1e-12 * e**-2 * n * (1 + t)
    model = TemplateNDSpectralModel(own)
    assert_allclose(model([1, 2, 200] * u.TeV).value, [6.64009152e-12, 1.66002288e-12, 1.66002288e-16], rtol=1e-6)
    model.norm_like.value, model.tilt.value = 2.5, 3
    assert_allclose(model([1, 0.5] * u.TeV).value, [9.48683298e-12, 3.79473319e-11], rtol=1e-6)
    model.norm_like.value = 3.5
    assert_allclose(model(1 * u.TeV).value, 1.42302495e-11, rtol=1e-6)
    assert_allclose(model.evaluate(2 * u.TeV, 2 * u.one, 60 * u.arcmin).value, 1e-12, rtol=1e-6)


def test_order_of_axes_does_not_matter():
    own = grid_map()
    axes = {axis.name: axis for axis in own.geom.axes}
    other = RegionNDMap.create(region=None, axes=[axes["cutoff"], axes["energy_true"], axes["slope"]], unit=own.unit)
    other.data = np.moveaxis(own.data.reshape(3, 4, 20), [0, 1, 2], [2, 0, 1])
    energy = [0.3, 2, 40] * u.TeV
    assert_allclose(TemplateNDSpectralModel(other)(energy), TemplateNDSpectralModel(own)(energy))


def test_as_a_factor(tmp_path):
    factor = TemplateNDSpectralModel(grid_map(""), filename=tmp_path / "factor.fits")
    model = PowerLawSpectralModel() * factor
    factor.write()
    again = Model.from_dict(model.to_dict())
    assert_allclose(again(2 * u.TeV), model(2 * u.TeV), rtol=1e-6)
    assert again.parameters.names == ["index", "amplitude", "reference", "slope", "cutoff"]
    linked = TemplateNDSpectralModel.from_parameters(factor.parameters, map=factor.map)
    assert linked.slope is factor.slope
    assert model.copy().model2.map is factor.map


def test_refusals(tmp_path):
    with pytest.raises(InputError, match=r"got axes \['energy'\]; expected a map with the axis 'energy_true'"):
        TemplateNDSpectralModel(RegionNDMap.create(region=None, axes=[MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=2)]))
    energy = MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=2, name="energy_true")
    with pytest.raises(InputError, match="the map has 4 pixels; expected one"):
        TemplateNDSpectralModel(Map.from_geom(WcsGeom.create(npix=(2, 2), axes=[energy])))
    broken = grid_map()
    broken.data[0, 0, 0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        TemplateNDSpectralModel(broken)
    with pytest.raises(InputError, match="values_scale 'cubic'"):
        TemplateNDSpectralModel(grid_map(), interp_kwargs={"values_scale": "cubic"})
    model = TemplateNDSpectralModel(grid_map())
    with pytest.raises(FileError, match="has no filename"):
        model.write()
    with pytest.raises(FormatError, match="no 'filename'"):
        Model.from_dict(model.to_dict())
