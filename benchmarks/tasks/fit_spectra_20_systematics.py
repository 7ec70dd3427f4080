"""Fit of `fit_spectra_20` with three systematic errors shared by all (area and its slope, energy scale), ours only.

The goal is on the growth: at most 1.5 times the time without them.
"""

from __future__ import annotations

from nuisances import systematic_errors
from spectra import fit_simulated
from taskkit import Package, main

OURS_ONLY = True
GROWTH = ("fit_spectra_20", 1.5)
ERRORS = ("area_scale", "area_slope", "energy_scale")


def run(package: Package) -> dict:
    return fit_simulated(package, number=20, repeat=5, more_models=systematic_errors(package, *ERRORS))


if __name__ == "__main__":
    main(run)
