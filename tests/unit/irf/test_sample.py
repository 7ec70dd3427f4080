"""Events drawn from response maps follow the interpolated response; what a response loses is lost."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from scipy.stats import kstest

from geminga.irf import EDispKernelMap, EDispMap, PSFMap
from geminga.maps import Map, MapAxis, MapCoord, WcsGeom

TRUE = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=2, name="energy_true")
RAD = MapAxis.from_bounds(0, 1, nbin=50, unit="deg", name="rad")
IMAGE = WcsGeom.create(npix=(3, 3), binsz=1, frame="galactic")


def at(number, energy, lon=0.0, lat=0.0):
    place = SkyCoord(np.full(number, lon), np.full(number, lat), unit="deg", frame="galactic")
    return MapCoord.create({"skycoord": place, "energy_true": np.full(number, energy) * u.TeV})


def two_widths():
    """PSF of 0.05 deg at the lower energy and 0.15 deg at the upper one."""
    return PSFMap.from_gauss(TRUE, RAD, sigma=[0.05, 0.15] * u.deg, geom=IMAGE)


def test_between_nodes_the_psf_is_a_mixture():
    psf, energy = two_widths(), float(np.sqrt(TRUE.center[0] * TRUE.center[1]).value)
    coords = at(40_000, energy)
    drawn = psf.sample_coord(coords, random_state=0)
    offset = drawn.skycoord.separation(coords.skycoord).deg

    def enclosed(r):
        return 1 - 0.5 * (np.exp(-(r**2) / 2 / 0.05**2) + np.exp(-(r**2) / 2 / 0.15**2))

    assert kstest(offset, enclosed).pvalue > 1e-3


def test_narrow_psf_is_not_widened_by_its_table():
    """At a width of three bins the table alone tells the radius; a ring of constant density would widen it by a percent."""
    psf = PSFMap.from_gauss(TRUE, RAD, sigma=0.06 * u.deg, geom=IMAGE)
    coords = at(200_000, 2.0)
    offset = psf.sample_coord(coords, random_state=1).skycoord.separation(coords.skycoord).deg
    assert np.mean(offset**2) == pytest.approx(2 * 0.06**2, rel=0.007)


def test_empty_nodes_are_left_out():
    psf = two_widths()
    psf.psf_map.data[1] = 0
    coords = at(5000, 9.0)
    offset = psf.sample_coord(coords, random_state=0).skycoord.separation(coords.skycoord).deg
    assert kstest(offset, lambda r: 1 - np.exp(-(r**2) / 2 / 0.05**2)).pvalue > 1e-3
    psf.psf_map.data[...] = np.nan
    assert np.isnan(psf.sample_coord(coords, random_state=0).lon).all()


def test_energies_outside_take_the_last_node():
    axis = MapAxis.from_bounds(0.5, 2, nbin=150, name="migra")
    density = np.zeros((2, 150, 3, 3))
    density[0, 45:55], density[1, 95:105] = 10.0, 10.0
    edisp = EDispMap(Map.from_geom(IMAGE.to_cube([axis, TRUE]), data=density))
    for energy, middle in ((0.5, 1.0), (300.0, 1.5)):
        ratio = edisp.sample_coord(at(2000, energy), random_state=0)["energy"].to_value("TeV") / energy
        assert ratio.min() >= middle - 0.05
        assert ratio.max() <= middle + 0.05


class TestKernel:
    reco = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=4)

    def kernel(self):
        data = np.zeros((2, 4, 3, 3))
        data[0, 0], data[0, 1] = 0.5, 0.25
        data[1, 3] = 1.0
        return EDispKernelMap(Map.from_geom(IMAGE.to_cube([self.reco, TRUE]), data=data))

    def test_lost_events_are_lost(self):
        energy = self.kernel().sample_coord(at(8000, 2.0), random_state=0)["energy"].to_value("TeV")
        assert np.isnan(energy).mean() == pytest.approx(0.25, abs=0.02)
        first = energy[energy < self.reco.edges[1].value]
        assert len(first) / 8000 == pytest.approx(0.5, abs=0.02)
        assert kstest(np.log(first) / np.log(10**0.5), "uniform").pvalue > 1e-3

    def test_a_kernel_holds_for_its_whole_bin(self):
        for energy in (9.9, 10.1):
            drawn = self.kernel().sample_coord(at(300, energy), random_state=0)["energy"].to_value("TeV")
            is_high = np.nan_to_num(drawn, nan=1.0) >= self.reco.edges[3].value
            assert is_high.all() == (energy > 10)

    def test_outside_the_true_energies_nothing_is_seen(self):
        assert np.isnan(self.kernel().sample_coord(at(3, 300.0))["energy"]).all()


def test_region_map_and_other_frame():
    psf = two_widths().to_region_nd_map(SkyCoord(0, 0, unit="deg", frame="galactic"))
    coords = at(2000, 4.0)
    offset = psf.sample_coord(coords.to_frame("icrs"), random_state=3).skycoord.separation(coords.skycoord).deg
    assert_allclose(np.median(offset), 0.05 * np.sqrt(2 * np.log(2)), rtol=0.1)
