"""Limits and errors of a single bin against closed forms, and their coverage against exact sums over all counts."""

import numpy as np
import pytest
from scipy.stats import poisson

from geminga.estimators.map.single_bins import cash_excess, wstat_excess
from geminga.estimators.points.norms import NormOptions, estimate_norms
from geminga.numerics.binned_norm import BinnedProblem
from geminga.stats import CashCountsStatistic, WStatCountsStatistic

COUNTS = np.arange(1500.0)
SIGNALS = (1, 3, 10, 30, 100)
#: Probability that the interval of one sigma, of two sigma and the limit of 95 % contain the signal, for background 1 and 10.
COVERAGE = {
    1: {1: (0.7218, 0.9834, 0.8647), 3: (0.6512, 0.9603, 0.9084), 10: (0.7109, 0.9448, 0.9214), 30: (0.6774, 0.9524, 0.9423)}
    | {100: (0.6791, 0.9536, 0.9528)},
    10: {1: (0.7109, 0.9448, 0.9214), 3: (0.6697, 0.9491, 0.9460), 10: (0.6867, 0.9568, 0.9339), 30: (0.6965, 0.9506, 0.9383)}
    | {100: (0.6834, 0.9549, 0.9451)},
}


def estimate(n_on, background, n_sigma=1.0, n_sigma_ul=2.0, low=-np.inf, off=None, alpha=None):
    k = len(n_on)
    nan = np.full(k, np.nan)
    off, alpha = (nan, nan) if off is None else (np.broadcast_to(off, k).astype(float), np.full(k, float(alpha)))
    other = np.full(k, float(background))
    problem = BinnedProblem(k, np.arange(k), np.asarray(n_on, dtype=float), other, np.ones(k), off, alpha)
    options = NormOptions(["ul", "errn-errp"], n_sigma, n_sigma_ul, 5.0, low, np.inf, np.ones(0))
    return estimate_norms(problem, options)


@pytest.mark.parametrize("background", [0, 1e-6, 0.1, 1, 10, 100, 900])
@pytest.mark.parametrize("n_sigma", [1, 2, 3])
def test_closed_form(background, n_sigma):
    # Also one count, where the statistic has a pole near the crossing, and no background, where it has one at zero.
    found = estimate(COUNTS, background, n_sigma, n_sigma)
    expected = CashCountsStatistic(COUNTS, background)
    np.testing.assert_allclose(found["norm"], COUNTS - background, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["norm_errp"], expected.compute_errp(n_sigma), rtol=1e-5)
    np.testing.assert_allclose(found["norm_errn"], expected.compute_errn(n_sigma), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["norm_ul"], expected.compute_upper_limit(n_sigma), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("background", [0, 1, 10, 100])
def test_bounded_flux_has_a_positive_limit(background):
    found = estimate(COUNTS, background, low=0.0)
    assert (found["norm"] >= 0).all()
    assert (found["norm_ul"] > 0).all()
    assert (np.diff(found["norm_ul"]) > 0).all()  # more counts, higher limit
    expected = CashCountsStatistic(COUNTS, background).compute_upper_limit(2, bounded=True)
    np.testing.assert_allclose(found["norm_ul"], expected, rtol=1e-5)


@pytest.mark.parametrize(("background", "signal"), [(b, s) for b in COVERAGE for s in SIGNALS])
def test_exact_coverage(background, signal):
    weight = poisson.pmf(COUNTS, background + signal)
    covered = []
    for n_sigma in (1, 2):
        found = estimate(COUNTS, background, n_sigma)
        low, high = found["norm"] - found["norm_errn"], found["norm"] + found["norm_errp"]
        covered.append(weight @ ((low <= signal) & (signal <= high)))
    covered.append(weight @ (estimate(COUNTS, background, n_sigma_ul=1.6448536)["norm_ul"] >= signal))
    np.testing.assert_allclose(covered, COVERAGE[background][signal], atol=6e-5)


@pytest.mark.parametrize("off", [0, 1, 7, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.5, 2])
def test_measured_background(off, alpha):
    counts = np.arange(200.0)
    found = estimate(counts, 0, n_sigma_ul=2, off=off, alpha=alpha)
    expected = WStatCountsStatistic(counts, off, alpha)
    assert np.isfinite(found["norm_ul"]).all()
    np.testing.assert_allclose(found["norm_ul"], expected.compute_upper_limit(2), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found["norm_errp"], expected.compute_errp(1), rtol=1e-3, atol=1e-3)


def test_several_bins_of_which_one_expects_nothing():
    # Two bins, background 0 and 3, counts 2 and 5, signal 1 and 2: the statistic on a fine grid is the judge.
    nan = np.full(2, np.nan)
    problem = BinnedProblem(1, np.zeros(2, int), np.array([2.0, 5.0]), np.array([0.0, 3.0]), np.array([1.0, 2.0]), nan, nan)
    found = estimate_norms(problem, NormOptions(["ul", "errn-errp"], 1, 2, 5, -np.inf, np.inf, np.ones(0)))
    grid = np.linspace(1e-4, 10, 1_000_001)
    stat = 2 * (grid - 2 * np.log(grid) + 3 + 2 * grid - 5 * np.log(3 + 2 * grid))
    best = stat.argmin()
    assert found["norm"][0] == pytest.approx(grid[best], abs=2e-5)
    inside = grid[stat <= stat[best] + 1]
    assert found["norm_errn"][0] == pytest.approx(grid[best] - inside[0], abs=3e-5)
    assert found["norm_ul"][0] == pytest.approx(grid[stat <= stat[best] + 4][-1], abs=3e-5)


@pytest.mark.parametrize("background", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("alpha", [np.nan, 0.1, 1.0])
def test_single_bins_in_closed_form_are_the_general_solution(background, alpha):
    counts, off = np.arange(60.0), np.arange(60.0)[::-1].copy()
    options = NormOptions(["ul", "errn-errp", "sensitivity"], 2.0, 3.0, 5.0)
    other, ratio = np.full(60, background), np.full(60, alpha)
    general = estimate_norms(BinnedProblem(60, np.arange(60), counts, other, np.ones(60), off, ratio), options)
    closed = cash_excess(counts, other, options) if np.isnan(alpha) else wstat_excess(counts, other, off, ratio, options)
    seen = np.isfinite(closed["norm_err"])
    assert seen[1:].all()
    for name, values in closed.items():
        where = seen if name == "norm_err" else np.ones(60, bool)
        np.testing.assert_allclose(values[where], general[name][where], rtol=1e-5, atol=2e-5, err_msg=name)
