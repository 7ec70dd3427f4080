"""Fit 16 Gaussian sources and the background norm: 81 free parameters, ours only.

The goal is on the growth: at most 2.5 times the time for 8 sources.
"""

from __future__ import annotations

from many import fit_many
from taskkit import Package, main

OURS_ONLY = True
FRESH_STATS = True
GROWTH = ("fit_gauss_8", 2.5)


def run(package: Package) -> dict:
    return fit_many(package, number=16, repeat=3)


if __name__ == "__main__":
    main(run)
