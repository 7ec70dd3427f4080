"""Files of flux point datasets: the table of the points with columns for the masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from geminga.errors import FormatError
from geminga.flux import FluxPoints
from geminga.flux.io.files import read_table, table_bytes
from geminga.utils.files import file_path, make_path, reading, write_files

__all__ = ["from_dict", "read", "to_files", "write"]

_MASKS = ("mask_fit", "mask_safe")
_STAT_TYPE = "STATTYPE"


def read(cls: Any, /, filename: str | Path, name: str | None = None) -> Any:
    """Read a dataset from a file.

    Parameters
    ----------
    filename : str or Path
        FITS file, or text in the format ECSV, with flux points and perhaps columns ``mask_fit`` and ``mask_safe``.
    name : str, optional
        Name; random if not given.

    Returns
    -------
    dataset : FluxPointsDataset
        Without models.

    Raises
    ------
    FileError, CorruptFileError, FormatError
        Naming the file.
    """
    with reading(filename):
        return _from_table(cls, *read_table(filename, hdus=("TABLE", "FLUXPOINTS")), name)


def _from_table(cls: Any, table: Any, gti: Any, name: str | None) -> Any:
    masks = {n: np.asarray(np.ma.filled(np.ma.asarray(table[n]), False)).astype(bool) for n in _MASKS if n in table.colnames}
    table.remove_columns(list(masks))
    stat_type = str(table.meta.pop(_STAT_TYPE, "chi2")).strip()
    if stat_type not in cls.stat_types:
        msg = f"{_STAT_TYPE} is {stat_type!r}; expected one of {', '.join(cls.stat_types)}."
        raise FormatError(msg)
    data = FluxPoints.from_table(table, gti=gti)
    return cls(data=data, name=name, stat_type=stat_type, **masks)


def from_dict(cls: Any, /, data: dict[str, Any], **kwargs: Any) -> Any:
    """Read the dataset of an entry in a datasets YAML file.

    Parameters
    ----------
    data : dict
        ``name`` and ``filename``.
    **kwargs
        Options for other kinds of datasets; without effect.
    """
    return cls.read(make_path(data["filename"]), name=str(data["name"]))


def _table(self: Any) -> Any:
    """Table of the points and the masks, which have the pixel of the maps as further axes; a mask not set is true everywhere."""
    table = self.data.to_table()
    shape = tuple(int(n) for n in self.data.geom.data_shape)
    for name, mask in (("mask_fit", self._mask_fit), ("mask_safe", self._mask_safe)):
        table[name] = np.ones(shape, dtype=bool) if mask is None else mask
    if self.stat_type != "chi2":
        table.meta[_STAT_TYPE] = self.stat_type
    return table


def to_files(self: Any, filename: str | Path) -> dict[Path, bytes]:
    """Files that make up the dataset on disk: name and content."""
    path = file_path(filename)
    return {path: table_bytes(_table(self), path, "TABLE", self.gti)}


def write(self: Any, filename: str | Path, overwrite: bool = False, checksum: bool = False, **kwargs: Any) -> None:
    """Write the dataset to a file: FITS by its suffix, else text in the format ECSV.

    Parameters
    ----------
    filename : str or Path
        File.
    overwrite : bool
        Replace an existing file.
    checksum : bool
        No effect: checksums are always written.
    **kwargs
        Options of other formats; without effect.

    Raises
    ------
    FileExistsRefusal
        If the file exists and `overwrite` is false.
    """
    write_files(self.to_files(filename), overwrite=overwrite)
