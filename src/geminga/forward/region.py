"""A source seen through one region: its fraction inside, for each energy.

The image is evaluated on sub-pixels of the region; a spectrum has one "pixel", the sum over them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field, Selection
from geminga.forward.irf import IrfSource
from geminga.forward.memo import Memo
from geminga.forward.steps import spectral_steps

__all__ = ["RegionComponent", "RegionState"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class RegionState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    matrix: Array  # (n_T, n_e)


@dataclass(frozen=True)
class RegionComponent:
    """One source over a field with one pixel.

    Parameters
    ----------
    fraction : callable or None
        ``fraction(spatial values)``, the part of the source inside the region, shape (n_T or 1, n_e or 1) for true
        and reconstructed energies; None for all of it.
    exposure : array
        Shape (n_T,), cm2 s.
    """

    field: Field
    flux: Callable[[Array], tuple[Array, Array]]
    fraction: Callable[[Array], Array] | None
    irf: IrfSource
    exposure: Array
    n_spectral: int
    n_spatial: int
    active: NDArray[np.bool_]
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(32))

    def matrix(self, spatial: Array) -> Array:
        """Counts for one unit of flux at fixed spatial values, shape (n_T, n_e), cm2 s."""
        return self.memo.get(tuple(spatial.tolist()), lambda: self._make_matrix(spatial))

    def _make_matrix(self, spatial: Array) -> Array:
        lon, lat = (float(spatial[0]), float(spatial[1])) if self.n_spatial >= 2 else (0.0, 0.0)
        matrix = self.exposure[:, None] * self.irf.at(lon, lat).response
        return matrix if self.fraction is None else matrix * self.fraction(spatial)

    def _matrix_gradient(self, spatial: Array) -> Array:
        out = np.zeros((self.n_spatial, *self.matrix(spatial).shape))
        for j in np.flatnonzero(self.active):
            step = 1e-4 * max(abs(spatial[j]), 0.1)
            up, down = spatial.copy(), spatial.copy()
            up[j] += step
            down[j] -= step
            out[j] = (self.matrix(up) - self.matrix(down)) / (2 * step)
        return out

    def forward(self, values: Array) -> RegionState:
        """Counts in the occupied bins and the total over the mask."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        matrix = self.matrix(spatial)
        rate = self.flux(spectral)[0] @ matrix
        selection = self.field.take(np.arange(len(self.field.tile_center)))
        mask = self.field.mask[self.field.group]
        total = float(np.sum(rate[:, None] * mask))
        return RegionState(selection, rate[self.field.bin_energy], total, values, matrix)

    def _tangent_rates(self, state: RegionState) -> Array:
        spectral, spatial = state.values[: self.n_spectral], state.values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        return np.concatenate([flux_gradient @ state.matrix, flux @ self._matrix_gradient(spatial)])

    def pullback(self, state: RegionState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter."""
        functional = self.field.mask[self.field.group].sum(axis=1).astype(float)
        np.add.at(functional, self.field.bin_energy, weight)
        return np.asarray(self._tangent_rates(state) @ functional)

    def jacobian(self, state: RegionState, which: Index) -> Array:
        """Derivatives of the counts in some bins."""
        return self._tangent_rates(state)[:, self.field.bin_energy[which]]

    def hessian(self, state: RegionState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``, by differences of the gradient."""
        n = len(state.values)
        out = np.zeros((n, n))
        varying = np.concatenate([np.ones(self.n_spectral, bool), self.active])
        spectral = state.values[: self.n_spectral]
        steps = spectral_steps(spectral, *self.flux(spectral))
        for j in np.flatnonzero(varying):
            step = steps[j] if j < self.n_spectral else 1e-3 * abs(state.values[j]) or 1e-4
            ends = []
            for sign in (1, -1):
                values = state.values.copy()
                values[j] += sign * step
                ends.append(self.pullback(self.forward(values), weight))
            out[j] = (ends[0] - ends[1]) / (2 * step)
        return 0.5 * (out + out.T)

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins, shape (n_e, 1), and the pixel."""
        rate = self.flux(values[: self.n_spectral])[0] @ self.matrix(values[self.n_spectral :])
        return rate[:, None], np.arange(1)

    def freeze_irf(self, values: Array) -> Any:
        """The IRFs of a region do not move."""
        return self
