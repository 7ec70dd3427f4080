"""Fit statistic of the Galactic Centre field with one point source after a change of a position."""

from __future__ import annotations

import statistics

from gcfield import background_model, point_model
from taskkit import Package, clock, main, read_gc, warm_up

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
        source.spatial_model.lon_0.value = 1e-3 * (step + 1)
        seconds, stat = clock(dataset.stat_sum)
        times.append(seconds)
        stats.append(float(stat))
    return {"time": statistics.median(times), "more": {"first": first}, "result": {"stats": stats[::10]}}


def agree(ours: dict, peer: dict) -> list[str]:
    # The peer spreads a point source over the four nearest pixels, which moves the statistic by up to about one.
    return [f"statistic {a:.2f}, peer {b:.2f}" for a, b in zip(ours["stats"], peer["stats"], strict=True) if not abs(a - b) < 3]


if __name__ == "__main__":
    main(run)
