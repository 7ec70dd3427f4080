"""Fit a Gaussian source and the background norm: six free parameters, 768 000 bins.

The peer keeps the cut-out of the starting size while the source grows, so its own answer (sigma 0.754 deg, statistic
420152) is not the minimum, and parameters are not compared. Both answers are evaluated in a fresh dataset of the peer
instead: ours must not be worse than its own, nor than 420108.5.
"""

from __future__ import annotations

from gcfield import background_model, gauss_model
from taskkit import Package, fit_fresh, fresh_stat_complaints, main, read_gc

GOAL = 50.0
FRESH_STATS = True
BEST_STAT = 420108.5


def starts(package: Package, dataset: object, scale: float = 1.0) -> list:
    return [gauss_model(package, 0.0, 0.0, 0.3, scale), background_model(package, dataset)]


def run(package: Package) -> dict:
    return fit_fresh(
        package,
        read=lambda: read_gc(package),
        make_models=lambda dataset, scale: starts(package, dataset, scale),
        repeat=3,
    )


def agree(ours: dict, peer: dict) -> list[str]:
    complaints = fresh_stat_complaints(ours, peer, tolerance=0.0)
    if not ours["fresh_stat"] <= BEST_STAT:
        complaints.append(f"statistic in a fresh peer dataset {ours['fresh_stat']:.2f}, expected at most {BEST_STAT}")
    return complaints


if __name__ == "__main__":
    main(run)
