"""What every model is: a tag, parameters, a formula.

A model of one's own needs no more than that::

    class Kinked(SpectralModel):
        tag = ["Kinked", "kinked"]
        index = Parameter("index", 2)
        amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")

        @staticmethod
        def evaluate(energy, index, amplitude): ...

The parameters in the class body are the defaults; each instance holds its own copies, or takes over the `Parameter` it is given,
which links two models.
"""

from __future__ import annotations

import copy
import html
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from astropy import units as u

from geminga.errors import FormatError, GemingaError, NameLookupError, ParameterError, UnitError
from geminga.modeling.covariance import CovarianceMixin
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["ModelBase", "build_parameters", "named_file", "relink", "without_defaults"]

log = logging.getLogger(__name__)


class ModelBase(CovarianceMixin):
    """Base class of all models.

    Parameters
    ----------
    **kwargs
        Parameters by name: a number (in the default unit), a Quantity, a string such as ``"1 TeV"``, or a `Parameter`, which is
        then shared.

    Raises
    ------
    NameLookupError
        If there is no parameter of that name.
    UnitError
        If a unit is not convertible to that of the default.
    """

    tag: ClassVar[Any] = []
    _type: ClassVar[str | None] = None
    _dict_keys: ClassVar[frozenset[str]] = frozenset({"type", "parameters"})
    """Keys that the dictionary form may have."""
    _shared: ClassVar[frozenset[str]] = frozenset()
    """Attributes, such as large tables, which copies share unless ``copy_data`` is given."""
    _is_listed: ClassVar[bool] = False
    """Whether it stands in a `Models` list: it has a name and belongs to datasets."""
    default_parameters: Parameters = Parameters()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "default_parameters" in vars(cls):
            return
        found: dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Parameter):
                    found[name] = value
                elif name in found:
                    del found[name]
        for name, value in found.items():
            if name != value.name:
                msg = f"{cls.__name__}.{name} holds a Parameter named {value.name!r}; give both the same name."
                raise ParameterError(msg)
        cls.default_parameters = Parameters(found.values())

    def __init__(self, **kwargs: Any) -> None:
        names = self.default_parameters.names
        unknown = [name for name in kwargs if name not in names]
        if unknown:
            msg = (
                f"{type(self).__name__} has no parameter {', '.join(map(repr, unknown))}; "
                f"its parameters: {', '.join(names) or 'none'}."
            )
            raise NameLookupError(msg)
        for default in self.default_parameters:
            value = kwargs.get(default.name)
            if isinstance(value, Parameter):
                if value.name != default.name:
                    msg = f"{type(self).__name__}.{default.name} got a Parameter named {value.name!r}; the names must agree."
                    raise ParameterError(msg)
                parameter = value
            else:
                parameter = default.copy()
                if value is not None:
                    _assign(parameter, value, type(self).__name__)
            self._hold(parameter)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.default_parameters.names:
            self._check_link(name, value)
        super().__setattr__(name, value)

    def _check_link(self, name: str, value: Any) -> None:
        """Refuse what cannot take the place of a parameter."""
        owner = type(self).__name__
        if not isinstance(value, Parameter):
            msg = f"{owner}.{name} = {value!r} would replace the parameter; set {name}.value or .quantity, or give a Parameter."
            raise ParameterError(msg)
        present = self.__dict__.get(name)
        if present is not None:
            _check_unit(value, present.unit, owner)

    def _hold(self, parameter: Parameter) -> None:
        if parameter._type is None:
            parameter._type = self._type
        self.__dict__[parameter.name] = parameter

    def _holding(self, parameters: Iterable[Parameter]) -> Self:
        """The model itself, which now holds these parameters."""
        for parameter in parameters:
            self._hold(parameter)
        return self

    @property
    def type(self) -> str | None:
        """Kind of model: "spectral", "spatial", "temporal", "prior" or None."""
        return self._type

    @property
    def parameters(self) -> Parameters:
        """Parameters in the order of the class."""
        own = self.__dict__
        return Parameters(own[name] for name in self.default_parameters.names)

    @property
    def parameters_unique_names(self) -> list[str]:
        """Names which are unique within the model."""
        return self.parameters.names

    @property
    def frozen(self) -> bool:
        """Whether all parameters are frozen."""
        return all(parameter.frozen for parameter in self.parameters)

    def freeze(self) -> None:
        """Freeze all parameters."""
        self.parameters.freeze_all()

    def unfreeze(self) -> None:
        """Free the parameters which are free by default."""
        for parameter, default in zip(self.parameters, self.default_parameters, strict=True):
            parameter.frozen = default.frozen

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters.

        Parameters
        ----------
        parameters : `Parameters`
            The parameters, taken over as they are.
        **kwargs
            Further arguments of the class.
        """
        return cls(**{parameter.name: parameter for parameter in parameters}, **kwargs)

    def copy(self, **kwargs: Any) -> Self:
        """Copy, linked to nothing; the covariance is kept.

        Parameters
        ----------
        **kwargs
            New values for some parameters; ``copy_data=True`` also copies tables and maps, which are shared otherwise.
        """
        copy_data = kwargs.pop("copy_data", False)
        new = copy.deepcopy(self)
        if copy_data:
            new.__dict__.update({name: copy.deepcopy(self.__dict__[name]) for name in self._shared if name in self.__dict__})
        for name, value in kwargs.items():
            _assign(new.parameters[name], value, type(self).__name__)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        for name, value in self.__dict__.items():
            new.__dict__[name] = value if name in self._shared else copy.deepcopy(value, memo)
        return new

    def reassign(self, datasets_names: Any, new_datasets_names: Any) -> Self:
        """Copy which is assigned to other datasets; only `SkyModel` and background models are assigned to any."""
        return self.copy()

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files.

        Parameters
        ----------
        full_output : bool
            Also give what is as by default.
        """
        parameters = self.parameters.to_dict()
        if not full_output:
            parameters = [
                without_defaults(entry, default.to_dict())
                for entry, default in zip(parameters, self.default_parameters, strict=True)
            ]
        data = {"type": self._long_tag(), "parameters": parameters}
        return data if self._type is None else {self._type: data}

    @classmethod
    def _long_tag(cls) -> str:
        return cls.tag if isinstance(cls.tag, str) else (cls.tag[0] if cls.tag else cls.__name__)

    @classmethod
    def _entry(cls, data: Mapping[str, Any], known: Iterable[str] = ()) -> Mapping[str, Any]:
        """Part of a dictionary which describes this model, with its keys and its type checked."""
        entry = data.get(cls._type, data) if cls._type is not None else data
        if not isinstance(entry, Mapping):
            msg = f"{cls.__name__}: expected a mapping with keys such as 'type' and 'parameters', got {entry!r}."
            raise FormatError(msg)
        tags = {cls.__name__, *([cls.tag] if isinstance(cls.tag, str) else cls.tag)}
        if "type" in entry and entry["type"] not in tags:
            msg = f"Invalid model type {entry['type']!r} for class {cls.__name__}; expected one of {', '.join(sorted(tags))}."
            raise FormatError(msg)
        allowed = cls._dict_keys | frozenset(known)
        unknown = sorted(str(key) for key in entry if key not in allowed)
        if unknown:
            msg = f"{cls.__name__}: unknown key {', '.join(map(repr, unknown))}; known keys: {', '.join(sorted(allowed))}."
            raise NameLookupError(msg)
        return entry

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Parameters
        ----------
        data : dict
            With or without the kind of model as outer key.
        **kwargs
            Further arguments of the class.

        Raises
        ------
        NameLookupError, FormatError, ParameterError, UnitError
            Naming the model, what came and what is known.
        """
        entry = cls._entry(data, kwargs)
        parameters = build_parameters(entry.get("parameters") or [], cls.default_parameters, cls.__name__)
        return cls.from_parameters(parameters, **kwargs)

    def __str__(self) -> str:
        text = f"{type(self).__name__}\n\n"
        if len(self.parameters):
            rows = self.parameters.to_table().pformat(max_lines=-1, max_width=-1)
            text += "\n".join(row.rstrip() for row in rows)
        return text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _assign(parameter: Parameter, value: Any, owner: str) -> None:
    """Set a parameter from what a user gave, whose unit must have the dimension of the present one."""
    default = parameter.unit
    parameter._set_value_and_unit(value)
    _check_unit(parameter, default, owner)


def _check_unit(parameter: Parameter, default: u.UnitBase, owner: str) -> None:
    if not parameter.unit.is_equivalent(default):
        msg = f"{owner}: parameter {parameter.name!r} has unit '{parameter.unit}'; expected one convertible to '{default}'."
        raise UnitError(msg)


def without_defaults(entry: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Drop what equals the default, and a unit that is none anyway."""

    def same(a: Any, b: Any) -> bool:
        both_nan = isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)
        return both_nan or (type(a) is type(b) and a == b) or (a == b == 0)

    kept = dict(entry)
    for key in ("error", "min", "max", "frozen", "interp", "scale_method", "scale_transform"):
        if key in kept and same(kept[key], default.get(key)):
            del kept[key]
    if kept.get("unit") == "" and default.get("unit") == "":
        del kept["unit"]
    return kept


