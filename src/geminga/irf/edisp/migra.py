"""Densities in migration (the ratio of reconstructed to true energy), and the kernels they make.

Arrays of densities have the shape (energy_true, migra, ...): what follows are offsets or pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from geminga.errors import InputError

__all__ = ["bin_energies", "gauss_density", "kernel_from_migra", "normalized", "probabilities"]

Array = NDArray[np.float64]


def gauss_density(edges: Array, sigma: Any, bias: Any, n_true: int, threshold: float, owner: str) -> Array:
    """Mean density of a Gaussian in each bin of `edges`, shape (n_true, n_migra).

    Parameters
    ----------
    sigma, bias : float or array
        Relative resolution and bias, one or for each true energy.
    threshold : float
        Smaller densities are zero.
    owner : str
        Who asks, for the message.

    Raises
    ------
    InputError
        If a resolution is not positive.
    """
    sigma, bias = (np.broadcast_to(np.asarray(value, dtype=float), n_true)[:, np.newaxis] for value in (sigma, bias))
    if not (sigma > 0).all():
        msg = f"{owner}: sigma is {sigma.min()}; expected a positive relative resolution."
        raise InputError(msg)
    enclosed = 0.5 * (1 + erf((edges - 1 - bias) / (np.sqrt(2) * sigma)))
    density = np.diff(enclosed, axis=-1) / np.diff(edges)
    density[density < threshold] = 0.0
    return np.asarray(density)


def normalized(density: Array, edges: Array) -> Array:
    """Densities with an integral of one over migration; zero stays zero."""
    total = (density * _along_migra(np.diff(edges), density)).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # infinity becomes NaN, which is refused where it is needed
        return np.divide(density, total, out=np.zeros_like(density), where=total != 0)


def _along_migra(values: Array, density: Array) -> Array:
    """Values for each bin of migration, with the dimensions of densities."""
    return values.reshape(-1, *[1] * (density.ndim - 2))


def bin_energies(edges: Array, n_average: int) -> tuple[Array, Array]:
    """Energies in each bin of true energy and their weights, which sum to one, both of shape (n_average, n_true).

    They are Gauss-Legendre nodes in ln E, weighted by E^-2; one is the geometric centre.

    Raises
    ------
    InputError
        If `n_average` is below 1.
    """
    if n_average < 1:
        msg = f"Energy dispersion: n_average is {n_average}; expected at least 1 energy for each bin."
        raise InputError(msg)
    node, weight = np.polynomial.legendre.leggauss(n_average)
    log_low, log_high = np.log(edges[:-1]), np.log(edges[1:])
    energies = np.exp(0.5 * (log_low + log_high) + 0.5 * node[:, np.newaxis] * (log_high - log_low))
    share = weight[:, np.newaxis] / energies
    return energies, share / share.sum(axis=0)


def probabilities(migra_edges: Array, density: Array, edges: Array) -> Array:
    """Probability between edges in migration, of densities of shape (energy, migra, ...).

    Parameters
    ----------
    edges : array
        Shape (n + 1,), or (energy, n + 1).

    Returns
    -------
    probability : array
        Shape (energy, n, ...).
    """
    steps = density * _along_migra(np.diff(migra_edges), density)
    enclosed = np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
    place = np.interp(np.broadcast_to(edges, (len(density), np.shape(edges)[-1])), migra_edges, np.arange(len(migra_edges)))
    low = np.minimum(place.astype(np.intp), len(migra_edges) - 2)
    fraction = (place - low).reshape(*place.shape, *[1] * (density.ndim - 2))
    row = np.arange(len(density))[:, np.newaxis]
    return np.diff(enclosed[row, low] * (1 - fraction) + enclosed[row, low + 1] * fraction, axis=1)


def kernel_from_migra(
    migra_edges: Array, density: Array, true_edges: Array, reco_edges: Array, threshold: float, n_average: int = 1
) -> Array:
    """Probabilities of bins of reconstructed energy: differences of the integrals of densities at the ratios of energies.

    Parameters
    ----------
    migra_edges : array
        Shape (n_migra + 1,).
    density : array
        Shape (n_true, n_migra, ...).
    true_edges, reco_edges : array
        Edges of the bins of energy, in one unit.
    threshold : float
        Smaller probabilities are zero.
    n_average : int
        Number of energies in a bin of true energy, see `bin_energies`.

    Returns
    -------
    kernel : array
        Shape (n_true, n_reco, ...).

    Raises
    ------
    InputError
        If `n_average` is below 1.
    """
    kernel: Any = 0.0
    for energy, share in zip(*bin_energies(true_edges, n_average), strict=True):
        part = probabilities(migra_edges, density, reco_edges / energy[:, np.newaxis])
        kernel = kernel + part * share.reshape(-1, *[1] * (density.ndim - 1))
    kernel = np.clip(kernel, 0, None)
    kernel[kernel < threshold] = 0.0
    return np.asarray(kernel)
