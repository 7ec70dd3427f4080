"""Index tables of a store, in FITS files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from geminga.data.io.events import table_header
from geminga.errors import FormatError
from geminga.utils.files import file_path
from geminga.utils.fits_tables import read_tables

__all__ = ["index_hdu", "read_index"]


def read_index(filename: str | Path, hdu: Any = None, checksum: bool = False) -> Table:
    """Table of an index, by default the first of the file; text is stripped of blanks.

    Raises
    ------
    FormatError
        If there is no table, or it has no column ``OBS_ID``.
    """
    path = file_path(filename)
    file = read_tables(path, checksum=checksum)
    if hdu is None:
        tables = [one for one in file if one.is_table]
        if not tables:
            msg = f"File {path} holds no table; expected an index table."
            raise FormatError(msg)
        found = tables[0]
    else:
        found = file[hdu]
    table = found.table()
    if "OBS_ID" not in table.colnames:
        msg = f"File {path}, HDU {found.name!r} is not an index table: column OBS_ID missing, the columns are {table.colnames}."
        raise FormatError(msg)
    for name in table.colnames:
        if table[name].dtype.kind in "SU":
            strip_column(table, name)
    return table


def strip_column(table: Table, name: str) -> None:
    """Text as str without blanks at its ends, masked cells as empty."""
    column = table[name]
    filled = column.filled("") if hasattr(column, "filled") else column
    text = np.asarray(filled)
    text = np.char.decode(text, "utf-8") if text.dtype.kind == "S" else text
    table.replace_column(name, type(table[name])(np.char.strip(text), name=name))


def index_hdu(table: Table, name: str) -> fits.BinTableHDU:
    """HDU of an index table."""
    kept = {key: value for key, value in table.meta.items() if key not in {"BASE_DIR", "ALLOW_OUTSIDE"}}
    plain = Table(table, copy=False)
    plain.meta.clear()
    hdu = fits.BinTableHDU(plain, name=name)
    hdu.header.update(table_header(kept))
    return hdu
