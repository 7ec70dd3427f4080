"""Names of datasets and models."""

from __future__ import annotations

import secrets
import string

from geminga.errors import InputError

__all__ = ["make_name"]

_LETTERS = string.ascii_letters + string.digits


def make_name(name: str | None = None, *, what: str = "Name") -> str:
    """Return `name`, or a random one of eight letters and digits; messages call it `what`.

    Raises
    ------
    InputError
        If it is empty or not a string.

    Examples
    --------
    >>> from geminga.utils.names import make_name
    >>> make_name("crab"), len(make_name())
    ('crab', 8)
    """
    if name is None:
        return "".join(secrets.choice(_LETTERS) for _ in range(8))
    if not isinstance(name, str) or not name:
        msg = f"{what} {name!r} is a {type(name).__name__}; expected a non-empty string, or None for a random name."
        raise InputError(msg)
    return name
