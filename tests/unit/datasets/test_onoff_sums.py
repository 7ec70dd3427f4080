"""On/off datasets rebinned and stacked: counts, off counts and backgrounds add up, in any order."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.datasets import Datasets, MapDatasetOnOff, SpectrumDatasetOnOff
from geminga.errors import DataError
from geminga.maps import Map, MapAxis
from tests.unit.datasets import builders

MAPS = ("counts", "counts_off", "acceptance", "acceptance_off", "background", "exposure", "mask_safe")


def numbers(dataset):
    arrays = {name: getattr(dataset, name).data for name in MAPS}
    return arrays | {"edisp": dataset.edisp.edisp_map.data, "edisp_exposure": dataset.edisp.exposure_map.data}


def assert_same(one, other, rtol=1e-10):
    theirs = numbers(other)
    for name, value in numbers(one).items():
        assert_allclose(value, theirs[name], rtol=rtol, atol=1e-12 * np.abs(value).max(), err_msg=name)
    assert one.gti.time_sum == other.gti.time_sum


def stacked(*datasets):
    total = datasets[0].to_masked()
    for dataset in datasets[1:]:
        total.stack(dataset)
    return total


@pytest.fixture
def dataset():
    return builders.onoff_spectrum(seed=3, nbin=12)


@pytest.fixture
def on_map():
    return builders.onoff_map()


def masked_sum(dataset, name):
    return (getattr(dataset, name).data * dataset.mask_safe.data).sum()


def rebinned(dataset):
    axis = MapAxis.from_energy_edges(dataset.counts.geom.axes["energy"].edges[::3])
    return {
        "image": dataset.to_image(name="new"),
        "downsample": dataset.downsample(3, axis_name="energy", name="new"),
        "resample": dataset.resample_energy_axis(axis, name="new"),
    }


@pytest.mark.parametrize("kind", ["image", "downsample", "resample"])
def test_rebinning_keeps_sums(dataset, kind):
    new = rebinned(dataset)[kind]
    assert type(new) is SpectrumDatasetOnOff
    assert new.name == "new"
    for name in ("counts", "counts_off", "acceptance", "background"):
        assert_allclose(getattr(new, name).data.sum(), masked_sum(dataset, name), rtol=1e-12, err_msg=name)
    assert np.isfinite(new.acceptance_off.data).all()


def test_rebinning_one_way_or_the_other(dataset):
    new = rebinned(dataset)
    assert_same(new["downsample"], new["resample"])


def test_rebinning_in_steps(dataset):
    dataset.mask_safe.data[:] = True
    assert_same(dataset.downsample(2, axis_name="energy").downsample(3, axis_name="energy"), dataset.downsample(6, "energy"))


class TestMap:
    def test_pixels(self, on_map):
        new = on_map.downsample(2, name="new")
        assert (type(new), new.name) == (MapDatasetOnOff, "new")
        assert new.counts.data.shape == (4, 3, 4)
        for name in ("counts", "counts_off", "acceptance", "background"):
            assert_allclose(getattr(new, name).data.sum(), masked_sum(on_map, name), rtol=1e-12, err_msg=name)

    def test_cutout_and_slice(self, on_map):
        cut = on_map.cutout(builders.CENTER, 1 * u.deg).slice_by_idx({"energy": slice(1, 3)})
        assert cut.counts_off.data.shape == cut.alpha.data.shape == (2, 4, 4)
        assert_allclose(cut.alpha.data, on_map.alpha.data[1:3, 1:5, 2:6])

    def test_pad(self, on_map):
        """Padded pixels have no background and no influence."""
        new = on_map.pad(2)
        assert new.data_shape == (4, 10, 12)
        assert_allclose(new.stat_sum(), on_map.stat_sum())
        assert new.alpha.data[0, 0, 0] == 0

    def test_region(self, on_map):
        on_map.mask_safe.data[:] = True
        region = CircleSkyRegion(builders.CENTER, 0.4 * u.deg)
        spectrum = on_map.to_spectrum_dataset(region, name="spectrum")
        assert (type(spectrum), spectrum.name, spectrum.psf) == (SpectrumDatasetOnOff, "spectrum", None)
        inside = on_map.counts.geom.region_mask([region]).data
        for name in ("counts", "counts_off", "background"):
            expected = (getattr(on_map, name).data * inside).sum(axis=(1, 2))
            assert_allclose(getattr(spectrum, name).data.ravel(), expected, rtol=1e-12)
        assert type(on_map.to_region_map_dataset(region)) is MapDatasetOnOff

    def test_stack_cutout(self, on_map):
        total = on_map.to_masked()
        cut = on_map.cutout(builders.CENTER, 1 * u.deg)
        total.stack(cut)
        for name in ("counts", "counts_off", "background"):
            assert_allclose(getattr(total, name).data.sum(), masked_sum(on_map, name) + masked_sum(cut, name), rtol=1e-6)


seeds = st.integers(0, 50)


@given(seeds, seeds)
@settings(max_examples=10)
def test_commutative(one, two):
    one, two = builders.onoff_spectrum(one), builders.onoff_spectrum(two + 100)
    assert_same(stacked(one, two), stacked(two, one))


@given(seeds)
@settings(max_examples=10)
def test_associative(seed):
    one, two, three = (builders.onoff_spectrum(seed + 100 * i) for i in range(3))
    assert_same(stacked(stacked(one, two), three), stacked(one, stacked(two, three)))


@given(st.integers(2, 40), st.integers(1, 39))
@settings(max_examples=8)
def test_tree(n, part):
    """One tree, the sum of two trees and a chain give the same."""
    datasets = [builders.onoff_spectrum(seed, name=str(seed)) for seed in range(n)]
    total = Datasets(datasets).stack_reduce(name="sum")
    assert total.name == "sum"
    assert_same(total, stacked(*datasets))
    cut = min(part, n - 1)
    halves = Datasets([Datasets(some).stack_reduce(name=name) for name, some in (("a", datasets[:cut]), ("b", datasets[cut:]))])
    assert_same(halves.stack_reduce(), total)


def test_stacked_map():
    maps = [builders.onoff_map(seed, name=str(seed)) for seed in range(3)]
    total = Datasets(maps).stack_reduce()
    for name in ("counts", "counts_off", "acceptance", "background"):
        expected = sum(getattr(one, name).data * one.mask_safe.data for one in maps)
        assert_allclose(getattr(total, name).data, expected, rtol=1e-6, atol=1e-6, err_msg=name)


def test_only_the_safe_range_counts(dataset):
    """Whatever the bins outside hold."""
    other = builders.onoff_spectrum(seed=5, nbin=12)
    expected = stacked(dataset, other)
    outside = ~other.mask_safe.data
    for name in ("counts", "counts_off", "acceptance_off"):
        getattr(other, name).data[outside] = np.nan if name == "acceptance_off" else 99
    assert_same(stacked(dataset, other), expected)


def test_a_dataset_without_safe_bins_adds_nothing(dataset):
    other = builders.onoff_spectrum(seed=5, nbin=12)
    other.mask_safe.data[:] = False
    assert_same(stacked(dataset, other), stacked(dataset))


def test_models_are_not_counted_as_counts(dataset):
    """Adding to itself doubles, also with counts as integers as files hold them."""
    dataset.counts = Map.from_geom(dataset.counts.geom, data=dataset.counts.data.astype("int32"))
    total = stacked(dataset, dataset)
    assert total.counts.data.dtype == float
    assert_allclose(total.counts.data.sum(), 2 * masked_sum(dataset, "counts"))
    assert_allclose(total.alpha.data[dataset.mask_safe.data], dataset.alpha.data[dataset.mask_safe.data])


@pytest.mark.parametrize("name", ["counts_off", "acceptance", "acceptance_off"])
def test_counts_without_off_measurement_cannot_be_stacked(dataset, name):
    other = builders.onoff_spectrum(seed=5, nbin=12)
    setattr(other, name, None)
    with pytest.raises(DataError, match=f"has no {name}, so it cannot be stacked"):
        dataset.stack(other)


def test_undefined_background_cannot_be_stacked(dataset):
    other = builders.onoff_spectrum(seed=5, nbin=12)
    other.mask_safe.data[4], other.counts_off.data[4], other.acceptance_off.data[4] = True, 3, 0
    before = numbers(stacked(dataset))
    with pytest.raises(DataError, match="ACCEPTANCE_OFF is not positive in 1 bins"):
        dataset.stack(other)
    assert_allclose(numbers(stacked(dataset))["counts"], before["counts"])
