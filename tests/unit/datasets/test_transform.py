"""Cutting, slicing and rebinning: what is conserved, what is refused."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import CircleSkyRegion, RectangleSkyRegion

from geminga.datasets import MapDataset, SpectrumDataset
from geminga.maps import Map, MapAxis
from geminga.modeling.models import SkyModel
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders

REGION = CircleSkyRegion(builders.CENTER, 0.5 * u.deg)


@pytest.fixture
def dataset():
    dataset = builders.map_dataset(1, name="one")
    mask = np.ones(dataset.data_shape, dtype=bool)
    mask[0] = False
    dataset.mask_fit = Map.from_geom(dataset.counts.geom, data=mask)
    return dataset


@pytest.fixture
def safe():
    return builders.map_dataset(1, name="safe", safe=1.0)


OPERATIONS = {
    "cutout": lambda d: d.cutout(builders.CENTER, width=1 * u.deg, name="new"),
    "slice_by_idx": lambda d: d.slice_by_idx({"energy": slice(1, 3)}, name="new"),
    "slice_by_energy": lambda d: d.slice_by_energy("1 TeV", "5 TeV", name="new"),
    "downsample": lambda d: d.downsample(2, name="new"),
    "downsample_energy": lambda d: d.downsample(2, axis_name="energy", name="new"),
    "resample": lambda d: d.resample_energy_axis(MapAxis.from_energy_edges([1, 3, 10] * u.TeV), name="new"),
    "to_image": lambda d: d.to_image(name="new"),
    "pad": lambda d: d.pad(2, name="new"),
    "to_masked": lambda d: d.to_masked(name="new"),
    "copy": lambda d: d.copy(name="new"),
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_law_of_every_operation(operation, dataset):
    """All maps follow together, the dataset is left as it was, models stay behind."""
    dataset.models = [SkyModel.create("pl", name="source")]
    before = dataset.counts.data.copy()
    new = operation(dataset)
    assert type(new) is MapDataset
    assert new.name == "new"
    assert new.models is None
    for name in ("background", "mask_safe", "mask_fit"):
        assert getattr(new, name).geom == new.counts.geom, name
    assert new.mask_safe.data.dtype == bool
    assert new.exposure.geom.to_image() == new.counts.geom.to_image()
    assert_allclose(new.exposure.meta["livetime"].to_value("s"), 100)
    assert_allclose(new.gti.time_sum.to_value("s"), 100)
    assert new.edisp.edisp_map.geom.axes["energy"] == new.counts.geom.axes["energy"]
    new.validate()
    new.counts.data[...] = -7
    np.testing.assert_array_equal(dataset.counts.data, before)


@pytest.mark.parametrize("name", ["downsample", "downsample_energy", "resample", "to_image", "to_masked"])
def test_rebinning_conserves_the_safe_counts(name, dataset):
    new = OPERATIONS[name](dataset)
    for part in ("counts", "background"):
        assert_allclose(getattr(new, part).data.sum(), getattr(dataset, part).data[dataset.mask_safe.data].sum(), rtol=1e-5)


@pytest.mark.parametrize("name", ["cutout", "pad"])
def test_bins_keep_their_counts(name, safe):
    new = OPERATIONS[name](safe)
    small, large = sorted((new.counts.data, safe.counts.data), key=np.size)
    cut = [(b - s) // 2 for s, b in zip(small.shape, large.shape, strict=True)]
    inner = large[cut[0] : large.shape[0] - cut[0], cut[1] : large.shape[1] - cut[1], cut[2] : large.shape[2] - cut[2]]
    np.testing.assert_array_equal(inner, small)


def test_masks_are_true_where_any_bin_is(dataset):
    new = dataset.downsample(2)
    fine = dataset.mask_safe.data
    np.testing.assert_array_equal(new.mask_safe.data, fine.reshape(4, 3, 2, 4, 2).any(axis=(2, 4)))
    new = dataset.downsample(2, axis_name="energy")
    np.testing.assert_array_equal(new.mask_safe.data, fine.reshape(2, 2, 6, 8).any(axis=1))


def test_exposure_is_averaged_over_pixels(dataset):
    new = dataset.downsample(2)
    mean = dataset.exposure.data.reshape(-1, 3, 2, 4, 2).mean(axis=(2, 4))
    assert_allclose(new.exposure.data, mean, rtol=1e-3)
    np.testing.assert_array_equal(dataset.downsample(2, axis_name="energy").exposure.data, dataset.exposure.data)


def test_kernel_is_summed_over_safe_bins(dataset):
    dataset.mask_safe.data[...] = True
    dataset.mask_safe.data[0] = False
    image = dataset.to_image()
    assert_allclose(image.edisp.edisp_map.data[:, 0], dataset.edisp.edisp_map.data[:, 1:].sum(axis=1), rtol=1e-5)


def test_slice_rounds_to_the_nearest_edge(dataset):
    edges = dataset.counts.geom.axes["energy"].edges
    new = dataset.slice_by_energy(1.05 * edges[1], 0.95 * edges[3])
    assert_allclose(new.counts.geom.axes["energy"].edges.value, edges[1:4].value)
    np.testing.assert_array_equal(new.counts.data, dataset.counts.data[1:3])
    np.testing.assert_array_equal(new.edisp.edisp_map.data, dataset.edisp.edisp_map.data[:, 1:3])
    np.testing.assert_array_equal(new.exposure.data, dataset.exposure.data)


def test_slice_of_true_energy(dataset):
    new = dataset.slice_by_idx({"energy_true": slice(0, 2)})
    assert new.exposure.data.shape[0] == new.psf.psf_map.data.shape[0] == new.edisp.edisp_map.data.shape[0] == 2
    assert new.counts.data.shape == dataset.counts.data.shape


def test_slice_outside(dataset):
    with pytest.raises(ValueError, match=r"leave no whole bin between 1.0 TeV and 10.0 TeV"):
        dataset.slice_by_energy(20 * u.TeV, 30 * u.TeV)


def test_slice_swapped(dataset):
    with pytest.raises(ValueError, match=r"energy_min 5.0 TeV is not below energy_max 2.0 TeV"):
        dataset.slice_by_energy(5 * u.TeV, 2 * u.TeV)


def test_slice_wrong_unit(dataset):
    with pytest.raises(ValueError, match=r"energy_min: .* has unit 's'"):
        dataset.slice_by_energy(5 * u.s, 2 * u.TeV)


def test_unknown_axis(dataset):
    with pytest.raises(KeyError, match="MapDataset 'one': no map has an axis named 'energie'"):
        dataset.slice_by_idx({"energie": slice(0, 1)})
    with pytest.raises(KeyError, match="the counts have no axis named 'rad'"):
        dataset.downsample(2, axis_name="rad")


class TestRegion:
    def test_sums_and_means(self, safe):
        inside = safe.counts.geom.to_image().region_mask([REGION]).data
        new = safe.to_region_map_dataset(REGION, name="new")
        assert (new.name, type(new)) == ("new", MapDataset)
        assert_allclose(new.counts.data.ravel(), safe.counts.data[:, inside].sum(axis=1))
        assert_allclose(new.background.data.ravel(), safe.background.data[:, inside].sum(axis=1), rtol=1e-6)
        assert_allclose(new.exposure.data.ravel(), safe.exposure.data[:, inside].mean(axis=1), rtol=1e-6)
        assert new.mask_safe.data.all()
        assert new.psf.psf_map.geom.is_region
        assert_allclose(new.exposure.meta["livetime"].to_value("s"), 100)

    def test_mask_of_an_energy_bin(self, safe):
        safe.mask_safe.data[1] = False
        new = safe.to_region_map_dataset(REGION)
        assert list(new.mask_safe.data.ravel()) == [True, False, True, True]
        assert new.counts.data.ravel()[1] == 0

    def test_partly_masked(self, safe):
        row, column = np.argwhere(safe.counts.geom.to_image().region_mask([REGION]).data)[0]
        safe.mask_safe.data[2, row, column] = False
        with pytest.raises(ValueError, match="mask_safe is true in a part of the region only, in energy bins 2;"):
            safe.to_region_map_dataset(REGION)

    def test_outside(self, safe):
        region = CircleSkyRegion(SkyCoord(84.6, 22, unit="deg"), 0.5 * u.deg)
        with pytest.raises(ValueError, match="not wholly inside the field"):
            safe.to_region_map_dataset(region)

    def test_spectrum(self, safe):
        new = safe.to_spectrum_dataset(REGION, name="new")
        assert type(new) is SpectrumDataset
        assert new.psf is None
        assert_allclose(new.exposure.data, safe.to_region_map_dataset(REGION).exposure.data)

    def test_containment(self, safe):
        full = safe.to_spectrum_dataset(REGION)
        part = safe.to_spectrum_dataset(REGION, containment_correction=True)
        fraction = (part.exposure.data / full.exposure.data).ravel()
        # A Gaussian of 0.15 deg in a circle of 0.5 deg.
        assert_allclose(fraction, 1 - np.exp(-0.5 * (0.5 / 0.15) ** 2), atol=0.01)

    def test_containment_needs_a_circle(self, safe):
        region = RectangleSkyRegion(builders.CENTER, 0.5 * u.deg, 0.5 * u.deg)
        with pytest.raises(ValueError, match="needs a CircleSkyRegion, got a RectangleSkyRegion"):
            safe.to_spectrum_dataset(region, containment_correction=True)

    def test_containment_needs_a_psf(self, safe):
        safe.psf = None
        with pytest.raises(ValueError, match="needs a PSF"):
            safe.to_spectrum_dataset(REGION, containment_correction=True)


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
class TestNumbers:
    @pytest.fixture
    def gc(self):
        return MapDataset.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"))

    def test_to_spectrum(self, gc):
        region = CircleSkyRegion(SkyCoord(0, 0, unit="deg", frame="galactic"), 0.5 * u.deg)
        new = gc.to_spectrum_dataset(region, containment_correction=True)
        assert_allclose(new.counts.data.ravel(), [2108, 1263, 810, 553, 306, 188, 175, 120, 81, 40])
        expected = [
            1571.361084,
            850.799988,
            437.796661,
            226.813614,
            110.201797,
            54.358086,
            31.984898,
            19.744896,
            12.988043,
            7.607835,
        ]
        assert_allclose(new.background.data.ravel(), expected, rtol=1e-5)
        assert_allclose(new.exposure.data.ravel()[5], 2941095424.0, rtol=1e-4)

    def test_to_image(self, gc):
        image = gc.to_image()
        assert image.counts.data.sum() == 104317
        assert_allclose(image.background.data.sum(dtype=float), 91507.68629208812, rtol=1e-6)
        assert image.exposure.data.shape == (14, 240, 320)
        assert image.edisp.edisp_map.data.shape == (14, 1, 12, 16)

    def test_downsample(self, gc):
        new = gc.downsample(4)
        assert new.counts.data.sum() == 104317
        assert_allclose(new.exposure.data.max(), 19023405056.0, rtol=1e-4)
        assert new.mask_safe.data.sum() == 43520
