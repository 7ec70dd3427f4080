"""Backgrounds from off regions, phases and rings: what is put in comes out."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from numpy.testing import assert_allclose
from regions import CircleSkyRegion, PointSkyRegion

from geminga.data import GTI, DataStore, EventList, FixedPointingInfo, Observation, Observations
from geminga.datasets import Datasets, MapDataset, SpectrumDataset
from geminga.errors import DataError, GeometryError, InputError, NameLookupError
from geminga.irf import RadMax2D
from geminga.makers import (
    MAKER_REGISTRY,
    AdaptiveRingBackgroundMaker,
    PhaseBackgroundMaker,
    ReflectedRegionsBackgroundMaker,
    RegionsFinder,
    RingBackgroundMaker,
    SpectrumDatasetMaker,
    WobbleRegionsFinder,
)
from geminga.maps import Map, MapAxis, RegionGeom, WcsGeom
from tests.helpers import requires_data

POINTING = SkyCoord(83.63, 22.51, unit="deg")
SOURCE = SkyCoord(83.63, 22.01, unit="deg")
CIRCLE = CircleSkyRegion(SOURCE, 0.11 * u.deg)
ENERGY = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=2)
TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=3, name="energy_true")


def events_round(center, number=20_000, radius=2.0, seed=0) -> EventList:
    """Events spread evenly in a circle."""
    random = np.random.default_rng(seed)
    positions = center.directional_offset_by(
        random.uniform(0, 360, number) * u.deg, radius * np.sqrt(random.uniform(size=number)) * u.deg
    )
    table = Table(
        {
            "TIME": Time("2020-01-01") + random.uniform(0, 1000, number) * u.s,
            "RA": positions.ra,
            "DEC": positions.dec,
            "ENERGY": 0.5 * random.uniform(size=number) ** (-1 / 1.6) * u.TeV,
            "PHASE": random.uniform(size=number),
        },
        meta={"RA_PNT": center.ra.deg, "DEC_PNT": center.dec.deg},
    )
    return EventList(table)


def observation(**kwargs) -> Observation:
    one = {
        "obs_id": 1,
        "pointing": FixedPointingInfo(POINTING),
        "events": events_round(POINTING),
        "gti": GTI.create(0 * u.s, 1000 * u.s),
    }
    return Observation(**(one | kwargs))


def spectrum(region=CIRCLE, events=None) -> SpectrumDataset:
    dataset = SpectrumDataset.create(RegionGeom.create(region, axes=[ENERGY]), energy_axis_true=TRUE, name="spectrum")
    dataset.mask_safe.data[...] = True
    if events is not None:
        dataset.counts.fill_events(events)
    return dataset


class TestReflected:
    def test_even_events_give_even_counts(self):
        one = observation()
        dataset = ReflectedRegionsBackgroundMaker().run(spectrum(events=one.events), one)
        assert dataset.tag == "SpectrumDatasetOnOff"
        assert dataset.name == "spectrum"
        assert dataset.acceptance_off.data.ravel().tolist() == [12, 12]
        expected = 20_000 * (0.11 / 2) ** 2 * 12 * (ENERGY.edges[0] / ENERGY.edges[0])
        assert dataset.counts_off.data.sum() == pytest.approx(float(expected), abs=4 * np.sqrt(float(expected)))

    def test_counts_are_those_of_the_union(self):
        one = observation()
        for finder in (None, WobbleRegionsFinder(5)):
            counts_off, _ = ReflectedRegionsBackgroundMaker(region_finder=finder).make_counts_off(spectrum(), one)
            slow = Map.from_geom(counts_off.geom)
            slow.fill_events(one.events)
            assert_allclose(counts_off.data, slow.data, atol=1)

    def test_finder_of_ones_own(self):
        class Opposite(RegionsFinder):
            def run(self, region, center, exclusion_mask=None):
                position = center.directional_offset_by(
                    center.position_angle(region.center) + 180 * u.deg, center.separation(region.center)
                )
                return [CircleSkyRegion(position, region.radius)], None

        one = observation()
        own, acceptance = ReflectedRegionsBackgroundMaker(region_finder=Opposite()).make_counts_off(spectrum(), one)
        wobble, _ = ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(1)).make_counts_off(spectrum(), one)
        assert_allclose(own.data, wobble.data, atol=1)
        assert acceptance.data.ravel().tolist() == [1, 1]

    def test_no_region_left(self, caplog):
        nothing = Map.from_geom(WcsGeom.create(skydir=POINTING, width=5, binsz=0.1), dtype=bool)
        one = observation()
        with caplog.at_level(logging.WARNING):
            dataset = ReflectedRegionsBackgroundMaker(exclusion_mask=nothing).run(spectrum(events=one.events), one)
        assert "no off region found" in caplog.text
        assert not dataset.mask_safe.data.any()
        assert dataset.stat_sum() == 0
        assert "Total counts_off" in str(dataset)

    def test_input_is_not_changed(self):
        dataset, one = spectrum(), observation()
        before = dataset.counts.data.copy()
        ReflectedRegionsBackgroundMaker().run(dataset, one)
        assert (dataset.counts.data == before).all()
        assert dataset.mask_safe.data.all()

    def test_refusals(self):
        geom = WcsGeom.create(skydir=POINTING, width=1, axes=[ENERGY])
        with pytest.raises(GeometryError, match="not those of a region"):
            ReflectedRegionsBackgroundMaker().run(MapDataset.create(geom, energy_axis_true=TRUE), observation())
        with pytest.raises(InputError, match="got a region_finder and"):
            ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(3), binsz="0.1 deg")
        with pytest.raises(InputError, match="has no RAD_MAX"):
            ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(3)).run(
                spectrum(PointSkyRegion(SOURCE)), observation()
            )

    def test_point_like(self):
        energy = MapAxis.from_edges([0.1, 2, 100], unit="TeV", name="energy", interp="log")
        offset = MapAxis.from_edges([0, 5], unit="deg", name="offset")
        one = observation(rad_max=RadMax2D([energy, offset], data=[[0.2], [0.1]]))
        maker = ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(3))
        counts_off, acceptance = maker.make_counts_off(spectrum(PointSkyRegion(SOURCE)), one)
        assert acceptance.data.ravel().tolist() == [3, 3]
        assert 0 < counts_off.data.sum() < 20_000 * (0.2 / 2) ** 2 * 3 + 60
        wide = observation(rad_max=RadMax2D([energy, offset], data=[[0.5], [0.1]]))
        with pytest.raises(DataError, match="are 0.707 deg apart and overlap"):
            maker.make_counts_off(spectrum(PointSkyRegion(SOURCE)), wide)

    def test_stacking(self):
        pointings = [POINTING, SkyCoord(83.63, 21.51, unit="deg")]
        made = [observation(obs_id=i, pointing=FixedPointingInfo(p), events=events_round(p)) for i, p in enumerate(pointings)]
        maker = ReflectedRegionsBackgroundMaker()
        datasets = Datasets(
            [maker.run(spectrum(events=one.events).copy(name=str(one.obs_id)), one) for one in Observations(made)]
        )
        total = datasets.stack_reduce(name="all")
        assert total.counts.data.sum() == sum(one.counts.data.sum() for one in datasets)
        assert total.counts_off.data.sum() == sum(one.counts_off.data.sum() for one in datasets)
        assert total.background.data.sum() == pytest.approx(sum(one.background.data.sum() for one in datasets))


class TestPhase:
    def test_widths_are_acceptances(self):
        one = observation()
        dataset = PhaseBackgroundMaker(on_phase=(0.5, 0.6), off_phase=(0.7, 0.1)).run(spectrum(events=one.events), one)
        assert_allclose(dataset.alpha.data.ravel(), [0.25, 0.25])
        inside = one.events.select_region(CIRCLE)
        assert dataset.counts.data.sum() == len(inside.select_parameter("PHASE", (0.5, 0.6)))
        assert dataset.counts_off.data.sum() == len(inside.select_parameter("PHASE", (0.7, 0.1)))

    def test_all_phases(self):
        one = observation()
        dataset = PhaseBackgroundMaker(on_phase=[(0, 0.2), (0.4, 0.6)], off_phase=[(0.2, 0.4), (0.6, 1)]).run(spectrum(), one)
        total = dataset.counts.data + dataset.counts_off.data
        assert (total == spectrum(events=one.events).counts.data).all()

    def test_map(self):
        one = observation()
        geom = WcsGeom.create(skydir=POINTING, width=1, axes=[ENERGY])
        dataset = PhaseBackgroundMaker(on_phase=(0, 0.5), off_phase=(0.5, 1)).run(
            MapDataset.create(geom, energy_axis_true=TRUE), one
        )
        assert dataset.tag == "MapDatasetOnOff"
        assert_allclose(dataset.excess.data.sum(), 0, atol=4 * np.sqrt(dataset.counts.data.sum() * 2))

    @pytest.mark.parametrize("phases", [(0.5, 1.6), (0.5, 0.5), "abc", (0.1, 0.2, 0.3)])
    def test_wrong_phases(self, phases):
        with pytest.raises(InputError, match="on_phase is"):
            PhaseBackgroundMaker(on_phase=phases, off_phase=(0.7, 0.8))

    def test_refusals(self):
        with pytest.raises(InputError, match="overlap"):
            PhaseBackgroundMaker(on_phase=(0.5, 0.6), off_phase=(0.55, 0.9))
        one = observation()
        with pytest.raises(NameLookupError, match="Column not found in event list: 'ORBIT'"):
            PhaseBackgroundMaker((0, 0.5), (0.6, 1), phase_column_name="ORBIT").run(spectrum(), one)


def flat_map(counts_per_pixel=4.0, seed=0) -> MapDataset:
    """Counts and background of a flat field, twice as many in the first energy bin."""
    geom = WcsGeom.create(skydir=POINTING, npix=(60, 50), binsz=0.05, axes=[ENERGY])
    dataset = MapDataset.create(geom, energy_axis_true=TRUE, name="field")
    dataset.mask_safe.data[...] = True
    mean = counts_per_pixel * np.array([2.0, 1.0])[:, None, None] * np.ones(geom.data_shape)
    dataset.background = Map.from_geom(geom, data=mean)
    dataset.counts = Map.from_geom(geom, data=np.random.default_rng(seed).poisson(mean).astype(float))
    return dataset


def slow_ring(values, r_in, r_out):
    """Sums in a ring round each pixel, in pixels, written down."""
    ny, nx = values.shape
    y, x = np.indices(values.shape)
    result = np.zeros(values.shape)
    for j in range(ny):
        for i in range(nx):
            distance = np.hypot(y - j, x - i)
            result[j, i] = values[(distance > r_in) & (distance <= r_out)].sum()
    return result


class TestRing:
    maker = RingBackgroundMaker(r_in="0.3 deg", width="0.2 deg")

    def test_sums(self):
        dataset = flat_map()
        result = self.maker.run(dataset)
        kernel = self.maker.kernel(dataset.counts).array
        assert kernel.max() == 1
        for energy in range(2):
            counts = dataset.counts.data[energy]
            y, x = 25, 30
            half = kernel.shape[0] // 2
            window = counts[y - half : y + half + 1, x - half : x + half + 1]
            assert result.counts_off.data[energy, y, x] == (window * kernel).sum()
        assert (result.counts_off.data == np.rint(result.counts_off.data)).all()

    def test_ring(self):
        dataset = flat_map()
        result = self.maker.run(dataset)
        slow = slow_ring(dataset.counts.data[0], 6, 10)
        # The border of the ring may take another pixel.
        assert_allclose(result.counts_off.data[0], slow, rtol=0.1, atol=30)

    def test_background_is_right_everywhere(self):
        result = self.maker.run(flat_map(counts_per_pixel=50))
        assert_allclose(result.background.data.mean(axis=(1, 2)), [100, 50], rtol=0.01)
        pull = (result.background.data[1] - 50) / np.sqrt(50 * result.alpha.data[1])
        assert 0.8 < pull.std() < 1.2
        # At the border less of the ring is in the map, and alpha is larger.
        assert result.alpha.data[0, 0, 0] > 2 * result.alpha.data[0, 25, 30]

    def test_exclusion(self):
        dataset = flat_map()
        mask = ~dataset.counts.geom.to_image().region_mask([CircleSkyRegion(POINTING, 0.3 * u.deg)])
        dataset.counts.data[:, ~mask.data] += 100
        result = RingBackgroundMaker("0.3 deg", "0.2 deg", exclusion_mask=mask).run(dataset)
        assert_allclose(result.background.data.mean(axis=(1, 2)), [8, 4], rtol=0.05)
        other = WcsGeom.create(skydir=POINTING, width=4, binsz=0.025, frame="galactic")
        coarse = ~other.region_mask([CircleSkyRegion(POINTING, 0.33 * u.deg)])
        result = RingBackgroundMaker("0.3 deg", "0.2 deg", exclusion_mask=coarse).run(dataset)
        assert_allclose(result.background.data.mean(axis=(1, 2)), [8, 4], rtol=0.05)

    def test_nothing_left(self):
        dataset = flat_map()
        nothing = Map.from_geom(dataset.counts.geom.to_image(), dtype=bool)
        result = RingBackgroundMaker("0.3 deg", "0.2 deg", exclusion_mask=nothing).run(dataset)
        assert not result.mask_safe.data.any()
        assert result.counts_off.data.sum() == result.acceptance_off.data.sum() == 0

    def test_input_is_not_changed(self):
        dataset = flat_map()
        nothing = Map.from_geom(dataset.counts.geom.to_image(), dtype=bool)
        RingBackgroundMaker("0.3 deg", "0.2 deg", exclusion_mask=nothing).run(dataset)
        assert dataset.mask_safe.data.all()

    def test_refusals(self):
        with pytest.raises(InputError, match="r_in is 0 deg"):
            RingBackgroundMaker("0 deg", "0.2 deg")
        dataset = flat_map()
        dataset.background = None
        with pytest.raises(DataError, match="has no background"):
            self.maker.run(dataset)
        with pytest.raises(DataError, match="expected a map of bool"):
            RingBackgroundMaker("0.3 deg", "0.2 deg", exclusion_mask=flat_map().counts).run(flat_map())


class TestAdaptiveRing:
    def test_grows_only_where_it_must(self):
        dataset = flat_map()
        mask = ~dataset.counts.geom.to_image().region_mask([CircleSkyRegion(POINTING, 0.5 * u.deg)])
        maker = AdaptiveRingBackgroundMaker("0.2 deg", "1.2 deg", "0.15 deg", theta="0.05 deg", exclusion_mask=mask)
        result, fixed = maker.run(dataset), RingBackgroundMaker("0.2 deg", "0.15 deg", exclusion_mask=mask).run(dataset)
        center, free = (0, 25, 30), (0, 25, 58)
        assert fixed.acceptance_off.data[center] == 0
        assert result.acceptance_off.data[center] > 0
        assert result.mask_safe.data[center]
        assert result.acceptance_off.data[0, 25, 5] == fixed.acceptance_off.data[0, 25, 5]
        assert result.counts_off.data[free] > 0

    def test_threshold_is_kept(self):
        dataset = flat_map()
        mask = ~dataset.counts.geom.to_image().region_mask([CircleSkyRegion(POINTING, 0.5 * u.deg)])
        for alpha in (0.05, 0.1, 0.3):
            maker = AdaptiveRingBackgroundMaker(
                "0.2 deg", "1.2 deg", "0.15 deg", "0.05 deg", alpha, "0.1 deg", exclusion_mask=mask
            )
            result = maker.run(dataset)
            circle = maker._acceptance(dataset)
            safe = result.mask_safe.data
            assert safe.any()
            assert (circle[safe] <= alpha * result.acceptance_off.data[safe] * (1 + 1e-9)).all()

    def test_acceptance_is_that_of_a_circle(self):
        """In pixels theta is theta divided by their size, not times it, with which each pixel would be alone."""
        dataset = flat_map()
        maker = AdaptiveRingBackgroundMaker("0.4 deg", "1.5 deg", "0.3 deg", theta="0.22 deg")
        y, x = np.indices(dataset.counts.geom.data_shape[1:])
        number = (np.hypot(y - 25, x - 30) <= 0.22 / 0.05).sum()
        assert number == 61
        assert_allclose(maker._acceptance(dataset)[:, 25, 30], [8 * number, 4 * number])

    def test_none_large_enough(self):
        maker = AdaptiveRingBackgroundMaker("0.2 deg", "0.4 deg", "0.1 deg", threshold_alpha=1e-4)
        result = maker.run(flat_map())
        assert not result.mask_safe.data.any()

    def test_cubes_hold_all_rings(self):
        dataset = flat_map()
        maker = AdaptiveRingBackgroundMaker("0.2 deg", "0.4 deg", "0.1 deg", method="fixed_r_in")
        cubes = maker.make_cubes(dataset)
        kernels = maker.kernels(dataset.counts)
        assert cubes["counts_off"].shape == (2, 50, 60, len(kernels))
        assert_allclose(cubes["acceptance_off"][0, 25, 30], [kernel.array.sum() * 8 for kernel in kernels])
        image = maker.make_cubes(dataset.to_image())
        assert image["acceptance"].shape == (50, 60, len(kernels))

    def test_rings(self):
        image = flat_map().counts
        moving = AdaptiveRingBackgroundMaker("0.4 deg", "1.5 deg", "0.3 deg").kernels(image)
        widening = AdaptiveRingBackgroundMaker("0.4 deg", "1.5 deg", "0.3 deg", method="fixed_r_in").kernels(image)
        # Numbers of gammapy 2.1.
        assert [int(kernel.array.sum()) for kernel in moving[:3]] == [420, 436, 440]
        assert [int(kernel.array.sum()) for kernel in widening[:3]] == [420, 464, 488]
        assert len(moving) == len(widening) == 40

    def test_refusals(self):
        with pytest.raises(InputError, match="Not a valid adaptive ring method: 'foo'"):
            AdaptiveRingBackgroundMaker("0.4 deg", "1.5 deg", "0.3 deg", method="foo")
        with pytest.raises(InputError, match="leave no ring below"):
            AdaptiveRingBackgroundMaker("0.4 deg", "0.5 deg", "0.3 deg")


@pytest.mark.parametrize(
    "tag", ["ReflectedRegionsBackgroundMaker", "AdaptiveRingBackgroundMaker", "PhaseBackgroundMaker", "RingBackgroundMaker"]
)
def test_registry(tag):
    assert MAKER_REGISTRY.get_cls(tag).tag == tag


@requires_data("hess-dl3-dr1")
class TestHess:
    def test_numbers_of_gammapy(self):
        """Counts of four runs on the Crab; one event lies within 2e-5 deg of the border of an off region."""
        store = DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
        energy = MapAxis.from_energy_bounds("0.1 TeV", "40 TeV", nbin=10)
        region = CircleSkyRegion(SkyCoord(83.63333, 22.01444, unit="deg"), 0.11 * u.deg)
        empty = SpectrumDataset.create(RegionGeom.create(region, axes=[energy]), energy_axis_true=TRUE, name="crab")
        maker, background = SpectrumDatasetMaker(selection=["counts"]), ReflectedRegionsBackgroundMaker()
        found = []
        for one in store.get_observations([23523, 23526, 23559, 23592]):
            dataset = background.run(maker.run(empty.copy(), one), one)
            found.append((dataset.counts.data.sum(), dataset.counts_off.data.sum(), dataset.acceptance_off.data.flat[0]))
        assert_allclose(found, [(189, 219, 12), (199, 226, 12), (168, 522, 41), (141, 560, 41)], atol=1)
