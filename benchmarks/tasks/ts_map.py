"""TS map of the Galactic centre: 240 x 320 pixels, kernel of 0.5 deg."""

from __future__ import annotations

from taskkit import Package, main, read_gc
from tsmaps import make_ts_map, peak_complaints

GOAL = 30.0


def run(package: Package) -> dict:
    return make_ts_map(package, read_gc(package), "0.5 deg")


def agree(ours: dict, peer: dict) -> list[str]:
    return peak_complaints(ours, peer)


if __name__ == "__main__":
    main(run)
