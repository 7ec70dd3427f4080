"""Joint fit of 1000 simulated spectra with a shared index and an amplitude each (1001 free parameters), ours only.

The goal is on the growth: at most 2.3 times the time for 500.
"""

from __future__ import annotations

from spectra import fit_simulated
from taskkit import Package, main

OURS_ONLY = True
GROWTH = ("fit_spectra_500", 2.3)


def run(package: Package) -> dict:
    return fit_simulated(package, number=1000, repeat=3)


if __name__ == "__main__":
    main(run)
