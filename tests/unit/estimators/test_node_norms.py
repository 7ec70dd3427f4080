import astropy.units as u
import numpy as np
import pytest

from geminga.estimators.points.node_norms import NodeNormSpectralModel, Smoothness, second_differences
from geminga.modeling import Parameter
from geminga.modeling.models import ExpCutoffPowerLawSpectralModel

NODES = np.array([1.0, 2.0, 5.0, 10.0])
NORMS = np.array([0.5, 2.0, -1.0, 1.5])


def model():
    out = NodeNormSpectralModel(ExpCutoffPowerLawSpectralModel(lambda_="0.2 TeV-1"), NODES)
    for p, value in zip(out.parameters, NORMS, strict=True):
        p.value = value
    return out


def test_norms_are_straight_lines():
    energy = np.array([0.1, 0.5, 1.0, np.sqrt(2), 5.0, 20.0, 80.0])
    # Beyond the ends by one node: 0.5 - 1.5 below, 1.5 + 2.5 above; constant from there.
    np.testing.assert_allclose(NORMS @ model().shares(energy), [-1.0, -1.0, 0.5, 1.25, -1.0, 4.0, 4.0])
    np.testing.assert_allclose(model().shares(np.geomspace(0.1, 90, 50)).sum(axis=0), 1)
    assert NodeNormSpectralModel(ExpCutoffPowerLawSpectralModel(), [2.0]).shares(energy).tolist() == [[1.0] * 7]


def test_integral_is_that_of_a_fine_grid():
    own = model()
    low, high = np.array([0.3, 0.2, 1.5, 3.0, 4.0]), np.array([0.4, 40.0, 1.7, 4.0, 12.0])
    for power in (0, 1):
        value, gradient = own._integral_evaluator(low, high, power)(NORMS)
        for i, (a, b) in enumerate(zip(low, high, strict=True)):
            edges = np.geomspace(a, b, 200001)
            center = np.sqrt(edges[:-1] * edges[1:])
            dnde = own(center * u.TeV).to_value("cm-2 s-1 TeV-1")
            assert value[i] == pytest.approx(np.sum(dnde * center**power * np.diff(edges)), rel=1e-6)
        more = own._integral_evaluator(low, high, power)(NORMS + np.eye(4)[1])[0]
        np.testing.assert_allclose(more - value, gradient[1], atol=1e-25)


def test_value_and_gradient():
    own = model()
    energy = np.array([0.5, 1.0, 3.0, 9.9, 10.1])
    value, gradient = own.dnde_evaluator(energy)(NORMS)
    np.testing.assert_allclose(value, own(energy * u.TeV).to_value("cm-2 s-1 TeV-1"))
    np.testing.assert_allclose(NORMS @ gradient, value)


def test_second_differences_of_a_parabola_are_constant():
    x = np.array([0.0, 1.0, 2.5, 3.0, 4.5])
    step = np.mean(np.diff(x))
    np.testing.assert_allclose(second_differences(x) @ (3 * x + 1), 0, atol=1e-12)
    np.testing.assert_allclose(second_differences(x) @ x**2, 2 * step**2)


def test_penalty_has_its_derivatives():
    parameters = [Parameter(f"norm_{i}", 1) for i in range(5)]
    own = Smoothness(parameters, np.geomspace(1, 30, 5), 3.0)
    values = np.array([1.0, 0.5, 2.0, 1.5, 0.7])
    free = np.array([True, True, False, True, True])
    stat, gradient, curvature = own.evaluate(values, free, 3)
    steps = 1e-6 * np.eye(5)[free]
    ends = [[own.evaluate(values + side * step, free, 2) for side in (1, -1)] for step in steps]
    np.testing.assert_allclose(gradient, [(a[0] - b[0]) / 2e-6 for a, b in ends], rtol=1e-6)
    np.testing.assert_allclose(curvature, [(a[1] - b[1]) / 2e-6 for a, b in ends], rtol=1e-5, atol=1e-6)
    assert own.evaluate(np.geomspace(1, 9, 5), free, 0)[0] == pytest.approx(0, abs=1e-12)  # a power law is smooth
    assert (np.linalg.eigvalsh(own.curvature(values)) > -1e-12).all()
    assert stat > 0
