"""A spectrum times norms at several energies, and what makes such norms smooth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.modeling.models.node_norms import norm_parameters
from geminga.modeling.models.spectral.base import SpectralModel
from geminga.modeling.parameters import Parameters
from geminga.numerics.radial import gauss_legendre

__all__ = ["NodeNormSpectralModel", "Smoothness", "second_differences"]

Array = NDArray[np.float64]

#: Points of the quadrature of a bin.
N_POINTS = 8


class NodeNormSpectralModel(SpectralModel):
    """A fixed spectrum times norms at nodes, between which they are linear in ln E.

    The norms beyond the ends go on as a straight line by the distance of one node, and stay constant from there. The spectrum is
    linear in the norms, which may have any sign.

    Parameters
    ----------
    model : SpectralModel
        The spectrum.
    nodes : array
        Energies of the nodes, TeV, increasing.
    """

    tag = ["NodeNormSpectralModel", "node-norm"]

    def __init__(self, model: Any, nodes: Array) -> None:
        self.model, self.nodes = model, np.asarray(nodes, dtype=float)
        parameters = norm_parameters(None, len(self.nodes), type(self).__name__)
        self.default_parameters = Parameters(p.copy() for p in parameters)
        super().__init__(**{p.name: p for p in parameters})

    def evaluate(self, energy: Any, **norms: Any) -> Any:
        """Evaluate for norms."""
        values = np.array([u.Quantity(norm).to_value("") for norm in norms.values()])
        energy = u.Quantity(energy)
        shares = self.shares(np.ravel(energy.to_value("TeV")))
        return np.reshape(values @ shares, energy.shape) * self.model(energy)

    def shares(self, energy: Array) -> Array:
        """How much the norm at each energy (TeV, shape (n,)) has of that at each node, shape (n_nodes, n)."""
        x, y, n = np.log(self.nodes), np.log(energy), len(self.nodes)
        if n == 1:
            return np.ones((1, len(y)))
        left = np.clip(np.searchsorted(x, y) - 1, 0, n - 2)
        part = np.clip((y - x[left]) / (x[left + 1] - x[left]), -1.0, 2.0)
        out, row = np.zeros((n, len(y))), np.arange(len(y))
        out[left, row] = 1 - part
        out[left + 1, row] += part
        return out

    def _linear(self, parts: Array) -> Any:
        """Evaluator of a sum over nodes, from what each of them gives for a norm of one, shape (n_nodes, n)."""
        return lambda values: (np.asarray(values, dtype=float) @ parts, parts.copy())

    def dnde_evaluator(self, energy: ArrayLike) -> Any:
        """Prepare the evaluation at fixed energies in TeV; see `SpectralModel.dnde_evaluator`."""
        energy = np.asarray(energy, dtype=float)
        return self._linear(self._reference(energy) * self.shares(energy))

    def _reference(self, energy: Array) -> Array:
        return np.asarray(self.model.dnde_evaluator(energy)(_values(self.model))[0])

    def _integral_evaluator(self, low: Array, high: Array, power: int = 0) -> Any:
        parts = np.zeros((len(self.nodes), len(low)))
        ends = self._kinks()
        for a, b in zip([0.0, *ends], [*ends, np.inf], strict=True):
            start, stop = np.maximum(low, a), np.minimum(high, b)
            some = stop > start
            if some.any():
                parts[:, some] += self._piece(start[some], stop[some], power)
        return self._linear(parts)

    def _piece(self, low: Array, high: Array, power: int) -> Array:
        """Integrals over bins without a kink, by Gauss-Legendre quadrature in ln E, shape (n_nodes, n)."""
        place, weight = gauss_legendre(N_POINTS)
        width = np.log(high / low)
        energy = low[:, None] * np.exp(width[:, None] * place)
        value = (self._reference(energy.ravel()) * self.shares(energy.ravel())).reshape(-1, *energy.shape)
        return np.asarray((value * energy ** (1 + power) * weight).sum(axis=-1) * width)

    def _kinks(self) -> list[float]:
        """Energies of the nodes, and where the straight lines end."""
        if len(self.nodes) == 1:
            return []
        first, last = self.nodes[0] ** 2 / self.nodes[1], self.nodes[-1] ** 2 / self.nodes[-2]
        return [float(first), *self.nodes.tolist(), float(last)]

    def _break_energies(self, values: Array) -> Sequence[float]:
        return (*self._kinks(), *self.model._break_energies(_values(self.model)))


def _values(model: Any) -> Array:
    return np.array([p.value for p in model.parameters], dtype=float)


def second_differences(x: Array) -> Array:
    """Matrix of second differences on unevenly spaced nodes, shape (n - 2, n), in units of the mean spacing."""
    n = len(x)
    step = np.diff(x) / np.mean(np.diff(x)) if n > 1 else np.ones(0)
    out = np.zeros((max(n - 2, 0), n))
    for i in range(n - 2):
        a, b = step[i], step[i + 1]
        out[i, i : i + 3] = np.array([1 / a, -1 / a - 1 / b, 1 / b]) * 2 / (a + b)
    return out


class Smoothness:
    r"""Tikhonov's penalty :math:`\lambda \sum_m (\sum_k D_{mk} \ln F_k)^2` on norms, fitted like a dataset.

    Parameters
    ----------
    parameters : list of Parameter
        Norms, positive.
    energy : array
        Energies of the bands, TeV.
    strength : float
        Lambda.
    """

    name = "smoothness"
    models: tuple[Any, ...] = ()

    def __init__(self, parameters: Sequence[Any], energy: Array, strength: float) -> None:
        self.parameters, self.strength = tuple(parameters), float(strength)
        self.matrix = second_differences(np.log(np.asarray(energy, dtype=float)))

    def likelihood(self) -> Smoothness:
        """The term itself."""
        return self

    def freeze_irf(self, values: Array) -> Smoothness:
        """The term itself."""
        return self

    def curvature(self, values: Array) -> Array:
        """Half of the second derivative without that of the logarithms: what the penalty adds to an inverse covariance."""
        jacobian = self.matrix / values
        return np.asarray(self.strength * jacobian.T @ jacobian)

    def evaluate(self, values: Array, free: NDArray[np.bool_], order: int = 2) -> tuple[float, Array, Array]:
        """Value, gradient and curvature as those of other terms."""
        residual = self.matrix @ np.log(values)
        stat = self.strength * float(residual @ residual)
        if order == 0:
            return stat, np.zeros(0), np.zeros((0, 0))
        slope = self.strength * 2 * (residual @ self.matrix)
        gradient = (slope / values)[free]
        if order == 1:
            return stat, gradient, np.zeros((0, 0))
        curvature = 2 * self.curvature(values)
        if order > 2:
            curvature = curvature - np.diag(slope / values**2)
        return stat, gradient, curvature[np.ix_(free, free)]
