"""A round source: point, Gaussian, disk, shell, ...

Its PSF-convolved, pixel-averaged profile is one-dimensional, S_T(r). Spectrum, energy dispersion and low-rank
exposure fold with it into one Hermite table C[k, e, node] per parameter, and a bin is a lookup:

    mu(e, p) = sum_k x_k(p) C_{k,e}(r_p)

The total over the mask is the same lookup summed over pixels, done once for all energies as weights on the nodes.

Legend: T true energy, e energy, k exposure rank, node radius node, p pixel, j parameter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geminga.forward.field import Field, Selection
from geminga.forward.folded import Fold
from geminga.forward.irf import FixedIrf, Irf, IrfSource
from geminga.forward.memo import Memo
from geminga.forward.position import position_vectors
from geminga.forward.profile import Profile, extended_profile, extended_second, point_profile, second_by_differences
from geminga.forward.psf_scale import widened_extended, widened_point
from geminga.forward.radial_second import hessian, row_values
from geminga.numerics.cells import differentiate, locate, lookup, powers

__all__ = ["RadialComponent", "RadialState"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Patch:
    """What depends only on which tiles a source touches."""

    selection: Selection
    vectors: Array  # (n_sel, 3)
    exposure: Array  # (n_sel, n_k)
    row_exposure: Array  # (n_bins, n_k)
    row_energy: NDArray[np.int32]  # (n_bins,)
    masks: NDArray[np.bool_]  # (n_g, n_sel)
    masked: list[Array]  # exposure inside each mask


@dataclass(frozen=True)
class _Geometry:
    """Everything that depends on the position alone (and on the cells of the profile)."""

    patch: _Patch
    cosines: Array  # of each pixel with the source's centre, east and north, (n_sel, 3)
    inverse: Array  # 1 / q in units of the step, (n_sel,)
    look: csr_array  # pixels in the cells of one energy, (n_sel, 4 n_cells)
    rows: csr_array  # occupied bins in (e, cell), (n_bins, n_e * 4 n_cells)
    weights: Array  # of the total: (n_g, n_k, 4 n_cells)
    scale: float  # steps per rad

    @property
    def selection(self) -> Selection:
        """Tiles near the source."""
        return self.patch.selection

    @cached_property
    def direction(self) -> Array:
        """How the radius (in steps) moves with lon and lat (deg), shape (2, n_sel)."""
        factor = self.inverse * (-(self.scale**2) * np.deg2rad(1.0))
        return np.asarray(self.cosines[:, 1:].T * factor)

    @cached_property
    def local_direction(self) -> Array:
        """The same in the pixel of each occupied bin, shape (2, n_bins)."""
        return np.take(self.direction, self.selection.local, axis=1)

    @cached_property
    def look_back(self) -> csr_array:
        """Transposed `look`: from weights on pixels to weights on the cells."""
        return self.look.T

    @cached_property
    def rows_back(self) -> csr_array:
        """Transposed `rows`: from weights on occupied bins to weights on the cells."""
        return self.rows.T


@dataclass
class RadialState:
    """One evaluation of a round source; what the derivatives need, made when first asked for."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    table: Array  # (n_k, n_e, 4 n_cells)
    profile: Profile
    geometry: _Geometry
    irf: Irf
    tangents: Array | None = None
    row_slope: Array | None = None
    functional: tuple[Array, Array] | None = None  # weight of each bin, and the weights on the table these make


