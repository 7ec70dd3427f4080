"""Times in several intervals, and of models which depend on energy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from scipy.stats import kstest

from geminga.modeling.models import LightCurveTemplateTemporalModel
from tests.unit.modeling.models.temporal.builders import START, STOP, light_curve_map, make_models, mjd

MODELS = make_models()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_several_intervals(name):
    model = MODELS[name]
    time = model.sample_time(4000, START, STOP, t_delta="5 min", random_state=3)
    inside = [(time >= low) & (time <= high) for low, high in zip(START, STOP, strict=True)]
    assert (inside[0] | inside[1]).all()
    parts = np.atleast_2d(model.integral(START, STOP).value).sum(axis=0)
    share = parts[0] / parts.sum()
    assert inside[0].mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000))


@pytest.mark.parametrize("energy", [1.2, 3.0, 9.0])
def test_energy_decides_the_light_curve(energy):
    model = LightCurveTemplateTemporalModel(light_curve_map(), t_ref=mjd(55555.0))
    low, high = mjd(55555.2), mjd(55559.5)
    energies = np.append(np.full(3000, energy), [1.0, 10.0]) * u.TeV
    time = model.sample_time(3002, low, high, t_delta="10 min", random_state=1, energy=energies)[:3000]
    grid = low + np.linspace(0, 1, 2001) * (high - low)
    parts = model.integral(grid[:-1], grid[1:], energy=[energy] * u.TeV).value[0]
    cdf = np.append(0, np.cumsum(parts)) / parts.sum()
    assert kstest((time - low).to_value("d"), lambda x: np.interp(x, (grid - low).to_value("d"), cdf)).pvalue > 1e-3
