"""Datasets whose background was measured elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.datasets import DATASET_REGISTRY
from geminga.maps import Map

__all__ = ["masked_everywhere", "with_off_counts"]


def with_off_counts(dataset: Any, counts_off: Any, acceptance: Any, acceptance_off: Any) -> Any:
    """On/off dataset of the same name and with the same models.

    Parameters
    ----------
    dataset : MapDataset or SpectrumDataset
        Dataset with counts, or one that has off counts already, which are replaced.
    counts_off : Map
        Off counts.
    acceptance, acceptance_off : Map or float
        Acceptances of the on and the off region.
    """
    cls = DATASET_REGISTRY.get_cls(f"{dataset.tag.removesuffix('OnOff')}OnOff")
    new = cls.from_map_dataset(
        dataset=dataset, acceptance=acceptance, acceptance_off=acceptance_off, counts_off=counts_off, name=dataset.name
    )
    new.models = dataset.models
    return new


def masked_everywhere(dataset: Any) -> Any:
    """Safe mask that is false everywhere, on the geometry of a dataset."""
    geom = dataset.counts.geom
    return Map.from_geom(geom, data=np.zeros(geom.data_shape, dtype=bool), dtype=bool)
