"""Good time intervals in FITS tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.data.metadata import GTIMetaData, reference_time_of
from geminga.errors import DataError, FormatError, NameLookupError
from geminga.utils.faults import reported
from geminga.utils.files import reading, write_fits
from geminga.utils.fits_tables import FitsTable, read_tables
from geminga.utils.metadata import CreatorMetaData

if TYPE_CHECKING:
    from geminga.data.gti import GTI

__all__ = ["TOUCH", "find_hdu", "from_table_hdu", "gti_from_table", "read", "to_table_hdu", "write"]

#: Intervals this close (s) touch; elapsed times of many years are not known better.
TOUCH = 1e-6


def read(cls: type[GTI], filename: str | Path, hdu: str = "GTI", format: str = "gadf", checksum: bool = False) -> GTI:
    """Read from a FITS file.

    Parameters
    ----------
    filename : str or Path
        File.
    hdu : str or int
        Name or number of the HDU.
    format : {"gadf"}
        Format.
    checksum : bool
        Verify the checksums of the file.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    NameLookupError
        If there is no such HDU.
    """
    _check_format(format)
    with reading(filename):
        return gti_from_table(cls, read_tables(filename, checksum=checksum)[hdu], filename)


def find_hdu(hdulist: Any, hdu: Any, name: str | Path) -> Any:
    """HDU of a list by name or number.

    Raises
    ------
    NameLookupError
        If there is none.
    """
    try:
        return hdulist[hdu]
    except (KeyError, IndexError) as error:
        msg = f"File {name} has no HDU {hdu!r}; it has {', '.join(h.name or 'PRIMARY' for h in hdulist)}."
        raise NameLookupError(msg) from error


def gti_from_table(cls: type[GTI], hdu: FitsTable, filename: str | Path) -> GTI:
    """Intervals of a table in a file; refusals name the file."""
    try:
        return _from_columns(cls, hdu.header, hdu.name, {name: (hdu.values(name), hdu.unit(name)) for name in hdu.names})
    except (DataError, FormatError) as error:
        msg = f"File {filename}: {error}"
        raise type(error)(msg) from error


def from_table_hdu(cls: type[GTI], table_hdu: fits.BinTableHDU, format: str = "gadf") -> GTI:
    """Read from an HDU: ``START`` and ``STOP`` in their unit (or TIMEUNIT, or s) since MJDREFI + MJDREFF.

    Raises
    ------
    FormatError
        If the format is unknown, or a column is missing.
    DataError
        If a time is NaN, or an interval stops before it starts.
    """
    _check_format(format)
    columns = {column.name: (table_hdu.data[column.name], column.unit) for column in getattr(table_hdu, "columns", [])}
    return _from_columns(cls, table_hdu.header, table_hdu.name, columns)


def _from_columns(cls: type[GTI], header: Any, hdu_name: str, columns: dict[str, tuple[Any, Any]]) -> GTI:
    known = {name.upper(): column for name, column in columns.items()}
    missing = [name for name in ("START", "STOP") if name not in known]
    if missing:
        msg = f"HDU {hdu_name!r} is not a GTI table: column {' and '.join(missing)} missing, it has {list(known)}."
        raise FormatError(msg)
    default = str(header.get("TIMEUNIT", "s")).strip() or "s"
    values = [u.Quantity(np.asarray(known[name][0], dtype=float), known[name][1] or default) for name in ("START", "STOP")]
    try:
        new = cls.create(values[0], values[1], reference_time_of(header))
    except DataError as error:
        msg = f"HDU {hdu_name!r}: {error}"
        raise DataError(msg) from error
    return reported(new, f"HDU {hdu_name!r}")


def to_table_hdu(self: GTI, format: str = "gadf") -> fits.BinTableHDU:
    """HDU named ``GTI``: elapsed seconds, with the reference time in its header."""
    _check_format(format)
    hdu = fits.BinTableHDU(Table({"START": self.met_start, "STOP": self.met_stop}), name="GTI")
    hdu.header.update(GTIMetaData(self.time_ref, CreatorMetaData()).to_header())
    hdu.header["TIMEUNIT"] = "s"
    return hdu


def write(self: GTI, filename: str | Path, **kwargs: Any) -> None:
    """Write to a FITS file.

    Parameters
    ----------
    filename : str or Path
        File.
    **kwargs
        ``overwrite`` and ``checksum``, see `geminga.utils.files.write_fits`.

    Raises
    ------
    FileExistsRefusal
        If the file exists and ``overwrite=True`` is not given.
    """
    write_fits(fits.HDUList([fits.PrimaryHDU(), self.to_table_hdu()]), filename, **kwargs)


def _check_format(format: str) -> None:
    if format != "gadf":
        msg = f"GTI format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)
