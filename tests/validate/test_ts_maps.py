"""TS maps of many simulated fields: flux of injected sources, and the distribution of the test statistic without any."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from geminga.estimators import TSMapEstimator
from tests.unit.estimators.test_ts import SHAPES, make, source

N_FIELDS = 100


def simulate(dataset, model, seed):
    dataset.models = [] if model is None else [model]
    dataset.fake(random_state=seed)
    dataset.models = []
    return dataset


@pytest.mark.slow
@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_flux_of_injected_sources(shape, joint):
    model = source(SHAPES[shape]())
    model.spectral_model.amplitude.value = 4e-11
    dataset = make()
    estimator = TSMapEstimator(model, sum_over_energy_groups=not joint)
    norms, pulls = [], []
    for seed in range(N_FIELDS):
        maps = estimator.run(simulate(dataset, model, seed))
        norm, error = maps.norm.data[0, 25, 30], maps.norm_err.data[0, 25, 30]
        norms.append(norm)
        pulls.append((norm - 1) / error)
    # A mean bias below 1 %, tested with an error of the mean of a third of that at most.
    spread = np.std(norms) / np.sqrt(N_FIELDS)
    assert spread < 0.0034
    assert abs(np.mean(norms) - 1) < 0.01
    assert 0.8 < np.std(pulls) < 1.2


@pytest.mark.slow
@pytest.mark.parametrize("joint", [False, True])
def test_no_source_is_half_chi_square(joint):
    model = source(SHAPES["gauss"]())
    dataset = make(background=2.0)
    estimator = TSMapEstimator(model, sum_over_energy_groups=not joint)
    step = estimator.estimate_kernel(dataset).geom.data_shape[-1]
    roots = []
    for seed in range(3 * N_FIELDS):
        root = estimator.run(simulate(dataset, None, seed)).sqrt_ts.data[0]
        # Windows that do not overlap are independent.
        roots.append(root[step // 2 :: step, step // 2 :: step].ravel())
    roots = np.concatenate(roots)
    n = len(roots)
    share = (roots > 0).mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(n) + 0.01  # a Poisson distribution has its median a little below its mean
    for side in (roots[roots > 0], -roots[roots < 0]):
        assert kstest(side**2, chi2(1).cdf).pvalue > 1e-3
