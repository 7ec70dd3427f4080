"""Files read a moment ago.

Events, intervals and response functions of an observation lie in one file, often compressed, and all observations of an array may
share one file of response functions. The few last files are kept, known by path, time of change and size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from geminga.utils.files import file_path
from geminga.utils.fits_tables import FitsTables, read_tables

__all__ = ["recent_tables"]

_MAX_FILES = 4
_MAX_BYTES = 100_000_000
_lock = threading.Lock()
_recent: OrderedDict[tuple[str, int, int, int], FitsTables] = OrderedDict()


def recent_tables(path: str | Path) -> FitsTables:
    """Tables of a file, read again only if it has changed or other files were read since.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    """
    target = file_path(path)
    try:
        status = target.stat()
    except OSError:
        return read_tables(target)
    key = (str(target.absolute()), status.st_ino, status.st_mtime_ns, status.st_size)
    with _lock:
        if key in _recent:
            _recent.move_to_end(key)
            return _recent[key]
    tables = read_tables(target)
    with _lock:
        if status.st_size <= _MAX_BYTES // _MAX_FILES:
            _recent[key] = tables
        while len(_recent) > _MAX_FILES:
            _recent.popitem(last=False)
    return tables
