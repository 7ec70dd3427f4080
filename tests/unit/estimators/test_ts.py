from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from geminga.datasets import MapDataset
from geminga.errors import GeometryError, InputError, UnsupportedError
from geminga.estimators.map.ts import TSMapEstimator
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import (
    DiskSpatialModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)

ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=6, name="energy_true")
SPECTRUM = PowerLawSpectralModel(index=2, amplitude="2e-12 cm-2 s-1 TeV-1")


def make(name="d", background=0.3, npix=(61, 51)):
    geom = WcsGeom.create(skydir=(83.63, 22.01), npix=npix, binsz=0.05, axes=[ENERGY])
    exposure = Map.from_geom(geom.to_image().to_cube([TRUE]), unit="cm2 s")
    exposure.data += 5e13 * np.linspace(0.8, 1.2, npix[0])
    level = Map.from_geom(geom)
    level.data += background * np.array([1.0, 0.4, 0.1])[:, None, None] * np.linspace(0.7, 1.4, npix[1])[:, None]
    psf = PSFMap.from_gauss(TRUE, sigma=0.08 * u.deg)
    edisp = EDispKernelMap.from_diagonal_response(ENERGY, TRUE)
    return MapDataset(counts=level.copy(), exposure=exposure, background=level, psf=psf, edisp=edisp, name=name)


def source(spatial):
    return SkyModel(SPECTRUM.copy(), spatial, name="source")


