"""W statistic and its derivatives at very many points, against 60 digits."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.numerics import poisson
from geminga.numerics.likelihood import Wstat
from tests.unit.numerics.exact_wstat import differenced_terms, exact_terms, random_points


@pytest.mark.slow
def test_wstat_at_a_hundred_thousand_points():
    points = random_points(100_000, seed=1)
    exact = np.array([exact_terms(*p) for p in points])
    precise = np.array(poisson.wstat_terms(*points.T)).T
    np.testing.assert_allclose(precise, exact, rtol=1e-10, atol=1e-12)
    n_on, n_off, alpha, mu = points.T[:, None]
    quick = np.array(Wstat(n_on, n_off, alpha).terms(mu))[:, 0].T
    np.testing.assert_allclose(quick, exact, rtol=1e-10, atol=1e-9)


@pytest.mark.slow
def test_derivatives_are_those_of_the_statistic():
    points = random_points(5000, seed=2)
    n_on, n_off, alpha, mu = points.T
    # Away from the kink of a measurement without off counts.
    kink = (n_off == 0) & (np.abs(mu * (1 + alpha) / np.maximum(alpha * n_on, 1e-300) - 1) < 1e-6)
    points = points[~kink]
    exact = np.array([differenced_terms(*p) for p in points])
    np.testing.assert_allclose(np.array(poisson.wstat_terms(*points.T)).T, exact, rtol=1e-10, atol=1e-12)
