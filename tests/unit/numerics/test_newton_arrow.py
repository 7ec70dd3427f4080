"""Many Poisson problems that share parameters, solved in blocks and densely."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.numerics.arrow import Arrow, arrow_layout
from geminga.numerics.newton import NewtonOptions, minimize
from geminga.numerics.newton_arrow import minimize_arrow

N = 12
X = np.linspace(-1, 1, 7)


def problem(seed: int = 0):
    """Counts n[d, x] of mean exp(a_d + s x): one shared slope (the last parameter), one height each."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(np.exp(rng.uniform(1, 3, N)[:, None] - 0.7 * X)).astype(float)
    layout = arrow_layout(N + 1, [np.array([i]) for i in range(N)])
    i, j = (a.ravel() for a in np.indices((N + 1, N + 1)))
    target = layout.target(i, j)

    def dense(x, order):
        mu = np.exp(x[:N, None] + x[N] * X)
        stat = float(2 * np.sum(mu - n * (x[:N, None] + x[N] * X)))
        gradient = np.append(2 * (mu - n).sum(axis=1), 2 * np.sum((mu - n) * X))
        matrix = np.diag(np.append(2 * mu.sum(axis=1), 2 * np.sum(mu * X**2)))
        matrix[N, :N] = matrix[:N, N] = 2 * mu @ X
        return stat, gradient, matrix

    def blocks(x, order):
        stat, gradient, matrix = dense(x, order)
        return stat, gradient, Arrow(layout, np.bincount(target, matrix.ravel(), minlength=layout.size + 1)[:-1])

    return dense, blocks


@pytest.mark.parametrize("start", [0.0, 3.0, -2.0])
@pytest.mark.parametrize(("low", "high"), [(-np.inf, np.inf), (1.5, 2.5)])
def test_same_minimum_as_the_dense_search(start, low, high):
    dense, blocks = problem()
    x0 = np.clip(np.full(N + 1, start), low, high)
    bounds = np.full(N + 1, low), np.full(N + 1, high)
    bounds[0][N], bounds[1][N] = -5, 5
    ours, theirs = minimize_arrow(blocks, x0, *bounds), minimize(dense, x0, *bounds)
    assert ours.status == theirs.status == "converged"
    assert ours.value == pytest.approx(theirs.value, abs=1e-6)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-4)
    for found in (ours, theirs):
        np.testing.assert_array_equal(found.trace[-1].x, found.x)  # the last step is among those kept
    assert (ours.x >= bounds[0]).all()
    assert (ours.x <= bounds[1]).all()


def test_saddle_points_are_left():
    layout = arrow_layout(2, [np.array([0]), np.array([1])])

    def double_well(x, order):
        value = float(np.sum((x**2 - 1) ** 2))
        return value, 4 * x * (x**2 - 1), Arrow(layout, 12 * x**2 - 4)

    result = minimize_arrow(double_well, np.array([0.1, -0.2]), np.full(2, -9.0), np.full(2, 9.0))
    assert result.status == "converged"
    np.testing.assert_allclose(np.abs(result.x), 1, atol=1e-4)


def test_it_says_why_it_stopped():
    _, blocks = problem()
    x0, low, high = np.full(N + 1, 3.0), np.full(N + 1, -np.inf), np.full(N + 1, np.inf)
    assert minimize_arrow(blocks, x0, low, high, NewtonOptions(max_iterations=1)).status == "iterations"

    def invalid(x, order):
        return float("nan"), *blocks(x, order)[1:]

    assert minimize_arrow(invalid, x0, low, high).status == "invalid"
