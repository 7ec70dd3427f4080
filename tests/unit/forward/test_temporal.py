"""Sources which change in time: predictions, gradient and curvature by temporal parameters, and a fit of a flare."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.data import GTI
from geminga.datasets import Datasets
from geminga.maps import Map, MapAxis, RegionNDMap
from geminga.modeling import Fit
from geminga.modeling.models import (
    ExpDecayTemporalModel,
    GaussianTemporalModel,
    LightCurveTemplateTemporalModel,
    PowerLawSpectralModel,
    SineTemporalModel,
    SkyModel,
)
from tests.unit.datasets.builders import CENTER, map_dataset, spectrum_dataset

DAY = Time(55555, format="mjd", scale="utc")
TEMPORAL = {
    "gauss": GaussianTemporalModel(t_ref="55556.2 d", sigma="0.8 d"),
    "exp-decay": ExpDecayTemporalModel(t0="2 d", t_ref="55555 d"),
    "sinus": SineTemporalModel(amp=0.5, omega="1.3 rad / d", t_ref="55554.1 d"),
}


def gti(start, stop):
    return GTI.create(np.atleast_1d(start) * u.d, np.atleast_1d(stop) * u.d, DAY)


def point(temporal, amplitude=3e-9):
    model = SkyModel.create("pl", "point", temporal, name="source")
    model.spatial_model.position = CENTER
    model.spectral_model.amplitude.value = amplitude
    return model


def datasets(kind):
    own = []
    for number, (start, stop) in enumerate([(0.1, 0.4), (1.0, 1.5), (2.2, 2.9)]):
        dataset = map_dataset(0, name=f"night-{number}") if kind == "map" else spectrum_dataset(name=f"night-{number}")
        dataset.gti = gti(start, stop)
        own.append(dataset)
    return own


@pytest.mark.parametrize("kind", ["spectrum", "map"])
@pytest.mark.parametrize("name", TEMPORAL)
def test_prediction_gradient_and_curvature(kind, name):
    """Of the statistic by all parameters, in steps of a thousandth of an error."""
    model = point(TEMPORAL[name].copy())
    if kind == "spectrum":
        model = SkyModel(model.spectral_model, temporal_model=model.temporal_model, name="source")
    for par in model.temporal_model.parameters:
        par.frozen = False
    dataset = datasets(kind)[1]
    steady = SkyModel(model.spectral_model, model.spatial_model, name="steady")
    dataset.models = [steady]
    expected = dataset.npred_signal().data * model.temporal_model.integral(dataset.gti.time_start, dataset.gti.time_stop).sum()
    dataset.models = [model]
    assert_allclose(dataset.npred_signal().data, expected, rtol=1e-10)
    term = dataset.likelihood()
    values = np.array([par.value for par in term.parameters], dtype=float)
    free = np.array([not par.frozen for par in term.parameters])
    natural = np.array([1e-3 * (par.value if par.name in {"index", "amplitude"} else 1e-1) for par in term.parameters])[free]
    gradient = term.evaluate(values, free, 1)[1] * natural
    curvature = term.evaluate(values, free, 3)[2] * np.outer(natural, natural)
    for j, place in enumerate(np.flatnonzero(free)):
        step = np.zeros(len(values))
        step[place] = natural[j]
        ends = [term.evaluate(values + factor * step, free, 0)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12
        assert_allclose(gradient[j], difference, rtol=1e-5, atol=1e-5 * np.abs(gradient).max() + 1e-10)
        up, down = (term.evaluate(values + sign * step, free, 1)[1] for sign in (1, -1))
        assert_allclose(curvature[j], (up - down) * natural / 2, rtol=1e-3, atol=3e-3 * np.abs(curvature).max())


@pytest.mark.parametrize("backend", ["newton", "minuit"])
def test_fit_of_a_flare(backend):
    """Asimov counts of three nights give back peak and width."""
    truth = GaussianTemporalModel(t_ref="55556.2 d", sigma="0.8 d")
    own = Datasets(datasets("spectrum"))
    model = SkyModel(PowerLawSpectralModel(index=2.2, amplitude="3e-11 cm-2 s-1 TeV-1"), temporal_model=truth, name="flare")
    own.models = [model]
    for dataset in own:
        dataset.counts = dataset.npred()
    model.spectral_model.index.frozen = True
    model.temporal_model.t_ref.value += 0.15
    model.temporal_model.sigma.value *= 1.2
    model.spectral_model.amplitude.value *= 0.9
    result = Fit(backend=backend).run(own)
    assert result.success, result.message
    temporal = model.temporal_model
    assert_allclose(temporal.t_ref.value, 55556.2, atol=0.02 * temporal.t_ref.error)
    assert_allclose(temporal.sigma.value, 0.8, atol=0.02 * temporal.sigma.error)
    assert 0 < temporal.t_ref.error < 0.5


def hardening():
    """Light curve whose high energies come later."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=3, name="energy")
    axis = MapAxis.from_nodes([0, 1.5, 2, 5] * u.d, name="time")
    data = np.array([[1, 2, 4, 1], [1, 3, 6, 2], [0.5, 3, 8, 4]], dtype=float).T
    own = RegionNDMap.create(region=None, axes=[energy, axis], data=data)
    return LightCurveTemplateTemporalModel(own, t_ref=DAY)


