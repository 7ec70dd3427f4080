"""What the demo does with a dataset."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from astropy import units as u

from geminga.cli import fitting
from geminga.cli.simulate import empty_field, simulate_field, true_models
from geminga.errors import DataError


@pytest.fixture(scope="module")
def fitted():
    dataset = simulate_field(seed=11)
    fitting.fit_models(dataset, fitting.displaced_models(true_models("demo")))
    return dataset


def test_start_is_off_the_truth() -> None:
    truth = true_models("demo")
    start = fitting.displaced_models(truth)
    assert start["star"].spectral_model.index.value == pytest.approx(2.4)
    assert start["nebula"].spatial_model.sigma.value == pytest.approx(0.24)
    assert truth["star"].spectral_model.index.value == pytest.approx(2.2)


def test_fit_finds_the_truth(fitted) -> None:
    truth = true_models("demo")
    pulls = [
        (p.value - truth[model.name].parameters[p.name].value) / p.error
        for model in fitted.models
        for p in model.parameters
        if not p.frozen
    ]
    assert len(pulls) == 11
    assert np.max(np.abs(pulls)) < 4
    assert np.mean(np.square(pulls)) < 3


def test_bands_agree_with_the_spectrum(fitted) -> None:
    points = list(fitting.fit_bands(fitted, "nebula"))
    assert len(points) == 6
    pulls = [(point.norm - 1) / point.error for point in points if not point.is_upper_limit]
    assert len(pulls) >= 4
    assert np.max(np.abs(pulls)) < 4
    assert points[0].energy_min.to_value("TeV") == pytest.approx(0.1)
    assert all(a.energy_max == b.energy_min for a, b in pairwise(points))


def test_bands_leave_the_models_alone(fitted) -> None:
    before = fitted.models.parameters.value.copy()
    list(fitting.fit_bands(fitted, "star"))
    assert np.array_equal(fitted.models.parameters.value, before)


def test_significance_of_one_pixel() -> None:
    counts, npred = np.zeros((5, 5)), np.ones((5, 5)) * 16.0
    counts[2, 2] = 25
    significance = fitting._significance(counts, npred, radius=0.5)
    assert significance[2, 2] == pytest.approx(np.sqrt(2 * (25 * np.log(25 / 16) - 9)))
    assert significance[0, 0] == pytest.approx(-np.sqrt(2 * 16))


def test_significance_of_residuals_is_normal(fitted) -> None:
    data = fitting.significance_map(fitted, 0.1 * u.deg).data
    assert data.shape == (100, 100)
    assert abs(np.nanmean(data)) < 0.15
    assert 0.7 < np.nanstd(data) < 1.2


def test_default_models_start_at_the_brightest_source() -> None:
    dataset = simulate_field(seed=2)
    dataset.models = None
    models = fitting.default_models(dataset)
    assert models.names == ["source", "demo-bkg"]
    position = models["source"].spatial_model
    truth = [true_models("demo")[name].spatial_model for name in ("star", "nebula")]
    distance = min(np.hypot(position.lon_0.value - t.lon_0.value, position.lat_0.value - t.lat_0.value) for t in truth)
    assert distance < 0.2


def test_nothing_to_fit_is_refused() -> None:
    with pytest.raises(DataError, match="'demo' has no counts"):
        fitting.default_models(empty_field())


def test_table_shows_digits_that_errors_warrant(fitted) -> None:
    table = fitting.parameter_table(fitted.models, true_models("demo")).splitlines()
    assert len(table) == 12
    line = next(line for line in table if line.startswith("star.lon_0"))
    assert line.split()[1] == "deg"
    assert float(line.split()[2]) == pytest.approx(195.6, abs=0.02)
    assert len(line.split()[2]) >= 7
    assert fitting._show(0.0, 1.0) == "0"
