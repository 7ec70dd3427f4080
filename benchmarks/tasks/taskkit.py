"""What every task shares: the package under test by name, the clock, memory, the data, and the checks.

A task is one source file for both packages. It defines ``GOAL`` (the ratio of times to reach), ``run(package)``
(returns times in s and results), ``agree(ours, peer)`` (returns complaints), and ends with ``main(run)``.
Options: ``FRESH_STATS = True`` asks the harness to evaluate the fitted parameters of both in a fresh dataset of the peer,
``ROUNDS`` limits the number of turns, ``OURS_ONLY = True`` leaves the peer out.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

GC_FILE = "$GAMMAPY_DATA/cta-1dc-gc/cta-1dc-gc.fits.gz"


class Package:
    """Sub-packages by attribute: ``Package("gammapy").maps``, ``.models``, ``.datasets``, ``.modeling``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        path = {"models": "modeling.models"}.get(name, name)
        return importlib.import_module(f"{self.name}.{path}")


def read_dataset(package: Package, path: object, name: str) -> Any:
    """Read a MapDataset afresh."""
    return package.datasets.MapDataset.read(path, name=name)


def read_gc(package: Package, name: str = "gc-field") -> Any:
    """Read the CTAO 1DC Galactic Centre dataset afresh."""
    return read_dataset(package, GC_FILE, name)


def warm_up(package: Package) -> None:
    """Load all modules that a fit needs, so that their import is not counted (the import task counts it)."""
    _ = package.datasets.MapDataset, package.modeling.Fit, package.models.SkyModel, package.models.FoVBackgroundModel


def clock(function: Callable[[], Any]) -> tuple[float, Any]:
    """Wall-clock time of a call, and what it returns."""
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def clock_often(function: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """Median wall-clock time of several calls, and what the last returns."""
    times, values = zip(*(clock(function) for _ in range(repeat)), strict=True)
    return statistics.median(times), values[-1]


def fit_fresh(
    package: Package,
    read: Callable[[], Any],
    make_models: Callable[[Any, float], list],
    repeat: int,
    refit: bool = True,
) -> dict[str, Any]:
    """Fit datasets that were just read, then (if `refit`) once more from another start.

    ``time`` is the median over `repeat` fits, each of a dataset just read: the preparation of the fit is counted.
    ``refit`` is a further fit of the last dataset from a start 2 % away: what a second model costs.
    """
    warm_up(package)
    times = []
    for _ in range(repeat):
        dataset = read()
        dataset.models = make_models(dataset, 1.0)
        fit = package.modeling.Fit()
        seconds, result = clock(lambda fit=fit, dataset=dataset: fit.run([dataset]))
        times.append(seconds)
    record = {"time": statistics.median(times), "result": summarise(dataset, result)}
    record["memory"] = peak_memory()
    if refit:
        dataset.models = make_models(dataset, 1.02)
        seconds, _ = clock(lambda: package.modeling.Fit().run([dataset]))
        record["more"] = {"refit": seconds}
    return record


def summarise(dataset: Any, result: Any) -> dict[str, Any]:
    """Free parameters in the order of the models, with errors, and how the fit ended."""
    free = [p for p in dataset.models.parameters if not p.frozen]
    return {
        "names": [p.name for p in free],
        "values": [float(p.value) for p in free],
        "errors": [float(p.error) for p in free],
        "stat": float(result.total_stat),
        "nfev": int(result.nfev),
        "success": bool(result.success),
    }


def parameter_complaints(ours: dict, peer: dict, sigmas: float) -> list[str]:
    """Parameters that differ by more than `sigmas` of the peer's error."""
    complaints = []
    for name, a, b, error in zip(ours["names"], ours["values"], peer["values"], peer["errors"], strict=True):
        if not abs(a - b) <= sigmas * error:
            complaints.append(f"{name}: {a:.6g}, peer {b:.6g} +/- {error:.2g}")
    return complaints


def fresh_stat_complaints(ours: dict, peer: dict, tolerance: float) -> list[str]:
    """Our fitted parameters must be as good as the peer's when both are evaluated in a fresh dataset of the peer."""
    if ours["fresh_stat"] <= peer["fresh_stat"] + tolerance:
        return []
    return [f"statistic in a fresh peer dataset {ours['fresh_stat']:.2f}, peer {peer['fresh_stat']:.2f}"]


def relative_complaints(ours: dict, peer: dict, rtol: float) -> list[str]:
    """Numbers that differ by more than `rtol`; both dicts hold the same keys."""
    complaints = [f"{key} missing" for key in peer if key not in ours]
    for key in ours.keys() & peer.keys():
        a, b = ours[key], peer[key]
        if not abs(a - b) <= rtol * max(abs(b), 1e-300):
            complaints.append(f"{key}: {a:.8g}, peer {b:.8g}")
    return complaints


def change_complaints(ours: list[float], peer: list[float], rtol: float, atol: float = 0.1) -> list[str]:
    """Changes of a statistic from one value to the next that differ.

    The peer's PSF at the Galactic Centre is a tenth wider than the tables say, because it spreads a point over four pixels: all
    of its values are lower by about 80.
    """
    changes = [(b - a, d - c) for a, b, c, d in zip(ours, ours[1:], peer, peer[1:], strict=False)]
    return [f"change by {a:.2f}, peer {b:.2f}" for a, b in changes if not abs(a - b) <= rtol * abs(b) + atol]


def peak_memory() -> float:
    """Largest resident size of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(run: Callable[[Package], dict[str, Any]]) -> None:
    """Run a task for the package named on the command line; the last line printed is its record."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    warnings.simplefilter("ignore")
    record = run(Package(sys.argv[1]))
    record.setdefault("memory", peak_memory())
    print(json.dumps(record))
