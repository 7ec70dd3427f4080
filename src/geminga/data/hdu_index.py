"""Index of HDUs: which file and HDU holds what of which observation."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from geminga.data.io.headers import KIND_OF_CLASS
from geminga.data.io.index import read_index
from geminga.data.io.location import HDULocation, store_root
from geminga.errors import FormatError, InputError, NameLookupError
from geminga.utils.files import file_path, reading

__all__ = ["HDUIndexTable"]

log = logging.getLogger(__name__)

_REQUIRED = ("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")


def same_id(column: Any, obs_id: Any) -> NDArray[np.bool_]:
    """Where a column of identifiers, numbers or text, is this one."""
    values = np.asarray(column)
    if values.dtype.kind in "US":
        return np.asarray(np.char.strip(values.astype(str)) == str(obs_id).strip())
    try:
        return np.asarray(values == int(obs_id))
    except (TypeError, ValueError):
        return np.zeros(values.shape, dtype=bool)


class HDUIndexTable(Table):  # type: ignore[misc]
    """Index of HDUs (HDUCLAS2 = HDU).

    A table with the columns ``OBS_ID``, ``HDU_TYPE``, ``HDU_CLASS``, ``FILE_DIR``, ``FILE_NAME`` and ``HDU_NAME``, one row for
    each HDU.

    Examples
    --------
    >>> from geminga.data import HDUIndexTable
    >>> row = [20136, "events", "events", "data", "run_20136.fits", "EVENTS"]
    >>> names = ["OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME"]
    >>> table = HDUIndexTable(rows=[row], names=names)
    >>> table.hdu_location(20136, "events").path(abs_path=False).as_posix()
    'data/run_20136.fits'
    """

    VALID_HDU_TYPE = ["events", "gti", "aeff", "edisp", "psf", "bkg", "rad_max", "pointing"]
    VALID_HDU_CLASS = [
        "events",
        "gti",
        "aeff_2d",
        "edisp_2d",
        "psf_table",
        "psf_3gauss",
        "psf_king",
        "bkg_2d",
        "bkg_3d",
        "rad_max_2d",
        "pointing",
    ]

    @classmethod
    def read(cls, filename: str | Path, **kwargs: Any) -> HDUIndexTable:
        """Read from a FITS file.

        Parameters
        ----------
        filename : str or Path
            File; its folder is the base of the paths in the table.
        **kwargs
            ``hdu`` (name or number; the first table by default) and ``checksum``.

        Raises
        ------
        FormatError
            If it is not an index of HDUs.
        """
        path = file_path(filename)
        with reading(path):
            table = read_index(path, **kwargs)
        missing = [name for name in _REQUIRED if name not in table.colnames]
        if missing:
            msg = f"File {path} is not an index of HDUs: column {', '.join(missing)} missing, the columns are {table.colnames}."
            raise FormatError(msg)
        new = cls(table, copy=False)
        new.meta["BASE_DIR"] = str(path.parent)
        return new

    @property
    def base_dir(self) -> Path:
        """Folder to which paths are relative."""
        path = file_path(self.meta.get("BASE_DIR", ""))
        return path

    @base_dir.setter
    def base_dir(self, value: str | Path) -> None:
        self.meta["BASE_DIR"] = str(value)

    def _unique(self, name: str) -> list[str]:
        return [str(value) for value in np.unique(np.asarray(self[name]).astype(str))]

    obs_id_unique = property(lambda self: np.unique(np.asarray(self["OBS_ID"])), doc="Observations.")
    hdu_type_unique = property(lambda self: self._unique("HDU_TYPE"), doc="Types of HDU in the table.")
    hdu_class_unique = property(lambda self: self._unique("HDU_CLASS"), doc="Classes of HDU in the table.")

    def row_idx(self, obs_id: Any, hdu_type: str | None = None, hdu_class: str | None = None) -> list[int]:
        """Rows of an observation, perhaps of one type or class only.

        Parameters
        ----------
        obs_id : int or str
            Observation.
        hdu_type, hdu_class : str, optional
            Type and class.
        """
        selected = same_id(self["OBS_ID"], obs_id)
        for name, wanted in (("HDU_TYPE", hdu_type), ("HDU_CLASS", hdu_class)):
            if wanted is not None:
                selected &= np.asarray(self[name]).astype(str) == wanted.strip().lower()
        return [int(i) for i in np.flatnonzero(selected)]

    def hdu_location(
        self, obs_id: Any, hdu_type: str | None = None, hdu_class: str | None = None, warn_missing: bool = True
    ) -> HDULocation | None:
        """Where an HDU is; the first if there are several, with a warning.

        Parameters
        ----------
        obs_id : int or str
            Observation.
        hdu_type, hdu_class : str, optional
            Type or class, one of which is needed.
        warn_missing : bool
            Log a warning if there is none.

        Returns
        -------
        location : HDULocation or None
            None if the observation has none.

        Raises
        ------
        InputError
            If neither type nor class are given.
        NameLookupError
            If they are not valid, or there is no such observation.
        """
        self._check_names(hdu_type, hdu_class)
        if not same_id(self["OBS_ID"], obs_id).any():
            msg = f"No entry available with OBS_ID = {obs_id}: the index has {len(self.obs_id_unique)} other observations."
            raise NameLookupError(msg)
        rows = self.row_idx(obs_id, hdu_type, hdu_class)
        wanted = f"OBS_ID = {obs_id}, HDU_TYPE = {hdu_type}, HDU_CLASS = {hdu_class}"
        if not rows:
            if warn_missing:
                log.warning("No HDU found matching: %s", wanted)
            return None
        if len(rows) > 1:
            log.warning("%d HDUs match: %s; the first is used.", len(rows), wanted)
        return self.location_info(rows[0])

    def _check_names(self, hdu_type: str | None, hdu_class: str | None) -> None:
        if hdu_type is None and hdu_class is None:
            msg = "You have to specify `hdu_type` or `hdu_class`."
            raise InputError(msg)
        known_classes = [*self.VALID_HDU_CLASS, *(name for name in KIND_OF_CLASS if name not in self.VALID_HDU_CLASS)]
        for label, value, valid in (("hdu_type", hdu_type, self.VALID_HDU_TYPE), ("hdu_class", hdu_class, known_classes)):
            if value is not None and value not in valid:
                msg = f"Invalid {label}: {value!r}. Valid values are: {valid}"
                raise NameLookupError(msg)

    def location_info(self, idx: int) -> HDULocation:
        """Where the HDU of a row is.

        Parameters
        ----------
        idx : int
            Number of the row.
        """
        row = self[int(idx)]
        return self._location(*(row[name] for name in ("HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")))

    @property
    def _root(self) -> str | None:
        """Folder below which files must lie; None for anywhere."""
        return None if self.meta.get("ALLOW_OUTSIDE") or "BASE_DIR" not in self.meta else str(store_root(self.base_dir))

    def _location(self, hdu_class: Any, file_dir: Any, file_name: Any, hdu_name: Any) -> HDULocation:
        text = ["" if value is np.ma.masked else str(value) for value in (hdu_class, file_dir, file_name, hdu_name)]
        return HDULocation(text[0], str(self.base_dir), text[1], text[2], text[3], root=self._root)

    def locations_by_observation(self) -> Mapping[str, dict[str, HDULocation]]:
        """Locations of all HDUs, by observation (as text) and type: the first row of each type counts."""
        base, root = str(self.base_dir), self._root
        names = ("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")
        columns = [np.ma.filled(self[name], "") if name != "OBS_ID" else self[name] for name in names]
        found: dict[str, dict[str, HDULocation]] = {}
        for obs_id, hdu_type, *place in zip(*(np.asarray(column).astype(str).tolist() for column in columns), strict=True):
            parts = found.setdefault(obs_id.strip(), {})
            if hdu_type in parts:
                log.warning("Several HDUs of type %r for OBS_ID %s; the first is used.", hdu_type, obs_id)
            else:
                parts[hdu_type] = HDULocation(place[0], base, place[1], place[2], place[3], root=root)
        return found

    def summary(self) -> str:
        """Text that says what is in the table."""
        ids = self.obs_id_unique
        lines = [
            "HDU index table:",
            f"BASE_DIR: {self.base_dir}",
            f"Rows: {len(self)}",
            f"OBS_ID: {ids[0]} -- {ids[-1]}" if len(ids) else "OBS_ID: none",
            f"HDU_TYPE: {self.hdu_type_unique}",
            f"HDU_CLASS: {self.hdu_class_unique}",
        ]
        return "\n".join([*lines, ""])


def relative_folder(location: HDULocation, base: Path) -> str:
    """Folder of a file below a base, without any step upwards."""
    parts = [part for part in Path(location.file_dir or "").parts if part not in {"..", ".", os.sep}]
    path = location.path()
    return str(path.parent.relative_to(base)) if path.is_relative_to(base) else "/".join(parts)
