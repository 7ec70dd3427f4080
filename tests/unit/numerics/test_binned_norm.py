import numpy as np

from geminga.numerics.binned_norm import BinnedProblem
from geminga.numerics.norm_fit import best_norm, crossing


def problems(n=4000, number=7, seed=0):
    random = np.random.default_rng(seed)
    other, signal = random.uniform(0.001, 0.1, n), random.uniform(0, 0.05, n)
    off, alpha = np.full(n, np.nan), np.full(n, np.nan)
    measured = random.random(n) < 0.1
    off[measured], alpha[measured] = random.poisson(0.3, measured.sum()), 0.2
    return BinnedProblem(
        number, random.integers(0, number, n), random.poisson(other + signal).astype(float), other, signal, off, alpha
    )


def test_bins_without_counts_are_a_straight_line():
    whole = problems()
    small = whole.occupied()
    assert len(small.counts) < 0.3 * len(whole.counts)
    np.testing.assert_allclose(small.total, whole.total)
    np.testing.assert_allclose(small.floor, whole.floor)
    for norm in (-0.01, 0.0, 0.7, 5.0):
        at = np.full(7, norm)
        for a, b in zip(small.value(at), whole.value(at), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(small.absolute(at), whole.absolute(at), rtol=1e-12)
    few = np.array([5, 2])
    np.testing.assert_allclose(small.take(few).statistic(np.ones(2)), whole.statistic(np.ones(7))[few], rtol=1e-10)
    one, other = (best_norm(p)[0] for p in (small, whole))
    np.testing.assert_allclose(one, other, rtol=1e-7)
    np.testing.assert_allclose(crossing(small, one, 4.0, 1), crossing(whole, other, 4.0, 1), rtol=1e-5)


def test_most_bins_with_counts_stay():
    whole = problems()
    full = BinnedProblem(7, whole.problem, whole.counts + 1, whole.other, whole.signal, whole.off, whole.alpha)
    assert full.occupied() is full
    small = whole.occupied()
    assert small.occupied() is small
