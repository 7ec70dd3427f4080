"""Tabulated spectra: power laws between nodes, norms between nodes, the Crab polynomial (convention of `numerics.spectra`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geminga.numerics.quadrature import power_integral
from geminga.numerics.spectra import Array, Result

__all__ = ["crab_polynomial", "node_weights", "piecewise_norm", "table_integral", "table_value"]

_TINY = float(np.finfo(float).tiny)


def crab_polynomial(x: Array, norm: float, coefficients: Array) -> Result:
    """``norm 10^P(log10 E) / E^2`` with E in TeV."""
    shape = np.exp(np.log(10.0) * np.polyval(coefficients, x / np.log(10.0)) - 2 * x)
    return norm * shape, shape[None].copy()


def node_weights(x: Array, nodes: Array) -> Array:
    """Weights of linear interpolation between `nodes`, constant beyond the ends, shape (n_node, n)."""
    weights = np.zeros((len(nodes), len(x)))
    if len(nodes) == 1:
        weights[0] = 1
        return weights
    i = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    t = np.clip((x - nodes[i]) / (nodes[i + 1] - nodes[i]), 0.0, 1.0)
    columns = np.arange(len(x))
    weights[i, columns] = 1 - t
    weights[i + 1, columns] += t
    return weights


def piecewise_norm(weights: Array, forward: Callable[[Array], Array], norms: Array) -> Result:
    """Norms interpolated on the scale `forward` ("log", "lin" or "sqrt" by name of the numpy function)."""
    if forward is np.log:
        value = np.exp(weights.T @ np.log(np.clip(norms, _TINY, None)))
        return value, weights * value / np.clip(norms, _TINY, None)[:, None]
    if forward is np.sqrt:
        root = np.sqrt(np.clip(norms, 0.0, None))
        mean = weights.T @ root
        return mean**2, weights * mean / np.clip(root, 1e-150, None)[:, None]
    return weights.T @ norms, weights.copy()


def _segments(log_energy: Array, log_value: Array) -> Array:
    return np.diff(log_value) / np.diff(log_energy)


def table_value(x: Array, log_energy: Array, log_value: Array) -> Array:
    """Interpolate in log-log, the end power laws go on beyond the table; one node means a constant."""
    if len(log_energy) == 1:
        return np.full_like(x, np.exp(log_value[0]))
    slope = _segments(log_energy, log_value)
    i = np.clip(np.searchsorted(log_energy, x, side="right") - 1, 0, len(slope) - 1)
    return np.exp(log_value[i] + slope[i] * (x - log_energy[i]))


def table_integral(low: Array, high: Array, log_energy: Array, log_value: Array, power: int = 0) -> Array:
    """Integral of the interpolated table times E^power over bins, exact."""
    first = 1 + power
    if len(log_energy) == 1:
        return np.asarray(np.exp(log_value[0]) * (high**first - low**first) / first)
    slope = _segments(log_energy, log_value)
    # Bounds of the segments; the outer two are open.
    bounds = np.concatenate([[-np.inf], log_energy[1:-1], [np.inf]])
    log_low, log_high = np.log(low)[:, None], np.log(high)[:, None]
    start = np.clip(log_low, bounds[:-1], bounds[1:])
    stop = np.clip(log_high, bounds[:-1], bounds[1:])
    width = stop - start
    inside = width != 0
    middle = np.where(inside, 0.5 * (start + stop), log_energy[:-1])
    width = np.where(inside, width, 0.0)
    origin = log_energy[:-1]
    part, _ = power_integral(middle - origin, width, slope + first)
    return np.asarray((np.exp(log_value[:-1] + first * origin) * part).sum(axis=1))
