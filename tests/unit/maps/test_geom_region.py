"""Regions as geometries: size, coordinates, pixels, files."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import (
    CircleAnnulusSkyRegion,
    CircleSkyRegion,
    EllipseSkyRegion,
    PointSkyRegion,
    PolygonSkyRegion,
    RectangleSkyRegion,
    RegionMeta,
)

from geminga.errors import GeometryError, InputError, NameLookupError, UnsupportedError
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap
from geminga.utils.regions import region_to_frame

ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=3)
CENTRE = SkyCoord(83.63, 22.01, unit="deg")
CIRCLE = RegionGeom.create(CircleSkyRegion(CENTRE, 0.5 * u.deg), axes=[ENERGY])
SHAPES = {
    "circle": (CircleSkyRegion(CENTRE, 0.5 * u.deg), np.pi * 0.25),
    "ellipse": (EllipseSkyRegion(CENTRE, 0.4 * u.deg, 1 * u.deg, 30 * u.deg), np.pi * 0.2 * 0.5),
    "rectangle": (RectangleSkyRegion(CENTRE, 0.4 * u.deg, 1 * u.deg, 30 * u.deg), 0.4),
    "annulus": (CircleAnnulusSkyRegion(CENTRE, 0.4 * u.deg, 1 * u.deg), np.pi * 0.84),
}


@pytest.mark.parametrize("name", SHAPES)
def test_size_and_pixels_of_shapes(name: str) -> None:
    region, area = SHAPES[name]
    geom = RegionGeom.create(region)
    assert_allclose(geom.solid_angle().to_value("deg2"), area, rtol=2e-4)
    assert_allclose(geom.center_skydir.separation(CENTRE).deg, 0, atol=1e-6)
    coords, weights = geom.get_wcs_coord_and_weights(factor=20)
    pixel = geom.to_wcs_geom().solid_angle().mean().to_value("deg2")
    assert_allclose(weights.sum() * pixel, area, rtol=2e-2)
    assert coords.shape == weights.shape
    assert_allclose(geom.bin_volume().to_value("sr"), geom.solid_angle().to_value("sr"))


def test_width_is_that_of_the_bounding_box_in_pixels() -> None:
    assert_allclose(CIRCLE.width.to_value("deg"), [1.2, 1.2])
    fine = RegionGeom.create(CIRCLE.region, binsz_wcs="0.01 deg")
    assert_allclose(fine.width.to_value("deg"), [1, 1], atol=0.021)
    wide = CIRCLE.to_wcs_geom(width_min=3 * u.deg)
    assert (wide.width.to_value("deg") > 2.9).all()
    assert_allclose(wide.center_skydir.separation(CENTRE).deg, 0, atol=0.08)


def test_coordinates_are_those_of_the_centre() -> None:
    coords = CIRCLE.get_coord()
    assert coords.shape == (3, 1, 1)
    assert_allclose(coords.skycoord.separation(CENTRE).deg, 0, atol=1e-9)
    assert CIRCLE.get_coord(mode="edges", axis_name="energy")["energy"].shape == (4, 1, 1)
    inside = CIRCLE.contains(SkyCoord([83.6, 90], [22, 40], unit="deg"))
    assert np.ravel(inside).tolist() == [True, False]
    idx = CIRCLE.coord_to_idx({"skycoord": SkyCoord([83.6, 90], [22, 40], unit="deg"), "energy": [1, 1] * u.TeV})
    assert np.ravel(idx[0]).tolist() == [0, -1]
    with pytest.raises(InputError, match="requires axis name"):
        CIRCLE.get_coord(mode="edges")
    assert_allclose(CIRCLE.separation(CENTRE).deg, 0, atol=1e-9)


def test_axes_of_regions() -> None:
    assert CIRCLE.data_shape == (3, 1, 1)
    assert CIRCLE.energy_mask(0.4 * u.TeV).data.ravel().tolist() == [False, True, True]
    assert CIRCLE.squash("energy").data_shape == (1, 1, 1)
    assert CIRCLE.upsample(2, axis_name="energy").downsample(2, axis_name="energy") == CIRCLE
    assert CIRCLE.to_image().to_cube([ENERGY]) == CIRCLE
    assert CIRCLE.pad(1, axis_name="energy").data_shape == (5, 1, 1)
    assert CIRCLE.slice_by_idx({"energy": slice(0, 1)}).data_shape == (1, 1, 1)
    assert CIRCLE.is_region
    assert not CIRCLE.is_hpx
    assert "RegionGeom" in str(CIRCLE)
    assert pickle.loads(pickle.dumps(CIRCLE)) == CIRCLE
    assert RegionGeom.create("icrs;circle(83.63, 22.01, 0.5)", axes=[ENERGY]) == CIRCLE
    assert RegionGeom.create("icrs;circle(83.63, 22.01, 0.4)", axes=[ENERGY]) != CIRCLE


def test_several_regions_are_their_union() -> None:
    other = CircleSkyRegion(SkyCoord(84.8, 22.01, unit="deg"), 0.3 * u.deg)
    both = RegionGeom.from_regions([CIRCLE.region, other], axes=[ENERGY])
    assert_allclose(both.solid_angle().to_value("deg2"), np.pi * (0.25 + 0.09), rtol=2e-2)
    assert both.contains(SkyCoord([83.63, 84.8, 84.3], [22, 22, 22], unit="deg")).tolist() == [True, True, False]
    assert not both.is_all_point_sky_regions


def test_points() -> None:
    point = RegionGeom.create(PointSkyRegion(CENTRE), axes=[ENERGY])
    assert point.is_all_point_sky_regions
    assert point.contains(SkyCoord(0, 0, unit="deg")).all()
    coords, weights = point.get_wcs_coord_and_weights()
    assert_allclose(weights, 1)
    assert_allclose(u.Quantity(coords.lon, "deg").value, 83.63)


def test_no_region() -> None:
    nothing = RegionGeom.create(None, axes=[ENERGY])
    assert nothing.region is None
    assert nothing.data_shape == (3, 1, 1)
    assert str(nothing).startswith("RegionGeom")
    for make in (lambda: nothing.width, nothing.to_wcs_geom, lambda: nothing.contains(CENTRE)):
        with pytest.raises(GeometryError, match="Region definition required"):
            make()
    own = Map.from_geom(nothing, data=np.array([1.0, 2, 3])[:, None, None])
    assert_allclose(own.interp_by_coord({"energy": ENERGY.center}), [1, 2, 3])


@pytest.mark.parametrize("name", [*SHAPES, "polygon", "union", "point"])
def test_files_round_trip(name: str) -> None:
    extra: dict[str, Any] = {
        "polygon": PolygonSkyRegion(SkyCoord([83.1, 84.2, 83.6], [21.6, 21.7, 22.6], unit="deg")),
        "union": [CIRCLE.region, CircleSkyRegion(SkyCoord(84.8, 22.01, unit="deg"), 0.3 * u.deg)],
        "point": PointSkyRegion(CENTRE),
    }
    region = SHAPES[name][0] if name in SHAPES else extra[name]
    geom = RegionGeom.from_regions(region, axes=[ENERGY])
    back = RegionGeom.from_hdulist(geom.to_hdulist())
    assert back.axes == geom.axes
    assert_allclose(back.solid_angle().value, geom.solid_angle().value, rtol=1e-6)
    assert_allclose(back.center_skydir.separation(geom.center_skydir).deg, 0, atol=1e-6)
    positions = SkyCoord(np.linspace(83, 85, 40), np.linspace(21.5, 22.5, 40), unit="deg")
    assert (back.contains(positions) == geom.contains(positions)).all()


def test_a_deferred_region_is_made_when_it_is_looked_at() -> None:
    made = []

    def make() -> Any:
        made.append(1)
        return CIRCLE.region

    geom = RegionGeom.deferred(make, axes=[ENERGY], wcs=CIRCLE.wcs)
    counts = RegionNDMap.from_geom(geom)
    assert counts.data.shape == (3, 1, 1)
    assert not made
    assert geom == CIRCLE
    assert geom.contains(CENTRE).all()
    assert made == [1]
    later = RegionGeom.deferred(partial(CircleSkyRegion, CENTRE, 0.5 * u.deg), axes=[ENERGY], wcs=CIRCLE.wcs)
    assert pickle.loads(pickle.dumps(later)) == CIRCLE
    assert later.union(CIRCLE).region.region1.radius == 0.5 * u.deg


REGIONS_WITH_BORDERS = {
    **{name: region for name, (region, _) in SHAPES.items()},
    "polygon": PolygonSkyRegion(SkyCoord([83, 84.5, 83.5], [21.5, 22, 23], unit="deg")),
    "two": CircleSkyRegion(CENTRE, 0.3 * u.deg) | CircleSkyRegion(SkyCoord(84.5, 23, unit="deg"), 0.2 * u.deg),
    "without": CircleSkyRegion(CENTRE, 0.5 * u.deg, meta=RegionMeta({"include": False})),
    "one": PointSkyRegion(CENTRE),
}


@pytest.mark.parametrize("name", REGIONS_WITH_BORDERS)
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_what_is_inside_is_so_in_pixels(name: str, frame: str) -> None:
    """Latitudes far from the region are not projected, with no effect on the answer."""
    geom = RegionGeom.create(region_to_frame(REGIONS_WITH_BORDERS[name], frame))
    lon, lat = np.random.default_rng(0).uniform([[80], [19]], [[87], [25]], (2, 2000))
    places = SkyCoord(np.append(lon, np.nan), np.append(lat, 22.0), unit="deg").transform_to(frame)
    expected = geom.contains_wcs_pix(geom.wcs.world_to_pixel(places))
    assert 0 < expected.sum() <= 2001
    assert (geom.contains(places) == expected).all()
    assert (geom.contains(places.icrs) == expected).all()


def test_refusals() -> None:
    for make in (lambda: CIRCLE.crop(1), lambda: RegionNDMap.from_geom(CIRCLE).crop(1)):
        with pytest.raises((UnsupportedError, GeometryError), match="not supported"):
            make()
    with pytest.raises((InputError, NameLookupError, ValueError), match="region"):
        RegionGeom.create("icrs;blob(1,2,3)")
    with pytest.raises(InputError, match="factor"):
        CIRCLE.get_wcs_coord_and_weights(factor=0)


def test_figures() -> None:
    ax = CIRCLE.plot_region()
    assert ax.has_data() or ax.artists or ax.patches
    RegionGeom.create(PointSkyRegion(CENTRE)).plot_region(ax=ax)
    plt.close("all")
