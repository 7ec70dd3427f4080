"""Fit a point source and the background norm: five free parameters, 768 000 bins."""

from __future__ import annotations

from gcfield import background_model, point_model
from taskkit import Package, fit_fresh, fresh_stat_complaints, main, parameter_complaints, read_gc

GOAL = 100.0
FRESH_STATS = True


def starts(package: Package, dataset: object, scale: float = 1.0) -> list:
    return [point_model(package, scale), background_model(package, dataset)]


def run(package: Package) -> dict:
    return fit_fresh(
        package,
        read=lambda: read_gc(package),
        make_models=lambda dataset, scale: starts(package, dataset, scale),
        repeat=3,
    )


def agree(ours: dict, peer: dict) -> list[str]:
    # The peer's position is quantised by its pixels (0.025 deg; error 0.002 deg), hence half an error.
    return parameter_complaints(ours, peer, sigmas=0.5) + fresh_stat_complaints(ours, peer, tolerance=2.0)


if __name__ == "__main__":
    main(run)
