"""Cubic Hermite tables: value and slope at equidistant nodes, looked up with smooth weights.

A table stores, for each node, value and slope times step, one after the other; the four numbers which a lookup needs
are therefore neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["hermite", "hermite_table", "locate", "lookup"]

Array = NDArray[np.float64]


def hermite_table(value: Array, slope: Array, step: float) -> Array:
    """Interleave values and slopes, shape (n, 2 n_nodes); zero at the last node."""
    table = np.stack([value, slope * step], axis=-1)
    table[:, -1] = 0.0
    return table.reshape(len(value), -1)


def locate(q: Array, n_nodes: int) -> tuple[NDArray[np.int32], Array]:
    """Node below each radius `q` (in steps) and the fraction to the next; beyond the table the fraction is 2."""
    index = q.astype(np.int32)
    fraction = q - index
    outside = index >= n_nodes - 1
    index[outside] = n_nodes - 2
    fraction[outside] = 2.0
    return index, fraction


def hermite(t: Array, derivative: int = 0) -> Array:
    """Cubic Hermite weights of (value, slope, next value, next slope), shape (n, 4); zero where t > 1."""
    out = np.empty((4, len(t)))  # filled row by row, because strided writes are slow
    s = 1 - t
    if derivative == 0:
        ts = t * s
        np.multiply(ts, s, out=out[1])
        np.multiply(ts, -t, out=out[3])
        np.multiply(t * t, 3 - 2 * t, out=out[2])
        np.subtract(1, out[2], out=out[0])
    elif derivative == 1:
        np.multiply(t, 6 * s, out=out[2])
        np.negative(out[2], out=out[0])
        np.multiply(s, 1 - 3 * t, out=out[1])
        np.multiply(t, 3 * t - 2, out=out[3])
    else:
        np.subtract(6, 12 * t, out=out[2])
        np.negative(out[2], out=out[0])
        np.subtract(6 * t, 4, out=out[1])
        np.subtract(6 * t, 2, out=out[3])
    outside = t > 1
    if outside.any():
        out[:, outside] = 0
    return np.ascontiguousarray(out.T)


def lookup(index: NDArray[np.int32], weight: Array, n_columns: int) -> csr_array:
    """Sparse lookup of pixels in a table of one energy."""
    n = len(index)
    columns = (2 * index[:, None] + np.arange(4, dtype=np.int32)).reshape(-1)
    return csr_array((weight.reshape(-1), columns, np.arange(0, 4 * n + 1, 4, dtype=np.int32)), shape=(n, n_columns))
