"""Pixels and occupied bins of one dataset, frozen into arrays.

Pixels inside the mask are stored tile by tile (blocks of 8 x 8), so the pixels near a source are a few
contiguous slices. Of the counts only occupied bins are kept: with -2 ln L = 2 (sum mu - sum n ln mu) an empty bin
enters through sum mu alone, which is a linear functional of the model.

Legend: e reconstructed energy, p pixel inside the mask, g group of energies with the same mask, t tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "Selection", "make_field"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Index32 = NDArray[np.int32]

TILE = 8

#: A source that reaches more than this fraction of the tiles is taken to reach all: no gathering, and no change with its size.
MOST = 0.5


@dataclass(frozen=True)
class Selection:
    """Tiles near a source: their pixels and their occupied bins."""

    tiles: Index
    pixels: Index  # index into the field's pixels
    bins: Index  # index into the field's occupied bins
    local: Index  # for each bin: index into `pixels`


@dataclass(frozen=True)
class Field:
    """See the module's text; arrays must not be changed."""

    shape: tuple[int, int]  # (n_e, pixels of the full image)
    pixel: Index  # flat index in the image, shape (n_p,)
    vectors: Array  # unit vectors, shape (n_p, 3)
    solid_angle: Array  # sr, shape (n_p,)
    side: float  # deg
    mask: NDArray[np.bool_]  # shape (n_g, n_p)
    group: Index  # shape (n_e,)
    tile_start: Index
    tile_center: Array
    tile_radius: Array
    bin_pixel: Index  # occupied bins, shape (n_b,)
    bin_energy: Index32
    bin_counts: Array
    bin_start: Index  # first occupied bin of each tile

    @property
    def n_energy(self) -> int:
        """Number of reconstructed energies."""
        return self.shape[0]

    def select(self, center: Array, radius: float) -> Selection:
        """Tiles which reach within `radius` (deg) of the unit vector `center`."""
        chord = 2 * np.sin(np.minimum(np.deg2rad(radius) + self.tile_radius, np.pi) / 2)
        distance = self.tile_center - center
        near = np.einsum("ti,ti->t", distance, distance) <= chord**2
        if np.count_nonzero(near) > MOST * len(near):
            return self.everything
        return self.take(np.flatnonzero(near))

    @cached_property
    def everything(self) -> Selection:
        """All tiles."""
        return self.take(np.arange(len(self.tile_center)))

    def take(self, tiles: Index) -> Selection:
        """Pixels and occupied bins of the given tiles (ascending)."""
        pixels, shift = _concatenate(self.tile_start, tiles)
        bins, _ = _concatenate(self.bin_start, tiles)
        per_tile = self.bin_start[tiles + 1] - self.bin_start[tiles]
        local = self.bin_pixel[bins] - np.repeat(shift, per_tile)
        return Selection(tiles, pixels, bins, local)


def _concatenate(start: Index, tiles: Index) -> tuple[Index, Index]:
    """Indices of the slices of `tiles` in a row, and for each tile (index - position)."""
    length = start[tiles + 1] - start[tiles]
    offset = np.concatenate([[0], np.cumsum(length)])
    shift = start[tiles] - offset[:-1]
    if offset[-1] == start[-1]:  # everything
        return np.arange(start[-1]), shift
    return np.arange(offset[-1]) + np.repeat(shift, length), shift


