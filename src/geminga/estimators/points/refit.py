"""Flux points with all free parameters fitted in each band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.estimators.points.bins import dataset_bins, joined
from geminga.estimators.points.norms import sensitivity
from geminga.modeling import Fit
from geminga.modeling.models import DatasetModels, ScaleSpectralModel, SkyModel

__all__ = ["refit_bands"]

Array = NDArray[np.float64]


def refit_bands(
    estimator: Any, datasets: list[Any], source: Any, axis: Any, groups: list[list[slice | None]], first: list[int], number: int
) -> dict[str, Array]:
    """As ``FluxPointsEstimator.estimate``: one fit for each band."""
    shape = (number, axis.nbin)
    names = ["norm", "norm_err", "stat", "stat_null", "ts", "sqrt_ts", "niter", *_optional(estimator.selection_optional)]
    rows: dict[str, Array] = {name: np.full(shape, np.nan) for name in names}
    rows["success"] = np.zeros(shape)
    for name in ("counts", "npred", "npred_excess"):
        rows[name] = np.full((len(datasets), *shape), np.nan)
    scan = np.asarray(estimator.norm.scan_values, dtype=float)
    if "scan" in estimator.selection_optional:
        rows["stat_scan"] = np.full((len(scan), *shape), np.nan)
    for batch in range(number):
        for band in range(axis.nbin):
            chosen = [i for i, f in enumerate(first) if f == batch and groups[i][band] is not None]
            if chosen:
                _one(
                    estimator,
                    [datasets[i] for i in chosen],
                    [groups[i][band] for i in chosen],
                    chosen,
                    source,
                    rows,
                    (batch, band),
                )
    return rows


def _optional(selection: list[str]) -> list[str]:
    known = {"errn-errp": ["norm_errp", "norm_errn"], "ul": ["norm_ul"], "sensitivity": ["norm_sensitivity"]}
    return [name for key in selection for name in known.get(key, [])]


def _one(
    estimator: Any, datasets: list[Any], slices: list[Any], places: list[int], source: Any, rows: dict[str, Array], cell: Any
) -> None:
    cut = [d.slice_by_idx({"energy": s}, name=d.name) for d, s in zip(datasets, slices, strict=True)]
    models, scaled = _scaled(datasets, source, estimator.norm)
    for dataset in cut:
        dataset.models = models
    inside = [np.ones(d.data_shape, bool) if d.mask is None else np.asarray(d.mask.frozen_data) for d in cut]
    used = [i for i, m in enumerate(inside) if m.any()]
    if not used:
        return
    cut, places, inside = [cut[i] for i in used], [places[i] for i in used], [inside[i] for i in used]
    fit = estimator.fit or Fit()
    norm = scaled.spectral_model.norm
    result = fit.run(cut)
    own = result.optimize_result
    rows["niter"][cell] = own.nfev
    for dataset, place, mask in zip(cut, places, inside, strict=True):
        rows["counts"][(place, *cell)] = float(np.asarray(dataset.counts.frozen_data)[mask].sum())
        rows["npred"][(place, *cell)] = float(np.asarray(dataset.npred().frozen_data)[mask].sum())
        signal = np.asarray(dataset.npred_signal(model_names=[scaled.name]).frozen_data)
        rows["npred_excess"][(place, *cell)] = float(signal[mask].sum())
    if not own.success:
        return
    rows["success"][cell] = 1.0
    rows["norm"][cell], rows["stat"][cell] = norm.value, own.total_stat
    rows["norm_err"][cell] = norm.error * estimator.n_sigma
    if "errn-errp" in estimator.selection_optional:
        limits = fit.confidence(cut, norm, sigma=estimator.n_sigma)
        rows["norm_errp"][cell], rows["norm_errn"][cell] = limits["errp"], limits["errn"]
    if "ul" in estimator.selection_optional:
        rows["norm_ul"][cell] = norm.value + fit.confidence(cut, norm, sigma=estimator.n_sigma_ul)["errp"]
    best = norm.value
    if "scan" in estimator.selection_optional:
        norm.scan_values = np.asarray(estimator.norm.scan_values, dtype=float)
        rows["stat_scan"][(slice(None), *cell)] = fit.stat_profile(cut, norm, reoptimize=True)["stat_scan"]
    if "sensitivity" in estimator.selection_optional:
        norm.value = 1.0
        bins = [dataset_bins(d, scaled.name, [slice(None)]) for d in cut]
        rows["norm_sensitivity"][cell] = sensitivity(joined(bins, [0] * len(cut), 1), estimator.n_sigma_sensitivity)[0]
    rows["stat_null"][cell] = _null(fit, cut, norm)
    rows["ts"][cell] = rows["stat_null"][cell] - rows["stat"][cell]
    rows["sqrt_ts"][cell] = np.sign(best) * np.sqrt(max(rows["ts"][cell], 0.0))


def _null(fit: Any, datasets: list[Any], norm: Any) -> float:
    """Statistic without the source, all other parameters fitted anew."""
    norm.value, norm.frozen = 0.0, True
    free = [p for d in datasets for m in d.models or () for p in m.parameters if not p.frozen]
    if free:
        return float(fit.optimize(datasets).total_stat)
    return float(sum(d.stat_sum() for d in datasets))


def _scaled(datasets: list[Any], source: Any, norm: Any) -> tuple[Any, Any]:
    """Copies of all models with the source's spectrum and position fixed, but for its norm."""
    unique = {id(m): m for d in datasets for m in d.models or ()}
    copies = []
    scaled = None
    for model in unique.values():
        own = model.copy(name=model.name)
        if model is source:
            for p in own.parameters:
                p.frozen = True
            spectrum = ScaleSpectralModel(own.spectral_model)
            spectrum.norm.min, spectrum.norm.max = norm.min, norm.max
            own = scaled = SkyModel(
                spectrum,
                own.spatial_model,
                own.temporal_model,
                name=model.name,
                apply_irf=model.apply_irf,
                datasets_names=model.datasets_names,
            )
        copies.append(own)
    return DatasetModels(copies), scaled
