"""From parameters with units to canonical floats, and numerical derivatives for models that give none.

Legend: values are floats in the parameters' own units, one for each parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike, NDArray

from geminga.errors import UnitError

__all__ = [
    "Evaluator",
    "canonical_unit",
    "current_values",
    "differentiate",
    "evaluate_many",
    "in_canonical",
    "quantities",
    "scaled",
    "unit_factors",
]

Array = NDArray[np.float64]
Result = tuple[Array, Array]
#: Function of parameter values which returns a value and its gradient.
Evaluator = Callable[[ArrayLike], Result]

_CANONICAL = [
    u.Unit(text)
    for text in (
        "",
        "TeV-1 cm-2 s-1",
        "cm-2 s-1",
        "TeV",
        "TeV-1",
        "deg",
        "sr-1",
        "TeV-1 cm-2 s-1 sr-1",
        "cm-2 s-1 sr-1",
        "TeV-1 sr-1",
        "TeV cm-2 s-1",
        "TeV cm-2 s-1 sr-1",
        "TeV2",
        "cm2 s",
        "cm2",
        "cm",
        "s",
        "s-1",
    )
]


@lru_cache(maxsize=256)
def canonical_unit(unit: u.UnitBase) -> u.UnitBase:
    """Unit in TeV, cm, s, deg and sr of the same dimension; the unit itself if there is none.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.modeling.models.derivative import canonical_unit
    >>> canonical_unit(u.Unit("m-2 s-1 GeV-1")).to_string("fits")
    'TeV-1 s-1 cm-2'
    """
    for candidate in _CANONICAL:
        if unit.is_equivalent(candidate):
            return candidate
    return unit


@lru_cache(maxsize=256)
def _factor(unit: u.UnitBase) -> float:
    return float(unit.to(canonical_unit(unit)))


def unit_factors(parameters: Iterable[Any]) -> Array:
    """Factors from each parameter's own unit to the canonical one."""
    return np.array([_factor(par.unit) for par in parameters], dtype=float)


def current_values(parameters: Iterable[Any]) -> Array:
    """Values of parameters in their own units."""
    return np.array([par.value for par in parameters], dtype=float)


def quantities(parameters: Sequence[Any], values: ArrayLike) -> dict[str, u.Quantity]:
    """Keyword arguments for a model's ``evaluate``."""
    return {par.name: u.Quantity(value, par.unit) for par, value in zip(parameters, np.asarray(values), strict=True)}


class _Scaled:
    """A formula of canonical floats as a function of values in the parameters' own units."""

    def __init__(self, function: Callable[..., Result], factors: Array, takes_columns: bool) -> None:
        self.function, self.takes_columns = function, takes_columns
        self.factors = None if np.all(factors == 1) else factors

    def __call__(self, values: ArrayLike) -> Result:
        values = np.asarray(values, dtype=float)
        if self.factors is None:
            return self._formula(values)
        value, gradient = self._formula(values * self.factors)
        gradient *= self.factors.reshape(-1, *(1,) * (gradient.ndim - 1))
        return value, gradient

    def _formula(self, values: Array) -> Result:
        """The formula, not a number where it has none: a trial step may leave its domain."""
        try:
            return self.function(*values.tolist())
        except (ArithmeticError, ValueError):  # what Python's floats raise where numpy's give NaN
            with np.errstate(all="ignore"):
                return self.function(*values)

    def many(self, values: Array) -> Result:
        """See `evaluate_many`."""
        if not self.takes_columns or values.shape[1] == 0:
            return _one_by_one(self, values)
        columns = values if self.factors is None else values * self.factors
        value, gradient = self.function(*columns.T[:, :, None])
        gradient = np.moveaxis(gradient, 0, 1)
        return value, gradient if self.factors is None else gradient * self.factors[:, None]


def scaled(function: Callable[..., Result], parameters: Iterable[Any], takes_columns: bool = False) -> Evaluator:
    """Bind a formula of canonical floats to values in the parameters' own units.

    With `takes_columns` the formula also takes a column of shape (n, 1) for each parameter.
    """
    return _Scaled(function, unit_factors(parameters), takes_columns)


