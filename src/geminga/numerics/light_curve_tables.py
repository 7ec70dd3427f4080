"""Tabulated courses in time: values between nodes and exact integrals over intervals.

`TimeTable` is zero outside of its nodes; `PhaseTable` repeats with period one. Legend: x time since the reference,
phi phase, nu frequency and nu' its change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.quadrature import sinhc

__all__ = ["PhaseTable", "TimeTable", "steps"]

Array = NDArray[np.float64]

_TINY = float(np.finfo(float).tiny)


def _segment(first: Array, last: Array, width: Array, scale: str) -> Array:
    """Integral over a segment between two values, which are interpolated on a scale."""
    if scale == "lin":
        return np.asarray(0.5 * (first + last) * width)
    root = np.sqrt(first * last)
    if scale == "sqrt":
        return np.asarray((first + root + last) * width / 3)
    ratio, _ = sinhc(np.asarray(0.5 * np.log(np.maximum(last, _TINY) / np.maximum(first, _TINY))))
    return np.asarray(root * ratio * width)


def steps(nodes: Array, values: Array, low: float, high: float) -> tuple[Array, Array]:
    """Nodes and values of the step function which takes the nearest node's value, for linear interpolation."""
    middle = 0.5 * (nodes[1:] + nodes[:-1])
    return np.concatenate([[low], np.repeat(middle, 2), [high]]), np.repeat(values, 2, axis=-1)


@dataclass(frozen=True)
class TimeTable:
    """Values at nodes in time.

    Attributes
    ----------
    nodes : array
        Times since the reference, not decreasing, shape (n_node,).
    values : array
        Not negative, shape (n_energy, n_node).
    scale : {"lin", "log", "sqrt"}
        Scale on which values are interpolated.
    """

    nodes: Array
    values: Array
    scale: str = "lin"

    @cached_property
    def _sums(self) -> Array:
        parts = _segment(self.values[:, :-1], self.values[:, 1:], np.diff(self.nodes), self.scale)
        return np.concatenate([np.zeros((len(parts), 1)), np.cumsum(parts, axis=1)], axis=1)

    def _inside(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        """Segment of each time, and the value there by interpolation."""
        i = np.clip(np.searchsorted(self.nodes, x, side="right") - 1, 0, len(self.nodes) - 2)
        width = self.nodes[i + 1] - self.nodes[i]
        t = np.divide(x - self.nodes[i], width, out=np.ones_like(x), where=width > 0)
        a, b = self.values[:, i], self.values[:, i + 1]
        if self.scale == "lin":
            return i, a + t * (b - a)
        if self.scale == "sqrt":
            return i, (np.sqrt(a) + t * (np.sqrt(b) - np.sqrt(a))) ** 2
        log_a, log_b = np.log(np.maximum(a, _TINY)), np.log(np.maximum(b, _TINY))
        value = np.exp(log_a + t * (log_b - log_a))
        return i, np.where(value <= 1e-290, 0.0, value)

    def value(self, x: Array) -> Array:
        """Value at times, shape (n_energy, n); zero outside of the table."""
        _, value = self._inside(x)
        return np.where((x < self.nodes[0]) | (x > self.nodes[-1]), 0.0, value)

    def integral_to(self, x: Array) -> Array:
        """Integral from the start of the table, shape (n_energy, n)."""
        x = np.clip(x, self.nodes[0], self.nodes[-1])
        i, value = self._inside(x)
        return np.asarray(self._sums[:, i] + _segment(self.values[:, i], value, x - self.nodes[i], self.scale))


@dataclass(frozen=True)
class PhaseTable:
    """Values at phases from 0 to 1, both included, interpolated linearly and repeated.

    Attributes
    ----------
    nodes, values : array
        Shape (n,).
    """

    nodes: Array
    values: Array

    @staticmethod
    def periodic(phase: Array, value: Array) -> PhaseTable:
        """Table from nodes within one period; between the last and the first of the next period it is interpolated too."""
        if phase[0] > 0 or phase[-1] < 1:
            gap = phase[0] + 1 - phase[-1]
            end = value[-1] + (value[0] - value[-1]) * ((1 - phase[-1]) / gap if gap > 0 else 0.5)
            if phase[0] > 0:
                phase, value = np.append(0.0, phase), np.append(end, value)
            if phase[-1] < 1:
                phase, value = np.append(phase, 1.0), np.append(value, end)
        return PhaseTable(phase, value)

    @property
    def mean(self) -> float:
        """Average over a period."""
        return float(np.sum(0.5 * (self.values[1:] + self.values[:-1]) * np.diff(self.nodes)))

    @cached_property
    def _polynomials(self) -> tuple[Array, Array, Array]:
        """Slope in each segment, and the once and twice integrated excess over the mean at its start, without mean."""
        width, y = np.diff(self.nodes), self.values[:-1] - self.mean
        slope = np.divide(np.diff(self.values), width, out=np.zeros_like(width), where=width > 0)
        first = np.append(0.0, np.cumsum(width * (y + width * slope / 2)))[:-1]
        shift = np.sum(width * (first + width * (y / 2 + width * slope / 6)))
        first = first - shift
        second = np.append(0.0, np.cumsum(width * (first + width * (y / 2 + width * slope / 6))))[:-1]
        return slope, first, second

    def value(self, phase: Array) -> Array:
        """Value at phases, which may count whole periods."""
        return self.mean + self.excess(phase)[0]

    def excess(self, phase: Array) -> tuple[Array, Array, Array]:
        """Excess over the mean, and its first and second periodic integrals over phase."""
        slope, first, second = self._polynomials
        phi = phase - np.floor(phase)
        i = np.clip(np.searchsorted(self.nodes, phi, side="right") - 1, 0, len(self.nodes) - 2)
        d, y, s = phi - self.nodes[i], self.values[i] - self.mean, slope[i]
        once = first[i] + d * (y + d * s / 2)
        twice = second[i] + d * (first[i] + d * (y / 2 + d * s / 6))
        return y + d * s, once, twice
