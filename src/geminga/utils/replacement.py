"""The new content of files, complete on disk before it takes the place of the old.

It goes to a temporary file in the target's folder, is flushed to disk, and is renamed over the target.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from geminga.errors import FileError, FileExistsRefusal

__all__ = ["Replacement", "refuse_existing", "replacing", "sync_folders"]


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise `FileExistsRefusal` if a file is there and may not be replaced, `FileError` if the path can be no file."""
    try:
        is_folder = path.is_dir()
        path.exists()
    except OSError as error:  # such as a name that is too long
        msg = f"{str(path)[:200]} cannot be the name of a file: {error.strerror}."
        raise FileError(msg) from error
    if is_folder:
        msg = f"{path} is a folder; give the name of a file."
        raise FileError(msg)
    if path.exists() and not overwrite:
        msg = f"File {path} exists; give overwrite=True to replace it."
        raise FileExistsRefusal(msg)


class Replacement:
    """The new content of a file, complete on disk beside it under a temporary name.

    Parameters
    ----------
    path : Path
        File to be replaced.
    data : bytes
        Its new content.

    Raises
    ------
    OSError
        If the folder is missing or the disk is full.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        handle, self._temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
        self._backup = f"{self._temporary}.old"
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
            os.chmod(self._temporary, mode)  # noqa: PTH101
        except BaseException:
            self.discard()
            raise

    @property
    def is_committed(self) -> bool:
        """Whether it took the place of the file; the disk knows, whatever interrupted us."""
        return not os.path.lexists(self._temporary)

    def commit(self, overwrite: bool = True, keep: bool = True) -> None:
        """Take the place of the file; without `overwrite`, only if there is none. To `keep` the old one allows `undo`."""
        refuse_existing(self.path, overwrite)
        if keep and self.path.exists():
            try:
                os.link(self.path, self._backup)
            except OSError:  # the file system knows no links
                shutil.copy2(self.path, self._backup)
        os.replace(self._temporary, self.path)  # noqa: PTH105

    def undo(self) -> None:
        """Put back what was there."""
        if os.path.lexists(self._backup):
            os.replace(self._backup, self.path)  # noqa: PTH105
        elif self.is_committed:
            self.path.unlink()

    def discard(self) -> None:
        """Remove what is left over."""
        for name in (self._temporary, self._backup):
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108


@contextlib.contextmanager
def replacing(targets: Sequence[Path], remains: str) -> Iterator[Callable[[Path, bytes], Replacement]]:
    """Context of a writer, which gets a function that makes replacements; what they leave behind is removed at its end.

    Raises
    ------
    FileError
        For an error of the system, naming the targets and what `remains` of them.
    """
    made: list[Replacement] = []

    def prepare(path: Path, data: bytes) -> Replacement:
        made.append(Replacement(path, data))
        return made[-1]

    try:
        yield prepare
    except FileExistsRefusal:
        raise
    except OSError as error:
        msg = f"Could not write {', '.join(map(str, targets))}: {error}. {remains}"
        raise FileError(msg) from error
    finally:
        for item in made:
            item.discard()


def sync_folders(folders: set[Path]) -> None:
    """Make renames last through a power cut, where the system can."""
    for folder in folders:
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