def tile_order(shape: tuple[int, int]) -> tuple[Index, Index]:
    """Flat pixel indices of an image sorted by tile, and the tile of each."""
    ny, nx = shape
    my, mx = -(-ny // TILE), -(-nx // TILE)
    index = np.full((my * TILE, mx * TILE), -1, dtype=np.intp)
    index[:ny, :nx] = np.arange(ny * nx).reshape(ny, nx)
    blocks = index.reshape(my, TILE, mx, TILE).transpose(0, 2, 1, 3).reshape(my * mx, -1)
    tile = np.repeat(np.arange(my * mx), TILE * TILE).reshape(blocks.shape)
    inside = blocks >= 0
    return blocks[inside], tile[inside]


def make_field(
    counts: NDArray | None, mask: NDArray[np.bool_] | None, vectors: Array, solid_angle: Array, image_shape: tuple[int, int]
) -> Field:
    """Freeze counts and mask.

    Parameters
    ----------
    counts : array or None
        Shape (n_e, n_image); None for prediction only.
    mask : bool array or None
        Shape (n_e, n_image); None selects everything.
    vectors : array
        Unit vectors of the pixel centres, shape (n_image, 3).
    solid_angle : array
        Shape (n_image,), sr.
    image_shape : tuple
        (ny, nx) with ny * nx = n_image.
    """
    order, tile = tile_order(image_shape)
    finite: Any = np.isfinite(vectors[order, 0])
    n_energy = len(mask) if mask is not None else 1 if counts is None else len(counts)
    selected, masks, group = _inside(mask, finite, order, n_energy)
    order, tile = order[selected], tile[selected]
    n_tile = int(tile[-1]) + 1 if len(tile) else 0
    tile_start = np.searchsorted(tile, np.arange(n_tile + 1))
    v = np.ascontiguousarray(vectors[order])
    center, radius = _bounding(v, tile_start)
    side = float(np.rad2deg(np.sqrt(np.median(solid_angle[order])))) if len(order) else 0.0
    bin_pixel, bin_energy, bin_counts = _occupied(counts, order, masks[group])
    return Field(
        shape=(n_energy, len(vectors)),
        pixel=order,
        vectors=v,
        solid_angle=solid_angle[order],
        side=side,
        mask=masks,
        group=group,
        tile_start=tile_start,
        tile_center=center,
        tile_radius=radius,
        bin_pixel=bin_pixel,
        bin_energy=bin_energy.astype(np.int32),
        bin_counts=bin_counts,
        bin_start=np.searchsorted(bin_pixel, tile_start),
    )


def _inside(
    mask: NDArray[np.bool_] | None, finite: NDArray[np.bool_], order: Index, n_energy: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Index]:
    """Which pixels (in `order`) some energy uses, the distinct masks of these, and the mask of each energy."""
    if mask is None:
        return finite, np.ones((1, int(finite.sum())), bool), np.zeros(n_energy, dtype=np.intp)
    unique, group = _unique_rows(mask)
    covered: Any = unique.any(axis=0)
    selected = finite & covered[order]
    return selected, unique[:, order[selected]], group


def _occupied(counts: NDArray | None, order: Index, mask: NDArray[np.bool_]) -> tuple[Index, Index, Array]:
    """Pixel, energy and counts of the bins inside the mask (n_e, n_p) which hold any."""
    if counts is None:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
    n = counts[:, order].T
    n = n if mask.all() else np.where(mask.T, n, 0)
    flat = np.flatnonzero(n)
    pixel, energy = np.divmod(flat, len(mask))
    return pixel, energy, n.ravel()[flat].astype(float)


def _unique_rows(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Index]:
    """Distinct rows of a mask and which one each energy has."""
    rows: list[NDArray[np.bool_]] = []
    group = np.empty(len(mask), dtype=np.intp)
    for e, row in enumerate(mask):
        for g, known in enumerate(rows):
            if np.array_equal(row, known):
                group[e] = g
                break
        else:
            group[e] = len(rows)
            rows.append(row)
    return np.array(rows), group


def _bounding(vectors: Array, start: Index) -> tuple[Array, Array]:
    """Centre (unit vector) and angular radius (rad) of each tile; empty tiles are never reached."""
    n_tile = len(start) - 1
    if n_tile == 0 or len(vectors) == 0:
        return np.zeros((n_tile, 3)), np.full(n_tile, -1.0)
    length = np.diff(start)
    full = length > 0
    center = np.zeros((n_tile, 3))
    center[full] = np.add.reduceat(vectors, start[:-1][full], axis=0)
    norm = np.linalg.norm(center, axis=1, keepdims=True)
    center = np.divide(center, norm, out=np.zeros_like(center), where=norm > 0)
    distance = np.linalg.norm(vectors - np.repeat(center, length, axis=0), axis=1)
    radius = np.full(n_tile, -np.pi)
    radius[full] = 2 * np.arcsin(np.minimum(np.maximum.reduceat(distance, start[:-1][full]) / 2, 1)) + 1e-12
    return center, radius
