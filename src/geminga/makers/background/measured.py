"""Datasets whose background was measured elsewhere."""

from __future__ import annotations

from typing import Any

from geminga.datasets import DATASET_REGISTRY
from geminga.datasets.products import label
from geminga.errors import DataError

__all__ = ["need_parts", "with_off_counts"]


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


def need_parts(dataset: Any, maker: str) -> None:
    """Refuse a dataset without counts or background.

    Raises
    ------
    DataError
        If one is missing.
    """
    for name in ("counts", "background"):
        if getattr(dataset, name) is None:
            msg = f"{maker}: {label(dataset)} has no {name}; select it in the maker before."
            raise DataError(msg)