def evaluate_many(evaluator: Evaluator, values: Array) -> Result:
    """Evaluate at many points at once, where the evaluator can, else one by one.

    Parameters
    ----------
    values : array
        Parameter values, shape (n, n_par).

    Returns
    -------
    value, gradient : array
        Shapes (n, ...) and (n, n_par, ...).
    """
    if len(values) == 1:
        value, gradient = evaluator(values[0])
        return value[None], gradient[None]
    many = getattr(evaluator, "many", None)
    return _one_by_one(evaluator, values) if many is None else many(values)


def _one_by_one(evaluator: Evaluator, values: Array) -> Result:
    results = [evaluator(row) for row in values]
    return np.stack([value for value, _ in results]), np.stack([gradient for _, gradient in results])


def _step(parameter: Any, value: float) -> float:
    """Step for central differences: cube root of the rounding error, in units of the parameter's natural size."""
    relative = 6e-6
    if value != 0:
        return relative * abs(value)
    if parameter.error > 0 and np.isfinite(parameter.error):
        return 1e-3 * float(parameter.error)
    width = parameter.max - parameter.min
    if np.isfinite(width) and width > 0:
        return relative * float(width)
    return relative


def _one_sided(function: Callable[[Array], Array], values: Array, center: Array, i: int, step: float) -> Array:
    """Second-order derivative from one side (the sign of `step`)."""
    first, second = values.copy(), values.copy()
    first[i] += step
    second[i] += 2 * step
    return np.asarray((4 * function(first) - function(second) - 3 * center) / (2 * step))


def differentiate(
    function: Callable[[Array], Array],
    values: ArrayLike,
    parameters: Sequence[Any],
    wanted: Sequence[bool] | None = None,
    steps: Mapping[str, float] | None = None,
) -> Result:
    """Value and gradient of `function` by central differences.

    Bounds are respected: there, and where one side is not finite, the derivative is taken from the other side.

    Parameters
    ----------
    function : callable
        Takes values in the parameters' own units.
    wanted : sequence of bool, optional
        Rows of the gradient to compute; the others are zero.
    steps : dict, optional
        Steps of some parameters by name; the others are chosen from value, error and bounds.

    Returns
    -------
    value, gradient : array
        Shapes (...) and (n_par, ...).
    """
    values = np.array(values, dtype=float)
    center = np.asarray(function(values), dtype=float)
    gradient = np.zeros((len(values), *center.shape))
    for i, parameter in enumerate(parameters):
        if wanted is not None and not wanted[i]:
            continue
        step = (steps or {}).get(parameter.name) or _step(parameter, values[i])
        up, down = values.copy(), values.copy()
        up[i] += step
        down[i] -= step
        is_low, is_high = down[i] < parameter.min, up[i] > parameter.max
        if is_low or is_high:
            gradient[i] = _one_sided(function, values, center, i, 4 * step if is_low else -4 * step)
            continue
        value_up, value_down = np.asarray(function(up), dtype=float), np.asarray(function(down), dtype=float)
        row = (value_up - value_down) / (up[i] - down[i])
        if not np.all(np.isfinite(row)):
            side = 4 * step if np.isfinite(value_up).sum() >= np.isfinite(value_down).sum() else -4 * step
            row = np.where(np.isfinite(row), row, _one_sided(function, values, center, i, side))
        gradient[i] = row
    return center, gradient


def in_canonical(value: Any, expected: u.UnitBase | None, name: str) -> Array:
    """Floats of a model's result in its canonical unit.

    Raises
    ------
    UnitError
        If `expected` is given and the dimension does not fit.
    """
    quantity = u.Quantity(value, copy=False)
    unit = canonical_unit(quantity.unit) if expected is None else expected
    try:
        return np.asarray(quantity.to_value(unit), dtype=float)
    except u.UnitConversionError as error:
        msg = f"{name} returned values in '{quantity.unit}'; expected a unit convertible to '{unit}'."
        raise UnitError(msg) from error
