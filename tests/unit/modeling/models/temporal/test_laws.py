"""Laws which every temporal model keeps."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time
from numpy.testing import assert_allclose
from scipy.stats import kstest

from geminga.errors import InputError, NameLookupError, UnitError
from geminga.modeling import Parameter
from geminga.modeling.models import (
    TEMPORAL_MODEL_REGISTRY,
    GaussianTemporalModel,
    LinearTemporalModel,
    Model,
    Models,
    SkyModel,
    TemporalModel,
)
from tests.unit.modeling.models.temporal.builders import MODELS, START, STOP, make_models, mjd

NAMES = list(MODELS)
ENERGY = np.array([1.5, 4.0, 9.0])


def numerical_average(model, start, stop, energy=None):
    """Average by a fine midpoint rule on the values."""
    total, duration = 0.0, 0.0
    for low, high in zip(start, stop, strict=True):
        span = (high - low).to("d")
        n = 200_000
        time = low + (np.arange(n) + 0.5) / n * span
        value = model(time) if energy is None else model(time, energy=energy * u.TeV)
        total = total + value.value.mean(axis=-1) * span.value
        duration += span.value
    return total / duration


def values_of(model):
    return np.array([par.value for par in model.parameters], dtype=float)


def test_every_kind_is_here():
    assert {type(model) for model in MODELS.values()} == set(TEMPORAL_MODEL_REGISTRY)


@pytest.mark.parametrize("name", NAMES)
def test_average_is_that_of_the_values(name):
    model = MODELS[name]
    energy = ENERGY if model.is_energy_dependent else None
    average, _ = model.average_evaluator(START, STOP, energy)(values_of(model))
    assert_allclose(average, numerical_average(model, START, STOP, energy), rtol=3e-6)
    options = {} if energy is None else {"energy": energy * u.TeV}
    assert_allclose(model.integral(START, STOP, **options).sum(axis=-1), average, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_gradient(name):
    """By all parameters, also those frozen; times are whole numbers, so that a date keeps its digits."""
    model = MODELS[name]
    energy = ENERGY if model.is_energy_dependent else None
    evaluator = model.average_evaluator(START, STOP, energy)
    values = values_of(model)
    natural = model._natural_steps(5.0)
    _, gradient = evaluator(values)
    assert len(gradient) == len(values)
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 2.0**-10 * natural[j]
        ends = [evaluator(values + factor * step)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * step[j])
        assert_allclose(gradient[j], difference, rtol=1e-5, atol=1e-5 * np.abs(1 / natural[j]) * 1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_shapes(name):
    model = MODELS[name]
    lead = (3,) if model.is_energy_dependent else ()
    assert model(mjd(55555.5)).shape == lead
    assert model(mjd([55555.5, 55556.5])).shape == (*lead, 2)
    assert model(mjd(np.full((2, 3), 55555.5))).shape == (*lead, 2, 3)
    assert model.integral(mjd(55555.0), mjd(55556.0)).shape == lead
    assert model(mjd(55555.5)).unit == u.dimensionless_unscaled
    assert model.is_energy_dependent == (lead != ())


@pytest.mark.parametrize("name", NAMES)
def test_dictionary_round_trip(name, tmp_path):
    model = make_models()[name]
    if hasattr(model, "filename"):
        model.filename = str(tmp_path / "template.fits")
        model.write(overwrite=True, **getattr(model, "_write_options", {}))
    for full_output in (False, True):
        again = Model.from_dict(model.to_dict(full_output=full_output))
        assert type(again) is type(model)
        assert again.parameters.value.tolist() == model.parameters.value.tolist()
        assert [par.frozen for par in again.parameters] == [par.frozen for par in model.parameters]
        time = mjd([55555.3, 55556.7])
        assert_allclose(again(time), model(time), rtol=1e-6)
        assert again.scale == model.scale


@pytest.mark.parametrize("name", NAMES)
def test_model_file(name, tmp_path):
    """With its template beside it."""
    model = make_models()[name]
    if hasattr(model, "filename"):
        model.filename = str(tmp_path / "template.fits")
    models = Models([SkyModel.create("pl", temporal_model=model, name="source")])
    models.write(tmp_path / "models.yaml")
    again = Models.read(tmp_path / "models.yaml")["source"].temporal_model
    assert_allclose(again(mjd([55555.3, 55556.7])), model(mjd([55555.3, 55556.7])), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if MODELS[name].parameters.names])
def test_equivalent_units(name):
    """Parameters given in other units mean the same."""
    model, other = make_models()[name], make_models()[name]
    exchange = {"d": "h", "1 / d": "1 / yr", "rad / d": "rad / h", "1 / s": "1 / min", "1 / s2": "1 / h2", "1 / s3": "1 / h3"}
    for par in other.parameters:
        unit = exchange.get(str(par.unit))
        if unit:
            par.quantity = par.quantity.to(unit)
    time = mjd([55555.25, 55556.75])
    assert_allclose(other(time), model(time), rtol=1e-5)
    assert_allclose(other.integral(START, STOP), model.integral(START, STOP), rtol=1e-6)
    evaluators = [own.average_evaluator(START, STOP)(values_of(own))[1] for own in (model, other)]
    for par, own, new in zip(model.parameters, *evaluators, strict=True):
        factor = par.unit.to(other.parameters[par.name].unit)
        assert_allclose(new * factor, own, rtol=1e-3, atol=1e-6 * max(np.max(np.abs(own)), 1e-6))


@pytest.mark.parametrize("name", NAMES)
def test_samples_follow_the_model(name):
    model = MODELS[name]
    low, high = mjd(55555.25), mjd(55558.75)
    time = model.sample_time(3000, low, high, t_delta="5 min", random_state=1)
    assert time.scale == model.scale
    assert time.min() >= low
    assert time.max() <= high
    grid = low + np.linspace(0, 1, 2001) * (high - low)
    parts = np.atleast_2d(model.integral(grid[:-1], grid[1:]).value).sum(axis=0)
    cdf = np.append(0, np.cumsum(parts)) / parts.sum()
    days = (time - low).to_value("d")
    assert kstest(days, lambda x: np.interp(x, (grid - low).to_value("d"), cdf)).pvalue > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_plot(name):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert MODELS[name].plot((mjd(55555), mjd(55558)), ax=ax) is ax
    assert len(ax.lines) == (3 if MODELS[name].is_energy_dependent else 1)
    plt.close(figure)


@pytest.mark.parametrize("name", NAMES)
def test_copy_is_its_own(name):
    model = make_models()[name]
    new = model.copy()
    for par in new.parameters:
        par.value = par.value + 1
    assert model.parameters.value.tolist() == MODELS[name].parameters.value.tolist()
    assert_allclose(model(mjd(55555.5)), MODELS[name](mjd(55555.5)))


def test_reference_time():
    model = GaussianTemporalModel()
    model.reference_time = Time("2020-01-01T12:00:00", scale="utc")
    assert model.t_ref.value == 58849.5
    assert model.reference_time.isot == "2020-01-01T12:00:00.000"
    with pytest.raises(InputError, match="ConstantTemporalModel has no reference time"):
        MODELS["const"].copy().reference_time = Time("2020-01-01")


def test_scale_of_the_reference():
    """A minute between the scales moves the model by a minute."""
    utc, tt = (LinearTemporalModel(beta="1 d-1", t_ref="55555 d", scale=scale) for scale in ("utc", "tt"))
    shift = tt(mjd(55556)) - utc(mjd(55556))
    assert_allclose(shift * 86400, 66.184, rtol=1e-5)
    assert tt.to_dict()["temporal"]["scale"] == "tt"


class Halving(TemporalModel):
    """A user's model."""

    tag = ["Halving", "halving"]
    period = Parameter("period", "3 d")
    t_ref = Parameter("t_ref", "55555 d", frozen=True)

    @staticmethod
    def evaluate(time, period, t_ref):
        return 0.5 ** ((time - t_ref) / period).to_value("")


