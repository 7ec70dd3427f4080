"""A source of any shape: its image on a plane around it, convolved by FFT, then read at the pixels.

The image for each true energy times exposure, B[T, p], is kept as long as the spatial values stay; a change of the
spectrum costs one small matrix product.

Legend: T true energy, e energy, p pixel of the selection, j parameter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from geminga.forward.field import Field, Selection
from geminga.forward.folded import Fold
from geminga.forward.irf import FixedIrf, Irf, IrfSource, PsfTable
from geminga.forward.memo import Memo
from geminga.forward.position import position_vectors
from geminga.forward.psf_scale import rounded
from geminga.forward.steps import spectral_steps
from geminga.numerics.radial import psf_operator, subdivision

__all__ = ["GridComponent", "GridState"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Largest number of nodes of the plane along one side.
MAX_NODES = 1400

#: Relative step for the derivative of the (tabulated) PSF by its width.
WIDER = 1e-3


@dataclass(frozen=True)
class GridState:
    """One evaluation; what the derivatives need."""

    selection: Selection
    counts: Array
    total: float
    values: Array
    basis: Array  # (n_T, n_p)
    irf: Irf


@dataclass(frozen=True)
class GridComponent:
    """One source of any shape over one field.

    Parameters
    ----------
    density : callable
        ``density(lon, lat, spatial values) -> (density, gradient)``, in sr-1, shape (n_T or 1, n) and
        (n_spatial, n_T or 1, n); lon and lat in deg in the model's frame.
    center : tuple of float or None
        Where the plane is centred (lon, lat in deg); None follows the first two spatial values.
    active : bool array
        Spatial parameters that may vary; the others get no derivative.
    n_psf : int
        How many of the spatial values, the last ones, multiply the width of the PSF.
    """

    field: Field
    flux: Callable[[Array], tuple[Array, Array]]
    density: Callable[[Array, Array, Array], tuple[Array, Array]]
    support: Callable[[Array], float | None]
    feature: Callable[[Array], float]
    center: tuple[float, float] | None
    rotation: Array
    irf: IrfSource
    exposure: tuple[Array, Array]
    n_spectral: int
    n_spatial: int
    active: NDArray[np.bool_]
    is_flat: bool = False
    n_psf: int = 0
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(4))

    def _center(self, spatial: Array) -> tuple[float, float]:
        return self.center if self.center is not None else (float(spatial[0]), float(spatial[1]))

    def _basis(self, spatial: Array, with_gradient: bool) -> tuple[Selection, Array, Array, Irf]:
        key = (tuple(spatial.tolist()), with_gradient)
        return self.memo.get(key, lambda: self._make_basis(spatial, with_gradient))

    def _make_basis(self, spatial: Array, with_gradient: bool) -> tuple[Selection, Array, Array, Irf]:
        lon, lat = self._center(spatial)
        irf = self.irf.at(lon, lat)
        spatial, scales = spatial[: self.n_shape], spatial[self.n_shape :]
        support = self.support(spatial)
        psf = irf.psf if irf.psf is None or not self.n_psf else rounded(irf.psf, float(scales.prod()))
        reach = psf.reach if psf is not None else 0.0
        if self.is_flat or support is None:
            selection = self.field.take(np.arange(len(self.field.tile_center)))
        else:
            center, _, _ = position_vectors(lon, lat, self.rotation)
            selection = self.field.select(center, support + reach + self.field.side)
        rows = 1 + (int(self.active[: self.n_shape].sum()) if with_gradient else 0)
        if psf is None or self.is_flat:
            images = self._direct(spatial, selection, support, rows)
        else:
            widths = scales if with_gradient else scales[:0]
            images = self._convolved(spatial, selection, psf, support, rows, float(scales.prod()), widths)
        exposure = self.exposure[0] @ self.exposure[1][selection.pixels].T
        basis = images * exposure
        gradient = np.zeros((self.n_spatial, *basis[0].shape)) if with_gradient else np.zeros((0, 0, 0))
        if with_gradient:
            gradient[self.active] = basis[1:]
        return selection, basis[0], gradient, irf

    def _stack(self, lon: Array, lat: Array, spatial: Array, rows: int) -> Array:
        """Density, followed by its derivatives if wanted: shape (rows, n_T or 1, n)."""
        value, gradient = self.density(lon, lat, spatial)
        if rows == 1:
            return value[None]
        return np.concatenate([value[None], gradient[self.active[: self.n_shape]]])

    def _parts(self, selection: Selection, number: int) -> Iterator[Array]:
        """Vectors to the ``number**2`` parts of each pixel, one part of all pixels at a time, shape (n, 3)."""
        v = self.field.vectors[selection.pixels]
        if number == 1:
            yield v
            return
        east = np.cross([0.0, 0.0, 1.0], v)
        norm = np.linalg.norm(east, axis=1, keepdims=True)
        east = np.divide(east, norm, out=np.zeros_like(east), where=norm > 0)
        north = np.cross(v, east)
        side = np.deg2rad(self.field.side)
        offset = (np.arange(number) + 0.5) / number - 0.5
        for dy in offset:
            for dx in offset:
                yield v + side * (dx * east + dy * north)

    def _direct(self, spatial: Array, selection: Selection, support: float | None, rows: int) -> Array:
        """Average over each pixel of the density itself (no PSF), from sub-pixels where it needs them."""
        wanted = 1.0 if self.is_flat else 3 * self.field.side / max(self.feature(spatial), 1e-6)
        n_sub = int(np.clip(np.ceil(wanted), 1, 20))
        out: Array | None = None
        for moved in self._parts(selection, n_sub):
            lon, lat = _lonlat(moved @ self.rotation, self._center(spatial)[0])
            part = self._stack(lon, lat, spatial, rows)
            out = part if out is None else out + part
        assert out is not None
        n_true = self.exposure[0].shape[0]
        return np.broadcast_to(out / n_sub**2, (rows, n_true, len(selection.pixels)))

    def _convolved(
        self, spatial: Array, selection: Selection, psf: PsfTable, support: float | None, rows: int, w: float, scales: Array
    ) -> Array:
        """Convolved images, and their derivatives by those of the `scales` of the width (w together) that may vary."""
        center, east, north = position_vectors(*self._center(spatial), np.eye(3))
        east = east / np.linalg.norm(east)
        radius = self._radius(selection, center, support, psf.reach)
        # Parts of a pixel which the smoothed source spans: see `numerics.radial.subdivision`.
        number = subdivision(float(np.hypot(psf.core, self.feature(spatial))), self.field.side)
        side = self.field.side / number
        step = max(min(self.feature(spatial) / 4, max(psf.core / 2, side / 2)), 2 * radius / MAX_NODES)
        half = int(np.ceil(radius / step)) + 2
        axis = step * np.arange(-half, half + 1)
        x, y = np.meshgrid(axis, axis)
        vectors, area = _from_plane(x.ravel(), y.ravel(), center, east, north)
        lon, lat = _lonlat(vectors, self._center(spatial)[0])
        stack = (self._stack(lon, lat, spatial, rows) * area).reshape(rows, -1, *x.shape)
        # FFT convolution with the pixel-averaged PSF of each energy.
        n_kernel = int(np.ceil((psf.reach + self.field.side) / step))
        size = fft.next_fast_len(len(axis) + n_kernel, real=True)
        kernels = [self._kernel_transform(psf, w, step, n_kernel, size, side)] * rows
        transform = fft.rfft2(stack, s=(size, size))
        varying = scales[self.active[self.n_shape :]] if len(scales) else scales
        if len(varying):
            ends = [self._kernel_transform(psf, w * (1 + h), step, n_kernel, size, side) for h in (WIDER, -WIDER)]
            slope = (ends[0] - ends[1]) / (2 * WIDER)
            kernels += [slope / scale for scale in varying]
            transform = np.concatenate([transform, *[transform[:1]] * len(varying)])
        n_true = self.exposure[0].shape[0]
        pixels = []
        for part in self._parts(selection, number):
            x, y = _to_plane(part @ self.rotation, center, east, north)
            pixels.append(np.stack([y / step + half, x / step + half]))
        out = np.zeros((len(kernels), n_true, len(selection.pixels)))
        for r, kernel in enumerate(kernels):
            for t in range(n_true):
                image = fft.irfft2(transform[r, t if transform.shape[1] > 1 else 0] * kernel[t], s=(size, size))
                image = image[: len(axis), : len(axis)]
                for pixel in pixels:
                    out[r, t] += ndimage.map_coordinates(image, pixel, order=3, mode="constant")
        return out / len(pixels)

    def _radius(self, selection: Selection, center: Array, support: float | None, reach: float) -> float:
        """Half side of the plane: the source and the PSF, but no farther than the field needs."""
        v = self.field.vectors[selection.pixels] @ self.rotation
        if len(v) == 0:
            return reach
        farthest = np.rad2deg(2 * np.arcsin(np.minimum(np.linalg.norm(v - center, axis=1).max() / 2, 1)))
        wanted = farthest + reach if support is None else support + reach
        return float(min(wanted, farthest + reach))

    def _kernel_transform(self, psf: PsfTable, w: float, step: float, n_kernel: int, size: int, side: float) -> Array:
        """Transform of the PSF, w times as wide, averaged over a pixel."""
        offset = np.minimum(np.arange(size), size - np.arange(size)) * step
        r = np.hypot(offset[:, None], offset[None, :])
        fine = step / 2
        n_nodes = int(np.ceil((psf.reach + self.field.side) / fine)) + 2
        value, _ = psf_operator(psf.rad * w, psf.edge * w, side, fine, n_nodes)
        table = psf.values @ value.T
        table[:, -1] = 0
        kernel = np.array([np.interp(r, fine * np.arange(n_nodes), row, right=0.0) for row in table])
        total = kernel.sum(axis=(1, 2), keepdims=True)
        kernel = np.divide(kernel, total, out=np.zeros_like(kernel), where=total > 0)
        return np.asarray(fft.rfft2(kernel, s=(size, size)))

    @property
    def n_shape(self) -> int:
        """Number of spatial parameters without those of the PSF."""
        return self.n_spatial - self.n_psf

    # ---- component -----------------------------------------------------------------------------

    def _rate(self, basis: Array, flux: Array, irf: Irf) -> Array:
        return (irf.response.T * flux) @ basis

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
        per_flux = np.einsum("Te,eT->T", state.irf.response, functional @ state.basis.T)
        out = np.zeros(len(state.values))
        out[: self.n_spectral] = flux_gradient @ per_flux
        if self.active.any():
            _, _, gradient, _ = self._basis(spatial, True)
            back = (state.irf.response * flux[:, None]) @ functional
            out[self.n_spectral :] = np.einsum("jTp,Tp->j", gradient, back)
        return out

    def jacobian(self, state: GridState, which: Index) -> Array:
        """Derivatives of the counts in some bins, shape (n_parameters, n_which)."""
        spectral, spatial = state.values[: self.n_spectral], state.values[self.n_spectral :]
        flux, flux_gradient = self.flux(spectral)
        energy = self.field.bin_energy[state.selection.bins[which]]
        local = state.selection.local[which]
        response = state.irf.response
        out = np.zeros((len(state.values), len(which)))
        for j, f in enumerate(flux_gradient):
            out[j] = self._rate(state.basis, f, state.irf)[energy, local]
        if self.active.any():
            _, _, gradient, _ = self._basis(spatial, True)
            for j in np.flatnonzero(self.active).tolist():
                out[self.n_spectral + j] = ((response.T * flux) @ gradient[j])[energy, local]
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
        if len(basis) * max(len(selection.bins), len(selection.pixels)) > max_size:
            return None
        bins = basis[:, selection.local] * irf.response[:, self.field.bin_energy[selection.bins]]
        inside = (basis @ self.field.mask[:, selection.pixels].T.astype(float))[:, self.field.group]
        return Fold(selection, bins, (inside * irf.response).sum(axis=1))

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins near the source, shape (n_e, n), and the pixels."""
        spectral, spatial = values[: self.n_spectral], values[self.n_spectral :]
        selection, basis, _, irf = self._basis(spatial, False)
        return self._rate(basis, self.flux(spectral)[0], irf), selection.pixels

    def images(self, values: Array) -> Array:
        """Image for each true energy on all pixels of the field: density times solid angle, shape (n_T, n_p)."""
        selection, basis, _, _ = self._basis(values, False)
        out = np.zeros((basis.shape[0], len(self.field.pixel)))
        out[:, selection.pixels] = basis
        return out

    def freeze_irf(self, values: Array) -> GridComponent:
        """The same component with the IRFs at the position in `values`."""
        lon, lat = self._center(values[self.n_spectral :])
        return replace(self, irf=FixedIrf(self.irf.at(lon, lat)), memo=Memo(4))


