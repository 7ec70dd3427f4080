"""Smooth interpolation between scattered nodes in the plane.

The interpolation is cubic in each triangle of nodes (Clough & Tocher 1965) and linear in the values at the nodes, so that it is
kept as a matrix of weights. Beyond the convex hull of the nodes the value of its nearest point is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CloughTocher2DInterpolator
from scipy.spatial import ConvexHull, Delaunay

__all__ = ["node_weights_2d"]

Array = NDArray[np.float64]


def node_weights_2d(nodes: Array, points: Array) -> Array:
    """Weights of nodes at points.

    Parameters
    ----------
    nodes : array
        Shape (n_node, 2), at least four, not on a line.
    points : array
        Shape (n, 2).

    Returns
    -------
    weights : array
        Shape (n_node, n); they sum to one at each point.
    """
    triangles = Delaunay(nodes)
    points = np.where((triangles.find_simplex(points) >= 0)[:, None], points, _into_hull(nodes, points))
    weights = CloughTocher2DInterpolator(triangles, np.eye(len(nodes)), tol=1e-9, maxiter=1000)(points)
    missing = ~np.isfinite(weights).all(axis=1)
    if missing.any():  # on the border, by rounding
        distance = np.linalg.norm(points[missing, None] - nodes, axis=2)
        weights[missing] = np.eye(len(nodes))[np.argmin(distance, axis=1)]
    return np.ascontiguousarray(weights.T)


def _into_hull(nodes: Array, points: Array) -> Array:
    """Nearest points of the border of the convex hull, a hair inside."""
    corners = nodes[ConvexHull(nodes).vertices]
    start, stop = corners, np.roll(corners, -1, axis=0)
    along = stop - start
    t = np.einsum("psi,si->ps", points[:, None] - start, along) / np.einsum("si,si->s", along, along)
    nearest = start + np.clip(t, 0, 1)[..., None] * along
    distance = np.linalg.norm(points[:, None] - nearest, axis=2)
    best = nearest[np.arange(len(points)), np.argmin(distance, axis=1)]
    return np.asarray(best + 1e-9 * (corners.mean(axis=0) - best))
