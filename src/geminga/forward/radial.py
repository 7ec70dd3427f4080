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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geminga.forward.field import Field, Selection
from geminga.forward.irf import FixedIrf, Irf, IrfSource
from geminga.forward.memo import Memo
from geminga.forward.position import position_second, position_vectors
from geminga.forward.profile import Profile, extended_profile, point_profile
from geminga.numerics.cells import differentiate, locate, lookup, powers

__all__ = ["RadialComponent", "RadialState"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Geometry:
    """Everything that depends on the position alone (and on the cells of the profile)."""

    selection: Selection
    direction: Array  # dq/dlon, dq/dlat in units of the step, (2, n_sel)
    inverse: Array  # 1 / q in units of the step, (n_sel,)
    exposure: Array  # (n_sel, n_k)
    look: csr_array  # pixels in the cells of one energy, (n_sel, 4 n_cells)
    rows: csr_array  # occupied bins in (e, cell), (n_bins, n_e * 4 n_cells)
    row_exposure: Array  # (n_bins, n_k)
    weights: Array  # of the total: (n_g, n_k, 4 n_cells)
    masks: NDArray[np.bool_]  # (n_g, n_sel)


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
    memo_profile: Memo = dataclasses.field(default_factory=lambda: Memo(4))
    memo_geometry: Memo = dataclasses.field(default_factory=Memo)

    def profile(self, values: Array, irf: Irf, with_gradient: bool, nodes: Profile | None = None) -> Profile:
        """PSF-convolved profile for spatial parameter values, on the nodes of another profile if given."""
        side = self.field.side
        if self.is_point:
            return self.memo_profile.get(irf.key, lambda: point_profile(irf, side))
        grid = None if nodes is None else (nodes.step, nodes.n_cells)
        key = (irf.key, tuple(values[2:].tolist()), with_gradient, grid)
        return self.memo_profile.get(key, lambda: extended_profile(self.spatial, values, irf, side, with_gradient, grid))

    # ---- geometry ------------------------------------------------------------------------------

    def geometry(self, values: Array, profile: Profile) -> _Geometry:
        """Lookup weights of the pixels near the source."""
        key = (float(values[0]), float(values[1]), profile.step, profile.n_cells)
        return self.memo_geometry.get(key, lambda: self._make_geometry(values, profile))

    def _make_geometry(self, values: Array, profile: Profile) -> _Geometry:
        center, east, north = position_vectors(values[0], values[1], self.rotation)
        selection = self.field.select(center, profile.step * profile.n_cells)
        v = self.field.vectors[selection.pixels]
        scale = np.rad2deg(1.0) / profile.step
        # The chord, in steps, is the radius: d chord = -v.dc / chord.
        axes = v @ np.stack([center, east, north], axis=1)
        chord = np.sqrt(np.maximum(2 - 2 * axes[:, 0], 0))
        near = chord < 0.01  # cancellation: use the difference itself
        chord[near] = np.linalg.norm(v[near] - center, axis=1)
        inverse = np.divide(1.0, chord, out=np.zeros_like(chord), where=chord > 1e-14)
        direction = (axes[:, 1:] * (inverse * (-scale * np.deg2rad(1.0)))[:, None]).T
        index, place = locate(chord * scale, profile.n_cells)
        weight = powers(place)
        x = self.exposure[1][selection.pixels]
        look = lookup(index, weight, profile.n_cells)
        cell = self.field.bin_energy[selection.bins] * np.int32(profile.n_cells) + index[selection.local]
        rows = lookup(cell, weight[selection.local], profile.n_cells * self.field.n_energy)
        masks = self.field.mask[:, selection.pixels]
        weights = np.array([(look.T @ (x if m.all() else x * m[:, None])).T for m in masks])
        return _Geometry(selection, direction, inverse / scale, x, look, rows, x[selection.local], weights, masks)

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
        profile = self.profile(spatial, irf, False)
        geometry = self.geometry(spatial, profile)
        flux, _ = self.flux(spectral)
        table = self._fold(flux, profile.table, irf)
        counts = _row_values(geometry, table)
        total = float(np.sum(self._total(geometry.weights) * table))
        return RadialState(geometry.selection, counts, total, values, table, profile, geometry, irf)

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
            state.row_slope = _row_values(state.geometry, differentiate(state.table))
        return state.row_slope

    def _tangents_at(self, values: Array, irf: Irf, nodes: Profile) -> Array:
        """The same at other values, on the nodes of a given profile."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        profile = self.profile(spatial, irf, True, nodes)
        tables = [self._fold(f, profile.table, irf) for f in flux_gradient]
        tables += [self._fold(flux, s, irf) for s in profile.shape_gradient]
        return np.array(tables).reshape(len(tables), *self._table_shape(nodes))

    def pullback(self, state: RadialState, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter.

        One transposed lookup serves every spectral and shape parameter; two more the position.
        """
        geometry = state.geometry
        functional = geometry.rows.T @ (weight[:, None] * geometry.row_exposure)
        functional = functional.T.reshape(state.table.shape) + self._total(geometry.weights)
        inner = np.einsum("jken,ken->j", self._tangents(state), functional)
        pixel_slope = self._slope_functional(state, weight)
        return np.concatenate([inner[: self.n_spectral], pixel_slope, inner[self.n_spectral :]])

    def _slope_functional(self, state: RadialState, weight: Array) -> Array:
        """Derivative by lon and lat: slope at each bin times how the radius moves."""
        geometry = state.geometry
        moved: Any = np.bincount(geometry.selection.local, self._row_slope(state) * weight, minlength=len(geometry.inverse))
        moved += self._pixel_values(geometry, differentiate(state.table))
        return np.asarray(geometry.direction @ moved)

    def _pixel_values(self, geometry: _Geometry, table: Array) -> Array:
        """Table looked up at each pixel, summed over the energies which use it."""
        out = np.zeros(len(geometry.inverse))
        for g, mask in enumerate(geometry.masks):
            summed = np.ascontiguousarray(table[:, self.field.group == g].sum(axis=1).T)
            out += np.einsum("pk,pk->p", geometry.look @ summed, geometry.exposure) * mask
        return out

    def jacobian(self, state: RadialState, which: NDArray[np.intp]) -> Array:
        """Derivatives of the counts in the bins ``selection.bins[which]``, shape (n_parameters, n_which)."""
        geometry = state.geometry
        tangents = self._tangents(state)
        n = len(tangents)
        everything = len(which) == len(state.counts)
        x = geometry.row_exposure if everything else geometry.row_exposure[which]
        rows = geometry.rows if everything else geometry.rows[which]
        flat = np.ascontiguousarray(tangents.reshape(n * state.table.shape[0], -1).T)
        inner = np.einsum("rjk,rk->jr", (rows @ flat).reshape(len(which), n, -1), x)
        position = geometry.direction[:, geometry.selection.local[which]] * self._row_slope(state)[which]
        return np.concatenate([inner[: self.n_spectral], position, inner[self.n_spectral :]])

    def hessian(self, state: RadialState, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``, by functionals on the tables."""
        geometry, table = state.geometry, state.table
        n_s = self.n_spectral
        tangents = self._tangents(state)
        functional = geometry.rows.T @ (weight[:, None] * geometry.row_exposure)
        functional = functional.T.reshape(table.shape) + self._total(geometry.weights)
        inner = self._table_hessian(state, functional)
        mixed = np.empty((2, len(tangents)))
        local = geometry.selection.local
        slopes = differentiate(tangents)
        for q, direction in enumerate(geometry.direction):
            moved = geometry.rows.T @ ((weight * direction[local])[:, None] * geometry.row_exposure)
            total = np.array([(geometry.look.T @ (geometry.exposure * (m * direction)[:, None])).T for m in geometry.masks])
            mixed[q] = np.einsum("jken,ken->j", slopes, moved.T.reshape(table.shape) + self._total(total))
        out = np.zeros((len(tangents) + 2,) * 2)
        others = np.r_[:n_s, n_s + 2 : len(out)]
        out[np.ix_(others, others)] = inner
        out[n_s : n_s + 2, others] = mixed
        out[others, n_s : n_s + 2] = mixed.T
        out[n_s : n_s + 2, n_s : n_s + 2] = self._position_hessian(state, weight)
        return out

    def _table_hessian(self, state: RadialState, functional: Array) -> Array:
        """Spectral and shape parameters: differences of the tables' own derivatives."""
        n = len(self._tangents(state))
        places = [*range(self.n_spectral), *range(self.n_spectral + 2, self.n_spectral + self.n_spatial)][:n]
        out = np.empty((n, n))
        for i, place in enumerate(places):
            value = state.values[place]
            step = 1e-4 * (abs(value) if value != 0 else 1e-2)
            ends = []
            for sign in (1, -1):
                values = state.values.copy()
                values[place] += sign * step
                ends.append(np.einsum("jken,ken->j", self._tangents_at(values, state.irf, state.profile), functional))
            out[i] = (ends[0] - ends[1]) / (2 * step)
        return 0.5 * (out + out.T)

    def _position_hessian(self, state: RadialState, weight: Array) -> Array:
        """Position by position: curvature along the radius plus slope times the bending of the radius."""
        geometry = state.geometry
        spatial = state.values[self.n_spectral :]
        second = position_second(spatial[0], spatial[1], self.rotation)
        scale = np.rad2deg(1.0) / state.profile.step
        slope_table = differentiate(state.table)
        curve_table = differentiate(slope_table)
        local, n = geometry.selection.local, len(geometry.inverse)
        bend: Any = np.bincount(local, self._row_slope(state) * weight, minlength=n)
        bend += self._pixel_values(geometry, slope_table)
        curve: Any = np.bincount(local, _row_values(geometry, curve_table) * weight, minlength=n)
        curve += self._pixel_values(geometry, curve_table)
        v, d = self.field.vectors[geometry.selection.pixels], geometry.direction
        out = np.empty((2, 2))
        for i in range(2):
            for j in range(2):
                bending = (-(v @ second[i][j]) * (scale * np.deg2rad(1.0)) ** 2 - d[i] * d[j]) * geometry.inverse
                out[i, j] = np.sum(curve * d[i] * d[j] + bend * bending)
        return out

    def dense(self, values: Array) -> tuple[Array, NDArray[np.intp]]:
        """Counts in every bin near the source by direct evaluation at each pixel: the slow twin.

        Returns the counts, shape (n_e, n), and the n pixels of the field they belong to.
        """
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        irf = self.irf.at(spatial[0], spatial[1])
        profile = self.profile(spatial, irf, False)
        center, _, _ = position_vectors(spatial[0], spatial[1], self.rotation)
        pixels = self.field.select(center, profile.step * profile.n_cells).pixels
        shape = _profile_at(profile, center, self.field.vectors[pixels])
        exposure = self.exposure[0] @ self.exposure[1][pixels].T
        flux, _ = self.flux(spectral)
        if irf.psf is not None and irf.psf.is_reco:
            return (irf.response.T @ (exposure * flux[:, None])) * shape, pixels
        return irf.response.T @ (exposure * shape * flux[:, None]), pixels

    def images(self, values: Array) -> Array:
        """Image for each true energy on all pixels of the field: density times solid angle, shape (n_T, n_p)."""
        irf = self.irf.at(values[0], values[1])
        profile = self.profile(values, irf, False)
        center, _, _ = position_vectors(values[0], values[1], self.rotation)
        return _profile_at(profile, center, self.field.vectors) * self.field.solid_angle

    def freeze_irf(self, values: Array) -> RadialComponent:
        """The same component with the IRFs at the position in `values`, whatever is evaluated later."""
        lon, lat = values[self.n_spectral : self.n_spectral + 2]
        return replace(self, irf=FixedIrf(self.irf.at(lon, lat)), memo_profile=Memo(4))


def _row_values(geometry: _Geometry, table: Array) -> Array:
    """Table looked up at each occupied bin."""
    flat = np.ascontiguousarray(table.reshape(len(table), -1).T)
    return np.einsum("rk,rk->r", geometry.rows @ flat, geometry.row_exposure)


def _profile_at(profile: Profile, center: Array, vectors: Array) -> Array:
    """Profile of each true energy at unit vectors, shape (n_T, n)."""
    chord = np.rad2deg(np.linalg.norm(vectors - center, axis=1))
    index, place = locate(chord / profile.step, profile.n_cells)
    weight = powers(place)
    out = np.zeros((len(profile.table), len(vectors)))
    for j in range(4):
        out += profile.table[:, 4 * index + j] * weight[:, j]
    return out
