"""Fit statistic of the Galactic Centre field with one point source after a change of a spectral parameter."""

from __future__ import annotations

import statistics

from gcfield import background_model, point_model
from taskkit import Package, change_complaints, clock, main, read_gc, warm_up

GOAL = 50.0
REPEAT = 60


def run(package: Package) -> dict:
    warm_up(package)
    dataset = read_gc(package)
    source, background = point_model(package), background_model(package, dataset)
    dataset.models = [source, background]
    first, _ = clock(dataset.stat_sum)
    times, stats = [], []
    for step in range(1, REPEAT + 1):
        source.spectral_model.index.value = 2.3 + 1e-3 * step
        seconds, stat = clock(dataset.stat_sum)
        times.append(seconds)
        stats.append(float(stat))
    return {"time": statistics.median(times), "more": {"first": first}, "result": {"stats": stats[::10]}}


def agree(ours: dict, peer: dict) -> list[str]:
    return change_complaints(ours["stats"], peer["stats"], rtol=0.05)


if __name__ == "__main__":
    main(run)
