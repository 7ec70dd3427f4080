"""Random numbers distributed as a response: along one of its axes, at given positions and energies.

A response between the nodes of its map is a weighted sum of those at the nodes (multilinear interpolation). A random number
of such a mixture is drawn by choosing a node with these weights, then a number from its distribution: exact, and nothing is
interpolated.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.maps import MapCoord
from geminga.numerics.sampling import draw_columns

__all__ = ["draw_along"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def draw_along(own: Any, map_coord: Any, axis: Any, measure: Array, edges: Array, rng: Any, is_complete: bool = True) -> Array:
    """Draw a number along an axis for each coordinate, uniform in `edges` inside a bin.

    Parameters
    ----------
    own : Map
        Density.
    map_coord : MapCoord
        Positions, and coordinates of all other axes.
    axis : MapAxis
        Axis of the map along which numbers are drawn.
    measure : array, shape (n, axis.nbin)
        Matrix which turns densities at the axis into probabilities of bins.
    edges : array, shape (n + 1,)
        Edges of the bins.
    rng : RandomState or Generator
        Source of random numbers.
    is_complete : bool
        Normalise distributions; else what is missing to a sum of one is lost.

    Returns
    -------
    drawn : array
        NaN where the response is zero at all nodes around, or the event is lost.
    """
    others = [one for one in own.geom.axes if one.name != axis.name]
    along = own.geom.axes.index_data(axis.name)
    table = np.moveaxis(np.asarray(own.frozen_data), along, -1)
    shape, table = table.shape[:-1], table.reshape(-1, axis.nbin)
    pix = [*(one.coord_to_pix(map_coord[one.name]) for one in others[::-1]), *_image_pix(own.geom, map_coord, shape)]
    # NaN is not above zero.
    has_any = np.nanmax(table, axis=1, initial=0.0) > 0 if is_complete else np.ones(len(table), dtype=bool)
    rows = _choose_nodes(pix, shape, has_any, rng)

    def weights(used: Index) -> Array:
        found = np.clip(np.clip(np.nan_to_num(table[used]), 0, None) @ measure.T, 0, None)
        return found if is_complete else np.column_stack([found, np.clip(1 - found.sum(axis=1), 0, None)])

    n_bins = len(edges) - 1
    column, fraction = draw_columns(np.maximum(rows, 0), weights, n_bins + (not is_complete), rng)
    safe = np.clip(column, 0, n_bins - 1)
    drawn = edges[safe] * (1 - fraction) + edges[safe + 1] * fraction
    return np.where((rows >= 0) & (column >= 0) & (column < n_bins), drawn, np.nan)


def _image_pix(geom: Any, map_coord: Any, shape: tuple[int, ...]) -> list[Array]:
    """Pixel coordinates on the sky, latitude first; whole numbers where pixels form no grid."""
    image = geom.to_image()
    if geom.is_region:
        return [np.zeros(map_coord.size)] * 2
    # A MapCoord has axes which the image has not.
    coords = MapCoord.create({"lon": map_coord.lon, "lat": map_coord.lat}, frame=map_coord.frame)
    if len(image.data_shape) < 2:
        return [np.asarray(image.coord_to_idx(coords)[0], dtype=float)]
    return [np.asarray(pix, dtype=float) for pix in image.coord_to_pix(coords)[::-1]]


def _choose_nodes(pix: list[Array], shape: tuple[int, ...], has_any: NDArray[np.bool_], rng: Any) -> Index:
    """Flat node of a grid for each point, by the weights of linear interpolation between nodes that have something.

    Where there are none around a point it is -1.
    """
    size = np.broadcast_shapes(*(np.shape(one) for one in pix))
    strides = np.append(np.cumprod(shape[:0:-1])[::-1], 1).astype(np.intp)
    cells, flat = [], np.zeros(size, dtype=np.intp)
    for one, n, stride in zip(pix, shape, strides, strict=True):
        x = np.clip(np.broadcast_to(np.nan_to_num(np.asarray(one, dtype=float), nan=0.0), size), 0, n - 1)
        low = np.minimum(x.astype(np.intp), max(n - 2, 0))
        cells.append((low, x - low))
        # Along each axis one of the two neighbours, by the distance.
        flat += stride * (low + (rng.uniform(size=size) < x - low))
    empty = np.flatnonzero(~has_any[flat])
    if len(empty):
        flat[empty] = _choose_filled([(low[empty], part[empty]) for low, part in cells], shape, strides, has_any, rng)
    return flat


def _choose_filled(cells: list[tuple[Index, Array]], shape: Any, strides: Index, has_any: NDArray[np.bool_], rng: Any) -> Index:
    """The same from all corners of the cells at once, those left out that have nothing."""
    flat, weights = [], []
    for corner in product(*[(0, 1) if n > 1 else (0,) for n in shape]):
        node = sum((low + side) * stride for (low, _), side, stride in zip(cells, corner, strides, strict=True))
        weight = np.prod([part if side else 1 - part for (_, part), side in zip(cells, corner, strict=True)], axis=0)
        flat.append(node)
        weights.append(weight * has_any[node])
    enclosed = np.cumsum(weights, axis=0)
    chosen = np.minimum((enclosed <= rng.uniform(size=len(cells[0][0])) * enclosed[-1]).sum(axis=0), len(flat) - 1)
    return np.where(enclosed[-1] > 0, np.take_along_axis(np.asarray(flat), chosen[None], axis=0)[0], -1)
