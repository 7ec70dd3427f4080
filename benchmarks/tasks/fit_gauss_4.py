"""Fit 4 Gaussian sources and the background norm: 21 free parameters."""

from __future__ import annotations

from many import agree_many, fit_many
from taskkit import Package, main

GOAL = 50.0
FRESH_STATS = True


def run(package: Package) -> dict:
    return fit_many(package, number=4, repeat=2)


agree = agree_many

if __name__ == "__main__":
    main(run)
