"""A point source near the corner of four pixels: which answer survives a finer grid.

gammapy 2.1 gives each of the four nearest pixels a share of the source and convolves with a kernel sampled on the pixels; at a
corner this widens the PSF by half a pixel in quadrature. On pixels five times finer the effect is twenty-five times smaller, so the
finer grid of either package tells what is right: there gammapy 2.1 has 20.452 counts in the brightest pixel, against 18.901 on
the grid of the data.
"""

from __future__ import annotations

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from geminga.datasets import MapDataset
from geminga.maps import Map
from geminga.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from tests.helpers import data_path, requires_data

FILE = "cta-1dc-gc/cta-1dc-gc.fits.gz"
PEER_COARSE, PEER_FINE = 18.90133038110894, 20.452394751489916

pytestmark = requires_data(FILE)


@pytest.fixture(scope="module")
def dataset():
    center = SkyCoord(0, 0, unit="deg", frame="galactic")
    return MapDataset.read(data_path(FILE)).cutout(center, 2 * u.deg)


def source():
    spatial = PointSpatialModel(lon_0="0.05 deg", lat_0="-0.05 deg", frame="galactic")
    return SkyModel(PowerLawSpectralModel(index=2.3, amplitude="2e-12 cm-2 s-1 TeV-1"), spatial, name="source")


def prediction(dataset, factor):
    geom, exposure = dataset.counts.geom, dataset.exposure
    if factor > 1:
        geom = geom.upsample(factor)
        exposure = exposure.interp_to_geom(exposure.geom.upsample(factor))
    fine = MapDataset(counts=Map.from_geom(geom), exposure=exposure, psf=dataset.psf, edisp=dataset.edisp, models=[source()])
    npred = fine.npred_signal().sum_over_axes()
    return (npred.downsample(factor) if factor > 1 else npred).data[0]


def test_finer_grid_agrees(dataset):
    coarse, fine = prediction(dataset, 1), prediction(dataset, 5)
    assert_allclose(coarse, fine, atol=1e-3 * fine.max())
    assert_allclose(coarse.sum(), fine.sum(), rtol=1e-4)


def test_nearer_to_the_peers_own_finer_grid(dataset):
    brightest = prediction(dataset, 1).max()
    assert abs(brightest / PEER_FINE - 1) < 0.015
    assert abs(PEER_COARSE / PEER_FINE - 1) > 0.07
