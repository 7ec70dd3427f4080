"""Reduce all 105 runs of H.E.S.S. DL3-DR1 to maps, one worker."""

from __future__ import annotations

from all_runs import agree_all, reduce_all
from taskkit import Package, main

GOAL = 10.0
ROUNDS = 2


def run(package: Package) -> dict:
    return reduce_all(package, n_jobs=1)


agree = agree_all

if __name__ == "__main__":
    main(run)
