"""Fit an elliptical Gaussian source and the background norm: eight free parameters, 768 000 bins.

Both answers are evaluated in a fresh dataset of the peer: ours must not be worse than its own.
"""

from __future__ import annotations

from gcfield import background_model, ellipse_model
from taskkit import Package, fit_fresh, fresh_stat_complaints, main, read_gc

GOAL = 10.0
FRESH_STATS = True


def starts(package: Package, dataset: object, scale: float = 1.0) -> list:
    return [ellipse_model(package, scale), background_model(package, dataset)]


def run(package: Package) -> dict:
    return fit_fresh(
        package,
        read=lambda: read_gc(package),
        make_models=lambda dataset, scale: starts(package, dataset, scale),
        repeat=1,
        refit=False,
    )


def agree(ours: dict, peer: dict) -> list[str]:
    return fresh_stat_complaints(ours, peer, tolerance=0.0)


if __name__ == "__main__":
    main(run)
