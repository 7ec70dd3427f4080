from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.stats import CashCountsStatistic, WStatCountsStatistic


def li_ma(n_on, n_off, alpha):
    """Eq. 17 of Li & Ma (1983)."""
    total = n_on + n_off
    on = n_on * np.log((1 + alpha) / alpha * n_on / total)
    return np.sqrt(2 * (on + n_off * np.log((1 + alpha) * n_off / total)))


class TestCash:
    stat = CashCountsStatistic([13, 0, 5], [5.5, 1, 7])

    def test_published_values(self):
        stat = self.stat
        assert_allclose(stat.n_sig, [7.5, -1, -2])
        assert_allclose(stat.error, [3.605551275463989, 0, 2.23606797749979])
        assert_allclose(stat.ts, [7.365232895800901, 2.0, 0.6352776337878723])
        assert_allclose(stat.sqrt_ts, [2.7138962573762653, -1.4142135623730951, -0.7970430564203369])
        assert_allclose(stat.p_value, [0.0033248493474548595, 0.07864960352514053, 0.21271301287830585])
        assert_allclose(stat.compute_errn(), [3.280211558352322, 0, 1.9159158410414752])
        assert_allclose(stat.compute_errp(), [3.9463091246231112, 0.5, 2.5811058071251103])
        assert_allclose(stat.compute_upper_limit(2)[[0, 2]], [16.101686317918265, 3.8937621792953854])
        assert_allclose(stat.n_sig_matching_significance(5), [15.398859681948824, 8.327276110102899, 16.941955959709315])
        assert CashCountsStatistic(5, 1).compute_upper_limit() == pytest.approx(13.98959, rel=1e-6)

    def test_limit_without_counts_subtracts_the_background(self):
        # It is the limit of few counts, not half of n_sigma squared.
        assert self.stat.compute_upper_limit(2)[1] == pytest.approx(1.0)
        few = CashCountsStatistic(1e-9, 1.0).compute_upper_limit(2)
        assert float(few) == pytest.approx(1.0, abs=1e-6)

    def test_bounded_limit(self):
        # For no counts it is half of n_sigma squared; far above the background it is the same limit.
        assert_allclose(self.stat.compute_upper_limit(2, bounded=True)[[0, 1]], [16.101686317918265, 2.0])
        assert (self.stat.compute_upper_limit(2, bounded=True) >= 0).all()

    @given(st.integers(0, 1000), st.floats(0.01, 1000), st.floats(0.5, 5))
    def test_limit_is_excess_plus_error(self, n_on, mu_bkg, n_sigma):
        stat = CashCountsStatistic(n_on, mu_bkg)
        assert float(stat.compute_upper_limit(n_sigma)) == pytest.approx(float(n_on - mu_bkg + stat.compute_errp(n_sigma)))

    def test_statistic_follows_from_null_and_maximum(self):
        stat = CashCountsStatistic([13, 5], [5.5, 7])
        assert_allclose(stat.ts, stat.stat_null - stat.stat_max)

    def test_sum_and_items(self):
        stat = CashCountsStatistic([[5, 3], [1, 2]], 1.0)
        total = stat.sum()
        assert (float(total.n_on), float(total.mu_bkg)) == (11, 4)
        assert stat.sum(axis=0).n_on.tolist() == [6, 5]
        assert stat[0].n_on.tolist() == [5, 3]
        assert float(stat[0, 1].mu_bkg) == 1

    def test_unsigned_counts_do_not_wrap(self):
        assert CashCountsStatistic(np.array([1], dtype=np.uint16), np.array([3], dtype=np.uint16)).n_sig.tolist() == [-2]

    def test_summary(self):
        assert str(CashCountsStatistic(5, 1)) == (
            "CashCountsStatistic\n"
            "  Total counts                    : 5.00 \n"
            "  Total background counts         : 1.00\n"
            "  Total excess counts             : 4.00\n"
            "  Total significance              : 2.85\n"
            "  p - value                       : 0.002\n"
            "  Total number of bins            : 1\n"
            "  Predicted background counts     : 1.00 \n"
        )
        assert "Total number of bins            : 3" in str(self.stat)
        assert list(self.stat.info_dict()) == ["n_on", "background", "excess", "significance", "p_value", "mu_bkg"]

    def test_refusals(self):
        with pytest.raises(InputError, match="n_on has negative values"):
            CashCountsStatistic([-1], [2])
        with pytest.raises(InputError, match="shapes do not fit together"):
            CashCountsStatistic([1, 2], [1, 2, 3])


