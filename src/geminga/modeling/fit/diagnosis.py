"""Plain words about a minimum: what is at a bound, what has no effect, what cannot be told apart.

Whether a parameter has an effect is asked of the statistic itself: it is evaluated with the parameter moved by its own size, by
one, and to its bounds. The second derivatives only say whom to ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.fit.curvature import Curvature, Inverse

__all__ = ["FreeCovariance", "Reaction", "covariance_of", "degeneracies", "joined", "reaction"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Correlation from which two parameters are called degenerate.
DEGENERATE = 0.9995


#: Eigenvalue of second derivatives, in units of their diagonal, not told from zero: differences of gradients have eight digits.
FLAT = 1e-8

#: Change of the statistic by a move of the parameter's own size below which the statistic itself is asked.
SUSPECT = 1e-3

#: Change of the statistic that counts.
EFFECT = 1e-7


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

    def degenerate(self) -> list[tuple[list[int], float]]:
        """Groups of parameters which can hardly be told apart, and the largest correlation in each."""
        root = np.sqrt(self.inverse.diagonal())
        groups: list[tuple[set[int], float]] = []
        for rows, columns, values in self.inverse.couplings():
            correlation = values / (root[rows] * root[columns])
            for k in np.flatnonzero(np.abs(correlation) > DEGENERATE).tolist():
                own, largest = {int(rows[k]), int(columns[k])}, float(correlation[k])
                for group in [g for g in groups if g[0] & own]:
                    groups.remove(group)
                    own |= group[0]
                    largest = max(largest, group[1], key=abs)
                groups.append((own, largest))
        return [(sorted(own), largest) for own, largest in groups]


@dataclass(frozen=True)
class Reaction:
    """How the statistic reacts when a parameter alone is moved far.

    Attributes
    ----------
    dead : bool array
        Parameters on which it does not depend.
    lower : list
        Where it is lower than here: (parameter, value, difference).
    """

    dead: Flags
    lower: list[tuple[int, float, float]]


def reaction(
    values: Callable[[Array], Array], x: Array, size: Array, stat: float, curvature: Curvature, bounds: tuple[Array, Array]
) -> Reaction:
    """Move those parameters along which the statistic bends hardly at all.

    Parameters
    ----------
    values : callable
        Statistic at many points, shape (n, n_parameters).
    x, stat, curvature
        The minimum.
    size : array
        Natural size of each parameter; 1 is taken for 0.
    bounds : tuple of array
        Lower and upper bounds.
    """
    low, high = bounds
    size = np.where(size != 0, size, 1.0)
    dead, lower = np.zeros(len(x), dtype=bool), []
    noise = EFFECT + 1e-12 * abs(stat)
    bend = curvature.diagonal()
    for j in np.flatnonzero(~(np.abs(bend) * size**2 >= SUSPECT)).tolist():
        ends = [x[j] - size[j], x[j] + size[j], x[j] - 1, x[j] + 1, *(b[j] for b in (low, high) if np.isfinite(b[j]))]
        moved = np.unique(np.clip(ends, low[j], high[j]))
        points = np.repeat(x[None], len(moved), axis=0)
        points[:, j] = moved
        with np.errstate(all="ignore"):
            change = values(points) - stat
        dead[j] = bool((np.abs(change) <= noise).all())
        best = int(np.argmin(np.where(np.isfinite(change), change, np.inf)))
        if change[best] < -1e-2:
            lower.append((j, float(moved[best]), float(-change[best])))
    return Reaction(dead, lower)


def covariance_of(curvature: Curvature, left_out: Flags) -> tuple[FreeCovariance | None, str]:
    """Covariance of the parameters; None where there is none, and why.

    Those at a bound and those without effect are left out.
    """
    used = ~left_out
    if not used.any():
        return None, "no parameter has a finite error"
    scale = np.where(used, 1 / np.sqrt(np.maximum(np.abs(curvature.diagonal()), 1e-200)), 1.0)
    inverse = curvature.scaled(scale).without(~used).inverse()
    # The largest number on the diagonal of the inverse is between one over the smallest eigenvalue and its n-th part.
    if inverse is None or inverse.diagonal().max() > 1 / FLAT:
        return None, "the second derivatives are not positive: this is not a minimum in every direction"
    return FreeCovariance(inverse, scale, used), ""


def _flattest(curvature: Curvature, left_out: Flags) -> list[int]:
    """Parameters that take part in the directions along which the statistic does not bend, or else bends least."""
    use = np.flatnonzero(~left_out)
    if len(use) == 0:
        return []
    scale = 1 / np.sqrt(np.maximum(np.abs(curvature.diagonal()), 1e-200))
    matrix = curvature.scaled(scale).dense()[np.ix_(use, use)]
    if not np.isfinite(matrix).all():
        return []
    eigen, vector = np.linalg.eigh(matrix)
    flat = eigen <= max(FLAT * eigen[-1], eigen[0])
    part = np.linalg.norm(vector[:, flat], axis=1)
    return [int(i) for i in use[part > 0.3]]


def degeneracies(
    names: Sequence[str], curvature: Curvature, left_out: Flags, outcome: tuple[FreeCovariance | None, str]
) -> list[str]:
    """Sentences about what cannot be told apart; `outcome` is that of `covariance_of`."""
    covariance, problem = outcome
    if covariance is not None:
        out = []
        for group, correlation in covariance.degenerate():
            text = f"correlation {correlation:+.4f}" if len(group) == 2 else f"correlations of {abs(correlation):.4f}"
            out.append(f"{joined([names[i] for i in group])} can hardly be told apart ({text}); freeze one")
        return out
    if left_out.all():
        return []
    sentence = problem[:1].upper() + problem[1:]
    flat = [names[i] for i in _flattest(curvature, left_out)]
    if len(flat) > 1:
        return [sentence, f"{joined(flat)} can hardly be told apart; freeze one"]
    return [sentence, *(f"The statistic is flat along {name} near its value" for name in flat)]


def joined(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
