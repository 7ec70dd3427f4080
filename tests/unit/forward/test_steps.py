"""Second derivatives where a parameter happens to be near zero."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.forward.steps import second_of
from geminga.forward.systematics import Product
from geminga.modeling.models import LogParabolaSpectralModel, PowerLawSpectralModel
from geminga.modeling.models.derivative import evaluate_many
from geminga.modeling.models.spectral.energy_scale import ScaledFlux
from geminga.numerics.factors import PowerFactor
from tests.unit.forward.test_systematics import make


@pytest.mark.parametrize("kind", ["map point", "map gauss norm", "map ellipse", "spectrum", "onoff map"])
@pytest.mark.parametrize("small", [0.0, 1e-13])
def test_parameters_near_zero(kind, small):
    """As by differences of the gradient; steps in proportion to 1e-13 would give noise."""
    dataset = make(kind)
    source = dataset.models["source"]
    source.spectral_model = LogParabolaSpectralModel(amplitude="2e-12 cm-2 s-1 TeV-1", alpha=2.3, beta=small)
    dataset.models["errors"].area_slope.value = small
    source.freeze("spatial")
    for frozen in (False, True):
        for p in (source.parameters["alpha"], source.parameters["amplitude"]):
            p.frozen = frozen
        term = dataset.likelihood()
        values = np.array([p.value for p in term.parameters])
        free = np.array([not p.frozen for p in term.parameters])
        curvature = term.evaluate(values, free, 3)[2]
        for name in ("beta", "area_slope"):
            place = [p.name for p in term.parameters].index(name)
            step = 1e-4 * (np.arange(len(values)) == place)
            up, down = (term.evaluate(values + sign * step, free, 1)[1] for sign in (1, -1))
            row = curvature[np.flatnonzero(np.flatnonzero(free) == place)[0]]
            assert_allclose(row, (up - down) / 2e-4, rtol=1e-4, atol=1e-4 * np.abs(row).max())


@pytest.mark.parametrize("same", [(), (0, 1, 2), (4, 5, 6), (0, 1, 2, 3, 4, 5, 6)])
def test_product_rule_at_many_points(same):
    """Rows that are all the same are evaluated once; the result is that of each row alone, and of plain differences."""
    edges = np.geomspace(0.1, 100, 8)
    rows = np.array([np.ones(7), np.log(edges[:-1]), np.ones(7)])
    product = Product(ScaledFlux(PowerLawSpectralModel(), edges, 1), 4, PowerFactor(np.array([True, False, True]), rows))
    rng = np.random.default_rng(1)
    values = np.array([2.2, 1e-12, 1.0, 1.02, 1.1, -0.1, 0.9]) * rng.uniform(0.9, 1.1, (5, 7))
    values[:, list(same)] = values[0, list(same)]
    weight = rng.uniform(-1, 1, (5, 7))
    at = evaluate_many(product, values)
    own = second_of(product, values, at, weight)
    plain = second_of(product.__call__, values, at, weight)  # which has no rule of its own
    size = np.sqrt(np.abs(np.einsum("sii->si", plain)) + 1e-3 * np.abs(at[0]).max() / values**2)
    assert_allclose(own / size[:, None] / size[:, :, None], plain / size[:, None] / size[:, :, None], atol=1e-6)
    for row, w, expected in zip(values, weight, own, strict=True):
        value, gradient = product(row)
        alone = second_of(product, row[None], (value[None], gradient[None]), w[None])[0]
        one = np.abs(values[0])
        assert_allclose(alone * np.outer(one, one), expected * np.outer(one, one), rtol=1e-6, atol=1e-7 * np.abs(value).max())
    part = second_of(product, values, at, weight, np.array([0, 1, 4]))
    kept = np.ix_(range(5), [0, 1, 4], [0, 1, 4])
    assert_allclose(part[kept], own[kept], rtol=1e-5)
