"""Fit 8 Gaussian sources and the background norm: 41 free parameters."""

from __future__ import annotations

from many import agree_many, fit_many
from taskkit import Package, main

GOAL = 100.0
FRESH_STATS = True
ROUNDS = 1


def run(package: Package) -> dict:
    return fit_many(package, number=8, repeat=1 if package.name == "gammapy" else 3)


agree = agree_many

if __name__ == "__main__":
    main(run)
