"""Adaptively smoothed image of the Galactic centre: 240 x 320 pixels, nine scales."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from taskkit import Package, clock, main, read_gc

GOAL = None
ROUNDS = 2


def run(package: Package) -> dict:
    dataset = read_gc(package)
    kind = package.estimators.ASmoothMapEstimator
    scales = kind.get_scales(9) * 0.1 * u.deg
    estimator = kind(scales=scales, energy_edges=[1, 10] * u.TeV)
    seconds, maps = clock(lambda: estimator.run(dataset))
    place = (0, slice(100, 140, 5), slice(140, 180, 5))
    return {
        "time": seconds,
        "result": {name: np.nan_to_num(maps[name].data[place]).ravel().tolist() for name in ("counts", "scale")},
    }


def agree(ours: dict, peer: dict) -> list[str]:
    # Kernels of less than two pixels differ by how they are averaged over pixels; where the scale is the same, so is the image.
    scale, other = np.array(ours["scale"]), np.array(peer["scale"])
    same = np.isclose(scale, other) & (scale > 0.045)
    ratio = np.array(ours["counts"])[same] / np.array(peer["counts"])[same]
    out = [] if same.mean() > 0.3 else [f"only {same.mean():.0%} of the pixels have the same scale"]
    if same.any() and np.abs(ratio - 1).max() > 0.02:
        out.append(f"counts differ by {np.abs(ratio - 1).max():.3f}")
    return out


if __name__ == "__main__":
    main(run)
