"""Optimisers: the same value and gradient handed to our Newton, to iminuit, or to scipy.

All work in factors x / scale, where the scale is the conditional error of a parameter at the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from iminuit import Minuit
from numpy.typing import NDArray
from scipy import optimize

from geminga.errors import InputError, NameLookupError
from geminga.modeling.fit.variables import Variables
from geminga.numerics.newton import NewtonOptions, NewtonResult, minimize
from geminga.numerics.newton_arrow import minimize_arrow

__all__ = ["BACKENDS", "Minimum", "get_backend"]

Array = NDArray[np.float64]
Function = Callable[[Array, int], tuple[float, Array, Array]]
Trace = list[tuple[float, Array]]

#: Iterations after which the variables of the search are made anew; hardly any search takes as many.
LEG = 40

#: Fall of the statistic in so many iterations below which nothing will come of it any more.
CRAWL = 0.1

#: Fall of the statistic that no data make.
BOTTOMLESS = 1e15


@dataclass
class Minimum:
    """Where an optimiser stopped."""

    x: Array
    stat: float
    success: bool
    reason: str
    method: str
    trace: list[tuple[float, Array]] = field(default_factory=list)
    minuit: Any = None


def _scale(function: Function, x0: Array) -> Array:
    diagonal = np.diag(function(x0, 2)[2])
    fallback = np.where(x0 != 0, np.abs(x0), 1.0)
    return np.where(diagonal > 0, 1 / np.sqrt(np.maximum(diagonal, 1e-300)), fallback)


def _options(given: dict[str, Any] | None, known: tuple[str, ...], backend: str) -> dict[str, Any]:
    given = {k: v for k, v in (given or {}).items() if k != "backend"}
    wrong = sorted(set(given) - set(known))
    if wrong:
        msg = f"Fit option {', '.join(wrong)} is not known to the {backend} backend; known: {', '.join(known)}."
        raise InputError(msg)
    if not given.get("tol", 1) > 0:
        msg = f"Fit option tol is {given['tol']!r}; expected a number above 0."
        raise InputError(msg)
    return given


def newton(function: Function, x0: Array, low: Array, high: Array, names: list[str], opts: dict[str, Any] | None) -> Minimum:
    """Trust-region Newton with structured secant (see `geminga.numerics.newton`)."""
    known = ("tol", "max_iterations", "radius", "exact_below")
    options = NewtonOptions(**_options(opts, known, "newton"))
    if getattr(function, "layout", None) is not None:
        result: Any = minimize_arrow(function.blocks, x0, low, high, options)  # type: ignore[attr-defined]
        x, trace, reason = result.x, [(step.stat, step.x) for step in result.trace if step.accepted], ""
    else:
        result, x, trace, reason = _in_legs(function, x0, low, high, names, options)
    reasons = {
        "converged": "",
        "iterations": reason or "it did not converge within the allowed iterations",
        "stalled": f"no step lowers the statistic any more, yet the estimated distance to the minimum is {result.edm:.2g}",
        "invalid": "the statistic or its gradient is not finite at the start",
    }
    # A stall at rounding level is a minimum.
    success = result.status == "converged" or (result.status == "stalled" and abs(result.edm) < 1e-4)
    return Minimum(x, result.value, success, reasons[result.status], "trust-region newton", trace)


def _in_legs(
    function: Function, x: Array, low: Array, high: Array, names: list[str], options: NewtonOptions
) -> tuple[NewtonResult, Array, Trace, str]:
    """Search in variables made at its start; one that takes long has gone far from there, and goes on in others.

    It ends where there is no minimum to be found: with a reason.
    """
    trace: Trace = []
    for walked in range(0, max(options.max_iterations, 1), LEG):
        variables = Variables.at(function, x, low, high)
        start, (least, most) = variables.inside(x), variables.box
        own = replace(options, max_iterations=min(LEG, options.max_iterations - walked))
        result = minimize(variables.function(function), start, least, most, own)
        steps = [(step.stat, variables.outside(step.x)) for step in result.trace if step.accepted]
        before, x, trace = x, variables.outside(result.x), trace + steps
        if result.status != "iterations":
            break
        fall = max(stat for stat, _ in steps) - result.value if steps else 0.0
        if fall > BOTTOMLESS:
            return result, x, trace, "the statistic falls without limit"
        is_last = walked + LEG >= options.max_iterations
        if walked and (fall < CRAWL or is_last):
            moved = np.abs(result.x - start) / np.maximum(np.abs(start), 1.0)
            away = [f"{names[i]} from {before[i]:.3g} to {x[i]:.3g}" for i in np.argsort(-moved)[:2] if moved[i] > 1e-3]
            only = " only" if fall < 1 else ""
            last = f"the last {own.max_iterations} steps lowered the statistic by {fall:.2g}{only}"
            return result, x, trace, f"{last} and moved {', '.join(away)}" if away else last
    return result, x, trace, ""


def minuit(function: Function, x0: Array, low: Array, high: Array, names: list[str], opts: dict[str, Any] | None) -> Minimum:
    """MIGRAD of iminuit with the exact gradient."""
    known = ("tol", "strategy", "print_level", "migrad_opts", "hesse_opts", "minos_opts", "precision")
    own = _options(opts, known, "minuit")
    trace: list[tuple[float, Array]] = []

    def traced(x: Array, order: int) -> Any:
        result = function(x, order)
        if order == 0:
            trace.append((result[0], x))
        return result

    m = make_minuit(traced, x0, low, high, names, own)
    migrad = {"ncall": 10000, **own.get("migrad_opts", {})}
    m.migrad(**migrad)
    scale = m.geminga_scale
    x = np.clip(np.array(m.values) * scale, low, high)
    stat = function(x, 0)[0]
    reason = "" if m.valid else _minuit_reason(m)
    return Minimum(x, stat, bool(m.valid), reason, "migrad", trace, m)


class _Minuit(Minuit):  # type: ignore[misc]
    """Minuit with the scale of its factors."""

    geminga_scale: Array


def make_minuit(function: Function, x0: Array, low: Array, high: Array, names: list[str], own: dict[str, Any]) -> Any:
    """Minuit object in factors."""
    scale = _scale(function, x0)

    def value(factors: Array) -> float:
        return function(np.clip(np.asarray(factors) * scale, low, high), 0)[0]

    def gradient(factors: Array) -> Array:
        return function(np.clip(np.asarray(factors) * scale, low, high), 1)[1] * scale

    m = _Minuit(value, x0 / scale, grad=gradient, name=names)
    m.geminga_scale = scale
    m.errors = np.ones(len(x0))
    ends = zip(low / scale, high / scale, strict=True)
    m.limits = [(None if np.isinf(lo) else lo, None if np.isinf(hi) else hi) for lo, hi in ends]
    m.errordef = 1.0
    m.tol = own.get("tol", 1e-3)
    m.strategy = own.get("strategy", 1)
    m.print_level = own.get("print_level", 0)
    if "precision" in own:
        m.precision = own["precision"]
    return m


def _minuit_reason(m: Any) -> str:
    fmin = m.fmin
    if fmin.has_reached_call_limit:
        return "MIGRAD reached its call limit"
    if fmin.is_above_max_edm:
        return f"MIGRAD stopped with an estimated distance to the minimum of {fmin.edm:.2g}"
    if fmin.has_parameters_at_limit:
        return "MIGRAD ended with parameters at their limits"
    return "MIGRAD did not find a valid minimum"


def scipy(function: Function, x0: Array, low: Array, high: Array, names: list[str], opts: dict[str, Any] | None) -> Minimum:
    """`scipy.optimize.minimize` with the exact gradient (L-BFGS-B unless another method is given)."""
    own = {k: v for k, v in (opts or {}).items() if k != "backend"}
    method = own.pop("method", "L-BFGS-B")
    options = {"maxiter": 2000, "ftol": 1e-16, "gtol": 1e-5, "maxcor": 30} if method == "L-BFGS-B" else {}
    options |= own.pop("options", {})
    scale = _scale(function, x0)
    trace: list[tuple[float, Array]] = []
    offset = function(x0, 0)[0]  # a statistic of 1e5 would hide the digits that matter

    def value(factors: Array) -> tuple[float, Array]:
        x = np.clip(factors * scale, low, high)
        stat, gradient, _ = function(x, 1)
        trace.append((stat, x))
        return stat - offset, gradient * scale

    bounds = optimize.Bounds(low / scale, high / scale) if np.isfinite([low, high]).any() else None
    result = optimize.minimize(value, x0 / scale, jac=True, method=method, bounds=bounds, options=options, **own)
    # L-BFGS-B may end with a line search that rounding made useless: judge by the gradient, in errors.
    x = np.clip(result.x * scale, low, high)
    stat, gradient, _ = function(x, 1)
    inner = ~(((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0)))
    small = bool(np.abs(gradient * scale)[inner].max(initial=0.0) < 1e-2)
    return Minimum(x, stat, bool(result.success) or small, str(result.message), method, trace)


BACKENDS: dict[str, Callable[..., Minimum]] = {"newton": newton, "minuit": minuit, "scipy": scipy}


def get_backend(name: str) -> Callable[..., Minimum]:
    """Optimiser by name.

    Raises
    ------
    NameLookupError
        If there is none.
    """
    if name not in BACKENDS:
        msg = f"Fit backend {name!r} is not known; choose one of {', '.join(BACKENDS)}."
        raise NameLookupError(msg)
    return BACKENDS[name]
