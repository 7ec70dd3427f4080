"""Reduction on a real cluster of two processes."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.errors import ReductionError
from geminga.makers import DatasetsMaker, MapDatasetMaker
from tests.unit.makers.builders import empty
from tests.unit.makers.test_chain import Broken, assert_equal, makers, observations

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore")
def test_equals_this_process(client):
    together, alone = empty("sum"), empty("sum")
    DatasetsMaker(makers(), executor=client.get_executor()).run(together, observations(6))
    DatasetsMaker(makers()).run(alone, observations(6))
    assert_equal(together, alone)
    made = DatasetsMaker(makers(), stack_datasets=False, executor=client.get_executor()).run(empty(), observations(3))
    assert made.names == ["1", "2", "3"]
    assert np.isclose(sum(dataset.counts.data.sum() for dataset in made), sum_of_counts(observations(3)))


def sum_of_counts(some):
    made = DatasetsMaker(makers(), stack_datasets=False).run(empty(), some)
    return sum(dataset.counts.data.sum() for dataset in made)


@pytest.mark.filterwarnings("ignore")
def test_failure_names_the_observation(client):
    maker = DatasetsMaker([MapDatasetMaker(), Broken()], executor=client.get_executor())
    with pytest.raises(ReductionError, match="Observation 2 could not be reduced: LocalError: no luck") as info:
        maker.run(empty(), observations(4))
    assert "raise LocalError(msg)" in str(info.value)
