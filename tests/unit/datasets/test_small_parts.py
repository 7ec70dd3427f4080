"""Residuals, simulation, masks for a block, tiles, energy dispersion, meta data."""

from __future__ import annotations

import subprocess
import sys

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, MapDataset, MapDatasetMetaData, apply_edisp, set_and_restore_mask_fit, split_dataset
from geminga.datasets.registry import DATASET_REGISTRY
from geminga.datasets.residuals import compute_residuals
from geminga.datasets.simulate import asimov, random_source
from geminga.irf import EDispKernel
from geminga.maps import Map
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from geminga.utils.metadata import ObsInfoMetaData, PointingInfoMetaData
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders

REASON = "stop"


@pytest.fixture
def dataset():
    return builders.map_dataset(1, name="one")


class TestResiduals:
    def test_formulas(self):
        assert_allclose(compute_residuals([5, 1], [4, 4]), [1, -3])
        assert_allclose(compute_residuals([5, 1], [4, 4], "diff/model"), [0.25, -0.75])
        assert_allclose(compute_residuals([5, 1], [4, 4], "diff/sqrt(model)"), [0.5, -1.5])
        assert np.isnan(compute_residuals([5], [0], "diff/model"))[0]

    def test_masked_pixels(self, dataset):
        values = dataset.residuals().data
        keep = dataset.mask_safe.data
        assert np.isnan(values[~keep]).all()
        assert_allclose(values[keep], (dataset.counts.data - dataset.background.data)[keep], rtol=1e-5)

    def test_smoothed(self, dataset):
        dataset.counts.data = 3 * dataset.background.data
        values = dataset.residuals("diff/model", width="0.3 deg").data
        assert_allclose(values[dataset.mask_safe.data], 2, rtol=1e-4)

    def test_unknown(self, dataset):
        with pytest.raises(ValueError, match="method 'ratio' is unknown; choose one of diff, "):
            dataset.residuals("ratio")

    @requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
    def test_number(self):
        gc = MapDataset.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"))
        assert_allclose(gc.residuals("diff/sqrt(model)").data[0, 120, 160], -0.22469962393231152, rtol=1e-5)


class TestSimulation:
    def test_repeatable(self, dataset):
        drawn = []
        for _ in range(2):
            dataset.fake(random_state=42)
            drawn.append(dataset.counts.data.copy())
        np.testing.assert_array_equal(*drawn)
        dataset.fake(random_state=43)
        assert (dataset.counts.data != drawn[0]).any()

    def test_mean(self, dataset):
        dataset.background.data[...] = 5
        dataset.background.data[0, 0, 0] = np.nan
        dataset.fake(random_state=np.random.default_rng(0))
        counts = dataset.counts.data
        assert counts[0, 0, 0] == 0
        n = counts.size - 1
        assert abs(counts.sum() - 5 * n) < 4 * np.sqrt(5 * n)

    def test_asimov(self, dataset):
        asimov(dataset)
        assert_allclose(dataset.counts.data, dataset.background.data)

    def test_sources(self):
        state = np.random.RandomState(0)
        assert random_source(state) is state
        assert random_source("random-seed").integers(10) < 10
        with pytest.raises(ValueError, match="random_state 'seed' is not an integer"):
            random_source("seed")


class TestMaskForABlock:
    def test_energy(self, dataset):
        with set_and_restore_mask_fit(dataset, energy_min="2 TeV", energy_max="10 TeV", round_to_edge=True) as datasets:
            assert datasets[0] is dataset
            assert list(dataset.mask_fit.data.any(axis=(1, 2))) == [False, True, True, True]
        assert dataset.mask_fit is None

    def test_joins_what_is_there(self, dataset):
        mask = dataset.mask_fit = dataset.counts > 2
        with set_and_restore_mask_fit([dataset], energy_min="2 TeV", energy_max="10 TeV", round_to_edge=True):
            np.testing.assert_array_equal(dataset.mask_fit.data[1:], mask.data[1:])
            assert not dataset.mask_fit.data[0].any()
        with set_and_restore_mask_fit([dataset], mask_fit=dataset.counts > 1, operator=None):
            np.testing.assert_array_equal(dataset.mask_fit.data, dataset.counts.data > 1)
        assert dataset.mask_fit is mask

    def test_restores_after_an_error(self, dataset):
        with pytest.raises(RuntimeError, match=REASON), set_and_restore_mask_fit(dataset, energy_min="2 TeV"):
            raise RuntimeError(REASON)
        assert dataset.mask_fit is None

    def test_mask_of_another_geometry(self, dataset):
        cut = dataset.cutout(builders.CENTER, 1 * u.deg)
        mask = Map.from_geom(cut.counts.geom, data=np.ones(cut.data_shape, dtype=bool))
        with set_and_restore_mask_fit(dataset, mask_fit=mask):
            assert dataset.mask_fit.data.sum() == mask.data.sum()