def _lonlat(v: Array, center: float) -> tuple[Array, Array]:
    """Longitude within 180 deg of that of the centre (models need not know about the wrap), and latitude, deg."""
    lon = np.rad2deg(np.arctan2(v[:, 1], v[:, 0]))
    lon = center + (lon - center + 180) % 360 - 180
    lat = np.rad2deg(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))
    return lon, lat


def _from_plane(x: Array, y: Array, center: Array, east: Array, north: Array) -> tuple[Array, Array]:
    """Unit vectors at plane offsets (deg, equidistant from the centre), and the area of a node relative to flat."""
    r = np.hypot(x, y)
    theta = np.deg2rad(r)
    sinc = np.where(r > 0, np.sin(theta) / np.where(theta > 0, theta, 1), 1.0)
    scale = np.deg2rad(1.0) * sinc
    vectors = np.cos(theta)[:, None] * center + (x * scale)[:, None] * east + (y * scale)[:, None] * north
    return vectors, sinc


def _to_plane(v: Array, center: Array, east: Array, north: Array) -> tuple[Array, Array]:
    """Inverse of `_from_plane`."""
    along_x, along_y = v @ east, v @ north
    sine = np.hypot(along_x, along_y)
    theta = np.arctan2(sine, v @ center)
    scale = np.rad2deg(np.divide(theta, sine, out=np.ones_like(theta), where=sine > 0))
    return along_x * scale, along_y * scale