class Doubled(GaussianTemporalModel):
    """A user's model which changes a built-in one."""

    @staticmethod
    def evaluate(time, t_ref, sigma):
        return 2 * GaussianTemporalModel.evaluate(time, t_ref, sigma)


@pytest.mark.parametrize("model", [Halving(), Doubled(t_ref="55556 d")], ids=["new", "changed"])
def test_models_of_ones_own(model):
    assert_allclose(model.integral(START, STOP).sum(), numerical_average(model, START, STOP), rtol=1e-8)
    evaluator, values = model.average_evaluator(START, STOP), values_of(model)
    up, down = (evaluator(values + sign * np.array([1e-3, 0]))[0] for sign in (1, -1))
    assert_allclose(evaluator(values)[1][0], (up - down) / 2e-3, rtol=1e-5)


def test_constant_is_one_over_any_interval():
    assert_allclose(MODELS["const"].integral(START, STOP).sum(), 1, rtol=1e-15)
    assert TemporalModel.time_sum(START, STOP).to_value("d") == pytest.approx(3.225)


def test_refusals():
    with pytest.raises(NameLookupError, match="time scale 'utx' is not known; choose one of"):
        LinearTemporalModel(scale="utx")
    with pytest.raises(UnitError, match=r"parameter 'sigma' has unit 'TeV'; expected one convertible to 'd'"):
        GaussianTemporalModel(sigma="1 TeV")
    with pytest.raises(InputError, match="t_max is before t_min; exchange them"):
        MODELS["linear"].integral(STOP, START)
    with pytest.raises(InputError, match="have no duration to average over; check the GTI"):
        MODELS["linear"].average_evaluator(START, START)
    with pytest.raises(InputError, match=r"has no finite integral .* check t_ref"):
        MODELS["powerlaw"].integral(mjd(55550.0), mjd(55556.0))
    with pytest.raises(InputError, match="nothing can be drawn, check t_ref"):
        MODELS["template"].sample_time(3, mjd(56000.0), mjd(56001.0))
    with pytest.raises(InputError, match="t_delta is '-1 s'; expected a positive duration"):
        MODELS["gauss"].sample_time(3, mjd(55555.0), mjd(55556.0), t_delta="-1 s")
    with pytest.raises(InputError, match="unknown option banana"):
        MODELS["gauss"].integral(START, STOP, banana=1)
