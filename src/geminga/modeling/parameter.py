"""One number of a model, with everything a fit wants to know about it.

The number itself is a plain float in the parameter's unit, and reading it costs nothing: predictions poll it.
`factor` and `scale` exist for optimisers which want numbers of order one; nothing else depends on them.
"""

from __future__ import annotations

import copy
import html
import logging
import math
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import ParameterError, UnitError
from geminga.modeling.parameter_checks import finite, number
from geminga.modeling.parameter_dict import to_dict, update_from_dict
from geminga.modeling.parameter_scale import ScaledNumber
from geminga.modeling.parameter_scan import ScannedNumber
from geminga.utils.units import parse_unit

__all__ = ["Parameter"]

log = logging.getLogger(__name__)


class Parameter(ScannedNumber, ScaledNumber):
    """A model parameter.

    Two models share a parameter when they hold the same object; parameters compare and hash by identity.

    Parameters
    ----------
    name : str
        Name.
    value : float, Quantity or str
        Value; a bare number is in `unit`, a Quantity or a string such as ``"1 TeV"`` brings its own unit.
    unit : str or Unit
        Unit.
    scale : float
        Scale of `factor`, used by optimisers only.
    min, max : float, Quantity or str
        Bounds in `unit`, NaN for none. Values outside may be set; `check_limits` reports them before a fit.
    frozen : bool
        Keep the value in fits.
    error : float
        Standard error, in `unit`.
    scan_min, scan_max : float, optional
        Range of `scan_values`; `value` -/+ `scan_n_sigma` times `error` if not given.
    scan_n_values : int
        Number of scan values.
    scan_n_sigma : float
        Half width of the scan range in errors.
    scan_values : array, optional
        The scan values, instead of the above.
    scale_method : {"scale10", "factor1", None}
        How `autoscale` chooses the scale: a power of ten, so that the factor is one, or not at all.
    interp : {"lin", "log", "sqrt"}
        Spacing of the scan values.
    prior : Prior, optional
        Prior on the value.
    scale_transform : {"lin", "sqrt", "log"}
        Function of the value which the optimiser sees.

    Raises
    ------
    ParameterError
        If the value is not a finite number, or an option is unknown.
    UnitError
        If the unit cannot be read.

    Examples
    --------
    >>> from geminga.modeling import Parameter
    >>> par = Parameter("reference", "1 TeV", frozen=True)
    >>> par.quantity
    <Quantity 1. TeV>
    """

    _type: str | None = None

    def __init__(
        self,
        name: str,
        value: Any,
        unit: str | u.UnitBase = "",
        scale: float = 1,
        min: Any = np.nan,
        max: Any = np.nan,
        frozen: bool = False,
        error: float = 0,
        scan_min: float | None = None,
        scan_max: float | None = None,
        scan_n_values: int = 11,
        scan_n_sigma: float = 2,
        scan_values: Any = None,
        scale_method: str | None = "scale10",
        interp: str = "lin",
        prior: Any = None,
        scale_transform: str = "lin",
    ) -> None:
        if not isinstance(name, str) or not name:
            msg = f"Parameter name {name!r} is a {type(name).__name__}; expected a non-empty string."
            raise ParameterError(msg)
        self._name = name
        self._link_label: str | None = None
        self._prior: Any = None
        self._scale = 1.0
        self._unit = parse_unit(unit, f"Unit of parameter {name!r}")
        self._set_value_and_unit(value)
        self.min = min
        self.max = max
        self.frozen = frozen
        self.error = error
        self.scan_min, self.scan_max, self.scan_values = scan_min, scan_max, scan_values
        self.scan_n_values, self.scan_n_sigma, self.interp = scan_n_values, scan_n_sigma, interp
        self.scale_method, self.scale_transform = scale_method, scale_transform
        self._scale = finite(scale, f"Scale of parameter {name!r}")
        self.prior = prior

    def _set_value_and_unit(self, value: Any) -> None:
        if isinstance(value, str):
            try:
                value = u.Quantity(value)
            except (TypeError, ValueError) as error:
                msg = f"Parameter {self._name!r} got value {value!r}; expected a number or something like '1 TeV'."
                raise ParameterError(msg) from error
            if value.unit == u.dimensionless_unscaled:
                value = value.value
        if isinstance(value, u.Quantity):
            self._unit = value.unit
            value = value.value
        self.value = value

    # The descriptor has no __get__ on purpose: models keep their parameters in their __dict__, and reading one is plain.
    def __set__(self, instance: Any, value: Parameter) -> None:
        if not isinstance(value, Parameter):
            msg = (
                f"{type(instance).__name__}.{self._name} is a Parameter and got {value!r}; "
                f"set its value with .{self._name}.value = ... or .{self._name}.quantity = ..."
            )
            raise ParameterError(msg)
        instance.__dict__[self._name] = value

    @property
    def name(self) -> str:
        """Name."""
        return self._name

    @property
    def type(self) -> str | None:
        """Kind of model it belongs to: "spectral", "spatial", "temporal" or None."""
        return self._type

    @property
    def value(self) -> float:
        """Value in `unit`.

        Raises
        ------
        ParameterError
            On setting what is not a finite number.
        """
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if type(value) is not float or not math.isfinite(value):
            value = finite(value, f"Value of parameter {self._name!r}")
        self._value = value

    @property
    def unit(self) -> u.UnitBase:
        """Unit; setting it does not change the value."""
        return self._unit

    @unit.setter
    def unit(self, unit: str | u.UnitBase) -> None:
        self._unit = parse_unit(unit, f"Unit of parameter {self._name!r}")

    @property
    def quantity(self) -> u.Quantity:
        """Value with unit; setting it takes over the unit of what is given, bounds and error are converted.

        Raises
        ------
        UnitError
            If its unit is not convertible to the present one.
        """
        return self._value * self._unit

    @quantity.setter
    def quantity(self, quantity: Any) -> None:
        try:
            quantity = u.Quantity(quantity)
            factor = self._unit.to(quantity.unit)
        except (TypeError, ValueError, u.UnitConversionError) as error:
            msg = f"Parameter {self._name!r} got {quantity!r}; expected a quantity convertible to '{self._unit}'."
            raise UnitError(msg) from error
        self.value = quantity.value
        if factor != 1:
            self._error *= factor
            self._min *= factor
            self._max *= factor
        self._unit = quantity.unit

    @property
    def error(self) -> float:
        """Standard error in `unit`."""
        return self._error

    @error.setter
    def error(self, value: Any) -> None:
        value = self._in_unit(value, "Error")
        if value < 0 or math.isinf(value):
            msg = f"Error of parameter {self._name!r} is {value}; expected a finite number >= 0, or NaN if unknown."
            raise ParameterError(msg)
        self._error = value

    @property
    def min(self) -> float:
        """Lower bound in `unit`, NaN for none."""
        return self._min

    @min.setter
    def min(self, value: Any) -> None:
        self._min = self._in_unit(value, "Lower bound")

    @property
    def max(self) -> float:
        """Upper bound in `unit`, NaN for none."""
        return self._max

    @max.setter
    def max(self, value: Any) -> None:
        self._max = self._in_unit(value, "Upper bound")

    def _in_unit(self, value: Any, what: str) -> float:
        """Number in the unit of the parameter; None is NaN."""
        what = f"{what} of parameter {self._name!r}"
        if value is None:
            return math.nan
        if isinstance(value, (u.Quantity, str)):
            try:
                quantity = u.Quantity(value)
                bare = quantity.unit == u.dimensionless_unscaled and not isinstance(value, u.Quantity)
                value = quantity.value if bare else quantity.to_value(self._unit)
            except (TypeError, ValueError, u.UnitConversionError) as error:
                msg = f"{what} got {value!r}; expected a number, or a quantity convertible to '{self._unit}'."
                raise UnitError(msg) from error
        return number(value, what)

    @property
    def frozen(self) -> bool:
        """Whether fits keep the value.

        Raises
        ------
        ParameterError
            On setting anything but True or False.
        """
        return self._frozen

    @frozen.setter
    def frozen(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            msg = f"frozen of parameter {self._name!r} got {value!r} of type {type(value).__name__}; expected True or False."
            raise ParameterError(msg)
        self._frozen = bool(value)

    @property
    def prior(self) -> Any:
        """Prior on the value, or None; a prior of limited support also sets `min` and `max`.

        Raises
        ------
        ParameterError
            On setting what is not a prior.
        """
        return self._prior

    @prior.setter
    def prior(self, value: Any) -> None:
        if value is not None and not (callable(value) and hasattr(value, "support")):
            msg = f"Prior of parameter {self._name!r} got {value!r}; expected a Prior such as GaussianPrior(mu=2, sigma=0.1)."
            raise ParameterError(msg)
        self._prior = value
        if value is not None and value.support is not None:
            self._min, self._max = value.support

    def prior_stat_sum(self) -> float:
        """Minus twice the logarithm of the prior at the value, 0 without prior."""
        return 0.0 if self._prior is None else float(self._prior(self))

    def set_lim(self, min: Any = None, max: Any = None) -> None:
        """Set the bounds which are given."""
        if min is not None:
            self.min = min
        if max is not None:
            self.max = max

    def check_limits(self) -> None:
        """Log a warning if the value is out of bounds.

        Raises
        ------
        ParameterError
            If the lower bound is above the upper one.
        """
        if self._min > self._max:
            msg = f"Parameter {self._name!r}: min {self._min:g} is above max {self._max:g}; set bounds with min <= max."
            raise ParameterError(msg)
        if self._value < self._min or self._value > self._max:
            log.warning(
                "Value %s is outside bounds [%s, %s] for parameter '%s'; set a value inside or wider bounds.",
                self._value,
                self._min,
                self._max,
                self._name,
            )

    def copy(self) -> Parameter:
        """Copy, which is linked to nothing."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(self.__dict__)
        new._prior = copy.deepcopy(self._prior, memo)
        return new

    to_dict = to_dict
    update_from_dict = update_from_dict

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name={self._name!r}, value={self._value!r}, factor={self.factor!r}, scale={self._scale!r}, "
            f"unit={self._unit!r}, min={self._min!r}, max={self._max!r}, frozen={self._frozen!r}, prior={self._prior!r}, "
            f"id={hex(id(self))})"
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
