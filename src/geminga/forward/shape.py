"""A source of any shape whose shape is fitted: tables on a lattice.

As with round sources (`radial`), spectrum, dispersion, exposure and PSF fold into tables C[k, e, g], and a bin is a lookup,
`mu = sum_k x_k(p) C[k, e](p)`. All of it is linear in the density at the nodes, so that the transposed lookup of the weights of
the bins, taken back through the PSF, turns the derivative by any parameter of the shape into a dot product with the
derivative of the density. The cost grows with the nodes, which are as many as the smoothed shape needs, and little with
parameters and pixels.

Legend: T true energy, e energy, k rank of the exposure, g node, j parameter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geminga.forward.field import Selection
from geminga.forward.general import GeneralSource
from geminga.forward.irf import FixedIrf, Irf
from geminga.forward.lattice import Extent, Lattice, make_kernel, make_lattice
from geminga.forward.memo import Memo
from geminga.forward.steps import second_at
from geminga.numerics.lattice import smooth

__all__ = ["ShapeComponent", "ShapeState"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Largest number of nodes along one side: a table of ten energies then takes 50 MB.
MAX_NODES = 400

#: By how much the nodes of a fit are more than the shape at the start needs.
MARGIN = 1.25


@dataclass
class ShapeState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    lattice: Lattice
    irf: Irf
    n_density: int  # n_T, or 1 for a density which does not depend on energy
    basis: Array  # density at the nodes, through the PSF if that is one of true energy, (n_T or 1, n_g)
    functional: tuple[Array, Array] | None = None  # the last weights, and what they give at the nodes


@dataclass(frozen=True, kw_only=True)
class ShapeComponent(GeneralSource):
    """One source of any shape over one field, of which the shape is fitted."""

    anchor: Extent | None = None  # lattice to stay with while it serves
    memo_lattice: Memo = dataclasses.field(default_factory=lambda: Memo(2))
    memo_totals: Memo = dataclasses.field(default_factory=lambda: Memo(2))
    memo_kernel: Memo = dataclasses.field(default_factory=lambda: Memo(2))
    memo_image: Memo = dataclasses.field(default_factory=lambda: Memo(2))
    memo_gradient: Memo = dataclasses.field(default_factory=lambda: Memo(1))

    # ---- what stays while the source moves a little ---------------------------------------------

    def lattice(self, spatial: Array, irf: Irf) -> Lattice:
        """Nodes for a source with these spatial values."""
        assert irf.psf is not None
        extent = self._extent(spatial, irf.psf, MAX_NODES, anchor=self.anchor)
        return self.memo_lattice.get(extent, lambda: make_lattice(self.field, extent, self.rotation))

    def _kernel(self, lattice: Lattice, irf: Irf) -> Array:
        psf = irf.psf
        assert psf is not None
        key = (lattice.extent, irf.key)
        return self.memo_kernel.get(key, lambda: make_kernel(psf, lattice.extent, self.field.side))

    def _totals(self, lattice: Lattice) -> Array:
        """Weights of the nodes in the total over the mask, (n_k, n_e, n_g)."""

        def make() -> Array:
            pixels = lattice.selection.pixels
            x, masks = self.exposure[1][pixels], self.field.mask[:, pixels]
            return np.array([(lattice.look.T @ (x * m[:, None])).T for m in masks])

        return self.memo_totals.get(lattice.extent, make)[self.field.group].transpose(1, 0, 2)

    def _row_exposure(self, lattice: Lattice) -> Array:
        return self.exposure[1][lattice.selection.pixels][lattice.selection.local]

    # ---- the linear maps: a PSF of true energy acts before the folding, one of reconstructed energy after it ---------

    def _smooth(self, images: Array, lattice: Lattice, irf: Irf) -> Array:
        """Images (..., n, n_g) through PSF and pixel; this is its own transpose."""
        return _flat(smooth(_square(images, lattice), self._kernel(lattice, irf)))

    def _before(self, image: Array, lattice: Lattice, irf: Irf) -> Array:
        return image if _is_reco(irf) else self._smooth(image, lattice, irf)

    def _after(self, table: Array, lattice: Lattice, irf: Irf) -> Array:
        return self._smooth(table, lattice, irf) if _is_reco(irf) else table

    def _weight(self, flux: Array, irf: Irf) -> Array:
        """Spectrum, dispersion and exposure, (n_k, n_e, n_T)."""
        return np.asarray(self.exposure[0].T[:, None, :] * (irf.response.T * flux))

    def _table(self, weight: Array, basis: Array, lattice: Lattice, irf: Irf) -> Array:
        """Table C of the module's text."""
        if len(basis) == 1:
            folded = weight.sum(axis=2)[:, :, None] * basis
        else:
            folded = (weight.reshape(-1, weight.shape[2]) @ basis).reshape(*weight.shape[:2], -1)
        return self._after(folded, lattice, irf)

    def _density_weight(self, flux: Array, functional: Array, state: ShapeState) -> Array:
        """What `functional` (behind the folding) weighs the density with for some flux, (n_T or 1, n_g)."""
        weight = self._weight(flux, state.irf)
        flat = functional.reshape(-1, functional.shape[-1])
        if _is_reco(state.irf):
            folded = weight.reshape(len(flat), -1)
            return np.asarray((folded.sum(axis=1, keepdims=True) if state.n_density == 1 else folded).T @ flat)
        back = _square(weight.reshape(len(flat), -1).T @ flat, state.lattice)
        return _flat(smooth(back, self._kernel(state.lattice, state.irf), add=state.n_density == 1))

    def _per_flux(self, functional: Array, state: ShapeState) -> Array:
        """Derivative by the flux at each true energy, (n_T,)."""
        inner = functional.reshape(-1, functional.shape[-1]) @ state.basis.T
        one = self._weight(np.ones(len(state.irf.response)), state.irf)
        return np.asarray(np.sum(one.reshape(len(inner), -1) * inner, axis=0))

    # ---- component ------------------------------------------------------------------------------

    def forward(self, values: Array) -> ShapeState:
        """Counts in the occupied bins near the source, and the total over the mask."""
        spatial = values[self.n_spectral :]
        irf = self.irf.at(*self._center(spatial))
        lattice = self.lattice(spatial, irf)
        key = (lattice.extent, irf.key, spatial.tobytes())
        n_density, basis = self.memo_image.get(key, lambda: self._make_basis(spatial, lattice, irf))
        table = self._table(self._weight(self.flux(values[: self.n_spectral])[0], irf), basis, lattice, irf)
        counts = _read(lattice.rows, table, self._row_exposure(lattice))
        total = float(np.sum(self._totals(lattice) * table))
        return ShapeState(lattice.selection, counts, total, values, lattice, irf, n_density, basis)

    def _make_basis(self, spatial: Array, lattice: Lattice, irf: Irf) -> tuple[int, Array]:
        image = lattice.sample(self.density, spatial, self.active, False)[0]
        return len(image), self._before(image, lattice, irf)

    def _gradient(self, state: ShapeState) -> Array:
        """Derivatives of the density by the active parameters, (n_active, n_T or 1, n_g)."""
        spatial = state.values[self.n_spectral :]
        key = (state.lattice.extent, spatial.tobytes())
        return self.memo_gradient.get(key, lambda: state.lattice.sample(self.density, spatial, self.active, True)[1:])

    def _functional(self, state: ShapeState, weight: Array) -> Array:
        """Weights of the bins and of the total, taken back to just behind the folding: (n_k, n_e, n_g)."""
        if state.functional is None or state.functional[0] is not weight:
            rows = state.lattice.rows.T @ (weight[:, None] * self._row_exposure(state.lattice))
            own = rows.T.reshape(rows.shape[1], self.field.n_energy, -1) + self._totals(state.lattice)
            state.functional = weight, self._after(own, state.lattice, state.irf)
        return state.functional[1]

    def pullback(self, state: ShapeState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter."""
        flux, flux_gradient = self.flux(state.values[: self.n_spectral])
        functional = self._functional(state, weight)
        out = np.zeros(len(state.values))
        out[: self.n_spectral] = flux_gradient @ self._per_flux(functional, state)
        if self.active.any():
            own = self._density_weight(flux, functional, state)
            out[self.n_spectral :][self.active] = np.einsum("jTg,Tg->j", self._gradient(state), own)
        return out

    def jacobian(self, state: ShapeState, which: Index) -> Array:
        """Derivatives of the counts in some bins, shape (n_parameters, n_which)."""
        flux, flux_gradient = self.flux(state.values[: self.n_spectral])
        lattice, irf = state.lattice, state.irf
        rows = lattice.rows if len(which) == len(state.counts) else lattice.rows[which]
        x = self._row_exposure(lattice)[which]
        out = np.zeros((len(state.values), len(which)))
        for j, f in enumerate(flux_gradient):
            out[j] = _read(rows, self._table(self._weight(f, irf), state.basis, lattice, irf), x)
        weight = self._weight(flux, irf)
        for j, own in zip(np.flatnonzero(self.active).tolist(), self._gradient(state), strict=True):
            out[self.n_spectral + j] = _read(rows, self._table(weight, self._before(own, lattice, irf), lattice, irf), x)
        return out

    def hessian(self, state: ShapeState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``."""
        n_s, which = self.n_spectral, np.flatnonzero(self.active)
        spectral, spatial = state.values[:n_s], state.values[n_s:]
        functional = self._functional(state, weight)
        flux, flux_gradient = self.flux(spectral)
        out = np.zeros((len(state.values),) * 2)
        out[:n_s, :n_s] = second_at(self.flux, spectral, (flux, flux_gradient), self._per_flux(functional, state))
        if len(which) == 0:
            return out
        gradient = self._gradient(state)
        for i, f in enumerate(flux_gradient):
            own = self._density_weight(f, functional, state)
            out[i, n_s + which] = out[n_s + which, i] = np.einsum("jTg,Tg->j", gradient, own)
        own = self._density_weight(flux, functional, state)

        def slope(v: Array) -> Array:
            return np.einsum("jTg,Tg->j", state.lattice.sample(self.density, v, self.active, True)[1:], own)

        steps = 1e-4 * np.maximum(np.abs(spatial), 1e-2)
        out[np.ix_(n_s + which, n_s + which)] = _differences(slope, spatial, which, steps)
        return out

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins near the source, shape (n_e, n), and the pixels."""
        state = self.forward(values)
        weight = self._weight(self.flux(values[: self.n_spectral])[0], state.irf)
        table = self._table(weight, state.basis, state.lattice, state.irf)
        x = self.exposure[1][state.selection.pixels]
        return np.array(
            [_read(state.lattice.look, table[:, e : e + 1], x) for e in range(table.shape[1])]
        ), state.selection.pixels

    def images(self, values: Array) -> Array:
        """Image on all pixels of the field for true and reconstructed energies: density times solid angle.

        Shape (n_T, 1, n_p); (n_T or 1, n_e, n_p) if the PSF is one of reconstructed energy.
        """
        irf = self.irf.at(*self._center(values))
        lattice = self.lattice(values, irf)
        image = lattice.sample(self.density, values, self.active, False)[0]
        table = self._smooth(image[:, None], lattice, irf) if _is_reco(irf) else self._smooth(image, lattice, irf)[:, None]
        out = np.zeros((*table.shape[:2], len(self.field.pixel)))
        out[..., lattice.selection.pixels] = (lattice.look @ table.reshape(-1, table.shape[-1]).T).T.reshape(*table.shape[:2], -1)
        return out * self.field.solid_angle

    def freeze_irf(self, values: Array) -> ShapeComponent:
        """The same component with the IRFs, and if possible the nodes, of the position and shape in `values`."""
        spatial = values[self.n_spectral :]
        irf = self.irf.at(*self._center(spatial))
        assert irf.psf is not None
        anchor = self._extent(spatial, irf.psf, MAX_NODES, margin=MARGIN)
        return replace(self, irf=FixedIrf(irf), anchor=anchor, memo_kernel=Memo(2))


def _is_reco(irf: Irf) -> bool:
    return irf.psf is not None and irf.psf.is_reco


def _square(images: Array, lattice: Lattice) -> Array:
    size = lattice.extent.size
    return images.reshape(*images.shape[:-1], size, size)


def _flat(images: Array) -> Array:
    return images.reshape(*images.shape[:-2], -1)


def _read(rows: csr_array, table: Array, exposure: Array) -> Array:
    """Table looked up at each row, times the exposure there."""
    product = rows @ np.ascontiguousarray(table.reshape(len(table), -1).T)
    product *= exposure
    return np.asarray(product @ np.ones(product.shape[1]))


def _differences(gradient: Callable[[Array], Array], values: Array, which: Index, steps: Array) -> Array:
    """Second derivatives by the parameters `which`, by central differences of an exact gradient."""
    out = np.empty((len(which), len(which)))
    for i, j in enumerate(which):
        up, down = values.copy(), values.copy()
        up[j] += steps[j]
        down[j] -= steps[j]
        out[i] = (gradient(up) - gradient(down)) / (2 * steps[j])
    return 0.5 * (out + out.T)
