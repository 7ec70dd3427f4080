"""Where an HDU lies, and how what it holds is read."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from geminga.data.events import EventList
from geminga.data.gti import GTI
from geminga.data.io.events import from_hdu
from geminga.data.io.gti import find_hdu, gti_from_table
from geminga.data.io.recent import recent_tables
from geminga.data.pointing_table import PointingInfo
from geminga.errors import FileError, GemingaError, InputError
from geminga.irf import IRF, IRF_REGISTRY
from geminga.maps import Map
from geminga.utils.faults import reported
from geminga.utils.files import read_fits, reading
from geminga.utils.fits_tables import FitsTable
from geminga.utils.paths import variable_folders

__all__ = ["HDULocation", "store_root"]


def store_root(base_dir: str | Path) -> Path:
    """Folder below which the files of an index must lie.

    That is the folder of the index; if this is called ``index``, or lies in a folder of that name, it is the one which holds
    ``index``.

    Examples
    --------
    >>> from geminga.data.io.location import store_root
    >>> store_root("/data/1dc/index/gps").as_posix(), store_root("/data/hess").as_posix()
    ('/data/1dc', '/data/hess')
    """
    path = Path(os.path.abspath(base_dir))  # noqa: PTH100  (links of the user's own may lead anywhere)
    for candidate in (path, *list(path.parents)[:2]):
        if candidate.name == "index":
            return candidate.parent
    return path


def _read_events(location: HDULocation) -> EventList:
    path = location.path()
    return from_hdu(EventList, recent_tables(path)[location.hdu_name or "EVENTS"], path)


def _read_gti(location: HDULocation) -> GTI:
    path = location.path()
    return gti_from_table(GTI, recent_tables(path)[location.hdu_name or "GTI"], path)


#: Response functions made of tables which are still in memory: all observations of an array may share one file of them.
_known: WeakKeyDictionary[FitsTable, Any] = WeakKeyDictionary()


def _parsed(cls: Any, hdu: FitsTable) -> Any:
    """Response function of a table; each caller has a copy of its own."""
    made = _known.get(hdu)
    if not isinstance(made, cls):
        made = _known[hdu] = cls.from_table(hdu.columns)
    return made.copy()


def _read_irf(location: HDULocation) -> Any:
    cls, path = IRF_REGISTRY.get_cls(location.hdu_class), location.path()
    if not issubclass(cls, IRF):
        return cls.read(path, hdu=location.hdu_name, **({"format": location.format} if location.format else {}))
    hdu = recent_tables(path)[location.hdu_name or 1]
    try:
        return reported(_parsed(cls, hdu), f"File {path}, HDU {hdu.name!r}")
    except (FileError, InputError) as error:
        msg = f"File {path}, HDU {hdu.name!r}: {error}"
        raise type(error)(msg) from error


#: Readers of what is not a response function, by class of HDU.
LOADERS: dict[str, Callable[[HDULocation], Any]] = {
    "events": _read_events,
    "gti": _read_gti,
    "pointing": lambda location: PointingInfo.read(location.path(), hdu=location.hdu_name or "POINTING"),
    "map": lambda location: Map.read(location.path(), hdu=location.hdu_name),
}


@dataclass
class HDULocation:
    """File and HDU of events, intervals or a response function.

    Parameters
    ----------
    hdu_class : str
        What it holds, such as ``"events"`` or ``"aeff_2d"``.
    base_dir, file_dir, file_name : str
        Where the file is.
    hdu_name : str
        Name of the HDU.
    cache : bool
        Whether what is read may be kept.
    format : str, optional
        Format, where the class knows several.
    root : str, optional
        Folder below which the file must lie; anywhere by default.
    """

    hdu_class: str
    base_dir: Any = "."
    file_dir: str | None = None
    file_name: str | None = None
    hdu_name: str | None = None
    cache: bool = True
    format: str | None = None
    root: Any = None

    def path(self, abs_path: bool = True) -> Path:
        """Path of the file; below the base directory, or if it is not there as it stands, with environment variables expanded.

        Raises
        ------
        FileError
            If it is not below the root, where there is one.
        """
        relative = Path(self.file_dir or "") / (self.file_name or "")
        if not abs_path:
            return relative
        path = Path(os.path.normpath(Path(self.base_dir) / relative))
        expanded = Path(os.path.expandvars(relative))
        if not path.exists() and expanded.exists():
            path = expanded
        roots = None if self.root is None else [self.root, *variable_folders(str(relative))]
        if roots is not None and not any(Path(os.path.abspath(path)).is_relative_to(root) for root in roots):  # noqa: PTH100
            msg = (
                f"Index: file {relative} of the {self.hdu_class} HDU leads to {path}, outside of the store {self.root}; "
                "if that is what you want, open the store with allow_outside=True."
            )
            raise FileError(msg)
        return path

    def get_hdu(self) -> Any:
        """HDU, read anew.

        Raises
        ------
        FileError, CorruptFileError
            If the file cannot be read.
        NameLookupError
            If there is no such HDU.
        """
        return find_hdu(read_fits(self.path()), self.hdu_name, self.path())

    def load(self) -> Any:
        """Read what is there.

        Raises
        ------
        FileError, CorruptFileError, FormatError
            If it cannot be read.
        """
        with reading(self.path()):
            return LOADERS.get(self.hdu_class, _read_irf)(self)

    def info(self, file: Any = None) -> None:
        """Print where it is."""
        print(self, file=file)

    def __str__(self) -> str:
        try:
            path: Any = self.path()
        except GemingaError:
            path = self.path(abs_path=False)
        return f"HDU_CLASS = {self.hdu_class}\nFILE      = {path}\nHDU_NAME  = {self.hdu_name}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
