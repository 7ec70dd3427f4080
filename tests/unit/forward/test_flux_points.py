"""Likelihood of flux points: gradients are differences, for all statistics and with courses in time."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import FluxPointsDataset
from geminga.estimators import FluxPoints
from geminga.modeling.models import (
    ExpDecayTemporalModel,
    LinearTemporalModel,
    LogParabolaSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)
from tests.unit.flux.builders import TIME, light_curve, spectrum_points

START = TIME.time_min[0].utc.mjd


def source(**kwargs):
    spectrum = LogParabolaSpectralModel(amplitude="1.7e-12 cm-2 s-1 TeV-1", reference="3 TeV", alpha=2.2, beta=0.5)
    return SkyModel(spectrum, name="source", **kwargs)


def decay():
    model = ExpDecayTemporalModel(t0="4 h", t_ref=START * u.d)
    model.parameters["t_ref"].frozen = False
    return model


def datasets():
    second = SkyModel(PowerLawSpectralModel(amplitude="2e-13 cm-2 s-1 TeV-1", index=3), name="second")
    yield "spectrum", spectrum_points(), [source()]
    yield "two models", spectrum_points(), [source(), second]
    yield "light curve", light_curve(), [source(temporal_model=decay()), second]
    average = spectrum_points()
    average.gti = light_curve().gti
    yield "average over good times", average, [source(temporal_model=decay())]
    linear = LinearTemporalModel(alpha=1, beta="0.3 h-1", t_ref=START * u.d)
    yield "linear", light_curve(), [source(temporal_model=linear)]


CASES = {name: (data, models) for name, data, models in datasets()}


def term_of(name, stat_type):
    data, models = CASES[name]
    return FluxPointsDataset(data=data, models=models, stat_type=stat_type).likelihood()


def steps_of(term):
    """Small changes of each parameter, of dates in proportion to the observation."""
    return np.array([1e-5 if p.name == "t_ref" else 1e-4 * abs(p.value) for p in term.parameters])


@pytest.mark.parametrize("stat_type", ["chi2", "distrib", "profile"])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_differences(name, stat_type):
    term = term_of(name, stat_type)
    values = np.array([p.value for p in term.parameters])
    free = np.array([not p.frozen for p in term.parameters])
    stat, gradient, curvature = term.evaluate(values, free, 2)
    _, _, exact = term.evaluate(values, free, 3)
    assert term.evaluate(values, free, 0)[0] == stat
    assert_allclose(term.evaluate(values, free, 1)[1], gradient)
    assert (np.linalg.eigvalsh(curvature * np.outer(*[steps_of(term)[free]] * 2)) > -1e-12).all()
    steps = steps_of(term)
    for row, j in enumerate(np.flatnonzero(free)):
        up, down = values.copy(), values.copy()
        up[j] += steps[j]
        down[j] -= steps[j]
        difference = (term.evaluate(up, free, 0)[0] - term.evaluate(down, free, 0)[0]) / 2
        assert_allclose(gradient[row] * steps[j], difference, rtol=1e-4, atol=1e-7)
        second = (term.evaluate(up, free, 1)[1] - term.evaluate(down, free, 1)[1]) / 2
        # The curvature of two halves and of a profile may jump at the value itself.
        own = exact[row] * steps[j]
        size = np.abs(second).max()
        assert_allclose(own, second, rtol=5e-3, atol=5e-3 * size)
    assert term.freeze_irf(values) is term


def test_prediction_is_the_model_averaged_over_each_interval():
    data, models = CASES["light curve"]
    dataset = FluxPointsDataset(data=data, models=models)
    predicted = dataset.flux_pred()
    assert predicted.shape == (3, 3, 1, 1)
    energy = data.energy_ref
    for i in range(3):
        fine = TIME.time_min[i] + (np.arange(1000) + 0.5) / 1000 * (TIME.time_max[i] - TIME.time_min[i])
        course = models[0].temporal_model(fine).mean()
        expected = models[0].spectral_model(energy) * course + models[1].spectral_model(energy)
        assert_allclose(predicted[i, :, 0, 0].to_value("cm-2 s-1 TeV-1"), expected.to_value("cm-2 s-1 TeV-1"), rtol=1e-6)


def test_prediction_without_time_axis_is_averaged_over_the_good_times():
    data, models = CASES["average over good times"]
    gti = data.gti
    expected = models[0].spectral_model(data.energy_ref) * models[0].temporal_model.integral(gti.time_start, gti.time_stop).sum()
    found = FluxPointsDataset(data=data, models=models).flux_pred().ravel()
    assert_allclose(found.to_value("cm-2 s-1 TeV-1"), expected.to_value("cm-2 s-1 TeV-1"), rtol=1e-9)


def test_course_without_times_is_left_out_and_said_so(caplog):
    model = source(temporal_model=decay())
    dataset = FluxPointsDataset(data=spectrum_points(), models=model, name="points")
    found = dataset.flux_pred().ravel()
    assert "'points' has neither a time axis nor good time intervals" in caplog.text
    assert_allclose(found.value, model.spectral_model(spectrum_points().energy_ref).value)


def test_only_points_in_the_mask_count():
    data = spectrum_points()
    mask = np.array([True, False, False]).reshape(3, 1, 1)
    term = FluxPointsDataset(data=data, models=source(), mask_fit=mask).likelihood()
    values = np.array([p.value for p in term.parameters])
    model = source().spectral_model(data.energy_ref[:1])
    expected = ((data.dnde.quantity.ravel()[0] - model) / data.dnde_err.quantity.ravel()[0]) ** 2
    assert_allclose(term.evaluate(values, np.ones(4, bool), 0)[0], expected.to_value("")[0])


def test_linked_parameters_are_one():
    one, two = source(), source().copy(name="other")
    two.spectral_model.alpha = one.spectral_model.alpha
    term = FluxPointsDataset(data=spectrum_points(), models=[one, two]).likelihood()
    assert len(term.parameters) == 7
    values = np.array([p.value for p in term.parameters])
    free = np.array([not p.frozen for p in term.parameters])
    _, gradient, _ = term.evaluate(values, free, 1)
    j = next(i for i, p in enumerate(term.parameters) if p is one.spectral_model.alpha)
    up, down = values.copy(), values.copy()
    up[j] += 1e-4
    down[j] -= 1e-4
    difference = (term.evaluate(up, free, 0)[0] - term.evaluate(down, free, 0)[0]) / 2e-4
    assert_allclose(gradient[free[:j].sum()], difference, rtol=1e-5)


def test_errors_are_for_their_number_of_standard_deviations():
    data = spectrum_points()
    wide = {name: value * 2 if "err" in name else value for name, value in data._data.items()}
    twice = FluxPoints(wide, data.reference_model, meta={"n_sigma": 2, "n_sigma_ul": 2})
    for stat_type in ("chi2", "distrib"):
        stats = [FluxPointsDataset(data=d, models=source(), stat_type=stat_type).stat_sum() for d in (data, twice)]
        assert_allclose(stats[0], stats[1])