def test_light_curve_that_depends_on_energy():
    """Flux is the integral over energy and time of the product."""
    temporal = hardening()
    temporal.t_ref.frozen = False
    dataset = datasets("map")[1]
    model = point(temporal)
    flux = model.integrate_geom(dataset.exposure.geom, gti=dataset.gti)
    axis = dataset.exposure.geom.axes["energy_true"]
    for number in (0, 2, 4):
        x, w = np.polynomial.legendre.leggauss(200)
        low, high = np.log(axis.edges.value[number : number + 2])
        energy = np.exp(0.5 * (low + high) + 0.5 * (high - low) * x)
        average = temporal.integral(dataset.gti.time_start, dataset.gti.time_stop, energy=energy * u.TeV).sum(axis=1)
        expected = 0.5 * (high - low) * np.sum(w * energy * average * model.spectral_model(energy * u.TeV))
        assert_allclose(flux.data[number].sum(), expected.value, rtol=1e-6)
    dataset.models = [model]
    steady = dataset.npred_signal().data.sum()
    temporal.t_ref.value -= 0.4
    assert dataset.npred_signal().data.sum() > 1.2 * steady
    term = dataset.likelihood()
    values = np.array([par.value for par in term.parameters], dtype=float)
    free = np.array([par is temporal.t_ref for par in term.parameters])
    gradient = term.evaluate(values, free, 1)[1]
    ends = [term.evaluate(values + sign * 1e-4 * free, free, 0)[0] for sign in (1, -1)]
    assert_allclose(gradient[0], (ends[0] - ends[1]) / 2e-4, rtol=1e-5)


def test_evaluation_of_a_sky_model_in_time():
    model = point(hardening())
    energy = [[1], [5]] * u.TeV
    model = SkyModel(model.spectral_model, temporal_model=model.temporal_model)
    value = model(CENTER.ra, CENTER.dec, energy, time=DAY + 1.5 * u.d)
    factor = model.temporal_model(DAY + 1.5 * u.d, energy=[1, 5] * u.TeV)
    assert_allclose(value[:, 0], model.spectral_model([1, 5] * u.TeV) * factor)
    geom = datasets("map")[0].exposure.geom
    density = model.evaluate_geom(geom, gti=gti(1.0, 1.5))
    steady = model.evaluate_geom(geom)
    assert np.ptp((density / steady).value) > 0.1


def test_without_intervals_the_course_is_left_out(caplog):
    dataset = spectrum_dataset()
    dataset.gti = None
    dataset.models = [SkyModel.create("pl", temporal_model=TEMPORAL["gauss"].copy(), name="flare")]
    with caplog.at_level(logging.WARNING):
        dataset.npred_signal()
    assert "no GTI to average the temporal model over" in caplog.text


def test_changed_template_is_noticed():
    dataset = datasets("spectrum")[1]
    temporal = hardening()
    dataset.models = [SkyModel.create("pl", temporal_model=temporal, name="source")]
    before = dataset.npred_signal().data.sum()
    temporal.map = Map.from_geom(temporal.map.geom, data=2 * temporal.map.data)
    assert_allclose(dataset.npred_signal().data.sum(), 2 * before, rtol=1e-6)
