import numpy as np
import pytest
from scipy.optimize import brentq

from geminga.numerics.norm_fit import Atoms, NormProblem, best_norm, crossing
from geminga.numerics.norm_map import Layer, NormMap


def gauss(width=4, size=7):
    y, x = np.mgrid[-size : size + 1, -size : size + 1]
    kernel = np.exp(-0.5 * (x**2 + y**2) / width**2)
    return kernel / kernel.sum()


def field(seed=1, level=0.5, source=60.0, shape=(40, 50)):
    rng = np.random.default_rng(seed)
    background = level * np.linspace(0.5, 2.0, shape[1]) * np.ones(shape)
    signal = np.linspace(1.0, 1.5, shape[0])[:, None] * np.ones(shape)
    mu = background.copy()
    mu[13:28, 18:33] += source * gauss()
    return Layer(rng.poisson(mu).astype(float), background, signal, gauss())


def slow(layers, y, x):
    """Ten obvious lines: all bins of one window."""
    n, b, s = [], [], []
    for layer in layers:
        half = layer.kernel.shape[0] // 2
        for dy in range(-half, half + 1):
            for dx in range(-half, half + 1):
                i, j = y + dy, x + dx
                if 0 <= i < layer.counts.shape[0] and 0 <= j < layer.counts.shape[1]:
                    n.append(layer.counts[i, j])
                    b.append(layer.background[i, j])
                    s.append(layer.signal[i, j] * layer.kernel[half + dy, half + dx])
    n, b, s = np.array(n), np.array(b), np.array(s)
    use = s > 0
    n, b, s = n[use], b[use], s[use]

    def stat(norm):
        occupied = n > 0
        return 2 * (norm * s.sum() - np.sum(n[occupied] * np.log1p(norm * (s / b)[occupied])))

    floor = -np.min(b / s)

    def slope(norm):
        return s.sum() - np.sum(n * s / (b + norm * s))

    low = floor * (1 - 1e-9)
    best = low if slope(low) >= 0 else brentq(slope, low, n.sum() / s.sum() + 1, xtol=1e-13)
    return best, stat, floor


@pytest.mark.parametrize(
    "layers",
    [
        [field()],
        [field(level=0.01, source=5.0)],
        [field(source=3000.0)],
        [field(), field(seed=2, level=2.0)],
        [field(level=1e-3, source=0.0)],
    ],
    ids=["plain", "sparse", "strong", "two layers", "nearly empty"],
)
def test_equals_the_sum_over_bins(layers):
    problem, norm, _ = NormMap(layers).problem()
    ts, upper, lower = -problem.statistic(norm), crossing(problem, norm, 4.0, 1), crossing(problem, norm, 1.0, -1)
    for place in [*np.random.default_rng(0).choice(len(norm), 25, replace=False), 20 * 50 + 25]:
        best, stat, floor = slow(layers, *divmod(place, 50))
        width = upper[place] - norm[place]
        assert norm[place] == pytest.approx(best, abs=1e-3 * width)
        assert ts[place] == pytest.approx(-stat(best), abs=2e-3)
        assert stat(upper[place]) - stat(best) == pytest.approx(4.0, abs=1e-2)
        if np.isfinite(lower[place]):
            assert stat(lower[place]) - stat(best) == pytest.approx(1.0, abs=1e-2)
        else:
            assert stat(floor * (1 - 1e-9)) - stat(best) < 1.0


def test_no_exposure_gives_nan():
    layer = field()
    signal = layer.signal.copy()
    signal[:, :30] = 0
    problem, norm, _ = NormMap([Layer(layer.counts, layer.background, signal, layer.kernel)]).problem()
    assert np.isnan(norm.reshape(40, 50)[:, :20]).all()
    assert np.isfinite(norm.reshape(40, 50)[:, 35:]).all()
    assert np.isnan(crossing(problem, norm, 1.0, 1).reshape(40, 50)[:, :20]).all()


def test_bins_without_background():
    layer = field()
    background = layer.background.copy()
    background[5, 5] = 0.0
    counts = layer.counts.copy()
    counts[5, 5] = 3
    own = NormMap([Layer(counts, background, layer.signal, layer.kernel)])
    problem, norm, _ = own.problem()
    assert np.isfinite(norm).all()
    # Every count there must come from the source: the test statistic is that of the null hypothesis' truncation.
    assert -problem.statistic(norm).reshape(40, 50)[norm.reshape(40, 50).shape[0] // 8, 5] > 100
    far = NormMap([layer]).problem()
    np.testing.assert_allclose(norm.reshape(40, 50)[20:, 20:], far[1].reshape(40, 50)[20:, 20:], rtol=1e-5, atol=1e-7)


def test_only_some_positions():
    where = np.zeros((40, 50), bool)
    where[15:25, 20:30] = True
    _, some, _ = NormMap([field()], where).problem()
    _, all_, _ = NormMap([field()]).problem()
    np.testing.assert_allclose(some, all_.reshape(40, 50)[where].ravel(), rtol=1e-6, atol=1e-9)


def test_one_bin_is_closed_form():
    # n counts on background b, signal s: F = (n - b) / s.
    n, b, s = np.array([0.0, 3.0, 10.0, 500.0]), np.array([2.0, 5.0, 1.0, 20.0]), np.array([1.0, 2.0, 3.0, 0.1])
    occupied = np.flatnonzero(n)
    atoms = Atoms(occupied, (s / b)[occupied], n[occupied])
    problem = NormProblem(s, -b / s, np.zeros((2, 4)), 1.0, atoms)
    norm, _ = best_norm(problem)
    np.testing.assert_allclose(norm, (n - b) / s, rtol=1e-6)
    # Without counts the statistic rises by 2 s F from the floor: 1 sigma above it at 1 / 2s.
    assert crossing(problem, norm, 1.0, 1)[0] == pytest.approx(-2.0 + 0.5, rel=1e-5)
    assert np.isnan(crossing(problem, norm, 1.0, -1)[0])


@pytest.mark.parametrize("level", [1e-3, 0.5])
def test_moments_and_direct_sums_agree(level, monkeypatch):
    import geminga.numerics.norm_map as module

    layer = field(level=level)
    _, direct, _ = NormMap([layer]).problem()
    monkeypatch.setattr(module, "SPARSE", 0)
    problem, norm, _ = NormMap([layer]).problem()
    width = crossing(problem, norm, 1.0, 1) - norm
    assert np.max(np.abs(norm - direct) / width) < 1e-2
