"""Stacking many observations takes no more memory than stacking a few."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from geminga.data import Observation
from geminga.datasets import MapDataset
from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
from tests.unit.makers.builders import empty, observation


class Many:
    """Observations of one file, read anew each time, as a store gives them; they are made when asked for."""

    def __init__(self, path, number):
        self.path, self.number = path, number

    def __iter__(self):
        for number in range(self.number):
            one = Observation.read(self.path)
            one.obs_id = number
            yield one


def growth(path, few, many, n_jobs=1):
    """Bytes of Python memory which stay or are reached more by `many` observations than by `few`."""
    maker = DatasetsMaker([MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max="2 deg")], n_jobs=n_jobs)
    dataset = empty()
    maker.run(dataset, Many(path, few))  # what is loaded and remembered once
    peaks = []
    for number in (few, many):
        gc.collect()
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        result = maker.run(empty(), Many(path, number))[0]
        peaks.append(tracemalloc.get_traced_memory()[1] - start)
        assert len(result.meta_table) == 1
        assert np.size(result.meta_table["OBS_ID"][0]) == number
    return peaks[1] - peaks[0]


@pytest.fixture
def path(tmp_path):
    observation(number=300).write(tmp_path / "one.fits.gz")
    return tmp_path / "one.fits.gz"


@pytest.fixture
def _traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
def test_memory_does_not_grow(path):
    """An observation of 0.4 MB of maps and responses leaves its rows of tables alone: some kB."""
    assert growth(path, 5, 45) < 40 * 20_000


def test_nothing_waits_for_the_garbage_collector(path):
    """Observations and datasets are not in cycles of references: they go when the next ones come."""

    def alive():
        return {id(one): type(one).__name__ for one in gc.get_objects() if isinstance(one, (Observation, MapDataset))}

    maker = DatasetsMaker([MapDatasetMaker()])
    gc.collect()
    gc.disable()
    try:
        before = alive()  # those of other tests
        maker.run(empty(), Many(path, 5))
        left = [name for key, name in alive().items() if key not in before]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.slow
@pytest.mark.usefixtures("_traced")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_over_a_thousand_observations(path, n_jobs):
    assert growth(path, 16, 1000, n_jobs) < 984 * 20_000
