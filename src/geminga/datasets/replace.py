"""A dataset with some maps replaced, which shares all others."""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["with_parts"]


def with_parts(dataset: Any, **parts: Any) -> Any:
    """Dataset of the same name with some parts replaced; it shares the other maps and the models.

    Parameters
    ----------
    dataset : MapDataset
        Dataset; it is not changed.
    **parts
        New parts by name, such as ``mask_safe``.
    """
    new = copy.copy(dataset)
    new._parts, new._unread = dict(dataset._parts), set(dataset._unread)
    for name, value in parts.items():
        setattr(new, name, value)
    return new
