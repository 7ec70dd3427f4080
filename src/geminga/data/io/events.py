"""Event lists in FITS tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from geminga.data.event_rows import CANONICAL, FileRows, reference_time
from geminga.errors import FileError, FormatError, NameLookupError, UnitError
from geminga.utils.files import reading
from geminga.utils.fits_tables import FitsTable, read_tables
from geminga.utils.metadata import CreatorMetaData
from geminga.utils.time import time_ref_to_dict

if TYPE_CHECKING:
    from geminga.data.events import EventList

__all__ = ["from_hdu", "read", "table_header", "to_table_hdu"]


def read(cls: type[EventList], /, filename: str | Path, hdu: str = "EVENTS", checksum: bool = False, **kwargs: Any) -> EventList:
    """Read from a FITS file.

    Parameters
    ----------
    filename : str or Path
        File.
    hdu : str or int
        Name or number of the HDU.
    checksum : bool
        Verify the checksums of the file.
    **kwargs
        No effect; kept for readers of tables.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    NameLookupError
        If there is no such HDU, or a required column is missing.
    FormatError
        If energies have no unit.

    Examples
    --------
    >>> from geminga.data import EventList
    >>> path = "$GAMMAPY_DATA/hess-dl3-dr1/data/hess_dl3_dr1_obs_id_023523.fits.gz"
    >>> events = EventList.read(path)  # doctest: +SKIP
    """
    with reading(filename):
        return from_hdu(cls, read_tables(filename, checksum=checksum)[hdu], filename)


def from_hdu(cls: type[EventList], hdu: FitsTable, filename: str | Path) -> EventList:
    """Event list on the rows of an HDU; refusals name the file."""
    if not hdu.is_table:
        msg = f"File {filename}: HDU {hdu.name!r} is not a table, expected an event list."
        raise FormatError(msg)
    try:
        rows = FileRows(hdu)
        for name in CANONICAL:
            rows.unit(name)
        return cls._of(rows)
    except (FileError, NameLookupError, UnitError) as error:
        msg = f"File {filename}, HDU {hdu.name!r}: {error}"
        raise type(error)(msg) from error


def to_table_hdu(self: EventList, format: str = "gadf") -> fits.BinTableHDU:
    """HDU named ``EVENTS``: times as elapsed seconds, with the reference time in its header.

    Raises
    ------
    FormatError
        If the format is not ``gadf``.
    """
    if format != "gadf":
        msg = f"EventList format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)
    rows = self._rows
    reference = reference_time(rows.header)
    columns: dict[str, Any] = {}
    for name in rows.names:
        if name == "TIME":
            columns[name] = u.Quantity(rows.numbers(name), "s")
        else:
            values, unit = np.array(rows.values(name)), rows.unit(name)
            columns[name] = values if unit == u.dimensionless_unscaled else u.Quantity(values, unit, dtype=values.dtype)
    hdu = fits.BinTableHDU(Table(columns), name="EVENTS")
    header = table_header(self.table.meta) | time_ref_to_dict(reference, reference.scale) | {"TIMEUNIT": "s"}
    header |= {
        "HDUCLASS": "GADF",
        "HDUCLAS1": "EVENTS",
        "HDUVERS": header.get("HDUVERS", "0.3"),
        "EUNIT": str(rows.unit("ENERGY")),
    }
    hdu.header.update({"CREATOR": CreatorMetaData().creator} | header)
    return hdu


def table_header(meta: Any) -> dict[str, Any]:
    """Meta data of a table that a FITS header can hold."""
    kept = {}
    for key, value in meta.items():
        if isinstance(value, Time):
            kept[key] = value.isot
        elif isinstance(value, (str, bool, int, float, np.number)) and key not in {"EXTNAME", "comments"}:
            kept[key] = value.item() if isinstance(value, np.number) else value
    return kept
