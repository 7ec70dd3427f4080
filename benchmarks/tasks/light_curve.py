"""Light curve of 200 bins of 30 minutes with errors and limits: 200 simulated on/off spectra, one band."""

from __future__ import annotations

import os
from pathlib import Path

import astropy.units as u
import numpy as np
from taskkit import Package, clock, main

GOAL = 50.0
ROUNDS = 1
N_BINS = 200


def run(package: Package) -> dict:
    datasets_module, models, data = package.datasets, package.models, package.data
    folder = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab/spectra/hess"
    first = datasets_module.SpectrumDatasetOnOff.read(folder / "pha_obs23523.fits")
    spectrum = models.PowerLawSpectralModel(index=2.7, amplitude="4.58e-11 cm-2 s-1 TeV-1", reference="1 TeV")
    random = np.random.default_rng(0)
    on, off = np.asarray(first.counts.data, dtype=float), np.asarray(first.counts_off.data, dtype=float)
    items = []
    for number in range(N_BINS):
        dataset = first.copy(name=f"bin-{number}")
        dataset.counts.data = random.poisson(on).astype(float)
        dataset.counts_off.data = random.poisson(off).astype(float)
        dataset.gti = data.GTI.create([number * 0.5] * u.h, [number * 0.5 + 0.45] * u.h)
        items.append(dataset)
    datasets = datasets_module.Datasets(items)
    datasets.models = [models.SkyModel(spectrum, name="crab")]
    edges = [0.7, 30] * u.TeV
    estimator = package.estimators.LightCurveEstimator(
        energy_edges=edges, source="crab", selection_optional=["errn-errp", "ul"], reoptimize=False
    )
    seconds, curve = clock(lambda: estimator.run(datasets))
    names = ("norm", "norm_err", "norm_ul", "norm_errp", "norm_errn")
    return {"time": seconds, "result": {name: np.ravel(curve[name].data).tolist() for name in names}}


def agree(ours: dict, peer: dict) -> list[str]:
    error = np.array(peer["norm_err"])
    out = []
    for name, value in peer.items():
        pull = np.abs(np.array(ours[name]) - np.array(value)) / error
        if pull.max() > 0.02:
            out.append(f"{name} differs by {pull.max():.3f} errors")
    return out


if __name__ == "__main__":
    main(run)
