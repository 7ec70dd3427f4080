"""Norms at nodes: from numbers, from parameters, from files."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.errors import DataError, InputError, NameLookupError
from geminga.modeling import Parameter
from geminga.modeling.models.node_norms import node_scale, norm_entries, norm_parameters, read_norms


def test_numbers_and_parameters() -> None:
    own = Parameter("norm_1", 3.0)
    parameters = norm_parameters([2.0, own], 2, "Model")
    assert parameters.names == ["norm_0", "norm_1"]
    assert parameters["norm_1"] is own
    assert norm_parameters(None, 3, "Model").value.tolist() == [1, 1, 1]


def test_entries_and_back() -> None:
    parameters = norm_parameters([1.0, Parameter("norm_1", 3.0, min=0, frozen=True)], 2, "Model")
    entries = norm_entries(parameters, full_output=False)
    assert entries == [{"name": "norm_0", "value": 1.0}, {"name": "norm_1", "value": 3.0, "min": 0.0, "frozen": True}]
    for full_output in (False, True):
        again = read_norms({"parameters": norm_entries(parameters, full_output)}, 2, "Model")
        assert [p.value for p in again] == [1, 3]
        assert [p.frozen for p in again] == [False, True]
        assert again[1].min == 0


def test_scales() -> None:
    assert node_scale("log", "Model")(np.e) == pytest.approx(1)
    assert node_scale("lin", "Model")(4.0) == 4
    assert node_scale("sqrt", "Model")(4.0) == 2


def test_refusals() -> None:
    with pytest.raises(InputError, match="Model: interp 'cubic' is unknown; expected one of lin, log, sqrt"):
        node_scale("cubic", "Model")
    with pytest.raises(DataError, match="Model: 1 norms for 2 nodes; expected as many"):
        norm_parameters([1.0], 2, "Model")
    with pytest.raises(NameLookupError, match="parameter 'norm_7' is unknown"):
        read_norms({"parameters": [{"name": "norm_7", "value": 1}]}, 2, "Model")
