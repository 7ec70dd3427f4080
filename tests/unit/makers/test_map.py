"""Maps of one observation."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.data import DataStore
from geminga.datasets import MapDataset
from geminga.errors import DataError, InputError
from geminga.irf import Background2D, EDispKernelMap, PSFMap, RecoPSFMap
from geminga.makers import DatasetsMaker, MapDatasetMaker
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.helpers import data_path, requires_data
from tests.unit.makers.builders import ENERGY, POINTING, TARGET, TRUE, empty, irfs, observation


class TestRun:
    def test_parts(self):
        start, one = empty("crab"), observation(7)
        made = MapDatasetMaker().run(start, one)
        assert made is not start
        assert made.name == "crab"
        assert start.counts.data.sum() == 0
        assert not start.mask_safe.data.any()
        assert made.mask_safe.data.all()
        assert made.gti.time_sum == 1000 * u.s
        assert_allclose(made.exposure.meta["livetime"].to_value("s"), 900)
        assert made.meta_table["OBS_ID"][0] == 7
        assert made.meta_table["RA_PNT"].quantity[0] == POINTING.ra
        assert made.meta.obs_info[0].obs_id == 7
        expected = start.geoms
        found = made.geoms
        assert set(found) == set(expected)
        assert all(found[key] == expected[key] for key in found)

    def test_counts_are_the_events_inside(self):
        one = observation()
        made = MapDatasetMaker(selection=["counts"]).run(empty(), one)
        coords = one.events.map_coord(made.counts.geom)
        assert made.counts.data.sum() == made.counts.geom.contains(coords).sum() > 1000
        assert made.exposure is made.background is made.psf is made.edisp is None

    def test_parts_equal_those_made_alone(self):
        start, one, maker = empty(), observation(), MapDatasetMaker()
        made, geoms = maker.run(start, one), start.geoms
        assert_allclose(made.exposure.data, maker.make_exposure(geoms["geom_exposure"], one).data)
        assert_allclose(made.background.data, maker.make_background(geoms["geom"], one).data)
        assert_allclose(made.psf.psf_map.data, maker.make_psf(geoms["geom_psf"], one).psf_map.data)
        assert_allclose(made.edisp.edisp_map.data, maker.make_edisp_kernel(geoms["geom_edisp"], one).edisp_map.data)
        assert_allclose(made.edisp.exposure_map.data[:, 0], made.psf.exposure_map.data[:, 0])

    def test_migration(self):
        migra = MapAxis.from_bounds(0.2, 3, nbin=70, name="migra")
        made = MapDatasetMaker(selection=["edisp"]).run(empty(migra_axis=migra), observation())
        density = made.edisp.edisp_map.data * migra.bin_width.value[:, None, None]
        assert_allclose(density.sum(axis=1)[:, 5:15, 5:15], 1, rtol=1e-5)

    def test_models_are_kept(self):
        start = empty()
        start.models = [SkyModel(PowerLawSpectralModel(), name="source")]
        assert MapDatasetMaker(selection=["counts"]).run(start, observation()).models.names == ["source"]

    def test_only_within_good_time(self):
        one = observation()
        half = one.select_time((one.tstart, one.tstart + 500 * u.s))
        whole, part = (MapDatasetMaker().run(empty(), o) for o in (one, half))
        assert 0.4 < part.counts.data.sum() / whole.counts.data.sum() < 0.6
        assert_allclose(part.exposure.data, 0.5 * whole.exposure.data, rtol=1e-6)
        assert_allclose(part.background.data, 0.5 * whole.background.data, rtol=1e-6)

    def test_several_responses_of_one_observation(self):
        """One for each interval of good time: these are observations of one identifier, and add up with their times."""
        one, better = observation(7), irfs()["aeff"]
        better.data = 3 * better.data
        first = one.select_time((one.tstart, one.tstart + 400 * u.s))
        second = one.select_time((one.tstart + 400 * u.s, one.tstop)).copy(in_memory=True, aeff=better)
        whole = MapDatasetMaker().run(empty(), one)
        sum_of_both = DatasetsMaker([MapDatasetMaker()]).run(empty(), [first, second])[0]
        assert (sum_of_both.counts.data == whole.counts.data).all()
        assert_allclose(sum_of_both.exposure.data, (0.4 + 3 * 0.6) * whole.exposure.data, rtol=1e-5)
        assert_allclose(sum_of_both.background.data, whole.background.data, rtol=1e-5)
        assert_allclose(sum_of_both.gti.time_sum.value, whole.gti.time_sum.value)
        assert set(np.ravel(sum_of_both.meta_table["OBS_ID"])) == {7}

    def test_far_away_is_masked(self, caplog):
        far = POINTING.directional_offset_by(0 * u.deg, 20 * u.deg)
        with caplog.at_level(logging.WARNING):
            made = MapDatasetMaker().run(empty(skydir=far), observation(5))
        assert not made.mask_safe.data.any()
        assert "Observation 5: the exposure is zero, the centre of the geometry is 20.00 deg from the pointing" in caplog.text
        stacked = empty(skydir=far)
        stacked.stack(made)
        assert not stacked.mask_safe.data.any()


class TestBackground:
    def test_gaps_are_filled(self):
        whole = irfs()["bkg"]
        holes = irfs()["bkg"]
        holes.data[4, 3:6] = 0
        geom = empty().counts.geom
        filled = MapDatasetMaker().make_background(geom, observation(bkg=holes))
        assert_allclose(filled.data, MapDatasetMaker().make_background(geom, observation(bkg=whole)).data, rtol=1e-4)
        as_is = MapDatasetMaker(background_interp_missing_data=False).make_background(geom, observation(bkg=holes))
        assert as_is.data.sum() < 0.99 * filled.data.sum()
        assert (holes.data[4, 3:6] == 0).all()

    def test_one_bin_beyond_the_last_offset(self):
        offset = MapAxis.from_edges([0, 0.5, 1.0], unit="deg", name="offset")
        radial = Background2D([ENERGY, offset], data=np.ones((4, 2)) * 1e-7)
        geom = empty().counts.geom
        separation = geom.to_image().separation(POINTING).deg
        padded = MapDatasetMaker().make_background(geom, observation(bkg=radial)).data[0] > 0
        assert (padded == (separation <= 1.5)).all()
        cut = MapDatasetMaker(background_pad_offset=False).make_background(geom, observation(bkg=radial)).data[0] > 0
        assert (cut == (separation <= 1.0)).all()


class TestMapResponses:
    """Water Cherenkov observatories give responses as maps."""

    def observation(self):
        big = WcsGeom.create(skydir=TARGET, npix=(12, 12), binsz=1.0)
        exposure = Map.from_geom(big.to_cube([TRUE]), data=1e10, unit="m2 s")
        background = Map.from_geom(big.to_cube([ENERGY]), data=50.0)
        edisp = EDispKernelMap.from_gauss(ENERGY, TRUE, sigma=0.2, bias=0, geom=big)
        return observation(aeff=exposure, bkg=background, edisp=edisp, psf=PSFMap.from_gauss(TRUE, sigma="0.2 deg", geom=big))

    def test_are_interpolated(self):
        one, start = self.observation(), empty()
        made = MapDatasetMaker().run(start, one)
        assert_allclose(made.exposure.quantity.to_value("m2 s"), 1e10)
        density = 50 / np.deg2rad(1.0) ** 2
        solid_angle = start.counts.geom.solid_angle().to_value("sr")
        assert_allclose(made.background.data, density * np.broadcast_to(solid_angle, (4, 40, 40)), rtol=0.01)
        assert made.psf.psf_map.geom == start.psf.psf_map.geom
        assert_allclose(made.psf.containment_radius(0.393, "1 TeV").value, 0.2, atol=0.005)
        assert_allclose(made.edisp.get_edisp_kernel().pdf_matrix, one.edisp.get_edisp_kernel().pdf_matrix, atol=1e-6)

    def test_reconstructed_psf(self):
        big = WcsGeom.create(skydir=TARGET, npix=(12, 12), binsz=1.0)
        one = observation(psf=RecoPSFMap.from_gauss(ENERGY, sigma="0.2 deg", geom=big))
        made = MapDatasetMaker().run(empty(reco_psf=True), one)
        assert isinstance(made.psf, RecoPSFMap)
        with pytest.raises(InputError, match="Observation 1: a EnergyDependentMultiGaussPSF is in true energy"):
            MapDatasetMaker().run(empty(reco_psf=True), observation())


class TestRefusals:
    def test_selection(self):
        with pytest.raises(InputError, match=r"{'flux'} is not a valid method of selection; choose from counts, exposure"):
            MapDatasetMaker(selection=["counts", "flux"])
        with pytest.raises(InputError, match="selection is 'counts'; expected a list"):
            MapDatasetMaker(selection="counts")

    @pytest.mark.parametrize("name", ["aeff", "edisp", "psf", "bkg"])
    def test_missing_response(self, name):
        one = observation(3)
        one._parts.pop(name)
        with pytest.raises(DataError, match=f"Observation 3 has no {name} .it has: .*; leave it out of the selection"):
            MapDatasetMaker().run(empty(), one)

    def test_nan(self):
        bad = irfs()["aeff"]
        bad.data[5] = np.nan
        with pytest.raises(DataError, match="EffectiveAreaTable2D: the exposure is not a number in"):
            MapDatasetMaker().run(empty(), observation(aeff=bad))


def test_str():
    text = str(MapDatasetMaker(background_oversampling=4))
    assert "background_oversampling        : 4" in text
    assert "<pre>" in MapDatasetMaker()._repr_html_()


@requires_data("hess-dl3-dr1")
def test_reference():
    one = DataStore.from_dir(data_path("hess-dl3-dr1")).obs(20137)
    energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("0.3 TeV", "40 TeV", nbin=10, name="energy_true")
    geom = WcsGeom.create(skydir=one.pointing.fixed_icrs, width=4, binsz=0.05, axes=[energy])
    made = MapDatasetMaker().run(MapDataset.create(geom, energy_axis_true=true), one)
    assert made.counts.data.sum() == 2411
    assert_allclose(made.exposure.data.max(), 417481636.2, rtol=1e-4)
    assert made.psf.psf_map.data.shape == (10, 66, 20, 20)
    assert made.edisp.edisp_map.data.shape == (10, 4, 20, 20)
    # With 30 steps in each bin gammapy comes to [1616.4, 420.5, 180.9, 71.07], with none to [1406.8, 434.3, 178.9, 67.9].
    assert_allclose(made.background.data.sum(axis=(1, 2)), [1616.4330075, 420.5102134, 180.9098727, 71.0667196], rtol=5e-4)
