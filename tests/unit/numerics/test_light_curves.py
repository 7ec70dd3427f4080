"""Integrals of courses in time equal quadrature of their values, and their derivatives equal differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from geminga.numerics import light_curves as curves
from geminga.numerics.light_curve_tables import PhaseTable, TimeTable, steps

LOW, HIGH = np.array([0.5, 2.0, -1.0, -3.0]), np.array([1.7, 2.0, 2.5, -1.0])
AFTER = np.array([0.0, 0.1, 3.0]), np.array([2.0, 4.0, 3.0])
CASES = {
    "linear": (curves.linear, curves.linear_integral, (1.0, 0.3), (LOW, HIGH)),
    "decay": (curves.exp_decay, curves.exp_decay_integral, (1.3,), (LOW, HIGH)),
    "gauss": (curves.gauss, curves.gauss_integral, (0.7,), (LOW, HIGH)),
    "flare": (curves.gauss_general, curves.gauss_general_integral, (0.7, 1.2, 0.3), (LOW, HIGH)),
    "cusp": (curves.gauss_general, curves.gauss_general_integral, (0.7, 1.2, 1.0), (LOW, HIGH)),
    "afterglow": (curves.power_law, curves.power_law_integral, (-0.5, 2.0), AFTER),
    "at the pole": (curves.power_law, curves.power_law_integral, (-1.0, 2.0), (AFTER[0][1:], AFTER[1][1:])),
    "near the pole": (curves.power_law, curves.power_law_integral, (-1 + 1e-9, 2.0), (AFTER[0][1:], AFTER[1][1:])),
    "rise": (curves.power_law, curves.power_law_integral, (2.5, 2.0), AFTER),
    "sine": (curves.sine, curves.sine_integral, (0.5, 3.0), (LOW, HIGH)),
    "slow sine": (curves.sine, curves.sine_integral, (0.5, 1e-3), (LOW, HIGH)),
}


@pytest.mark.parametrize("name", CASES)
def test_integral_and_derivatives(name):
    shape, integral, values, (low, high) = CASES[name]
    value, rows = integral(low, high, *values)
    for a, b, found in zip(low, high, value, strict=True):
        points = [0.0] if a < 0 < b else None
        expected = 0.0 if a == b else quad(lambda x: float(shape(np.array(x), *values)), a, b, points=points, epsrel=1e-11)[0]
        assert_allclose(found, expected, rtol=2e-7 if a == 0 else 1e-10, atol=1e-14)
    for j, own in enumerate(values):
        step = np.zeros(len(values))
        step[j] = 1e-5 * max(abs(own), 1e-3)
        up, down = (integral(low, high, *(np.array(values) + sign * step))[0] for sign in (1, -1))
        assert_allclose(rows[j], (up - down) / (2 * step[j]), rtol=1e-6, atol=1e-8)


def test_tail_keeps_its_digits():
    value, _ = curves.gauss_integral(np.array([8.0, -9.0]), np.array([9.0, -8.0]), 1.0)
    assert_allclose(value, 1.5590e-15, rtol=1e-4)


def test_power_law_before_its_reference():
    value, _ = curves.power_law_integral(np.array([-1.0, 0.0]), np.array([1.0, 1.0]), -1.5, 1.0)
    assert np.isnan(value).all()
    assert np.isnan(curves.power_law(np.array([-1.0]), 2.0, 1.0)).all()


NODES, VALUES = np.array([0.0, 1.0, 1.5, 4.0]), np.array([[1.0, 3.0, 0.5, 2.0], [2.0, 1.0, 1.0, 0.2]])


@pytest.mark.parametrize("scale", ["lin", "log", "sqrt"])
def test_time_table(scale):
    table = TimeTable(NODES, VALUES, scale)
    assert_allclose(table.value(NODES[:-1]), VALUES[:, :-1])
    assert_allclose(table.value(np.array([-0.1, 4.1])), 0)
    for a, b in ((-1.0, 0.7), (0.2, 3.3), (3.0, 9.0), (5.0, 6.0)):
        found = table.integral_to(np.array([b])) - table.integral_to(np.array([a]))
        for row in range(2):
            inner = [max(a, 0.0), *(x for x in NODES if max(a, 0.0) < x < min(b, 4.0)), min(b, 4.0)]
            parts = zip(inner[:-1], inner[1:], strict=True)
            expected = sum(quad(lambda x, row=row: table.value(np.array([x]))[row, 0], p, q)[0] for p, q in parts if p < q)
            assert_allclose(found[row, 0], expected, rtol=1e-8, atol=1e-13)


def test_table_with_zeros_in_log():
    table = TimeTable(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 0.0, 1.0]]), "log")
    assert table.value(np.array([0.5]))[0, 0] == 0
    assert 0 <= table.integral_to(np.array([2.0]))[0, 0] < 0.01


def test_steps():
    table = TimeTable(*steps(np.array([1.0, 2.0]), np.array([[3.0, 5.0]]), 0.5, 2.5))
    assert_allclose(table.value(np.array([0.6, 1.4, 1.6, 2.4])), [[3, 3, 5, 5]])
    assert_allclose(table.integral_to(np.array([1.5, 2.5]))[0], [3, 8])


@pytest.mark.parametrize("phase", [[0.0, 0.3, 0.6, 1.0], [0.1, 0.4, 0.9], [0.0, 0.5]], ids=["closed", "open", "half"])
def test_phase_table(phase):
    phase = np.array(phase)
    table = PhaseTable.periodic(phase, np.array([1.0, 4.0, 2.0, 1.0])[: len(phase)])
    assert_allclose(table.value(phase[:-1] + 3), table.value(phase[:-1]))
    knots = np.concatenate([table.nodes - 1, table.nodes])

    def integrate(function, a, b):
        inner = [a, *(k for k in np.unique(knots) if a < k < b), b]
        parts = zip(inner[:-1], inner[1:], strict=True)
        return sum(quad(lambda x: float(function(np.array(x))), p, q)[0] for p, q in parts)

    assert_allclose(integrate(table.value, 0, 1), table.mean)
    for a, b in ((-0.7, 0.2), (0.05, 0.77)):
        ends = [table.excess(np.array(x)) for x in (a, b)]
        assert_allclose(ends[1][1] - ends[0][1], integrate(lambda x: table.excess(x)[0], a, b), atol=1e-9)
        assert_allclose(ends[1][2] - ends[0][2], integrate(lambda x: table.excess(x)[1], a, b), atol=1e-9)
    assert_allclose(integrate(lambda x: table.excess(x)[1], 0, 1), 0, atol=1e-10)
