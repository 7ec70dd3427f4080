"""Cubes and images of counts."""

from __future__ import annotations

from geminga.utils.lazy import attach

_PUBLIC = {
    ".dataset": ["MapDataset"],
    ".onoff": ["MapDatasetOnOff"],
    "geminga.datasets.create": ["MIGRA_AXIS_DEFAULT", "RAD_AXIS_DEFAULT", "create_map_dataset_geoms"],
}

__getattr__, __dir__, __all__ = attach(__name__, _PUBLIC)
