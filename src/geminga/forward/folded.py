"""A source whose place and shape are frozen: everything but its spectrum is one matrix.

    mu_b = sum_T F_T M[T, b]        total = sum_T F_T W_T

A fit of the spectrum alone, a profile of it, or a thousand points of a sampler then cost a matrix product. Counts are linear in
the flux, so that they and their derivatives are those of the component it was made from.

Legend: T true energy, b occupied bin, j spectral parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Selection
from geminga.forward.steps import second_at

__all__ = ["Fold", "FoldedComponent", "FoldedState", "folded"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.intp]

#: Largest matrix, in numbers; a larger one costs more than it saves.
MAX_SIZE = 4_000_000


@dataclass(frozen=True)
class Fold:
    """Counts for one unit of flux at each true energy: in the occupied bins `matrix` (n_T, n_b), over the mask `total` (n_T,)."""

    selection: Selection
    matrix: Array
    total: Array


@dataclass(frozen=True)
class FoldedState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array


@dataclass(frozen=True)
class FoldedComponent:
    """A component at fixed spatial values; elsewhere it asks the `component` it was made from."""

    component: Any
    spatial: Array
    unit: Fold

    @property
    def n_spectral(self) -> int:
        """Number of spectral parameters."""
        return int(self.component.n_spectral)

    def _is_here(self, values: Array) -> bool:
        return np.array_equal(values[self.n_spectral :], self.spatial)

    def forward(self, values: Array) -> Any:
        """Counts in the occupied bins near the source, and the total over the mask."""
        if not self._is_here(values):
            return self.component.forward(values)
        flux, _ = self.component.flux(values[: self.n_spectral])
        return FoldedState(self.unit.selection, flux @ self.unit.matrix, float(flux @ self.unit.total), values)

    def _per_flux(self, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by the flux at each true energy."""
        return np.asarray(self.unit.matrix @ weight + self.unit.total)

    def pullback(self, state: Any, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each spectral parameter; zero for the frozen ones."""
        if not isinstance(state, FoldedState):
            return np.asarray(self.component.pullback(state, weight))
        out = np.zeros(len(state.values))
        _, gradient = self.component.flux(state.values[: self.n_spectral])
        out[: self.n_spectral] = gradient @ self._per_flux(weight)
        return out

    def jacobian(self, state: Any, which: Index) -> Array:
        """Derivatives of the counts in the bins ``selection.bins[which]``, shape (n_parameters, n_which)."""
        if not isinstance(state, FoldedState):
            return np.asarray(self.component.jacobian(state, which))
        matrix = self.unit.matrix
        out = np.zeros((len(state.values), len(which)))
        _, gradient = self.component.flux(state.values[: self.n_spectral])
        out[: self.n_spectral] = gradient @ (matrix if len(which) == matrix.shape[1] else matrix[:, which])
        return out

    def hessian(self, state: Any, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``: those of the spectrum."""
        if not isinstance(state, FoldedState):
            return np.asarray(self.component.hessian(state, weight))
        out, n = np.zeros((len(state.values),) * 2), self.n_spectral
        flux, spectral = self.component.flux, state.values[:n]
        out[:n, :n] = second_at(flux, spectral, flux(spectral), self._per_flux(weight))
        return out

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in every bin near the source, shape (n_e, n), and the n pixels: the slow twin."""
        counts, pixels = self.component.dense(values)
        return counts, pixels

    def freeze_irf(self, values: Array) -> Any:
        """The same component: its IRFs are those at the frozen position."""
        return self if self._is_here(values) else self.component.freeze_irf(values)


def folded(component: Any, values: Array, frozen: Flags) -> Any:
    """A component (its IRFs fixed) as a matrix if all its spatial parameters are frozen and it offers ``fold``."""
    n = getattr(component, "n_spectral", 0)
    if not hasattr(component, "fold") or not frozen[n:].all() or frozen[:n].all():
        return component
    fold = component.fold(values[n:], MAX_SIZE)
    return component if fold is None else FoldedComponent(component, values[n:].copy(), fold)
