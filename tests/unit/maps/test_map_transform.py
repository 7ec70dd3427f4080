"""Maps with other pixels and bins: what is conserved, and what comes back."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geminga.errors import DataError, GeometryError, InputError, NameLookupError, UnsupportedError
from geminga.maps import LabelMapAxis, Map, MapAxis, RegionNDMap, WcsGeom, WcsNDMap
from tests.helpers import data_path, requires_data

ENERGY = MapAxis.from_energy_edges([0.1, 1, 3, 10, 100] * u.TeV)
RAD = MapAxis.from_edges([0, 1, 3], unit="deg", name="rad")
GEOM = WcsGeom.create(npix=(8, 4), binsz=0.5, axes=[ENERGY, RAD], frame="galactic")
REGION = "galactic;circle(0, 0, 1)"


def wcs_map(seed: int = 0, geom: WcsGeom = GEOM) -> WcsNDMap:
    return WcsNDMap(geom, data=np.random.default_rng(seed).uniform(0, 10, geom.data_shape))


def region_map(seed: int = 0) -> RegionNDMap:
    return RegionNDMap.create(REGION, axes=[ENERGY, RAD], data=np.random.default_rng(seed).uniform(0, 10, (2, 4, 1, 1)))


KINDS = {"wcs": wcs_map, "region": region_map}
kinds = pytest.mark.parametrize("kind", list(KINDS))


# Laws


@kinds
@pytest.mark.parametrize("axis_name", [None, "energy", "rad"])
@given(seed=st.integers(0, 100), factor=st.sampled_from([1, 2]))
def test_down_and_upsample_conserve_the_sum(kind: str, axis_name: str | None, seed: int, factor: int) -> None:
    one = KINDS[kind](seed)
    total = one.data.sum()
    assert_allclose(one.upsample(factor, axis_name=axis_name).data.sum(), total)
    assert_allclose(one.downsample(factor, axis_name=axis_name).data.sum(), total)


@kinds
@pytest.mark.parametrize("axis_name", [None, "energy", "rad"])
def test_downsample_is_the_inverse_of_upsample(kind: str, axis_name: str | None) -> None:
    one = KINDS[kind]()
    back = one.upsample(3, axis_name=axis_name).downsample(3, axis_name=axis_name)
    assert back.is_allclose(one)
    back = one.upsample(3, axis_name=axis_name, preserve_counts=False).downsample(3, axis_name=axis_name, preserve_counts=False)
    assert back.is_allclose(one)


@kinds
@pytest.mark.parametrize("axis_name", ["energy", "rad"])
def test_splitting_and_stacking_is_identity(kind: str, axis_name: str) -> None:
    one = KINDS[kind]()
    parts = list(one.iter_by_axis(axis_name, keepdims=True))
    assert type(one).from_stack(parts, axis_name=axis_name).is_allclose(one)
    images = one.split_by_axis(axis_name)
    assert Map.from_stack(images, axis=one.geom.axes[axis_name]).reorder_axes(["energy", "rad"]).is_allclose(one)


@kinds
def test_reorder_is_its_own_inverse(kind: str) -> None:
    one = KINDS[kind]()
    turned = one.reorder_axes(["rad", "energy"])
    assert turned.geom.axes.names == ["rad", "energy"]
    assert_array_equal(turned.data[3, 1], one.data[1, 3])
    assert turned.reorder_axes(["energy", "rad"]).is_allclose(one)
    with pytest.raises(GeometryError, match="in any order"):
        one.reorder_axes(["energy"])


@given(st.integers(0, 3), st.integers(0, 2), st.sampled_from(["constant", "edge", "interp"]))
def test_crop_undoes_pad(nx: int, ny: int, mode: str) -> None:
    one = wcs_map()
    assert one.pad((nx, ny), mode=mode).crop((nx, ny)).is_allclose(one)


@kinds
@pytest.mark.parametrize("mode", ["constant", "edge", "interp"])
def test_slice_undoes_pad_of_an_axis(kind: str, mode: str) -> None:
    one = KINDS[kind]()
    padded = one.pad((1, 2), axis_name="energy", mode=mode, cval=7)
    assert padded.geom.axes["energy"].nbin == 7
    assert padded.slice_by_idx({"energy": slice(1, 5)}).is_allclose(one)
    expected = {
        "constant": np.full_like(one.data[:, 0], 7),
        "edge": one.data[:, 0],
        "interp": 2 * one.data[:, 0] - one.data[:, 1],
    }
    assert_allclose(padded.data[:, 0], expected[mode])


@kinds
def test_sums_do_not_depend_on_the_way(kind: str) -> None:
    one = KINDS[kind]()
    assert_allclose(one.sum_over_axes().data[0, 0], one.data.sum(axis=(0, 1)))
    assert_allclose(one.sum_over_axes(["energy"], keepdims=False).data, one.data.sum(axis=1))
    assert_allclose(one.reduce("rad").data, one.data.sum(axis=0))
    assert one.sum_over_axes().geom.axes["energy"].edges[0] == ENERGY.edges[0]
    assert_allclose(one.reduce_over_axes(np.maximum).data, one.data.max(axis=(0, 1)))


def test_stack_of_cutouts_is_the_map() -> None:
    one = wcs_map()
    total = Map.from_geom(one.geom, dtype=float)
    for lon in (-1, 1):
        part = one.cutout(SkyCoord(lon, 0, unit="deg", frame="galactic"), width=(2, 2) * u.deg)
        assert part.geom.data_shape == (2, 4, 4, 4)
        total.stack(part)
    assert total.is_allclose(one)


@given(st.integers(0, 50))
def test_stack_is_commutative_and_weights_multiply(seed: int) -> None:
    one, other = wcs_map(seed), wcs_map(seed + 1)
    weights = wcs_map(seed + 2) > 5
    left, right = one.copy(), other.copy()
    left.stack(other)
    right.stack(one)
    assert left.is_allclose(right)
    left = one.copy()
    left.stack(other, weights=weights)
    assert_allclose(left.data, one.data + other.data * weights.data)


# Numbers


def test_reference_downsample() -> None:
    geom = WcsGeom.create(npix=4, binsz=1, axes=[MapAxis([1, 2, 3], name="energy", unit="TeV")])
    one = WcsNDMap(geom, data=np.arange(32.0).reshape(2, 4, 4))
    assert_allclose(one.downsample(2).data[0], [[10, 18], [42, 50]])
    assert_allclose(one.resample_axis(MapAxis([1, 3], name="energy", unit="TeV")).data.sum(), 496)


def test_upsample_of_a_spectrum_shares_its_counts() -> None:
    one = RegionNDMap.create(REGION, axes=[MapAxis([0, 2, 4], name="energy", unit="TeV")], data=np.array([10.0, 2.0]))
    assert_allclose(one.upsample(2, axis_name="energy").data.ravel(), [5, 5, 1, 1])
    assert_allclose(one.upsample(2, axis_name="energy", preserve_counts=False).data.ravel(), [10, 10, 2, 2])


def test_upsample_shares_counts_in_proportion_to_widths() -> None:
    one = RegionNDMap.create(REGION, axes=[MapAxis.from_energy_edges([1, 100] * u.TeV)], data=np.array([99.0]))
    assert_allclose(one.upsample(2, axis_name="energy").data.ravel(), [9, 90])


@pytest.mark.parametrize("geometry", ["wcs", "region"])
def test_masks_are_joined_by_or_on_every_geometry(geometry: str) -> None:
    one = KINDS[geometry]()
    mask = one._like(np.zeros(one.data.shape, dtype=bool))
    mask.data[0, 1] = True
    for joined in (
        mask.downsample(2, axis_name="energy"),
        mask.resample_axis(MapAxis.from_energy_edges([0.1, 3, 100] * u.TeV), ufunc=np.logical_or),
    ):
        assert joined.is_mask
        assert_array_equal(joined.data[:, :, 0, 0], [[True, False], [False, False]])
    assert mask.upsample(2, axis_name="energy").is_mask


def test_mean_and_weighted_mean() -> None:
    one = WcsNDMap(WcsGeom.create(npix=2, binsz=1), data=np.array([[1.0, 2.0], [3.0, np.nan]]))
    assert_allclose(one.downsample(2, preserve_counts=False).data, [[2.0]])
    assert_allclose(one.downsample(2).data, [[6.0]])
    weights = WcsNDMap(one.geom, data=np.array([[1.0, 0.0], [3.0, 1.0]]))
    assert_allclose(one.downsample(2, preserve_counts=False, weights=weights).data, [[10 / 4]])
    nothing = WcsNDMap(one.geom, data=np.zeros((2, 2)))
    assert np.isnan(one.downsample(2, preserve_counts=False, weights=nothing).data).all()


def test_nan_is_left_out_of_sums() -> None:
    one = wcs_map()
    one.data[0, 0, 0, 0] = np.nan
    assert_allclose(one.sum_over_axes().data[0, 0, 0, 0], one.data[:, :, 0, 0][~np.isnan(one.data[:, :, 0, 0])].sum())
    assert np.isfinite(one.reduce_over_axes(np.maximum).data).all()
    assert np.isfinite(one.reduce_over_axes(np.minimum).data).all()


def test_cutout_partial_is_filled_with_zeros() -> None:
    one = WcsNDMap(WcsGeom.create(npix=4, binsz=1), data=np.ones((4, 4)))
    corner = SkyCoord(-1.5, 1.5, unit="deg")
    assert one.cutout(corner, 3).data.shape == (2, 2)
    partial = one.cutout(corner, 3, mode="partial")
    assert partial.data.shape == (3, 3)
    assert partial.data.sum() == 4
    with pytest.raises(GeometryError, match="in part only"):
        one.cutout(corner, 3, mode="strict")
    assert one.cutout(corner, 1.9, odd_npix=True, mode="partial").data.shape == (3, 3)


def test_cumsum_integral_normalize() -> None:
    axis = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
    spectrum = RegionNDMap.create(REGION, axes=[axis], data=np.array([2.0, 1.0]), unit="TeV-1")
    sums = spectrum.cumsum("energy")
    assert_allclose(sums.quantity.to_value("").ravel(), [0, 4, 11])
    assert sums.geom.axes["energy"].node_type == "center"
    assert_allclose(spectrum.integral("energy", {"energy": [1, 3, 10, 50] * u.TeV}).to_value(""), [0, 4, 11, 11])
    spectrum.normalize("energy")
    assert_allclose((spectrum.quantity.ravel() * axis.bin_width).sum().to_value(""), 1)
    rad = RegionNDMap.create(None, axes=[MapAxis.from_bounds(0, 2, nbin=200, unit="deg", name="rad")], unit="sr-1")
    rad.data += 3
    assert_allclose(rad.cumsum("rad").quantity[-1].to_value(""), 3 * np.pi * np.deg2rad(2) ** 2)
    rad.normalize()
    assert rad.unit == "sr-1"
    assert_allclose(rad.cumsum("rad").quantity[-1].to_value(""), 1)
    zero = RegionNDMap.create(None, axes=[axis])
    zero.normalize()
    assert (zero.data == 0).all()
    with pytest.raises(NameLookupError, match="axis_name must be given"):
        region_map().normalize()


def test_dot_is_the_sum_of_products() -> None:
    true = MapAxis.from_energy_edges([1, 3, 10, 30] * u.TeV, name="energy_true")
    reco = MapAxis.from_energy_edges([1, 5, 30] * u.TeV)
    matrix = RegionNDMap.create(None, axes=[reco, true], data=np.arange(6.0).reshape(3, 2, 1, 1), unit="m")
    cube = wcs_map(geom=WcsGeom.create(npix=(3, 2), binsz=1, axes=[true]))
    folded = cube.dot(matrix)
    assert folded.geom.axes.names == ["energy"]
    assert folded.unit == "m"
    assert_allclose(folded.data, np.einsum("tyx,tr->ryx", cube.data, matrix.data[..., 0, 0]))
    with pytest.raises(GeometryError, match="RegionNDMap"):
        cube.dot(cube)
    with pytest.raises(GeometryError, match="must share one axis"):
        cube.dot(RegionNDMap.create(None, axes=[reco]))


def test_slices_and_images() -> None:
    one = wcs_map()
    assert one.slice_by_idx({"energy": 1}).geom.axes.names == ["rad"]
    assert_array_equal(one.get_image_by_coord({"energy": 2 * u.TeV, "rad": 2 * u.deg}).data, one.data[1, 1])
    assert_array_equal(one.get_image_by_coord((2 * u.TeV, 2 * u.deg)).data, one.data[1, 1])
    assert_array_equal(one.get_image_by_pix((1.2, 0.9)).data, one.data[1, 1])
    assert_array_equal(one.get_image_by_idx((3, 0)).data, one.data[0, 3])
    assert [idx for _, idx in one.iter_by_image_data()] == list(one.iter_by_image_index()) == list(np.ndindex(2, 4))
    for image, idx in zip(one.iter_by_image(keepdims=True), one.iter_by_image_index(), strict=True):
        assert image.geom.axes.names == ["energy", "rad"]
        assert_array_equal(image.data[0, 0], one.data[idx])
    with pytest.raises(GeometryError, match="outside the axes"):
        one.get_image_by_coord((200 * u.TeV, 2 * u.deg))
    with pytest.raises(GeometryError, match="outside the axes"):
        one.get_image_by_idx((9, 0))
    with pytest.raises(GeometryError, match="expected one for each of the axes"):
        one.get_image_by_idx((1,))
    with pytest.raises(NameLookupError, match="time"):
        one.slice_by_idx({"time": 1})


def test_axes_can_be_labels() -> None:
    axis = LabelMapAxis(["a", "b"], name="dataset")
    one = WcsNDMap(WcsGeom.create(npix=2, binsz=1, axes=[axis]), data=np.arange(8.0).reshape(2, 2, 2))
    assert one.sum_over_axes().geom.axes["dataset"].center.tolist() == ["a...b"]
    assert one.get_image_by_coord(("b",)).data.sum() == 22
    back = Map.from_stack([one.slice_by_idx({"dataset": slice(i, i + 1)}) for i in (0, 1)], axis_name="dataset")
    assert back.is_allclose(one)


def test_rename_and_to_cube() -> None:
    one = wcs_map()
    assert one.rename_axes("energy", "energy_true").geom.axes.names == ["energy_true", "rad"]
    time = MapAxis.from_edges([0, 1], unit="h", name="time")
    assert one.to_cube([time]).geom.axes.names == ["energy", "rad", "time"]
    with pytest.raises(GeometryError, match="expected one each"):
        one.to_cube([MapAxis.from_edges([0, 1, 2], name="time")])


def test_bad_input_is_refused() -> None:
    one = wcs_map()
    weights = Map.from_geom(one.geom, dtype=float)
    weights.data[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="1 NaN in the weights"):
        one.sum_over_axes(weights=weights)
    with pytest.raises(DataError, match="1 NaN in the weights"):
        one.stack(one.copy(), weights=weights)
    with pytest.raises(GeometryError, match="Weights have shape"):
        one.downsample(2, weights=np.ones((3, 3)))
    with pytest.raises(GeometryError, match="not divisible"):
        one.downsample(3)
    with pytest.raises(InputError, match="mode is 'wrap'"):
        one.pad(1, mode="wrap")
    with pytest.raises(GeometryError, match="Can only stack equal maps or cutout maps"):
        one.stack(wcs_map(geom=WcsGeom.create(npix=4, binsz=0.3)))
    with pytest.raises(InputError, match="one of the two"):
        Map.from_stack([one])
    with pytest.raises(GeometryError, match="2 maps for an axis of 3 bins"):
        Map.from_stack([one, one], axis=MapAxis([1, 2, 3, 4], name="time"))
    with pytest.raises(GeometryError, match="another geometry than map 0"):
        Map.from_stack([one, one.crop(1)], axis=MapAxis([1, 2, 3], name="time"))
    with pytest.raises(UnsupportedError, match="not supported"):
        region_map().crop()
    with pytest.raises(UnsupportedError, match="not supported"):
        region_map().pad(1)


# Real data


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_galactic_centre_numbers() -> None:
    path = data_path("cta-1dc-gc/cta-1dc-gc.fits.gz")
    counts, mask = Map.read(path, hdu="COUNTS"), Map.read(path, hdu="MASK_SAFE")
    assert (counts.data.dtype, mask.data.dtype) == (np.float32, bool)
    assert counts.data.dtype.isnative
    assert counts.data.sum() == 104317
    assert f"{Map.read(path, hdu='BACKGROUND').data.sum():.2f}" == "91507.70"
    assert mask.data.sum() == 691680
    assert mask.downsample(4).data.sum() == 43520
    assert counts.downsample(8).data.shape == (10, 30, 40)
    assert counts.downsample(8).data.sum() == 104317
    cutout = counts.cutout(counts.geom.center_skydir, 2 * u.deg)
    assert (cutout.data.shape, cutout.data.sum()) == ((10, 80, 80), 21974)
    axis = MapAxis.from_energy_edges([0.1, 0.3, 1, 3, 10] * u.TeV)
    assert_allclose(counts.resample_axis(axis).data.sum(axis=(1, 2)), [71460, 26455, 4109, 2293])
    spectrum = counts.to_region_nd_map("galactic;circle(0, 0, 0.5)", weights=mask)
    assert spectrum.data.sum() == 5644
    assert Map.read(path, hdu="EXPOSURE").meta["livetime"].unit == "s"
    assert_allclose(Map.read(path, hdu="EXPOSURE").meta["livetime"].value, 5292.00010298)
