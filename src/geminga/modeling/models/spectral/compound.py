"""Two spectra combined by an operator."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import FormatError, InputError, UnitError
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.create import Model
from geminga.modeling.models.derivative import Evaluator, Result, differentiate, in_canonical
from geminga.modeling.models.spectral.base import Array, SpectralModel
from geminga.modeling.models.spectral.constant import ConstantSpectralModel
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["CompoundSpectralModel"]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operators.add,
    "sub": operators.sub,
    "mul": operators.mul,
    "truediv": operators.truediv,
}


def _promote(value: Any, partner: SpectralModel, function: Callable[[Any, Any], Any]) -> SpectralModel:
    """A number as a constant: without dimension in a product, in the unit of the other side in a sum."""
    if isinstance(value, SpectralModel):
        return value
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.number, u.Quantity)) or np.ndim(value):
        msg = f"Cannot combine {type(partner).__name__} with {value!r}; expected a SpectralModel, a number or a Quantity."
        raise InputError(msg)
    if not isinstance(value, u.Quantity):
        product = function in {operators.mul, operators.truediv}
        value = u.Quantity(value, "" if product else partner(1 * u.TeV).unit)
    return ConstantSpectralModel(const=Parameter("const", value.value, unit=value.unit))


class CompoundSpectralModel(SpectralModel):
    """Combination of two spectral models.

    Made by arithmetic: ``model1 + model2``, ``model1 * 2``.

    Parameters
    ----------
    model1, model2 : `SpectralModel`
        The models.
    operator : callable
        A function of two values such as ``operator.mul``.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.modeling.models import PowerLawNormSpectralModel, PowerLawSpectralModel
    >>> model = PowerLawSpectralModel() * PowerLawNormSpectralModel(norm=2)
    >>> print(model(1 * u.TeV))
    2e-12 1 / (TeV s cm2)
    """

    tag = ["CompoundSpectralModel", "compound"]
    _dict_keys = frozenset({"type", "model1", "model2", "operator", "parameters"})

    def __init__(self, model1: SpectralModel, model2: SpectralModel, operator: Callable[[Any, Any], Any]) -> None:
        for model in (model1, model2):
            if not isinstance(model, SpectralModel):
                msg = f"CompoundSpectralModel got {model!r}; expected two SpectralModel objects."
                raise InputError(msg)
        self.model1 = model1
        self.model2 = model2
        self.operator = operator
        super().__init__()

    @classmethod
    def combine(cls, first: Any, second: Any, function: Callable[[Any, Any], Any]) -> Self:
        """Combine two models, or a model and a number."""
        partner = first if isinstance(first, SpectralModel) else second
        return cls(_promote(first, partner, function), _promote(second, partner, function), function)

    @property
    def parameters(self) -> Parameters:
        """Parameters of both models; a shared one stands twice."""
        return self.model1.parameters + self.model2.parameters

    @property
    def parameters_unique_names(self) -> list[str]:
        """Names with the model they belong to, such as "model1.index"."""
        names = [f"model1.{name}" for name in self.model1.parameters_unique_names]
        return names + [f"model2.{name}" for name in self.model2.parameters_unique_names]

    def _members(self) -> Iterable[Any]:
        return self.model1, self.model2

    def unfreeze(self) -> None:
        """Free the parameters which are free by default."""
        self.model1.unfreeze()
        self.model2.unfreeze()

    def __str__(self) -> str:
        name = getattr(self.operator, "__name__", str(self.operator))
        return f"{type(self).__name__}\n    Component 1 : {self.model1}\n    Component 2 : {self.model2}\n    Operator : {name}\n"

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`."""
        energy = as_energy(energy)
        return self._combined(self.model1(energy), self.model2(energy))

    def evaluate(self, energy: Any, *args: Any) -> Any:
        """Evaluate for parameter values in the order of `parameters`."""
        n = len(self.model1.parameters)
        return self._combined(self.model1.evaluate(energy, *args[:n]), self.model2.evaluate(energy, *args[n:]))

    def _combined(self, one: Any, other: Any) -> Any:
        try:
            return self.operator(one, other)
        except u.UnitConversionError as error:
            names = f"{type(self.model1).__name__} ('{one.unit}') and {type(self.model2).__name__} ('{other.unit}')"
            msg = f"CompoundSpectralModel: {self.operator.__name__} of {names} is not defined; multiply a spectrum with norms."
            raise UnitError(msg) from error

    def _break_energies(self, values: Array) -> Sequence[float]:
        n = len(self.model1.parameters)
        return (*self.model1._break_energies(values[:n]), *self.model2._break_energies(values[n:]))

    def dnde_evaluator(self, energy: ArrayLike) -> Evaluator:
        """Prepare the evaluation at fixed energies in TeV; see `SpectralModel.dnde_evaluator`."""
        if self.operator not in _RULES:
            return self._numerical_of(np.asarray(energy, dtype=float))
        first, second = self.model1.dnde_evaluator(energy), self.model2.dnde_evaluator(energy)
        return self._joined(first, second, _RULES[self.operator])

    def _numerical_of(self, energy: Array) -> Evaluator:
        """Numerical derivatives for an operator of the user's own."""
        parameters = self.parameters

        def function(values: Array) -> Array:
            args = [u.Quantity(v, par.unit) for v, par in zip(values, parameters, strict=True)]
            return np.broadcast_to(in_canonical(self.evaluate(energy * u.TeV, *args), None, type(self).__name__), energy.shape)

        return lambda values: differentiate(function, values, parameters)

    def _joined(self, first: Evaluator, second: Evaluator, rule: Callable[..., tuple[Any, Any, Any]]) -> Evaluator:
        n = len(self.model1.parameters)

        def evaluate(values: ArrayLike) -> Result:
            values = np.asarray(values, dtype=float)
            (a, da), (b, db) = first(values[:n]), second(values[n:])
            value, by_a, by_b = rule(a, b)
            return value, np.concatenate([da * by_a, db * by_b])

        return evaluate

    def _integral_evaluator(self, low: Array, high: Array, power: int = 0) -> Evaluator:
        rule = _RULES.get(self.operator)
        if self.operator in {operators.add, operators.sub} and rule is not None:
            return self._joined(
                self.model1._integral_evaluator(low, high, power), self.model2._integral_evaluator(low, high, power), rule
            )
        # A constant factor leaves the closed form of the other one as it is.
        if self.operator is operators.mul and _is_constant(self.model2):
            return self._joined(self.model1._integral_evaluator(low, high, power), self.model2.dnde_evaluator(low), _product)
        if self.operator is operators.mul and _is_constant(self.model1):
            return self._joined(self.model1.dnde_evaluator(low), self.model2._integral_evaluator(low, high, power), _product)
        if self.operator is operators.truediv and _is_constant(self.model2):
            return self._joined(self.model1._integral_evaluator(low, high, power), self.model2.dnde_evaluator(low), _quotient)
        return self._quadrature(low, high, power)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        name = getattr(self.operator, "__name__", "")
        if _OPERATORS.get(name) is not self.operator:
            msg = f"CompoundSpectralModel: operator {self.operator!r} cannot be written; known: {', '.join(_OPERATORS)}."
            raise FormatError(msg)
        return {
            "spectral": {
                "type": self.tag[0],
                "model1": self.model1.to_dict(full_output)["spectral"],
                "model2": self.model2.to_dict(full_output)["spectral"],
                "operator": name,
            }
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError
            If a part is missing or the operator is unknown.
        """
        entry = cls._entry(data, kwargs)
        missing = [key for key in ("model1", "model2", "operator") if key not in entry]
        if missing or entry["operator"] not in _OPERATORS:
            what = f"lacks {', '.join(missing)}" if missing else f"has operator {entry['operator']!r}"
            msg = f"CompoundSpectralModel: the entry {what}; expected model1, model2 and an operator of {', '.join(_OPERATORS)}."
            raise FormatError(msg)
        models = [Model.from_dict({"spectral": entry[key]}) for key in ("model1", "model2")]
        return cls(models[0], models[1], _OPERATORS[entry["operator"]])


def _is_constant(model: SpectralModel) -> bool:
    return type(model) is ConstantSpectralModel


def _sum(a: Array, b: Array) -> tuple[Any, Any, Any]:
    return a + b, 1.0, 1.0


def _difference(a: Array, b: Array) -> tuple[Any, Any, Any]:
    return a - b, 1.0, -1.0


def _product(a: Array, b: Array) -> tuple[Any, Any, Any]:
    return a * b, b, a


def _quotient(a: Array, b: Array) -> tuple[Any, Any, Any]:
    return a / b, 1 / b, -a / b**2


_RULES: dict[Any, Callable[..., tuple[Any, Any, Any]]] = {
    operators.add: _sum,
    operators.sub: _difference,
    operators.mul: _product,
    operators.truediv: _quotient,
}
