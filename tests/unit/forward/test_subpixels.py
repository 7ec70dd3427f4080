"""Sources seen through a PSF narrower than a pixel."""

import astropy.units as u
import numpy as np
import pytest
from scipy.special import erf

from geminga.datasets import MapDataset
from geminga.forward import predict
from geminga.forward.subpixels import SubpixelComponent
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling import Fit
from geminga.modeling.models import DiskSpatialModel, GaussianSpatialModel, PointSpatialModel, PowerLawSpectralModel, SkyModel
from geminga.numerics.radial import subdivision

TRUE = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
RAD = MapAxis.from_edges(np.linspace(0, 1.2, 601), unit="deg", name="rad")
PIXEL = 0.1
EXPECTED = 1e15 * 0.9e-12


def make(width, dx=0.0, dy=0.0, spatial=PointSpatialModel, **kwargs):
    """A source at (dx, dy) pixels from a pixel's centre, with a Gaussian PSF of `width` pixels."""
    geom = WcsGeom.create(skydir=(0, 0), npix=(31, 31), binsz=PIXEL, axes=[ENERGY], proj="TAN")
    exposure = Map.from_geom(geom.to_image().to_cube([TRUE]), unit="cm2 s")
    exposure.data += 1e15
    psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=width * PIXEL * u.deg)
    background = Map.from_geom(geom)
    background.data += 0.05
    edisp = EDispKernelMap.from_diagonal_response(ENERGY, TRUE)
    dataset = MapDataset(counts=Map.from_geom(geom), exposure=exposure, psf=psf, edisp=edisp, background=background, name="d")
    lon, lat = geom.to_image().pix_to_coord((15 + dx, 15 + dy))
    dataset.models = [SkyModel(PowerLawSpectralModel(), spatial(lon_0=lon, lat_0=lat, **kwargs), name="star")]
    return dataset


@pytest.mark.parametrize("width", [0.15, 0.2, 0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("place", [(0, 0), (0.25, 0), (0.5, 0), (0.5, 0.5), (0.13, -0.37)])
def test_no_counts_are_lost(width, place):
    assert make(width, *place).npred_signal().data.sum() == pytest.approx(EXPECTED, rel=1e-3)


@pytest.mark.parametrize("width", [0.2, 0.4])
@pytest.mark.parametrize("place", [(0, 0), (0.5, 0.5), (0.13, -0.37)])
def test_each_pixel_is_the_integral_of_the_psf(width, place):
    counts = make(width, *place).npred_signal().data.sum(axis=0)
    edges = np.arange(32) - 15.5
    x, y = (0.5 * (1 + erf((edges - own) / (np.sqrt(2) * width))) for own in place)
    expected = EXPECTED * np.outer(np.diff(y), np.diff(x))
    np.testing.assert_allclose(counts, expected, atol=6e-3 * EXPECTED)


def test_small_extended_source():
    dataset = make(0.2, 0.3, 0.1, GaussianSpatialModel, sigma="0.02 deg")
    assert dataset.npred_signal().data.sum() == pytest.approx(EXPECTED, rel=1e-3)


@pytest.mark.parametrize("width", [0.15, 0.3, 0.7])
@pytest.mark.parametrize("place", [(0, 0), (0.5, 0.5), (0.2, 0.3)])
def test_elongated_sources(width, place):
    gauss = make(width, *place, GaussianSpatialModel, sigma="0.02 deg", e=0.5, phi="30 deg")
    assert gauss.npred_signal().data.sum() == pytest.approx(EXPECTED, rel=3e-3)
    disk = make(width, *place, DiskSpatialModel, r_0="0.3 deg", e=0.5)
    assert disk.npred_signal().data.sum() == pytest.approx(EXPECTED, rel=3e-3)


@pytest.mark.parametrize(("spatial", "kwargs"), [(PointSpatialModel, {}), (GaussianSpatialModel, {"sigma": "0.05 deg"})])
def test_derivatives_and_dense_twin(spatial, kwargs):
    dataset = make(0.3, 0.2, -0.4, spatial, **kwargs)
    dataset.fake(random_state=1)
    term = predict.likelihood(dataset)
    assert isinstance(term.sources[0].component, SubpixelComponent)
    values = np.array([p.value for p in term.parameters])
    free = np.array([not p.frozen for p in term.parameters])
    stat, gradient, _ = term.evaluate(values, free, 3)
    assert stat == pytest.approx(term.dense_stat(values), rel=1e-9)
    hessian = term.evaluate(values, free, 3)[2]
    for row, j in enumerate(np.flatnonzero(free)):
        step = 1e-4 * PIXEL if term.parameters[j].unit == u.deg else 1e-4 * abs(values[j])
        ends = []
        for sign in (1, -1):
            moved = values.copy()
            moved[j] += sign * step
            ends.append(term.evaluate(moved, free, 1))
        assert (ends[0][0] - ends[1][0]) / (2 * step) == pytest.approx(gradient[row], rel=2e-4, abs=1e-5 * np.abs(gradient).max())
        second = (ends[0][1] - ends[1][1]) / (2 * step)
        scale = np.sqrt(np.abs(np.diag(hessian)))
        np.testing.assert_allclose(second / scale / scale[row], hessian[row] / scale / scale[row], atol=2e-3)


def test_fit_finds_the_truth_on_a_corner():
    dataset = make(0.25, 0.5, 0.5)
    dataset.counts = dataset.npred()
    model = dataset.models[0]
    truth = [model.spectral_model.amplitude.value, model.spatial_model.lon_0.value, model.spatial_model.lat_0.value]
    model.spectral_model.amplitude.value *= 1.3
    model.spatial_model.lon_0.value += 0.03
    assert Fit().run([dataset]).success
    assert model.spectral_model.amplitude.value == pytest.approx(truth[0], rel=1e-4)
    assert model.spatial_model.lat_0.value == pytest.approx(truth[2], abs=1e-4)
    assert (model.spatial_model.lon_0.value - truth[1] + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)


def test_wide_psf_needs_no_parts():
    assert subdivision(0.1, 0.1) == 1
    assert subdivision(0.05, 0.1) == 2
    assert subdivision(0.0, 0.1) == 1
    assert not isinstance(predict.likelihood(make(1.0)).sources[0].component, SubpixelComponent)
