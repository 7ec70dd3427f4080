"""Random numbers distributed as a response: along one of its axes, at given positions and energies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_along"]

Array = NDArray[np.float64]


def draw_along(own: Any, map_coord: Any, axis: Any, measure: Array, edges: Array, rng: Any, chunk_size: int) -> Array:
    """Draw a number along an axis for each coordinate, uniform in `edges` inside a bin.

    Parameters
    ----------
    own : Map
        Density.
    map_coord : MapCoord
        Positions, and coordinates of all other axes.
    axis : MapAxis
        Axis of the map along which numbers are drawn.
    measure : array, shape (n,)
        What the density is multiplied by to be the probability of a bin.
    edges : array, shape (n + 1,)
        Edges of the bins.
    rng : RandomState or Generator
        Source of random numbers.
    chunk_size : int
        Number of coordinates handled together.
    """
    others = [name for name in own.geom.axes.names if name != axis.name]
    sky = map_coord.skycoord
    drawn = np.empty(len(sky))
    for start in range(0, len(sky), chunk_size):
        part = slice(start, start + chunk_size)
        coords = {"skycoord": sky[part, None], axis.name: axis.center, **{name: map_coord[name][part, None] for name in others}}
        probability = np.clip(np.nan_to_num(own.interp_by_coord(coords)), 0, None) * measure
        drawn[part] = _quantiles(probability, edges, rng.uniform(size=len(probability)))
    return drawn


def _quantiles(probability: Array, edges: Array, fraction: Array) -> Array:
    """Where distributions over bins, shape (n, bins), enclose a fraction, shape (n,)."""
    enclosed = np.concatenate([np.zeros((len(probability), 1)), np.cumsum(probability, axis=1)], axis=1)
    wanted = fraction * enclosed[:, -1]
    row = np.clip(np.sum(enclosed <= wanted[:, None], axis=1) - 1, 0, len(edges) - 2)
    low, high = (np.take_along_axis(enclosed, row[:, None] + i, axis=1)[:, 0] for i in (0, 1))
    place = np.divide(wanted - low, high - low, out=np.zeros_like(wanted), where=high > low)
    return np.asarray(edges[row] * (1 - place) + edges[row + 1] * place)
