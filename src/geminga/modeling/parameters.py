"""Sequences of parameters, as models and containers of models offer them."""

from __future__ import annotations

import contextlib
import html
import itertools
import secrets
import string
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError, ParameterError
from geminga.modeling.parameter import Parameter
from geminga.modeling.prior_parameter import PriorParameter

__all__ = ["Parameters", "PriorParameters"]

_LETTERS = string.ascii_letters + string.digits
_Self = TypeVar("_Self", bound="Parameters")


class Parameters(Sequence[Parameter]):
    """Sequence of parameters; linked ones stand in it several times as the same object.

    Parameters
    ----------
    parameters : iterable of Parameter
        The parameters.

    Raises
    ------
    InputError
        If one is not a `Parameter`.

    Examples
    --------
    >>> from geminga.modeling import Parameter, Parameters
    >>> pars = Parameters([Parameter("index", 2), Parameter("norm", 1, frozen=True)])
    >>> pars["norm"].frozen, pars.value
    (True, array([2., 1.]))
    """

    _kind: type[Parameter] = Parameter

    def __init__(self, parameters: Iterable[Parameter] | None = None) -> None:
        self._parameters: list[Parameter] = list(parameters) if parameters is not None else []
        for item in self._parameters:
            if not isinstance(item, Parameter):
                msg = f"{type(self).__name__} got {item!r} of type {type(item).__name__}; expected Parameter objects."
                raise InputError(msg)

    @classmethod
    def from_stack(cls: type[_Self], parameters_list: Iterable[Iterable[Parameter]]) -> _Self:
        """Join several sequences into one."""
        return cls(itertools.chain.from_iterable(parameters_list))

    @classmethod
    def from_dict(cls: type[_Self], data: Sequence[dict[str, Any]]) -> _Self:
        """Make parameters from a list of dictionaries; equal ``link`` labels give one object."""
        parameters: list[Parameter] = []
        linked: dict[str, Parameter] = {}
        for entry in data:
            parameter = cls._kind(name=entry["name"], value=entry.get("value", 0.0))
            parameter.update_from_dict(entry)
            label = entry.get("link")
            parameters.append(linked.setdefault(label, parameter) if label else parameter)
        return cls(parameters)

    def to_dict(self) -> list[dict[str, Any]]:
        """One dictionary for each parameter."""
        return [parameter.to_dict() for parameter in self._parameters]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._parameters)

    @overload
    def __getitem__(self, key: str | int | Parameter) -> Parameter: ...

    @overload
    def __getitem__(self: _Self, key: slice) -> _Self: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(self._parameters[key])
        return self._parameters[self.index(key)]

    def index(self, val: Any, *args: Any) -> int:
        """Position of a parameter, given by name, by object or by position.

        Raises
        ------
        NameLookupError
            If there is none; the message lists the names.
        """
        if isinstance(val, str):
            for position, parameter in enumerate(self._parameters):
                if parameter.name == val:
                    return position
            msg = f"No parameter {val!r}; known names: {', '.join(dict.fromkeys(self.names)) or 'none'}."
            raise NameLookupError(msg)
        if isinstance(val, Parameter):
            for position, parameter in enumerate(self._parameters):
                if parameter is val:
                    return position
            msg = f"Parameter {val.name!r} is not among these; they are: {', '.join(self.names) or 'none'}."
            raise NameLookupError(msg)
        position = range(len(self._parameters))[val]
        return position

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return item in self.names
        return any(parameter is item for parameter in self._parameters)

    def __add__(self: _Self, other: Iterable[Parameter]) -> _Self:
        return type(self)([*self._parameters, *other])

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same objects in the same order."""
        if not isinstance(other, Parameters):
            return NotImplemented
        return len(self) == len(other) and all(a is b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    @property
    def names(self) -> list[str]:
        """Name of each."""
        return [parameter.name for parameter in self._parameters]

    @property
    def types(self) -> list[str | None]:
        """Kind of model of each."""
        return [parameter.type for parameter in self._parameters]

    @property
    def prior(self) -> list[Any]:
        """Prior of each, None for none."""
        return [parameter.prior for parameter in self._parameters]

    def prior_stat_sum(self) -> float:
        """Sum of minus twice the logarithm of the priors; each parameter counts once."""
        return sum(parameter.prior_stat_sum() for parameter in dict.fromkeys(self._parameters))

    @property
    def value(self) -> NDArray[np.float64]:
        """Values, each in its own unit; settable from an array of the same length."""
        return np.array([parameter.value for parameter in self._parameters], dtype=float)

    @value.setter
    def value(self, values: Any) -> None:
        self._set_all("value", values)

    @property
    def min(self) -> NDArray[np.float64]:
        """Lower bounds."""
        return np.array([parameter.min for parameter in self._parameters], dtype=float)

    @min.setter
    def min(self, values: Any) -> None:
        self._set_all("min", values)

    @property
    def max(self) -> NDArray[np.float64]:
        """Upper bounds."""
        return np.array([parameter.max for parameter in self._parameters], dtype=float)

    @max.setter
    def max(self, values: Any) -> None:
        self._set_all("max", values)

    def _set_all(self, attribute: str, values: Any) -> None:
        values = np.asarray(values, dtype=float)
        if values.shape != (len(self),) or (attribute == "value" and not np.isfinite(values).all()):
            msg = f"Parameters.{attribute} got {values!r}; expected {len(self)} finite numbers, one for each parameter."
            raise ParameterError(msg)
        for parameter, value in zip(self._parameters, values.tolist(), strict=True):
            setattr(parameter, attribute, value)

    @property
    def unique_parameters(self: _Self) -> _Self:
        """Each object once."""
        return type(self)(dict.fromkeys(self._parameters))

    @property
    def free_parameters(self: _Self) -> _Self:
        """Those not frozen."""
        return type(self)(parameter for parameter in self._parameters if not parameter.frozen)

    @property
    def free_unique_parameters(self: _Self) -> _Self:
        """Those not frozen, each object once."""
        return type(self)(parameter for parameter in dict.fromkeys(self._parameters) if not parameter.frozen)

    def select(self: _Self, name: Any = None, type: Any = None, frozen: bool | None = None) -> _Self:
        """Those which fulfil all conditions given.

        Parameters
        ----------
        name, type : str or list of str
            Names, kinds of model.
        frozen : bool
            Whether frozen.
        """
        names = [name] if isinstance(name, str) else name
        types = [type] if isinstance(type, str) else type
        return self.__class__(
            parameter
            for parameter in self._parameters
            if (names is None or parameter.name in names)
            and (types is None or parameter.type in types)
            and (frozen is None or parameter.frozen == frozen)
        )

    def copy(self: _Self) -> _Self:
        """Copy of all parameters; those linked here stay linked among the copies."""
        copies = {parameter: parameter.copy() for parameter in dict.fromkeys(self._parameters)}
        return type(self)(copies[parameter] for parameter in self._parameters)

    def freeze_all(self) -> None:
        """Freeze all."""
        for parameter in self._parameters:
            parameter.frozen = True

    def unfreeze_all(self) -> None:
        """Free all, also those frozen by default."""
        for parameter in self._parameters:
            parameter.frozen = False

    def check_limits(self) -> None:
        """See `Parameter.check_limits`."""
        for parameter in dict.fromkeys(self._parameters):
            parameter.check_limits()

    def autoscale(self) -> None:
        """See `Parameter.autoscale`."""
        for parameter in dict.fromkeys(self._parameters):
            parameter.autoscale()

    def set_parameter_factors(self, factors: Sequence[float]) -> None:
        """Set the factors of the free, unique parameters."""
        for parameter, factor in zip(self.free_unique_parameters, factors, strict=True):
            parameter.factor = factor

    @contextlib.contextmanager
    def restore_status(self, restore_values: bool = True) -> Iterator[None]:
        """Context in which parameters may be changed and freezed at will; all is put back at its end.

        Parameters
        ----------
        restore_values : bool
            Also put back values and errors.
        """
        before = [(p, p.value, p.error, p.frozen) for p in dict.fromkeys(self._parameters)]
        try:
            yield
        finally:
            for parameter, value, error, frozen in before:
                parameter.frozen = frozen
                if restore_values:
                    parameter.value = value
                    parameter.error = error

    def update_link_label(self) -> None:
        """Give each parameter which stands several times a label, and take it from the others."""
        counts: dict[Parameter, int] = {}
        for parameter in self._parameters:
            counts[parameter] = counts.get(parameter, 0) + 1
        for parameter, count in counts.items():
            if count == 1:
                parameter._link_label = None
            elif parameter._link_label is None:
                parameter._link_label = f"{parameter.name}@{''.join(secrets.choice(_LETTERS) for _ in range(8))}"

    def to_table(self) -> Any:
        """Table with the columns type, name, value, unit, error, min, max, frozen, link and prior.

        Returns
        -------
        table : `~astropy.table.Table`
            One row for each parameter.
        """
        from astropy.table import Table

        self.update_link_label()
        columns = {
            "type": [parameter.type or "" for parameter in self],
            "name": self.names,
            "value": self.value,
            "unit": [parameter.unit.to_string("fits") for parameter in self],
            "error": np.array([parameter.error for parameter in self], dtype=float),
            "min": self.min,
            "max": self.max,
            "frozen": np.array([parameter.frozen for parameter in self], dtype=bool),
            "link": [parameter._link_label or "" for parameter in self],
            "prior": ["" if prior is None else type(prior).__name__ for prior in self.prior],
        }
        return _formatted(Table(columns, dtype=[_dtype(name) for name in columns]))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _dtype(name: str) -> type:
    return {"value": float, "error": float, "min": float, "max": float, "frozen": bool}.get(name, str)


def _formatted(table: Any) -> Any:
    for name, form in {"value": ".4e", "error": ".3e", "min": ".3e", "max": ".3e"}.items():
        table[name].format = form
    return table


class PriorParameters(Parameters):
    """Sequence of `PriorParameter` objects; arguments as of `Parameters`."""

    _kind = PriorParameter

    def to_table(self) -> Any:
        """Table with the columns type, name, value, unit, error, min and max."""
        table = super().to_table()
        table.remove_columns(["frozen", "link", "prior"])
        return table
