"""One way to deprecate: a name, an attribute, an argument."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from geminga.errors import InputError

__all__ = [
    "GammapyDeprecationWarning",
    "GemingaDeprecationWarning",
    "deprecated",
    "deprecated_attribute",
    "deprecated_renamed_argument",
]


class GemingaDeprecationWarning(Warning):
    """Something that a later release will not have."""


GammapyDeprecationWarning = GemingaDeprecationWarning


def _warn(text: str, kwargs: dict[str, Any]) -> None:
    message = kwargs.get("message") or text
    if kwargs.get("alternative"):
        message += f" Use {kwargs['alternative']} instead."
    warnings.warn(message, GemingaDeprecationWarning, stacklevel=3)


def deprecated(since: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Decorate a function or class whose use warns.

    Parameters
    ----------
    since : str
        Version which deprecates it.
    **kwargs
        ``alternative`` (what to use instead) and ``message`` (text of one's own).
    """

    def decorate(item: Any) -> Any:
        text = f"{item.__name__} is deprecated since version {since} and will be removed."
        if isinstance(item, type):
            old_init: Any = item.__init__  # type: ignore[misc]

            @functools.wraps(old_init)
            def init(self: Any, *args: Any, **keywords: Any) -> None:
                _warn(text, kwargs)
                old_init(self, *args, **keywords)

            item.__init__ = init  # type: ignore[misc]
            return item

        @functools.wraps(item)
        def wrapper(*args: Any, **keywords: Any) -> Any:
            _warn(text, kwargs)
            return item(*args, **keywords)

        return wrapper

    return decorate


def deprecated_attribute(name: str, since: str, **kwargs: Any) -> property:
    """Property that warns and passes on to another attribute.

    Parameters
    ----------
    name : str
        Old name.
    since : str
        Version which deprecates it.
    **kwargs
        ``alternative``: the attribute to use, ``_name`` with a leading underscore if not given; ``message``.
    """
    target = kwargs.get("alternative") or f"_{name}"
    text = f"The attribute {name} is deprecated since version {since} and will be removed."

    def getter(self: Any) -> Any:
        _warn(text, kwargs)
        return getattr(self, target)

    def setter(self: Any, value: Any) -> None:
        _warn(text, kwargs)
        setattr(self, target, value)

    return property(getter, setter)


def deprecated_renamed_argument(
    old_name: str | Sequence[str], new_name: str | Sequence[str | None] | None, since: str | Sequence[str], **kwargs: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function of which an argument was renamed, or will be removed (new name None).

    Parameters
    ----------
    old_name, new_name, since : str or list of str
        Old and new names, and the versions which deprecate the old ones.
    **kwargs
        ``alternative`` and ``message``.

    Raises
    ------
    InputError
        When the function is called with both the old and the new name.
    """
    single = isinstance(old_name, str)
    old: list[Any] = [old_name] if single else list(old_name)
    new: list[Any] = [new_name] if single else list(new_name or [])
    versions: list[Any] = [since] if isinstance(since, str) else list(since)
    if len(versions) == 1:
        versions = versions * len(old)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **keywords: Any) -> Any:
            for before, after, version in zip(old, new, versions, strict=True):
                if before not in keywords:
                    continue
                text = f"The argument {before!r} of {function.__name__} is deprecated since version {version}."
                _warn(text if after is None else f"{text} Use {after!r} instead.", kwargs)
                if after is None:
                    continue
                if after in keywords:
                    msg = f"{function.__name__} got both {before!r} and {after!r}; give {after!r} only."
                    raise InputError(msg)
                keywords[after] = keywords.pop(before)
            return function(*args, **keywords)

        return wrapper

    return decorate
