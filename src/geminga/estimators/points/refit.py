"""Flux points with all free parameters fitted in each band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GemingaError
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.reasons import MASKED, missing_reason
from geminga.modeling.models import DatasetModels, ScaleSpectralModel, SkyModel

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
    for batch, band in np.ndindex(shape):
        used = [i for i, f in enumerate(first) if f == batch and groups[i][band] is not None]
        cut = [_cut(datasets[i], groups[i][band]) for i in used]
        used = [i for i, d in zip(used, cut, strict=True) if _has_bins(d)]
        cut = [d for d in cut if _has_bins(d)]
        reason = missing_reason(groups, first, batch, band) or ("" if cut else MASKED)
        if not reason:
            # One band that cannot be fitted must not end a run of many.
            try:
                result = _one(estimator, cut, [datasets[i] for i in used], source)
            except GemingaError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                reason = "" if result["success"] else f"the fit did not converge: {result['message']}"
                _fill(rows, (batch, band), used, result)
        rows["reason"][batch, band] = reason
    return rows


def _cut(dataset: Any, group: Any) -> Any:
    return dataset.slice_by_idx({"energy": group}, name=dataset.name)


def _has_bins(dataset: Any) -> bool:
    return dataset.mask is None or bool(np.asarray(dataset.mask.frozen_data).any())


def _one(estimator: Any, cut: list[Any], whole: list[Any], source: Any) -> dict[str, Any]:
    """Everything about the norm of one band."""
    models, scaled = _scaled(estimator, whole, source)
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


def _fill(rows: dict[str, Array], cell: tuple[int, int], places: list[int], result: dict[str, Any]) -> None:
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
