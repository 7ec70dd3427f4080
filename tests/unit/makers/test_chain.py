"""Makers in a row over many observations: in this process, in others, and when something fails."""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.datasets import Datasets, SpectrumDataset
from geminga.errors import InputError, ReductionError
from geminga.makers import (
    DatasetsMaker,
    FoVBackgroundMaker,
    Maker,
    MapDatasetMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
)
from geminga.maps import RegionGeom
from geminga.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from geminga.utils import pbar
from tests.unit.makers.builders import ENERGY, POINTING, TARGET, TRUE, empty, irfs, observation


def makers(offset_max="1.5 deg"):
    return [MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max=offset_max), FoVBackgroundMaker()]


def observations(number=5):
    return [observation(i, POINTING.directional_offset_by(90 * i * u.deg, 0.5 * u.deg), seed=i) for i in range(1, number + 1)]


def by_hand(dataset, all_observations):
    for one in all_observations:
        cut = dataset.cutout(one.pointing.fixed_icrs, width="3 deg", name=str(one.obs_id))
        for maker in makers():
            cut = maker.run(cut, one)
        dataset.stack(cut)
    return dataset


def assert_equal(one, other):
    assert (one.counts.data == other.counts.data).all()
    assert (one.mask_safe.data == other.mask_safe.data).all()
    for name in ("background", "exposure"):
        assert_allclose(getattr(one, name).data, getattr(other, name).data, rtol=1e-5, atol=1e-12)
    assert_allclose(one.psf.psf_map.data, other.psf.psf_map.data, rtol=1e-4, atol=1e-3)
    assert_allclose(one.edisp.edisp_map.data, other.edisp.edisp_map.data, rtol=1e-4, atol=1e-7)
    assert_allclose(one.gti.time_sum.value, other.gti.time_sum.value)
    assert_allclose(one.exposure.meta["livetime"].value, other.exposure.meta["livetime"].value)


class TestStack:
    def test_equals_the_loop(self):
        reference = empty("sum")
        datasets = DatasetsMaker(makers()).run(reference, observations())
        assert isinstance(datasets, Datasets)
        assert datasets[0] is reference
        assert_equal(reference, by_hand(empty(), observations()))
        assert sorted(np.ravel(reference.meta_table["OBS_ID"])) == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("kind", ["jobs", "threads", "processes"])
    def test_in_parallel(self, kind):
        alone, together = empty("sum"), empty("sum")
        DatasetsMaker(makers()).run(alone, observations(9))
        if kind == "jobs":
            DatasetsMaker(makers(), n_jobs=2).run(together, observations(9))
        else:
            pool = ThreadPoolExecutor if kind == "threads" else ProcessPoolExecutor
            with pool(2) as executor:
                DatasetsMaker(makers(), executor=executor).run(together, observations(9))
        assert_equal(together, alone)

    def test_adds_to_what_is_there(self):
        first, both = empty("a"), empty("b")
        DatasetsMaker(makers()).run(first, observations()[:2])
        DatasetsMaker(makers()).run(first, observations()[2:])
        DatasetsMaker(makers()).run(both, observations())
        assert_equal(first, both)

    def test_models_stay(self):
        reference = empty("sum")
        reference.models = [
            SkyModel(
                PowerLawSpectralModel(),
                PointSpatialModel(lon_0="83.6 deg", lat_0="22 deg"),
                name="source",
                datasets_names=["sum"],
            )
        ]
        made = DatasetsMaker(makers(), stack_datasets=False).run(reference, observations(2))
        # Models of the reference follow to the datasets of its observations.
        assert [sorted(dataset.models.names) for dataset in made] == [["1-bkg", "source"], ["2-bkg", "source"]]
        DatasetsMaker(makers()).run(reference, observations(2))
        assert reference.models.names == ["source"]
        assert reference.models["source"].datasets_names == ["sum"]

    def test_failure_leaves_the_reference(self):
        bad = observation(4)
        bad._parts.pop("psf")
        reference = empty("sum")
        with pytest.raises(ReductionError):
            DatasetsMaker(makers()).run(reference, [*observations(3), bad])
        assert reference.counts.data.sum() == 0
        assert not reference.mask_safe.data.any()


class TestList:
    def test_names_are_those_of_the_observations(self):
        made = DatasetsMaker(makers(), stack_datasets=False).run(empty(), observations(3))
        assert made.names == ["1", "2", "3"]
        assert [dataset.background_model.name for dataset in made] == ["1-bkg", "2-bkg", "3-bkg"]
        assert all(dataset.counts.geom.data_shape[-1] <= 30 for dataset in made)

    def test_twice_the_same(self):
        made = DatasetsMaker(makers(), stack_datasets=False, n_jobs=2).run(empty(), [observation(7), observation(7)])
        assert made.names == ["7", "7-2"]
        assert made[1].background_model.datasets_names == ["7-2"]

    def test_own_datasets(self):
        starts = [empty("one", npix=10), empty("two", npix=20)]
        made = DatasetsMaker([MapDatasetMaker()], stack_datasets=False).run(empty(), observations(2), datasets=starts)
        assert [dataset.counts.geom.data_shape[-1] for dataset in made] == [10, 20]
        with pytest.raises(InputError, match="there are 2 datasets for 3 observations"):
            DatasetsMaker([MapDatasetMaker()]).run(empty(), observations(3), datasets=starts)

    def test_spectra(self):
        region = RegionGeom(CircleSkyRegion(TARGET, 0.3 * u.deg), axes=[ENERGY])
        start = SpectrumDataset.create(region, energy_axis_true=TRUE)
        chain = [SpectrumDatasetMaker(), SafeMaskMaker(methods=["aeff-max"])]
        made = DatasetsMaker(chain, stack_datasets=False).run(start, observations(3))
        stacked = DatasetsMaker(chain).run(start.copy(name="all"), observations(3))[0]
        assert_allclose(stacked.counts.data, made.stack_reduce().counts.data)

    def test_no_overlap_is_reported(self, caplog):
        far = observation(8, POINTING.directional_offset_by(0 * u.deg, 30 * u.deg))
        with caplog.at_level(logging.WARNING):
            made = DatasetsMaker(makers(), stack_datasets=False).run(empty(), [far, *observations(2)])
        assert made.names == ["1", "2"]
        assert "Observation 8 does not overlap with the geometry; it is left out." in caplog.text


