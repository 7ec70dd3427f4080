from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose

from geminga.errors import DataError
from geminga.utils.cluster import hierarchical_clustering, standard_scaler


@pytest.fixture
def table():
    return Table({"a": [1.0, 2, 3, 10], "b": [1.0, 1.5, 2, 30], "obs_id": [1, 2, 3, 4]})


def test_scaler(table):
    table["a"].unit, table["c"] = "deg", [5.0] * 4
    scaled = standard_scaler(table)
    for name in ("a", "b"):
        assert_allclose([np.mean(scaled[name]), np.std(scaled[name])], [0, 1], atol=1e-12)
        assert scaled[name].unit is None
    assert scaled["c"].tolist() == [0] * 4
    assert scaled["obs_id"].tolist() == [1, 2, 3, 4]
    # Number of gammapy 2.1.
    assert scaled["a"][0] == pytest.approx(-0.848528137423857)


def test_groups(table):
    scaled = standard_scaler(table)
    assert hierarchical_clustering(scaled)["labels"].tolist() == [2, 1, 1, 3]
    assert hierarchical_clustering(scaled, fcluster_kwargs={"t": 2})["labels"].tolist() == [1, 1, 1, 2]
    assert hierarchical_clustering(scaled, {"method": "single"}, {"t": 1})["labels"].tolist() == [1, 1, 1, 1]
    assert "labels" not in scaled.colnames


def test_refusals(table):
    with pytest.raises(DataError, match="got 1 rows"):
        hierarchical_clustering(table[:1])
    table["a"][0] = np.nan
    with pytest.raises(DataError, match="1 numbers not finite"):
        hierarchical_clustering(table)
