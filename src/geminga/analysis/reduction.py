"""Makers of a configuration, and what they make of observations."""

from __future__ import annotations

import logging
from typing import Any

from geminga.analysis.config_data import DatasetsConfig
from geminga.analysis.geometry import STACKED, reference_dataset
from geminga.analysis.options import build
from geminga.datasets import Datasets
from geminga.errors import ConfigError
from geminga.makers import (
    DatasetsMaker,
    FoVBackgroundMaker,
    MapDatasetMaker,
    ReflectedRegionsBackgroundMaker,
    ReflectedRegionsFinder,
    RingBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
)
from geminga.maps import Map

__all__ = ["background_maker", "dataset_maker", "make_datasets", "safe_mask_maker", "stacked"]

log = logging.getLogger(__name__)

_BACKGROUND = ("datasets", "background", "parameters")
#: Method, kind of datasets it is for, maker, and the class that takes further options.
_METHODS: dict[str, tuple[str, type, tuple[type, ...]]] = {
    "reflected": ("1d", ReflectedRegionsBackgroundMaker, (ReflectedRegionsFinder,)),
    "fov_background": ("3d", FoVBackgroundMaker, ()),
    "ring": ("3d", RingBackgroundMaker, ()),
}


def dataset_maker(config: DatasetsConfig) -> Any:
    """Maker of counts and responses, as in ``datasets``."""
    if config.type == "1d":
        selection = [name for name in config.map_selection if name in SpectrumDatasetMaker.available_selection]
        if config.background.method is not None:
            selection = [name for name in selection if name != "background"]
        return SpectrumDatasetMaker(selection=selection, containment_correction=config.containment_correction)
    return MapDatasetMaker(selection=config.map_selection)


def safe_mask_maker(config: DatasetsConfig) -> Any:
    """Maker of safe masks, as in ``datasets.safe_mask``.

    As in gammapy the radius of the method ``offset-max`` is one of its parameters; ``geom.selection.offset_max`` is half the
    width of the square which is cut out of the map.
    """
    where = ("datasets", "safe_mask", "parameters")
    return build(SafeMaskMaker, config.safe_mask.parameters, where, methods=config.safe_mask.methods)


def background_maker(config: DatasetsConfig) -> Any:
    """Maker of the background, as in ``datasets.background``; None if there is none.

    Raises
    ------
    ConfigError
        If the method is not for this kind of dataset, or an option is unknown.
    """
    method = config.background.method
    if method is None:
        return None
    kind, cls, besides = _METHODS[method]
    if kind != config.type:
        fitting = ", ".join(repr(name) for name, (known, *_) in _METHODS.items() if known == config.type)
        problem = f"is {method!r}, which is for datasets of type {kind!r}; for {config.type!r} give {fitting}, or null"
        raise ConfigError([(("datasets", "background", "method"), problem)], "AnalysisConfig")
    exclusion = None if config.background.exclusion is None else Map.read(config.background.exclusion)
    return build(cls, config.background.parameters, _BACKGROUND, besides=besides, exclusion_mask=exclusion)


def make_datasets(config: DatasetsConfig, observations: Any, n_jobs: int = 1) -> Datasets:
    """Reduce observations.

    Parameters
    ----------
    config : DatasetsConfig
        Configuration.
    observations : Observations
        Observations.
    n_jobs : int
        Number of processes.

    Returns
    -------
    datasets : Datasets
        One named "stacked", or one for each observation, named after it.
    """
    return {"1d": _spectra, "3d": _maps}[config.type](config, observations, n_jobs)


def _spectra(config: DatasetsConfig, observations: Any, n_jobs: int) -> Datasets:
    makers = [dataset_maker(config), background_maker(config), safe_mask_maker(config)]
    datasets = _made(config, makers, observations, n_jobs, stack=False)
    kept = Datasets([dataset for dataset in datasets if not _is_without_off(dataset)])
    if len(kept) < len(datasets):
        log.warning("No off region was found for %s; they are left out.", sorted(set(datasets.names) - set(kept.names)))
    return stacked(config, kept) if config.stack and len(kept) else kept


def _maps(config: DatasetsConfig, observations: Any, n_jobs: int) -> Datasets:
    background = background_maker(config)
    makers = [dataset_maker(config), safe_mask_maker(config), background]
    # Off counts make another kind of dataset, which cannot be added to the one the observations start from.
    is_off = isinstance(background, RingBackgroundMaker)
    datasets = _made(config, makers, observations, n_jobs, stack=config.stack and not is_off)
    return stacked(config, datasets) if config.stack and is_off else datasets


def _made(config: DatasetsConfig, makers: list[Any], observations: Any, n_jobs: int, *, stack: bool) -> Datasets:
    chain = DatasetsMaker(
        [maker for maker in makers if maker is not None],
        stack_datasets=stack,
        n_jobs=n_jobs,
        cutout_width=2 * config.geom.selection.offset_max,
    )
    return chain.run(reference_dataset(config), observations)


def _is_without_off(dataset: Any) -> bool:
    off = getattr(dataset, "acceptance_off", None)
    return off is not None and not off.frozen_data.any()


def stacked(config: DatasetsConfig, datasets: Datasets) -> Datasets:
    """Sum of datasets, of their kind, on the whole geometry of the configuration.

    Parameters
    ----------
    config : DatasetsConfig
        Configuration.
    datasets : Datasets
        Datasets on parts of the geometry.
    """
    geoms = reference_dataset(config).geoms
    total = type(datasets[0]).from_geoms(**geoms, name=STACKED)
    for dataset in datasets:
        total.stack(dataset)
    return Datasets([total])
