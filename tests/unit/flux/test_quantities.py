"""Every flux quantity is the norm times its reference, in a unit of its kind."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError, NameLookupError
from geminga.estimators import FluxMaps
from geminga.flux.quantities import OTHERS, SED_TYPES, SUFFIXES, all_quantities, find_sed_type, guess_sed_type, split
from geminga.maps import MapAxis, RegionNDMap
from tests.unit.flux.builders import ENERGY, MODEL, spectrum_points

KINDS = list(SED_TYPES.values())


def reference(name: str) -> u.Quantity:
    model, low, high, center = MODEL.spectral_model, ENERGY.edges_min, ENERGY.edges_max, ENERGY.center
    return {
        "dnde": lambda: model(center),
        "e2dnde": lambda: model(center) * center**2,
        "flux": lambda: model.integral(low, high),
        "eflux": lambda: model.energy_flux(low, high),
        "norm": lambda: u.Quantity(np.ones(3)),
    }[name]()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != "_sensitivity"])
def test_quantity_is_norm_times_reference(kind, suffix):
    points = spectrum_points()
    found = getattr(points, kind.prefix + suffix)
    expected = getattr(points, f"norm{suffix}").data.ravel() * reference(kind.prefix)
    assert_allclose(found.quantity.ravel().to_value(expected.unit), expected.value, rtol=1e-12)
    assert found.unit.is_equivalent(kind.unit)
    assert points[kind.prefix + suffix].quantity.ravel()[0] == found.quantity.ravel()[0]


@pytest.mark.parametrize("kind", [k for k in KINDS if k.prefix != "norm"], ids=lambda kind: kind.name)
def test_reference_broadcasts(kind):
    found = getattr(spectrum_points(), f"{kind.prefix}_ref")
    assert found.shape == (3, 1, 1)
    assert_allclose(found.ravel().to_value(kind.unit), reference(kind.prefix).to_value(kind.unit), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_maps_of_a_kind_make_the_same_norms(kind):
    points = spectrum_points()
    again = FluxMaps.from_maps(dict(points.to_maps(kind.name)), sed_type=kind.name, reference_model=MODEL)
    assert_allclose(again.norm.data, points.norm.data, rtol=1e-12)
    assert_allclose(again.norm_ul.data, points.norm_ul.data, rtol=1e-12)
    assert again.sed_type_init == kind.name


def test_every_name_of_the_table_is_a_property():
    for name in [*(k.prefix + s for k in KINDS for s in SUFFIXES), *OTHERS]:
        assert isinstance(getattr(FluxMaps, name), property), name
        assert getattr(FluxMaps, name).__doc__


def test_names():
    assert FluxMaps.all_quantities("dnde")[:2] == ["dnde", "dnde_err"]
    assert "norm_ul" in all_quantities("norm")
    assert find_sed_type("NORM") is SED_TYPES["likelihood"]
    assert guess_sed_type(["flux", "norm"]).name == "flux"
    assert guess_sed_type(["counts"]) is None
    assert split("dnde_foo") is None
    with pytest.raises(NameLookupError, match="'brightness' is not known; expected one of dnde"):
        all_quantities("brightness")


def test_a_quantity_that_is_missing_is_named():
    points = spectrum_points()
    with pytest.raises(AttributeError, match="'dnde_sensitivity' is not defined; there are norm"):
        _ = points.dnde_sensitivity
    with pytest.raises(NameLookupError, match="'niter' is not defined"):
        _ = points.niter
    with pytest.raises(AttributeError, match="'dnde_foo' is no quantity"):
        _ = points["dnde_foo"]
    assert not hasattr(points, "alpha")


def test_integral_fluxes_need_bins():
    axis = MapAxis.from_nodes([1, 3, 10], name="energy", unit="TeV", interp="log")
    dnde = RegionNDMap.create(None, axes=[axis], unit="cm-2 s-1 TeV-1", data=np.ones((3, 1, 1)))
    points = FluxMaps.from_maps({"dnde": dnde}, reference_model=MODEL)
    assert not points.is_convertible_to_flux_sed_type
    with pytest.raises(InputError, match="without bin edges, so that there is no SED type 'flux'"):
        _ = points.flux
    with pytest.raises(InputError, match="without bin edges"):
        FluxMaps.from_maps({"flux": dnde}, reference_model=MODEL)
