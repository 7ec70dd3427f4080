from __future__ import annotations

import logging

import numpy as np
import pytest

from geminga.errors import DataError
from geminga.maps import MapAxis
from geminga.utils.faults import Checked, bad_values, reported

AXIS = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)


class Thing(Checked):
    def __init__(self, *faults):
        self.own = faults

    def _faults(self):
        return self.own


def test_all_faults_at_once():
    Thing().validate()
    with pytest.raises(DataError, match=r"^Thing cannot be used: one; two. Correct the values.$"):
        Thing("one", "two").validate()


def test_report(caplog):
    caplog.set_level(logging.WARNING)
    good, bad = Thing(), Thing("one")
    assert reported(good, "File a") is good
    assert not caplog.records
    assert reported(bad, "File a") is bad
    assert "File a: Thing: one." in caplog.text


def test_places_of_bad_values():
    data = np.ones((3, 2, 2))
    assert list(bad_values("X", data, [AXIS])) == []
    data[1, 0, 1], data[2, 1, 0] = np.nan, -1
    found = list(bad_values("X", data, [AXIS]))
    assert found == [
        "X is NaN in 1 bins, at energy bin 1, pixel (1, 0): nan",
        "X is negative in 1 bins, at energy bin 2, pixel (0, 1): -1",
    ]
    keep = np.isfinite(data)
    assert len(list(bad_values("X", data, [AXIS], keep))) == 1
    assert list(bad_values("X", data, [AXIS], keep, floor=None)) == []


def test_many_places_are_counted():
    data = np.full((3, 4), np.inf)
    assert next(iter(bad_values("X", data, [AXIS], is_sky=False))).endswith("and 9 more")


@pytest.mark.parametrize("dtype", [">f4", "<f4", "f8", ">f8", "f2", "longdouble", "i4", "u2"])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -1e-3, np.nan, -np.nan, np.inf, -np.inf, 1e-40])
@pytest.mark.parametrize("floor", [0.0, -1.0, None])
def test_any_type_of_number(dtype, value, floor):
    """What is good is told as one would bin by bin."""
    if np.dtype(dtype).kind in "iu":
        value = int(value) if np.isfinite(value) else 3
    data = np.ones((3, 2, 4), dtype=dtype)[:, :, ::2]
    data[1, 1, 0] = value
    own = float(data[1, 1, 0])
    is_good = np.isfinite(own) and (floor is None or own >= min(floor, 0))
    assert bool(list(bad_values("X", data, [AXIS], floor=floor))) != is_good
