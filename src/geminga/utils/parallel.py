"""Independent tasks in this process, in a local pool of processes, or on any executor.

A cluster is reached through its executor, for example ``dask.distributed.Client(...).get_executor()``; there is no scheduler
here.
"""

from __future__ import annotations

import multiprocessing
import numbers
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from itertools import count, islice
from typing import Any, TypeVar

from geminga.errors import InputError
from geminga.utils.transfer import Packed, memory_folder, pack, unpack

__all__ = ["N_JOBS_DEFAULT", "HasJobs", "checked_backend", "checked_n_jobs", "run_tasks"]

N_JOBS_DEFAULT = 1
"""Number of processes if none is asked for."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def checked_n_jobs(n_jobs: Any) -> int:
    """Return the number of processes; None stands for `N_JOBS_DEFAULT`.

    Raises
    ------
    InputError
        If it is not a whole number above zero.

    Examples
    --------
    >>> from geminga.utils.parallel import checked_n_jobs
    >>> checked_n_jobs(None), checked_n_jobs(2)
    (1, 2)
    """
    if n_jobs is None:
        return N_JOBS_DEFAULT
    is_number = isinstance(n_jobs, numbers.Real) and not isinstance(n_jobs, bool)
    if not is_number or int(n_jobs) != n_jobs or n_jobs < 1:
        msg = f"n_jobs is {n_jobs!r}; expected a whole number of processes, at least 1."
        raise InputError(msg)
    return int(n_jobs)


def checked_backend(value: Any, owner: str) -> str:
    """Return how processes are made; None stands for ``"multiprocessing"``, the only way there is.

    Raises
    ------
    InputError
        If it is another name.
    """
    name = "multiprocessing" if value is None else str(getattr(value, "value", value))
    if name != "multiprocessing":
        msg = f"{owner}: parallel_backend is {name!r}; only 'multiprocessing' is built in, give an executor= where there is one."
        raise InputError(msg)
    return name


class HasJobs:
    """What runs over jobs: the options ``n_jobs`` and ``parallel_backend``, checked when they are set."""

    @property
    def n_jobs(self) -> int:
        """Number of local processes."""
        return self._n_jobs

    @n_jobs.setter
    def n_jobs(self, value: int | None) -> None:
        self._n_jobs = checked_n_jobs(value)

    @property
    def parallel_backend(self) -> str:
        """How processes are made: ``"multiprocessing"``."""
        return self._parallel_backend

    @parallel_backend.setter
    def parallel_backend(self, value: Any) -> None:
        self._parallel_backend = checked_backend(value, type(self).__name__)


def run_tasks(
    function: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    *,
    executor: Executor | None = None,
    n_jobs: int | None = None,
) -> Iterator[_Result]:
    """Results of a function for each of several tasks, in their order.

    Only a few tasks are under way at a time, so that neither arguments nor results pile up. When the iteration ends early
    (an error, Ctrl-C), tasks that have not begun are cancelled.

    Parameters
    ----------
    function : callable
        Function of one task; for other processes it must be importable by name, and tasks and results picklable.
    tasks : iterable
        Tasks.
    executor : Executor, optional
        Where to run them; it is not shut down.
    n_jobs : int, optional
        Number of local processes, if there is no executor; 1 runs in this process.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from geminga.utils.parallel import run_tasks
    >>> with ThreadPoolExecutor(2) as executor:
    ...     list(run_tasks(abs, [-1, -2, -3], executor=executor))
    [1, 2, 3]
    """
    number = checked_n_jobs(n_jobs)
    if executor is None and number == 1:
        yield from map(function, tasks)
        return
    if executor is not None:
        yield from _submitted(executor, function, tasks, 4 * (os.cpu_count() or 1))
        return
    yield from _in_pool(function, tasks, number)


#: Function, tasks and folder of pools, by number: a forked process finds them here, so that they are not sent.
_POOLS: dict[int, tuple[Callable[[Any], Any], Sequence[Any], str]] = {}
_numbers = count()


def _in_pool(function: Callable[[_Task], _Result], tasks: Iterable[_Task], number: int) -> Iterator[_Result]:
    """Results from a local pool; processes are ended when the iteration is.

    A sequence of tasks is inherited by forked processes; others are sent as they come.
    """
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else None)
    pool_number = next(_numbers)
    with tempfile.TemporaryDirectory(prefix="geminga-", dir=memory_folder()) as folder:
        # A fresh interpreter would spend a second on imports, so processes are forked where that is possible.
        work: Callable[[Any], Packed] = partial(_sent, function, folder)
        given: Iterable[Any] = tasks
        if isinstance(tasks, Sequence) and context.get_start_method() == "fork":
            _POOLS[pool_number] = function, tasks, folder
            work, given = partial(_inherited, pool_number), range(len(tasks))
        try:
            with ProcessPoolExecutor(number, mp_context=context) as pool:
                for packed in _submitted(pool, work, given, 2 * number):
                    yield unpack(packed)
        finally:
            _POOLS.pop(pool_number, None)


def _inherited(pool_number: int, index: int) -> Packed:
    function, tasks, folder = _POOLS[pool_number]
    return pack(function(tasks[index]), folder)


def _sent(function: Callable[[_Task], _Result], folder: str, task: _Task) -> Packed:
    return pack(function(task), folder)


def _submitted(executor: Executor, function: Callable[[_Task], _Result], tasks: Iterable[_Task], limit: int) -> Iterator[_Result]:
    remaining = iter(tasks)
    waiting: deque[Future[_Result]] = deque(executor.submit(function, task) for task in islice(remaining, limit))
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(executor.submit(function, task) for task in islice(remaining, 1))
            yield result
    finally:
        for future in waiting:
            future.cancel()
