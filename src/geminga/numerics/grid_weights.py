"""Multilinear interpolation at many points as one sparse matrix, so that weights are made once for tables of many columns.

A table of values on a grid, shape (n_1, ..., n_d, columns), is interpolated by ``weights @ table.reshape(-1, columns)``.
`numerics.interpolation.GridInterpolator` is the slow twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geminga.numerics.interpolation import bracket

__all__ = ["linear_weights", "spread"]

Array = NDArray[np.float64]


def linear_weights(grids: Sequence[Array], points: Sequence[Array], dtype: Any = np.float64) -> csr_array:
    """Weights of the nodes of a grid for points, continued linearly beyond its ends.

    Parameters
    ----------
    grids : sequence of array
        Strictly increasing nodes of each axis; an axis with one node is constant.
    points : sequence of array, each of shape (n_points,)
        Coordinates for each axis.
    dtype : dtype
        Type of the weights.

    Returns
    -------
    weights : csr_array, shape (n_points, n_nodes)
        Rows sum to one; NaN coordinates give NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.grid_weights import linear_weights
    >>> weights = linear_weights([np.array([0.0, 1.0]), np.array([0.0, 1.0])], [np.array([0.5]), np.array([2.0])])
    >>> weights.toarray().tolist()
    [[-0.5, 1.0, -0.5, 1.0]]
    """
    n_points = len(points[0])
    cells = [bracket(x, grid) for x, grid in zip(points, grids, strict=True)]
    corners = list(product(*[(0, 1) if len(grid) > 1 else (0,) for grid in grids]))
    strides = np.cumprod([1, *[len(grid) for grid in grids[:0:-1]]])[::-1]
    start = np.zeros(n_points, dtype=np.int32)
    for (index, _), stride in zip(cells, strides, strict=True):
        start += index.astype(np.int32) * np.int32(stride)
    columns = np.empty((n_points, len(corners)), dtype=np.int32)
    values = np.empty((n_points, len(corners)), dtype=dtype)
    for j, corner in enumerate(corners):
        columns[:, j] = start + int(np.dot(corner, strides))
        weight: Any = 1.0
        for (_, fraction), side in zip(cells, corner, strict=True):
            weight = weight * (fraction if side else 1.0 - fraction)
        values[:, j] = weight
    pointer = np.arange(0, columns.size + 1, len(corners), dtype=np.int32)
    shape = (n_points, int(np.prod([len(grid) for grid in grids])))
    return csr_array((values.ravel(), columns.ravel(), pointer), shape=shape)


def spread(weights: csr_array, table: NDArray[np.floating]) -> NDArray[np.floating]:
    """Interpolate many columns.

    Parameters
    ----------
    weights : csr_array, shape (n_points, n_nodes)
        Weights of the nodes.
    table : array, shape (n, n_nodes)
        Values at the nodes.

    Returns
    -------
    values : array, shape (n, n_points)
        In one piece of memory, whichever of the two products is faster.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.grid_weights import linear_weights, spread
    >>> weights = linear_weights([np.array([0.0, 1.0])], [np.array([0.25, 0.5])])
    >>> spread(weights, np.array([[0.0, 4.0], [1.0, 1.0]])).tolist()
    [[1.0, 2.0], [1.0, 1.0]]
    """
    if len(table) > weights.shape[0]:
        return np.ascontiguousarray((weights @ table.T).T)
    out = np.empty((len(table), weights.shape[0]), dtype=np.result_type(weights.dtype, table.dtype))
    for row, values in zip(out, table, strict=True):
        row[:] = weights @ values
    return out
