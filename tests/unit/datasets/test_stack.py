"""Stacking: laws of a sum, then the known faults of others."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.data import GTI
from geminga.datasets import Datasets, MapDataset
from geminga.maps import Map, MapAxis
from geminga.modeling.models import FoVBackgroundModel
from tests.unit.datasets import builders


def numbers(dataset):
    """All arrays of a dataset that stacking changes."""
    return {
        "counts": dataset.counts.data,
        "background": dataset.background.data,
        "exposure": dataset.exposure.data,
        "mask_safe": dataset.mask_safe.data,
        "psf": dataset.psf.psf_map.data,
        "psf_exposure": dataset.psf.exposure_map.data,
        "edisp": dataset.edisp.edisp_map.data,
        "edisp_exposure": dataset.edisp.exposure_map.data,
    }


def assert_same(one, other):
    for name, value in numbers(one).items():
        assert_allclose(value, numbers(other)[name], rtol=2e-5, atol=1e-6 * np.abs(value).max(), err_msg=name)


def stacked(*datasets):
    total = datasets[0].to_masked()
    for dataset in datasets[1:]:
        total.stack(dataset)
    return total


seeds = st.integers(0, 1000)
fractions = st.sampled_from([0.2, 0.7, 1.0])


@given(seeds, seeds, fractions, fractions)
@settings(max_examples=8)
def test_commutative(seed_1, seed_2, safe_1, safe_2):
    one, two = builders.map_dataset(seed_1 % 7, safe=safe_1), builders.map_dataset(seed_2 % 7, safe=safe_2)
    assert_same(stacked(one, two), stacked(two, one))


@given(seeds, fractions)
@settings(max_examples=8)
def test_associative(seed, safe):
    one, two, three = (builders.map_dataset(seed % 5 + i, safe=safe) for i in range(3))
    assert_same(stacked(stacked(one, two), three), stacked(one, stacked(two, three)))


def test_tree_equals_chain():
    datasets = [builders.map_dataset(i, name=f"d{i}") for i in range(5)]
    tree = Datasets(datasets).stack_reduce(name="sum")
    assert tree.name == "sum"
    assert_same(tree, stacked(*datasets))


def test_sums_within_the_safe_range():
    one, two = builders.map_dataset(1), builders.map_dataset(2)
    total = stacked(one, two)
    for name in ("counts", "background"):
        parts = [getattr(d, name).data * d.mask_safe.data for d in (one, two)]
        assert_allclose(getattr(total, name).data, parts[0] + parts[1], rtol=1e-6)
    images = [d.mask_safe.data.any(axis=0) for d in (one, two)]
    exposure = one.exposure.data * images[0] + two.exposure.data * images[1]
    assert_allclose(total.exposure.data, exposure, rtol=1e-6)
    assert_allclose(total.exposure.meta["livetime"].to_value("s"), 200)
    np.testing.assert_array_equal(total.mask_safe.data, one.mask_safe.data | two.mask_safe.data)
    assert_allclose(total.gti.time_sum.to_value("s"), 200)


def test_responses_are_means_weighted_with_exposure():
    one, two = (builders.map_dataset(seed, safe=1.0) for seed in (1, 2))
    total = stacked(one, two)
    weights = [d.psf.exposure_map.data for d in (one, two)]
    mean = sum(w * d.psf.psf_map.data for w, d in zip(weights, (one, two), strict=True)) / sum(weights)
    assert_allclose(total.psf.psf_map.data, mean, rtol=1e-5)
    weights = [d.edisp.exposure_map.data for d in (one, two)]
    mean = sum(w * d.edisp.edisp_map.data for w, d in zip(weights, (one, two), strict=True)) / sum(weights)
    assert_allclose(total.edisp.edisp_map.data, mean, rtol=1e-5, atol=1e-8)


def test_kernel_keeps_the_thresholds():
    """A dataset safe above some energy only adds exposure to the kernel's denominator below it."""
    one, two = (builders.map_dataset(1, safe=1.0) for _ in range(2))
    two.mask_safe.data[:2] = False
    total = stacked(one, two)
    assert_allclose(total.edisp.edisp_map.data[:, 2:], one.edisp.edisp_map.data[:, 2:], rtol=1e-5)
    assert_allclose(total.edisp.edisp_map.data[:, :2], one.edisp.edisp_map.data[:, :2] / 2, rtol=1e-5)


def test_nothing_safe_adds_nothing():
    one, two = builders.map_dataset(1), builders.map_dataset(2, safe=0.0)
    before = {name: value.copy() for name, value in numbers(one).items()}
    one.stack(two)
    for name, value in numbers(one).items():
        np.testing.assert_array_equal(value, before[name])
    assert_allclose(one.gti.time_sum.to_value("s"), 100)


def test_onto_a_larger_field():
    large, small = builders.map_dataset(1, npix=(8, 6), safe=1.0), builders.map_dataset(2, safe=1.0)
    cut = small.cutout(builders.CENTER, width=(1.0, 1.0) * u.deg)
    before = large.counts.data.sum()
    large.stack(cut)
    assert_allclose(large.counts.data.sum(), before + cut.counts.data.sum())


def test_nan_is_zero():
    one, two = builders.map_dataset(1, safe=1.0), builders.map_dataset(2, safe=1.0)
    two.background.data[0, 0, 0] = np.nan
    before = one.background.data[0, 0, 0]
    one.stack(two)
    assert one.background.data[0, 0, 0] == before


