"""Differential sensitivity of an on/off spectrum."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from taskkit import Package, clock, main

GOAL = None
ROUNDS = 2


def run(package: Package) -> dict:
    folder = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab/spectra/hess"
    dataset = package.datasets.SpectrumDatasetOnOff.read(folder / "pha_obs23523.fits")
    estimator = package.estimators.SensitivityEstimator()
    estimator.run(dataset)
    seconds, table = clock(lambda: estimator.run(dataset))
    inside = np.asarray(dataset.mask_safe.data)[:, 0, 0]
    return {"time": seconds, "result": {name: np.array(table[name])[inside].tolist() for name in ("e2dnde", "excess")}}


def agree(ours: dict, peer: dict) -> list[str]:
    out = []
    for name, value in peer.items():
        ratio = np.abs(np.array(ours[name]) / np.array(value) - 1).max()
        if ratio > 0.003:
            out.append(f"{name} differs by {ratio:.4f}")
    return out


if __name__ == "__main__":
    main(run)
