"""Share of all checks of files and values in reading a dataset (goal: below 3 %) and in a fit (below 1 %).

The functions that check are wrapped with a clock. The time of the task is that of reading and fit together; the shares are among
its results, and complaints tell if they are too large.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gcfield import background_model, point_model
from taskkit import GC_FILE, Package, clock, main, read_gc, warm_up

GOAL = 1.0
OURS_ONLY = True
REPEAT = 15
MOST_OF_READING, MOST_OF_FIT = 0.03, 0.01


@contextmanager
def clocked(owners: list[tuple[Any, str]], spent: list[float]) -> Iterator[None]:
    """Add the times of some functions to the last of `spent`."""

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent[-1] += time.process_time() - start

        return timed

    before = [getattr(owner, name) for owner, name in owners]
    for (owner, name), function in zip(owners, before, strict=True):
        setattr(owner, name, wrapped(function))
    try:
        yield
    finally:
        for (owner, name), function in zip(owners, before, strict=True):
            setattr(owner, name, function)


def share(act: Callable[[], Any], owners: list[tuple[Any, str]]) -> tuple[float, float]:
    """Median time of an action, and the share of checks in its processor time.

    The least of either counts: checks are passes over memory, which suffer most from neighbours on the machine.
    """
    times, totals, spent = [], [], []
    with clocked(owners, spent):
        for _ in range(REPEAT):
            spent.append(0.0)
            start = time.process_time()
            seconds, _ = clock(act)
            times.append(seconds)
            totals.append(time.process_time() - start)
    return statistics.median(times), min(spent) / min(totals)


def run(package: Package) -> dict:
    warm_up(package)
    from geminga.datasets.io import gadf
    from geminga.utils import whole

    dataset = read_gc(package)
    reading = [(whole, "check_extent"), (whole, "check_sums"), (gadf, "reported")]
    compressed = share(lambda: package.datasets.MapDataset.read(GC_FILE), reading)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.fits"
        dataset.write(path)
        plain = share(lambda: package.datasets.MapDataset.read(path), reading)
    cls = type(dataset)

    def fit() -> None:
        own = dataset.copy(name="gc-field")
        own.models = [point_model(package, 1.3), background_model(package, own)]
        package.modeling.Fit().run([own])

    fitted = share(fit, [(cls, "validate"), (cls, "_check_values")])
    shares = {"compressed": compressed[1], "plain": plain[1], "fit": fitted[1]}
    return {"time": compressed[0] + fitted[0], "more": shares, "result": shares}


def agree(ours: dict, peer: dict) -> list[str]:
    limits = {"compressed": MOST_OF_READING, "plain": MOST_OF_READING, "fit": MOST_OF_FIT}
    return [f"checks take {ours[key]:.2%} of {key}" for key, most in limits.items() if ours[key] > most]


if __name__ == "__main__":
    main(run)
