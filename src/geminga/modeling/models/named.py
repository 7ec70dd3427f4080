"""What stands in a `Models` list: something with a name, made of component models, and assigned to datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

from geminga.errors import InputError, NameLookupError
from geminga.modeling.covariance import translated
from geminga.modeling.models.base import ModelBase
from geminga.modeling.models.collection import Models
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.modeling.registry import COMPONENT_REGISTRIES
from geminga.utils.names import make_name

__all__ = ["NamedModel", "as_component", "as_names", "component_from_dict"]


def as_names(names: Any) -> list[str] | None:
    """List of names from a name, a list of names, or None.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [None]
    if not all(isinstance(name, str) for name in listed):
        msg = f"datasets_names got {names!r}; expected a name, a list of names, or None for all datasets."
        raise InputError(msg)
    return listed  # type: ignore[return-value]


def as_component(model: Any, kind: str, owner: str, optional: bool = True) -> Any:
    """Check that a model is of a kind ("spectral", "spatial", "temporal"), or None where that is allowed.

    Raises
    ------
    InputError
        Otherwise.
    """
    if (model is None and optional) or (isinstance(model, ModelBase) and model.type == kind):
        return model
    msg = f"{owner}: {kind}_model got {model!r}; expected a {kind} model{' or None' if optional else ''}."
    raise InputError(msg)


def component_from_dict(data: Any, kind: str) -> Any:
    """Spectral, spatial or temporal model from the part of a file that describes it; None from None.

    Raises
    ------
    NameLookupError
        If the type is unknown; the message lists what is known.
    """
    if data is None:
        return None
    if not isinstance(data, dict) or "type" not in data:
        msg = f"{kind}: got {data!r}; expected a mapping with the key 'type'."
        raise NameLookupError(msg)
    return COMPONENT_REGISTRIES[kind].get_cls(data["type"]).from_dict({kind: data})


class NamedModel(ModelBase):
    """Base of models with a name and datasets: `SkyModel` and the background models."""

    _is_listed = True
    is_systematic: ClassVar[bool] = False  # predicts nothing itself, but acts on what the other models predict
    _kinds: ClassVar[tuple[str, ...]] = ("spectral", "spatial", "temporal")
    _name: str
    _datasets_names: list[str] | None = None

    @property
    def name(self) -> str:
        """Name, unique within a `Models`."""
        return self._name

    @property
    def datasets_names(self) -> list[str] | None:
        """Names of the datasets it belongs to, None for all."""
        return self._datasets_names

    @datasets_names.setter
    def datasets_names(self, names: Any) -> None:
        self._datasets_names = as_names(names)

    def _components(self) -> Iterator[tuple[str, Any]]:
        """Kind and model of each component which is there."""
        for kind in self._kinds:
            model = getattr(self, f"{kind}_model")
            if model is not None:
                yield kind, model

    def _members(self) -> list[Any]:
        return [model for _, model in self._components()]

    @property
    def parameters(self) -> Parameters:
        """Parameters of all components."""
        return Parameters.from_stack(model.parameters for _, model in self._components())

    @property
    def parameters_unique_names(self) -> list[str]:
        """Names such as "spectral.index"."""
        return [f"{kind}.{name}" for kind, model in self._components() for name in model.parameters_unique_names]

    def _selected(self, model_type: Any) -> list[Any]:
        kinds = self._kinds if model_type is None else ([model_type] if isinstance(model_type, str) else list(model_type))
        unknown = [kind for kind in kinds if kind not in COMPONENT_REGISTRIES]
        if unknown:
            msg = f"{type(self).__name__} {self.name!r}: model_type {unknown[0]!r} is unknown; "
            msg += f"known: {', '.join(COMPONENT_REGISTRIES)}, or None for all."
            raise NameLookupError(msg)
        return [model for kind, model in self._components() if kind in kinds]

    def freeze(self, model_type: Any = None) -> None:
        """Freeze the parameters of some components.

        Parameters
        ----------
        model_type : {"spectral", "spatial", "temporal"}, optional
            Which component, all if None.

        Raises
        ------
        NameLookupError
            If the kind is unknown.
        """
        for model in self._selected(model_type):
            model.freeze()

    def unfreeze(self, model_type: Any = None) -> None:
        """Free those parameters of some components which are free by default; arguments as of `freeze`."""
        for model in self._selected(model_type):
            model.unfreeze()

    def reassign(self, datasets_names: Any, new_datasets_names: Any) -> Self:
        """Copy of the same name which belongs to other datasets.

        Parameters
        ----------
        datasets_names, new_datasets_names : str or list of str
            Names to replace, and what to put in their place.
        """
        substitutes = dict(zip(as_names(datasets_names) or [], as_names(new_datasets_names) or [], strict=True))
        new = self.copy(name=self.name)
        if new.datasets_names is not None:
            new.datasets_names = [substitutes.get(name, name) for name in new.datasets_names]
        return new

    def _remade(self, arguments: dict[str, Any], kwargs: dict[str, Any], copy_data: bool) -> Self:
        """Model of the same class from copied components and arguments; those in `kwargs` win."""
        components = {
            f"{kind}_model": model.copy(copy_data=copy_data)
            for kind, model in self._components()
            if f"{kind}_model" not in kwargs
        }
        new = type(self)(**(components | arguments | kwargs))
        if "covariance_data" not in kwargs:
            new._take_blocks(self)
        return new

    def _take_blocks(self, other: NamedModel) -> None:
        """Keep the covariance of another model whose components have been copied."""
        substitutes: dict[Parameter, Parameter] = {}
        theirs = dict(other._components())
        for kind, model in self._components():
            source = theirs.get(kind)
            if source is not None and source.parameters.names == model.parameters.names:
                substitutes.update(zip(source.parameters, model.parameters, strict=True))
        self._blocks = translated(other._blocks, substitutes)

    def _header_lines(self) -> list[tuple[str, str]]:
        """Labels and texts that stand above the parameters."""
        return [("Name", self.name), ("Datasets names", str(self.datasets_names))]

    def __str__(self) -> str:
        lines = [f"  {label:26}: {text}".rstrip() for label, text in self._header_lines()]
        lines.append("  Parameters:")
        lines += [f"    {_parameter_line(parameter)}" for parameter in self.parameters]
        return "\n".join([type(self).__name__, "", *lines]) + "\n\n"

    def __repr__(self) -> str:
        parts = ", ".join(f"{kind}_model={type(model).__name__}" for kind, model in self._components())
        return f"{type(self).__name__}(name={self.name!r}, {parts})"

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, (NamedModel, Sequence)) or isinstance(other, str):
            return NotImplemented
        return Models([self]) + other

    @staticmethod
    def _checked_name(name: str | None) -> str:
        return make_name(name)


def _parameter_line(parameter: Parameter) -> str:
    """One parameter: name or link, value, error, unit."""
    label = parameter._link_label or parameter.name
    size = abs(parameter.value)
    scientific = parameter.name == "amplitude" or 0 < size < 1e-3 or size >= 1e6
    value, error = ("10.2e", "7.1e") if scientific else ("10.3f", "7.2f")
    frozen = "(frozen)" if parameter.frozen else ""
    shown = " " * 6 if parameter.frozen else f"   +/- {parameter.error:{error}}"
    return f"{label:22}{frozen:8}: {parameter.value:{value}}{shown} {parameter.unit}".rstrip()
