"""Tables on a grid of parameters: multilinear interpolation with its gradient.

The last axis of a table is what is evaluated (energies, or positions); the others are parameters. Interpolation goes on
linearly beyond the ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.interpolation import bracket

__all__ = ["along_last", "multilinear", "scale_slope"]

Array = NDArray[np.float64]


def along_last(table: Array, nodes: Array, x: Array) -> Array:
    """Interpolate the last axis of a table at fixed places, shape (..., n)."""
    index, fraction = bracket(x, nodes)
    if len(nodes) == 1:
        return table[..., index]
    low, high = table[..., index], table[..., index + 1]
    return np.asarray(low + fraction * (high - low))


def multilinear(table: Array, nodes: Sequence[Array], point: Sequence[float]) -> tuple[Array, Array]:
    """Interpolate all axes but the last at one point.

    Parameters
    ----------
    table : array
        Shape (n_1, ..., n_k, n).
    nodes : list of array
        Increasing nodes of each of the k axes.
    point : list of float
        Where.

    Returns
    -------
    value, gradient : array
        Shapes (n,) and (k, n).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.grid_table import multilinear
    >>> table = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> [v.tolist() for v in multilinear(table, [np.array([0.0, 1.0])], [0.5])]
    [[2.0, 20.0], [[2.0, 20.0]]]
    """
    k, n = len(nodes), table.shape[-1]
    cells = [bracket(np.array([x]), axis) for x, axis in zip(point, nodes, strict=True)]
    value, gradient = np.zeros(n), np.zeros((k, n))
    ranges = [(0,) if len(axis) == 1 else (0, 1) for axis in nodes]
    for corner in product(*ranges):
        index = tuple(int(cell[0][0]) + side for cell, side in zip(cells, corner, strict=True))
        row = table[index]
        weights, slopes = np.ones(k), np.zeros(k)
        for j, side in enumerate(corner):
            if len(nodes[j]) == 1:
                continue
            left, fraction = int(cells[j][0][0]), float(cells[j][1][0])
            weights[j] = fraction if side else 1 - fraction
            slopes[j] = (1 if side else -1) / (nodes[j][left + 1] - nodes[j][left])
        value += np.prod(weights) * row
        for j in range(k):
            gradient[j] += slopes[j] * np.prod(np.delete(weights, j)) * row
    return value, gradient


def scale_slope(scale: str, x: float) -> float:
    """Derivative of a scale ("lin", "log" or "sqrt") at a value."""
    return {"lin": 1.0, "log": 1 / x if x else np.inf, "sqrt": 0.5 / np.sqrt(abs(x)) if x else np.inf}[scale]
