"""A source of any shape whose shape stays: its image on a lattice, smoothed by the PSF, then read at the pixels.

The image for each true energy times exposure, B[s, T, p], is kept as long as the spatial values stay; a change of the
spectrum costs one small matrix product.

Legend: T true energy, e energy, s one, or e if the PSF is one of reconstructed energy, p pixel of the selection, j parameter.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Selection
from geminga.forward.folded import Fold
from geminga.forward.general import GeneralSource
from geminga.forward.irf import FixedIrf, Irf, PsfTable
from geminga.forward.lattice import Lattice, lonlat, make_kernel, make_lattice, pixel_parts
from geminga.forward.memo import Memo
from geminga.forward.position import position_vectors
from geminga.forward.psf_scale import rounded
from geminga.forward.steps import spectral_steps
from geminga.numerics.lattice import smooth

__all__ = ["GridComponent", "GridState"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Largest number of nodes along one side.
MAX_NODES = 1400


@dataclass(frozen=True)
class GridState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    basis: Array  # (n_s, n_T, n_p)
    irf: Irf


@dataclass(frozen=True, kw_only=True)
class GridComponent(GeneralSource):
    """One source of any shape over one field, kept by pixel.

    Parameters
    ----------
    is_flat : bool
        It is so smooth that pixels see it at their centre, PSF or not.
    n_psf : int
        How many of the spatial values, the last ones, multiply the width of the PSF.
    """

    is_flat: bool = False
    n_psf: int = 0
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(4))
    memo_lattice: Memo = dataclasses.field(default_factory=lambda: Memo(2))

    def _basis(self, spatial: Array, with_gradient: bool) -> tuple[Selection, Array, Array, Irf]:
        key = (tuple(spatial.tolist()), with_gradient)
        return self.memo.get(key, lambda: self._make_basis(spatial, with_gradient))

    def _make_basis(self, spatial: Array, with_gradient: bool) -> tuple[Selection, Array, Array, Irf]:
        center = self._center(spatial)
        irf = self.irf.at(*center)
        spatial, scales = spatial[: self.n_shape], spatial[self.n_shape :]
        w = float(scales.prod())
        psf = irf.psf if irf.psf is None or not self.n_psf else rounded(irf.psf, w)
        if psf is not None and not self.is_flat:
            extent = self._extent(spatial, psf, MAX_NODES)
            lattice = self.memo_lattice.get(extent, lambda: make_lattice(self.field, extent, self.rotation))
            selection, images = lattice.selection, self._convolved(spatial, lattice, psf, w, scales, with_gradient)
        else:
            selection, support = self.field.everything, self.support(spatial)
            if not self.is_flat and support is not None:
                vector, _, _ = position_vectors(*center, self.rotation)
                selection = self.field.select(vector, support + self.field.side)
            images = self._direct(spatial, selection, with_gradient)
        exposure = self.exposure[0] @ self.exposure[1][selection.pixels].T
        basis = images * exposure
        gradient = np.zeros((self.n_spatial if with_gradient else 0, *basis[0].shape))
        if with_gradient:
            gradient[np.flatnonzero(self.active)[: len(basis) - 1]] = basis[1:]  # nothing is wider without a PSF
        return selection, basis[0], gradient, irf

    def _direct(self, spatial: Array, selection: Selection, with_gradient: bool) -> Array:
        """Average over each pixel of the density itself (no PSF), from sub-pixels where it needs them."""
        wanted = 1.0 if self.is_flat else 3 * self.field.side / max(self.feature(spatial), 1e-6)
        n_sub = int(np.clip(np.ceil(wanted), 1, 20))
        out: Any = 0.0
        for moved in pixel_parts(self.field, selection, n_sub):
            lon, lat = lonlat(moved @ self.rotation, self._center(spatial)[0])
            value, gradient = self.density(lon, lat, spatial)
            out = out + (np.concatenate([value[None], gradient[self.active[: self.n_shape]]]) if with_gradient else value[None])
        n_true = self.exposure[0].shape[0]
        return np.broadcast_to((out / n_sub**2)[:, None], (len(out), 1, n_true, len(selection.pixels)))

    def _convolved(self, spatial: Array, lattice: Lattice, psf: PsfTable, w: float, scales: Array, with_gradient: bool) -> Array:
        """Smoothed averages over each pixel, shape (rows, n_s, n_T, n_p); derivatives by shape and `scales` (w together)."""
        stack = lattice.sample(self.density, spatial, self.active[: self.n_shape], with_gradient)
        kernels = [make_kernel(psf, lattice.extent, self.field.side, w)] * len(stack)
        varying = scales[self.active[self.n_shape :]] if with_gradient else scales[:0]
        if len(varying):
            slope = make_kernel(psf, lattice.extent, self.field.side, w, slope=True)
            kernels += [slope / scale for scale in varying]
            stack = np.concatenate([stack, *[stack[:1]] * len(varying)])
        # A PSF of true energy goes with the density of that energy, one of reconstructed energy with all of them.
        n_s, n_k = (len(kernels[0]), 1) if psf.is_reco else (1, len(kernels[0]))
        size = lattice.extent.size
        shape = (len(stack), n_s, max(n_k, stack.shape[1]))
        out = np.empty((*shape, len(lattice.selection.pixels)))
        for r, s, t in np.ndindex(shape):
            image = stack[r, t % stack.shape[1]].reshape(size, size)
            out[r, s, t] = lattice.look @ smooth(image, kernels[r][s if psf.is_reco else t]).ravel()
        return out

    @property
    def n_shape(self) -> int:
        """Number of spatial parameters without those of the PSF."""
        return self.n_spatial - self.n_psf

    # ---- component -----------------------------------------------------------------------------

    def _rate(self, basis: Array, flux: Array, irf: Irf) -> Array:
        weight = irf.response.T * flux
        return weight @ basis[0] if len(basis) == 1 else np.einsum("eT,eTp->ep", weight, basis)

    def forward(self, values: Array) -> GridState:
        """Counts in the occupied bins near the source, and the total over the mask."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        selection, basis, _, irf = self._basis(spatial, False)
        flux, _ = self.flux(spectral)
        rate = self._rate(basis, flux, irf)
        counts = rate[self.field.bin_energy[selection.bins], selection.local]
        total = float(np.sum(rate * self.field.mask[:, selection.pixels][self.field.group]))
        return GridState(selection, counts, total, values, basis, irf)

    def _functional(self, state: GridState, weight: Array) -> Array:
        """Weight of every bin near the source, shape (n_e, n_p): the mask, plus `weight` where occupied."""
        out = self.field.mask[:, state.selection.pixels][self.field.group].astype(float)
        np.add.at(out, (self.field.bin_energy[state.selection.bins], state.selection.local), weight)
        return out

    def pullback(self, state: GridState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter."""
        spectral, spatial = state.values[: self.n_spectral], state.values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        functional = self._functional(state, weight)
        per_flux = np.einsum("Te,eT->T", state.irf.response, self._against(functional, state.basis))
        out = np.zeros(len(state.values))
        out[: self.n_spectral] = flux_gradient @ per_flux
        if self.active.any():
            _, _, gradient, _ = self._basis(spatial, True)
            weight = state.irf.response.T * flux
            for j in np.flatnonzero(self.active).tolist():
                out[self.n_spectral + j] = np.sum(weight * self._against(functional, gradient[j]))
        return out

    def _against(self, functional: Array, basis: Array) -> Array:
        """Sum over the pixels of the weight of each energy times the image of each true energy, (n_e, n_T)."""
        return functional @ basis[0].T if len(basis) == 1 else np.einsum("ep,eTp->eT", functional, basis)

    def jacobian(self, state: GridState, which: Index) -> Array:
        """Derivatives of the counts in some bins, shape (n_parameters, n_which)."""
        spectral, spatial = state.values[: self.n_spectral], state.values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        energy = self.field.bin_energy[state.selection.bins[which]]
        local = state.selection.local[which]
        out = np.zeros((len(state.values), len(which)))
        for j, f in enumerate(flux_gradient):
            out[j] = self._rate(state.basis, f, state.irf)[energy, local]
        if self.active.any():
            _, _, gradient, _ = self._basis(spatial, True)
            for j in np.flatnonzero(self.active).tolist():
                out[self.n_spectral + j] = self._rate(gradient[j], flux, state.irf)[energy, local]
        return out

    def hessian(self, state: GridState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``, by differences of the exact gradient."""
        full = np.zeros(len(self.field.bin_counts))
        full[state.selection.bins] = weight
        n = len(state.values)
        out = np.zeros((n, n))
        varying = np.concatenate([np.ones(self.n_spectral, bool), self.active])
        spectral = state.values[: self.n_spectral]
        steps = spectral_steps(spectral, *self.flux(spectral))
        for j in np.flatnonzero(varying).tolist():
            step = steps[j] if j < self.n_spectral else 1e-4 * max(abs(state.values[j]), 1e-2)
            ends = []
            for sign in (1, -1):
                values = state.values.copy()
                values[j] += sign * step
                moved = self.forward(values)
                ends.append(self.pullback(moved, full[moved.selection.bins]))
            out[j] = (ends[0] - ends[1]) / (2 * step)
        return 0.5 * (out + out.T)

    def fold(self, spatial: Array, max_size: int) -> Fold | None:
        """Counts for one unit of flux at each true energy (see `geminga.forward.folded`); None if larger than `max_size`."""
        selection, basis, _, irf = self._basis(spatial, False)
        if basis.shape[1] * max(len(selection.bins), len(basis) * len(selection.pixels)) > max_size:
            return None
        energy = self.field.bin_energy[selection.bins]
        bins = basis[energy % len(basis), :, selection.local].T * irf.response[:, energy]
        mask = self.field.mask[:, selection.pixels][self.field.group].astype(float)
        inside = basis[0] @ mask.T if len(basis) == 1 else np.einsum("eTp,ep->Te", basis, mask)
        return Fold(selection, bins, (inside * irf.response).sum(axis=1))

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins near the source, shape (n_e, n), and the pixels."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        selection, basis, _, irf = self._basis(spatial, False)
        return self._rate(basis, self.flux(spectral)[0], irf), selection.pixels

    def images(self, values: Array) -> Array:
        """Image on all pixels of the field for true and reconstructed energies: density times solid angle.

        Shape (n_T, 1, n_p); (n_T, n_e, n_p) if the PSF is one of reconstructed energy.
        """
        selection, basis, _, _ = self._basis(values, False)
        out = np.zeros((basis.shape[1], len(basis), len(self.field.pixel)))
        out[:, :, selection.pixels] = basis.swapaxes(0, 1)
        return out

    def freeze_irf(self, values: Array) -> GridComponent:
        """The same component with the IRFs at the position in `values`."""
        lon, lat = self._center(values[self.n_spectral :])
        return replace(self, irf=FixedIrf(self.irf.at(lon, lat)), memo=Memo(4))
