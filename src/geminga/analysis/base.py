"""What all parts of a configuration share: checked when made and when changed, with errors that name the key.

Each part turns what pydantic finds into a `ConfigError`; the part that holds it adds its own key in front.
"""

from __future__ import annotations

import difflib
import html
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, ValidationError, WrapValidator

from geminga.errors import ConfigError
from geminga.utils.types import AngleType, EnergyType, TimeType
from geminga.utils.yaml import to_yaml

__all__ = ["ConfigAngle", "ConfigBase", "ConfigEnergy", "ConfigPath", "ConfigTime", "near_miss"]


def near_miss(name: Any, known: Iterable[Any]) -> str:
    """Sentence that suggests the known name which is most like the one given; empty if none is.

    Examples
    --------
    >>> from geminga.analysis.base import near_miss
    >>> near_miss("backgrund", ["background", "safe_mask"])
    " Did you mean 'background'?"
    """
    close = difflib.get_close_matches(str(name).lower(), [str(one) for one in known], n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


# ---- values ------------------------------------------------------------------------------------


def _expects(what: str) -> WrapValidator:
    """Say what is expected, for any value that cannot be read; bare numbers have no unit and are refused."""

    def read(value: Any, handler: Callable[[Any], Any]) -> Any:
        msg = f"expected {what}"
        if isinstance(value, (bool, int, float)):
            raise ValueError(msg)
        try:
            return handler(value)
        except (ValueError, TypeError) as error:
            raise ValueError(msg) from error

    return WrapValidator(read)


def _path(value: Any) -> Path:
    """Path with the environment variables that are set; others are named when it is used."""
    if not isinstance(value, (str, Path)) or not str(value):
        msg = "expected a path"
        raise ValueError(msg)
    return Path(os.path.expandvars(str(value)))


ConfigAngle = Annotated[AngleType, _expects("an angle with its unit, such as '0.1 deg'")]
ConfigEnergy = Annotated[EnergyType, _expects("an energy with its unit, such as '1 TeV'")]
ConfigTime = Annotated[TimeType, _expects("a time such as '2004-12-04T22:00:00', or a list of them")]
ConfigPath = Annotated[Path, PlainValidator(_path), PlainSerializer(str, when_used="json-unless-none")]


# ---- errors ------------------------------------------------------------------------------------


def _unknown_key(cls: type[BaseModel], error: Any) -> str:
    known = list(cls.model_fields)
    name = error["loc"][-1]
    return f"is unknown (its value: {error['input']!r}).{near_miss(name, known)} Known keys there: {', '.join(known)}"


def _wrong_choice(_cls: type[BaseModel], error: Any) -> str:
    expected = error["ctx"]["expected"]
    known = expected.replace(" or ", ", ").replace("'", "").split(", ")
    return f"is {error['input']!r}; expected {expected}.{near_miss(error['input'], known)}"


def _other(_cls: type[BaseModel], error: Any) -> str:
    cause = error.get("ctx", {}).get("error")
    text = str(cause) if cause is not None else error["msg"]
    return f"is {error['input']!r}; {text[:1].lower()}{text[1:]}"


_TEXTS: dict[str, Callable[[type[BaseModel], Any], str]] = {
    "extra_forbidden": _unknown_key,
    "no_such_attribute": _unknown_key,
    "literal_error": _wrong_choice,
}


def _config_error(cls: type[BaseModel], error: ValidationError) -> ConfigError:
    problems: list[tuple[tuple[Any, ...], str]] = []
    for one in error.errors(include_url=False):
        inner = one.get("ctx", {}).get("error")
        place = tuple(one["loc"])
        if isinstance(inner, ConfigError):
            problems += [(place + deeper, text) for deeper, text in inner.problems]
        else:
            problems.append((place, _TEXTS.get(one["type"], _other)(cls, one)))
    return ConfigError(problems, cls.__name__)


class ConfigBase(BaseModel):
    """Part of a configuration.

    Raises
    ------
    ConfigError
        If a key is unknown or a value wrong, when it is made or when an attribute is set.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, validate_assignment=True, extra="forbid", validate_default=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise _config_error(type(self), error) from None

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _config_error(type(self), error) from None

    def to_yaml(self) -> str:
        """YAML text, with who wrote it and when."""
        return to_yaml(self.model_dump(mode="json"))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
