"""What is fuzzed: functions of bytes from which only errors of the package or of the system may come out."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geminga.data import GTI, DataStore, EventList, Observation
from geminga.datasets import Datasets, MapDataset, SpectrumDatasetOnOff
from geminga.errors import GemingaError
from geminga.flux import FluxMaps, FluxPoints
from geminga.irf import EDispKernel, EDispKernelMap, PSFMap, load_irf_dict_from_file
from geminga.maps import Map, Maps
from geminga.modeling.models import EBLAbsorptionNormSpectralModel, Models, TemplateSpatialModel
from geminga.utils.yaml import read_yaml

__all__ = ["TARGETS", "attempt"]

FITS_READERS: list[Callable[[Path], Any]] = [
    Map.read,
    Maps.read,
    MapDataset.read,
    lambda path: MapDataset.read(path, lazy=True, name="lazy").counts,
    SpectrumDatasetOnOff.read,
    lambda path: SpectrumDatasetOnOff.read(path, format="ogip"),
    PSFMap.read,
    EDispKernelMap.read,
    EDispKernel.read,
    load_irf_dict_from_file,
    lambda path: EventList.read(path).energy,
    GTI.read,
    Observation.read,
    lambda path: DataStore.from_events_files([path]),
    FluxPoints.read,
    FluxMaps.read,
    TemplateSpatialModel.read,
    EBLAbsorptionNormSpectralModel.read,
]
TEXT_READERS: list[Callable[[Path], Any]] = [
    read_yaml,
    Models.read,
    Datasets.read,
    lambda path: FluxPoints.read(path, table_format="ascii.ecsv"),
]


def attempt(readers: list[Callable[[Path], Any]], path: Path) -> None:
    """Read a file in all ways; whatever is not an error of ours or of the system goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for reader in readers:
            with contextlib.suppress(GemingaError, OSError):
                reader(path)


class Target:
    """Readers, and the suffix of the files they read."""

    def __init__(self, readers: list[Callable[[Path], Any]], suffix: str) -> None:
        self.readers, self.suffix = readers, suffix
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name) / f"input{suffix}"

    def __call__(self, data: bytes) -> None:
        self.path.write_bytes(data)
        # A few of the readers for each input, always the same: more inputs are worth more than all readers.
        first = zlib.crc32(data)
        attempt([self.readers[(first + 7 * i) % len(self.readers)] for i in range(3)], self.path)


TARGETS: dict[str, Callable[[], Target]] = {
    "fits": lambda: Target(FITS_READERS, ".fits"),
    "text": lambda: Target(TEXT_READERS, ".yaml"),
}