class Broken(Maker):
    """Fails at one observation, in a way that cannot be pickled."""

    tag = "Broken"

    def run(self, dataset, observation=None):
        if observation.obs_id == 2:

            class LocalError(Exception):
                pass

            msg = "no luck"
            raise LocalError(msg)
        return dataset


class TestFailures:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_names_the_observation_and_carries_the_traceback(self, n_jobs):
        maker = DatasetsMaker([MapDatasetMaker(), Broken()], n_jobs=n_jobs)
        with pytest.raises(ReductionError, match="Observation 2 could not be reduced: LocalError: no luck") as info:
            maker.run(empty(), observations(4))
        assert "raise LocalError(msg)" in str(info.value)
        assert "test_chain.py" in str(info.value)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_skip_reports(self, n_jobs, caplog):
        maker = DatasetsMaker([*makers(), Broken()], n_jobs=n_jobs, on_error="skip")
        with caplog.at_level(logging.WARNING):
            made = maker.run(empty("sum"), observations(4))[0]
        assert [failure.obs_id for failure in maker.failures] == [2]
        assert maker.failures[0].error == "LocalError: no luck"
        assert "raise LocalError" in maker.failures[0].traceback
        assert "Observation 2 could not be reduced, and is left out: LocalError: no luck" in caplog.text
        left = [one for one in observations(4) if one.obs_id != 2]
        assert_equal(made, by_hand(empty(), left))

    def test_all_fail(self):
        with pytest.raises(ReductionError, match="None of the 1 observations could be reduced"):
            DatasetsMaker([MapDatasetMaker(), Broken()], on_error="skip").run(empty(), observations(4)[1:2])

    def test_bad_response_is_named(self):
        bad = irfs()["aeff"]
        bad.data[:] = np.nan
        with pytest.raises(ReductionError, match="Observation 6 could not be reduced: DataError: EffectiveAreaTable2D"):
            DatasetsMaker(makers()).run(empty(), [observation(6, aeff=bad)])


class TestOptions:
    def test_cutout_width(self):
        assert DatasetsMaker(makers("2 deg")).cutout_width == 4 * u.deg
        assert DatasetsMaker(makers(), cutout_width="1 deg").cutout_width == 1 * u.deg
        # A mask that does not cut on the offset must not cut the field.
        assert DatasetsMaker([MapDatasetMaker(), SafeMaskMaker()]).cutout_width is None
        assert DatasetsMaker([MapDatasetMaker()]).offset_max is None

    def test_refusals(self):
        with pytest.raises(InputError, match="on_error is 'ignore'; expected 'raise' or 'skip'"):
            DatasetsMaker(makers(), on_error="ignore")
        with pytest.raises(InputError, match="expected objects with a method run"):
            DatasetsMaker(["MapDatasetMaker"])
        with pytest.raises(InputError, match="only 'multiprocessing' is built in, give an executor="):
            DatasetsMaker(makers(), parallel_backend="ray")
        with pytest.raises(InputError, match="n_jobs is 0"):
            DatasetsMaker(makers(), n_jobs=0)

    def test_kinds_that_do_not_add(self):
        class Other(Maker):
            tag = "Other"

            def run(self, dataset, observation=None):
                return SpectrumDataset(name=dataset.name, mask_safe=dataset.mask_safe)

        with pytest.raises(InputError, match="the makers give a SpectrumDataset, which cannot be added to a MapDataset"):
            DatasetsMaker([MapDatasetMaker(), Other()]).run(empty(), observations(1))

    def test_callbacks(self):
        class Named(DatasetsMaker):
            seen = []

            def callback(self, dataset):
                self.seen.append(dataset.name)

        Named(makers(), stack_datasets=False).run(empty(), observations(2))
        assert Named.seen == ["1", "2"]

    def test_progress(self, monkeypatch, capsys):
        monkeypatch.setattr(pbar, "SHOW_PROGRESS_BAR", True)
        DatasetsMaker([MapDatasetMaker(selection=["counts"])], stack_datasets=False).run(empty(), observations(3))
        assert "Data reduction: 100%" in capsys.readouterr().err

    def test_str(self):
        text = str(DatasetsMaker(makers()))
        assert "  n_jobs           : 1" in text
        assert "  parallel_backend : multiprocessing" in text


def test_a_maker_of_ones_own_sees_the_content_of_its_part():
    class Keeps:
        tag = "Keeps"

        def run(self, dataset, observation):
            seen.append(float(dataset.counts.data.sum()))
            return dataset

    seen: list[float] = []
    base = empty()
    base.counts.data[:] = 1
    base.mask_safe.data[:] = True
    DatasetsMaker([Keeps()], stack_datasets=False, cutout_width="2 deg").run(base, observations(1))
    assert seen[0] > 0
    own = DatasetsMaker([MapDatasetMaker()], stack_datasets=False, cutout_width="2 deg").run(base, observations(1))[0]
    assert own.counts.data.sum() < own.counts.data.size  # its own events, none of what was there
    assert own.counts.geom == base.counts.geom.cutout(observations(1)[0].get_pointing_icrs(observations(1)[0].tmid), "2 deg")
