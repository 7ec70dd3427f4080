"""One thread for linear algebra on small arrays."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["single_thread"]


@lru_cache(maxsize=1)
def _controller() -> Any:
    return ThreadpoolController()


def single_thread() -> AbstractContextManager[Any]:
    """Context in which matrix products run on one thread.

    The products of a fit are small: a second thread costs more in waiting than it gains, and makes the
    last digits of a sum depend on the number of cores.

    Examples
    --------
    >>> from geminga.utils.threads import single_thread
    >>> with single_thread():
    ...     pass
    """
    context: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return context
