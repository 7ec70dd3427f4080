"""Roots of a function of one variable on an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import RootResults, root_scalar

__all__ = ["bracketed_roots", "inversion"]

Array = NDArray[np.float64]


def inversion(function: Callable[[Array], Array], value: float, low: float, high: float, *, n_bracket: int = 100) -> Array:
    """Return every x in [low, high] where ``function(x)`` crosses `value`, in increasing order.

    Both sides are compared in ln x; the array is empty if there is no crossing.

    Examples
    --------
    >>> from geminga.numerics.roots import inversion
    >>> inversion(lambda x: x**2, 4.0, 0.1, 100.0).round(10)
    array([2.])
    """

    def difference(log_x: Array) -> Array:
        return np.asarray(function(np.exp(np.atleast_1d(log_x))) - value, dtype=float)

    roots, _ = bracketed_roots(difference, np.linspace(np.log(low), np.log(high), n_bracket + 1), xtol=1e-14, rtol=1e-14)
    found = roots[np.isfinite(roots)]
    return np.asarray(np.exp(found))


def bracketed_roots(function: Callable[..., Any], grid: Array, **kwargs: Any) -> tuple[Array, list[RootResults]]:
    """Return one root for each sign change of `function` on `grid` and the solver's reports.

    Parameters
    ----------
    function : callable
        Called with the whole grid once, with single values afterwards.
    grid : array
        Increasing coordinates.
    kwargs : dict
        Passed to `scipy.optimize.root_scalar`.
    """
    kwargs.setdefault("method", "brentq")
    values = np.array([np.ravel(function(x))[0] for x in grid]) if kwargs.pop("pointwise", False) else np.ravel(function(grid))
    found: list[float] = []
    reports: list[RootResults] = []
    for i in np.flatnonzero(np.isfinite(values[1:]) & np.isfinite(values[:-1])):
        if values[i] == 0 and (i == 0 or not np.isfinite(values[i - 1])):
            found.append(float(grid[i]))
            reports.append(_exact(grid[i]))
        if values[i + 1] == 0:
            found.append(float(grid[i + 1]))
            reports.append(_exact(grid[i + 1]))
        elif values[i] * values[i + 1] < 0:
            report = root_scalar(lambda x: np.ravel(function(x))[0], bracket=(grid[i], grid[i + 1]), **kwargs)
            found.append(float(report.root) if report.converged else np.nan)
            reports.append(report)
    return np.array(found), reports


def _exact(x: float) -> RootResults:
    return RootResults(root=float(x), iterations=0, function_calls=0, flag=0, method="grid")
