"""What all makers share."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import Any, ClassVar

__all__ = ["HasOptions", "Maker"]


class HasOptions:
    """What holds options and shows them when it is printed."""

    #: Options shown by ``print``, if they are not None.
    shown: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        name = type(self).__name__
        options = {key: getattr(self, key) for key in self.shown}
        width = max((len(key) for key in options), default=0)
        lines = [f"  {key:{width}s} : {value}" for key, value in options.items() if value is not None]
        return "\n".join([name, "-" * len(name), "", *lines, ""])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class Maker(HasOptions, ABC):
    """Base of makers, which turn observations into datasets.

    A maker of one's own has a ``tag`` and a method ``run(dataset, observation)`` that returns a dataset. It holds options
    only: nothing of what it does to one observation may change what it does to the next.
    """

    tag: ClassVar[str] = "Maker"

    @abstractmethod
    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Make or complete a dataset."""
