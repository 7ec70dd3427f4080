"""Flux points of a Gaussian source in the Galactic Centre field: 768 000 bins, 10 bands with limits."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from taskkit import Package, clock, main, read_gc

GOAL = 50.0
ROUNDS = 2


def run(package: Package) -> dict:
    models = package.models
    dataset = read_gc(package)
    spectrum = models.PowerLawSpectralModel(index=2.3, amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV")
    spatial = models.GaussianSpatialModel(lon_0="0.366 deg", lat_0="-0.109 deg", sigma="0.7 deg", frame="galactic")
    background = models.FoVBackgroundModel(dataset_name=dataset.name)
    dataset.models = [models.SkyModel(spectrum, spatial, name="source"), background]
    edges = dataset.counts.geom.axes["energy"].edges
    estimator = package.estimators.FluxPointsEstimator(energy_edges=u.Quantity(edges), source="source", selection_optional=["ul"])
    datasets = package.datasets.Datasets([dataset])
    first, _ = clock(lambda: estimator.run(datasets))
    seconds, points = clock(lambda: estimator.run(datasets))
    names = ("norm", "norm_err", "norm_ul")
    result = {name: np.ravel(points[name].data).tolist() for name in names}
    return {"time": seconds, "more": {"first": first}, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    # The source is convolved exactly here and on pixels there: a tenth of an error, or half a per cent.
    error = np.array(peer["norm_err"])
    out = []
    for name, value in peer.items():
        a, b = np.array(ours[name]), np.array(value)
        if (np.abs(a - b) > np.maximum(0.1 * error, 0.005 * np.abs(b))).any():
            out.append(f"{name} differs by {(np.abs(a - b) / error).max():.3f} errors")
    return out


if __name__ == "__main__":
    main(run)
