"""Densities in migration: conserved, and the same for one distribution as for many."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.irf.edisp.migra import bin_energies, gauss_density, kernel_from_migra, normalized, probabilities

MIGRA = np.linspace(0.2, 5, 121)
TRUE = np.geomspace(1, 10, 7)
RECO = np.geomspace(0.1, 100, 21)


def densities(n: int = 1) -> np.ndarray:
    sigma = np.random.default_rng(0).uniform(0.1, 0.3, (n, 6))
    return np.stack([gauss_density(MIGRA, one, 0.05, 6, 0.0, "test") for one in sigma], axis=-1)


def test_gauss_has_its_moments():
    center, width = 0.5 * (MIGRA[1:] + MIGRA[:-1]), np.diff(MIGRA)
    density = gauss_density(MIGRA, 0.15, 0.05, 6, 0.0, "test")
    assert_allclose((density * width).sum(axis=1), 1, rtol=1e-6)
    assert_allclose((density * width * center).sum(axis=1), 1.05, rtol=1e-6)
    assert (gauss_density(MIGRA, 0.15, 0.05, 6, 0.1, "test")[density < 0.1] == 0).all()
    with pytest.raises(InputError, match="Gauss: sigma is -0.1; expected a positive relative resolution"):
        gauss_density(MIGRA, [0.1, -0.1], 0, 2, 0.0, "Gauss")


def test_normalized():
    density = 3 * densities(2)
    density[2, :, 1] = 0
    total = (normalized(density, MIGRA) * np.diff(MIGRA)[:, None]).sum(axis=1)
    assert_allclose(total, np.where(density.any(axis=1), 1, 0))


def test_probabilities_of_the_bins_and_of_all():
    density = densities()[..., 0]
    assert_allclose(probabilities(MIGRA, density, MIGRA), density * np.diff(MIGRA), atol=1e-15)
    edges = np.array([0.0, 0.9, 1.1, 10.0])
    assert_allclose(probabilities(MIGRA, density, edges).sum(axis=1), (density * np.diff(MIGRA)).sum(axis=1))
    # Edges may differ from energy to energy.
    assert_allclose(probabilities(MIGRA, density, np.tile(edges, (6, 1))), probabilities(MIGRA, density, edges))


def test_energies_of_a_bin():
    energy, share = bin_energies(TRUE, 1)
    assert_allclose(energy[0], np.sqrt(TRUE[1:] * TRUE[:-1]))
    assert_allclose(share, 1)
    energy, share = bin_energies(TRUE, 8)
    # The mean energy of an E^-2 spectrum in a bin.
    expected = np.log(TRUE[1:] / TRUE[:-1]) / (1 / TRUE[:-1] - 1 / TRUE[1:])
    assert_allclose((energy * share).sum(axis=0), expected, rtol=1e-10)


def test_kernel_of_many_is_that_of_each():
    density = normalized(densities(3), MIGRA)
    kernel = kernel_from_migra(MIGRA, density, TRUE, RECO, 1e-6, n_average=4)
    assert kernel.shape == (6, 20, 3)
    for i in range(3):
        assert_allclose(kernel[..., i], kernel_from_migra(MIGRA, density[..., i], TRUE, RECO, 1e-6, n_average=4), atol=1e-15)
    assert_allclose(kernel.sum(axis=1), 1, atol=1e-4)
    assert (kernel[kernel > 0] >= 1e-6).all()
