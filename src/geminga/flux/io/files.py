"""Files of flux points: a FITS table, or text in the format ECSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from astropy.io import fits

from geminga.errors import FormatError, NameLookupError
from geminga.flux.io.gti import gti_from_hdulist
from geminga.utils.ecsv import read_ecsv, to_ecsv
from geminga.utils.faults import reported
from geminga.utils.files import file_path, fits_bytes, read_fits, read_text, reading, write_files

__all__ = ["read", "read_table", "table_bytes", "write"]

_FITS = (".fits", ".fit", ".fts")


def is_fits(path: Path) -> bool:
    """Whether a name is that of a FITS file, perhaps compressed."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffixes = suffixes[:-1] if suffixes[-1:] == [".gz"] else suffixes
    return suffixes[-1:] != [] and suffixes[-1] in _FITS


def read(
    cls: Any,
    /,
    filename: str | Path,
    sed_type: str | None = None,
    format: str | None = None,
    reference_model: Any = None,
    checksum: bool = False,
    table_format: str = "ascii.ecsv",
    **kwargs: Any,
) -> Any:
    """Read flux points from a file.

    Parameters
    ----------
    filename : str or Path
        FITS file, or text.
    sed_type, format, reference_model
        See `from_table`.
    checksum : bool
        Verify the checksums of a FITS file.
    table_format : str
        Format of text, see `astropy.table.Table.read`.
    **kwargs
        ``hdu``, name or number of the HDU of a FITS file; other arguments of `astropy.table.Table.read` for text.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    FormatError, NameLookupError, UnitError
        If it is no table of fluxes; see `from_table`.
    """
    with reading(filename):
        table, gti = read_table(filename, checksum=checksum, table_format=table_format, **kwargs)
        own = cls.from_table(table, sed_type=sed_type, format=format, reference_model=reference_model, gti=gti)
        return reported(own, f"File {filename}")


def read_table(
    filename: str | Path,
    checksum: bool = False,
    table_format: str = "ascii.ecsv",
    hdus: Sequence[str] = ("FLUXPOINTS", "TABLE"),
    **kwargs: Any,
) -> tuple[Any, Any]:
    """Table and good time intervals (or None) of a file; see `read`."""
    from astropy.table import Table

    path = file_path(filename)
    if is_fits(path):
        hdulist = read_fits(path, checksum=checksum)
        return Table.read(_table_hdu(hdulist, kwargs.get("hdu"), hdus, path), format="fits"), gti_from_hdulist(hdulist)
    return read_ecsv(read_text(path), f"File {path}", format=table_format, **kwargs), None


def _table_hdu(hdulist: Any, wanted: Any, hdus: Sequence[str], path: Path) -> Any:
    """HDU of the table: as asked for, by its usual names, or the first table there is."""
    if wanted is not None:
        try:
            return hdulist[wanted]
        except (KeyError, IndexError) as error:
            msg = f"File {path} has no HDU {wanted!r}; it has {', '.join(h.name or '(no name)' for h in hdulist)}."
            raise NameLookupError(msg) from error
    for name in hdus:
        if name in hdulist:
            return hdulist[name]
    tables = [hdu for hdu in hdulist if isinstance(hdu, fits.BinTableHDU) and hdu.name not in {"GTI"}]
    if not tables:
        msg = f"File {path} has no table HDU; it has {', '.join(h.name or '(no name)' for h in hdulist)}."
        raise FormatError(msg)
    return tables[0]


def write(
    self: Any,
    filename: str | Path,
    sed_type: str | None = None,
    format: str | None = None,
    overwrite: bool = False,
    checksum: bool = False,
) -> None:
    """Write flux points to a file: FITS by its suffix, else text in the format ECSV.

    Parameters
    ----------
    filename : str or Path
        File.
    sed_type, format
        See `to_table`.
    overwrite : bool
        Replace an existing file.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal
        If the file exists and `overwrite` is false.
    FileError
        If it cannot be written.
    """
    path = file_path(filename)
    table = self.to_table(sed_type=sed_type, format=format)
    write_files({path: table_bytes(table, path, "FLUXPOINTS", self.gti)}, overwrite=overwrite)


def table_bytes(table: Any, path: Path, hdu: str, gti: Any) -> bytes:
    """Content of the file of a table."""
    if not is_fits(path):
        return to_ecsv(table).encode("utf-8")
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU(table, name=hdu)]
    if gti is not None:
        hdus.append(gti.to_table_hdu())
    return fits_bytes(fits.HDUList(hdus), path)
