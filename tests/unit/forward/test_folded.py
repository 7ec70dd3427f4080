"""A source of which only the spectrum varies, as a matrix: the same numbers as the component it was made from."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.cli.simulate import simulate_field
from geminga.forward import folded, predict
from geminga.forward.folded import FoldedComponent
from geminga.forward.image import values_of
from geminga.irf import RecoPSFMap
from geminga.modeling.models import DiskSpatialModel
from tests.unit.forward import test_subpixels


@pytest.fixture(scope="module")
def field():
    return simulate_field(seed=3)


def components(own):
    return [source.component for source in own.sources]


def check(own, plain, values):
    free = np.array([not p.frozen for p in own.parameters])
    for mine, twin in zip(own.evaluate(values, free, 3), plain.evaluate(values, free, 3), strict=True):
        scale = np.abs(twin).max()
        assert_allclose(mine, twin, rtol=1e-7, atol=1e-9 * scale)


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_same_statistic_and_derivatives(field, shift, monkeypatch):
    field.models.freeze("spatial")
    own = predict.likelihood(field)
    assert all(isinstance(component, FoldedComponent) for component in components(own))
    monkeypatch.setattr(folded, "MAX_SIZE", 0)
    plain = predict.likelihood(field)
    assert not any(isinstance(component, FoldedComponent) for component in components(plain))
    values = values_of(own)
    for i, p in enumerate(own.parameters):
        if p.name in {"index", "amplitude"}:
            values[i] *= 1 + shift
    check(own, plain, values)
    field.models.unfreeze("spatial")


def test_narrow_psf(monkeypatch):
    dataset = test_subpixels.make(0.2, 0.3, 0.1)
    dataset.fake(random_state=0)
    dataset.models.freeze("spatial")
    own = predict.likelihood(dataset)
    assert isinstance(components(own)[0], FoldedComponent)
    monkeypatch.setattr(folded, "MAX_SIZE", 0)
    values = values_of(own)
    values[:2] *= 1.1
    check(own, predict.likelihood(dataset), values)


def test_position_outside_of_the_field_has_derivatives():
    dataset = test_subpixels.make(0.2, 0.3, 0.1)
    dataset.fake(random_state=0)
    own = predict.likelihood(dataset)
    values = values_of(own)
    values[-1] += 40
    _, gradient, curvature = own.evaluate(values, np.ones(len(values), dtype=bool), 3)
    assert_allclose(gradient, 0, atol=1e-12)
    assert_allclose(curvature, 0, atol=1e-12)


def test_psf_in_measured_energy(monkeypatch):
    dataset = test_subpixels.make(1.0)
    dataset.psf = RecoPSFMap.from_gauss(test_subpixels.ENERGY, rad_axis=test_subpixels.RAD, sigma="0.1 deg")
    dataset.fake(random_state=0)
    dataset.models.freeze("spatial")
    own = predict.likelihood(dataset)
    assert isinstance(components(own)[0], FoldedComponent)
    monkeypatch.setattr(folded, "MAX_SIZE", 0)
    check(own, predict.likelihood(dataset), values_of(own))


def test_not_when_a_position_is_free(field):
    own = predict.likelihood(field)
    assert not any(isinstance(component, FoldedComponent) for component in components(own))


def test_elsewhere_it_asks_the_component(field):
    field.models.freeze("spatial")
    own = predict.likelihood(field)
    source = next(s for s in own.sources if s.name == "star")
    values = source.own(values_of(own))
    moved = values.copy()
    moved[-1] += 0.2
    component = source.component
    twin = component.component
    state, other = component.forward(moved), twin.forward(moved)
    weight = np.linspace(-1, 1, len(state.counts))
    which = np.arange(0, len(weight), 7)
    assert_allclose(state.counts, other.counts)
    assert_allclose(component.pullback(state, weight), twin.pullback(other, weight))
    assert_allclose(component.jacobian(state, which), twin.jacobian(other, which))
    assert_allclose(component.hessian(state, weight), twin.hessian(other, weight))
    assert component.freeze_irf(values) is component
    assert not isinstance(component.freeze_irf(moved), FoldedComponent)
    assert_allclose(component.dense(values)[0], twin.dense(values)[0])
    field.models.unfreeze("spatial")


def test_shape_on_a_grid(monkeypatch):
    dataset = test_subpixels.make(1.0, spatial=DiskSpatialModel, r_0="0.3 deg", e=0.5, phi="20 deg")
    dataset.fake(random_state=0)
    dataset.models.freeze("spatial")
    own = predict.likelihood(dataset)
    assert isinstance(components(own)[0], FoldedComponent)
    monkeypatch.setattr(folded, "MAX_SIZE", 0)
    values = values_of(own)
    values[:2] *= 1.1
    check(own, predict.likelihood(dataset), values)
