"""Joint fit of 500 simulated spectra with a shared index and an amplitude each, ours only."""

from __future__ import annotations

from spectra import fit_simulated
from taskkit import Package, main

OURS_ONLY = True


def run(package: Package) -> dict:
    return fit_simulated(package, number=500, repeat=3)


if __name__ == "__main__":
    main(run)