def named_file(entry: Mapping[str, Any], content: str, owner: str) -> Any:
    """File which an entry of a model file names.

    Raises
    ------
    FormatError
        If it names none.
    """
    if not entry.get("filename"):
        msg = f"{owner}: the entry has no 'filename'; expected the file of the {content}."
        raise FormatError(msg)
    return entry["filename"]


def build_parameters(data: Sequence[Mapping[str, Any]], defaults: Parameters, owner: str) -> Parameters:
    """Copies of the default parameters, updated from the entries of a file.

    Parameters
    ----------
    data : list of dict
        Entries with the key "name".
    defaults : `Parameters`
        Parameters of the class; those not in the file keep their default, with a warning in the log.
    owner : str
        Class, for messages.

    Raises
    ------
    FormatError
        If `data` is not a list of mappings with a name.
    NameLookupError
        If a name is not among the defaults, or stands twice, or a key is unknown.
    ParameterError, UnitError
        If a value or unit cannot be right.
    """
    entries: dict[str, Mapping[str, Any]] = {}
    if isinstance(data, (str, Mapping)) or not isinstance(data, Sequence):
        msg = f"{owner}: 'parameters' got {data!r}; expected a list of mappings with 'name' and 'value'."
        raise FormatError(msg)
    for entry in data:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            msg = f"{owner}: parameter entry {entry!r}; expected a mapping with 'name' and 'value'."
            raise FormatError(msg)
        name = entry["name"]
        if name in entries or name not in defaults.names:
            what = "stands twice" if name in entries else "is unknown"
            msg = f"{owner}: parameter {name!r} {what}; known parameters: {', '.join(defaults.names) or 'none'}."
            raise NameLookupError(msg)
        entries[name] = entry
    parameters = defaults.copy()
    for parameter in parameters:
        default = parameter.unit
        found = entries.get(parameter.name)
        if found is None:
            log.warning(
                "%s: parameter '%s' is not in the file; using the default %s %s.", owner, parameter.name, parameter.value, default
            )
            continue
        try:
            parameter.update_from_dict(dict(found))
        except GemingaError as error:
            error.args = (f"{owner}: {error}",)
            raise
        _check_unit(parameter, default, owner)
    return parameters


def relink(model: ModelBase, substitutes: Mapping[Parameter, Parameter]) -> None:
    """Let a model hold other parameter objects: each key is replaced by its value, at any depth."""
    for member in model._members():
        if isinstance(member, ModelBase):
            relink(member, substitutes)
    own = model.__dict__
    for name in model.default_parameters.names:
        if name in own and own[name] in substitutes:
            own[name] = substitutes[own[name]]
