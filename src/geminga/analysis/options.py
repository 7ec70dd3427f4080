"""Makers and estimators with the options in a configuration."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from geminga.analysis.base import near_miss
from geminga.errors import ConfigError, GemingaError

__all__ = ["build"]


def _keywords(cls: type) -> set[str]:
    """Names of all options of a class; where it takes any, also those of the classes it is derived from."""
    names: set[str] = set()
    for one in cls.__mro__:
        if "__init__" not in vars(one):
            continue
        parameters = list(inspect.signature(one.__init__).parameters.values())[1:]  # type: ignore[misc]
        names |= {p.name for p in parameters if p.kind not in {p.VAR_KEYWORD, p.VAR_POSITIONAL}}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names


def build(cls: type, options: Mapping[str, Any], where: tuple[str, ...], *, besides: tuple[type, ...] = (), **own: Any) -> Any:
    """Make an object with options from the configuration.

    Parameters
    ----------
    cls : type
        Class.
    options : mapping
        Options as configured.
    where : tuple of str
        Keys that lead to them, for messages.
    besides : tuple of type
        Classes of which options are taken too.
    **own
        Further options; those in the configuration replace them.

    Raises
    ------
    ConfigError
        If an option is unknown, or the class refuses its value.
    """
    known = sorted(set().union(*map(_keywords, (cls, *besides))) | own.keys())
    unknown = [name for name in options if name not in known]
    if unknown:
        text = f"is no option of {cls.__name__} (its value: {{value!r}}).{{hint}} Known options: {', '.join(known)}"
        problems = [((*where, name), text.format(value=options[name], hint=near_miss(name, known))) for name in unknown]
        raise ConfigError(problems, "AnalysisConfig")
    try:
        return cls(**{**own, **options})
    except (GemingaError, ValueError, TypeError) as error:
        raise ConfigError([(where, f"is {dict(options)}, which {cls.__name__} refuses: {error}")], "AnalysisConfig") from error
