"""An image of counts times a factor which depends on energy and position: a background with a spatial model.

    mu(e, p) = b(e, p) f(e) g(e, p)

Legend: e energy, p pixel, j parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field, Selection

__all__ = ["NormComponent", "NormState"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Factor = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class NormState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    energy: tuple[Array, Array]  # f and its gradient, shapes (n_e,) and (n_spectral, n_e)
    place: tuple[Array, Array]  # g and its gradient, shapes (n_e or 1, n_p) and (n_spatial, n_e or 1, n_p)


@dataclass(frozen=True)
class NormComponent:
    """See the module's text.

    Parameters
    ----------
    image : array
        Counts, shape (n_e, n_p).
    factor, norm : callable
        f by the spectral values and g by the spatial values, with gradients.
    """

    field: Field
    image: Array
    factor: Factor
    norm: Factor
    n_spectral: int
    n_spatial: int

    def forward(self, values: Array) -> NormState:
        """Counts in the occupied bins and the total over the mask."""
        energy, place = self.factor(values[: self.n_spectral]), self.norm(values[self.n_spectral :])
        rate = self.image * energy[0][:, None] * place[0]
        selection = self.field.everything
        total = float(np.sum(rate * self.field.mask[self.field.group]))
        return NormState(selection, rate[self.field.bin_energy, self.field.bin_pixel], total, values, energy, place)

    def _functional(self, weight: Array) -> Array:
        """The image times mask and weight of each bin, shape (n_e, n_p)."""
        out = self.field.mask[self.field.group].astype(float)
        np.add.at(out, (self.field.bin_energy, self.field.bin_pixel), weight)
        return out * self.image

    def pullback(self, state: NormState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter."""
        own = self._functional(weight)
        spectral = state.energy[1] @ (own * state.place[0]).sum(axis=1)
        inner = own * state.energy[0][:, None]
        return np.concatenate([spectral, _contract(state.place[1], inner)])

    def jacobian(self, state: NormState, which: Index) -> Array:
        """Derivatives of the counts in some bins, shape (n_parameters, n_which)."""
        e, p = self.field.bin_energy[which], self.field.bin_pixel[which]
        image = self.image[e, p]
        row = e if state.place[0].shape[0] > 1 else np.zeros_like(e)
        spectral = state.energy[1][:, e] * (image * state.place[0][row, p])
        return np.concatenate([spectral, state.place[1][:, row, p] * (image * state.energy[0][e])])

    def hessian(self, state: NormState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``, by differences of the exact gradient."""
        n = len(state.values)
        out = np.zeros((n, n))
        for j in range(n):
            step = 1e-4 * max(abs(state.values[j]), 1e-2)
            ends = []
            for sign in (1, -1):
                values = state.values.copy()
                values[j] += sign * step
                ends.append(self.pullback(self.forward(values), weight))
            out[j] = (ends[0] - ends[1]) / (2 * step)
        return 0.5 * (out + out.T)

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins, shape (n_e, n_p), and the pixels."""
        energy, place = self.factor(values[: self.n_spectral])[0], self.norm(values[self.n_spectral :])[0]
        return self.image * energy[:, None] * place, np.arange(self.image.shape[1])

    def freeze_irf(self, values: Array) -> Any:
        """No response is applied."""
        return self


def _contract(gradient: Array, weight: Array) -> Array:
    """Sum of a gradient of shape (j, n_e or 1, n_p) times weights of shape (n_e, n_p)."""
    if gradient.shape[1] == 1:
        return np.asarray(gradient[:, 0] @ weight.sum(axis=0))
    return np.asarray(np.einsum("jep,ep->j", gradient, weight))
