"""Variables in which the search for a minimum moves: strengths as logarithms where they are large.

Amplitude and index of a spectrum far from its pivot energy are correlated along a curve, amplitude ~ exp(c index), on which
steps in the amplitude itself can only crawl. In its logarithm the curve is straight. The variable

    u = asinh(x / 2 s),    x = 2 s sinh(u)

with s the conditional error of the parameter at the start is a logarithm where the parameter is many errors large,
and proportional to it near zero, which can be reached and crossed. It rises with x, so that bounds stay bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Variables"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Function = Callable[[Array, int], tuple[float, Array, Any]]

#: Beyond, the value is so large that nothing made from it is a number.
FARTHEST = 200.0


@dataclass(frozen=True)
class Variables:
    """The change of variables of some parameters; the others stay.

    Attributes
    ----------
    bent : bool array
        Which are changed, shape (n,).
    size : array
        2 s of each, shape (n,).
    low, high : array
        Bounds of the parameters, shape (n,).
    start : array or None
        Values to which their variables lead back without rounding, shape (n,).
    """

    bent: Flags
    size: Array
    low: Array
    high: Array
    start: Array | None = None

    @classmethod
    def at(cls, function: Function, x: Array, low: Array, high: Array) -> Variables:
        """For a function with the trait ``logarithmic`` (which of its parameters are strengths), from its curvature at `x`."""
        strengths = getattr(function, "logarithmic", np.zeros(len(x), dtype=bool))
        if not strengths.any():
            return cls(strengths, np.ones(len(x)), low, high)
        diagonal = np.diag(function(x, 2)[2])
        bent = strengths & (diagonal > 0) & np.isfinite(diagonal)
        return cls(bent, np.where(bent, 2 * np.sqrt(2 / np.where(bent, diagonal, 1.0)), 1.0), low, high, x)

    @cached_property
    def any(self) -> bool:
        """Is any of them changed."""
        return bool(self.bent.any())

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """Variables of the changed parameters at their bounds."""
        return self.inside(self.low)[self.bent], self.inside(self.high)[self.bent]

    def inside(self, x: Array) -> Array:
        """Variables at parameter values; infinite values stay infinite."""
        return np.where(self.bent, np.arcsinh(x / self.size), x)

    def outside(self, u: Array) -> Array:
        """Parameter values at variables: a variable at a bound gives the bound itself, without rounding."""
        if not self.any:
            return np.asarray(u)
        x, own = np.array(u, dtype=float), np.flatnonzero(self.bent)
        low, high = self.low[own], self.high[own]
        moved = self.size[own] * np.sinh(np.minimum(np.maximum(x[own], -FARTHEST), FARTHEST))
        least, most = self.ends
        moved[x[own] <= least] = low[x[own] <= least]
        moved[x[own] >= most] = high[x[own] >= most]
        x[own] = moved
        if self.start is not None:
            x = np.where(u == self.inside(self.start), self.start, x)
        return np.asarray(np.minimum(np.maximum(x, self.low), self.high))

    def function(self, own: Function) -> Function:
        """A statistic ``own(x, order)`` as one of the variables, with its derivatives by the chain rule."""
        if not self.any:
            return own

        def inner(u: Array, order: int) -> tuple[float, Array, Any]:
            x = self.outside(u)
            stat, gradient, curvature = own(x, order)
            if order == 0:
                return stat, gradient, curvature
            slope = np.where(self.bent, np.hypot(self.size, x), 1.0)
            if order > 1:
                curvature = curvature * np.outer(slope, slope)
            if order > 2:
                curvature[np.diag_indices(len(u))] += np.where(self.bent, gradient * x, 0.0)
            return stat, gradient * slope, curvature

        return inner