class TestWStat:
    stat = WStatCountsStatistic([13, 0, 5, 30], [11, 5, 40, 0], [0.5, 0.1, 0.2, 0.1])

    def test_published_values(self):
        stat = self.stat
        assert_allclose(stat.n_sig, [7.5, -0.5, -3, 30])
        assert_allclose(stat.n_bkg, [5.5, 0.5, 8, 0])
        assert_allclose(stat.error, [3.968626966596886, 0.223606797749979, 2.569046515733026, 5.477225575051661])
        assert_allclose(stat.ts, [4.379947322613191, 0.9531017980432477, 1.108430609924028, 143.87371636790223])
        assert_allclose(stat.sqrt_ts, [2.09283236849328, -0.9762693265914113, -1.052820312267971, 11.994737027876111])
        expected = [3.7495218268616886, 0.2581105807125108, 2.3656653150896485, 5.149088541737722]
        assert_allclose(stat.compute_errn(), expected, rtol=1e-6)
        expected = [4.23647509150226, 0.5234491009783762, 2.8340523966789966, 5.81550842582871]
        assert_allclose(stat.compute_errp(), expected, rtol=1e-6)
        expected = [16.57952840909638, 1.5234491009783753, 3.2921681732733115, 42.32642985901039]
        assert_allclose(stat.compute_upper_limit(2), expected, rtol=1e-6)
        one = WStatCountsStatistic(10, 5, 0.3)
        assert float(one.sqrt_ts) == pytest.approx(3.5853812868)
        assert float(one.compute_upper_limit()) == pytest.approx(21.309229, rel=1e-6)
        assert_allclose([one.compute_errn(), one.compute_errp()], [2.932472, 3.55926], rtol=1e-6)

    @given(st.integers(1, 1000), st.integers(1, 1000), st.floats(0.01, 3))
    def test_significance_is_that_of_li_and_ma(self, n_on, n_off, alpha):
        ours = abs(float(WStatCountsStatistic(n_on, n_off, alpha).sqrt_ts))
        assert ours == pytest.approx(np.nan_to_num(li_ma(n_on, n_off, alpha)), abs=1e-5)

    def test_tends_to_a_known_background(self):
        known = CashCountsStatistic(13, 5.5)
        measured = WStatCountsStatistic(13, 5.5e8, 1e-8)
        assert float(measured.sqrt_ts) == pytest.approx(float(known.sqrt_ts), rel=1e-6)
        assert float(measured.compute_errp()) == pytest.approx(float(known.compute_errp()), rel=1e-6)

    def test_sum_without_off_counts(self):
        # Acceptances 2 and 10 off for 1 on each: 12 off for 2 on.
        total = WStatCountsStatistic([1, 2], [0, 0], [0.5, 0.1]).sum()
        assert float(total.alpha) == pytest.approx(1 / 6)
        assert np.isfinite(float(total.sqrt_ts))

    def test_sum_keeps_background_and_signal(self):
        stat = WStatCountsStatistic([10, 3], [5, 6], [0.3, 0.2], [1, 2.0])
        total = stat.sum()
        assert float(total.alpha) == pytest.approx(0.24545454545454548)
        assert float(total.n_bkg) == pytest.approx(float(stat.n_bkg.sum()))
        assert float(total.mu_sig) == 3
        assert float(total.n_sig) == pytest.approx(float(stat.n_sig.sum()))
        assert float(stat[1].mu_sig) == 2

    def test_sum_along_an_axis(self):
        stat = WStatCountsStatistic(np.ones((2, 3)), [[0, 1, 2], [0, 0, 2]], 0.5)
        assert stat.sum(axis=0).n_off.tolist() == [0, 1, 4]
        assert_allclose(stat.sum(axis=0).alpha, 0.5)

    def test_known_signal_is_subtracted(self):
        stat = WStatCountsStatistic([10, 3], [5, 6], [0.3, 0.2], [1, 2.0])
        assert_allclose(stat.sqrt_ts, [3.06128001, -0.10908459])
        assert_allclose(stat.compute_upper_limit(2), [15.31250325, 4.77633516])

    def test_matching_excess_has_the_significance(self):
        excess = WStatCountsStatistic([0, 0], [5, 0], [0.3, 0.3]).n_sig_matching_significance(3)
        again = WStatCountsStatistic(np.add(excess, [1.5, 0]), [5, 0], [0.3, 0.3])
        assert_allclose(again.sqrt_ts, 3)
        assert excess[1] == pytest.approx(3.06887147)

    def test_bounded_limit_is_not_negative(self):
        limit = WStatCountsStatistic(0, 50, 1.0).compute_upper_limit(2, bounded=True)
        assert float(limit) == pytest.approx(2.0)
        assert float(WStatCountsStatistic(0, 50, 1.0).compute_upper_limit(2)) < 0

    def test_summary(self):
        assert str(WStatCountsStatistic(10, 5, 0.3)) == (
            "WStatCountsStatistic\n"
            "  Total counts                    : 10.00 \n"
            "  Total background counts         : 1.50\n"
            "  Total excess counts             : 8.50\n"
            "  Total significance              : 3.59\n"
            "  p - value                       : 0.000\n"
            "  Total number of bins            : 1\n"
            "  Off counts                      : 5.00 \n"
            "  alpha                           : 0.30 \n"
            "  Predicted signal counts         : 0.00 \n"
        )
        names = ["n_on", "background", "excess", "significance", "p_value", "n_off", "alpha", "mu_sig"]
        assert list(self.stat.info_dict()) == names

    def test_refusals(self):
        with pytest.raises(InputError, match="alpha has negative values"):
            WStatCountsStatistic([1], [2], [-0.1])
        with pytest.raises(InputError, match="shapes do not fit together"):
            WStatCountsStatistic([1, 2], [1, 2, 3], 0.1)
