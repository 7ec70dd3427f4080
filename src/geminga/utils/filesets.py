"""Files that refer to each other, replaced as one.

A set has a root, which names its parts: a YAML file and its covariance, a list of datasets and their FITS files, a spectrum
and its responses. A kill between two renames must not leave an old root beside new parts. So new parts first take their place
under other names; replacing the root by one that names those is the moment of change; then the parts get their own names, and
the root is replaced once more. At every moment the root on disk names parts that belong to it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geminga.errors import FileExistsRefusal, InputError
from geminga.utils.files import write_files
from geminga.utils.locks import locked
from geminga.utils.replacement import Replacement, replacing, sync_folders

__all__ = ["FileSet", "write_sets"]


@dataclass(frozen=True)
class FileSet:
    """A file and those it names.

    Parameters
    ----------
    root : Path
        File that names the others.
    parts : dict of str to bytes
        File names, in or relative to the folder of the root, and content.
    content : callable
        Gives the content of the root from a dictionary of the names under which it shall find each part.
    """

    root: Path
    parts: Mapping[str, bytes]
    content: Callable[[Mapping[str, str]], bytes]

    @property
    def files(self) -> list[Path]:
        """All files, the root last."""
        return [*(self.root.parent / name for name in self.parts), self.root]

    def refuse_existing(self, overwrite: bool) -> None:
        """Raise `FileExistsRefusal` if a file is there and may not be replaced."""
        for file in self.files:
            if file.is_dir() or (file.exists() and not overwrite):
                what = "is a folder" if file.is_dir() else "exists; give overwrite=True to replace it"
                msg = f"File {file} {what}. Nothing was written."
                raise FileExistsRefusal(msg)


def write_sets(sets: Sequence[FileSet], overwrite: bool = False) -> None:
    """Write sets of files: each is replaced as a whole, and all are complete on disk before the first is.

    Raises
    ------
    FileExistsRefusal
        If a file exists and `overwrite` is false; nothing is written then.
    InputError
        If two files have the same name.
    FileError
        If a folder is missing or the disk is full.
    """
    files = [file for own in sets for file in own.files]
    twice = sorted({str(file) for file in files if files.count(file) > 1})
    if twice:
        msg = f"{twice[0]} would be written twice; give the datasets names that differ."
        raise InputError(msg)
    for own in sets:
        own.refuse_existing(overwrite)
    simple = [own for own in sets if not any(file.exists() for file in own.files[:-1])]
    if len(simple) == len(sets):
        write_files({file: data for own in sets for file, data in _plain(own).items()}, overwrite=overwrite)
        return
    _replace(sets)


def _plain(own: FileSet) -> dict[str | Path, bytes]:
    names = {name: name for name in own.parts}
    return {**{own.root.parent / name: data for name, data in own.parts.items()}, own.root: own.content(names)}


def _staged_names(name: str) -> list[str]:
    return [str(Path(name).with_name(f".{word}.{Path(name).name}")) for word in ("new", "next")]


def _staged(folder: Path, name: str) -> str:
    """Name for a part until the root names it; a writer which was killed may have left a root that names one of them."""
    names = _staged_names(name)
    return next((other for other in names if not (folder / other).exists()), names[0])


def _replace(sets: Sequence[FileSet]) -> None:
    folders = {own.root.parent for own in sets}
    with replacing([own.root for own in sets], "Each set on disk is the old or the new one.") as prepare:
        prepared = []
        for own in sets:
            folder, root = own.root.parent, Path(os.path.realpath(own.root))
            staged = {name: _staged(folder, name) for name in own.parts}
            parts = {name: prepare(folder / staged[name], data) for name, data in own.parts.items()}
            first, last = (prepare(root, own.content(names)) for names in (staged, {n: n for n in staged}))
            prepared.append((parts, first, last))
        with locked(folders, shared=False):
            for parts, first, last in prepared:
                _commit(parts, first, last)
            sync_folders(folders)


def _commit(parts: Mapping[str, Replacement], first: Replacement, last: Replacement) -> None:
    """The steps of one set; after each of them the root names parts that belong to it."""
    try:
        for part in parts.values():
            part.commit()
        first.commit()
    except BaseException:
        if not first.is_committed:
            for part in parts.values():
                with contextlib.suppress(OSError):
                    part.path.unlink()
            raise
        # It took place, so the new set is finished before the interruption goes on.
        _rename_parts(parts, last)
        raise
    _rename_parts(parts, last)


def _rename_parts(parts: Mapping[str, Replacement], last: Replacement) -> None:
    """Give parts their own names, by a second name at first, and let the root name those."""
    for name, part in parts.items():
        target = os.path.realpath(part.path.parent / name)
        second = f"{part.path}.tmp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(second)  # noqa: PTH108
        try:
            os.link(part.path, second)
        except OSError:
            shutil.copy2(part.path, second)
        os.replace(second, target)  # noqa: PTH105
    last.commit()
    for name, part in parts.items():
        for other in _staged_names(Path(name).name):
            (part.path.parent / other).unlink(missing_ok=True)
