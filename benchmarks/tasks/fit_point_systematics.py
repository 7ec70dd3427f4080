"""Fit of `fit_point` with three systematic errors (area and its slope, energy scale), ours only.

The goal is on the growth: at most 1.5 times the time without them.
"""

from __future__ import annotations

from fit_point import starts
from taskkit import Package, fit_fresh, main, read_gc

OURS_ONLY = True
GROWTH = ("fit_point", 1.5)


def errors(package: Package) -> list:
    models = package.models
    priors = {name: models.GaussianPrior(mu=1, sigma=0.05) for name in ("area_scale", "energy_scale")}
    return [models.SystematicsModel(name="errors", area_slope=models.GaussianPrior(mu=0, sigma=0.05), **priors)]


def run(package: Package) -> dict:
    return fit_fresh(
        package,
        read=lambda: read_gc(package),
        make_models=lambda dataset, scale: [*starts(package, dataset, scale), *errors(package)],
        repeat=3,
    )


if __name__ == "__main__":
    main(run)
