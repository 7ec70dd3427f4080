"""Many points of a likelihood: in one call with geminga, with the peer by setting parameters and asking for each."""

from __future__ import annotations

from typing import Any

import numpy as np
from taskkit import Package, clock

NUMBER = 1000


def draw(parameters: list[Any]) -> np.ndarray:
    """Points within ten per cent of the present values."""
    rng = np.random.default_rng(1)
    values = np.array([p.value for p in parameters])
    return values * rng.uniform(0.9, 1.1, (NUMBER, len(values)))


def one_by_one(datasets: Any, parameters: list[Any], points: np.ndarray) -> list[float]:
    """The peer's way."""
    out = []
    for point in points:
        for p, value in zip(parameters, point, strict=True):
            p.value = value
        out.append(datasets.stat_sum())
    return out


def evaluate_points(package: Package, datasets: Any, parameters: list[Any]) -> dict[str, Any]:
    """Time of all points, preparation included; the statistic at the first few."""
    points = draw(parameters)
    datasets.stat_sum()  # what is made once for a dataset
    if hasattr(datasets, "stat_sum_many"):
        seconds, stat = clock(lambda: datasets.stat_sum_many(points, parameters=parameters))
    else:
        seconds, stat = clock(lambda: one_by_one(datasets, parameters, points))
    return {"time": seconds, "result": {f"point {i}": float(stat[i]) for i in range(5)}}
