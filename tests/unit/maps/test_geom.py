"""Geometries of pixels: laws of coordinates and solid angles, cut-outs, masks; and coordinates themselves."""

from __future__ import annotations

import pickle
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata.utils import NoOverlapError, PartialOverlapError
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from regions import (
    CircleAnnulusSkyRegion,
    CirclePixelRegion,
    CircleSkyRegion,
    EllipseSkyRegion,
    PixCoord,
    PointSkyRegion,
    PolygonSkyRegion,
    RectangleSkyRegion,
)

from geminga.errors import GeometryError, InputError, NameLookupError, UnitError
from geminga.maps import Map, MapAxis, MapCoord, WcsGeom

ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=3)
CENTRE = SkyCoord(83.63, 22.01, unit="deg")
GEOM = WcsGeom.create(skydir=(83.63, 22.01), binsz=0.1, width=(3, 2), axes=[ENERGY])
IMAGE = GEOM.to_image()


def shape(geom: WcsGeom) -> tuple[int, ...]:
    return tuple(int(n) for n in geom.data_shape)


def crpix(geom: WcsGeom) -> list[float]:
    return list(geom.wcs.wcs.crpix)


@pytest.mark.parametrize("proj", ["CAR", "TAN", "AIT", "SIN", "ZEA"])
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_coordinates_and_pixels_are_inverse(proj: str, frame: str) -> None:
    geom = WcsGeom.create(skydir=(120, -30), binsz=(0.3, 0.5), npix=(11, 8), proj=proj, frame=frame, axes=[ENERGY])
    pix = geom.get_pix()
    back = geom.coord_to_pix(geom.pix_to_coord(pix))
    for one, two in zip(pix, back, strict=True):
        assert_allclose(np.broadcast_to(two, one.shape), one, atol=1e-8)
    assert geom.contains(geom.get_coord()).all()
    idx = geom.coord_to_idx(geom.get_coord())
    for one, two in zip(idx, geom.get_idx(), strict=True):
        assert_array_equal(np.broadcast_to(one, two.shape), two)


def test_create_takes_many_spellings() -> None:
    same = [
        WcsGeom.create(skydir=CENTRE, width=(3, 2), binsz=0.1),
        WcsGeom.create(skydir=(83.63, 22.01), width=("3 deg", "120 arcmin"), binsz="0.1 deg"),
        WcsGeom.create(skydir=CENTRE.galactic, npix=(30, 20), binsz=0.1 * u.deg, frame="icrs"),
    ]
    for geom in same:
        assert geom == IMAGE
    sky = WcsGeom.create(binsz=10)
    assert shape(sky) == (18, 36)
    assert sky.is_allsky
    assert not IMAGE.is_allsky
    assert_allclose(sky.solid_angle().sum().value, 4 * np.pi)
    assert shape(WcsGeom.create(width=1, binsz=0.3)) == (3, 3)
    assert WcsGeom.create(npix=3, binsz=1, axes=[[1, 2, 3] * u.TeV]).axes_names == ["lon", "lat", "axis0"]


def test_solid_angle_of_car_is_exact() -> None:
    geom = WcsGeom.create(binsz=(10, 5), skydir=(0, 0))
    lat = np.deg2rad(np.arange(-90, 91, 5))
    assert_allclose(geom.solid_angle().value[:, 0], np.deg2rad(10) * np.diff(np.sin(lat)), rtol=1e-9)
    volume = GEOM.bin_volume()
    assert volume.unit == "sr TeV"
    assert_allclose(volume[:, 3, 4].value, ENERGY.bin_width.value * GEOM.solid_angle().value[0, 3, 4])


@pytest.mark.parametrize("proj", ["TAN", "AIT"])
def test_solid_angle_of_other_projections(proj: str) -> None:
    """Pixels are as large as the parts of a fine grid, but for their sides, which are taken as great circles."""
    geom = WcsGeom.create(binsz=2, npix=(5, 4), skydir=(50, 40), proj=proj)
    fine = geom.upsample(8)
    sums = fine.solid_angle().value.reshape(4, 8, 5, 8).sum(axis=(1, 3))
    assert_allclose(geom.solid_angle().value, sums, rtol=3e-4)


