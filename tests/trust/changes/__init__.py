"""Changes of datasets and their models, by assignment and in place: the words of random sequences.

A change takes a dataset and random numbers; what it returns, if anything, is the dataset to go on with. Where it has nothing to act
on it does nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["CHANGES", "change", "load"]

Change = Callable[[Any, Any], Any]

MAPS = ("MapDataset", "MapDatasetOnOff")
WITH_BACKGROUND = ("MapDataset", "SpectrumDataset")
COUNTS = (*MAPS, "SpectrumDataset", "SpectrumDatasetOnOff")
POINTS = ("FluxPointsDataset",)

CHANGES: dict[str, list[Change]] = {kind: [] for kind in (*COUNTS, *POINTS)}


def change(*kinds: str) -> Callable[[Change], Change]:
    """Add a change to those of some kinds of datasets, or of all."""

    def add(function: Change) -> Change:
        for kind in kinds or CHANGES:
            CHANGES[kind].append(function)
        return function

    return add


def load() -> dict[str, list[Change]]:
    """All changes, by the kind of dataset."""
    for name in ("data", "modelling", "copies"):
        importlib.import_module(f"{__name__}.{name}")
    return CHANGES
