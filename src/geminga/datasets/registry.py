"""The kinds of datasets by tag.

A kind is one line of `_HOMES`; its module loads when somebody asks for it, so that a base class may make an object of a
class derived from it (a `MapDataset` turns into a `SpectrumDataset`) without importing it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, SupportsIndex, overload

from geminga.utils.registry import Registry

__all__ = ["DATASET_REGISTRY", "DatasetRegistry"]

_HOMES = {
    "MapDataset": "geminga.datasets.map",
    "MapDatasetOnOff": "geminga.datasets.map",
    "SpectrumDataset": "geminga.datasets.spectrum",
    "SpectrumDatasetOnOff": "geminga.datasets.spectrum",
    "FluxPointsDataset": "geminga.datasets.flux_points",
}


class DatasetRegistry(Registry):
    """List of dataset classes whose built-in members load on first use.

    A class of one's own joins with ``DATASET_REGISTRY.append(MyDataset)``.
    """

    def get_cls(self, tag: str) -> Any:
        """Return the class with this tag.

        Raises
        ------
        NameLookupError
            If no class has it; the message lists the known tags.
        """
        if tag in _HOMES:
            return getattr(importlib.import_module(_HOMES[tag]), tag)
        self._load()
        return super().get_cls(tag)

    def _load(self) -> None:
        for position, tag in enumerate(_HOMES):
            cls = self.get_cls(tag)
            if not any(cls is known for known in list.__iter__(self)):
                self.insert(position, cls)

    def __iter__(self) -> Iterator[type]:
        self._load()
        return super().__iter__()

    def __len__(self) -> int:
        self._load()
        return super().__len__()

    def __repr__(self) -> str:
        self._load()
        return super().__repr__()

    def __contains__(self, item: object) -> bool:
        self._load()
        return super().__contains__(item)

    @overload
    def __getitem__(self, index: SupportsIndex) -> type: ...

    @overload
    def __getitem__(self, index: slice) -> list[type]: ...

    def __getitem__(self, index: Any) -> Any:
        self._load()
        return super().__getitem__(index)


DATASET_REGISTRY = DatasetRegistry()
