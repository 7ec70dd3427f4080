"""Exact gradients of all built-in models against differences, at values which hypothesis chooses."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import j0

from geminga.modeling.models import (
    BrokenPowerLawSpectralModel,
    CompoundSpectralModel,
    ConstantSpectralModel,
    DiskSpatialModel,
    ExpCutoffPowerLawNormSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianSpatialModel,
    LogParabolaNormSpectralModel,
    LogParabolaSpectralModel,
    PointSpatialModel,
    PowerLaw2SpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    ShellSpatialModel,
)

SPECTRAL = {
    "pl": PowerLawSpectralModel(),
    "pl-norm": PowerLawNormSpectralModel(tilt=0.3),
    "pl-2": PowerLaw2SpectralModel(),
    "ecpl": ExpCutoffPowerLawSpectralModel(),
    "ecpl-norm": ExpCutoffPowerLawNormSpectralModel(),
    "lp": LogParabolaSpectralModel(),
    "lp-norm": LogParabolaNormSpectralModel(alpha=0.2, beta=0.1),
    "bpl": BrokenPowerLawSpectralModel(index1=1.7, index2=2.6, ebreak="2.345 TeV"),
    "const": ConstantSpectralModel(),
    "compound": CompoundSpectralModel(PowerLawSpectralModel(), PowerLawNormSpectralModel(tilt=0.1), operator.mul),
}
SPATIAL = {
    "gauss": GaussianSpatialModel(lon_0="0.2 deg", lat_0="-0.1 deg", sigma="0.3 deg"),
    "ellipse": GaussianSpatialModel(lon_0="0.2 deg", lat_0="-0.1 deg", sigma="0.3 deg", e=0.6, phi="25 deg"),
    "disk": DiskSpatialModel(lon_0="0.2 deg", lat_0="-0.1 deg", r_0="0.5 deg", edge_width=0.2),
    "shell": ShellSpatialModel(lon_0="0.2 deg", lat_0="-0.1 deg", radius="0.4 deg", width="0.2 deg"),
}
EDGES = np.geomspace(0.1, 30, 12)
RULE = np.polynomial.legendre.leggauss(1200)  # the edge of a shell lies inside
FACTORS = st.lists(st.floats(0.8, 1.25), min_size=8, max_size=8)


def values_of(model, factors):
    own = np.array([p.value for p in model.parameters], dtype=float)
    return own * np.array(factors)[: len(own)]


def assert_gradient(function, values, rtol=1e-5):
    value, gradient = function(values)
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 1e-4 * abs(values[j]) if values[j] != 0 else 1e-5
        ends = [np.asarray(function(values + f * step)[0]) for f in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12 * step[j])
        assert_allclose(gradient[j], difference, rtol=rtol, atol=rtol * np.abs(difference).max() + 1e-7 * np.abs(value).max())
    assert np.isfinite(value).all()


@pytest.mark.parametrize("name", SPECTRAL)
@given(factors=FACTORS)
def test_spectral_density_and_flux(name, factors):
    model = SPECTRAL[name]
    values = values_of(model, factors)
    assert_gradient(model.dnde_evaluator(np.geomspace(0.2, 20, 7)), values)
    assert_gradient(model.flux_evaluator(EDGES), values)


@pytest.mark.parametrize("name", SPECTRAL)
def test_flux_is_the_integral_of_the_density(name):
    model = SPECTRAL[name]
    values = values_of(model, np.ones(8))
    flux, _ = model.flux_evaluator(EDGES)(values)
    x, w = np.polynomial.legendre.leggauss(40)
    for low, high, expected in zip(EDGES[:-1], EDGES[1:], flux, strict=True):
        pieces = [low, 2.345, high] if low < 2.345 < high else [low, high]
        total = 0.0
        for a, b in zip(pieces[:-1], pieces[1:], strict=True):
            energy = np.exp(0.5 * np.log(b / a) * (x + 1) + np.log(a))
            dnde, _ = model.dnde_evaluator(energy)(values)
            total += np.sum(w * dnde * energy) * 0.5 * np.log(b / a)
        assert_allclose(expected, total, rtol=3e-8 if name == "lp" else 1e-8)


@pytest.mark.parametrize("name", SPATIAL)
@given(factors=FACTORS)
def test_spatial_density(name, factors):
    model = SPATIAL[name]
    values = values_of(model, factors)
    lon, lat = np.array([0.21, 0.35, 0.05, 0.3]), np.array([-0.05, -0.2, -0.12, 0.02])
    assert_gradient(lambda v: model.density(lon, lat, v), values, rtol=2e-5)


@pytest.mark.parametrize("name", ["gauss", "disk", "shell"])
@given(factors=FACTORS)
def test_transform(name, factors):
    """Gradient, and the numerical Hankel transform of the profile."""
    model = SPATIAL[name]
    values = values_of(model, factors)
    k = np.linspace(0, 12, 9)
    assert_gradient(lambda v: model.radial_transform(k, v), values)
    x, w = RULE
    radius = 1.3 * model.support_radius(values)
    r, weight = 0.5 * radius * (x + 1), 0.5 * radius * w
    profile, _ = model.radial_profile(r, values)
    transform = (profile * r * weight * 2 * np.pi * np.deg2rad(1) ** 2) @ j0(np.outer(r, k))
    assert_allclose(model.radial_transform(k, values)[0], transform, atol=5e-4)  # the shell has an edge like a root


def test_traits():
    assert PointSpatialModel().symmetry() == "point"
    assert SPATIAL["gauss"].symmetry() == "round"
    assert SPATIAL["ellipse"].symmetry() == "none"
