"""Likelihood scan of 1000 norms on four H.E.S.S. on/off spectra."""

from __future__ import annotations

import statistics

import numpy as np
from fit_onoff_power_law import power_law
from spectra import read_spectra
from taskkit import Package, clock, main, relative_complaints, warm_up

GOAL = 50.0
ROUNDS = 2


def run(package: Package) -> dict:
    warm_up(package)
    datasets = read_spectra(package, "hess")
    datasets.models = power_law(package, 1.3)
    amplitude = datasets.models[0].spectral_model.amplitude
    amplitude.scan_values = np.linspace(0.1, 10, 1000) * 1e-11
    fit = package.modeling.Fit()
    times = []
    for _ in range(1 if package.name == "gammapy" else 5):
        seconds, scan = clock(lambda: fit.stat_profile(datasets, amplitude))
        times.append(seconds)
    stat = scan["stat_scan"]
    result = {f"statistic {i}": float(stat[i]) for i in range(0, 1000, 111)}
    return {"time": statistics.median(times), "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-9)


if __name__ == "__main__":
    main(run)
