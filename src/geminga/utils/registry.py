"""A list of classes that finds one by its tag."""

from __future__ import annotations

from typing import Any

from geminga.errors import NameLookupError

__all__ = ["Registry"]


class Registry(list[type]):
    """List of classes with a ``tag`` attribute (a string, or a list of strings).

    A class of one's own joins with ``REGISTRY.append(MyClass)``.
    """

    def get_cls(self, tag: str) -> Any:
        """Return the class with this tag.

        Raises
        ------
        NameLookupError
            If no class has it; the message lists the known tags.
        """
        known: list[str] = []
        for cls in self:
            tags = [cls.tag] if isinstance(cls.tag, str) else list(cls.tag)  # type: ignore[attr-defined]
            if tag in tags:
                return cls
            known += tags
        msg = f"No class with tag {tag!r}; known tags: {', '.join(sorted(known))}."
        raise NameLookupError(msg)

    def __str__(self) -> str:
        return "Registry\n--------\n\n" + "\n".join(f"{c.__name__:45}: {c.tag}" for c in self)  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"
