"""Flux points of the Crab nebula: 4 on/off spectra, 10 bands, all errors, limits and profiles."""

from __future__ import annotations

import os
from pathlib import Path

import astropy.units as u
import numpy as np
from taskkit import Package, clock, main

GOAL = 100.0


def run(package: Package) -> dict:
    datasets_module, models = package.datasets, package.models
    folder = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab/spectra/hess"
    read = datasets_module.SpectrumDatasetOnOff.read
    datasets = datasets_module.Datasets([read(folder / f"pha_obs{i}.fits") for i in (23523, 23526, 23559, 23592)])
    spectrum = models.PowerLawSpectralModel(index=2.7, amplitude="4.58e-11 cm-2 s-1 TeV-1", reference="1 TeV")
    datasets.models = [models.SkyModel(spectrum, name="crab")]
    edges = np.geomspace(0.7, 30, 11) * u.TeV
    estimator = package.estimators.FluxPointsEstimator(energy_edges=edges, source="crab", selection_optional="all")
    first, _ = clock(lambda: estimator.run(datasets))
    seconds, points = clock(lambda: estimator.run(datasets))
    names = ("norm", "norm_err", "norm_ul", "norm_errp", "norm_errn")
    result = {name: np.ravel(points[name].data).tolist() for name in names}
    return {"time": seconds, "more": {"first": first}, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    # The last band has no counts: the peer's error there is not that of the statistic.
    error = np.array(peer["norm_err"][:9])
    out = []
    for name in ("norm", "norm_err", "norm_ul", "norm_errp", "norm_errn"):
        pull = np.abs(np.array(ours[name][:9]) - np.array(peer[name][:9])) / error
        if pull.max() > 0.02:
            out.append(f"{name} differs by {pull.max():.3f} errors")
    return out


if __name__ == "__main__":
    main(run)
