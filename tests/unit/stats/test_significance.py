from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.stats import sigma_to_ts, ts_to_sigma


def test_published_values():
    assert sigma_to_ts(3, df=2) == pytest.approx(11.82915808190081, rel=1e-6)
    assert ts_to_sigma(25, df=4) == pytest.approx(4.054183018451502, rel=1e-6)
    assert sigma_to_ts(5, df=3, n_sigma_asimov=2) == pytest.approx(28.07797212281477, rel=1e-6)
    assert ts_to_sigma(25, df=3, ts_asimov=9) == pytest.approx(4.742081172408221, rel=1e-6)


@given(st.floats(0.01, 100), st.integers(1, 40))
def test_inverse(sigma, df):
    assert float(ts_to_sigma(sigma_to_ts(sigma, df=df), df=df)) == pytest.approx(sigma, rel=1e-6)


@pytest.mark.parametrize(("ts", "df"), [(599, 3), (601, 3), (2000, 4), (10000, 2), (1e-3, 2), (2, 5), (620, 30)])
def test_tail_probabilities_agree(ts, df):
    with mp.workdps(50):
        p = mp.gammainc(mp.mpf(df) / 2, mp.mpf(ts) / 2, regularized=True)
        sigma = mp.findroot(lambda s: mp.log(mp.erfc(s / mp.sqrt(2))) - mp.log(p), mp.mpf(float(np.sqrt(ts))))
    assert float(ts_to_sigma(ts, df=df)) == pytest.approx(float(sigma), rel=1e-10)


def test_one_degree_of_freedom_is_the_square():
    assert ts_to_sigma([0, 25, -3, 1e6]).tolist() == [0, 5, 0, 1000]
    assert sigma_to_ts([0, 5, -2]).tolist() == [0, 25, 4]


def test_more_parameters_need_more():
    ts = [sigma_to_ts(5, df=df) for df in range(1, 6)]
    assert ts == sorted(ts)
