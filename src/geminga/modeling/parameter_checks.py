"""Numbers and options of parameters, checked once at the door."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import ParameterError

__all__ = ["TRANSFORMS", "finite", "number", "one_of"]

#: Functions of a value by name, and their inverses.
TRANSFORMS: dict[str, tuple[Any, Any]] = {
    "lin": (float, float),
    "sqrt": (lambda x: float(np.sqrt(x)), lambda x: float(x) ** 2),
    "log": (lambda x: float(np.log(x)), lambda x: float(np.exp(x))),
}


def finite(value: Any, what: str) -> float:
    """Float of a number; refuses what is not one, and NaN and infinity."""
    result = number(value, what)
    if not math.isfinite(result):
        msg = f"{what} is {result}; expected a finite number."
        raise ParameterError(msg)
    return result


def number(value: Any, what: str) -> float:
    """Float of a number, which may be NaN or infinite."""
    if isinstance(value, u.Quantity) and value.unit != u.dimensionless_unscaled:
        msg = f"{what} got {value!r}, which has a unit; set the 'quantity' attribute instead."
        raise ParameterError(msg)
    try:
        return float(value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value)
    except (TypeError, ValueError) as error:
        msg = f"{what} got {value!r}; expected a number."
        raise ParameterError(msg) from error


def one_of(value: Any, known: tuple[Any, ...], what: str) -> Any:
    """The value itself; refuses what is not known."""
    if value not in known:
        msg = f"{what} got {value!r}; expected one of {', '.join(map(repr, known))}."
        raise ParameterError(msg)
    return value
