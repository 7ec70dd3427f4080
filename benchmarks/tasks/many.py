"""Fits of several Gaussian sources and the background norm, five free parameters for each source.

The fields are simulated: instrument, background and binning (768 000 bins) of the Galactic Centre data, and sources apart
from each other, so that the problem is well posed at any number and the answers can be compared with the truth. The file
is written once by ``write_field`` with the peer, so that both packages fit the same counts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from gcfield import background_model, gauss_model
from taskkit import Package, fit_fresh, fresh_stat_complaints, parameter_complaints, read_dataset, read_gc

SEED = 20250
# Galactic longitude and latitude of the true sources in deg, on a grid shaken a little.
GRID = [(lon, lat) for lat in (0.9, -0.9) for lon in (-2.7, -0.9, 0.9, 2.7)]
GRID += [(lon, lat) for lat in (2.4, -2.4) for lon in (-2.7, -0.9, 0.9, 2.7)]


def field_path(number: int) -> Path:
    """File of the field with `number` sources, in the folder that the harness gives."""
    return Path(os.environ["BENCHMARK_FIELDS"]) / f"gauss-{number}.fits"


def sources(package: Package, number: int, displaced: bool) -> list[Any]:
    """True sources, or (displaced) the starts of the fit: 0.05 to 0.1 deg and 20 to 40 % off."""
    rng = np.random.default_rng(SEED)
    models = []
    for index, (lon, lat) in enumerate(GRID[:number]):
        shift = rng.uniform(-0.1, 0.1, 2)
        sigma, index_true, scale = rng.uniform(0.18, 0.26), rng.uniform(2.1, 2.5), rng.uniform(1.5, 3.0)
        if displaced:
            model = gauss_model(package, lon, lat, 0.2, scale=1.5, name=f"source-{index}")
        else:
            model = gauss_model(package, lon + shift[0], lat + shift[1], sigma, scale, name=f"source-{index}")
            model.spectral_model.index.value = index_true
        models.append(model)
    return models


def write_field(package: Package, number: int) -> None:
    """Simulate and write one field."""
    dataset = read_gc(package, name="field")
    dataset.models = [*sources(package, number, displaced=False), background_model(package, dataset)]
    dataset.fake(random_state=SEED + number)
    dataset.models = None
    dataset.write(field_path(number), overwrite=True)


def read_field(package: Package, number: int) -> Any:
    """Read one field afresh."""
    return read_dataset(package, field_path(number), name="field")


def starts(package: Package, dataset: Any, number: int) -> list[Any]:
    """Models to start the fit from."""
    return [*sources(package, number, displaced=True), background_model(package, dataset)]


def fit_many(package: Package, number: int, repeat: int) -> dict:
    """Fit `number` sources."""
    return fit_fresh(
        package,
        read=lambda: read_field(package, number),
        make_models=lambda dataset, _: starts(package, dataset, number),
        repeat=repeat,
        refit=False,
    )


def agree_many(ours: dict, peer: dict) -> list[str]:
    """Same parameters within half an error, and as good a statistic in a fresh dataset of the peer."""
    # The peer convolves on the grid of pixels; over 41 parameters the statistics may differ by one or so.
    return parameter_complaints(ours, peer, sigmas=0.5) + fresh_stat_complaints(ours, peer, tolerance=2.0)
