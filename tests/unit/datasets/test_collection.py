"""A list of datasets: list laws, names, what it knows of its members."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.data import GTI
from geminga.datasets import (
    DATASET_REGISTRY,
    Datasets,
    MapDataset,
    MapDatasetOnOff,
    SpectrumDataset,
    SpectrumDatasetOnOff,
)
from geminga.maps import Map
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from tests.unit.datasets import builders


@pytest.fixture
def datasets():
    return Datasets([builders.map_dataset(i, name=name) for i, name in enumerate("abc")])


class TestList:
    def test_items(self, datasets):
        assert len(datasets) == 3
        assert datasets.names == ["a", "b", "c"]
        assert datasets["b"] is datasets[1] is datasets[-2]
        assert datasets[1:].names == ["b", "c"]
        assert datasets[["c", "a"]].names == ["c", "a"]
        assert datasets.index("c") == datasets.index(datasets[2]) == 2
        assert "a" in datasets
        assert "z" not in datasets
        assert [one.name for one in datasets] == ["a", "b", "c"]

    def test_insert_remove(self, datasets):
        new = builders.map_dataset(3, name="d")
        datasets.insert(1, new)
        assert datasets.names == ["a", "d", "b", "c"]
        datasets.remove("a")
        datasets.remove(new)
        del datasets["b"]
        assert datasets.names == ["c"]
        datasets.append(builders.map_dataset(3, name="a"))
        datasets.extend([builders.map_dataset(3, name="b")])
        assert datasets.pop().name == "b"

    def test_replace(self, datasets):
        datasets["b"] = builders.map_dataset(3, name="b")
        datasets[0] = builders.map_dataset(3, name="z")
        assert datasets.names == ["z", "b", "c"]
        with pytest.raises(ValueError, match="two datasets named 'c'"):
            datasets[0] = builders.map_dataset(3, name="c")

    def test_add(self, datasets):
        new = datasets[:1] + datasets[1:]
        assert new.names == datasets.names
        assert (datasets + builders.map_dataset(3, name="d")).names == ["a", "b", "c", "d"]
        assert (datasets[0] + datasets[1]).names == ["a", "b"]

    def test_twice(self, datasets):
        for add in (datasets.append, lambda one: datasets.insert(0, one)):
            with pytest.raises(ValueError, match="two datasets named 'a'; names must be unique"):
                add(builders.map_dataset(3, name="a"))

    @pytest.mark.parametrize("what", ["a.yaml", 3])
    def test_not_a_list(self, what):
        with pytest.raises(ValueError, match=f"cannot make a list of datasets from a {type(what).__name__}"):
            Datasets(what)

    def test_not_a_dataset(self):
        with pytest.raises(ValueError, match="'x' is a str; expected a dataset"):
            Datasets(["x"])

    def test_unknown(self, datasets):
        with pytest.raises(KeyError, match="no dataset 'z'; names are a, b, c"):
            datasets["z"]

    def test_copy(self, datasets):
        datasets.models = [SkyModel.create("pl", name="source")]
        new = datasets.copy()
        new["a"].counts.data[...] = 0
        assert datasets["a"].counts.data.sum() > 0
        assert new.names == datasets.names
        assert new.models.names == ["source"]
        assert new.models[0] is not datasets.models[0]


class TestModels:
    def test_each_gets_its_own(self, datasets):
        models = [
            SkyModel.create("pl", name="all"),
            SkyModel.create("pl", name="one", datasets_names=["b"]),
            FoVBackgroundModel(dataset_name="c"),
        ]
        datasets.models = models
        assert [d.models.names for d in datasets] == [["all"], ["all", "one"], ["all", "c-bkg"]]
        assert sorted(datasets.models.names) == ["all", "c-bkg", "one"]
        assert len(datasets.parameters) == len(datasets.models.parameters)

    def test_follows_the_members(self, datasets):
        datasets.models = [SkyModel.create("pl", name="all")]
        datasets[0].models = [*datasets[0].models, SkyModel.create("pl", name="new")]
        assert datasets.models.names == ["all", "new"]
        datasets.models = None
        assert [d.models for d in datasets] == [None] * 3
        assert len(datasets.models) == 0

    def test_statistic_is_the_sum(self, datasets):
        datasets.models = [FoVBackgroundModel(dataset_name=name) for name in "abc"]
        assert_allclose(datasets.stat_sum(), sum(d.stat_sum() for d in datasets))

    def test_priors_count_once(self, datasets):
        from geminga.modeling.models import GaussianPrior

        models = [FoVBackgroundModel(dataset_name=name) for name in "abc"]
        datasets.models = models
        before = datasets.stat_sum()
        models[0].spectral_model.norm.prior = GaussianPrior(mu=2, sigma=0.5)
        # -2 ln of the density: four from the distance of two sigma, the rest from the norm.
        assert_allclose(datasets.stat_sum() - before, 4 + np.log(2 * np.pi * 0.5**2))


class TestTraits:
    def test_same(self, datasets):
        assert datasets.is_all_same_type
        assert datasets.is_all_same_shape
        assert datasets.is_all_same_geom
        assert datasets.is_all_same_energy_shape
        assert datasets.energy_axes_are_aligned

    def test_different(self, datasets):
        datasets.append(datasets[0].cutout(builders.CENTER, 1 * u.deg, name="cut"))
        assert not datasets.is_all_same_shape
        assert not datasets.is_all_same_geom
        assert datasets.is_all_same_energy_shape
        datasets.append(builders.spectrum_dataset())
        assert not datasets.is_all_same_type
        assert not datasets.is_all_same_energy_shape

    def test_contributes(self, datasets):
        datasets[1].mask_safe.data[...] = False
        assert list(datasets.contributes_to_stat) == [True, False, True]

    def test_energy_ranges(self, datasets):
        datasets[1].mask_safe.data[0] = False
        low, high = datasets.energy_ranges
        edges = datasets[0].counts.geom.axes["energy"].edges.to_value("TeV")
        assert_allclose(low.to_value("TeV"), [edges[0], edges[1], edges[0]])
        assert_allclose(high.to_value("TeV"), [edges[-1]] * 3)

    def test_gti(self, datasets):
        assert_allclose(datasets.gti.time_sum.to_value("s"), 300)
        assert Datasets().gti is None


class TestTables:
    def test_info(self, datasets):
        table = datasets.info_table()
        assert list(table["name"]) == ["a", "b", "c"]
        assert table["livetime"].unit == "s"
        assert list(table["counts"]) == [d.info_dict()["counts"] for d in datasets]
        assert len(Datasets().info_table()) == 0

    def test_cumulative(self, datasets):
        table = datasets.info_table(cumulative=True)
        assert list(table["counts"]) == list(np.cumsum(datasets.info_table()["counts"]))
        assert_allclose(table["livetime"].quantity.to_value("s"), [100, 200, 300])

    def test_meta(self, datasets):
        from astropy.table import Table

        for number, dataset in enumerate(datasets):
            dataset.meta_table = Table({"OBS_ID": [number]})
        table = datasets.meta_table
        assert table.colnames == ["NAME", "TYPE", "OBS_ID"]
        assert list(table["OBS_ID"]) == [0, 1, 2]


class TestSelections:
    def test_energy(self, datasets):
        datasets.append(builders.spectrum_dataset())
        new = datasets.slice_by_energy("1 TeV", "5 TeV")
        assert new.names == datasets.names
        assert all(one.counts.geom.axes["energy"].edges[0] == 1 * u.TeV for one in new)
        assert len(datasets.slice_by_energy(20 * u.TeV, 30 * u.TeV)) == 0

    def test_time(self, datasets):
        start = datasets[1].gti.time_start[0]
        assert datasets.select_time(start, start + 100 * u.s).names == ["b"]
        assert datasets.select_time(start, start + 50 * u.s).names == []
        datasets[0].gti = GTI.create([] * u.s, [] * u.s)
        assert datasets.select_time(Time("1990-01-01"), Time("2026-01-01")).names == ["b", "c"]

    def test_spectra(self, datasets):
        for dataset in datasets:
            dataset.mask_safe.data[...] = True
        new = datasets.to_spectrum_datasets(CircleSkyRegion(builders.CENTER, 0.5 * u.deg))
        assert new.names == ["a", "b", "c"]
        assert {type(one) for one in new} == {SpectrumDataset}


def test_registry():
    assert DATASET_REGISTRY.get_cls("MapDataset") is MapDataset
    assert list(DATASET_REGISTRY)[:2] == [MapDataset, MapDatasetOnOff]
    assert list(DATASET_REGISTRY)[2:4] == [SpectrumDataset, SpectrumDatasetOnOff]
    assert DATASET_REGISTRY[0] is MapDataset
    assert len(DATASET_REGISTRY) >= 2
    with pytest.raises(KeyError, match=r"No class with tag 'CubeDataset'; known tags: .*MapDataset"):
        DATASET_REGISTRY.get_cls("CubeDataset")


def test_registry_takes_own_classes():
    class OwnDataset(MapDataset):
        tag = "OwnDataset"

    DATASET_REGISTRY.append(OwnDataset)
    try:
        assert DATASET_REGISTRY.get_cls("OwnDataset") is OwnDataset
    finally:
        DATASET_REGISTRY.remove(OwnDataset)


def test_stacking_into_the_first_if_fields_differ():
    large = builders.map_dataset(1, name="large", safe=1.0)
    small = builders.map_dataset(2, safe=1.0).cutout(builders.CENTER, 1 * u.deg, name="small")
    total = Datasets([large, small]).stack_reduce()
    assert total.counts.geom == large.counts.geom
    assert total.counts.data.sum() == large.counts.data.sum() + small.counts.data.sum()
    assert isinstance(total.counts, Map)
