from __future__ import annotations

import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

from geminga.errors import InputError
from geminga.utils.parallel import checked_n_jobs, run_tasks


def process_of(task):
    return task, os.getpid()


def fail_at_three(task):
    if task == 3:
        msg = "three"
        raise ValueError(msg)
    return task


class Counting(Executor):
    """Runs at once, and remembers how many results were waiting."""

    def __init__(self):
        self.done, self.taken, self.most = 0, 0, 0

    def submit(self, function, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except ValueError as error:
            future.set_exception(error)
        self.done += 1
        self.most = max(self.most, self.done - self.taken)
        return future


def test_order_is_kept():
    with ThreadPoolExecutor(3) as executor:
        assert list(run_tasks(fail_at_three, range(10, 60), executor=executor)) == list(range(10, 60))
    assert list(run_tasks(fail_at_three, range(10, 20))) == list(range(10, 20))


def test_processes():
    results = list(run_tasks(process_of, range(6), n_jobs=2))
    assert [task for task, _ in results] == list(range(6))
    assert os.getpid() not in {process for _, process in results}


def large(task):
    return {"array": np.full(300_000, task), "text": str(task)}


@pytest.mark.parametrize("kind", [list, iter])
def test_large_results(kind):
    results = list(run_tasks(large, kind(range(5)), n_jobs=2))
    for number, result in enumerate(results):
        assert result["text"] == str(number)
        assert (result["array"] == number).all()


def test_nothing_to_do():
    assert list(run_tasks(process_of, [], n_jobs=2)) == []


def test_results_do_not_pile_up():
    executor = Counting()
    for _ in run_tasks(fail_at_three, range(10, 500), executor=executor):
        executor.taken += 1
    assert executor.done == 490
    assert executor.most <= 4 * (os.cpu_count() or 1) + 1


@pytest.mark.parametrize("options", [{}, {"n_jobs": 2}, {"executor": Counting()}])
def test_error_comes_through_and_stops(options):
    tasks = iter(range(1000))
    with pytest.raises(ValueError, match="three"):
        list(run_tasks(fail_at_three, tasks, **options))
    assert next(tasks) < 100


@pytest.mark.parametrize("number", [0, -1, 1.5, True])
def test_refuses(number):
    with pytest.raises(InputError, match="expected a whole number of processes"):
        checked_n_jobs(number)
