"""Off regions: alike, apart, at the same distance, and not where they may not be."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import (
    CircleAnnulusSkyRegion,
    CircleSkyRegion,
    EllipseSkyRegion,
    PointSkyRegion,
    PolygonSkyRegion,
    RectangleSkyRegion,
)

from geminga.errors import DataError, InputError
from geminga.makers import ReflectedRegionsFinder, RegionsFinder, WobbleRegionsFinder
from geminga.maps import Map, RegionGeom, WcsGeom
from geminga.utils.regions import region_turned

POINTING = SkyCoord(83.63, 22.51, unit="deg")
SOURCE = SkyCoord(83.63, 22.01, unit="deg")
CIRCLE = CircleSkyRegion(SOURCE, 0.11 * u.deg)
SHAPES = {
    "circle": CIRCLE,
    "galactic circle": CircleSkyRegion(SOURCE.galactic, 0.11 * u.deg),
    "ellipse": EllipseSkyRegion(SOURCE, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
    "galactic ellipse": EllipseSkyRegion(SOURCE.galactic, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
    "rectangle": RectangleSkyRegion(SOURCE, 0.3 * u.deg, 0.1 * u.deg, 30 * u.deg),
    "ring": CircleAnnulusSkyRegion(SOURCE, 0.1 * u.deg, 0.2 * u.deg),
    "polygon": PolygonSkyRegion(SkyCoord([83.5, 83.7, 83.6], [22, 22, 22.1], unit="deg")),
    "union": CIRCLE.union(CircleSkyRegion(SkyCoord(83.8, 22.1, unit="deg"), 0.1 * u.deg)),
}


def centers(regions):
    lonlat = [(region.center.icrs.ra.deg, region.center.icrs.dec.deg) for region in regions]
    return SkyCoord(lonlat, unit="deg")


def excluding(*regions, width=4):
    geom = WcsGeom.create(skydir=POINTING, width=width, binsz=0.02)
    return ~geom.region_mask(list(regions))


def inside(region, points):
    return RegionGeom.create(region).contains(points)


@pytest.fixture(scope="module")
def points():
    """Points spread evenly over the field."""
    random = np.random.default_rng(0)
    radius, angle = 1.5 * np.sqrt(random.uniform(size=60_000)), random.uniform(0, 360, 60_000)
    return POINTING.directional_offset_by(angle * u.deg, radius * u.deg)


class TestLaws:
    @pytest.mark.parametrize("region", SHAPES.values(), ids=SHAPES)
    def test_alike_and_apart(self, region, points):
        regions, _ = ReflectedRegionsFinder().run(region, POINTING)
        assert len(regions) >= 3
        hits = np.array([inside(one, points) for one in [region, *regions]])
        # Together they hold what they hold one by one, but for a percent.
        assert hits.any(axis=0).sum() >= 0.985 * hits.sum()
        areas = [RegionGeom.create(one).solid_angle().value for one in (region, regions[0], regions[-1])]
        assert_allclose(areas, areas[0], rtol=4e-3)
        # None touches the region itself.
        assert not (hits[0] & hits[1:].any(axis=0)).any()

    @pytest.mark.parametrize("region", SHAPES.values(), ids=SHAPES)
    def test_same_distance(self, region):
        regions, _ = ReflectedRegionsFinder().run(region, POINTING)
        if hasattr(region, "center"):
            distance = POINTING.separation(centers(regions)).deg
            assert_allclose(distance, POINTING.separation(region.center).deg, atol=1e-9)

    @pytest.mark.parametrize("radius", [0.03, 0.05, 0.11, 0.2])
    @pytest.mark.parametrize("binsz", ["0.01 deg", "0.05 deg", "0.1 deg"])
    def test_apart_whatever_the_pixels(self, radius, binsz):
        """With wide pixels those of gammapy 2.1 overlap by more than half, and count events once that it takes for two."""
        regions, _ = ReflectedRegionsFinder(binsz=binsz).run(CircleSkyRegion(SOURCE, radius * u.deg), POINTING)
        found = centers(regions)
        nearest = found[1:].separation(found[:-1]).deg
        assert min(nearest) >= 0.95 * 2 * radius

    def test_turned_about_the_pole(self):
        pole = SkyCoord(0, 90, unit="deg")
        regions, _ = ReflectedRegionsFinder().run(CircleSkyRegion(SkyCoord(10, 89.5, unit="deg"), 0.1 * u.deg), pole)
        assert_allclose([one.center.dec.deg for one in regions], 89.5)
        steps = np.diff([one.center.ra.deg for one in regions]) % 360
        assert_allclose(steps, steps[0])

    def test_orientation_stays_towards_the_pointing(self):
        ellipse = SHAPES["ellipse"]
        for angle in (0.5, 2.0, 4.0):
            turned = region_turned(ellipse, POINTING, [angle])[0]
            before, after = (one.angle - one.center.position_angle(POINTING) for one in (ellipse, turned))
            assert_allclose(np.cos((before - after).rad), 1)


class TestAgainstGammapy:
    def test_positions(self):
        regions, wcs = ReflectedRegionsFinder().run(CIRCLE, POINTING)
        assert len(regions) == 12
        found = centers(regions)
        assert_allclose(found.ra.deg[:3], [83.3549, 83.1844, 83.0965], atol=1e-4)
        assert_allclose(found.dec.deg[:3], [22.0797, 22.2268, 22.4268], atol=1e-4)
        assert wcs.array_shape == (230, 230)

    @pytest.mark.parametrize(
        ("options", "number"),
        [
            ({"min_distance": "0.2 rad"}, 8),
            ({"min_distance_input": "0.5 rad"}, 11),
            ({"angle_increment": "0.05 rad"}, 12),
            ({"max_region_number": 3}, 3),
        ],
    )
    def test_options(self, options, number):
        assert len(ReflectedRegionsFinder(**options).run(CIRCLE, POINTING)[0]) == number

    def test_shapes(self):
        numbers = {
            name: len(ReflectedRegionsFinder().run(SHAPES[name], POINTING)[0]) for name in ("ellipse", "rectangle", "ring")
        }
        assert numbers == {"ellipse": 10, "rectangle": 9, "ring": 6}

    def test_exclusion(self):
        mask = excluding(CircleSkyRegion(SkyCoord(83.63, 23.01, unit="deg"), 0.3 * u.deg))
        regions, _ = ReflectedRegionsFinder().run(CIRCLE, POINTING, mask)
        assert len(regions) == 9
        assert_allclose(centers(regions).ra.deg[5], 84.0443, atol=1e-4)

    def test_wobble(self):
        regions, _ = WobbleRegionsFinder(n_off_regions=3).run(CIRCLE, POINTING)
        assert_allclose(centers(regions).ra.deg, [83.0888, 83.63, 84.1712], atol=1e-4)
        mask = excluding(CircleSkyRegion(SkyCoord(83.63, 23.01, unit="deg"), 0.3 * u.deg))
        assert len(WobbleRegionsFinder(n_off_regions=3).run(CIRCLE, POINTING, mask)[0]) == 2
        assert len(WobbleRegionsFinder(n_off_regions=3).run(PointSkyRegion(SOURCE), POINTING, mask)[0]) == 2


class TestExclusions:
    def test_no_event_of_an_excluded_region_counts(self, points):
        source = CircleSkyRegion(SkyCoord(83.9, 22.9, unit="deg"), 0.2 * u.deg)
        for finder in (ReflectedRegionsFinder(), WobbleRegionsFinder(7)):
            regions, _ = finder.run(CIRCLE, POINTING, excluding(source))
            hits = np.any([inside(one, points) for one in regions], axis=0)
            # But for the corners of pixels.
            assert (hits & inside(source, points)).sum() <= 0.02 * inside(source, points).sum()

    def test_what_is_not_in_the_mask_is_free(self):
        elsewhere = ~WcsGeom.create(skydir=(0, 0), width=1).region_mask("icrs;circle(0, 0, 0.2)")
        assert len(ReflectedRegionsFinder().run(CIRCLE, POINTING, elsewhere)[0]) == 12

    def test_all_excluded(self):
        nothing = Map.from_geom(WcsGeom.create(skydir=POINTING, width=5, binsz=0.1), dtype=bool)
        assert ReflectedRegionsFinder().run(CIRCLE, POINTING, nothing)[0] == []

    def test_mask_of_numbers(self):
        with pytest.raises(DataError, match="expected a map of bool"):
            ReflectedRegionsFinder().run(CIRCLE, POINTING, Map.create(skydir=POINTING, width=5))


class TestRefusals:
    def test_pointing_inside(self):
        assert ReflectedRegionsFinder().run(CircleSkyRegion(POINTING, 0.1 * u.deg), POINTING)[0] == []
        assert ReflectedRegionsFinder().run(CircleSkyRegion(SOURCE, 0.6 * u.deg), POINTING)[0] == []

    def test_point(self):
        with pytest.raises(InputError, match="Use WobbleRegionsFinder instead"):
            ReflectedRegionsFinder().run(PointSkyRegion(SOURCE), POINTING)

    def test_far_away(self):
        far = CircleSkyRegion(SkyCoord(83.63, -60, unit="deg"), 0.1 * u.deg)
        with pytest.raises(InputError, match="82.5 deg from the pointing"):
            ReflectedRegionsFinder().run(far, POINTING)

    def test_twenty_degrees_off_axis(self):
        region = CircleSkyRegion(SkyCoord(83.63, 2.51, unit="deg"), 0.5 * u.deg)
        assert 100 < len(ReflectedRegionsFinder(binsz="0.02 deg").run(region, POINTING)[0]) < 140

    def test_too_many(self, caplog):
        with caplog.at_level(logging.WARNING):
            assert WobbleRegionsFinder(n_off_regions=40).run(CIRCLE, POINTING)[0] == []
        assert "overlapping off regions" in caplog.text

    def test_options(self):
        with pytest.raises(InputError, match="binsz is 0 deg"):
            ReflectedRegionsFinder(binsz="0 deg")
        with pytest.raises(InputError, match="min_distance is -1 deg"):
            ReflectedRegionsFinder(min_distance="-1 deg")
        with pytest.raises(InputError, match="max_region_number is 0; expected at least 1"):
            ReflectedRegionsFinder(max_region_number=0)
        with pytest.raises(InputError, match="n_off_regions is 0"):
            WobbleRegionsFinder(0)
        with pytest.raises(TypeError):
            RegionsFinder()

    def test_text(self):
        assert "angle_increment" in str(ReflectedRegionsFinder())
        assert "n_off_regions : 3" in str(WobbleRegionsFinder(3))
