"""What a report says: tables of data, models, fit and provenance, as rows of text."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

__all__ = ["Table", "correlations", "data_table", "diagnosis", "models_table", "provenance", "sources", "statistics_table"]

_PACKAGES = ("numpy", "scipy", "astropy", "regions", "iminuit", "matplotlib", "plotly")
#: Correlations from which two parameters are listed.
_CORRELATED = 0.8


@dataclass(frozen=True)
class Table:
    """Rows of text under a head.

    Attributes
    ----------
    head : tuple of str
        Names of columns.
    rows : list of tuple of str
        Cells.
    """

    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)


def sources(models: Any) -> list[Any]:
    """Models of sources, which have a flux; not those of backgrounds."""
    return [model for model in models or [] if "sky-model" in model.tag]


def _energy_range(dataset: Any) -> str:
    """Energies of the bins inside the masks."""
    axis = dataset.counts.geom.axes["energy"]
    inside = np.ones(axis.nbin, bool)
    if dataset.mask is not None:
        inside = dataset.mask.frozen_data.reshape(axis.nbin, -1).any(axis=1)
    if not inside.any():
        return "none"
    edges = axis.edges.to_value("TeV")
    places = np.flatnonzero(inside)
    return f"{edges[places[0]]:.3g} – {edges[places[-1] + 1]:.3g} TeV"


def data_table(datasets: Sequence[Any]) -> Table:
    """Counts, background, significance, livetime and energies of each dataset."""
    table = Table(("Dataset", "Type", "Counts", "Background", "Excess", "Significance", "Livetime", "Energies"))
    for dataset in datasets:
        info = dataset.info_dict()
        livetime = info.get("livetime")
        hours = "" if livetime is None else f"{livetime.to_value('h'):.2f} h"
        numbers = (f"{info.get('counts', np.nan):.0f}", *(f"{info.get(key, np.nan):.2f}" for key in ("background", "excess")))
        significance = f"{info.get('sqrt_ts', np.nan):.2f}"
        table.rows.append((dataset.name, dataset.tag, *numbers, significance, hours, _energy_range(dataset)))
    return table


def _bound(parameter: Any) -> str:
    low, high = parameter.min, parameter.max
    if np.isnan(low) or np.isnan(high):
        return "" if np.isnan([low, high]).all() else f"from {low:.3g}" if np.isnan(high) else f"up to {high:.3g}"
    return f"[{low:.3g}, {high:.3g}]"


def _number(value: float, error: float) -> tuple[str, str]:
    """Value with the digits that its error warrants, and the error."""
    if not (np.isfinite(error) and error > 0):
        return f"{value:.6g}", ""
    digits = 2 if value == 0 else max(int(np.ceil(np.log10(abs(value) / error))) + 2, 2)
    return f"{value:.{digits}g}", f"{error:.2g}"


def models_table(models: Sequence[Any]) -> Table:
    """Parameters of all models."""
    table = Table(("Model", "Parameter", "Value", "Error", "Unit", "Bounds", "Status"))
    for model in models:
        for parameter in model.parameters:
            value, error = _number(float(parameter.value), float(parameter.error))
            status = "frozen" if parameter.frozen else "free"
            unit = parameter.unit.to_string("fits")
            table.rows.append((model.name, parameter.name, value, error, unit, _bound(parameter), status))
    return table


def statistics_table(datasets: Sequence[Any]) -> Table:
    """Fit statistic of each dataset, and in how many bins."""
    table = Table(("Dataset", "Statistic", "Value", "Bins"))
    for dataset in datasets:
        number = dataset.counts.frozen_data.size if dataset.mask is None else int(dataset.mask.frozen_data.sum())
        table.rows.append((dataset.name, str(dataset.stat_type), f"{dataset.stat_sum():.2f}", str(number)))
    return table


def correlations(models: Any) -> tuple[list[str], Any]:
    """Names of the free parameters that have errors, and the matrix of their correlations."""
    free = [(f"{m.name}.{p.name}", p) for m in models for p in m.parameters if not p.frozen]
    everything = list(models.parameters)
    covariance = np.asarray(models.covariance.data)
    places = [next(i for i, other in enumerate(everything) if other is p) for _, p in free]
    kept = [k for k, i in enumerate(places) if covariance[i, i] > 0]
    matrix = covariance[np.ix_([places[k] for k in kept], [places[k] for k in kept])]
    root = np.sqrt(np.diag(matrix))
    return [free[k][0] for k in kept], matrix / np.outer(root, root)


def diagnosis(models: Any, fit_result: Any) -> list[str]:
    """Sentences about the fit: its outcome, parameters at a bound or without error, and strong correlations."""
    if fit_result is None:
        said = ["No fit was run for this report: parameters are those of the models that were given."]
    else:
        outcome = "converged" if fit_result.success else "did NOT converge"
        said = [f"The fit {outcome} after {fit_result.nfev} evaluations, statistic {fit_result.total_stat:.2f}."]
        said.append(f"{fit_result.backend}: {fit_result.message}")
    for model in models:
        for p in (p for p in model.parameters if not p.frozen):
            at_bound = [side for side, bound in (("lower", p.min), ("upper", p.max)) if np.isclose(p.value, bound, rtol=1e-8)]
            said += [f"{model.name}.{p.name} is at its {side} bound." for side in at_bound]
            if fit_result is not None and not p.error > 0:
                said.append(f"{model.name}.{p.name} has no error.")
    names, matrix = correlations(models)
    rows, columns = np.where(np.triu(np.abs(matrix) > _CORRELATED, 1))
    said += [
        f"{names[i]} and {names[j]} are correlated, {matrix[i, j]:+.2f}."
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    return said


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def provenance(analysis: Any) -> Table:
    """Where data and numbers come from: time, versions, store, observations and files."""
    from geminga import __version__

    config = analysis.config
    table = Table(("", ""))
    table.rows.append(("Made", datetime.now(tz=UTC).isoformat(timespec="seconds")))
    table.rows.append(("Geminga", __version__))
    table.rows.append(("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"))
    table.rows.extend((name, _version(name)) for name in _PACKAGES)
    if analysis.datastore is not None or "datastore" in config.observations.model_fields_set:
        table.rows.append(("Store of observations", str(config.observations.datastore)))
    ids = analysis.observations.ids if analysis.observations else _recorded_ids(analysis.datasets)
    table.rows.append(("Observations", ", ".join(map(str, ids)) or "not recorded"))
    for name in ("datasets_file", "models_file"):
        path = getattr(config.general, name)
        if path is not None:
            table.rows.append((name.replace("_", " "), str(path)))
    table.rows.append(("GAMMAPY_DATA", os.environ.get("GAMMAPY_DATA", "not set")))
    return table


def _recorded_ids(datasets: Sequence[Any]) -> list[str]:
    """Observations which the datasets name in their tables."""
    tables = [dataset.meta_table for dataset in datasets if dataset.meta_table is not None]
    found = [str(one) for table in tables if "OBS_ID" in table.colnames for one in np.ravel(table["OBS_ID"])]
    return list(dict.fromkeys(found))
