"""Flux points with all free parameters fitted in each band."""

from __future__ import annotations

import copy as copying
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GemingaError
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.reasons import MASKED, has_bins, missing_reason
from geminga.modeling.models import DatasetModels, ScaleSpectralModel, SkyModel
from geminga.utils.parallel import run_tasks
from geminga.utils.pbar import progress_bar

__all__ = ["refit_bands", "scale_model"]

Array = NDArray[np.float64]

#: Quantities of a band, by the names which `ParameterEstimator` gives them.
QUANTITIES = ("norm", "norm_err", "stat", "stat_null", "ts", "sqrt_ts", "niter", "success")
OPTIONAL = {"errn-errp": ("norm_errp", "norm_errn"), "ul": ("norm_ul",), "sensitivity": ("norm_sensitivity",)}


def refit_bands(
    estimator: Any, datasets: list[Any], source: Any, axis: Any, groups: list[list[slice | None]], first: list[int], number: int
) -> dict[str, Array]:
    """As ``FluxPointsEstimator._estimate``: one fit for each band."""
    shape = (number, axis.nbin)
    names = [*QUANTITIES, *(name for key in estimator.selection_optional for name in OPTIONAL.get(key, ()))]
    rows: dict[str, Array] = {name: np.full(shape, np.nan) for name in names}
    rows["success"][:] = 0.0
    rows["reason"] = np.full(shape, "", dtype=object)
    for name in ("counts", "npred", "npred_excess"):
        rows[name] = np.full((len(datasets), *shape), np.nan)
    if "scan" in estimator.selection_optional:
        rows["stat_scan"] = np.full((len(estimator.norm.scan_values), *shape), np.nan)
    tasks = [_task(estimator, datasets, source, groups, first, cell) for cell in np.ndindex(shape)]
    results = run_tasks(_attempt, tasks, executor=estimator.executor, n_jobs=estimator.n_jobs)
    for task, (reason, result) in zip(tasks, progress_bar(results, desc="Flux points"), strict=True):
        rows["reason"][task.cell] = reason
        if result is not None:
            _fill(rows, task.cell, task.used, result)
    return rows


@dataclass(frozen=True)
class _Task:
    """A band of an interval to fit: datasets cut to it, and copies of all models; or the reason why it cannot be."""

    cell: tuple[int, ...]
    used: list[int]
    reason: str
    estimator: Any = None
    cut: Sequence[Any] = ()
    models: Any = None
    source: Any = None


def _task(
    estimator: Any, datasets: list[Any], source: Any, groups: list[list[slice | None]], first: list[int], cell: tuple[int, ...]
) -> _Task:
    batch, band = cell
    there = [i for i, f in enumerate(first) if f == batch and groups[i][band] is not None]
    parts = [(i, datasets[i].slice_by_idx({"energy": groups[i][band]}, name=datasets[i].name)) for i in there]
    parts = [(i, cut) for i, cut in parts if has_bins(cut)]
    reason = missing_reason(groups, first, batch, band) or ("" if parts else MASKED)
    used = [i for i, _ in parts]
    if reason:
        return _Task(cell, used, reason)
    alone = copying.copy(estimator)
    alone.executor = None  # it stays in this process
    return _Task(cell, used, "", alone, [cut for _, cut in parts], *_scaled(estimator, [datasets[i] for i in used], source))


def _attempt(task: _Task) -> tuple[str, dict[str, Any] | None]:
    """Reason why there is no result, or the result. One band that cannot be fitted must not end a run of many."""
    if task.reason:
        return task.reason, None
    try:
        result = _one(task.estimator, task.cut, task.models, task.source)
    except GemingaError as error:
        return f"{type(error).__name__}: {error}", None
    return "" if result["success"] else f"the fit did not converge: {result['message']}", result


def _one(estimator: Any, cut: Sequence[Any], models: Any, scaled: Any) -> dict[str, Any]:
    """Everything about the norm of one band."""
    for dataset in cut:
        dataset.models = models
    single = ParameterEstimator(
        n_sigma=estimator.n_sigma,
        n_sigma_ul=estimator.n_sigma_ul,
        n_sigma_sensitivity=estimator.n_sigma_sensitivity,
        null_value=0.0,
        selection_optional=estimator.selection_optional,
        fit=estimator.fit,
    )
    norm = scaled.spectral_model.norm
    result = single.run(cut, norm)
    with models.restore_status():
        norm.value = result["norm"] if result["success"] else 1.0
        result |= estimator.estimate_npred_excess(cut)
    return result


def _fill(rows: dict[str, Any], cell: Any, places: list[int], result: dict[str, Any]) -> None:
    for name, values in rows.items():
        if name == "reason":
            continue
        if name == "stat_scan":
            values[(slice(None), *cell)] = result[name]
        elif values.ndim == 3:
            values[(places, *cell)] = result[name]
        else:
            values[cell] = result[name]


def scale_model(source: Any, norm: Any) -> ScaleSpectralModel:
    """Spectrum of a source, fixed but for a norm with the bounds and scan values of `norm`."""
    spectrum = ScaleSpectralModel(source.spectral_model.copy())
    for p in spectrum.model.parameters:
        p.frozen = True
    spectrum.norm.min, spectrum.norm.max = norm.min, norm.max
    spectrum.norm.interp, spectrum.norm.scan_values = norm.interp, np.asarray(norm.scan_values, dtype=float)
    return spectrum


def _scaled(estimator: Any, datasets: list[Any], source: Any) -> tuple[Any, Any]:
    """Copies of all models, the source's spectrum and position fixed but for its norm."""
    copies, scaled = [], None
    for model in {id(m): m for d in datasets for m in d.models or ()}.values():
        own = model.copy(name=model.name)
        if model is source:
            for p in own.parameters:
                p.frozen = True
            parts = (scale_model(model, estimator.norm), own.spatial_model, own.temporal_model)
            own = scaled = SkyModel(*parts, name=model.name, apply_irf=model.apply_irf, datasets_names=model.datasets_names)
        copies.append(own)
    return DatasetModels(copies), scaled
