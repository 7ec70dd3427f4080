"""Smoothing, convolution and morphology."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import convolve2d

from geminga.errors import GeometryError, InputError, UnsupportedError
from geminga.maps import Map, MapAxis, WcsGeom, WcsNDMap
from tests.helpers import data_path, requires_data

ENERGY = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
GEOM = WcsGeom.create(npix=(31, 21), binsz=0.1, axes=[ENERGY])


def point(geom: WcsGeom = GEOM) -> WcsNDMap:
    one = Map.from_geom(geom, dtype=float)
    one.data[..., 10, 15] = 1
    return one


@pytest.mark.parametrize("kernel", ["gauss", "disk", "box"])
@pytest.mark.parametrize("width", ["0.2 deg", 0.2 * u.deg, 2])
def test_smoothing_conserves_the_sum(kernel: str, width: object) -> None:
    smooth = point().smooth(width, kernel)
    assert_allclose(smooth.data.sum(axis=(1, 2)), 1, rtol=1e-6)
    assert smooth.data.max() < 1
    flat = Map.from_geom(GEOM, data=np.full(GEOM.data_shape, 5.0))
    assert_allclose(flat.smooth(width, kernel).data, 5)


def test_widths_of_kernels() -> None:
    image = point(GEOM.to_image())
    x = np.arange(31)
    gauss = image.smooth(2).data
    assert_allclose((gauss * (x - 15) ** 2).sum(), 4, rtol=2e-2)
    assert (image.smooth(2, "disk").data > 0).sum() == 13
    assert (image.smooth(3, "box").data > 1e-12).sum() == 9
    assert (image > 0).smooth(2).data.dtype == float
    assert image.copy(dtype="float32").smooth(2).data.dtype == "float32"
    with pytest.raises(InputError, match="kernel is 'cone'"):
        image.smooth(2, "cone")
    with pytest.raises(InputError, match="width is 0"):
        image.smooth(0)


@given(st.integers(0, 30), st.sampled_from([(3, 3), (5, 3), (4, 4), (7, 9)]))
def test_convolution_agrees_with_sums(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    image = WcsNDMap(GEOM, data=rng.normal(size=GEOM.data_shape))
    kernel = rng.normal(size=shape)
    expected = [convolve2d(one, kernel, mode="same") for one in image.data]
    assert_allclose(image.convolve(kernel).data, expected, atol=1e-12)
    assert_allclose(image.convolve(kernel, method="direct").data, expected, atol=1e-12)


def test_no_negative_counts() -> None:
    rng = np.random.default_rng(0)
    image = WcsNDMap(GEOM, data=(rng.poisson(0.01, GEOM.data_shape) * 1000).astype("float32"))
    out = image.convolve(np.exp(-0.5 * np.add.outer(np.linspace(-4, 4, 15) ** 2, np.linspace(-4, 4, 15) ** 2)))
    assert out.data.min() >= 0
    assert out.data.dtype == "float32"
    # Noise of a transform in single precision would be 1e-4 here.
    empty = WcsNDMap(GEOM, data=np.zeros(GEOM.data_shape, dtype="float32"))
    empty.data[0, 0, 0] = 1000
    assert empty.convolve(np.ones((3, 3))).data[0, 10:, 10:].max() < 1e-10


def test_kernels_with_axes() -> None:
    kernel_geom = WcsGeom.create(npix=3, binsz=0.1, axes=[ENERGY])
    kernel = Map.from_geom(kernel_geom, data=np.stack([np.ones((3, 3)), 2 * np.ones((3, 3))]))
    out = point().convolve(kernel)
    assert_allclose(out.data.sum(axis=(1, 2)), [9, 18])
    cube = point(GEOM.to_image()).convolve(kernel)
    assert cube.geom.axes.names == ["energy"]
    assert_allclose(cube.data, out.data, atol=1e-12)
    full = point().convolve(kernel, mode="full")
    assert full.data.shape == (2, 23, 33)
    assert_allclose(full.crop(1).data, out.data, atol=1e-12)
    with pytest.raises(GeometryError, match="must agree"):
        point().convolve(np.ones((3, 3, 3)))
    with pytest.raises(UnsupportedError, match="'valid'"):
        point().convolve(kernel, mode="valid")


@pytest.mark.parametrize("use_fft", [True, False])
@pytest.mark.parametrize(("kernel", "number"), [("disk", 29), ("box", 49)])
def test_dilation_of_a_pixel_is_the_structure(use_fft: bool, kernel: str, number: int) -> None:
    dilated = (point() > 0).binary_dilate("0.3 deg", kernel=kernel, use_fft=use_fft)
    assert_array_equal(dilated.data.sum(axis=(1, 2)), [number, number])
    eroded = dilated.binary_erode(0.3 * u.deg, kernel=kernel, use_fft=use_fft)
    assert_array_equal(eroded.data, point().data > 0)


@given(st.integers(0, 50), st.sampled_from(["disk", "box"]), st.sampled_from([0.1, 0.2, 0.35]))
def test_morphology_is_the_same_by_transform(seed: int, kernel: str, width: float) -> None:
    mask = WcsNDMap(GEOM, data=np.random.default_rng(seed).uniform(size=GEOM.data_shape) > 0.7)
    for name in ("binary_dilate", "binary_erode"):
        one, other = (getattr(mask, name)(width * u.deg, kernel, use_fft=use_fft) for use_fft in (True, False))
        assert_array_equal(one.data, other.data)
    assert (mask.data <= mask.binary_dilate(width * u.deg, kernel).data).all()
    assert (mask.data >= mask.binary_erode(width * u.deg, kernel).data).all()


def test_morphology_needs_a_mask() -> None:
    with pytest.raises(InputError, match="boolean masks"):
        point().binary_dilate(0.1 * u.deg)


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_smoothing_of_real_counts() -> None:
    counts = Map.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"), hdu="COUNTS").sum_over_axes()
    assert counts.data.shape == (1, 240, 320)
    smooth = counts.smooth("0.1 deg")
    assert_allclose(smooth.data.sum(), 104317, rtol=1e-4)
