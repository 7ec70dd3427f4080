"""1000 points of the likelihood of the Galactic Centre field: index and amplitude of a point source, background norm."""

from __future__ import annotations

from gcfield import background_model, point_model
from points import evaluate_points
from taskkit import Package, main, read_gc

GOAL = 50.0
ROUNDS = 3


def run(package: Package) -> dict:
    dataset = read_gc(package)
    source, background = point_model(package, 1.0), background_model(package, dataset)
    dataset.models = [source, background]
    for p in source.spatial_model.parameters:
        p.frozen = True
    own = [source.spectral_model.index, source.spectral_model.amplitude, background.spectral_model.norm]
    return evaluate_points(package, package.datasets.Datasets([dataset]), own)


def agree(ours: dict, peer: dict) -> list[str]:
    # Differences of the statistic: the PSF of the peer is wider, which shifts all values (see `change_complaints`).
    complaints = []
    for i in range(1, 5):
        a, b = (own[f"point {i}"] - own["point 0"] for own in (ours, peer))
        if abs(a - b) > 0.05 * abs(b) + 1:
            complaints.append(f"difference of the statistic at point {i}: {a:.3f}, peer {b:.3f}")
    return complaints


if __name__ == "__main__":
    main(run)
