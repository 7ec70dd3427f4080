"""Radiation of particles through naima."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.errors import FormatError, InputError, MissingDependencyError, NameLookupError, UnitError
from geminga.modeling.models import Model, Models, NaimaSpectralModel, SkyModel


def test_without_naima(monkeypatch):
    monkeypatch.setitem(sys.modules, "naima", None)
    radiative = {"type": "PionDecay", "particle_distribution": "PowerLaw"}
    with pytest.raises(MissingDependencyError, match=r"pip install 'geminga\[naima\]'"):
        Model.from_dict({"spectral": {"type": "naima", "radiative_model": radiative}})
    with pytest.raises(InputError, match="expected a radiative model such as naima.models.PionDecay"):
        NaimaSpectralModel(3)
    with pytest.raises(FormatError, match="no 'radiative_model'"):
        Model.from_dict({"spectral": {"type": "NaimaSpectralModel", "parameters": []}})


@pytest.fixture(scope="module")
def naima():
    return pytest.importorskip("naima", reason="needs the extra naima")


@pytest.fixture
def protons(naima):
    return naima.models.ExponentialCutoffPowerLaw(2e33 / u.eV, 10 * u.TeV, 2.5, 3000 * u.TeV, 1)


@pytest.fixture
def scattering(naima):
    electrons = naima.models.ExponentialCutoffBrokenPowerLaw(
        3.699e36 / u.eV, 1 * u.TeV, 0.265 * u.TeV, 1.5, 3.233, 1863 * u.TeV, 2.0
    )
    seeds = ["CMB", ["FIR", 70 * u.K, 0.5 * u.eV / u.cm**3], ["NIR", 5000 * u.K, 1 * u.eV / u.cm**3]]
    return naima.models.InverseCompton(electrons, seed_photon_fields=seeds, Eemax=50 * u.PeV, Eemin=0.1 * u.GeV)


def test_pion_decay(naima, protons):
    model = NaimaSpectralModel(naima.models.PionDecay(protons, nh=1 * u.cm**-3), distance=2 * u.kpc)
    assert model.parameters.names == ["amplitude", "e_0", "alpha", "e_cutoff", "beta"]
    assert_allclose(model([1, 10] * u.TeV).value, [1.30716995e-13, 4.53622780e-16], rtol=1e-6)
    assert_allclose(model([[1], [10]] * u.TeV).value, [[1.30716995e-13], [4.53622780e-16]], rtol=1e-6)
    assert_allclose(model.integral(1 * u.TeV, 10 * u.TeV).value, 8.70123641e-14, rtol=1e-5)
    twice = NaimaSpectralModel(model.radiative_model, distance=1 * u.kpc)
    assert_allclose(twice(1 * u.TeV), 4 * model(1 * u.TeV), rtol=1e-6)


def test_gradient_and_frozen_parameters(naima, protons):
    model = NaimaSpectralModel(naima.models.PionDecay(protons), distance=2 * u.kpc)
    for name in ("e_0", "beta", "e_cutoff"):
        model.parameters[name].frozen = True
    evaluator, values = model.dnde_evaluator(np.array([0.5, 3.0])), model.parameters.value
    value, gradient = evaluator(values)
    assert_allclose(gradient[0], value / values[0])
    up, down = (evaluator(values + sign * np.array([0, 0, 1e-3, 0, 0]))[0] for sign in (1, -1))
    assert_allclose(gradient[2], (up - down) / 2e-3, rtol=1e-4)
    assert not gradient[[1, 3, 4]].any()


def test_inverse_compton(naima, scattering):
    assert_allclose(NaimaSpectralModel(scattering, distance=2 * u.kpc)(1 * u.TeV).value, 1.15107414e-11, rtol=1e-6)
    cmb = NaimaSpectralModel(scattering, distance=2 * u.kpc, seed="CMB")
    assert_allclose(cmb(1 * u.TeV).value, 4.55592309e-12, rtol=1e-6)


def test_synchrotron_self_compton(scattering):
    """The numbers of gammapy; the user's own radiative model keeps its seeds."""
    nested = {"SSC": {"B": 125 * u.uG, "radius": 2.1 * u.pc}}
    model = NaimaSpectralModel(scattering, distance=2 * u.kpc, nested_models=nested)
    assert_allclose(model(1 * u.TeV).value, 2.57773334e-11, rtol=1e-6)
    assert model.include_ssc
    assert (model.B.quantity, model.radius.frozen) == (125 * u.uG, True)
    assert "SSC" not in scattering.seed_photon_fields
    assert type(model.ssc_model).__name__ == "Synchrotron"
    model.B.value *= 2
    assert model(1 * u.TeV).value > 2.6e-11


@pytest.mark.parametrize("kind", ["pion", "compton", "seed", "synchrotron", "bremsstrahlung", "ssc"])
def test_model_file(naima, protons, scattering, kind, tmp_path):
    electrons = scattering.particle_distribution
    model = {
        "pion": lambda: NaimaSpectralModel(naima.models.PionDecay(protons, nh=3 * u.cm**-3), distance=2 * u.kpc),
        "compton": lambda: NaimaSpectralModel(scattering),
        "seed": lambda: NaimaSpectralModel(scattering, seed="FIR"),
        "synchrotron": lambda: NaimaSpectralModel(naima.models.Synchrotron(electrons, B=125 * u.uG)),
        "bremsstrahlung": lambda: NaimaSpectralModel(naima.models.Bremsstrahlung(electrons, n0=2 * u.cm**-3)),
        "ssc": lambda: NaimaSpectralModel(scattering, nested_models={"SSC": {"B": 125 * u.uG, "radius": 2 * u.pc}}),
    }[kind]()
    model.parameters[0].error = 0.1 * model.parameters[0].value
    model.parameters[1].frozen = True
    Models([SkyModel(model, name="source")]).write(tmp_path / "models.yaml")
    again = Models.read(tmp_path / "models.yaml")["source"].spectral_model
    energy = 1 * u.keV if kind == "synchrotron" else 1 * u.TeV
    assert_allclose(again(energy).value, model(energy).value, rtol=1e-10)
    assert again.parameters[1].frozen
    assert_allclose(again.parameters[0].error, model.parameters[0].error)
    copied = again.copy()
    copied.parameters[0].value *= 2
    assert copied.radiative_model is not again.radiative_model
    assert_allclose(again(energy).value, model(energy).value, rtol=1e-10)


def test_refusals(naima, protons, scattering):
    pion = naima.models.PionDecay(protons)
    with pytest.raises(InputError, match="PionDecay has no seed photons; leave out seed"):
        NaimaSpectralModel(pion, seed="CMB")
    with pytest.raises(InputError, match=r"nested_models is .* expected \{'SSC'"):
        NaimaSpectralModel(scattering, nested_models={"SSC": {"B": 1 * u.uG}})
    with pytest.raises(UnitError, match="distance is .*; expected a length such as '1 kpc'"):
        NaimaSpectralModel(pion, distance=3 * u.s)
    radiative = {"type": "PionDecays", "particle_distribution": "PowerLaw"}
    with pytest.raises(NameLookupError, match="naima.models has no 'PionDecays'"):
        Model.from_dict({"spectral": {"type": "naima", "radiative_model": radiative, "parameters": []}})
    radiative["type"] = "PionDecay"
    with pytest.raises(FormatError, match="'PowerLaw' lacks the parameter amplitude, e_0, alpha"):
        Model.from_dict({"spectral": {"type": "naima", "radiative_model": radiative, "parameters": []}})
