"""A parameter as an optimiser sees it: a factor of order one. Nothing else depends on it."""

from __future__ import annotations

import math

from geminga.modeling.parameter_checks import TRANSFORMS, finite, one_of

__all__ = ["ScaledNumber"]

SCALE_METHODS = ("scale10", "factor1", None)


class ScaledNumber:
    """The part of `Parameter` about scale and factor."""

    _name: str
    _value: float
    _min: float
    _max: float
    _scale: float
    value: float

    @property
    def scale(self) -> float:
        """Scale of `factor`."""
        return self._scale

    @property
    def scale_method(self) -> str | None:
        """How `autoscale` chooses the scale."""
        return self._scale_method

    @scale_method.setter
    def scale_method(self, value: str | None) -> None:
        self._scale_method = one_of(value, SCALE_METHODS, f"scale_method of parameter {self._name!r}")
        self._scale = 1.0

    @property
    def scale_transform(self) -> str:
        """Function of the value which `factor` shows."""
        return self._scale_transform

    @scale_transform.setter
    def scale_transform(self, value: str) -> None:
        self._scale_transform: str = one_of(value, tuple(TRANSFORMS), f"scale_transform of parameter {self._name!r}")
        self._scale = 1.0

    def transform(self, value: float, update_scale: bool = False) -> float:
        """Factor which belongs to a value."""
        if update_scale:
            self.update_scale(value)
        return float(TRANSFORMS[self._scale_transform][0](value) / self._scale)

    def inverse_transform(self, factor: float) -> float:
        """Value which belongs to a factor."""
        return float(TRANSFORMS[self._scale_transform][1](factor * self._scale))

    def update_scale(self, value: float) -> None:
        """Choose the scale for a value as `scale_method` says; no change if that gives 0."""
        number = abs(TRANSFORMS[self._scale_transform][0](value))
        if self._scale_method == "scale10" and number > 0:
            self._scale = 10.0 ** math.floor(math.log10(number))
        elif self._scale_method == "factor1" and number > 0:
            self._scale = number

    def autoscale(self) -> None:
        """Choose the scale so that `factor` is of order one; the value stays."""
        self.update_scale(self._value)

    def reset_autoscale(self) -> None:
        """Scale 1 and no transformation; the value stays."""
        self._scale_transform = "lin"
        self._scale = 1.0

    @property
    def factor(self) -> float:
        """Value as the optimiser sees it; equal to the value unless `autoscale` was called."""
        return self.transform(self._value)

    @factor.setter
    def factor(self, factor: float) -> None:
        self.value = self.inverse_transform(finite(factor, f"Factor of parameter {self._name!r}"))

    @property
    def factor_min(self) -> float:
        """Lower bound of the factor, NaN for none."""
        return self.transform(self._min)

    @property
    def factor_max(self) -> float:
        """Upper bound of the factor, NaN for none."""
        return self.transform(self._max)
