"""TS map of the Galactic centre as seen by Fermi-LAT (3FHL): 200 x 400 pixels, 11 energies, kernel of 1 deg."""

from __future__ import annotations

from taskkit import Package, main, read_dataset
from tsmaps import make_ts_map, peak_complaints

GOAL = 30.0
ROUNDS = 2
FILE = "$GAMMAPY_DATA/fermi-3fhl-gc/fermi-3fhl-gc.fits.gz"


def run(package: Package) -> dict:
    return make_ts_map(package, read_dataset(package, FILE, "fermi-3fhl-gc"), "1 deg")


def agree(ours: dict, peer: dict) -> list[str]:
    return peak_complaints(ours, peer)


if __name__ == "__main__":
    main(run)
