"""A round source seen through a PSF narrower than a pixel.

`RadialComponent` averages a profile over a pixel as seen from all sides, which is exact for the sum over pixels only while
the PSF spans a pixel. A narrower one is evaluated on sub-pixels that it does span, and summed. Everything a component
gives is linear in its pixels, so the sum of the parts is exact, derivatives included.

Legend: p pixel, s sub-pixels of a pixel (contiguous), b occupied bin.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field, Selection
from geminga.forward.folded import Fold
from geminga.forward.memo import Memo
from geminga.forward.position import position_vectors
from geminga.forward.radial import RadialComponent, RadialState

__all__ = ["SubpixelComponent", "part_vectors"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class _Sum:
    """One evaluation: the sums, and the component and state they were made from."""

    selection: Selection
    counts: Array
    total: float
    fine: RadialComponent
    state: RadialState


@dataclass(frozen=True)
class SubpixelComponent:
    """A `RadialComponent` on parts of the pixels.

    Parameters
    ----------
    coarse : RadialComponent
        The component on whole pixels.
    number : int
        Parts along a side.
    vectors : callable
        ``vectors(pixels)`` gives the unit vectors of all parts of some pixels of the field, shape (n_p number**2, 3).
    """

    coarse: RadialComponent
    number: int
    vectors: Callable[[Index], Array]
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(2), init=False)

    @property
    def n_spectral(self) -> int:
        """Number of spectral parameters."""
        return self.coarse.n_spectral

    @property
    def flux(self) -> Callable[[Array], tuple[Array, Array]]:
        """Flux of the spectral values, and its gradient."""
        return self.coarse.flux

    @property
    def _parts(self) -> int:
        return self.number**2

    def _select(self, spatial: Array) -> tuple[Selection, RadialComponent]:
        """Pixels near the source, and the component on their parts."""
        coarse = self.coarse
        fine_side = replace(coarse, field=replace(coarse.field, side=coarse.field.side / self.number))
        profile = fine_side.profile(spatial, coarse.irf.at(spatial[0], spatial[1]))
        center, _, _ = position_vectors(spatial[0], spatial[1], coarse.rotation)
        selection = coarse.field.select(center, profile.step * profile.n_cells + coarse.field.side)
        return self.memo.get(selection.tiles.tobytes(), lambda: (selection, self._fine(selection)))

    def _fine(self, selection: Selection) -> RadialComponent:
        field, coarse, parts = self.coarse.field, self.coarse, self._parts
        pixels, bins = selection.pixels, selection.bins
        fine = Field(
            shape=(field.n_energy, len(pixels) * parts),
            pixel=np.arange(len(pixels) * parts),
            vectors=self.vectors(pixels),
            solid_angle=np.repeat(field.solid_angle[pixels] / parts, parts),
            side=field.side / self.number,
            mask=np.repeat(field.mask[:, pixels], parts, axis=1),
            group=field.group,
            # One tile which is always near: the choice was made above.
            tile_start=np.array([0, len(pixels) * parts]),
            tile_center=np.array([[1.0, 0.0, 0.0]]),
            tile_radius=np.array([np.pi]),
            bin_pixel=(np.repeat(selection.local, parts).reshape(-1, parts) * parts + np.arange(parts)).ravel(),
            bin_energy=np.repeat(field.bin_energy[bins], parts),
            bin_counts=np.repeat(field.bin_counts[bins], parts),
            bin_start=np.array([0, len(bins) * parts]),
        )
        exposure = (coarse.exposure[0], np.repeat(coarse.exposure[1][pixels] / parts, parts, axis=0))
        return replace(coarse, field=fine, exposure=exposure, memo_geometry=Memo(), memo_patch=Memo())

    def forward(self, values: Array) -> _Sum:
        """Counts in the occupied bins near the source, and the total over the mask."""
        selection, fine = self._select(values[self.n_spectral :])
        state = fine.forward(values)
        return _Sum(selection, state.counts.reshape(-1, self._parts).sum(axis=1), state.total, fine, state)

    def pullback(self, state: _Sum, weight: Array) -> Array:
        """Derivative of ``sum(weight * counts) + total`` by each parameter."""
        return state.fine.pullback(state.state, np.repeat(weight, self._parts))

    def jacobian(self, state: _Sum, which: Index) -> Array:
        """Derivatives of the counts in the bins ``selection.bins[which]``, shape (n_parameters, n_which)."""
        every = (which[:, None] * self._parts + np.arange(self._parts)).ravel()
        rows = state.fine.jacobian(state.state, every)
        return np.asarray(rows.reshape(len(rows), -1, self._parts).sum(axis=2))

    def hessian(self, state: _Sum, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``."""
        return state.fine.hessian(state.state, np.repeat(weight, self._parts))

    def fold(self, spatial: Array, max_size: int) -> Fold | None:
        """Counts for one unit of flux at each true energy; None if larger than `max_size`."""
        selection, fine = self._select(spatial)
        own = fine.fold(spatial, max_size)
        return (
            None if own is None else Fold(selection, own.matrix.reshape(len(own.matrix), -1, self._parts).sum(axis=2), own.total)
        )

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in every bin near the source, shape (n_e, n), and the n pixels: the slow twin."""
        selection, fine = self._select(values[self.n_spectral :])
        counts, _ = fine.dense(values)
        return counts.reshape(len(counts), -1, self._parts).sum(axis=2), selection.pixels

    def freeze_irf(self, values: Array) -> SubpixelComponent:
        """The same component with the IRFs at the position in `values`, whatever is evaluated later."""
        return replace(self, coarse=self.coarse.freeze_irf(values))


def part_vectors(image: Any, flat: Index, number: int) -> Array:
    """Unit vectors (frame of the image) of the centres of all parts of some pixels, shape (n number**2, 3).

    Parameters
    ----------
    image : WcsGeom
        Image.
    flat : array of int
        Flat indices of the pixels.
    """
    y, x = np.divmod(flat, image.data_shape[1])
    offset = (np.arange(number) + 0.5) / number - 0.5
    dy, dx = (own.ravel() for own in np.meshgrid(offset, offset, indexing="ij"))
    lon, lat = image.pix_to_coord(((x[:, None] + dx).ravel(), (y[:, None] + dy).ravel()))
    phi, theta = lon.to_value("rad"), lat.to_value("rad")
    return np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], axis=1)
