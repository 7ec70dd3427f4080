"""Functions on an interval as one cubic for each cell between equidistant nodes.

A cell stores four coefficients of the powers of t, the position inside it (0 to 1). A lookup is a sparse matrix of
powers; the same matrix on differentiated coefficients gives the derivative, exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["cell_table", "differentiate", "locate", "lookup", "powers"]

Array = NDArray[np.float64]


def cell_table(value: Array, slope: Array, step: float) -> Array:
    """Cubic Hermite coefficients from values and slopes at the nodes; zero at the last node.

    Parameters
    ----------
    value, slope : array
        Shape (n, n_nodes).
    step : float
        Distance of the nodes.

    Returns
    -------
    table : array
        Shape (n, 4 (n_nodes - 1)).
    """
    v, s = value.copy(), slope * step
    v[:, -1] = s[:, -1] = 0.0
    v0, v1, s0, s1 = v[:, :-1], v[:, 1:], s[:, :-1], s[:, 1:]
    rise = v1 - v0
    return np.stack([v0, s0, 3 * rise - 2 * s0 - s1, s0 + s1 - 2 * rise], axis=-1).reshape(len(v), -1)


def differentiate(table: Array) -> Array:
    """Coefficients of the derivative (per step), same shape."""
    cells = table.reshape(*table.shape[:-1], table.shape[-1] // 4, 4)
    out = np.zeros_like(cells)
    out[..., 0] = cells[..., 1]
    out[..., 1] = 2 * cells[..., 2]
    out[..., 2] = 3 * cells[..., 3]
    return out.reshape(table.shape)


def locate(q: Array, n_cells: int) -> tuple[NDArray[np.int32], Array]:
    """Cell of each position `q` (in steps) and the place inside it; beyond the last cell the place is 2."""
    index = q.astype(np.int32)
    place = q - index
    outside = index >= n_cells
    index[outside] = n_cells - 1
    place[outside] = 2.0
    return index, place


def powers(t: Array) -> Array:
    """1, t, t^2, t^3, shape (n, 4); zero where t > 1."""
    out = np.empty((4, len(t)))  # filled row by row, because strided writes are slow
    np.less_equal(t, 1.0, out=out[0])
    np.multiply(out[0], t, out=out[1])
    np.multiply(out[1], t, out=out[2])
    np.multiply(out[2], t, out=out[3])
    return np.ascontiguousarray(out.T)


def lookup(cell: NDArray[np.int32], weight: Array, n_cells: int) -> csr_array:
    """Sparse matrix from coefficients, shape (4 n_cells,), to values; `weight` are `powers`."""
    n = len(cell)
    columns = np.empty((n, 4), dtype=np.int32)
    for j in range(4):
        columns[:, j] = 4 * cell + j
    indptr = np.arange(0, 4 * n + 1, 4, dtype=np.int32)
    return csr_array((weight.reshape(-1), columns.reshape(-1), indptr), shape=(n, 4 * n_cells))
