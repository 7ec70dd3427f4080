"""Reduced data: binned counts with their responses, models and likelihood.

Which one do I want? A cube or image of counts: `MapDataset`. Counts in one region: `SpectrumDataset`. With a background
measured in an off region: `MapDatasetOnOff`, `SpectrumDatasetOnOff`. Fluxes with errors or limits: `FluxPointsDataset`.
Several of them, fitted together: `Datasets`. Simulated events: `MapDatasetEventSampler`, `ObservationEventSampler`.
"""

from __future__ import annotations

from geminga.utils.lazy import attach

_PUBLIC = {
    # What simulates observations needs the makers, which are above; by name, so that nothing is imported here.
    "geminga.makers.simulated_dataset": ["create_empty_map_dataset_from_irfs", "create_map_dataset_from_observation"],
    "geminga.makers.simulation": ["ObservationEventSampler"],
    ".base": ["Dataset"],
    ".collection": ["Datasets"],
    ".create": ["create_map_dataset_geoms"],
    ".edisp": ["apply_edisp"],
    ".flux_points": ["FluxPointsDataset"],
    ".io.ogip": ["OGIPDatasetReader"],
    ".io.ogip_writer": ["OGIPDatasetWriter"],
    ".map": ["MapDataset", "MapDatasetOnOff"],
    ".metadata": ["MapDatasetMetaData"],
    ".registry": ["DATASET_REGISTRY"],
    ".restore": ["set_and_restore_mask_fit"],
    ".simulate.events": ["MapDatasetEventSampler"],
    ".spectrum": ["SpectrumDataset", "SpectrumDatasetOnOff"],
    ".split": ["split_dataset"],
}

__getattr__, __dir__, __all__ = attach(__name__, _PUBLIC)
