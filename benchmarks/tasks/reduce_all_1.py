"""Reduce all 105 runs of H.E.S.S. DL3-DR1 to maps, one worker."""

from __future__ import annotations

from all_runs import reduce_all
from taskkit import Package, main, relative_complaints

GOAL = 10.0
ROUNDS = 2


def run(package: Package) -> dict:
    return reduce_all(package, n_jobs=1)


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, 1e-5)


if __name__ == "__main__":
    main(run)
