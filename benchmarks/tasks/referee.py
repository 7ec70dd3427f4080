"""Statistic of fitted parameters in a dataset that was just read: ``referee.py PACKAGE TASK VALUES``.

A fit can be wrong about its own statistic (a cache that went stale); a fresh dataset cannot.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

from taskkit import Package


def problem(package: Package, task: str) -> tuple[Any, list[Any]]:
    """Dataset and starting models of a task."""
    if task.startswith("fit_gauss_"):
        import many

        number = int(task.rsplit("_", 1)[1])
        dataset = many.read_field(package, number)
        return dataset, many.starts(package, dataset, number)
    import taskkit

    dataset = taskkit.read_gc(package)
    return dataset, importlib.import_module(task).starts(package, dataset)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    dataset, models = problem(Package(sys.argv[1]), sys.argv[2])
    parameters = [p for model in models for p in model.parameters if not p.frozen]
    for parameter, value in zip(parameters, json.loads(sys.argv[3]), strict=True):
        parameter.value = value
    dataset.models = models
    print(json.dumps(float(dataset.stat_sum())))
