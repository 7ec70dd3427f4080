"""Spectra of a region."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose
from regions import CircleSkyRegion, PointSkyRegion, RectangleSkyRegion

from geminga.data import DataStore
from geminga.datasets import SpectrumDataset
from geminga.errors import GeometryError, InputError
from geminga.irf import RadMax2D
from geminga.makers import MapDatasetMaker, SpectrumDatasetMaker
from geminga.makers.utils import make_counts_off_rad_max, make_counts_rad_max
from geminga.maps import MapAxis, RegionGeom
from geminga.modeling.models import GaussianSpatialModel, PowerLawSpectralModel, SkyModel
from geminga.utils.regions import regions_to_compound_region
from tests.helpers import data_path, requires_data
from tests.unit.makers.builders import ENERGY, POINTING, TARGET, TRUE, empty, irfs, observation

CIRCLE = CircleSkyRegion(TARGET, 0.3 * u.deg)


def start(region=CIRCLE):
    return SpectrumDataset.create(RegionGeom(region, axes=[ENERGY]), energy_axis_true=TRUE, name="spectrum")


def test_predictions_follow_their_source():
    """A source that grows or moves is seen with the field and the responses where it is, as if the dataset were new."""
    maps = MapDatasetMaker().run(empty(), observation())
    for dataset in (maps, maps.to_region_map_dataset(CIRCLE)):
        shape = GaussianSpatialModel(lon_0=TARGET.ra, lat_0=TARGET.dec, sigma="0.03 deg", frame="icrs")
        model = SkyModel(PowerLawSpectralModel(amplitude="1e-10 cm-2 s-1 TeV-1"), shape)
        dataset.models = [model]
        before = dataset.npred_signal().data.sum()
        shape.sigma.value = 0.4
        shape.lat_0.value += 0.1
        after, fresh = dataset.npred_signal().data, dataset.copy()
        fresh.models = [model]
        assert_allclose(after, fresh.npred_signal().data, rtol=1e-10)
        assert abs(after.sum() / before - 1) > 0.01


class TestRun:
    def test_equals_the_map_in_the_region(self):
        made = SpectrumDatasetMaker(use_region_center=False).run(start(), observation())
        fine = empty(npix=100)
        geom = fine.counts.geom.upsample(5)
        maps = MapDatasetMaker(selection=["counts", "background", "exposure"])
        cube = maps.run(type(fine).create(geom, energy_axis_true=TRUE), observation())
        spectrum = cube.to_spectrum_dataset(CIRCLE)
        events = observation().events
        assert made.counts.data.sum() == (events.radec.separation(TARGET) < 0.3 * u.deg).sum() > 50
        assert_allclose(made.background.data, spectrum.background.data, rtol=0.02)
        assert_allclose(made.exposure.data, spectrum.exposure.data, rtol=2e-3)
        assert made.psf is None
        assert made.name == "spectrum"

    def test_center_or_average(self):
        wide = CircleSkyRegion(POINTING.directional_offset_by(0 * u.deg, 1.5 * u.deg), 1 * u.deg)
        center, average = (SpectrumDatasetMaker(use_region_center=c).run(start(wide), observation()) for c in (True, False))
        aeff = irfs()["aeff"].evaluate(energy_true=TRUE.center, offset=1.5 * u.deg)
        assert_allclose(center.exposure.data.ravel(), aeff.value * 900, rtol=1e-5)
        assert not np.allclose(center.exposure.data, average.exposure.data, rtol=1e-3)
        assert not np.allclose(center.background.data, average.background.data, rtol=1e-3)

    def test_containment(self):
        whole = SpectrumDatasetMaker().run(start(), observation())
        corrected = SpectrumDatasetMaker(containment_correction=True).run(start(), observation())
        fraction = irfs()["psf"].containment(rad=0.3 * u.deg, energy_true=TRUE.center, offset=0.5 * u.deg)
        assert_allclose(corrected.exposure.data / whole.exposure.data, fraction.reshape(-1, 1, 1), rtol=1e-5)
        # The exposure of the dispersion weighs responses of the whole field.
        assert_allclose(corrected.edisp.exposure_map.data, whole.edisp.exposure_map.data)

    def test_selection(self):
        made = SpectrumDatasetMaker(selection=["counts"]).run(start(), observation())
        assert made.background is made.exposure is made.edisp is None
        with pytest.raises(InputError, match="{'psf'} is not a valid method of selection"):
            SpectrumDatasetMaker(selection=["psf"])

    def test_containment_needs_a_circle(self):
        box = RectangleSkyRegion(TARGET, 1 * u.deg, 1 * u.deg)
        with pytest.raises(GeometryError, match="containment_correction needs a CircleSkyRegion, got a RectangleSkyRegion"):
            SpectrumDatasetMaker(containment_correction=True).run(start(box), observation())


def rad_max():
    offset = MapAxis.from_edges([0, 3], unit="deg", name="offset")
    return RadMax2D([ENERGY, offset], data=np.array([[0.4], [0.3], [0.2], [0.1]]))


class TestPointLike:
    def expected(self, position):
        events = observation().events
        index = ENERGY.coord_to_idx(events.energy)
        radius = np.where(index >= 0, rad_max().data[index, 0], 0)
        inside = events.radec.separation(position).deg <= radius
        return np.bincount(index[inside & (index >= 0)], minlength=4)

    def test_counts_within_the_radius_of_their_energy(self):
        point = start(PointSkyRegion(TARGET))
        made = SpectrumDatasetMaker(selection=["counts"]).run(point, observation(rad_max=rad_max()))
        assert (made.counts.data.ravel() == self.expected(TARGET)).all()
        assert made.counts.data.sum() > 20

    def test_off_positions_are_summed(self):
        places = [POINTING.directional_offset_by(angle * u.deg, 0.5 * u.deg) for angle in (0, 90)]
        geom = RegionGeom(regions_to_compound_region([PointSkyRegion(p) for p in places]), axes=[ENERGY])
        counts = make_counts_off_rad_max(geom, rad_max(), observation().events)
        assert (counts.data.ravel() == self.expected(places[0]) + self.expected(places[1])).all()

    def test_refusals(self):
        with pytest.raises(InputError, match="Observation 1 has no RAD_MAX"):
            SpectrumDatasetMaker().run(start(PointSkyRegion(TARGET)), observation())
        for function in (make_counts_rad_max, make_counts_off_rad_max):
            with pytest.raises(GeometryError, match="the region is a CircleSkyRegion; expected PointSkyRegions"):
                function(RegionGeom(CIRCLE, axes=[ENERGY]), rad_max(), observation().events)


@requires_data("hess-dl3-dr1")
def test_reference():
    from astropy.coordinates import SkyCoord

    one = DataStore.from_dir(data_path("hess-dl3-dr1")).obs(23523)
    region = CircleSkyRegion(SkyCoord(83.633, 22.014, unit="deg"), 0.11 * u.deg)
    energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("0.3 TeV", "40 TeV", nbin=10, name="energy_true")
    dataset = SpectrumDataset.create(RegionGeom(region, axes=[energy]), energy_axis_true=true)
    made = SpectrumDatasetMaker().run(dataset, one)
    assert made.counts.data.ravel().tolist() == [107, 54, 25, 2]
    expected = [10204827.65, 166341350.62, 371305436.95, 520575512.97, 702862121.80]
    assert_allclose(made.exposure.data.ravel()[:5], expected, rtol=1e-3)