class TestSplit:
    def test_each_bin_once(self, dataset):
        tiles = split_dataset(dataset, width=0.75 * u.deg, margin=0.25 * u.deg)
        assert tiles.names == [f"one-{i}" for i in range(6)]
        assert sum(tile.mask_fit.data.sum() for tile in tiles) == dataset.counts.data.size
        counts = sum(tile.counts.data[tile.mask_fit.data].sum() for tile in tiles)
        assert counts == dataset.counts.data.sum()

    def test_statistic_is_kept(self, dataset):
        model = SkyModel.create("pl", "gauss", name="source", datasets_names=["one"])
        model.spatial_model.position = builders.CENTER
        model.spatial_model.sigma.value = 0.1
        dataset.models = [model, FoVBackgroundModel(dataset_name="one")]
        dataset.models["one-bkg"].spectral_model.norm.value = 1.2
        tiles = split_dataset(dataset, width=1 * u.deg, margin=0.25 * u.deg)
        assert len(tiles.parameters.free_unique_parameters) == len(dataset.models.parameters.free_unique_parameters)
        # Responses are tabulated on coarser pixels, which move with the cut-out.
        assert_allclose(tiles.stat_sum(), dataset.stat_sum(), rtol=1e-3)

    def test_refused(self, dataset):
        with pytest.raises(ValueError, match=r"cannot split with width 0.0 deg"):
            split_dataset(dataset, width=0 * u.deg, margin=0 * u.deg)


class TestEnergyDispersion:
    @pytest.fixture
    def cube(self):
        geom = builders.geom().to_image().to_cube([builders.energy_axis_true()])
        return Map.from_geom(geom, data=np.random.default_rng(0).uniform(size=geom.data_shape), unit="s-1")

    def test_fold(self, cube):
        kernel = EDispKernel.from_gauss(builders.energy_axis_true(), builders.energy_axis(), sigma=0.2, bias=0)
        folded = apply_edisp(cube, kernel)
        assert folded.geom.axes.names == ["energy"]
        assert folded.unit == "s-1"
        expected = np.einsum("tij,te->eij", cube.data, kernel.pdf_matrix)
        assert_allclose(folded.data, expected)

    def test_none_renames(self, cube):
        folded = apply_edisp(cube, None)
        assert folded.geom.axes.names == ["energy"]
        np.testing.assert_array_equal(folded.data, cube.data)

    def test_refused(self, cube):
        with pytest.raises(ValueError, match="expected an axis named 'energy_true'"):
            apply_edisp(Map.from_geom(builders.geom()), None)
        kernel = EDispKernel.from_diagonal_response(builders.energy_axis_true(3), builders.energy_axis())
        with pytest.raises(ValueError, match="the map has 5 true energies, the kernel 3"):
            apply_edisp(cube, kernel)


class TestMetaData:
    def test_header_round_trip(self):
        from astropy.coordinates import SkyCoord

        meta = MapDatasetMetaData(
            obs_info=ObsInfoMetaData(obs_id=7, telescope="CTA"),
            pointing=PointingInfoMetaData(radec_mean=SkyCoord(83, 22, unit="deg")),
            event_type="all",
        )
        new = MapDatasetMetaData.from_header(meta.to_header())
        assert (new.obs_info, new.event_type) == (meta.obs_info, "all")
        assert_allclose(new.pointing.radec_mean.ra.deg, 83)
        assert new.creation.creator == meta.creation.creator

    def test_stack_lists_what_differs(self):
        one, two = (MapDatasetMetaData(obs_info=ObsInfoMetaData(obs_id=i), event_type="all") for i in (1, 2))
        one.stack(two)
        one.stack(two)
        assert [info.obs_id for info in one.obs_info] == [1, 2]
        assert one.event_type == "all"
        assert "OBS_ID" not in one.to_header()

    def test_yaml(self):
        text = MapDatasetMetaData(obs_info=ObsInfoMetaData(obs_id=7)).to_yaml()
        assert text.startswith("MapDataset:\n    creation:\n        creator: Geminga")
        assert "obs_id: 7" in text


class TestPlots:
    @pytest.fixture(autouse=True)
    def _close(self):
        yield
        plt.close("all")

    def test_peek(self, dataset):
        dataset.peek()
        assert [a.get_title() for a in plt.gcf().axes if a.get_title()] == ["Counts", "Excess counts", "Exposure", "Background"]

    def test_peek_region(self):
        from regions import CircleSkyRegion

        dataset = builders.map_dataset(1, safe=1.0).to_region_map_dataset(CircleSkyRegion(builders.CENTER, 0.5 * u.deg))
        dataset.peek()
        assert [a.get_title() for a in plt.gcf().axes if a.get_title()] == ["Counts", "Excess counts", "Exposure", "Background"]

    def test_residuals(self, dataset):
        from regions import CircleSkyRegion

        region = CircleSkyRegion(builders.CENTER, 0.5 * u.deg)
        ax_spatial, ax_spectral = dataset.plot_residuals(
            kwargs_spatial={"method": "diff/sqrt(model)"}, kwargs_spectral={"method": "diff", "region": region}
        )
        assert ax_spatial is not ax_spectral
        assert "data - model" in ax_spectral.get_ylabel()
        n = ax_spectral.containers[0].lines[0].get_ydata()
        inside = dataset.counts.geom.to_image().region_mask([region]).data
        excess = ((dataset.counts.data - dataset.background.data) * dataset.mask_safe.data)[:, inside].sum(axis=1)
        assert_allclose(n, excess, rtol=1e-4)


def test_datasets_make_a_collection():
    both = builders.map_dataset(1, name="a") + builders.map_dataset(1, name="b")
    assert isinstance(both, Datasets)
    assert both.names == ["a", "b"]


def test_registry_knows_its_classes_at_once():
    code = "from geminga.datasets import DATASET_REGISTRY as r; assert 'MapDataset' in repr(r) and len(r) > 1"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert MapDataset in DATASET_REGISTRY
    assert DATASET_REGISTRY.get_cls("SpectrumDataset").tag == "SpectrumDataset"
