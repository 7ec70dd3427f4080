"""Many points at once give what they give one by one."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.cli.simulate import simulate_field
from geminga.forward import many, predict
from geminga.forward.folded import FoldedComponent
from geminga.forward.image import values_of
from tests.unit.forward import test_dense, test_subpixels


def around(own, n, rng):
    """Points near the present values: free parameters moved by up to 20 per cent."""
    values = values_of(own)
    points = np.repeat(values[None], n, axis=0)
    for i, p in enumerate(own.parameters):
        if not p.frozen:
            points[:, i] += 0.2 * rng.uniform(-1, 1, n) * (abs(values[i]) or 0.5)
    return points


def one_by_one(own, points):
    return many._one_by_one(own, points)


@pytest.fixture(scope="module")
def field():
    return simulate_field(seed=3)


def test_sources_over_a_background(field, monkeypatch):
    field.models.freeze("spatial")
    own = predict.likelihood(field)
    assert len(own.sources) > 1
    assert many._can_batch(own, values_of(own)[None])
    points = around(own, 23, np.random.default_rng(0))
    monkeypatch.setattr(many, "CHUNK", 5 * len(own.field.bin_counts))
    assert_allclose(own.value_many(points), one_by_one(own, points), rtol=1e-12)
    assert own.value_many(points[:0]).shape == (0,)
    field.models.unfreeze("spatial")


def test_a_background_norm_that_is_not_positive(field):
    field.models.freeze("spatial")
    own = predict.likelihood(field)
    points = np.repeat(values_of(own)[None], 3, axis=0)
    norm = next(i for i, p in enumerate(own.parameters) if p.name == "norm")
    points[:, norm] = [1.0, 0.0, -0.5]
    assert_allclose(own.value_many(points), one_by_one(own, points), rtol=1e-12)
    field.models.unfreeze("spatial")


def test_moving_positions(field):
    own = predict.likelihood(field)
    assert not many._can_batch(own, values_of(own)[None])
    points = np.repeat(values_of(own)[None], 3, axis=0)
    points[:, [p.name for p in own.parameters].index("lon_0")] += [0.0, 0.01, 0.02]
    assert_allclose(own.value_many(points), one_by_one(own, points), rtol=1e-12)


def test_points_elsewhere_than_folded(field):
    field.models.freeze("spatial")
    own = predict.likelihood(field)
    points = np.repeat(values_of(own)[None], 2, axis=0)
    points[1, [p.name for p in own.parameters].index("lon_0")] += 0.05
    values = own.value_many(points)
    assert_allclose(values, one_by_one(own, points), rtol=1e-12)
    assert values[0] != values[1]
    field.models.unfreeze("spatial")


@pytest.mark.parametrize("stat", ["cash", "cstat"])
def test_other_statistics_and_no_background(stat):
    dataset = test_subpixels.make(0.8)
    dataset.fake(random_state=1)
    dataset.stat_type = stat
    dataset.background = None
    dataset.models.freeze("spatial")
    own = predict.likelihood(dataset)
    assert isinstance(own.sources[0].component, FoldedComponent)
    points = around(own, 11, np.random.default_rng(1))
    assert_allclose(own.value_many(points), one_by_one(own, points), rtol=1e-12)


@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_an_off_measurement(kind):
    """All bins count, and the statistic is not a sum of logarithms."""
    _, own, values = test_dense.dense_twin(kind, "wstat")
    source = own.sources[0]
    place = source.own(values)
    n = source.component.n_spectral
    component = FoldedComponent(source.component, place[n:], source.component.fold(place[n:], 10**7))
    own = replace(own, sources=[replace(source, component=component)])
    points = np.repeat(values[None], 5, axis=0)
    points[:, source.index[:n]] *= np.linspace(0.9, 1.1, 5)[:, None]
    assert many._can_batch(own, points)
    assert_allclose(own.value_many(points), one_by_one(own, points), rtol=1e-12)
