"""Bayesian blocks against trying all divisions, and how often a constant series is divided."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.stats import bayesian_blocks


def best_of_all(flux, error, prior):
    """Starts of the best division, of all there are."""
    n, weight = len(flux), error**-2.0

    def fitness(starts):
        edges = [*starts, n]
        total = 0.0
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            w, x = weight[low:high], flux[low:high]
            total += 0.5 * np.sum(w * x) ** 2 / np.sum(w) - prior
        return total

    divisions = [(0, *rest) for k in range(n) for rest in combinations(range(1, n), k)]
    return list(max(divisions, key=fitness))


@pytest.mark.parametrize("seed", range(6))
def test_division_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    flux = np.repeat(random.uniform(0, 3, 3), 3) + 0.5 * random.normal(size=9)
    error = random.uniform(0.3, 0.7, 9)
    assert bayesian_blocks(flux, error, ncp_prior=1.0).tolist() == best_of_all(flux, error, 1.0)


@pytest.mark.parametrize(("n", "p0"), [(20, 0.05), (60, 0.05), (60, 0.2)])
def test_constant_series_is_rarely_divided(n, p0):
    series = np.random.default_rng(0).normal(size=(600, n)) + 3
    divided = np.mean([len(bayesian_blocks(flux, np.ones(n), p0=p0)) > 1 for flux in series])
    assert 0.3 * p0 < divided < 2 * p0


def test_steps_are_found():
    random = np.random.default_rng(1)
    flux = np.concatenate([np.full(30, 1.0), np.full(20, 2.0), np.full(40, 0.5)]) + 0.1 * random.normal(size=90)
    assert_allclose(bayesian_blocks(flux, np.full(90, 0.1)), [0, 30, 50], atol=1)


def test_unknown_points_do_not_matter():
    flux = np.array([np.nan, 1.0, np.nan, 1.0, 5.0, 5.0])
    assert bayesian_blocks(flux, np.full(6, 0.1)).tolist() == [0, 4]
    assert bayesian_blocks([np.nan, np.nan], [1.0, 1.0]).tolist() == [0]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="p0 is 2; expected a probability"):
        bayesian_blocks([1.0, 2.0], [0.1, 0.1], p0=2)
    with pytest.raises(InputError, match="1 errors are zero"):
        bayesian_blocks([1.0, 2.0], [0.1, 0.0])
    with pytest.raises(InputError, match="expected one series"):
        bayesian_blocks(np.ones((2, 2)), np.ones((2, 2)))