@dataclass(frozen=True)
class RadialComponent:
    """One round source over one field.

    Parameters
    ----------
    flux : callable
        ``flux(spectral values) -> (flux, gradient)``, shapes (n_T,), (n_spec, n_T), cm-2 s-1.
    spatial : SpatialModel
        Asked for ``radial_transform``, ``support_radius`` and ``feature_size``.
    is_point : bool
    rotation : array
        From the model's frame to the field's, shape (3, 3).
    irf : IrfSource
        PSF and energy dispersion at a position.
    exposure : tuple of array
        a (n_T, n_k) and x (n_p, n_k); x includes the solid angle of the pixel.
    n_psf : int
        How many of the spatial values, the last ones, multiply the width of the PSF.
    """

    field: Field
    flux: Callable[[Array], tuple[Array, Array]]
    spatial: Any
    is_point: bool
    rotation: Array
    irf: IrfSource
    exposure: tuple[Array, Array]
    n_spectral: int
    n_spatial: int
    n_psf: int = 0
    memo_profile: Memo = dataclasses.field(default_factory=lambda: Memo(4))
    memo_geometry: Memo = dataclasses.field(default_factory=Memo)
    memo_patch: Memo = dataclasses.field(default_factory=Memo)

    def profile(self, values: Array, irf: Irf, nodes: Profile | None = None) -> Profile:
        """PSF-convolved profile for spatial parameter values, on the nodes of another profile if given."""
        side = self.field.side
        if self.is_point and not self.n_psf:
            return self.memo_profile.get(irf.key, lambda: point_profile(irf, side))
        grid = None if nodes is None else (nodes.step, nodes.n_cells)
        key = (irf.key, tuple(values[2:].tolist()), grid, None if nodes is None else nodes.middle)
        if self.n_psf:
            own, scales = values[: -self.n_psf], values[-self.n_psf :]
            if self.is_point:
                return self.memo_profile.get(key, lambda: widened_point(irf, scales, side, nodes))
            return self.memo_profile.get(key, lambda: widened_extended(self.spatial, own, scales, irf, side, nodes))
        return self.memo_profile.get(key, lambda: extended_profile(self.spatial, values, irf, side, grid))

    # ---- geometry ------------------------------------------------------------------------------

    def geometry(self, values: Array, profile: Profile) -> _Geometry:
        """Lookup weights of the pixels near the source."""
        key = (float(values[0]), float(values[1]), profile.step, profile.n_cells)
        return self.memo_geometry.get(key, lambda: self._make_geometry(values, profile))

    def _patch(self, selection: Selection) -> _Patch:
        def make() -> _Patch:
            field, pixels, local = self.field, selection.pixels, selection.local
            x, masks, vectors, energy = self.exposure[1], field.mask, field.vectors, field.bin_energy
            if len(pixels) < len(vectors):
                x, masks, vectors, energy = x[pixels], masks[:, pixels], vectors[pixels], energy[selection.bins]
            masked = [x if m.all() else x * m[:, None] for m in masks]
            return _Patch(selection, vectors, x, x[local], energy, masks, masked)

        return self.memo_patch.get(selection.tiles.tobytes(), make)

    def _make_geometry(self, values: Array, profile: Profile) -> _Geometry:
        center, east, north = position_vectors(values[0], values[1], self.rotation)
        patch = self._patch(self.field.select(center, profile.step * profile.n_cells))
        scale = float(np.rad2deg(1.0) / profile.step)
        # The chord, in steps, is the radius: d chord = -v.dc / chord.
        cosines = patch.vectors @ np.stack([center, east, north], axis=1)
        chord = np.sqrt(np.maximum(2 - 2 * cosines[:, 0], 0))
        near = np.flatnonzero(chord < 0.01)  # cancellation: use the difference itself
        chord[near] = np.linalg.norm(patch.vectors[near] - center, axis=1)
        inverse = np.divide(1 / scale, chord, out=np.zeros_like(chord), where=chord > 1e-14)
        index, place = locate(chord * scale, profile.n_cells)
        weight = powers(place)
        local = patch.selection.local
        look = lookup(index, weight, profile.n_cells)
        cell = patch.row_energy * np.int32(profile.n_cells) + index[local]
        rows = lookup(cell, weight[local], profile.n_cells * self.field.n_energy)
        look_back = look.T
        weights = np.array([(look_back @ x).T for x in patch.masked])
        return _Geometry(patch, cosines, inverse, look, rows, weights, scale)

    def _table_shape(self, profile: Profile) -> tuple[int, int, int]:
        return self.exposure[0].shape[1], self.field.n_energy, 4 * profile.n_cells

    # ---- evaluation ----------------------------------------------------------------------------

    def _fold(self, flux: Array, table: Array, irf: Irf) -> Array:
        """Spectrum, dispersion and exposure folded with a profile, shape (n_k, n_e, 4 n_cells)."""
        kernel = self.exposure[0].T[:, None, :] * (irf.response.T * flux)
        n_k, n_e, n_true = kernel.shape
        if irf.psf is not None and irf.psf.is_reco:
            return np.asarray(kernel.sum(axis=2)[:, :, None] * table[None])
        return (kernel.reshape(n_k * n_e, n_true) @ table).reshape(n_k, n_e, -1)

    def forward(self, values: Array) -> RadialState:
        """Counts in the occupied bins near the source, and the total over the mask."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        irf = self.irf.at(spatial[0], spatial[1])
        profile = self.profile(spatial, irf)
        geometry = self.geometry(spatial, profile)
        flux, _ = self.flux(spectral)
        table = self._fold(flux, profile.table, irf)
        counts = row_values(geometry, table)
        total = float(np.sum(self._total(geometry.weights) * table))
        return RadialState(geometry.selection, counts, total, values, table, profile, geometry, irf)

    def fold(self, spatial: Array, max_size: int) -> Fold | None:
        """Counts for one unit of flux at each true energy (see `geminga.forward.folded`); None if larger than `max_size`."""
        irf = self.irf.at(spatial[0], spatial[1])
        profile = self.profile(spatial, irf)
        geometry = self.geometry(spatial, profile)
        patch, response = geometry.patch, irf.response
        shape = geometry.look @ profile.table.T
        if len(response) * max(len(patch.row_energy), len(shape)) > max_size:
            return None
        exposure = (patch.exposure @ self.exposure[0].T).T
        local, energy, group = geometry.selection.local, patch.row_energy, self.field.group
        if irf.psf is not None and irf.psf.is_reco:
            bins = exposure[:, local] * shape[local, energy]
            inside = np.einsum("Tp,pe,ep->Te", exposure, shape, patch.masks[group].astype(float), optimize=True)
        else:
            image = exposure * shape.T
            bins = image[:, local]
            inside = (image @ patch.masks.T.astype(float))[:, group]
        return Fold(geometry.selection, bins * response[:, energy], (inside * response).sum(axis=1))

    def _total(self, weights: Array) -> Array:
        """Weights of the total for every energy, (n_k, n_e, 4 n_cells)."""
        return weights[self.field.group].transpose(1, 0, 2)

    def _tangents(self, state: RadialState) -> Array:
        """Tables of the derivatives by spectral parameters, then by shape: (n, n_k, n_e, 4 n_cells)."""
        if state.tangents is None:
            state.tangents = self._tangents_at(state.values, state.irf, state.profile)
        return state.tangents

    def _row_slope(self, state: RadialState) -> Array:
        """Derivative of each count by the radius (in steps)."""
        if state.row_slope is None:
            state.row_slope = row_values(state.geometry, differentiate(state.table))
        return state.row_slope

    def _tangents_at(self, values: Array, irf: Irf, profile: Profile) -> Array:
        """The same at other values, with their profile."""
        flux, flux_gradient = self.flux(values[: self.n_spectral])
        tables = [self._fold(f, profile.table, irf) for f in flux_gradient]
        tables += [self._fold(flux, s, irf) for s in profile.shape_gradient]
        return np.array(tables).reshape(len(tables), *self._table_shape(profile))

    def pullback(self, state: RadialState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter.

        One transposed lookup serves every spectral and shape parameter; two more the position.
        """
        inner = np.einsum("jken,ken->j", self._tangents(state), self._functional(state, weight))
        pixel_slope = self._slope_functional(state, weight)
        return np.concatenate([inner[: self.n_spectral], pixel_slope, inner[self.n_spectral :]])

    def _functional(self, state: RadialState, weight: Array) -> Array:
        """Weights on the table such that their product with it is ``sum(weight * counts) + total``."""
        if state.functional is None or state.functional[0] is not weight:
            geometry = state.geometry
            own = geometry.rows_back @ (weight[:, None] * geometry.patch.row_exposure)
            state.functional = weight, own.T.reshape(state.table.shape) + self._total(geometry.weights)
        return state.functional[1]

    def _slope_functional(self, state: RadialState, weight: Array) -> Array:
        """Derivative by lon and lat: slope at each bin times how the radius moves."""
        geometry = state.geometry
        pixels = self._pixel_values(geometry, differentiate(state.table))
        moved = pixels + np.bincount(geometry.selection.local, self._row_slope(state) * weight, minlength=len(pixels))
        return np.asarray(geometry.direction @ moved)

    def _pixel_values(self, geometry: _Geometry, table: Array) -> Array:
        """Table looked up at each pixel, summed over the energies which use it."""
        out = np.zeros(len(geometry.inverse))
        for g, mask in enumerate(geometry.patch.masks):
            summed = np.ascontiguousarray(table[:, self.field.group == g].sum(axis=1).T)
            value = (geometry.look @ summed) * geometry.patch.exposure
            out += (value @ np.ones(value.shape[1])) * mask
        return out

    def jacobian(self, state: RadialState, which: NDArray[np.intp]) -> Array:
        """Derivatives of the counts in the bins ``selection.bins[which]``, shape (n_parameters, n_which)."""
        geometry, tangents, slope = state.geometry, self._tangents(state), self._row_slope(state)
        rows, x, n = geometry.rows, geometry.patch.row_exposure, len(tangents)
        if len(which) == len(state.counts):
            direction = geometry.local_direction
        else:
            rows, x, slope = _take_rows(rows, which), x[which], slope[which]
            direction = np.take(geometry.direction, geometry.selection.local[which], axis=1)
        # Sizes in full: there may be no parameter but those of the position.
        flat = np.ascontiguousarray(tangents.reshape(n * state.table.shape[0], rows.shape[1]).T)
        out = np.empty((n + 2, len(which)))
        others = np.r_[: self.n_spectral, self.n_spectral + 2 : n + 2]
        out[others] = np.einsum("bjk,bk->jb", (rows @ flat).reshape(len(which), n, x.shape[1]), x)
        out[self.n_spectral : self.n_spectral + 2] = direction * slope
        return out

    def shape_second(self, state: RadialState) -> Array:
        """Second derivatives of the profile by the shape: tables, shape (n_shape, n_shape, n_T, 4 n_cells)."""
        spatial = state.values[self.n_spectral :]
        if not self.n_psf:
            return extended_second(self.spatial, spatial, state.irf, self.field.side, state.profile)
        return second_by_differences(lambda values: self.profile(values, state.irf, state.profile).shape_gradient, spatial)

    def hessian(self, state: RadialState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``, by functionals on the tables."""
        return hessian(self, state, weight)

    def dense(self, values: Array) -> tuple[Array, NDArray[np.intp]]:
        """Counts in every bin near the source by direct evaluation at each pixel: the slow twin.

        Returns the counts, shape (n_e, n), and the n pixels of the field they belong to.
        """
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        irf = self.irf.at(spatial[0], spatial[1])
        profile = self.profile(spatial, irf)
        center, _, _ = position_vectors(spatial[0], spatial[1], self.rotation)
        pixels = self.field.select(center, profile.step * profile.n_cells).pixels
        shape = _profile_at(profile, center, self.field.vectors[pixels])
        exposure = self.exposure[0] @ self.exposure[1][pixels].T
        flux, _ = self.flux(spectral)
        if irf.psf is not None and irf.psf.is_reco:
            return (irf.response.T @ (exposure * flux[:, None])) * shape, pixels
        return irf.response.T @ (exposure * shape * flux[:, None]), pixels

    def images(self, values: Array) -> Array:
        """Image on all pixels of the field for true and reconstructed energies: density times solid angle.

        Shape (n_T, 1, n_p); (1, n_e, n_p) if the PSF is one of reconstructed energy.
        """
        irf = self.irf.at(values[0], values[1])
        profile = self.profile(values, irf)
        center, _, _ = position_vectors(values[0], values[1], self.rotation)
        image = _profile_at(profile, center, self.field.vectors) * self.field.solid_angle
        return image[None] if irf.psf is not None and irf.psf.is_reco else image[:, None]

    def freeze_irf(self, values: Array) -> RadialComponent:
        """The same component with the IRFs at the position in `values`, whatever is evaluated later."""
        lon, lat = values[self.n_spectral : self.n_spectral + 2]
        return replace(self, irf=FixedIrf(self.irf.at(lon, lat)), memo_profile=Memo(4))


def _take_rows(rows: csr_array, which: NDArray[np.intp]) -> csr_array:
    """Some rows of a `lookup`, which has four entries in each."""
    columns, weight = rows.indices.reshape(-1, 4)[which], rows.data.reshape(-1, 4)[which]
    indptr = np.arange(0, 4 * len(columns) + 1, 4, dtype=np.int32)
    return csr_array((weight.reshape(-1), columns.reshape(-1), indptr), shape=(len(columns), rows.shape[1]))


def _profile_at(profile: Profile, center: Array, vectors: Array) -> Array:
    """Profile of each true energy at unit vectors, shape (n_T, n)."""
    chord = np.rad2deg(np.linalg.norm(vectors - center, axis=1))
    index, place = locate(chord / profile.step, profile.n_cells)
    weight = powers(place)
    out = np.zeros((len(profile.table), len(vectors)))
    for j in range(4):
        out += profile.table[:, 4 * index + j] * weight[:, j]
    return out