def test_summary() -> None:
    lines = [line.strip() for line in str(GEOM).splitlines()]
    assert lines[0] == "WcsGeom"
    assert "shape      : (30, 20, 3)" in lines
    assert "width      : 3.0 deg x 2.0 deg" in lines
    assert "<pre>" in GEOM._repr_html_()
    assert pickle.loads(pickle.dumps(GEOM)) == GEOM
    # The projection is sent as what makes it, or as a whole if there is more to it.
    for frame in ("icrs", "galactic", "fk5", "fk4"):
        for proj in ("CAR", "TAN", "AIT"):
            geom = WcsGeom.create(npix=(30, 20), binsz=(0.3, 0.2), proj=proj, frame=frame, refpix=(4.5, 7), skydir=(10, 20))
            other = pickle.loads(pickle.dumps(geom))
            assert other == geom
            assert other.wcs.wcs.compare(geom.wcs.wcs)
            assert other.wcs.array_shape == geom.wcs.array_shape == (20, 30)
    turned = WCS(GEOM.wcs.to_header())
    turned.wcs.pc = [[0.8, -0.6], [0.6, 0.8]]
    geom = WcsGeom(turned, npix=GEOM.npix[0][0])
    other = pickle.loads(pickle.dumps(geom))
    assert_allclose(other.wcs.wcs.pc, turned.wcs.pc)
    assert other == geom
    assert hash(GEOM) is not None
    assert GEOM != IMAGE
    assert GEOM != "GEOM"


def test_edges_and_parts_of_coordinates() -> None:
    edges = GEOM.get_coord(mode="edges", axis_name="energy")
    assert edges["energy"].shape[0] == 4
    assert GEOM.get_coord(sparse=True)["energy"].shape == (3, 1, 1)
    galactic = GEOM.get_coord(frame="galactic")
    assert galactic.frame == "galactic"
    assert_allclose(galactic.skycoord.icrs.ra.deg, u.Quantity(GEOM.get_coord().lon, "deg").value)
    assert GEOM.separation(CENTRE).shape == (20, 30)
    assert GEOM.separation(CENTRE).min() < 0.08 * u.deg


# Other geometries


@given(st.integers(1, 9), st.integers(1, 9))
def test_cutouts_are_aligned(nx: int, ny: int) -> None:
    cut = IMAGE.cutout(SkyCoord(84.1, 22.4, unit="deg"), width=(nx * 0.1, ny * 0.1) * u.deg)
    assert shape(cut) == (ny, nx)
    assert cut.is_aligned(IMAGE)
    slices = cut.cutout_slices(IMAGE)
    whole = IMAGE.get_coord().lon[slices["parent-slices"]]
    assert_allclose(whole.to_value("deg"), cut.get_coord().lon[slices["cutout-slices"]].to_value("deg"))


def test_cutouts_at_the_border() -> None:
    corner = SkyCoord(82.3, 21.2, unit="deg")
    trimmed, partial = GEOM.cutout(corner, "1 deg"), GEOM.cutout(corner, "1 deg", mode="partial")
    assert shape(partial) == (3, 10, 10)
    assert shape(trimmed)[1] < 10
    assert shape(GEOM.cutout(CENTRE, "1 deg", odd_npix=True)) == (3, 11, 11)
    assert shape(GEOM.cutout(CENTRE, "0.01 deg", min_npix=3)) == (3, 3, 3)
    with pytest.raises(PartialOverlapError, match="in part only"):
        GEOM.cutout(corner, "1 deg", mode="strict")
    with pytest.raises(NoOverlapError, match="does not overlap"):
        GEOM.cutout(SkyCoord(12, 21, unit="deg"), "1 deg")
    with pytest.raises(InputError, match="mode"):
        GEOM.cutout(CENTRE, "1 deg", mode="loose")


def test_other_pixels() -> None:
    assert IMAGE.upsample(3).downsample(3) == IMAGE
    assert IMAGE.pad(2, axis_name=None).crop(2) == IMAGE
    assert crpix(IMAGE.upsample(2)) == [(p - 0.5) * 2 + 0.5 for p in crpix(IMAGE)]
    assert crpix(IMAGE.crop((1, 2))) == [crpix(IMAGE)[0] - 1, crpix(IMAGE)[1] - 2]
    assert shape(GEOM.to_binsz(0.3)) == (3, 7, 10)
    assert shape(IMAGE.to_odd_npix()) == (21, 31)
    assert shape(IMAGE.to_even_npix()) == (20, 30)
    assert_allclose(IMAGE.to_binsz("0.05 deg").width.to_value("deg").ravel(), [3, 2])
    with pytest.raises(GeometryError, match="not divisible by factor 7"):
        IMAGE.downsample(7)
    with pytest.raises(InputError, match="at least one pixel"):
        IMAGE.crop(20)


