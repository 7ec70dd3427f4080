"""Second derivatives where a parameter happens to be near zero."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.modeling.models import LogParabolaSpectralModel
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
