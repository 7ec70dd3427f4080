"""Combinations of datasets and models which are rare: each obeys the laws which the common ones do."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from geminga.data import GTI
from geminga.datasets import MapDataset
from geminga.irf import EDispKernelMap, PSFMap, RecoPSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling import Fit
from geminga.modeling.fit.objective import Objective
from geminga.modeling.models import (
    DiskSpatialModel,
    ExpDecayTemporalModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
)
from geminga.stats import cash

CENTER = SkyCoord(83.6, 22.0, unit="deg")
ENERGY = MapAxis.from_energy_bounds("1 TeV", "20 TeV", nbin=5, name="energy")
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "40 TeV", nbin=10, name="energy_true")
GEOM = WcsGeom.create(skydir=CENTER, binsz=0.04, width=2.4, axes=[ENERGY])


def dataset(psf: object = None, edisp: object = None) -> MapDataset:
    """Flat background, exposure that falls towards one side, and given responses."""
    true = GEOM.to_image().to_cube([TRUE])
    lon, _ = true.to_image().get_coord(sparse=False).skycoord.data.lon.deg, None
    exposure = np.broadcast_to(3e13 * (1 + 0.2 * (lon - lon.mean())), true.data_shape)
    return MapDataset(
        exposure=Map.from_geom(true, data=exposure, unit="cm2 s"),
        background=Map.from_geom(GEOM, data=np.full(GEOM.data_shape, 0.3)),
        psf=psf,
        edisp=edisp or EDispKernelMap.from_gauss(ENERGY, TRUE, sigma=0.15, bias=0),
        gti=GTI.create(0 * u.s, 3600 * u.s, reference_time="2020-01-01"),
        name="field",
    )


def reco_psf(sigma: float = 0.09) -> RecoPSFMap:
    return RecoPSFMap.from_gauss(ENERGY, rad_axis=MapAxis.from_bounds(0, 0.66, 66, unit="deg", name="rad"), sigma=sigma * u.deg)


def true_psf(sigma: float = 0.09) -> PSFMap:
    return PSFMap.from_gauss(TRUE, rad_axis=MapAxis.from_bounds(0, 0.66, 66, unit="deg", name="rad"), sigma=sigma * u.deg)


def sky_model(spatial: object, **kwargs: object) -> SkyModel:
    spectrum = PowerLawSpectralModel(index=2.2, amplitude="4e-11 TeV-1 s-1 cm-2")
    return SkyModel(spectrum, spatial, name="source", **kwargs)


def place(offset: float = 0.0) -> dict[str, object]:
    return {"lon_0": (83.6 + offset) * u.deg, "lat_0": (22.0 + offset) * u.deg}


def reco_point() -> MapDataset:
    own = dataset(reco_psf())
    own.models = [sky_model(PointSpatialModel(**place(0.013))), FoVBackgroundModel(dataset_name="field")]
    return own


def reco_gauss() -> MapDataset:
    own = dataset(reco_psf())
    own.models = [sky_model(GaussianSpatialModel(**place(), sigma="0.2 deg")), FoVBackgroundModel(dataset_name="field")]
    return own


def reco_ellipse() -> MapDataset:
    own = dataset(reco_psf())
    spatial = GaussianSpatialModel(**place(), sigma="0.25 deg", e=0.6, phi="30 deg")
    spatial.phi.frozen = spatial.e.frozen = False
    own.models = [sky_model(spatial), FoVBackgroundModel(dataset_name="field")]
    return own


def reco_frozen_shape() -> MapDataset:
    own = reco_ellipse()
    own.models[0].spatial_model.freeze()
    return own


def region_of(own: MapDataset) -> MapDataset:
    return own.to_region_map_dataset(CircleSkyRegion(CENTER, 0.4 * u.deg), name="field")


def region_gauss() -> MapDataset:
    own = region_of(dataset(true_psf()))
    spatial = GaussianSpatialModel(**place(), sigma="0.2 deg")
    spatial.lon_0.frozen = spatial.lat_0.frozen = True
    spatial.sigma.frozen = True
    own.models = [sky_model(spatial), FoVBackgroundModel(dataset_name="field")]
    return own


def reco_region() -> MapDataset:
    own = region_of(dataset(reco_psf()))
    spatial = GaussianSpatialModel(**place(), sigma="0.2 deg", e=0.4)
    for name in ("lon_0", "lat_0", "sigma"):
        spatial.parameters[name].frozen = True
    own.models = [sky_model(spatial), FoVBackgroundModel(dataset_name="field")]
    return own


def region_disk_width() -> MapDataset:
    own = region_of(dataset(true_psf()))
    spatial = DiskSpatialModel(**place(), r_0="0.35 deg")
    spatial.lon_0.frozen = spatial.lat_0.frozen = True
    model = sky_model(spatial)
    model.parameters["amplitude"].frozen = True  # one region cannot tell width from amplitude
    own.models = [model]
    return own


def temporal() -> MapDataset:
    own = dataset(true_psf())
    decay = ExpDecayTemporalModel(t0="2 h", t_ref=58849 * u.d)
    decay.t0.frozen = False
    model = sky_model(PointSpatialModel(**place()), temporal_model=decay)
    model.parameters["amplitude"].frozen = True  # nor one interval decay from amplitude
    own.models = [model, FoVBackgroundModel(dataset_name="field")]
    return own


def predicted_template() -> MapDataset:
    own = dataset(true_psf())
    own.background, own.mask_safe = None, Map.from_geom(GEOM, data=np.ones(GEOM.data_shape, dtype=bool))
    rng = np.random.default_rng(3)
    bright = Map.from_geom(GEOM, data=rng.uniform(0.2, 0.6, GEOM.data_shape))
    other = Map.from_geom(GEOM, data=rng.uniform(0.0, 0.4, GEOM.data_shape))
    tilted = PowerLawNormSpectralModel(reference="3 TeV")
    tilted.tilt.value, tilted.tilt.frozen = 0.1, False
    own.models = [
        sky_model(PointSpatialModel(**place())),
        TemplateNPredModel(bright, spectral_model=tilted, datasets_names=["field"], name="bright"),
        TemplateNPredModel(other, datasets_names=["field"], name="other"),
    ]
    return own


CASES = [
    reco_point,
    reco_gauss,
    reco_ellipse,
    reco_frozen_shape,
    reco_region,
    region_gauss,
    region_disk_width,
    temporal,
    predicted_template,
]


def asimov(make: object) -> MapDataset:
    own = make()
    own.counts = own.npred()
    return own


@pytest.mark.parametrize("make", CASES)
def test_statistic_is_that_of_the_prediction(make):
    own = asimov(make)
    own.counts.data = np.random.default_rng(0).poisson(own.counts.data).astype(float)
    expected = cash(own.counts.data, own.npred().data).sum()
    np.testing.assert_allclose(own.stat_sum(), expected, rtol=2e-6)


@pytest.mark.parametrize("make", CASES)
def test_gradient_is_that_of_differences(make):
    own = asimov(make)
    own.counts.data = np.random.default_rng(1).poisson(own.counts.data).astype(float)
    objective = Objective([own])
    x = objective.x0
    curvature = objective(x, 3)[2]
    step = 1e-3 * np.sqrt(2 / np.abs(np.diag(curvature)))
    gradient = objective(x, 1)[1] * step
    for j, size in enumerate(step):
        ends = []
        for factor in (-2, -1, 1, 2):
            moved = x.copy()
            moved[j] += factor * size
            ends.append(objective(moved, 0)[0])
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12
        np.testing.assert_allclose(gradient[j], difference, rtol=1e-5, atol=2e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("make", CASES)
def test_truth_comes_back(make):
    own = asimov(make)
    truth = own.models.parameters.free_parameters.value.copy()
    for parameter in own.models.parameters.free_parameters:
        parameter.value += 0.02 * abs(parameter.value) if parameter.unit != "deg" else 0.01
    result = Fit().run([own])
    assert result.success
    found = own.models.parameters.free_parameters
    errors = np.array([p.error for p in found])
    assert (errors > 0).all()
    np.testing.assert_array_less(np.abs(found.value - truth), 1e-3 * errors)


@pytest.mark.parametrize("make", [reco_point, reco_gauss])
def test_psf_of_both_energies_agree_without_dispersion(make):
    same = MapAxis.from_energy_edges(ENERGY.edges, name="energy_true")
    diagonal = EDispKernelMap.from_diagonal_response(ENERGY, same)
    ours = []
    for cls, axis in ((RecoPSFMap, ENERGY), (PSFMap, same)):
        rad = MapAxis.from_bounds(0, 0.66, 66, unit="deg", name="rad")
        own = dataset(cls.from_gauss(axis, rad_axis=rad, sigma=0.09 * u.deg), diagonal)
        own.exposure = Map.from_geom(GEOM.to_image().to_cube([same]), data=3e13, unit="cm2 s")
        own.models = make().models
        ours.append(own.npred().data)
    np.testing.assert_allclose(*ours, rtol=1e-5, atol=1e-6)


def test_circle_is_left():
    """An ellipse searched from a circle, and from across its true angle: neither has a slope towards it."""
    own = dataset(true_psf())
    truth = GaussianSpatialModel(**place(), sigma="0.3 deg", e=0.9, phi="75 deg")
    truth.e.frozen = truth.phi.frozen = False
    own.models = [sky_model(truth)]
    own.counts = own.npred()
    for e, phi in ((0.0, 0.0), (0.3, -15.0), (0.0, 75.0)):
        truth.e.value, truth.phi.value = e, phi
        result = Fit().run([own])
        assert result.success
        np.testing.assert_allclose([truth.e.value, truth.sigma.value], [0.9, 0.3], atol=2e-4)
        assert (truth.phi.value - 75.0 + 90) % 180 - 90 == pytest.approx(0, abs=0.02)


def test_angle_goes_on_across_its_bound():
    own = dataset(true_psf())
    truth = GaussianSpatialModel(**place(), sigma="0.3 deg", e=0.9, phi="-175 deg")
    truth.e.frozen = truth.phi.frozen = False
    own.models = [sky_model(truth)]
    own.counts = own.npred()
    truth.phi.value = 160.0
    result = Fit().run([own])
    assert result.success
    assert (truth.phi.value + 175.0 + 90) % 180 - 90 == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("make", [reco_point, reco_gauss, reco_ellipse, reco_frozen_shape])
def test_dense_is_sparse(make):
    own = asimov(make)
    term = own.likelihood()
    values = np.array([p.value for p in term.parameters])
    np.testing.assert_allclose(term.evaluate(values, np.ones(len(values), bool), 0)[0], term.dense_stat(values), rtol=1e-10)


def test_ellipse_which_leaves_the_field():
    """Nothing is left of it, nothing fails, and no slope leads anywhere."""
    own = asimov(reco_ellipse)
    term = own.likelihood()
    values = np.array([p.value for p in term.parameters])
    place = [p.name for p in term.parameters].index("lon_0")
    values[place] += 30
    free = np.ones(len(values), bool)
    stat, gradient, curvature = term.evaluate(values, free, 3)
    own.models = [FoVBackgroundModel(dataset_name="field")]
    assert stat == pytest.approx(own.stat_sum(), rel=1e-12)
    assert gradient[place] == 0
    assert np.isfinite(curvature).all()
