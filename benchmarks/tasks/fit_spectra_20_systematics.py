"""Fit of `fit_spectra_20` with three systematic errors shared by all (area and its slope, energy scale), ours only.

The goal is on the growth: at most 1.5 times the time without them.
"""

from __future__ import annotations

from spectra import fit_simulated
from taskkit import Package, main

OURS_ONLY = True
GROWTH = ("fit_spectra_20", 1.5)


def errors(package: Package) -> list:
    models = package.models
    priors = {name: models.GaussianPrior(mu=1, sigma=0.05) for name in ("area_scale", "energy_scale")}
    return [models.SystematicsModel(name="errors", area_slope=models.GaussianPrior(mu=0, sigma=0.05), **priors)]


def run(package: Package) -> dict:
    return fit_simulated(package, number=20, repeat=5, more_models=errors(package))


if __name__ == "__main__":
    main(run)
