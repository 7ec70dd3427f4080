"""What the demo does with a dataset."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from geminga.cli import fitting
from geminga.cli.simulate import empty_field, simulate_field, true_models
from geminga.datasets import MapDataset
from geminga.errors import DataError
from geminga.maps import Map, MapAxis, WcsGeom


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
    points = fitting.flux_points(fitted, "nebula")
    norm, error, seen = points.norm.data.ravel(), points.norm_err.data.ravel(), ~points.is_ul.data.ravel()
    assert len(norm) == 6
    assert seen.sum() >= 4
    assert np.max(np.abs((norm - 1) / error)[seen]) < 4
    axis = points.energy_axis
    assert axis.edges_min[0].to_value("TeV") == pytest.approx(0.1)
    assert np.array_equal(axis.edges_max[:-1], axis.edges_min[1:])
    assert (points.norm_ul.data > points.norm.data).all()


def test_bands_leave_the_models_alone(fitted) -> None:
    before = fitted.models.parameters.value.copy()
    fitting.flux_points(fitted, "star")
    assert np.array_equal(fitted.models.parameters.value, before)


def test_significance_of_one_pixel() -> None:
    geom = WcsGeom.create(npix=5, binsz=0.1, axes=[MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)])
    counts, npred = Map.from_geom(geom), Map.from_geom(geom, data=8.0)
    counts.data[:, 2, 2] = 10, 15
    inside = np.ones((2, 5, 5), bool)
    inside[:, :, 4] = False
    mask = Map.from_geom(geom, data=inside)
    dataset = MapDataset(counts=counts, background=npred, mask_safe=mask, name="one")
    significance = fitting.significance_map(dataset, 0.05 * u.deg).data
    assert significance[2, 2] == pytest.approx(np.sqrt(2 * (25 * np.log(25 / 16) - 9)))
    assert significance[0, 0] == pytest.approx(-np.sqrt(2 * 16))
    assert np.isnan(significance[:, 4]).all()


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
