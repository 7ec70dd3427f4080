"""Variables in which the search for a minimum moves: strengths as logarithms where they are large, and nuisances set apart.

Amplitude and index of a spectrum far from its pivot energy are correlated along a curve, amplitude ~ exp(c index), on which
steps in the amplitude itself can only crawl. In its logarithm the curve is straight. The variable

    u = asinh(x / 2 s),    x = 2 s sinh(u)

with s the conditional error of the parameter at the start is a logarithm where the parameter is many errors large,
and proportional to it near zero, which can be reached and crossed. It rises with x, so that bounds stay bounds.

A nuisance, of which a prior knows more than the data, and a parameter of the same effect (a scale of the area and an amplitude)
would share every step that is cut short, after which the nuisance has to find back to its prior. So the others move with it in
such a way that the prediction stays: with H the curvature at the start, n nuisances and p the others,

    u_p = y_p - H_pp^-1 H_pn u_n

A step in y_p leaves the nuisances alone, and the curvature has no part between the two. This is for nuisances of which the data
know nothing by themselves; others, and parameters with bounds, stay as they are.
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

#: A nuisance has the effect of others if moving these as well leaves this share of the curvature along it.
SAME = 0.01


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
    shear : array or None
        How each moves with the others: H_pp^-1 H_pn in its rows and columns, zero elsewhere; shape (n, n).
    """

    bent: Flags
    size: Array
    low: Array
    high: Array
    start: Array | None = None
    shear: Array | None = None

    @classmethod
    def at(cls, function: Function, x: Array, low: Array, high: Array) -> Variables:
        """From the curvature of a function at `x`, and its traits ``logarithmic`` (its strengths) and ``nuisances``."""
        nothing = np.zeros(len(x), dtype=bool)
        strengths, nuisances = (getattr(function, name, nothing) for name in ("logarithmic", "nuisances"))
        if not strengths.any() and not nuisances.any():
            return cls(strengths, np.ones(len(x)), low, high)
        curvature = function(x, 2)[2]
        diagonal = np.diag(curvature)
        bent = strengths & (diagonal > 0) & np.isfinite(diagonal)
        size = np.where(bent, 2 * np.sqrt(2 / np.where(bent, diagonal, 1.0)), 1.0)
        slope = np.where(bent, np.hypot(size, x), 1.0)
        others = ~nuisances & ~np.isfinite(low) & ~np.isfinite(high)
        return cls(bent, size, low, high, x, _shear(curvature * np.outer(slope, slope), others, nuisances))

    @cached_property
    def any(self) -> bool:
        """Is any of them changed."""
        return bool(self.bent.any()) or self.shear is not None

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """Variables of the changed parameters at their bounds."""
        return self._bend(self.low)[self.bent], self._bend(self.high)[self.bent]

    @property
    def box(self) -> tuple[Array, Array]:
        """Bounds of the variables; what moves with others has none."""
        return self._bend(self.low), self._bend(self.high)

    def _bend(self, x: Array) -> Array:
        """Strengths as logarithms; infinite values stay infinite."""
        return np.where(self.bent, np.arcsinh(x / self.size), x)

    def inside(self, x: Array) -> Array:
        """Variables at parameter values."""
        own = self._bend(x)
        return own if self.shear is None else own + self.shear @ own

    def outside(self, u: Array) -> Array:
        """Parameter values at variables: a variable at a bound gives the bound itself, without rounding."""
        if not self.any:
            return np.asarray(u)
        if self.start is not None and np.array_equal(u, self.inside(self.start)):
            return self.start
        if self.shear is not None:
            u = u - self.shear @ u  # the nuisances themselves stay
        x, own = np.array(u, dtype=float), np.flatnonzero(self.bent)
        low, high = self.low[own], self.high[own]
        moved = self.size[own] * np.sinh(np.minimum(np.maximum(x[own], -FARTHEST), FARTHEST))
        least, most = self.ends
        moved[x[own] <= least] = low[x[own] <= least]
        moved[x[own] >= most] = high[x[own] >= most]
        x[own] = moved
        if self.start is not None:
            x = np.where(u == self._bend(self.start), self.start, x)
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
            return self._sheared(stat, gradient * slope, curvature, order)

        return inner

    def _sheared(self, stat: float, gradient: Array, curvature: Any, order: int) -> tuple[float, Array, Any]:
        if self.shear is None:
            return stat, gradient, curvature
        if order > 1:
            half = curvature - curvature @ self.shear
            curvature = half - self.shear.T @ half
        return stat, gradient - gradient @ self.shear, curvature


def _shear(curvature: Array, others: Flags, nuisances: Flags) -> Array | None:
    """How `others` move with `nuisances`; None if they do not."""
    p, n = np.flatnonzero(others), np.flatnonzero(nuisances)
    if len(p) == 0 or len(n) == 0 or not np.isfinite(curvature).all():
        return None
    size = np.sqrt(np.maximum(np.diag(curvature)[p], 1e-300))
    eigen, vector = np.linalg.eigh(curvature[np.ix_(p, p)] / np.outer(size, size))
    known = eigen > 1e-9 * max(float(eigen[-1]), 1e-300)  # directions of which the data know
    inverse = (vector[:, known] / eigen[known]) @ vector[:, known].T
    cross = curvature[np.ix_(p, n)] / size[:, None]
    moves = inverse @ cross
    alone = np.diag(curvature)[n]
    apart = alone - np.einsum("pn,pn->n", cross, moves) < SAME * alone  # with the others they do hardly anything
    if not apart.any():
        return None
    out = np.zeros_like(curvature)
    out[np.ix_(p, n[apart])] = (moves / size[:, None])[:, apart]
    return out
