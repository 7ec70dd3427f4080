"""Fits, spectra, light curves and maps of the datasets of an analysis."""

from __future__ import annotations

from typing import Any

from geminga.analysis.config_data import EnergyRangeConfig
from geminga.analysis.config_products import ExcessMapConfig, FluxPointsConfig, LightCurveConfig
from geminga.analysis.geometry import energy_edges
from geminga.analysis.observations import time_intervals
from geminga.analysis.options import build
from geminga.datasets import Datasets, FluxPointsDataset
from geminga.errors import InputError
from geminga.estimators import ExcessMapEstimator, FluxPointsEstimator, LightCurveEstimator
from geminga.modeling.models import FoVBackgroundModel, Models

__all__ = ["excess_map", "flux_points", "light_curve", "set_fit_range", "with_backgrounds"]


def with_backgrounds(models: Models, datasets: Datasets) -> Models:
    """Models with a background model for each map of predicted background that has none, named ``<dataset>-bkg``."""
    known = models.background_models
    more = [
        FoVBackgroundModel(dataset_name=dataset.name, name=f"{dataset.name}-bkg")
        for dataset in datasets
        if dataset.tag == "MapDataset" and dataset.background is not None and dataset.name not in known
    ]
    return Models([*models, *more])


def set_fit_range(config: EnergyRangeConfig, datasets: Datasets) -> None:
    """Set the mask of each dataset to the bins inside the range of energy, if one is configured."""
    if config.min is None and config.max is None:
        return
    for dataset in datasets:
        dataset.mask_fit = dataset.counts.geom.energy_mask(config.min, config.max)


def _axis_edges(datasets: Datasets) -> Any:
    return datasets[0].counts.geom.axes["energy"].edges


def flux_points(config: FluxPointsConfig, datasets: Datasets, models: Any, fit: Any, n_jobs: int) -> FluxPointsDataset:
    """Flux points in the bins of the configuration, or in those of the datasets.

    Parameters
    ----------
    config : FluxPointsConfig
        Configuration.
    datasets : Datasets
        With models.
    models : Models
        Models.
    fit : Fit
        Fit.
    n_jobs : int
        Number of processes.
    """
    edges = energy_edges(config.energy, ("flux_points", "energy"))
    estimator = build(
        FluxPointsEstimator,
        config.parameters,
        ("flux_points", "parameters"),
        energy_edges=_axis_edges(datasets) if edges is None else edges,
        source=config.source,
        fit=fit,
        n_jobs=n_jobs,
    )
    points = estimator.run(datasets)
    return FluxPointsDataset(data=points, models=models[config.source], name=f"{config.source}-flux-points")


def light_curve(config: LightCurveConfig, datasets: Datasets, fit: Any, n_jobs: int) -> Any:
    """Light curve in the intervals of the configuration, or one point for each dataset.

    Parameters
    ----------
    config : LightCurveConfig
        Configuration.
    datasets : Datasets
        With models.
    fit : Fit
        Fit.
    n_jobs : int
        Number of processes.
    """
    edges = energy_edges(config.energy_edges, ("light_curve", "energy_edges"))
    estimator = build(
        LightCurveEstimator,
        config.parameters,
        ("light_curve", "parameters"),
        time_intervals=time_intervals(config.time_intervals, ("light_curve", "time_intervals")),
        energy_edges=_axis_edges(datasets)[[0, -1]] if edges is None else edges,
        source=config.source,
        fit=fit,
        n_jobs=n_jobs,
    )
    return estimator.run(datasets)


def excess_map(config: ExcessMapConfig, dataset: Any) -> Any:
    """Maps of excess and significance.

    Parameters
    ----------
    config : ExcessMapConfig
        Configuration.
    dataset : MapDataset
        Maps.

    Raises
    ------
    InputError
        If the dataset is a spectrum.
    """
    if dataset.counts.geom.is_region:
        msg = f"Cannot make an excess map of dataset {dataset.name!r}, a spectrum; it needs datasets of type '3d'."
        raise InputError(msg)
    edges = energy_edges(config.energy_edges, ("excess_map", "energy_edges"))
    where = ("excess_map", "parameters")
    estimator = build(
        ExcessMapEstimator, config.parameters, where, correlation_radius=config.correlation_radius, energy_edges=edges
    )
    return estimator.run(dataset)
