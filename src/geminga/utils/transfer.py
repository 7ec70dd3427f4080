"""Large results from one local process to another: arrays through a mapped file, so that they are written once and not copied.

Pickled through a pipe, a dataset of 20 MB costs more time than to make it. Here arrays go to a file in memory, which the
receiver maps and removes at once; the memory is freed with the last array.
"""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Packed", "memory_folder", "pack", "unpack"]

#: Arrays which are smaller than this together, in bytes, go with the rest.
_SMALL = 1 << 20
#: Free memory which the folder in memory must have, in bytes.
_ROOM = 1 << 30
_ALIGNMENT = 64


class Packed(NamedTuple):
    """An object without its arrays, the file which holds these, and where they are in it (start and stop)."""

    data: bytes
    path: str | None
    places: Sequence[tuple[int, int]]


def memory_folder() -> str | None:
    """Folder that is kept in memory, if there is one with room; None for the usual folder of temporary files."""
    shared = "/dev/shm"
    try:
        status = os.statvfs(shared)
    except OSError:
        return None
    return shared if status.f_bavail * status.f_frsize > _ROOM and os.access(shared, os.W_OK) else None


def pack(value: Any, folder: str | Path) -> Packed:
    """Pickle an object, its arrays to a file in a folder.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.utils.transfer import pack, unpack
    >>> int(unpack(pack(np.arange(10), ".")).sum())
    45
    """
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    if sum(view.nbytes for view in views) < _SMALL:
        return Packed(pickle.dumps(value, protocol=5), None, ())
    handle, path = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            places = _write(file, views)
    except OSError:  # no room for it: then through the pipe
        Path(path).unlink(missing_ok=True)
        return Packed(pickle.dumps(value, protocol=5), None, ())
    return Packed(data, path, places)


def _write(file: Any, views: Sequence[memoryview]) -> list[tuple[int, int]]:
    """Write arrays one after the other; where each is."""
    places = []
    for view in views:
        file.write(bytes(-file.tell() % _ALIGNMENT))
        start = file.tell()
        file.write(view)
        places.append((start, file.tell()))
    return places


def unpack(packed: Packed) -> Any:
    """Object of `pack`; its file is removed."""
    if packed.path is None:
        return pickle.loads(packed.data)
    path = Path(packed.path)
    with path.open("rb") as file:
        # Private: arrays may be changed.
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    path.unlink()
    return pickle.loads(packed.data, buffers=[mapped[start:stop] for start, stop in packed.places])
