"""Files read a moment ago.

Events, intervals and response functions of an observation lie in one file, often compressed, and all observations of an array may
share one file of response functions. The few last files are kept, known by path, time of change and size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geminga.utils.files import make_path, read_fits

__all__ = ["opened"]

_MAX_FILES = 4
_MAX_BYTES = 100_000_000
_lock = threading.RLock()
_recent: OrderedDict[tuple[str, int, int], Any] = OrderedDict()


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """HDUs of a file, for one thread at a time, which must not change them or keep arrays it will change.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    """
    target = make_path(path)
    assert target is not None
    with _lock:
        yield _hdulist(target)


def _hdulist(path: Path) -> Any:
    try:
        status = path.stat()
    except OSError:
        return read_fits(path)
    key = (str(path.absolute()), status.st_mtime_ns, status.st_size)
    if key in _recent:
        _recent.move_to_end(key)
        return _recent[key]
    hdulist = read_fits(path)
    if status.st_size <= _MAX_BYTES // _MAX_FILES:
        _recent[key] = hdulist
    while len(_recent) > _MAX_FILES:
        _recent.popitem(last=False)
    return hdulist
