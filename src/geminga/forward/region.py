"""A source seen through one region: its fraction inside, for each true energy.

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
from geminga.forward.irf import Irf, IrfSource
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
    basis: Array  # (n_T,)
    irf: Irf


@dataclass(frozen=True)
class RegionComponent:
    """One source over a field with one pixel.

    Parameters
    ----------
    fraction : callable or None
        ``fraction(spatial values) -> (n_T,)``, the part of the source inside the region; None for all of it.
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

    def _basis(self, spatial: Array) -> Array:
        if self.fraction is None:
            return self.exposure
        fraction = self.fraction
        return self.memo.get(tuple(spatial.tolist()), lambda: self.exposure * fraction(spatial))

    def matrix(self, spatial: Array) -> Array:
        """Counts for one unit of flux at fixed spatial values, shape (n_T, n_e), cm2 s."""
        lon, lat = (float(spatial[0]), float(spatial[1])) if self.n_spatial >= 2 else (0.0, 0.0)
        return np.asarray(self._basis(spatial)[:, None] * self.irf.at(lon, lat).response)

    def _basis_gradient(self, spatial: Array) -> Array:
        out = np.zeros((self.n_spatial, len(self.exposure)))
        for j in np.flatnonzero(self.active):
            step = 1e-4 * max(abs(spatial[j]), 0.1)
            up, down = spatial.copy(), spatial.copy()
            up[j] += step
            down[j] -= step
            out[j] = (self._basis(up) - self._basis(down)) / (2 * step)
        return out

    def forward(self, values: Array) -> RegionState:
        """Counts in the occupied bins and the total over the mask."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        lon, lat = (float(spatial[0]), float(spatial[1])) if self.n_spatial >= 2 else (0.0, 0.0)
        irf = self.irf.at(lon, lat)
        basis = self._basis(spatial)
        rate = irf.response.T @ (self.flux(spectral)[0] * basis)
        selection = self.field.take(np.arange(len(self.field.tile_center)))
        mask = self.field.mask[self.field.group]
        total = float(np.sum(rate[:, None] * mask))
        return RegionState(selection, rate[self.field.bin_energy], total, values, basis, irf)

    def _tangent_rates(self, state: RegionState) -> Array:
        spectral, spatial = state.values[: self.n_spectral], state.values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        rows = [*(flux_gradient * state.basis), *(self._basis_gradient(spatial) * flux)]
        return np.array(rows).reshape(len(state.values), -1) @ state.irf.response

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
        state = self.forward(values)
        rate = state.irf.response.T @ (self.flux(values[: self.n_spectral])[0] * state.basis)
        return rate[:, None], np.arange(1)

    def freeze_irf(self, values: Array) -> Any:
        """The IRFs of a region do not move."""
        return self