def test_background_model_is_applied_once():
    """The model leaves with the background it was applied to: a later change of its norm must not act again."""
    one, two = builders.map_dataset(1, name="one", safe=1.0), builders.map_dataset(2, name="two", safe=1.0)
    one.background.data[...] = 1
    two.background.data[...] = 1
    model = FoVBackgroundModel(dataset_name="one")
    model.spectral_model.norm.value = 2
    one.models = [model]
    one.stack(two)
    assert_allclose(one.npred().data, 3)
    model.spectral_model.norm.value = 2.0001
    assert_allclose(one.npred().data, 3)
    assert one.background_model is None


def test_background_model_of_the_other():
    one, two = builders.map_dataset(1, name="one", safe=1.0), builders.map_dataset(2, name="two", safe=1.0)
    one.background.data[...] = 1
    two.background.data[...] = 1
    model = FoVBackgroundModel(dataset_name="two")
    model.spectral_model.norm.value = 2
    two.models = [model]
    one.stack(two)
    assert_allclose(one.background.data, 3)
    assert two.background_model is model
    assert_allclose(two.background.data, 1)


def test_fresh_datasets():
    """Empty time intervals stack too."""
    one, two = (MapDataset.create(builders.geom()) for _ in range(2))
    two.mask_safe.data[...] = True
    one.stack(two)
    assert len(one.gti.table) == 0
    assert one.mask_safe.data.all()


def test_touching_intervals_are_united():
    one, two = builders.map_dataset(0), builders.map_dataset(0)
    two.gti = GTI.create(100 * u.s, 250 * u.s)
    one.stack(two)
    assert_allclose(one.gti.time_sum.to_value("s"), 250)


def test_meta_tables_become_vectors():
    from astropy.table import Table

    one, two = builders.map_dataset(1), builders.map_dataset(2)
    one.meta_table, two.meta_table = Table({"OBS_ID": [1]}), Table({"OBS_ID": [[2, 3]]})
    one.stack(two)
    assert list(one.meta_table["OBS_ID"][0]) == [1, 2, 3]


def test_migration_response_with_thresholds_is_reported(caplog):
    migra = MapAxis.from_bounds(0.2, 5, nbin=10, name="migra")
    one, two = (MapDataset.create(builders.geom(), migra_axis=migra) for _ in range(2))
    two.mask_safe.data[1:] = True
    with caplog.at_level(logging.WARNING):
        one.stack(two)
    assert "energy thresholds" in caplog.text


def test_mask_fit_is_united_within_the_safe_range():
    one, two = builders.map_dataset(1), builders.map_dataset(2)
    for dataset in (one, two):
        dataset.mask_fit = Map.from_geom(dataset.counts.geom, data=np.ones(dataset.data_shape, dtype=bool))
    total = stacked(one, two)
    np.testing.assert_array_equal(total.mask_fit.data, one.mask_safe.data | two.mask_safe.data)


def test_masked_counts_outside_are_zero():
    one = builders.map_dataset(1)
    masked = one.to_masked(name="masked")
    assert masked.name == "masked"
    assert masked.counts.data[~one.mask_safe.data].sum() == 0
    assert masked.counts.data.sum() == one.counts.data[one.mask_safe.data].sum()


def test_nothing_to_stack():
    with pytest.raises(ValueError, match="empty list cannot be stacked"):
        Datasets().stack_reduce()


def test_different_types():
    datasets = Datasets([builders.map_dataset(1, name="map"), builders.spectrum_dataset()])
    with pytest.raises(ValueError, match="different types cannot be stacked, there are MapDataset, SpectrumDataset"):
        datasets.stack_reduce()


@pytest.mark.parametrize(
    "derive", ["slice_by_energy", "downsample", "to_image", "resample", "pad", "cutout", "copy", "slice_one"]
)
def test_stacking_into_a_derived_dataset_leaves_the_original(derive):
    """Datasets made from one another share what is the same, until one of them changes it."""
    one = builders.map_dataset(seed=1)
    make = {
        "slice_by_energy": lambda d: d.slice_by_energy(2 * u.TeV),
        "slice_one": lambda d: d.slice_by_idx({"energy": slice(0, 1)}),
        "downsample": lambda d: d.downsample(2),
        "to_image": lambda d: d.to_image(),
        "resample": lambda d: d.resample_energy_axis(builders.energy_axis().downsample(2)),
        "pad": lambda d: d.pad(1),
        "cutout": lambda d: d.cutout(builders.CENTER, 1 * u.deg),
        "copy": lambda d: d.copy(),
    }[derive]
    before = {name: value.copy() for name, value in numbers(one).items()}
    n_creations = one.meta.creation
    new = make(one)
    new.stack(make(builders.map_dataset(seed=2)))
    new.counts.data += 1
    for name, value in numbers(one).items():
        assert (value == before[name]).all(), name
    assert one.meta.creation == n_creations
    assert len(one.gti.table) == 1
    # And the other way round.
    other = make(one)
    kept = {name: value.copy() for name, value in numbers(other).items()}
    one.stack(builders.map_dataset(seed=3))
    for name, value in numbers(other).items():
        assert (value == kept[name]).all(), name
