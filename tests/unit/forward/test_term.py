"""The Poisson term: sparse equals dense, derivatives equal differences, and the fit finds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.numerics.newton import minimize
from tests.unit.forward.builders import make_term

KINDS = ["point", "gauss", "grid", "shape"]
ERRORS = np.array([0.02, 5e-13, 0.003, 0.003, 0.004, 0.01])


def _values(kind, shifts):
    term, values = make_term(kind)
    shifts = np.array(shifts)[: len(values)] if kind != "point" else np.array(shifts)[[0, 1, 2, 3, 5]]
    errors = ERRORS if kind != "point" else ERRORS[[0, 1, 2, 3, 5]]
    return term, values + shifts * errors, errors


@pytest.mark.parametrize("kind", KINDS)
def test_value_equals_dense(kind):
    term, values = make_term(kind)
    free = np.ones(len(values), bool)
    np.testing.assert_allclose(term.evaluate(values, free, 0)[0], term.dense_stat(values), rtol=1e-12)


@pytest.mark.parametrize("kind", ["point", "gauss", "shape"])
@given(shifts=st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_gradient_equals_differences(kind, shifts):
    term, values, errors = _values(kind, shifts)
    free = np.ones(len(values), bool)
    gradient = term.evaluate(values, free, 1)[1] * errors
    for j, error in enumerate(errors):
        step = np.zeros(len(values))
        step[j] = 1e-3 * error
        ends = [term.evaluate(values + f * step, free, 0)[0] for f in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12 / 1e-3
        np.testing.assert_allclose(gradient[j], difference, rtol=1e-5, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("kind", KINDS)
def test_exact_curvature(kind):
    term, values = make_term(kind)
    free = np.ones(len(values), bool)
    errors = ERRORS if kind != "point" else ERRORS[[0, 1, 2, 3, 5]]
    exact = term.evaluate(values, free, 3)[2] * np.outer(errors, errors)
    for j, error in enumerate(errors):
        step = np.zeros(len(values))
        step[j] = 1e-2 * error
        up, down = term.evaluate(values + step, free, 1)[1], term.evaluate(values - step, free, 1)[1]
        np.testing.assert_allclose(exact[j], (up - down) * errors / 2e-2, atol=2e-3 * np.abs(exact).max())


@pytest.mark.parametrize("kind", KINDS)
def test_minimum_and_pulls(kind):
    term, truth = make_term(kind)
    free = np.ones(len(truth), bool)
    truth = truth.copy()
    truth[-1] = 1.0
    low, high = np.full(len(truth), -np.inf), np.full(len(truth), np.inf)
    result = minimize(lambda x, order: term.evaluate(x, free, order), truth, low, high)
    assert result.status == "converged"
    covariance = 2 * np.linalg.inv(term.evaluate(result.x, free, 3)[2])
    pulls = (result.x - truth) / np.sqrt(np.diag(covariance))
    assert np.abs(pulls).max() < 4
    assert np.abs(pulls).max() > 1e-3


def test_masked_bins_have_no_influence():
    n = 60
    mask = np.ones((4, n * n), bool)
    mask[:, ::3] = False
    term, values = make_term("point", mask=mask)
    again, _ = make_term("point", seed=0, mask=mask)
    free = np.ones(len(values), bool)
    assert term.evaluate(values, free, 0)[0] == again.evaluate(values, free, 0)[0]
    assert not np.isin(term.field.pixel[term.field.bin_pixel] % 3, [0]).any()
