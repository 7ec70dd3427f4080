"""Spectra of the benchmarks: the published ones of the Crab nebula, and any number of simulated ones."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from taskkit import Package, clock, summarise, warm_up

INSTRUMENTS = ("fermi", "magic", "veritas", "fact", "hess")
REGION = "icrs;circle(83.63, 22.01, 0.1)"
SEED = 1


def pha_files(*instruments: str) -> list[Path]:
    """Spectra of some instruments."""
    folder = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab" / "spectra"
    return [path for one in instruments for path in sorted((folder / one).glob("pha_*.fits"))]


def read_spectra(package: Package, *instruments: str) -> Any:
    """Read on/off spectra afresh."""
    read = package.datasets.SpectrumDatasetOnOff.read
    return package.datasets.Datasets([read(path, name=f"{path.parent.name}-{path.stem}") for path in pha_files(*instruments)])


def fit_fresh_spectra(package: Package, read: Callable[[], Any], make_models: Callable[[float], list], repeat: int) -> dict:
    """Fit datasets just read (``time``), then once more from a start 2 % away (``refit``)."""
    warm_up(package)
    times = []
    for _ in range(repeat):
        datasets = read()
        datasets.models = make_models(1.0)
        seconds, result = clock(lambda datasets=datasets: package.modeling.Fit().run(datasets))
        times.append(seconds)
    record = {"time": statistics.median(times), "result": summarise(datasets, result)}
    datasets.models = make_models(1.02)
    record["more"] = {"refit": clock(lambda: package.modeling.Fit().run(datasets))[0]}
    return record


def simulated_spectra(package: Package, number: int) -> Any:
    """Power laws of one index and different amplitudes over a background, 30 bins each, with their models at a start."""
    maps, models = package.maps, package.models
    energy = maps.MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=30)
    true = maps.MapAxis.from_energy_bounds("0.05 TeV", "200 TeV", nbin=60, name="energy_true")
    geom = maps.RegionGeom.create(REGION, axes=[energy])
    edisp = package.irf.EDispKernelMap.from_gauss(energy, true, sigma=0.15, bias=0)
    exposure = maps.RegionNDMap.create(REGION, axes=[true], unit="m2 s")
    exposure.data += 1e9
    level = np.geomspace(100, 0.1, 30)
    background = maps.RegionNDMap.from_geom(geom, data=level.reshape(-1, 1, 1))
    mask = maps.RegionNDMap.from_geom(geom, data=np.ones((30, 1, 1), dtype=bool))
    edges = np.geomspace(0.1, 100, 31)
    shape = 1e13 * (edges[:-1] ** -1.2 - edges[1:] ** -1.2) / 1.2
    rng = np.random.default_rng(SEED)
    datasets, all_models, first = [], [], None
    for number_of_one in range(number):
        counts = rng.poisson(level + rng.uniform(1, 2) * 1e-12 * shape).astype(float)
        spectrum = models.PowerLawSpectralModel(index=2.0, amplitude="1e-12 cm-2 s-1 TeV-1")
        first = spectrum.index if first is None else first
        spectrum.index = first
        name = f"spectrum-{number_of_one}"
        model = models.SkyModel(spectral_model=spectrum, name=f"source-{number_of_one}", datasets_names=[name])
        dataset = package.datasets.SpectrumDataset(
            name=name,
            counts=maps.RegionNDMap.from_geom(geom, data=counts.reshape(-1, 1, 1)),
            exposure=exposure,
            edisp=edisp,
            background=background,
            mask_safe=mask,
        )
        dataset.models = [model]
        datasets.append(dataset)
        all_models.append(model)
    return package.datasets.Datasets(datasets), first, all_models


def fit_simulated(package: Package, number: int, repeat: int, more_models: list | None = None) -> dict:
    """Joint fit of simulated spectra that share the index."""
    warm_up(package)
    times = []
    for _ in range(repeat):
        datasets, index, models = simulated_spectra(package, number)
        if more_models:
            datasets.models = [*models, *more_models]
        seconds, result = clock(lambda datasets=datasets: package.modeling.Fit().run(datasets))
        times.append(seconds)
    amplitudes = [model.spectral_model.amplitude for model in models]
    record = {
        "names": ["index", *(model.name for model in models)],
        "values": [float(p.value) for p in (index, *amplitudes)],
        "errors": [float(p.error) for p in (index, *amplitudes)],
        "stat": float(result.total_stat),
        "success": bool(result.success),
    }
    return {"time": statistics.median(times), "result": record}
