"""Profiles of a fit statistic, known on a few nodes each, for many points at once.

Near its minimum a profile is a parabola, and its square root, signed by the side of the minimum, a straight line. So the root is
interpolated, by cubics which stay monotone, and continued as a straight line beyond them: the statistic
continues as a parabola. Values, derivatives, errors and limits follow from the same curve.

Legend: n points, k nodes, r signed root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

__all__ = ["StatProfiles", "make_profiles"]

Array = NDArray[np.float64]

#: A node with a smaller rise than this says nothing beside the minimum itself: its root is rounding.
LEAST_RISE = 1e-2


@dataclass(frozen=True)
class StatProfiles:
    """Signed roots of the profiles.

    Attributes
    ----------
    x : array
        Nodes, increasing along each row, shape (n, k); a row of NaN is a point without profile.
    root : array
        Signed roots of the rise above the minimum, shape (n, k).
    slope : array
        Their derivatives, shape (n, k).
    x_min, stat_min : array
        The minimum, shape (n,).
    """

    x: Array
    root: Array
    slope: Array
    x_min: Array
    stat_min: Array

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Points that have a profile, shape (n,)."""
        return np.asarray(np.isfinite(self.root).all(axis=1))

    def evaluate(self, x: ArrayLike) -> tuple[Array, Array, Array]:
        """Root and its first and second derivative at one place for each point.

        Parameters
        ----------
        x : array
            Shape (n,).
        """
        x = np.asarray(x, dtype=float)
        k = self.x.shape[1]
        i = np.clip((self.x <= x[:, None]).sum(axis=1) - 1, 0, k - 2)
        row = np.arange(len(x))
        x0, x1, r0, r1 = self.x[row, i], self.x[row, i + 1], self.root[row, i], self.root[row, i + 1]
        s0, s1 = self.slope[row, i], self.slope[row, i + 1]
        h = x1 - x0
        t = (x - x0) / h
        secant = (r1 - r0) / h
        c2, c3 = 3 * secant - 2 * s0 - s1, s0 + s1 - 2 * secant
        root = r0 + h * t * (s0 + t * (c2 + t * c3))
        first = s0 + t * (2 * c2 + 3 * t * c3)
        second = (2 * c2 + 6 * t * c3) / h
        below, above = x < self.x[:, 0], x > self.x[:, -1]
        for outside, end in ((below, 0), (above, -1)):
            root = np.where(outside, self.root[:, end] + self.slope[:, end] * (x - self.x[:, end]), root)
            first, second = np.where(outside, self.slope[:, end], first), np.where(outside, 0.0, second)
        return root, first, second

    def rise(self, x: ArrayLike) -> Array:
        """Statistic above the minimum at one place for each point, shape (n,)."""
        return self.evaluate(x)[0] ** 2

    def crossing(self, level: ArrayLike) -> Array:
        """Where the root reaches a level, negative on the left of the minimum; NaN if it never does.

        Parameters
        ----------
        level : float or array
            Signed root of the rise, shape (n,).

        Notes
        -----
        If a profile has several minima this is the outermost crossing.
        """
        n, k = self.x.shape
        level = np.broadcast_to(np.asarray(level, dtype=float), (n,))
        outer = np.where(level > 0, k - 1, 0)
        row = np.arange(n)
        slope, root, x = self.slope[row, outer], self.root[row, outer], self.x[row, outer]
        # The cell next to the outermost node on the far side of the level.
        inside_up = np.where(self.root <= level[:, None], np.arange(k), -1).max(axis=1)
        inside_down = np.where(self.root >= level[:, None], np.arange(k), k).min(axis=1)
        left = np.where(level > 0, inside_up, inside_down - 1)
        is_outside = (left < 0) | (left > k - 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = np.where(slope > 0, x + (level - root) / slope, np.nan)
        left = np.clip(left, 0, k - 2)
        low, high = self.x[row, left].copy(), self.x[row, left + 1].copy()
        for _ in range(60):
            middle = 0.5 * (low + high)
            is_low = self.evaluate(middle)[0] < level
            low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
        return np.where(is_outside, straight, 0.5 * (low + high))


def make_profiles(
    x: ArrayLike, stat: ArrayLike, x_min: ArrayLike | None = None, stat_min: ArrayLike | None = None
) -> StatProfiles:
    """Profiles from scans.

    Parameters
    ----------
    x : array
        Nodes, increasing along each row, shape (n, k) or (k,) for all.
    stat : array
        Statistic there, shape (n, k); nodes with NaN are left out.
    x_min, stat_min : array, optional
        Known minima, shape (n,); where they are missing or NaN they come from a parabola through the lowest nodes.

    Examples
    --------
    >>> from geminga.numerics.stat_profile import make_profiles
    >>> profiles = make_profiles([0, 1, 2, 3, 4], [[9, 4, 1, 0, 1]])
    >>> profiles.rise([3.5]).round(6).tolist(), profiles.crossing(3).round(6).tolist()
    ([0.25], [6.0])
    """
    stat = np.atleast_2d(np.asarray(stat, dtype=float))
    n, k = stat.shape
    x = np.broadcast_to(np.asarray(x, dtype=float), (n, k))
    nothing = np.full(n, np.nan)
    x_known = nothing if x_min is None else np.broadcast_to(np.asarray(x_min, dtype=float), (n,))
    stat_known = nothing if stat_min is None else np.broadcast_to(np.asarray(stat_min, dtype=float), (n,))
    nodes, roots = np.full((n, k + 1), np.nan), np.full((n, k + 1), np.nan)
    minima = np.full((2, n), np.nan)
    for i in range(n):
        good = np.isfinite(stat[i]) & np.isfinite(x[i])
        if good.sum() < 2:
            continue
        at, low = _minimum(x[i][good], stat[i][good], float(x_known[i]), float(stat_known[i]))
        nodes[i], roots[i] = _row(x[i][good], stat[i][good], at, low, k + 1)
        minima[:, i] = at, low
    return StatProfiles(nodes, roots, _slopes(nodes, roots), minima[0], minima[1])


def _minimum(x: Array, stat: Array, x_known: float, stat_known: float) -> tuple[float, float]:
    """Place and value of the minimum."""
    if np.isfinite(x_known) and np.isfinite(stat_known):
        return x_known, stat_known
    i = int(np.argmin(stat))
    if 0 < i < len(x) - 1:
        (a, b, c), (p, q, r) = x[i - 1 : i + 2], stat[i - 1 : i + 2]
        left, right = (q - p) / (b - a), (r - q) / (c - b)
        curvature = (right - left) / (c - a)
        if curvature > 0:
            at = 0.5 * (a + b) - 0.5 * left / curvature
            return float(at), float(min(q, p + left * (at - a) + curvature * (at - a) * (at - b)))
    return float(x[i]), float(stat[i])


def _row(x: Array, stat: Array, at: float, low: float, length: int) -> tuple[Array, Array]:
    """Nodes and roots with the minimum among them, padded at the end by a straight line."""
    rise = stat - low
    keep = rise > LEAST_RISE
    nodes = np.append(x[keep], at)
    roots = np.append(np.sign(x[keep] - at) * np.sqrt(rise[keep]), 0.0)
    order = np.argsort(nodes, kind="stable")
    nodes, roots = nodes[order], roots[order]
    if len(nodes) < 2:
        return np.full(length, np.nan), np.full(length, np.nan)
    missing = np.arange(1, length - len(nodes) + 1)
    step, slope = nodes[-1] - nodes[-2], (roots[-1] - roots[-2])
    return np.append(nodes, nodes[-1] + missing * step), np.append(roots, roots[-1] + missing * slope)


def _slopes(x: Array, root: Array) -> Array:
    """Slopes of a cubic spline where it is monotone, else of a monotone cubic, shape (n, k)."""
    slope = np.full_like(x, np.nan)
    for i in range(len(x)):
        if np.isfinite(root[i]).all():
            slope[i] = _row_slopes(x[i], root[i])
    return slope


def _row_slopes(x: Array, root: Array) -> Array:
    secant = np.diff(root) / np.diff(x)
    spline = np.asarray(CubicSpline(x, root)(x, 1))
    # A Hermite cubic is monotone if both slopes lie between zero and three secants (Fritsch and Carlson 1980).
    if np.all(secant > 0) and np.all(spline >= 0) and np.all(np.maximum(spline[:-1], spline[1:]) <= 3 * secant):
        return spline
    slope = np.asarray(PchipInterpolator(x, root)(x, 1))
    slope[0], slope[-1] = secant[0], secant[-1]
    return slope
