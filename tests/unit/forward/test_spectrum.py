"""The term of spectra: derivatives equal differences, and joined terms are the sum of their parts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.forward.spectrum import Signal, SpectrumTerm
from geminga.modeling.models import LogParabolaSpectralModel, PowerLawNormSpectralModel, PowerLawSpectralModel
from geminga.numerics.likelihood import Cash, Cstat, Wstat

EDGES = np.geomspace(0.5, 30, 9)
N_TRUE, N_ENERGY = 8, 5


class Value:
    """A parameter by its identity."""


def matrix(seed: int):
    rng = np.random.default_rng(seed)
    center = np.linspace(0, 1, N_TRUE)[:, None] - np.linspace(0, 1, N_ENERGY)
    return np.exp(-(center**2) / 0.03) * rng.uniform(0.5, 1.5, (N_TRUE, N_ENERGY)) * 3e12


def make_term(kind: str = "cash", seed: int = 0, parameters=None, with_background: bool = True):
    """A power law (index, amplitude, reference) and a background with tilt, norm and reference."""
    parameters = [Value() for _ in range(6)] if parameters is None else parameters
    model, norm = PowerLawSpectralModel(), PowerLawNormSpectralModel()
    source = Signal("source", model.flux_evaluator(EDGES), np.arange(3)[None], matrix(seed)[None], "pl")
    signals = [source]
    if with_background:
        center = np.geomspace(1, 20, N_ENERGY)
        background = np.linspace(6, 1, N_ENERGY)[None]
        signals.append(Signal("background", norm.dnde_evaluator(center), np.arange(3, 6)[None], background, "norm"))
    offset = np.full((1, N_ENERGY), 0.5)
    rng = np.random.default_rng(seed)
    n = rng.poisson(12, (1, N_ENERGY)).astype(float)
    statistic = {
        "cash": lambda: Cash(n),
        "cstat": lambda: Cstat(n),
        "wstat": lambda: Wstat(n, rng.poisson(20, n.shape).astype(float), np.full(n.shape, 0.2)),
    }[kind]()
    return SpectrumTerm(
        tuple(parameters[: 6 if with_background else 3]), statistic, tuple(signals), offset, np.ones(offset.shape, bool)
    )


START = np.array([2.1, 2e-12, 1.0, 0.1, 1.1, 1.0])
FREE = np.array([True, True, False, True, True, False])
ERRORS = np.array([0.1, 1e-13, 1, 0.1, 0.1, 1])


def differences(function, x, errors, step=1e-3):
    """Fourth-order central differences, in units of the errors."""
    out = []
    for j, error in enumerate(errors):
        move = np.zeros(len(x))
        move[j] = step * error
        ends = [np.asarray(function(x + f * move)) for f in (-2, -1, 1, 2)]
        out.append((8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * step))
    return np.array(out)


@pytest.mark.parametrize("kind", ["cash", "cstat", "wstat"])
@given(shifts=st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_derivatives_equal_differences(kind, shifts):
    term = make_term(kind)
    values = START + np.array(shifts) * ERRORS * FREE
    expected = differences(lambda v: term.evaluate(v, FREE, 0)[0], values, ERRORS)[FREE]
    errors = ERRORS[FREE]
    for order in (1, 2, 3):
        stat, gradient, _ = term.evaluate(values, FREE, order)
        assert stat == term.evaluate(values, FREE, 0)[0]
        np.testing.assert_allclose(gradient * errors, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    exact = term.evaluate(values, FREE, 3)[2] * np.outer(errors, errors)
    second = differences(lambda v: term.evaluate(v, FREE, 1)[1] * errors, values, ERRORS)[FREE]
    np.testing.assert_allclose(exact, second, rtol=1e-5, atol=1e-6 * np.abs(second).max())


@pytest.mark.parametrize("kind", ["cash", "wstat"])
def test_positive_curvature_is_that_of_the_jacobian(kind):
    term = make_term(kind)
    mu = term.dense(START)
    jacobian = differences(lambda v: term.dense(v)[0], START, ERRORS)[FREE] / ERRORS[FREE][:, None]
    weight = term.statistic.terms(mu)[2][0]
    curvature = term.evaluate(START, FREE, 2)[2]
    np.testing.assert_allclose(curvature, (jacobian * weight) @ jacobian.T, rtol=1e-7)


@pytest.mark.parametrize("kind", ["cash", "cstat", "wstat"])
@pytest.mark.parametrize("shared", [[], [0], [0, 1], [0, 1, 2, 3, 4, 5]])
def test_joined_terms_are_the_sum_of_their_parts(kind, shared):
    first = [Value() for _ in range(6)]
    others = [[first[i] if i in shared else Value() for i in range(6)] for _ in range(3)]
    terms = [make_term(kind, seed, own) for seed, own in enumerate([first, *others])]
    joined = terms[0].join(terms[1:])
    assert len(joined.parameters) == 6 + 3 * (6 - len(shared))
    rng = np.random.default_rng(7)
    start = {id(p): START[i] * rng.uniform(0.9, 1.1) for own in [first, *others] for i, p in enumerate(own)}
    values = np.array([start[id(p)] for p in joined.parameters])
    place = {id(p): i for i, p in enumerate(joined.parameters)}
    n = len(values)
    stat, gradient, curvature = 0.0, np.zeros(n), np.zeros((n, n))
    for term in terms:
        at = [place[id(p)] for p in term.parameters]
        s, g, h = term.evaluate(values[at], np.ones(6, bool), 3)
        stat += s
        gradient[at] += g
        curvature[np.ix_(at, at)] += h
    ours = joined.evaluate(values, np.ones(n, bool), 3)
    assert ours[0] == pytest.approx(stat, rel=1e-13)
    np.testing.assert_allclose(ours[1], gradient, rtol=1e-10, atol=1e-10 * np.abs(gradient).max())
    root = np.sqrt(np.abs(np.diag(curvature)))
    np.testing.assert_allclose(ours[2], curvature, atol=1e-9 * np.outer(root, root).max(), rtol=1e-8)


def test_many_points_at_once():
    terms = [make_term("wstat", seed) for seed in range(3)]
    joined = terms[0].join(terms[1:])
    values = np.tile(START, 3)
    points = values * np.random.default_rng(0).uniform(0.8, 1.2, (50, len(values)))
    free = np.zeros(len(values), bool)
    expected = [joined.evaluate(point, free, 0)[0] for point in points]
    np.testing.assert_allclose(joined.value_many(points), expected, rtol=1e-12)
    assert joined.value_many(points[:0]).shape == (0,)


def test_bins_which_nobody_uses_are_left_out():
    term = make_term("wstat")
    used = np.array([[True, True, False, True, False]])
    own = term.statistic
    neutral = Wstat(np.where(used, own.n_on, 0), np.where(used, own.n_off, 0), np.where(used, own.alpha, 1))
    signals = tuple(dataclasses.replace(s, matrix=s.matrix * used) for s in term.signals)
    masked = SpectrumTerm(term.parameters, neutral, signals, term.offset * used, used)
    compact = masked.join([])
    assert compact.offset.shape == (1, 3)
    for order in range(4):
        for ours, theirs in zip(compact.evaluate(START, FREE, order), masked.evaluate(START, FREE, order), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9 if order < 3 else 1e-7)


def test_no_exposure_is_no_signal():
    term = make_term(with_background=False)
    empty = dataclasses.replace(term, signals=(dataclasses.replace(term.signals[0], matrix=0 * term.signals[0].matrix),)).join([])
    stat, gradient, curvature = empty.evaluate(START[:3], FREE[:3], 3)
    assert stat == pytest.approx(float(term.statistic.value(term.offset).sum()))
    assert not gradient.any()
    assert not curvature.any()
    np.testing.assert_allclose(empty.value_many(START[None, :3]), stat)


def test_only_equal_shapes_join():
    term = make_term()
    assert term.batch_key == make_term(seed=1).batch_key
    assert term.batch_key != make_term("wstat").batch_key
    assert term.batch_key != make_term(with_background=False).batch_key
    other = dataclasses.replace(term.signals[0], key="lp", flux=LogParabolaSpectralModel().flux_evaluator(EDGES))
    assert term.batch_key != dataclasses.replace(term, signals=(other, *term.signals[1:])).batch_key


def test_a_parameter_that_is_linked_twice_in_one_dataset():
    term = make_term(with_background=False)
    twin = dataclasses.replace(term.signals[0], index=np.array([[0, 3, 2]]), matrix=2 * term.signals[0].matrix)
    both = SpectrumTerm(tuple(Value() for _ in range(4)), term.statistic, (term.signals[0], twin), term.offset, term.used)
    values, errors = np.array([2.1, 1e-12, 1.0, 2e-12]), np.array([0.1, 1e-13, 1, 1e-13])
    free = np.array([True, True, False, True])
    _, gradient, curvature = both.evaluate(values, free, 3)
    expected = differences(lambda v: both.evaluate(v, free, 0)[0], values, errors)[free]
    np.testing.assert_allclose(gradient * errors[free], expected, rtol=1e-6)
    second = differences(lambda v: both.evaluate(v, free, 1)[1], values, errors)[free]
    np.testing.assert_allclose(curvature * errors[free][:, None], second, rtol=1e-5, atol=1e-6 * np.abs(second).max())


def test_absurd_values_give_an_infinite_statistic_without_a_warning():
    term = make_term(with_background=False)
    assert not np.isfinite(term.evaluate(np.array([-900.0, 1e-12, 1.0]), np.ones(3, bool), 2)[0])
