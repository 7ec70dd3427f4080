"""Tables on a grid of parameters: multilinear interpolation with its gradient.

The last axis of a table is what is evaluated (energies, or positions); the others are parameters. Interpolation goes on
linearly beyond the ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.interpolation import SCALES, bracket

__all__ = ["along_last", "bilinear", "multilinear", "place_on_axis"]

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


def bilinear(table: Array, x: Array, y: Array) -> Array:
    """Interpolate the last two axes (y, x) at pixel coordinates, shape (..., n); linearly up to the outer edges, zero beyond."""
    ny, nx = table.shape[-2:]
    inside = (x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5)
    place = np.flatnonzero(inside)
    i, u = bracket(x[place], np.arange(nx, dtype=float))
    j, v = bracket(y[place], np.arange(ny, dtype=float))
    i_next, j_next = np.minimum(i + 1, nx - 1), np.minimum(j + 1, ny - 1)
    low = table[..., j, i] + u * (table[..., j, i_next] - table[..., j, i])
    high = table[..., j_next, i] + u * (table[..., j_next, i_next] - table[..., j_next, i])
    out = np.zeros((*table.shape[:-2], len(x)))
    out[..., place] = low + v * (high - low)
    return out


def place_on_axis(nodes: Array, scale: str, first: float, x: Array) -> tuple[Array, Array]:
    """Pixel coordinate on an axis and its derivative.

    Parameters
    ----------
    nodes : array
        Edges or centres of the axis.
    scale : {"lin", "log", "sqrt"}
        Scale in which the pixel coordinate is linear between nodes.
    first : float
        Pixel coordinate of the first node: -0.5 for edges, 0 for centres.
    x : array
        Where.
    """
    forward = SCALES[scale].forward
    scaled = forward(nodes)
    x = np.asarray(x, dtype=float)
    if len(scaled) == 1:
        return np.full(x.shape, first), np.zeros(x.shape)
    index, fraction = bracket(forward(x), scaled)
    safe = np.where(x == 0, np.inf, x)
    outer = {"lin": np.ones_like(x), "log": 1 / safe, "sqrt": 0.5 / np.sqrt(np.abs(safe))}[scale]
    return first + index + fraction, outer / (scaled[index + 1] - scaled[index])
