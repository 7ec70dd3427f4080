"""Locks on folders, so that a reader of several files sees those of one writer.

The lock is advisory, held by the operating system on the folder itself (nothing is left behind, a killed process releases it),
and only kept while files are renamed or read. Where the system or the file system has none, there is no lock.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["locked"]

log = logging.getLogger(__name__)

#: Nobody holds a lock for long; after this time (s) it belongs to a process that hangs, and is not waited for.
_PATIENCE = 10.0


@contextlib.contextmanager
def locked(folders: Iterable[Path], shared: bool) -> Iterator[None]:
    """Hold locks on folders: together with other readers (`shared`), or alone."""
    with contextlib.ExitStack() as stack:
        for folder in sorted({os.path.realpath(folder) for folder in folders}):
            stack.enter_context(_locked(folder, shared))
        yield


@contextlib.contextmanager
def _locked(folder: str, shared: bool) -> Iterator[None]:
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(handle, mode)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    log.warning("Folder %s is locked by another process for %g s; going on without its lock.", folder, _PATIENCE)
                    break
                time.sleep(0.002)
            except OSError:
                break
        yield
    finally:
        # A process forked meanwhile shares the lock, which would last as long as that process.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
