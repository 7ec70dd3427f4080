"""Good time intervals in FITS tables."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.data.metadata import GTIMetaData
from geminga.errors import FormatError, NameLookupError
from geminga.utils.files import read_fits, write_fits
from geminga.utils.metadata import CreatorMetaData

if TYPE_CHECKING:
    from geminga.data.gti import GTI

__all__ = ["TOUCH", "from_table_hdu", "read", "to_table_hdu", "write"]

log = logging.getLogger(__name__)

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
    hdulist = read_fits(filename, checksum=checksum)
    try:
        table_hdu = hdulist[hdu]
    except (KeyError, IndexError) as error:
        msg = f"File {filename} has no HDU {hdu!r}; it has {', '.join(h.name for h in hdulist)}."
        raise NameLookupError(msg) from error
    return cls.from_table_hdu(table_hdu, format=format)


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
    header, columns = table_hdu.header, getattr(table_hdu, "columns", [])
    names = [column.name.upper() for column in columns]
    missing = [name for name in ("START", "STOP") if name not in names]
    if missing:
        msg = f"HDU {table_hdu.name!r} is not a GTI table: column {' and '.join(missing)} missing, it has {names}."
        raise FormatError(msg)
    values = []
    for name in ("START", "STOP"):
        column = columns[names.index(name)]
        unit = column.unit or str(header.get("TIMEUNIT", "s")).strip() or "s"
        values.append(u.Quantity(np.asarray(table_hdu.data[column.name], dtype=float), unit))
    new = cls.create(values[0], values[1], GTIMetaData.from_header(header).reference_time)
    _report_overlap(new, table_hdu.name)
    return new


def _report_overlap(self: GTI, name: str) -> None:
    order = np.argsort(self.met_start.value, kind="stable")
    start, reach = self.met_start.value[order], np.maximum.accumulate(self.met_stop.value[order])
    n = int(np.sum(start[1:] < reach[:-1] - TOUCH))
    if n:
        log.warning("HDU %r: %d good time intervals overlap; time_sum counts them twice, union() joins them.", name, n)


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
