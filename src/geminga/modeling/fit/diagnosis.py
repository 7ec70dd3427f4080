"""Plain words about a minimum: what is at a bound, what has no effect, what cannot be told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.fit.curvature import Curvature, Inverse

__all__ = ["FreeCovariance", "covariance_of", "describe", "insensitive"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Correlation from which two parameters are called degenerate.
DEGENERATE = 0.9995


@dataclass(frozen=True)
class FreeCovariance:
    """Covariance of the free parameters, 2 H^-1; `inverse` is that of the curvature in units of `scale`."""

    inverse: Inverse
    scale: Array
    used: Flags  # the others, at a bound or without effect, have no error

    def variances(self) -> Array:
        """Diagonal, NaN where there is no error."""
        return np.where(self.used, 2 * self.scale**2 * self.inverse.diagonal(), np.nan)

    def block(self, i: NDArray[np.intp]) -> Array:
        """Part which belongs to some parameters, zero where there is no error."""
        scale = np.where(self.used, self.scale, 0.0)[i]
        return 2 * self.inverse.block(i) * np.outer(scale, scale)

    def degenerate(self) -> list[tuple[int, int, float]]:
        """Pairs of parameters which can hardly be told apart, and their correlations."""
        root = np.sqrt(self.inverse.diagonal())
        found: list[tuple[int, int, float]] = []
        for rows, columns, values in self.inverse.couplings():
            correlation = values / (root[rows] * root[columns])
            close = np.flatnonzero(np.abs(correlation) > DEGENERATE)
            found += zip(rows[close].tolist(), columns[close].tolist(), correlation[close].tolist(), strict=True)
        return found


def insensitive(curvature: Curvature, size: Array) -> Flags:
    """Parameters on which the statistic does not depend: moving by their own size (1 for 0) changes it by less than 1e-9."""
    size = np.where(size != 0, np.abs(size), 1.0)
    return np.asarray(np.abs(curvature.diagonal()) * size**2 < 1e-9)


def covariance_of(curvature: Curvature, size: Array, at_bound: Flags) -> tuple[FreeCovariance | None, str]:
    """Covariance of the parameters; None where there is none, and why.

    Parameters at a bound and insensitive ones are left out.
    """
    used = ~(insensitive(curvature, size) | at_bound)
    if not used.any():
        return None, "no parameter has a finite error"
    scale = np.where(used, 1 / np.sqrt(np.maximum(np.abs(curvature.diagonal()), 1e-300)), 1.0)
    inverse = curvature.scaled(scale).without(~used).inverse()
    if inverse is None:
        return None, "the second derivatives are not positive: this is not a minimum in every direction"
    return FreeCovariance(inverse, scale, used), ""


def flattest(curvature: Curvature, size: Array, at_bound: Flags) -> list[int]:
    """Parameters that take part in the direction along which the statistic bends least, the largest part first."""
    use = np.flatnonzero(~(insensitive(curvature, size) | at_bound))
    if len(use) == 0:
        return []
    scale = 1 / np.sqrt(np.maximum(np.abs(curvature.diagonal()), 1e-300))
    matrix = curvature.scaled(scale).dense()[np.ix_(use, use)]
    if not np.isfinite(matrix).all():
        return []
    _, vector = np.linalg.eigh(matrix)
    part = np.abs(vector[:, 0])
    return [int(use[i]) for i in np.argsort(-part) if part[i] > 0.3]


def describe(
    names: list[str],
    x: Array,
    size: Array,
    bounds: tuple[Array, Array],
    curvature: Curvature,
    at_bound: Flags,
    outcome: tuple[FreeCovariance | None, str],
) -> list[str]:
    """Sentences about the minimum, empty if all is well; `outcome` is that of `covariance_of`."""
    out = []
    for i in np.flatnonzero(at_bound):
        low, high = bounds[0][i], bounds[1][i]
        side, bound = ("lower", low) if x[i] - low <= high - x[i] else ("upper", high)
        out.append(f"{names[i]} is at its {side} bound {bound:.6g}, so it has no two-sided error")
    dead = insensitive(curvature, size)
    out += [f"{names[i]} has no effect on the statistic; freeze it" for i in np.flatnonzero(dead & ~at_bound)]
    covariance, problem = outcome
    if covariance is not None:
        pairs = [(names[b], names[a], correlation) for a, b, correlation in covariance.degenerate()]
        out += [f"{b} and {a} can hardly be told apart (correlation {c:+.4f}); freeze one" for b, a, c in pairs]
    elif not dead.all():
        out.append(problem)
        flat = [names[i] for i in flattest(curvature, size, at_bound)]
        if len(flat) > 1:
            out.append(f"{' and '.join(flat)} can hardly be told apart; freeze one")
    return out
