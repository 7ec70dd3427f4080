"""Which bins are safe."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.data import DataStore
from geminga.datasets import MapDataset
from geminga.errors import DataError, InputError
from geminga.makers import MapDatasetMaker, SafeMaskMaker
from geminga.makers.thresholds import crossing
from geminga.maps import MapAxis, WcsGeom
from tests.helpers import data_path, requires_data
from tests.unit.makers.builders import ENERGY, POINTING, empty, irfs, observation


@pytest.fixture(scope="module")
def one():
    return observation()


@pytest.fixture(scope="module")
def made(one):
    return MapDatasetMaker().run(empty(), one)


def per_energy(dataset):
    return dataset.mask_safe.data.any(axis=(1, 2))


class TestRun:
    def test_input_is_not_changed(self, made, one):
        before = made.mask_safe
        new = SafeMaskMaker(methods=["offset-max"], offset_max="1 deg").run(made, one)
        assert made.mask_safe is before
        assert before.data.all()
        assert new is not made
        assert new.counts is made.counts
        assert not new.mask_safe.data.all()

    def test_masks_are_joined(self, made, one):
        both = SafeMaskMaker(methods=["offset-max", "aeff-default"], offset_max="1 deg").run(made, one)
        first = SafeMaskMaker(methods=["offset-max"], offset_max="1 deg").run(made, one)
        after = SafeMaskMaker(methods=["aeff-default"]).run(first, one)
        assert (both.mask_safe.data == after.mask_safe.data).all()
        assert (both.mask_safe.data & ~first.mask_safe.data).sum() == 0

    def test_offset(self, made, one):
        mask = SafeMaskMaker(methods=["offset-max"], offset_max="1.05 deg").run(made, one).mask_safe.data
        near = made.counts.geom.to_image().separation(POINTING) < 1.05 * u.deg
        assert (mask == near).all()

    def test_thresholds_of_the_file(self, made, one):
        mask = SafeMaskMaker().run(made, one)
        inside = (ENERGY.edges_min >= 0.5 * u.TeV) & (ENERGY.edges_max <= 50 * u.TeV)
        assert (per_energy(mask) == inside).all()
        assert 0 < inside.sum() < 4

    def test_missing_threshold_is_reported(self, made, caplog):
        aeff = irfs()["aeff"]
        aeff.meta.pop("HI_THRES")
        with caplog.at_level(logging.WARNING):
            SafeMaskMaker().run(made, observation(9, aeff=aeff))
        assert "Observation 9: the effective area has no HI_THRES; that side is not cut." in caplog.text


class TestEffectiveArea:
    @pytest.mark.parametrize("percent", [10, 50, 80])
    def test_energy_at_a_fraction_of_the_maximum(self, made, one, percent):
        mask = per_energy(SafeMaskMaker(methods=["aeff-max"], aeff_percent=percent, position=POINTING).run(made, one))
        # The area is proportional to E / (E + 1 TeV), at 100 TeV it is the largest of the dataset.
        highest = made.exposure.geom.axes["energy_true"].center[-1].value
        level = 0.01 * percent * highest / (highest + 1)
        threshold = level / (1 - level)
        assert (mask == (ENERGY.edges_min.value >= threshold)).all()

    def test_tables(self, made, one):
        area, axis = irfs()["aeff"], irfs()["aeff"].axes["energy_true"]
        values = area.evaluate(energy_true=axis.center, offset=0.5 * u.deg).value
        threshold = axis.edges[np.argmax(values >= 0.5 * values.max())]
        mask = per_energy(SafeMaskMaker(methods=["aeff-max"], aeff_percent=50, irfs="DL3", fixed_offset="0.5 deg").run(made, one))
        assert (mask == (ENERGY.edges_min >= threshold)).all()

    def test_nothing_there(self, made, one, caplog):
        far = POINTING.directional_offset_by(0 * u.deg, 3.4 * u.deg)
        with caplog.at_level(logging.WARNING):
            mask = SafeMaskMaker(methods=["aeff-max"], irfs="DL3", position=far).run(made, one).mask_safe.data
        assert not mask.any()
        assert "MapDataset 'empty': the effective area is zero there" in caplog.text

    def test_crossing(self):
        energy, edges = np.array([1.0, 10.0, 100.0]), np.array([0.3, 3.0, 30.0, 300.0])
        values = np.array([1.0, 100.0, 50.0])
        assert_allclose(crossing(energy, values, 10.0, edges, sharp=True), np.sqrt(10))
        assert crossing(energy, values, 10.0, edges, sharp=False) == 3.0
        assert crossing(energy, values, 0.5, edges, sharp=True) == 0.3
        # It counts from where there is something.
        assert 1 < crossing(energy, np.array([0.0, 100.0, 50.0]), 10.0, edges, sharp=True) <= 10


class TestBias:
    @pytest.mark.parametrize("kind", ["DL4", "DL3"])
    def test_energy_where_the_bias_falls(self, made, one, kind):
        # The bias is 0.5 exp(-4 E / TeV).
        mask = per_energy(SafeMaskMaker(methods=["edisp-bias"], bias_percent=5, irfs=kind).run(made, one))
        threshold = -np.log(0.1) / 4 * 1.05
        assert (mask == (ENERGY.edges_min.value >= threshold)).all()

    def test_never_small(self, made, caplog):
        from geminga.irf import EnergyDispersion2D

        axes = irfs()["edisp"].axes
        biased = EnergyDispersion2D.from_gauss(*axes, bias=0.4, sigma=0.1)
        with caplog.at_level(logging.WARNING):
            mask = SafeMaskMaker(methods=["edisp-bias"], irfs="DL3").run(made, observation(edisp=biased)).mask_safe.data
        assert not mask.any()
        assert "the bias of the energy is above 10 % at all energies" in caplog.text


class TestBackground:
    def test_peak(self, made, one):
        assert per_energy(SafeMaskMaker(methods=["bkg-peak"]).run(made, one)).all()
        later = MapDatasetMaker().run(empty(), observation())
        later.background.data[0] = 0.1 * later.background.data[1]
        assert per_energy(SafeMaskMaker(methods=["bkg-peak"]).run(later, one)).tolist() == [False, True, True, True]
        assert per_energy(SafeMaskMaker(methods=["bkg-peak"], irfs="DL3").run(made, one)).all()

    def test_no_background_expected_is_no_fault(self, one):
        # A bin without expected background that holds no count tells something; a pixel without any lies outside.
        dataset = MapDatasetMaker().run(empty(), one)
        dataset.background.data[3, 5, 5] = 0
        dataset.background.data[:, 6, 6] = 0
        dataset.background.data[1, 7, 7] = np.nan
        dataset.background.data[1, 8, 8] = -1
        mask = SafeMaskMaker(methods=[]).run(dataset, one).mask_safe.data
        assert mask[3, 5, 5]
        assert not mask[:, 6, 6].any()
        assert mask[:, 7, 7].tolist() == mask[:, 8, 8].tolist() == [True, False, True, True]
        assert mask.sum() == mask.size - 6


class TestRefusals:
    def test_options(self):
        with pytest.raises(InputError, match=r"{'magic'} is not a valid method; choose from aeff-default, aeff-max"):
            SafeMaskMaker(methods=["magic"])
        with pytest.raises(InputError, match="give one of them"):
            SafeMaskMaker(position=POINTING, fixed_offset="1 deg")
        with pytest.raises(InputError, match=r"irfs is 'DL5'; expected 'DL3' .tables. or 'DL4'"):
            SafeMaskMaker(irfs="DL5")

    @pytest.mark.parametrize("method", ["aeff-default", "offset-max"])
    def test_no_observation(self, made, method):
        with pytest.raises(InputError, match=f"{method} needs the observation"):
            SafeMaskMaker(methods=[method]).run(made)

    def test_no_map(self, one):
        counts = MapDatasetMaker(selection=["counts"]).run(empty(), one)
        with pytest.raises(DataError, match="MapDataset 'empty' has no exposure"):
            SafeMaskMaker(methods=["aeff-max"]).run(counts, one)

    def test_bad_threshold(self, made):
        aeff = irfs()["aeff"]
        aeff.meta["LO_THRES"] = "low"
        with pytest.raises(DataError, match="LO_THRES of the effective area is 'low'; expected an energy in TeV"):
            SafeMaskMaker().run(made, observation(aeff=aeff))


@requires_data("hess-dl3-dr1")
class TestReference:
    @pytest.fixture(scope="class")
    @staticmethod
    def hess():
        return DataStore.from_dir(data_path("hess-dl3-dr1")).obs(20137)

    def made(self, hess, lowest, nbin):
        energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4)
        true = MapAxis.from_energy_bounds(lowest, "40 TeV", nbin=nbin, name="energy_true")
        geom = WcsGeom.create(skydir=hess.pointing.fixed_icrs, width=4, binsz=0.05, axes=[energy])
        return MapDatasetMaker().run(MapDataset.create(geom, energy_axis_true=true), hess)

    def test_numbers(self, hess):
        cases = [
            (("0.3 TeV", 10), {"methods": ["aeff-default", "offset-max"], "offset_max": "2 deg"}, [5024, 5024, 5024, 5024]),
            (("0.1 TeV", 20), {"methods": ["edisp-bias"]}, [0, 6400, 6400, 6400]),
            (("0.1 TeV", 20), {"methods": ["bkg-peak"]}, [6400, 6400, 6400, 6400]),
        ]
        for axis, options, expected in cases:
            mask = SafeMaskMaker(**options).run(self.made(hess, *axis), hess).mask_safe.data
            assert mask.sum(axis=(1, 2)).tolist() == expected
