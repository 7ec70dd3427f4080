"""Laws which every spectral model keeps."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose
from scipy.integrate import quad

from geminga.errors import InputError, UnitError
from geminga.maps import MapAxis
from geminga.modeling.models import SPECTRAL_MODEL_REGISTRY, FoVBackgroundModel, Model, Models, SkyModel
from tests.unit.modeling.models.spectral.builders import MODELS, make_models

NAMES = list(MODELS)
ENERGY = np.array([0.15, 0.9, 3.0, 22.0]) * u.TeV
EDGES = np.geomspace(0.1, 47, 9)


def values_of(model):
    return np.array([par.value for par in model.parameters], dtype=float)


def kinks(model):
    return [float(e) for e in model._break_energies(values_of(model))]


def test_every_kind_is_here():
    found = {type(model) for model in MODELS.values()}
    assert {cls for cls in SPECTRAL_MODEL_REGISTRY if cls.__name__ != "NaimaSpectralModel"} == found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["dnde", "flux", "energy flux"])
def test_gradient(name, what):
    model = MODELS[name]
    evaluator = {
        "dnde": lambda: model.dnde_evaluator(ENERGY.value),
        "flux": lambda: model.flux_evaluator(EDGES),
        "energy flux": lambda: model._integral_evaluator(EDGES[:-1], EDGES[1:], 1),
    }[what]()
    values = values_of(model)
    value, gradient = evaluator(values)
    assert gradient.shape == (len(values), len(value))
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 2e-4 * (abs(values[j]) or 1.0)
        ends = [evaluator(values + factor * step)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * step[j])
        assert_allclose(
            gradient[j], difference, rtol=1e-5, atol=1e-7 * np.abs(difference).max() + 1e-11 * np.abs(value / step[j]).max()
        )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("power", [0, 1])
def test_integral_is_that_of_the_values(name, power):
    """In closed form, or by a rule which knows the kinks."""
    model = MODELS[name]
    unit = model(1 * u.TeV).unit
    function = (model.integral, model.energy_flux)[power]
    found = function(EDGES[:-1] * u.TeV, EDGES[1:] * u.TeV)
    for low, high, own in zip(EDGES[:-1], EDGES[1:], found, strict=True):
        inner = [low, *(e for e in kinks(model) if low < e < high), high]
        pieces = zip(np.log(inner[:-1]), np.log(inner[1:]), strict=True)

        def integrand(x):
            return float(model(np.exp(x) * u.TeV).to_value(unit)) * np.exp(x * (1 + power))

        expected = sum(quad(integrand, a, b, epsrel=1e-11, epsabs=0)[0] for a, b in pieces)
        assert_allclose(own.to_value(unit * u.TeV ** (1 + power)), expected, rtol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_integral_adds_up(name):
    model = MODELS[name]
    parts = model.integral(EDGES[:-1] * u.TeV, EDGES[1:] * u.TeV).sum()
    assert_allclose(parts, model.integral(EDGES[0] * u.TeV, EDGES[-1] * u.TeV), rtol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_units(name):
    """Scalars, arrays of any shape, and energies in any unit."""
    model = MODELS[name]
    expected = model(ENERGY)
    assert expected.shape == (4,)
    assert model(ENERGY[0]).shape == ()
    assert model(ENERGY.reshape(2, 2)).shape == (2, 2)
    assert_allclose(model(ENERGY.reshape(2, 2)).ravel(), expected, rtol=1e-12)
    for unit in ("GeV", "keV", "erg", "J"):
        own = model(ENERGY.to(unit))
        assert_allclose(own.to_value(expected.unit), expected.value, rtol=1e-8)
        flux = model.integral(EDGES[:-1] * u.TeV.to(unit) * u.Unit(unit), (EDGES[1:] * u.TeV).to(unit))
        assert_allclose(
            flux.to_value(flux.unit), model.integral(EDGES[:-1] * u.TeV, EDGES[1:] * u.TeV).to_value(flux.unit), rtol=1e-8
        )
    low = [[0.1], [0.2]] * u.TeV
    assert model.integral(low, [1, 10, 30] * u.TeV).shape == (2, 3)
    assert model.energy_flux(0.1 * u.TeV, 1 * u.TeV).shape == ()
    assert_allclose(model.dnde_evaluator(ENERGY.value)(values_of(model))[0], expected.to_value(model._dnde_unit), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_in_equivalent_units(name):
    model, other = make_models()[name], make_models()[name]
    exchange = {"TeV": "GeV", "1 / TeV": "1 / GeV", "1 / (TeV s cm2)": "1 / (MeV h m2)", "1 / (s cm2)": "1 / (min km2)"}
    for par in other.parameters:
        unit = exchange.get(str(par.unit))
        if unit:
            par.quantity = par.quantity.to(unit)
    assert_allclose(other(ENERGY).to_value(model(ENERGY).unit), model(ENERGY).value, rtol=1e-9)
    new, old = (own.flux_evaluator(EDGES)(values_of(own)) for own in (other, model))
    assert_allclose(new[0], old[0], rtol=1e-9)
    for j, (a, b) in enumerate(zip(model.parameters, other.parameters, strict=True)):
        assert_allclose(new[1][j] * a.unit.to(b.unit), old[1][j], rtol=1e-7, atol=1e-12 * np.abs(old[1][j]).max())


def with_file(model, folder):
    """Give templates a file."""
    for part in (model, getattr(model, "model2", None)):
        if hasattr(part, "write") and part.filename is None:
            part.filename = str(folder / "template.fits")
    return model


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("full_output", [False, True])
def test_model_file(name, full_output, tmp_path):
    model = with_file(make_models()[name], tmp_path)
    if name == "templateND-norm":
        model = with_file(type(model)(model.map), tmp_path)
    for j, par in enumerate(model.parameters):
        par.error = 0.01 * (j + 1) * abs(par.value)
        par.frozen, par.min = j == 0, -7
    background = FoVBackgroundModel("field", spectral_model=model) if model.is_norm_spectral_model else None
    own = background or SkyModel(model, name="source")
    Models([own]).write(tmp_path / "models.yaml", full_output=full_output)
    again = Models.read(tmp_path / "models.yaml")[0].spectral_model
    assert type(again) is type(model)
    assert_allclose(again(ENERGY).to_value(model(ENERGY).unit), model(ENERGY).value, rtol=1e-6 if "template" in name else 1e-12)
    for old, new in zip(model.parameters, again.parameters, strict=True):
        assert (new.name, new.value, new.frozen, new.unit) == (old.name, old.value, old.frozen, old.unit)
        assert_allclose([new.error, new.min, new.max], [old.error, old.min, old.max])
    assert_allclose(again.covariance.data, model.covariance.data)


test_model_file = pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning")(test_model_file)


@pytest.mark.parametrize("name", NAMES)
def test_short_and_long_tags(name):
    model = MODELS[name]
    for tag in model.tag:
        assert SPECTRAL_MODEL_REGISTRY.get_cls(tag) is type(model)


@pytest.mark.parametrize("name", NAMES)
def test_copy_is_its_own(name):
    model = make_models()[name]
    for par in model.parameters:
        par.error = 0.1 * abs(par.value)
    new = model.copy()
    assert_allclose(new.covariance.data, model.covariance.data)
    for par in new.parameters:
        par.value = par.value * 1.1 + 0.01
    assert_allclose(model(ENERGY), MODELS[name](ENERGY))
    assert Model.from_dict(model.to_dict()) is not model if "templateND" not in name else True


@pytest.mark.parametrize("name", NAMES)
def test_inverse(name):
    """The value at the energy found is the value asked for; there the spectrum has it for the first time."""
    model = MODELS[name]
    value = model(4 * u.TeV)
    energies = model.inverse_all(value)[0]
    if name == "const":
        return
    assert_allclose(model(energies).to_value(value.unit), value.value, rtol=1e-6)
    assert np.any(np.isclose(energies.to_value("TeV"), 4, rtol=1e-6)) or name in {"pl-norm", "piecewise-norm"}
    assert_allclose(model.inverse(value), energies[0])


@pytest.mark.parametrize("name", NAMES)
def test_peak(name):
    """Of E^2 dnde: where it has one the slope vanishes."""
    model = MODELS[name]
    peak = model.e_peak
    assert peak.unit.is_equivalent("TeV")
    if name in {"ecpl", "ecpl-1", "ecpl-3fgl", "secpl-3fgl", "secpl-4fgl-dr3", "lp", "lp2", "gauss", "bpl", "sbpl", "secpl-4fgl"}:
        around = peak * np.array([0.98, 1, 1.02])
        height = (model(around) * around**2).value
        assert height[1] > max(height[0], height[2])
    if name in {"pl", "pl-2", "const", "pl-norm"}:
        assert np.isnan(peak)


@pytest.mark.parametrize("name", NAMES)
def test_errors(name):
    """Linear propagation equals quantiles over samples for small errors."""
    model = make_models()[name]
    for par in model.parameters:
        par.error = 0.003 * abs(par.value) if par.name not in {"reference", "emin", "emax"} else 0
    value, low, high = model.evaluate_error(ENERGY)
    assert_allclose(value.to_value(model(ENERGY).unit), model(ENERGY).value, rtol=1e-9)
    assert_allclose(low, high)
    flux, flux_error, _ = model.integral_error(0.2 * u.TeV, 10 * u.TeV)
    assert_allclose(flux, model.integral(0.2 * u.TeV, 10 * u.TeV))
    eflux, eflux_error, _ = model.energy_flux_error([0.2, 1] * u.TeV, [10, 5] * u.TeV)
    assert_allclose(eflux, model.energy_flux([0.2, 1] * u.TeV, [10, 5] * u.TeV))
    index, _, _ = model.spectral_index_error(ENERGY)
    assert_allclose(index, model.spectral_index(ENERGY), rtol=1e-5, atol=1e-6)
    if not len(model.parameters):
        assert_allclose(low, 0)
        return
    rng = np.random.default_rng(0)
    samples = rng.multivariate_normal(values_of(model), model.covariance.data, size=1000, method="svd")
    for found, own in (
        (low, model.evaluate_error(ENERGY, samples=samples)[1:].mean(axis=0)),
        (flux_error, model.integral_error(0.2 * u.TeV, 10 * u.TeV, samples=samples)[1:].mean(axis=0)),
        (eflux_error, model.energy_flux_error([0.2, 1] * u.TeV, [10, 5] * u.TeV, samples=samples)[1:].mean(axis=0)),
    ):
        assert_allclose(found.value, own.value, rtol=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_pivot(name):
    """Where the relative error is smallest."""
    model = make_models()[name]
    assert np.isnan(model.pivot_energy)
    for par in model.parameters:
        par.error = 0.01 * abs(par.value) if par.name not in {"reference", "emin", "emax"} else 0
    pivot = model.pivot_energy
    if np.isnan(pivot) or abs(np.log(pivot.to_value("TeV"))) > 2.9:  # at an end of the range that is searched
        return
    value, error, _ = model.evaluate_error(pivot * np.array([0.95, 1, 1.05]))
    relative = (error / value).value
    assert relative[1] <= min(relative[0], relative[2]) * (1 + 1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sed_type", ["dnde", "flux", "eflux", "e2dnde"])
def test_plots(name, sed_type):
    import matplotlib.pyplot as plt

    model = make_models()[name]
    if len(model.parameters):
        model.parameters[0].error = 0.1 * abs(model.parameters[0].value)
    figure, ax = plt.subplots()
    bounds = [0.2, 20] * u.TeV
    assert model.plot(bounds, ax=ax, sed_type=sed_type, n_points=10) is ax
    assert model.plot_error(bounds, ax=ax, sed_type=sed_type, n_points=10) is ax
    x, y = ax.lines[0].get_data()
    assert len(x) == len(y)
    assert np.isfinite(np.asarray(y, dtype=float)).all()
    plt.close(figure)


@pytest.mark.parametrize("name", NAMES)
def test_reference_fluxes(name):
    model = MODELS[name]
    axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    fluxes = model.reference_fluxes(axis)
    assert list(fluxes) == ["e_ref", "e_min", "e_max", "ref_dnde", "ref_flux", "ref_eflux", "ref_e2dnde"]
    assert_allclose(fluxes["ref_flux"], model.integral(axis.edges[:-1], axis.edges[1:]))


def test_a_factor_is_no_source():
    with pytest.raises(UnitError, match=r"give the unit ''; expected one convertible to .*Multiply a norm model"):
        SkyModel(MODELS["pl-norm"])


def test_refusals():
    model = MODELS["pl"]
    with pytest.raises(UnitError, match=r"has unit 's'; expected an energy such as '1 TeV'"):
        model(3 * u.s)
    with pytest.raises(UnitError, match="expected an energy"):
        model(3)
    with pytest.raises(InputError, match="is not positive everywhere"):
        model.integral(-1 * u.TeV, 1 * u.TeV)
    with pytest.raises(InputError, match=r"unknown option nbin of an integral"):
        model.integral(0.1 * u.TeV, 1 * u.TeV, nbin=3)
    with pytest.raises(UnitError, match=r"cannot invert at .*; expected a value convertible to"):
        model.inverse(1e-13 * u.TeV)
    with pytest.raises(UnitError, match=r"parameter 'reference' has unit 's'"):
        type(model)(reference="1 s")
