"""Progress bars, off unless ``SHOW_PROGRESS_BAR`` is set to True."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["SHOW_PROGRESS_BAR", "progress_bar"]

SHOW_PROGRESS_BAR = False
"""Whether `progress_bar` shows a bar."""

_Item = TypeVar("_Item")


def progress_bar(iterable: Iterable[_Item], desc: str | None = None, total: int | None = None) -> Iterable[_Item]:
    """Iterate with a progress bar if `SHOW_PROGRESS_BAR` is true.

    Parameters
    ----------
    iterable : iterable
        What to go through.
    desc : str, optional
        Label of the bar.
    total : int, optional
        Number of items, where the iterable does not know it.

    Examples
    --------
    >>> from geminga.utils.pbar import progress_bar
    >>> sum(progress_bar([1, 2, 3], desc="adding"))
    6
    """
    if not SHOW_PROGRESS_BAR:
        return iterable
    from tqdm.auto import tqdm

    shown: Iterable[_Item] = tqdm(iterable, desc=desc, total=total)
    return shown
