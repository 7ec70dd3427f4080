"""Sub-packages whose public names load on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["attach"]


def attach(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make ``__getattr__``, ``__dir__`` and ``__all__`` for a package.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    names : mapping
        Module, relative to the package (``".wcs"``) or absolute (``"geminga.flux"``), to the public names it holds.

    Examples
    --------
    >>> from geminga.utils.lazy import attach
    >>> getattr_, dir_, all_ = attach("geminga.utils", {".registry": ["Registry"]})
    >>> getattr_("Registry").__name__
    'Registry'
    """
    origin = {name: module for module, public in names.items() for name in public}

    def __getattr__(name: str) -> Any:
        if name in origin:
            module = importlib.import_module(origin[name], package)
            value = getattr(module, name)
            setattr(importlib.import_module(package), name, value)
            return value
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    def __dir__() -> list[str]:
        return sorted(origin)

    return __getattr__, __dir__, sorted(origin)
