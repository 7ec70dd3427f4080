"""Plain words about a minimum: what is at a bound, what has no effect, what cannot be told apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["covariance_of", "describe", "insensitive"]

Array = NDArray[np.float64]

#: Correlation from which two parameters are called degenerate.
DEGENERATE = 0.9995


def insensitive(curvature: Array, x: Array) -> NDArray[np.bool_]:
    """Parameters on which the statistic does not depend: moving by their own size changes it by less than 1e-9."""
    size = np.where(x != 0, np.abs(x), 1.0)
    return np.asarray(np.abs(np.diag(curvature)) * size**2 < 1e-9)


def covariance_of(curvature: Array, x: Array, at_bound: NDArray[np.bool_]) -> tuple[Array, str]:
    """Covariance 2 H^-1 of the parameters; NaN where there is none, and why.

    Parameters at a bound and insensitive ones are left out: they get NaN.
    """
    n = len(x)
    out = np.full((n, n), np.nan)
    use = ~(insensitive(curvature, x) | at_bound)
    if not use.any():
        return out, "no parameter has a finite error"
    inner = curvature[np.ix_(use, use)]
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(inner)), 1e-300))
    eigen, vector = np.linalg.eigh(inner * np.outer(scale, scale))
    if eigen.min() <= 1e-13 * eigen.max():
        return out, "the second derivatives are not positive: this is not a minimum in every direction"
    inverse = (vector / eigen) @ vector.T * np.outer(scale, scale)
    out[np.ix_(use, use)] = 2 * inverse
    return out, ""


def flattest(curvature: Array, x: Array, at_bound: NDArray[np.bool_]) -> list[int]:
    """Parameters that take part in the direction along which the statistic bends least, the largest part first."""
    use = np.flatnonzero(~(insensitive(curvature, x) | at_bound))
    if len(use) == 0:
        return []
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(curvature)[use]), 1e-300))
    _, vector = np.linalg.eigh(curvature[np.ix_(use, use)] * np.outer(scale, scale))
    part = np.abs(vector[:, 0])
    return [int(use[i]) for i in np.argsort(-part) if part[i] > 0.3]


def describe(names: list[str], x: Array, low: Array, high: Array, curvature: Array, at_bound: NDArray[np.bool_]) -> list[str]:
    """Sentences about the minimum, empty if all is well."""
    out = []
    for i in np.flatnonzero(at_bound):
        side = "lower" if x[i] <= low[i] else "upper"
        out.append(f"{names[i]} is at its {side} bound {x[i]:.6g}, so it has no two-sided error")
    dead = insensitive(curvature, x)
    out += [f"{names[i]} has no effect on the statistic; freeze it" for i in np.flatnonzero(dead & ~at_bound)]
    covariance, problem = covariance_of(curvature, x, at_bound)
    if problem and not dead.all():
        out.append(problem)
        flat = [names[i] for i in flattest(curvature, x, at_bound)]
        if len(flat) > 1:
            out.append(f"{' and '.join(flat)} can hardly be told apart; freeze one")
    sigma = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance / np.outer(sigma, sigma)
    for a, b in np.argwhere(np.tril(np.abs(np.nan_to_num(correlation)) > DEGENERATE, -1)):
        out.append(f"{names[b]} and {names[a]} can hardly be told apart (correlation {correlation[a, b]:+.4f}); freeze one")
    return out
