"""Numbers at points: got, set, filled, interpolated, drawn; and maps on other geometries."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from regions import CircleSkyRegion, PointSkyRegion, PolygonSkyRegion

from geminga.errors import DataError, GeometryError, InputError, NameLookupError, UnitError
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap, WcsGeom, WcsNDMap, containment_radius, containment_region

ENERGY = MapAxis.from_energy_edges([1, 3, 10, 30] * u.TeV)
GEOM = WcsGeom.create(npix=(6, 5), binsz=0.5, skydir=(83.63, 22.01), axes=[ENERGY])
CENTER = GEOM.center_skydir


def wcs_map(seed: int = 0, geom: WcsGeom = GEOM, unit: str = "") -> WcsNDMap:
    return WcsNDMap(geom, data=np.random.default_rng(seed).uniform(0, 10, geom.data_shape), unit=unit)


def spectrum(region: str | None = "icrs;circle(83.63, 22.01, 1)") -> RegionNDMap:
    return RegionNDMap.create(region, axes=[ENERGY], data=np.array([10.0, 2.0, 5.0]))


# Get, set, fill


def test_get_at_the_centres_is_the_data() -> None:
    one = wcs_map()
    assert_array_equal(one.get_by_coord(one.geom.get_coord()), one.data)
    assert_array_equal(one.get_by_idx(one.geom.get_idx()), one.data)
    assert_array_equal(one.get_by_pix(one.geom.get_pix()), one.data)


def test_set_then_get() -> None:
    one = wcs_map(unit="s")
    coords = {"skycoord": CENTER, "energy": [2, 20] * u.TeV}
    one.set_by_coord(coords, [5, 7] * u.min)
    assert_allclose(one.get_by_coord(coords), [300, 420])
    one.set_by_idx((0, 1, 2), -1)
    assert one.data[2, 1, 0] == -1
    one.set_by_pix(([-9, 1], [0, 1], [0, 0]), [3, 4])
    assert one.data[0, 1, 1] == 4
    assert 3 not in one.data


def test_outside_is_the_fill_value() -> None:
    one = wcs_map()
    outside = {"skycoord": SkyCoord("0d", "0d"), "energy": 2 * u.TeV}
    assert np.isnan(one.get_by_coord(outside)).all()
    assert one.get_by_coord(outside, fill_value=-1) == -1
    assert np.isnan(one.get_by_coord({"skycoord": CENTER, "energy": 30 * u.TeV})).all()
    assert (one > 5).get_by_coord(outside, fill_value=False).dtype == bool


@given(st.integers(0, 200), st.integers(0, 100))
def test_fill_counts_points(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = Map.from_geom(GEOM)
    lon, lat, energy = rng.uniform(82, 86, number), rng.uniform(20.5, 23.5, number), rng.uniform(0.5, 40, number)
    coords = {"lon": lon * u.deg, "lat": lat * u.deg, "energy": energy * u.TeV}
    one.fill_by_coord(coords)
    inside = GEOM.contains(coords) if number else np.zeros(0)
    assert one.data.sum() == inside.sum()
    weights = rng.uniform(0, 1, number)
    other = Map.from_geom(GEOM, dtype=float)
    other.fill_by_coord(coords, weights=weights)
    slow = np.zeros(GEOM.data_shape)
    idx = GEOM.coord_to_idx(coords)
    np.add.at(slow, tuple(i[inside] if number else i[:0] for i in idx[::-1]), weights[inside] if number else weights)
    assert_allclose(other.data, slow)


def test_fill_adds_and_masks_become_true() -> None:
    one = Map.from_geom(GEOM, dtype=int)
    for _ in range(2):
        one.fill_by_idx(([0, 0, -1], [0, 0, 0], [1, 1, 1]))
    assert one.data[1, 0, 0] == 4
    assert one.data.sum() == 4
    mask = Map.from_geom(GEOM, dtype=bool)
    mask.fill_by_idx(([0, 1], [0, 0], [1, 1]), weights=[1, 0])
    assert mask.data.sum() == 1


def test_fill_refuses() -> None:
    one = wcs_map(unit="s")
    with pytest.raises(DataError, match="1 NaN in the weights"):
        one.fill_by_idx(([0, 1], [0, 0], [1, 1]), weights=[1, np.nan])
    with pytest.raises(GeometryError, match="index 6 is beyond the 6 bins"):
        one.fill_by_idx((6, 0, 0))
    with pytest.raises(GeometryError, match=r"weights have shape \(3,\)"):
        one.fill_by_idx(([0, 1], [0, 0], [1, 1]), weights=[1, 2, 3])
    with pytest.raises(UnitError, match="convertible to 's'"):
        one.fill_by_idx((0, 0, 0), weights=1 * u.m)
    with pytest.raises(GeometryError, match="Got 2 indices"):
        one.get_by_idx((0, 0))
    with pytest.raises(NameLookupError, match="energy"):
        one.get_by_coord({"skycoord": CENTER})


# Interpolation


def test_interpolation_at_the_centres_is_the_data() -> None:
    for one in (wcs_map(), spectrum()):
        assert_allclose(one.interp_by_coord(one.geom.get_coord()), one.data)
        assert_allclose(one.interp_to_geom(one.geom).data, one.data)
        assert_allclose(one.interp_by_coord(one.geom.get_coord(), method="nearest"), one.data)


def test_reference_interpolation() -> None:
    geom = WcsGeom.create(npix=4, binsz=1, axes=[MapAxis.from_energy_edges([1, 10, 100] * u.TeV)])
    one = WcsNDMap(geom, data=np.arange(32.0).reshape(2, 4, 4))
    pixel = np.log10(3) - 0.5
    expected = 16 * pixel + 4 * 2 + 1
    value = one.interp_by_coord({"lon": 0.5 * u.deg, "lat": 0.5 * u.deg, "energy": 3 * u.TeV})
    assert_allclose(value, expected, rtol=1e-4)


def test_a_plane_is_continued_and_filled() -> None:
    image = WcsNDMap(WcsGeom.create(npix=5, binsz=1), data=np.add.outer(10.0 * np.arange(5), np.arange(5)))
    assert_allclose(image.interp_by_pix(([-1, 6], [2, 2])), [19, 26])
    assert_allclose(image.interp_by_pix(([-0.6, 1], [2, 2]), fill_value=-5), [-5, 21])
    assert_allclose(image.interp_by_pix(([1.4], [2.6]), method="nearest"), 31)
    with pytest.raises(InputError, match="'cubic'"):
        image.interp_by_pix((0, 0), method="cubic")


def test_values_scale() -> None:
    axis = MapAxis.from_edges([0, 1, 2], name="x")
    image = WcsNDMap(WcsGeom.create(npix=1, binsz=1, axes=[axis]), data=np.array([1.0, 100.0]).reshape(2, 1, 1))
    assert_allclose(image.interp_by_coord((0, 0, 1.0), values_scale="log"), 10)
    assert_allclose(image.interp_by_coord((0, 0, 1.0)), 50.5)


def test_nan_counts_as_zero() -> None:
    image = WcsNDMap(WcsGeom.create(npix=(2, 1), binsz=1), data=np.array([[np.nan, 4.0]]))
    assert_allclose(image.interp_by_pix((0.5, 0)), 2)
    assert np.isnan(image.data[0, 0])


def test_all_sky_maps_are_round() -> None:
    image = WcsNDMap(WcsGeom.create(npix=(36, 18), binsz=10), dtype=float)
    image.data[9, 0], image.data[9, -1] = 4, 2
    assert_allclose(image.interp_by_pix(([-0.5, 35.5], [9, 9])), [3, 3])


def test_spectra_need_no_position() -> None:
    one = spectrum()
    outside = SkyCoord("0d", "0d")
    expected = one.interp_by_coord({"energy": [2, 20] * u.TeV})
    assert_allclose(one.interp_by_coord({"skycoord": outside, "energy": [2, 20] * u.TeV}), expected)
    assert_allclose(spectrum(None).interp_by_coord({"energy": [2, 20] * u.TeV}), expected)
    assert one.get_by_coord({"energy": 2 * u.TeV}) == 10
    assert np.isnan(one.get_by_coord({"skycoord": outside, "energy": 2 * u.TeV}))
    assert one.get_by_coord({"skycoord": CENTER, "energy": 2 * u.TeV}) == 10
    assert one.cutout(outside, 1) is one


# Drawing


def test_points_are_drawn_where_the_data_are() -> None:
    one = Map.from_geom(GEOM)
    one.data[1, 2, 3], one.data[2, 4, 0] = 3, 1
    coords = one.sample_coord(4000, random_state=0)
    again = Map.from_geom(GEOM)
    again.fill_by_coord(coords)
    assert again.data.sum() == 4000
    assert_array_equal(again.data > 0, one.data > 0)
    assert abs(again.data[1, 2, 3] - 3000) < 5 * np.sqrt(4000 * 3 / 16)
    assert coords.frame == "icrs"
    assert_array_equal(one.sample_coord(5, random_state=1).lon, one.sample_coord(5, random_state=1).lon)
    assert one.sample_coord(0).shape == (0,)


def test_energies_are_drawn_from_spectra() -> None:
    coords = spectrum().sample_coord(3000, random_state=np.random.default_rng(0))
    again = RegionNDMap.create("icrs;circle(83.63, 22.01, 1)", axes=[ENERGY])
    again.fill_by_coord(coords)
    assert_allclose(again.data.ravel() / 3000, np.array([10, 2, 5]) / 17, atol=0.03)


@pytest.mark.parametrize(("value", "match"), [(-1, "not negative"), (np.nan, "finite"), (0, "all data are zero")])
def test_drawing_refuses(value: float, match: str) -> None:
    one = Map.from_geom(GEOM, data=np.zeros(GEOM.data_shape))
    one.data[0, 0, 0] = value
    with pytest.raises(DataError, match=match):
        one.sample_coord(3)
    with pytest.raises(InputError, match="random_state is 'dice'"):
        wcs_map().sample_coord(3, random_state="dice")


# Other geometries


def test_interp_to_geom_conserves_counts_of_a_smooth_map() -> None:
    geom = WcsGeom.create(npix=40, binsz=0.1)
    image = WcsNDMap(geom, data=np.exp(-0.5 * (geom.separation(geom.center_skydir).deg / 0.5) ** 2))
    fine = image.interp_to_geom(WcsGeom.create(npix=100, binsz=0.04, proj="TAN"), preserve_counts=True)
    assert_allclose(fine.data.sum(), image.data.sum(), rtol=3e-3)
    assert image.interp_to_geom(WcsGeom.create(npix=4, binsz=1, skydir=(20, 20))).data.sum() == 0
    assert (image > 0.5).interp_to_geom(fine.geom).is_mask


@pytest.mark.parametrize("preserve_counts", [True, False])
def test_reproject_to_itself_is_identity(preserve_counts: bool) -> None:
    one = wcs_map()
    assert one.reproject_to_geom(GEOM, preserve_counts=preserve_counts, precision_factor=3).is_allclose(one, rtol=1e-6)


def test_reproject_to_a_region_counts_parts_of_pixels() -> None:
    one = wcs_map()
    circle = RegionGeom.create(CircleSkyRegion(CENTER, 0.8 * u.deg), axes=[ENERGY.squash()])
    weights = GEOM.to_image().region_weights([circle.region], oversampling_factor=10).data
    total = one.reproject_to_geom(circle, preserve_counts=True)
    assert_allclose(total.data.ravel(), [(one.data * weights).sum()])
    means = (one.data * weights).sum(axis=(1, 2)) / weights.sum()
    widths = ENERGY.bin_width.value
    mean = one.reproject_to_geom(circle)
    assert_allclose(mean.data.ravel(), [np.average(means, weights=widths)])
    assert (one > -1 * u.one).reproject_to_geom(circle).data.all()
    back = total.reproject_to_geom(GEOM, preserve_counts=True)
    assert_allclose(back.data.sum(), total.data.sum())
    assert back.data[:, 0, 0].max() == 0
    with pytest.raises(GeometryError, match="no pixel of the map is in the region"):
        one.reproject_to_geom(RegionGeom.create("icrs;circle(1, 2, 0.1)", axes=[ENERGY]))


def test_reproject_conserves_counts() -> None:
    one = wcs_map()
    wide = WcsGeom.create(npix=40, binsz=0.13, skydir=CENTER, frame="galactic", proj="TAN", axes=[ENERGY.squash()])
    assert_allclose(one.reproject_to_geom(wide, preserve_counts=True).data.sum(), one.data.sum(), rtol=5e-3)
    flat = Map.from_geom(GEOM, data=np.full(GEOM.data_shape, 3.0))
    inner = WcsGeom.create(npix=6, binsz=0.2, skydir=CENTER, frame="galactic", axes=[ENERGY.squash()])
    assert_allclose(flat.reproject_to_geom(inner).data, 3)
    assert_allclose(flat.reproject_by_image(inner.to_image()).data, 3)
    assert one.reproject_to_geom(inner.to_image()).geom.axes == one.geom.axes
    with pytest.raises(GeometryError, match="names must be equal"):
        one.reproject_to_geom(inner.to_image().to_cube([MapAxis.from_edges([0, 1], name="rad")]))
    with pytest.raises(GeometryError, match="differ"):
        one.reproject_by_image(inner)


def test_resample() -> None:
    one = wcs_map()
    coarse = WcsGeom.create(npix=(3, 3), binsz=2, skydir=CENTER, axes=[ENERGY.squash()])
    assert_allclose(one.resample(coarse).data.sum(), one.data.sum())
    ones = Map.from_geom(GEOM, data=np.ones(GEOM.data_shape))
    mean = ones.resample(coarse, preserve_counts=False).data
    assert set(np.unique(mean)) <= {0.0, 1.0}
    fine = WcsGeom.create(npix=60, binsz=0.1, skydir=CENTER, axes=[ENERGY])
    filled = one.resample(fine, smooth=True)
    assert_allclose(filled.data.sum(), one.data.sum(), rtol=1e-6)
    assert (filled.data > 0).sum() > 20 * one.data.size
    weights = one > 5
    assert_allclose(one.resample(coarse, weights=weights).data.sum(), one.data[one.data > 5].sum())
    assert (one > 9).resample(coarse).is_mask


def test_to_region() -> None:
    one = wcs_map()
    circle = CircleSkyRegion(CENTER, 0.8 * u.deg)
    mask = GEOM.to_image().region_mask([circle]).data
    assert_allclose(one.to_region_nd_map(circle).data.ravel(), one.data[:, mask].sum(axis=1))
    assert_allclose(one.get_spectrum(circle, func=np.mean).data.ravel(), one.data[:, mask].mean(axis=1))
    assert_allclose(one.to_region_nd_map().data.ravel(), one.data.sum(axis=(1, 2)))
    weighted = one.to_region_nd_map(circle, weights=one > 5)
    assert_allclose(weighted.data.ravel(), (one.data * (one.data > 5))[:, mask].sum(axis=1))
    for point in (CENTER, PointSkyRegion(CENTER)):
        assert_allclose(
            one.to_region_nd_map(point).data.ravel(),
            one.interp_by_coord({"skycoord": CENTER, "energy": ENERGY.center}, method="nearest"),
        )
    assert (one > 5).to_region_nd_map(circle, func=np.any).is_mask
    assert wcs_map(unit="s").to_region_nd_map(circle).unit == "s"
    with pytest.raises(GeometryError, match="no pixel of the map has its centre"):
        one.to_region_nd_map(CircleSkyRegion(SkyCoord("0d", "0d"), 0.1 * u.deg))
    spec = spectrum()
    assert spec.to_region_nd_map(circle) is spec


def test_histogram() -> None:
    one = wcs_map(unit="s")
    histogram = one.to_region_nd_map_histogram(nbin=7)
    assert histogram.geom.axes.names == ["bins", "energy"]
    assert_array_equal(histogram.data.sum(axis=1).ravel(), [30, 30, 30])
    density = one.to_region_nd_map_histogram(nbin=7, density=True)
    width = density.geom.axes["bins"].bin_width
    assert_allclose((density.quantity[:, :, 0, 0] * width).sum(axis=1).to_value(""), 1)


def test_mask_contains_region() -> None:
    image = WcsGeom.create(npix=20, binsz=0.1)
    mask = image.region_mask("icrs;circle(0, 0, 0.8)")
    assert mask.mask_contains_region(CircleSkyRegion(image.center_skydir, 0.5 * u.deg))
    assert not mask.mask_contains_region(CircleSkyRegion(image.center_skydir, 0.9 * u.deg))
    everywhere = Map.from_geom(image, data=np.ones((20, 20), dtype=bool))
    assert everywhere.mask_contains_region(CircleSkyRegion(SkyCoord("0.7d", "0d"), 0.2 * u.deg))
    assert not everywhere.mask_contains_region(CircleSkyRegion(SkyCoord("0.9d", "0d"), 0.2 * u.deg))
    assert mask.mask_contains_region(PointSkyRegion(image.center_skydir))
    with pytest.raises(InputError, match="boolean masks"):
        wcs_map().mask_contains_region(PointSkyRegion(CENTER))
    with pytest.raises(GeometryError, match="2D images"):
        (wcs_map() > 5).mask_contains_region(PointSkyRegion(CENTER))
    cutout, inside = everywhere.cutout_and_mask_region(CircleSkyRegion(image.center_skydir, 0.45 * u.deg))
    assert cutout.data.shape == inside.data.shape
    assert inside.data.sum() == image.region_mask("icrs;circle(0, 0, 0.45)").data.sum()


def test_nearest_position_in_a_mask() -> None:
    image = WcsGeom.create(npix=20, binsz=0.1)
    mask = image.region_mask("icrs;circle(0.5, 0, 0.2)")
    nearest = mask.mask_nearest_position(SkyCoord("-1d", "0d"))
    assert_allclose(nearest.separation(SkyCoord("0.3d", "0d")).deg, 0, atol=0.11)
    with pytest.raises(InputError, match="nowhere true"):
        (mask & ~mask).mask_nearest_position(SkyCoord("-1d", "0d"))
    with pytest.raises(InputError, match="expected bool"):
        wcs_map().mask_nearest_position(CENTER)


def test_containment_of_a_gaussian() -> None:
    geom = WcsGeom.create(npix=201, binsz=0.02)
    sigma = 0.3
    image = WcsNDMap(geom, data=np.exp(-0.5 * (geom.separation(geom.center_skydir).deg / sigma) ** 2))
    for fraction in (0.393, 0.68, 0.95):
        expected = sigma * np.sqrt(-2 * np.log(1 - fraction))
        assert_allclose(containment_radius(image, fraction).deg, expected, atol=0.02)
        region = containment_region(image, fraction)
        assert isinstance(region, PolygonSkyRegion)
        assert_allclose(region.vertices.separation(geom.center_skydir).deg, expected, atol=0.01)
        inside = geom.region_mask([region]).data
        assert_allclose(image.data[inside].sum() / image.data.sum(), fraction, atol=0.01)
    with pytest.raises(InputError, match=r"fraction is 1\.2"):
        containment_radius(image, 1.2)
    with pytest.raises(DataError, match="the sum of the image"):
        containment_radius(image * 0, 0.5)
    with pytest.raises(GeometryError, match="2D images"):
        containment_region(wcs_map(), 0.5)


def test_containment_region_of_two_sources() -> None:
    geom = WcsGeom.create(npix=101, binsz=0.02)
    data = sum(np.exp(-0.5 * (geom.separation(SkyCoord(lon, 0, unit="deg")).deg / 0.1) ** 2) for lon in (-0.5, 0.5))
    parts = containment_region(WcsNDMap(geom, data=data), 0.5, apply_union=False)
    assert len(parts) == 2
    assert_allclose(
        geom.region_mask([containment_region(WcsNDMap(geom, data=data), 0.5)]).data.sum(), geom.region_mask(parts).data.sum()
    )


def test_region_geometry_with_axes_is_kept() -> None:
    one = wcs_map().to_region_nd_map("icrs;circle(83.63, 22.01, 0.8)")
    assert isinstance(one.geom, RegionGeom)
    assert one.geom.axes == GEOM.axes
    for where, values in one.iter_by_axis_data("energy"):
        assert_allclose(values, one.quantity[where])
