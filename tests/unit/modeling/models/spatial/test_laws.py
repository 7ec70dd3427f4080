"""Laws which every spatial model keeps."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import CircleSkyRegion, EllipseSkyRegion

from geminga.errors import NameLookupError, ParameterError, UnitError, UnsupportedError
from geminga.maps import RegionGeom, WcsGeom
from geminga.modeling import Parameter
from geminga.modeling.models import (
    SPATIAL_MODEL_REGISTRY,
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    SkyModel,
    SpatialModel,
)
from tests.unit.modeling.models.spatial.builders import MODELS, NORMALISED, energy_axis, make_models

NAMES = list(MODELS)
DENSITIES = [name for name in NAMES if name not in {"point", "const-flux"}]
LON, LAT = np.array([0.21, 0.37, 0.02, 0.31]), np.array([-0.05, -0.22, -0.13, 0.06])
ENERGY = np.array([0.7, 3.3])


def values_of(model):
    return np.array([par.value for par in model.parameters], dtype=float)


def test_every_kind_is_here():
    assert {type(model) for model in MODELS.values()} == set(SPATIAL_MODEL_REGISTRY)
    for cls in SPATIAL_MODEL_REGISTRY:
        for tag in cls.tag:
            assert SPATIAL_MODEL_REGISTRY.get_cls(tag) is cls


@pytest.mark.parametrize("name", DENSITIES)
def test_density_and_gradient(name):
    """Density of plain numbers equals evaluation, its gradient differences; by all parameters that are free by nature."""
    model = make_models()[name]
    for par in model.parameters:
        par.frozen = False
    energy = ENERGY if model.is_energy_dependent else None
    values = values_of(model)
    value, gradient = model.density(LON, LAT, values, energy)
    lead = (len(ENERGY),) if energy is not None else ()
    assert value.shape == (*lead, len(LON))
    assert gradient.shape == (len(values), *value.shape)
    arguments = (LON * u.deg, LAT * u.deg) + ((ENERGY[:, None] * u.TeV,) if energy is not None else ())
    assert_allclose(model(*arguments).value, value, rtol=1e-10)
    kinked = "template" in name
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 1e-4 * (abs(values[j]) or 0.1)
        ends = [model.density(LON, LAT, values + factor * step, energy)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * step[j])
        assert_allclose(
            gradient[j], difference, rtol=1e-5, atol=(1e-3 if kinked else 1e-6) * np.abs(difference).max() + 2e-7 * value.max()
        )


@pytest.mark.parametrize("name", DENSITIES)
def test_density_evaluator(name):
    model = MODELS[name]
    energy = ENERGY if model.is_energy_dependent else None
    for one, other in zip(
        model.density_evaluator(LON, LAT, energy)(values_of(model)),
        model.density(LON, LAT, values_of(model), energy),
        strict=True,
    ):
        assert_allclose(one, other)


@pytest.mark.parametrize("name", DENSITIES)
def test_shapes_and_units(name):
    """Scalars, arrays of any shape, and angles in any unit."""
    model = MODELS[name]
    extra = (2 * u.TeV,) if model.is_energy_dependent else ()
    expected = model(LON * u.deg, LAT * u.deg, *extra)
    assert expected.shape == (4,)
    assert model(LON[0] * u.deg, LAT[0] * u.deg, *extra).shape == ()
    assert model(LON.reshape(2, 2) * u.deg, LAT.reshape(2, 2) * u.deg, *extra).shape == (2, 2)
    for unit in ("rad", "arcmin", "hourangle"):
        found = model((LON * u.deg).to(unit), (LAT * u.deg).to(unit), *(e.to("GeV") for e in extra))
        assert_allclose(found.to_value(expected.unit), expected.value, rtol=1e-9)
    assert_allclose(model((LON + 360) * u.deg, LAT * u.deg, *extra), expected, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in DENSITIES if MODELS[name].parameters.names])
def test_parameters_in_equivalent_units(name):
    model, other = make_models()[name], make_models()[name]
    exchange = {"deg": "arcmin", "1 / sr": "1 / deg2"}
    for par in other.parameters:
        if str(par.unit) in exchange:
            unit = exchange[str(par.unit)]
            low, high = (par.min * par.unit).to_value(unit), (par.max * par.unit).to_value(unit)
            par.quantity = par.quantity.to(unit)
            par.min, par.max = low, high
    extra = (2 * u.TeV,) if model.is_energy_dependent else ()
    own = other(LON * u.deg, LAT * u.deg, *extra)
    assert_allclose(own.to_value("sr-1" if own.unit.is_equivalent("sr-1") else ""), model(LON * u.deg, LAT * u.deg, *extra).value)
    energy = ENERGY if model.is_energy_dependent else None
    (value, gradient), (new, slope) = (m.density(LON, LAT, values_of(m), energy) for m in (model, other))
    assert_allclose(new, value, rtol=1e-9)
    for j, (a, b) in enumerate(zip(model.parameters, other.parameters, strict=True)):
        assert_allclose(slope[j] * a.unit.to(b.unit), gradient[j], rtol=1e-6, atol=1e-6 * np.abs(gradient[j]).max() + 1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")
def test_model_file(name, full_output, tmp_path):
    model = make_models()[name]
    if hasattr(model, "filename"):
        model.filename = str(tmp_path / "template.fits")
    for j, par in enumerate(model.parameters):
        par.error = 0.01 * (j + 1)
        par.frozen = j == 0
    is_norm = name.startswith("piecewise")
    own = FoVBackgroundModel("field", spatial_model=model) if is_norm else SkyModel.create("pl", model, name="source")
    Models([own]).write(tmp_path / "models.yaml", full_output=full_output)
    again = Models.read(tmp_path / "models.yaml")[0].spatial_model
    assert type(again) is type(model)
    assert again.frame == model.frame
    for old, new in zip(model.parameters, again.parameters, strict=True):
        assert (new.name, new.value, new.frozen, new.unit) == (old.name, old.value, old.frozen, old.unit)
        assert_allclose([new.error, new.min, new.max], [old.error, old.min, old.max])
    geom = WcsGeom.create(npix=7, binsz=0.1, axes=[energy_axis()] if model.is_energy_dependent else None)
    assert_allclose(again.evaluate_geom(geom).value, model.evaluate_geom(geom).value, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("binsz", [0.02, 0.05, 0.11, 0.3, 0.6])
@pytest.mark.parametrize("proj", ["CAR", "TAN"])
def test_sums_to_one(name, binsz, proj):
    """On pixels up to twice the width, anywhere in the geometry."""
    geom = WcsGeom.create(skydir=(0.037, 0.021), width=12, binsz=binsz, proj=proj)
    assert_allclose(MODELS[name].integrate_geom(geom).data.sum(), 1, atol=1e-4)


@pytest.mark.parametrize("name", ["gauss", "disk", "shell", "gauss-e"])
@pytest.mark.parametrize("position", [(0, 88), (179.9, 0), (300, -85), (83.6, 22)])
def test_sums_to_one_everywhere_on_the_sky(name, position):
    model = make_models()[name]
    model.position = SkyCoord(*position, unit="deg")
    geom = WcsGeom.create(skydir=model.position, width=6, binsz=0.1, proj="TAN", frame="galactic")
    assert_allclose(model.integrate_geom(geom).data.sum(), 1, atol=1e-4)


@pytest.mark.parametrize("sigma", [2, 10, 30])
@pytest.mark.parametrize("name", ["gauss", "gauss-e", "gauss-general", "disk-e", "shell"])
def test_normalised_on_the_sphere(name, sigma):
    """Also where the plane would be wrong by percents."""
    model = make_models()[name]
    size = {"gauss": "sigma", "gauss-e": "sigma", "gauss-general": "r_0", "disk-e": "r_0", "shell": "radius"}[name]
    model.parameters[size].value = sigma if name != "gauss-general" else sigma / 3
    if name == "shell":
        model.width.value = sigma / 3
    x, w = np.polynomial.legendre.leggauss(600)
    reach = min(np.pi, np.deg2rad(1.3 * model.support_radius()))
    r = reach / 2 * (x + 1)
    angle = (np.arange(90) + 0.5) * 2 * np.pi / 90
    # Polar coordinates around a centre on the equator.
    lat = np.arcsin(np.sin(r)[:, None] * np.sin(angle))
    lon = np.arctan2(np.sin(r)[:, None] * np.cos(angle), np.cos(r)[:, None])
    model.lon_0.value = model.lat_0.value = 0
    value, _ = model.density(np.rad2deg(lon), np.rad2deg(lat), values_of(model))
    total = np.sum(w[:, None] * np.sin(r)[:, None] * value) * reach / 2 * 2 * np.pi / len(angle)
    assert_allclose(total, 1, rtol=3e-3 if name in {"disk-e", "shell"} else 2e-4)


@pytest.mark.parametrize("name", NORMALISED)
def test_pixels_partly_outside(name):
    """A cut geometry holds what is inside of it: halves add up to the whole."""
    whole = WcsGeom.create(skydir=(0, 0), width=8, binsz=0.1)
    left, right = (WcsGeom.create(skydir=(lon, 0), width=(4, 8), binsz=0.1) for lon in (2, -2))
    parts = [MODELS[name].integrate_geom(geom).data for geom in (left, right)]
    assert_allclose(np.concatenate(parts, axis=1), MODELS[name].integrate_geom(whole).data, atol=2e-3 * np.max(parts))


@pytest.mark.parametrize("name", NORMALISED)
def test_region(name):
    """Integral over circles: all of it, or what the density says."""
    model = MODELS[name]
    for radius, atol in ((4, 2e-3), (0.35, 5e-3)):
        region = CircleSkyRegion(model.position, radius * u.deg)
        found = model.integrate_geom(RegionGeom.create(region)).data.sum()
        fine = WcsGeom.create(skydir=model.position, width=2.2 * radius, binsz=radius / 200, proj="TAN")
        inside = fine.region_mask([region]).data
        expected = np.sum((model.evaluate_geom(fine) * fine.solid_angle()).to_value("")[inside])
        assert_allclose(found, expected, atol=atol)


@pytest.mark.parametrize("name", NAMES)
def test_geometries_with_energy(name):
    model = MODELS[name]
    cube = WcsGeom.create(npix=(9, 7), binsz=0.2, axes=[energy_axis()])
    shape = cube.data_shape if model.is_energy_dependent else (7, 9)
    assert np.broadcast_shapes(model.evaluate_geom(cube).shape, shape) == shape
    total = model.integrate_geom(cube)
    assert np.broadcast_shapes(total.data.shape, shape) == shape
    if model.is_energy_dependent:
        assert np.ptp(total.data[:, 3, 4]) > 0
        assert_allclose(total.data.sum(axis=(1, 2)), total.data[0].sum(), rtol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_regions_and_plots(name):
    import matplotlib.pyplot as plt

    model = make_models()[name]
    assert type(model.to_region()).__name__.endswith("SkyRegion")
    assert type(model.evaluation_region).__name__.endswith("SkyRegion")
    geom = WcsGeom.create(npix=(20, 16), binsz=0.1, axes=[energy_axis()] if model.is_energy_dependent else None)
    if model.is_energy_dependent:
        model.plot_grid(geom=geom)
        if importlib.util.find_spec("ipywidgets"):
            model.plot_interactive(geom=geom)
    else:
        assert model.plot(geom=geom) is not None
    plt.close("all")


@pytest.mark.parametrize("name", NAMES)
def test_copy_is_its_own(name):
    model = make_models()[name]
    new = model.copy()
    for par in new.parameters:
        par.value = par.value + 0.01
    assert model.parameters.value.tolist() == MODELS[name].parameters.value.tolist()
    geom = WcsGeom.create(npix=5, binsz=0.1, axes=[energy_axis()] if model.is_energy_dependent else None)
    assert_allclose(model.evaluate_geom(geom), MODELS[name].evaluate_geom(geom))
    if hasattr(model, "map"):
        assert new.map is model.map
        assert model.copy(copy_data=True).map is not model.map


def test_position_error():
    """95 % ellipse of the covariance, where a degree of longitude is shorter."""
    model = GaussianSpatialModel(lon_0="10 deg", lat_0="60 deg", sigma="0.2 deg")
    with pytest.raises(ParameterError, match="the position has no errors"):
        _ = model.position_error
    covariance = np.zeros((5, 5))
    covariance[:2, :2] = [[0.04, 0.004], [0.004, 0.01]]
    model.covariance = covariance
    region = model.position_error
    assert isinstance(region, EllipseSkyRegion)
    local = np.array([[0.04 / 4, 0.004 / 2], [0.004 / 2, 0.01]])
    axes = 2 * np.sqrt(-2 * np.log(0.05) * np.linalg.eigvalsh(local))
    assert_allclose([region.width.value, region.height.value], axes, rtol=1e-6)
    assert_allclose(region.angle.to_value("deg") % 180, 45, atol=1e-6)


@pytest.mark.parametrize("which", ["position", "extension", "all", ["position", "extension"]])
def test_plot_error(which):
    import matplotlib.pyplot as plt

    model = GaussianSpatialModel(lon_0="10 deg", lat_0="60 deg", sigma="0.2 deg")
    model.lon_0.error = model.lat_0.error = 0.05
    model.sigma.error = 0.03
    ax = model.plot_error(which=which)
    assert len(ax.patches) == {"position": 1, "extension": 3}.get(which if isinstance(which, str) else "", 4)
    assert model.plot_position_error(ax=ax) is ax
    plt.close("all")


def test_positions_and_frames():
    sky = SkyCoord(83.63, 22.01, unit="deg", frame="icrs")
    model = PointSpatialModel.from_position(sky.galactic)
    assert model.frame == "galactic"
    assert model.position.separation(sky).deg < 1e-10
    model.position = sky
    assert_allclose(model.lon_0.quantity.to_value("deg"), sky.galactic.l.deg)
    assert_allclose(model.position_lonlat, [sky.galactic.l.rad, sky.galactic.b.rad])
    with pytest.raises(NameLookupError, match="frame 'equatorial' is unknown"):
        PointSpatialModel(frame="equatorial")
    with pytest.raises(UnsupportedError, match="ConstantFluxSpatialModel has no density at a position"):
        MODELS["const-flux"].evaluate(0 * u.deg, 0 * u.deg)
    with pytest.raises(UnitError, match=r"has unit 'TeV'; expected an angle such as '1 deg'"):
        MODELS["gauss"](1 * u.TeV, 0 * u.deg)


@pytest.mark.parametrize("region", [CircleSkyRegion, EllipseSkyRegion])
def test_disk_from_region(region):
    center = SkyCoord(10, 20, unit="deg")
    own = (
        CircleSkyRegion(center, 0.4 * u.deg)
        if region is CircleSkyRegion
        else EllipseSkyRegion(center, 0.6 * u.deg, 1 * u.deg, 30 * u.deg)
    )
    back = DiskSpatialModel.from_region(own).to_region()
    assert_allclose(back.height.to_value("deg"), 0.8 if region is CircleSkyRegion else 1)
    assert_allclose(back.width.to_value("deg"), 0.8 if region is CircleSkyRegion else 0.6)
    assert back.center.separation(center).deg < 1e-10


class Shrinking(SpatialModel):
    """A user's model whose size depends on energy."""

    tag = ["Shrinking", "shrinking"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg")
    size = Parameter("size", "0.3 deg")

    evaluation_radius = 2 * u.deg

    @staticmethod
    def evaluate(lon, lat, energy, lon_0, lat_0, size):
        x = ((lon - lon_0 + 180 * u.deg) % (360 * u.deg) - 180 * u.deg).to_value("rad")
        y = (lat - lat_0).to_value("rad")
        width = size.to_value("rad") * (energy / (1 * u.TeV)).to_value("") ** -0.3
        return np.exp(-(x**2 + y**2) / (2 * width**2)) / (2 * np.pi * width**2) / u.sr


def test_energy_dependent_model_of_ones_own():
    model = Shrinking()
    assert model.is_energy_dependent
    value, gradient = model.density(LON, LAT, values_of(model), ENERGY)
    assert value.shape == (2, 4)
    assert gradient.shape == (3, 2, 4)
    geom = WcsGeom.create(npix=41, binsz=0.1, axes=[energy_axis()])
    assert_allclose(model.integrate_geom(geom).data.sum(axis=(1, 2)), 1, rtol=1e-3)