def test_other_axes() -> None:
    true = ENERGY.copy(name="energy_true")
    assert IMAGE.to_cube([true]).to_image() == IMAGE
    assert GEOM.as_energy_true.axes.names == ["energy_true"]
    assert shape(GEOM.squash("energy")) == (1, 20, 30)
    assert GEOM.drop("energy") == IMAGE
    assert shape(GEOM.slice_by_idx({"energy": slice(0, 2)})) == (2, 20, 30)
    assert GEOM.slice_by_idx({"energy": 1}) == IMAGE
    assert shape(GEOM.upsample(2, axis_name="energy")) == (6, 20, 30)
    assert shape(GEOM.resample_axis(MapAxis.from_energy_edges([0.1, 0.5, 10] * u.TeV))) == (2, 20, 30)
    assert GEOM.has_energy_axis
    assert not IMAGE.has_energy_axis
    assert IMAGE.is_flat
    with pytest.raises(NameLookupError, match="'rad'"):
        GEOM.squash("rad")


def test_header_round_trip() -> None:
    back = WcsGeom.from_header(IMAGE.to_header())
    assert back == IMAGE
    assert_allclose(back.get_coord().lat.to_value("deg"), IMAGE.get_coord().lat.to_value("deg"))


def test_aligned_geometries_share_pixels() -> None:
    far = WcsGeom.from_aligned(geom=IMAGE, skydir=SkyCoord(90, 23, unit="deg"), width=(1, 2) * u.deg)
    assert far.is_aligned(IMAGE)
    assert shape(far) == (20, 10)
    assert not IMAGE.upsample(2).is_aligned(IMAGE)


# Masks

REGIONS = [
    CircleSkyRegion(CENTRE, 0.5 * u.deg),
    EllipseSkyRegion(CENTRE, 0.6 * u.deg, 1.2 * u.deg, 30 * u.deg),
    RectangleSkyRegion(CENTRE, 0.8 * u.deg, 0.5 * u.deg, 20 * u.deg),
    CircleAnnulusSkyRegion(CENTRE, 0.3 * u.deg, 0.7 * u.deg),
    PolygonSkyRegion(SkyCoord([83.1, 84.2, 83.6], [21.6, 21.7, 22.6], unit="deg")),
]


@pytest.mark.parametrize("region", REGIONS, ids=lambda r: type(r).__name__)
def test_region_masks(region: Any) -> None:
    mask = IMAGE.region_mask(region)
    expected = region.contains(IMAGE.get_coord().skycoord, IMAGE.wcs)
    assert_array_equal(mask.data, expected)
    assert_array_equal(IMAGE.region_mask([region], inside=False).data, ~expected)
    assert_array_equal(GEOM.region_mask([region]).data, np.broadcast_to(expected, GEOM.data_shape))
    weights = IMAGE.region_weights([region], oversampling_factor=10).data
    assert ((weights > 0.9) <= mask.data).all()
    assert ((weights < 0.1) <= ~mask.data).all()
    area = region.to_pixel(IMAGE.wcs).area if hasattr(region.to_pixel(IMAGE.wcs), "area") else weights.sum()
    assert_allclose(weights.sum(), area, rtol=2e-2)


def test_region_masks_of_other_input() -> None:
    one, two = REGIONS[0], CircleSkyRegion(SkyCoord(84.5, 22.3, unit="deg"), 0.2 * u.deg)
    both = IMAGE.region_mask([one, two]).data
    assert_array_equal(both, IMAGE.region_mask(one | two).data)
    assert_array_equal(IMAGE.region_mask("icrs;circle(83.63, 22.01, 0.5)").data, IMAGE.region_mask(one).data)
    assert IMAGE.region_mask(CirclePixelRegion(PixCoord(10, 10), 0.1)).data.sum() == 1
    assert IMAGE.region_mask(PointSkyRegion(CENTRE)).data.sum() == 4
    assert not IMAGE.region_mask(CircleSkyRegion(SkyCoord(200, 0, unit="deg"), 1 * u.deg)).data.any()
    with pytest.raises(InputError, match="type int"):
        IMAGE.region_mask(3)
    with pytest.raises(InputError, match="oversampling_factor"):
        IMAGE.region_weights(one, oversampling_factor=0)


def test_energy_masks() -> None:
    assert GEOM.energy_mask(0.4 * u.TeV, 10 * u.TeV).data.any(axis=(1, 2)).tolist() == [False, True, True]
    assert GEOM.energy_mask(energy_max="3 TeV").data.any(axis=(1, 2)).tolist() == [True, True, False]
    assert GEOM.energy_mask(0.5 * u.TeV, round_to_edge=True).data.any(axis=(1, 2)).tolist() == [False, True, True]
    assert GEOM.energy_mask().data.all()
    assert GEOM.create_mask("energy", 0.4 * u.TeV).is_mask
    with pytest.raises(NameLookupError, match="energy"):
        IMAGE.energy_mask(1 * u.TeV)
    with pytest.raises(UnitError, match="deg"):
        GEOM.energy_mask(1 * u.deg)


