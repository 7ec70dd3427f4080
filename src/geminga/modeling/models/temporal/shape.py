"""What models with a formula in the time since a reference share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike, NDArray

from geminga.modeling.models.derivative import Evaluator, Result
from geminga.modeling.models.temporal.base import TemporalModel

__all__ = ["ShapeTemporalModel", "days", "since"]

Array = NDArray[np.float64]


def days(value: Any) -> Any:
    """Float in days."""
    return u.Quantity(value).to_value("d")


def since(time: Any, t_ref: Any) -> Array:
    """Days from the reference; both are Quantities or numbers in days."""
    return np.asarray((u.Quantity(time, "d") - u.Quantity(t_ref, "d")).value, dtype=float)


class ShapeTemporalModel(TemporalModel):
    """Base of models which are a function of the time since ``t_ref``.

    A subclass gives the function and its integral (see `geminga.numerics.light_curves`); they take the parameters other than
    ``t_ref`` in the order and the units of the class.
    """

    _shape: ClassVar[Callable[..., Array]]
    _shape_integral: ClassVar[Callable[..., Result]]

    def _interval_evaluator(self, low: Array, high: Array, origin: float, energy: Array | None, n_nodes: int) -> Evaluator:
        if not self._is_own_integral:
            return super()._interval_evaluator(low, high, origin, energy, n_nodes)
        pairs = zip(self.parameters, self.default_parameters, strict=True)
        factors = np.array([par.unit.to(default.unit) for par, default in pairs])
        place = self.parameters.names.index("t_ref")
        shape, integral = type(self)._shape, type(self)._shape_integral

        def evaluate(values: ArrayLike) -> Result:
            own = (np.asarray(values, dtype=float) * factors).tolist()
            reference = own.pop(place) - origin
            a, b = low - reference, high - reference
            value, rows = integral(a, b, *own)
            gradient = np.insert(rows, place, shape(a, *own) - shape(b, *own), axis=0)
            return value, gradient * factors[:, None]

        return evaluate

    @property
    def _is_own_integral(self) -> bool:
        """Whether the integral belongs to the `evaluate` in force, which a subclass may have replaced."""
        for cls in type(self).__mro__:
            if "_shape_integral" in vars(cls):
                return True
            if "evaluate" in vars(cls):
                return False
        return False
