"""Parameters as plain dictionaries, as they stand in model files."""

from __future__ import annotations

from typing import Any

from geminga.errors import NameLookupError
from geminga.modeling.parameter_checks import finite
from geminga.modeling.registry import PRIOR_REGISTRY

__all__ = ["to_dict", "update_from_dict"]

KNOWN_KEYS = frozenset(
    [
        "name",
        "value",
        "unit",
        "error",
        "min",
        "max",
        "frozen",
        "interp",
        "scale_method",
        "scale_transform",
        "link",
        "prior",
        "scale",
        "factor",
        "is_norm",
        "scan_min",
        "scan_max",
        "scan_n_values",
        "scan_n_sigma",
        "scan_values",
    ]
)


def to_dict(self: Any) -> dict[str, Any]:
    """Plain dictionary, as it stands in model files."""
    data = {
        "name": self._name,
        "value": self._value,
        "unit": self._unit.to_string("fits"),
        "error": self._error or 0,
        "min": self._min,
        "max": self._max,
        "frozen": self._frozen,
        "interp": self._interp,
        "scale_method": self._scale_method,
        "scale_transform": self._scale_transform,
    }
    if self._link_label is not None:
        data["link"] = self._link_label
    if self._prior is not None:
        data["prior"] = self._prior.to_dict()["prior"]
    return data


def update_from_dict(self: Any, data: dict[str, Any]) -> None:
    """Take over what a dictionary gives; the rest stays.

    Raises
    ------
    NameLookupError
        If it has an unknown key.
    ParameterError, UnitError
        If a value or unit cannot be right.
    """
    unknown = set(data) - KNOWN_KEYS
    if unknown:
        msg = (
            f"Parameter {self._name!r}: unknown key {', '.join(sorted(map(repr, unknown)))}; "
            f"known keys: {', '.join(sorted(KNOWN_KEYS))}."
        )
        raise NameLookupError(msg)
    if "unit" in data:
        self.unit = data["unit"] or ""
    if "value" in data:
        self.value = data["value"]
    elif "factor" in data:
        self.value = finite(data["factor"], f"Factor of parameter {self._name!r}") * float(data.get("scale", 1))
    for key in ("scale_method", "scale_transform", "min", "max", "error", "frozen", "interp", "scan_values"):
        if key in data:
            setattr(self, key, data[key])
    for key in ("scan_min", "scan_max", "scan_n_values", "scan_n_sigma"):
        if key in data:
            setattr(self, key, data[key])
    self._link_label = data.get("link")
    if data.get("prior") is not None:
        self.prior = PRIOR_REGISTRY.get_cls(data["prior"].get("type", "")).from_dict({"prior": data["prior"]})
        self.set_lim(data.get("min"), data.get("max"))
