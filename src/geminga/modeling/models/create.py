"""Models of any kind from a tag or a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geminga.errors import FormatError, NameLookupError
from geminga.modeling import registry

__all__ = ["Model"]

_REGISTRIES: dict[Any, registry.ModelRegistry] = {
    None: registry.MODEL_REGISTRY,
    **registry.COMPONENT_REGISTRIES,
    "prior": registry.PRIOR_REGISTRY,
}


class Model:
    """Makers of models of any kind."""

    @staticmethod
    def create(tag: str, model_type: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Make a model from its tag.

        Parameters
        ----------
        tag : str
            Long or short tag, such as "PowerLawSpectralModel" or "pl".
        model_type : {None, "spectral", "spatial", "temporal", "prior"}
            Kind of model; None for `SkyModel` and background models.
        *args, **kwargs
            Arguments of the class.

        Raises
        ------
        NameLookupError
            If the kind or tag is unknown; the message lists what is known.

        Examples
        --------
        >>> from geminga.modeling.models import Model
        >>> Model.create("pl", "spectral", index=2.3).index.value
        2.3
        """
        return _registry(model_type).get_cls(tag)(*args, **kwargs)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Any:
        """Make a model of any kind from a dictionary as ``to_dict`` gives it.

        Raises
        ------
        NameLookupError, FormatError
            If the type is missing or unknown.
        """
        if not isinstance(data, Mapping):
            msg = f"Model.from_dict got {data!r}; expected a mapping with the key 'type'."
            raise FormatError(msg)
        if "type" in data:
            return registry.MODEL_REGISTRY.get_cls(data["type"]).from_dict(data)
        kinds = [kind for kind in _REGISTRIES if kind in data]
        if len(kinds) != 1 or not isinstance(data[kinds[0]], Mapping) or "type" not in data[kinds[0]]:
            msg = f"Model.from_dict got keys {', '.join(map(str, data)) or 'none'}; expected 'type', or one of 'spectral', "
            msg += "'spatial', 'temporal' and 'prior' which holds it."
            raise FormatError(msg)
        return _registry(kinds[0]).get_cls(data[kinds[0]]["type"]).from_dict(data)


def _registry(model_type: str | None) -> registry.ModelRegistry:
    if model_type not in _REGISTRIES:
        msg = f"Model type {model_type!r} is unknown; known types: None, 'spectral', 'spatial', 'temporal', 'prior'."
        raise NameLookupError(msg)
    return _REGISTRIES[model_type]
