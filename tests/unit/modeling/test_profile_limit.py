"""Upper limits from a scan."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.modeling import stat_profile_ul_scipy


def test_limit_of_a_parabola(caplog):
    x = np.linspace(0, 10, 11)
    assert_allclose(stat_profile_ul_scipy(x, (x - 3) ** 2), 5)
    assert_allclose(stat_profile_ul_scipy(x * u.m, (x - 3.3) ** 2 + 17, delta_ts=9), 6.3)
    assert not caplog.records
    assert_allclose(stat_profile_ul_scipy(x[:5], (x[:5] - 3) ** 2 / 4), 7)
    assert "lies beyond the scan, which ends at 4" in caplog.text


def test_bad_scans_are_refused():
    x = np.linspace(0, 10, 11)
    with pytest.raises(InputError, match="expected one increasing row"):
        stat_profile_ul_scipy(x[::-1], x)
    with pytest.raises(InputError, match="delta_ts is 0"):
        stat_profile_ul_scipy(x, x, delta_ts=0)
    with pytest.raises(InputError, match="does not rise by 4"):
        stat_profile_ul_scipy(x, np.zeros(11))
    with pytest.raises(InputError, match="does not rise by 4"):
        stat_profile_ul_scipy(x, -x)
