"""Where a parameter is looked at in scans and in the search for limits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import ParameterError
from geminga.modeling.parameter_checks import TRANSFORMS, finite, one_of

__all__ = ["ScannedNumber"]

INTERPOLATIONS = ("lin", "log", "sqrt")


class ScannedNumber:
    """The part of `Parameter` about scans."""

    _name: str
    _value: float
    _error: float
    _min: float
    _max: float
    _unit: u.UnitBase
    _scan_min: float | None
    _scan_max: float | None
    _scan_n_sigma: float
    _scan_values: NDArray[np.float64] | None
    scan_n_values: int

    @property
    def interp(self) -> str:
        """Spacing of the scan values."""
        return self._interp

    @interp.setter
    def interp(self, value: str) -> None:
        self._interp: str = one_of(value, INTERPOLATIONS, f"interp of parameter {self._name!r}")

    @property
    def scan_min(self) -> float:
        """Lowest scan value."""
        return self._value - self._error * self._scan_n_sigma if self._scan_min is None else self._scan_min

    @scan_min.setter
    def scan_min(self, value: float | None) -> None:
        self._scan_min = value

    @property
    def scan_max(self) -> float:
        """Highest scan value."""
        return self._value + self._error * self._scan_n_sigma if self._scan_max is None else self._scan_max

    @scan_max.setter
    def scan_max(self, value: float | None) -> None:
        self._scan_max = value

    @property
    def scan_n_sigma(self) -> float:
        """Half width of the scan range in errors."""
        return self._scan_n_sigma

    @scan_n_sigma.setter
    def scan_n_sigma(self, value: float) -> None:
        self._scan_n_sigma = finite(value, f"scan_n_sigma of parameter {self._name!r}")

    @property
    def scan_values(self) -> NDArray[np.float64]:
        """Values of a likelihood scan in `unit`.

        Raises
        ------
        ParameterError
            If the range has no extent (no error is known), or reaches below zero with ``interp="log"`` or ``"sqrt"``.
        """
        if self._scan_values is not None:
            return self._scan_values
        low, high = self.scan_min, self.scan_max
        if low == high and self.scan_n_values > 1:
            msg = (
                f"Parameter {self._name!r}: the scan range is {low:g} only, as its error is {self._error:g}; "
                "fit it first, or set its error, scan_min and scan_max, or scan_values."
            )
            raise ParameterError(msg)
        if (self.interp == "log" and low <= 0) or (self.interp == "sqrt" and low < 0) or not low <= high:
            msg = (
                f"Parameter {self._name!r}: scan range [{low:g}, {high:g}] cannot be spaced as interp={self.interp!r}; "
                "set scan_min and scan_max, or scan_values."
            )
            raise ParameterError(msg)
        forward, back = TRANSFORMS[self.interp]
        nodes = np.linspace(forward(low), forward(high), self.scan_n_values)
        return np.array([back(node) for node in nodes])

    @scan_values.setter
    def scan_values(self, values: Any) -> None:
        if values is None:
            self._scan_values = None
            return
        try:
            values = np.asarray(values.to_value(self._unit) if isinstance(values, u.Quantity) else values, dtype=float)
        except (TypeError, ValueError) as error:
            msg = f"scan_values of parameter {self._name!r} got {values!r}; expected numbers in '{self._unit}'."
            raise ParameterError(msg) from error
        if values.ndim != 1 or not np.isfinite(values).all():
            msg = f"scan_values of parameter {self._name!r} got {values!r}; expected a one-dimensional array of finite numbers."
            raise ParameterError(msg)
        self._scan_values = values

    @property
    def conf_min(self) -> float:
        """Lower end of the search for a confidence limit."""
        return self._value - 1e5 * self._reach() if math.isnan(self._min) else self._min

    @property
    def conf_max(self) -> float:
        """Upper end of the search for a confidence limit."""
        return self._value + 1e5 * self._reach() if math.isnan(self._max) else self._max

    def _reach(self) -> float:
        error = 0.0 if math.isnan(self._error) else self._error
        return max(abs(self._value), error) or 1.0