CENTER = SkyCoord(83.63, 22.01, unit="deg")
SHAPES = {
    "point": lambda: PointSpatialModel.from_position(CENTER),
    "gauss": lambda: GaussianSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, sigma="0.15 deg"),
    "disk": lambda: DiskSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, r_0="0.2 deg"),
}


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("joint", [False, True])
def test_expected_counts_give_the_true_norm(shape, joint):
    dataset, model = make(), source(SHAPES[shape]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    maps = TSMapEstimator(model, sum_over_energy_groups=not joint, kernel_width="1.05 deg").run(dataset)
    assert maps.norm.data[0, 25, 30] == pytest.approx(1.0, abs=4e-3)
    peak = np.unravel_index(np.nanargmax(maps.ts.data), maps.ts.data.shape)
    assert peak == (0, 25, 30)
    integral = SPECTRUM.integral(1 * u.TeV, 10 * u.TeV).to_value("cm-2 s-1")
    assert maps.flux.quantity[0, 25, 30].to_value("cm-2 s-1") == pytest.approx(integral, rel=4e-3)


@pytest.mark.parametrize("where", [CENTER, SkyCoord(10, 40, unit="deg")])
def test_template_of_any_shape_and_place(where):
    def template(center):
        geom = WcsGeom.create(skydir=center, width=1.2, binsz=0.02, proj="TAN")
        x, y = (a.deg for a in center.spherical_offsets_to(geom.get_coord().skycoord))
        arc = np.exp(-0.5 * (((x - 0.15) / 0.08) ** 2 + (y / 0.15) ** 2)) + 0.5 * np.exp(-0.5 * ((x + 0.2) ** 2 + y**2) / 0.06**2)
        return TemplateSpatialModel(Map.from_geom(geom, data=arc, unit="sr-1"), normalize=True)

    dataset = make()
    dataset.models = [source(template(CENTER))]
    dataset.counts = dataset.npred()
    dataset.models = None
    maps = TSMapEstimator(source(template(where)), kernel_width="1.25 deg").run([dataset, dataset.copy(name="again")])
    assert maps.norm.data[0, 25, 30] == pytest.approx(1, abs=2e-3)
    assert np.unravel_index(np.nanargmax(maps.ts.data), maps.ts.data.shape) == (0, 25, 30)


def test_joint_bands_use_more_of_the_data():
    dataset, model = make(), source(SHAPES["point"]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    summed, joint = (TSMapEstimator(model, sum_over_energy_groups=s).run(dataset).ts.data[0, 25, 30] for s in (True, False))
    assert joint > summed


def test_two_datasets_are_one_with_twice_the_exposure():
    dataset, model = make(), source(SHAPES["point"]())
    dataset.fake(random_state=1)
    twin = dataset.copy(name="twin")
    one = TSMapEstimator(model).run(dataset)
    both = TSMapEstimator(model).run([dataset, twin])
    np.testing.assert_allclose(both.norm.data, one.norm.data, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(both.ts.data, 2 * one.ts.data, rtol=1e-4, atol=1e-3)


def test_no_source_is_half_chi_square():
    ts = []
    for seed in range(6):
        dataset = make(background=1.0)
        dataset.fake(random_state=seed)
        maps = TSMapEstimator(source(SHAPES["point"]())).run(dataset)
        ts.append(maps.sqrt_ts.data[0, 8:-8, 8:-8].ravel())
    value = np.concatenate(ts)
    assert np.mean(value) == pytest.approx(0, abs=0.12)
    assert np.std(value) == pytest.approx(1, abs=0.1)


def test_optional_maps_are_ordered():
    dataset = make()
    dataset.fake(random_state=3)
    estimator = TSMapEstimator(source(SHAPES["point"]()), selection_optional="all", n_sigma_ul=3)
    maps = estimator.run(dataset)
    norm = maps.norm.data
    assert set(estimator.selection_all) <= set(maps.available_quantities)
    assert (maps.norm_ul.data > norm + maps.norm_errp.data).all()
    # Where the statistic cannot rise by one before the expected counts vanish, the error reaches down to there.
    assert (maps.norm_errn.data >= 0).all()
    inner = maps.norm_errn.data > 0.6 * maps.norm_err.data
    assert inner.mean() > 0.9
    np.testing.assert_allclose(maps.norm_errp.data[inner], maps.norm_err.data[inner], rtol=0.6)
    # A source of the sensitivity's norm is seen with five sigma.
    model = source(SHAPES["point"]())
    model.spectral_model.amplitude.value *= maps.norm_sensitivity.data[0, 25, 30]
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    again = TSMapEstimator(source(SHAPES["point"]())).run(dataset)
    assert again.sqrt_ts.data[0, 25, 30] == pytest.approx(5, abs=0.05)


def test_bands_and_masks():
    dataset = make()
    dataset.fake(random_state=3)
    inside = np.ones(dataset.counts.data.shape, bool)
    inside[:, :, :20] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    maps = TSMapEstimator(energy_edges=[1, 2.2, 10] * u.TeV).run(dataset)
    assert maps.norm.data.shape == (2, 51, 61)
    assert np.isnan(maps.norm.data[:, :, :20]).all()
    assert np.isfinite(maps.norm.data[:, :, 20:]).all()
    changed = dataset.copy(name="changed")
    changed.counts.data[:, :, :20] = 1000
    np.testing.assert_allclose(TSMapEstimator(energy_edges=[1, 2.2, 10] * u.TeV).run(changed).ts.data, maps.ts.data, atol=1e-6)


def test_downsampling_keeps_the_geometry():
    dataset = make(npix=(60, 52))
    dataset.fake(random_state=3)
    maps = TSMapEstimator(downsampling_factor=2).run(dataset)
    assert maps.geom.data_shape == (1, 52, 60)
    assert np.isfinite(maps.norm.data).all()


def test_refusals():
    dataset = make()
    with pytest.raises(InputError, match="kernel_width"):
        TSMapEstimator(kernel_width="1 TeV")
    with pytest.raises(InputError, match="selection_optional 'all_of_it'"):
        TSMapEstimator(selection_optional=["all_of_it"])
    with pytest.raises(InputError, match="n_sigma"):
        TSMapEstimator(n_sigma=-1)
    dataset.stat_type = "cstat"
    with pytest.raises(UnsupportedError, match="cash"):
        TSMapEstimator().run(dataset)
    dataset.stat_type = "cash"
    with pytest.raises(GeometryError, match="reproject"):
        TSMapEstimator().run([dataset, make(name="other", npix=(20, 20))])
    with pytest.raises(InputError, match="no whole bin"):
        TSMapEstimator(energy_edges=[100, 200] * u.TeV).run(dataset)
    dataset.exposure = None
    with pytest.raises(InputError, match="no exposure"):
        TSMapEstimator().run(dataset)


def test_flux_of_faint_sources_without_a_search():
    dataset, model = make(background=3.0), source(SHAPES["point"]())
    model.spectral_model.amplitude.value *= 1e-3
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    estimator = TSMapEstimator(model)
    quick, exact = estimator.estimate_flux_default(dataset), estimator.run(dataset).flux
    assert quick.quantity[25, 30].to_value("cm-2 s-1") == pytest.approx(exact.quantity[0, 25, 30].to_value("cm-2 s-1"), rel=2e-2)


@pytest.mark.parametrize("joint", [False, True])
def test_wide_band_with_exposure_that_rises(joint):
    """True energies have their share in a band by flux and exposure: the kernel of a wide band follows the sharper PSF above."""
    energy = MapAxis.from_energy_edges([1, 3, 30], unit="TeV")
    true = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=12, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, npix=(61, 61), binsz=0.05, axes=[energy])
    exposure = Map.from_geom(geom.to_image().to_cube([true]), unit="cm2 s")
    exposure.data += 2e13 * true.center.value[:, None, None] ** 1.5
    level = Map.from_geom(geom)
    level.data += 0.3
    psf = PSFMap.from_gauss(true, sigma=0.3 * true.center.value**-0.7 * u.deg)
    edisp = EDispKernelMap.from_diagonal_response(energy, true)
    dataset = MapDataset(counts=level.copy(), exposure=exposure, background=level, psf=psf, edisp=edisp, name="d")
    model = source(SHAPES["point"]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    maps = TSMapEstimator(model, sum_over_energy_groups=not joint, kernel_width="2.55 deg").run(dataset)
    assert maps.norm.data[0, 30, 30] == pytest.approx(1.0, abs=0.01)


def test_bounds_of_the_norm():
    dataset = make()
    dataset.fake(random_state=3)
    free, bounded, narrow = (
        TSMapEstimator(norm=norm, selection_optional=["ul", "errn-errp"]).run(dataset)
        for norm in (None, {"min": 0}, {"min": 0, "max": 0.5})
    )
    below = free.norm.data < 0
    assert below.any()
    np.testing.assert_array_equal(bounded.norm.data[below], 0)
    np.testing.assert_array_equal(bounded.sqrt_ts.data[below], 0)
    np.testing.assert_allclose(bounded.norm_ul.data[~below], free.norm_ul.data[~below])
    assert (bounded.norm_ul.data[below] > free.norm_ul.data[below]).all()
    assert (bounded.norm_errn.data >= 0).all()
    assert narrow.norm.data.max() <= 0.5
    assert narrow.norm_ul.data.max() <= 0.5


def test_bands_on_an_executor():
    dataset = make()
    dataset.fake(random_state=3)
    edges = dataset.counts.geom.axes["energy"].edges
    here = TSMapEstimator(energy_edges=edges).run(dataset)
    with ThreadPoolExecutor(2) as executor:
        there = TSMapEstimator(energy_edges=edges, executor=executor).run(dataset)
    np.testing.assert_array_equal(there.sqrt_ts.data, here.sqrt_ts.data)


def test_downsampled_map_is_known_where_its_pixels_are():
    dataset = make(npix=(60, 50))
    dataset.fake(random_state=3)
    inside = np.ones(dataset.counts.data.shape, bool)
    inside[:, :, :20] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    whole, small = (TSMapEstimator(source(SHAPES["gauss"]()), downsampling_factor=f).run(dataset).norm.data for f in (None, 2))
    np.testing.assert_array_equal(np.isfinite(small), np.isfinite(whole))
    assert np.nanstd(small - whole) < 0.25 * np.nanstd(whole)
