"""Reduce all 105 runs of H.E.S.S. DL3-DR1 to maps, two workers."""

from __future__ import annotations

from all_runs import agree_all, reduce_all
from taskkit import Package, main

# At least 1.7 times as fast as with one.
GROWTH = ("reduce_all_1", 0.59)
ROUNDS = 2


def run(package: Package) -> dict:
    return reduce_all(package, n_jobs=2)


agree = agree_all

if __name__ == "__main__":
    main(run)
