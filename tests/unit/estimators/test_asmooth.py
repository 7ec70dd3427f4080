import astropy.units as u
import numpy as np
import pytest
from astropy.convolution import Gaussian2DKernel, Ring2DKernel, Tophat2DKernel
from scipy.signal import convolve2d

from geminga.datasets import MapDataset, MapDatasetOnOff
from geminga.errors import InputError, NameLookupError
from geminga.estimators import ASmoothMapEstimator
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.stats import CashCountsStatistic
from tests.helpers import requires_data

ENERGY = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
GEOM = WcsGeom.create(npix=(61, 61), binsz=0.02, axes=[ENERGY])
SCALES = [0.02, 0.04, 0.08] * u.deg


def field(seed=0, level=0.3):
    counts = np.random.default_rng(seed).poisson(level, (2, 61, 61)).astype(float)
    counts[:, 30, 30] += 20
    exposure = Map.from_geom(GEOM.to_image().to_cube([ENERGY.copy(name="energy_true")]), unit="cm2 s")
    exposure.data += 1e12
    background = Map.from_geom(GEOM, data=np.full(counts.shape, level))
    return MapDataset(counts=Map.from_geom(GEOM, data=counts), background=background, exposure=exposure, name="a")


def test_scales():
    np.testing.assert_allclose(ASmoothMapEstimator.get_scales(3), [0.18806319, 0.26596152, 0.37612639], rtol=1e-6)
    np.testing.assert_allclose(ASmoothMapEstimator.get_scales(2, kernel=Tophat2DKernel), [0.56418958, 0.79788456], rtol=1e-6)
    with pytest.raises(InputError, match="Ring"):
        ASmoothMapEstimator.get_scales(2, kernel=Ring2DKernel)


def test_each_pixel_has_the_smallest_significant_scale():
    dataset = field()
    estimator = ASmoothMapEstimator(scales=SCALES[::-1], threshold=4)
    maps = estimator.run(dataset)
    counts, background = (m.data.sum(axis=0) for m in (dataset.counts, dataset.background))
    expected = np.full(counts.shape, np.nan)
    for scale, kernel in zip(SCALES.value, estimator.get_kernels(0.02 * u.deg), strict=True):
        n, b = (convolve2d(image, kernel.array, mode="same") for image in (counts, background))
        root = CashCountsStatistic(np.maximum(n, 0), b).sqrt_ts
        chosen = np.isnan(expected) & (root >= 4)
        expected[chosen] = scale
        area = convolve2d(np.ones_like(counts), kernel.array, mode="same")
        np.testing.assert_allclose(maps["counts"].data[0][chosen], (n / area)[chosen], rtol=1e-6)
        np.testing.assert_allclose(maps["sqrt_ts"].data[0][chosen], root[chosen], rtol=1e-6)
    np.testing.assert_array_equal(maps["scale"].data[0], expected)
    assert maps["scale"].data[0, 30, 30] == pytest.approx(0.02)
    rest = np.isnan(expected)
    np.testing.assert_allclose(maps["counts"].data[0][rest], counts[rest].mean())


def test_constant_image_stays_constant():
    dataset = field()
    dataset.counts.data[:] = 9.0
    maps = ASmoothMapEstimator(scales=SCALES, threshold=3).run(dataset)
    np.testing.assert_allclose(maps["counts"].data, 18)  # also at the edges
    np.testing.assert_allclose(maps["flux"].data, (18 - 0.6) / 1e12, rtol=1e-6)


def test_mask_does_not_dilute():
    dataset = field()
    dataset.counts.data[:] = 9.0
    mask = np.ones((2, 61, 61), bool)
    mask[:, :, :20] = False
    dataset.mask_safe = Map.from_geom(GEOM, data=mask)
    maps = ASmoothMapEstimator(scales=SCALES, threshold=3).run(dataset)
    np.testing.assert_allclose(maps["counts"].data[0, :, 20:], 18)
    assert np.isnan(maps["sqrt_ts"].data[0, :, :20]).all()


def test_bands_and_methods():
    dataset = field()
    maps = ASmoothMapEstimator(scales=SCALES, energy_edges=[1, 3, 10] * u.TeV).run(dataset)
    assert maps["counts"].geom.axes["energy"].nbin == 2
    whole = ASmoothMapEstimator(scales=SCALES).estimate_maps(dataset)
    assert whole["counts"].geom.axes["energy"].nbin == 1
    rough = ASmoothMapEstimator(scales=SCALES, method="asmooth", threshold=3).run(dataset)
    kernel = ASmoothMapEstimator(scales=SCALES).get_kernels(0.02 * u.deg)[0].array
    n, b = (convolve2d(m.data.sum(axis=0), kernel, mode="same")[30, 30] for m in (dataset.counts, dataset.background))
    assert rough["sqrt_ts"].data[0, 30, 30] == pytest.approx((n - b) / np.sqrt(n + b))
    top = ASmoothMapEstimator(scales=SCALES, kernel=Tophat2DKernel).run(dataset)
    assert np.isfinite(top["scale"].data[0, 30, 30])
    dataset.exposure = None
    assert "flux" not in ASmoothMapEstimator(scales=SCALES).run(dataset)


def test_off_counts():
    known = field()
    measured = MapDatasetOnOff.from_map_dataset(known, acceptance=1, acceptance_off=4, counts_off=known.background * 4)
    one, other = (ASmoothMapEstimator(scales=SCALES).run(d) for d in (known, measured))
    np.testing.assert_allclose(other["background"].data, one["background"].data, rtol=1e-5)


def test_refusals():
    with pytest.raises(NameLookupError, match="method"):
        ASmoothMapEstimator(method="foo")
    with pytest.raises(InputError, match="scales"):
        ASmoothMapEstimator().run(field())
    bare = field()
    bare.background = None
    with pytest.raises(InputError, match="no background"):
        ASmoothMapEstimator(scales=SCALES).run(bare)
    assert Gaussian2DKernel is ASmoothMapEstimator().kernel


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_numbers_of_gammapy():
    # Kernels of five pixels and more, away from the edges of the mask, where the two agree.
    dataset = MapDataset.read("$GAMMAPY_DATA/cta-1dc-gc/cta-1dc-gc.fits.gz", name="gc")
    maps = ASmoothMapEstimator(scales=[0.1, 0.2, 0.4] * u.deg, energy_edges=[1, 10] * u.TeV).run(dataset)
    where = (0, [120, 100, 118, 90], [160, 100, 40, 200])
    np.testing.assert_allclose(maps["counts"].data[where], [1.38129, 0.31593, 0.10452, 0.26384], rtol=3e-3)
    np.testing.assert_allclose(maps["background"].data[where], [0.100443, 0.067081, 0.035509, 0.068018], rtol=1e-3)
    np.testing.assert_allclose(maps["sqrt_ts"].data[where], [21.74473, 6.97469, 5.94076, 5.71874], rtol=3e-3)
    np.testing.assert_allclose(maps["scale"].data[where], [0.1, 0.1, 0.2, 0.1])
    np.testing.assert_allclose(maps["flux"].data[0, 100, 100], 4.06675e-15, rtol=5e-3)
