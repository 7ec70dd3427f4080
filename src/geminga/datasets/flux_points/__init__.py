"""Flux points as a dataset."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {".dataset": ["FluxPointsDataset"]})