def test_boundary_and_morphology() -> None:
    inner = IMAGE.boundary_mask("0.3 deg").data
    assert inner.sum() == (30 - 6) * (20 - 6)
    dot = IMAGE.region_mask(CirclePixelRegion(PixCoord(15, 10), 0.1))
    grown = dot.binary_dilate("0.3 deg")
    assert grown.data.sum() == 29
    assert_array_equal(grown.binary_erode("0.3 deg").data, dot.data)
    assert dot.binary_dilate("0.3 deg", kernel="box").data.sum() == 49
    assert dot.binary_dilate("0.3 deg", use_fft=False).data.sum() == 29


# Coordinates


def test_coordinates_from_many_spellings() -> None:
    same = [
        MapCoord.create({"lon": 1 * u.deg, "lat": 2 * u.deg, "energy": 3 * u.TeV}, frame="icrs"),
        MapCoord.create({"skycoord": SkyCoord(1, 2, unit="deg"), "energy": 3 * u.TeV}),
        MapCoord.create((1 * u.deg, 2 * u.deg, 3 * u.TeV), axis_names=["energy"], frame="icrs"),
        MapCoord.create((SkyCoord(1, 2, unit="deg"), 3 * u.TeV), axis_names=["energy"]),
    ]
    for coord in same:
        assert_allclose(u.Quantity(coord.to_frame("galactic").lon, "deg").value, SkyCoord(1, 2, unit="deg").galactic.l.deg)
        assert coord["energy"] == 3 * u.TeV
        assert coord.axis_names[-1] == "energy"
    assert_allclose(same[0].phi, np.deg2rad(1))
    assert_allclose(same[0].theta, np.pi / 2 - np.deg2rad(2))


def test_coordinates_broadcast_and_mask() -> None:
    coord = MapCoord.create({"skycoord": CENTRE, "energy": [1, 2] * u.TeV})
    assert coord.shape == (2,)
    assert coord.broadcasted.lon.shape == (2,)
    whole = GEOM.get_coord()
    assert whole.apply_mask(GEOM.region_mask(REGIONS[0]).data).size == GEOM.region_mask(REGIONS[0]).data.sum()
    assert whole.flat.shape == (1800,)
    assert str(whole).startswith("MapCoord")
    with pytest.raises(NameLookupError, match="no axis 'rad'"):
        whole["rad"]


def test_map_create_follows_the_geometry() -> None:
    own = Map.create(skydir=CENTRE, width=(3, 2), binsz=0.1, axes=[ENERGY], unit="cm2", dtype=int, meta={"a": 1})
    assert own.geom == GEOM
    assert own.data.dtype == int
    assert own.meta == {"a": 1}
    with_unit = Map.from_geom(GEOM, data=np.ones(GEOM.data_shape) * u.m**2)
    assert with_unit.unit == "m2"
    assert Map.from_geom(GEOM, data=3 * u.m**2, unit="cm2").data[0, 0, 0] == 3e4
    with pytest.raises(UnitError, match="'s'"):
        Map.from_geom(GEOM, data=3 * u.s, unit="cm2")


def test_parts_of_geometries_with_the_same_pixels_share_them() -> None:
    axes = [MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=n, name=name) for n, name in ((2, "energy"), (3, "energy_true"))]
    image = WcsGeom.create(npix=(20, 10), binsz=0.1, skydir=(10, 20))
    one, other = (image.to_cube([axis]) for axis in axes)
    parts = [geom.cutout(SkyCoord(10.2, 20.1, unit="deg"), "0.5 deg") for geom in (one, other)]
    assert parts[0].to_image() == parts[1].to_image()
    assert parts[0].pixel_unit_vectors("icrs") is parts[1].pixel_unit_vectors("icrs")  # computed once
    elsewhere = one.cutout(SkyCoord(9.6, 20.1, unit="deg"), "0.5 deg")
    again = one.cutout(SkyCoord(10.2, 20.1, unit="deg"), "0.5 deg")
    assert elsewhere.center_skydir.separation(SkyCoord(9.6, 20.1, unit="deg")) < 0.1 * u.deg
    assert again == parts[0]
    assert np.array_equal(again.pixel_unit_vectors("icrs"), parts[0].pixel_unit_vectors("icrs"))
    assert pickle.loads(pickle.dumps(one)).cutout(SkyCoord(10.2, 20.1, unit="deg"), "0.5 deg") == parts[0]
