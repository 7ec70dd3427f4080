"""Several axes in one FITS table: BANDS, EBOUNDS, ENERGIES and response tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geminga.errors import FormatError, NameLookupError
from geminga.maps.axes import bands, formats

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

    from geminga.maps.axes.collection import MapAxes

__all__ = ["axes_from_table", "axes_from_table_hdu", "axes_to_header", "axes_to_table", "axes_to_table_hdu"]

_HDU_NAMES = {
    "gadf": "BANDS",
    "fgst-ccube": "EBOUNDS",
    "fgst-template": "ENERGIES",
    "fgst-bexpcube": "ENERGIES",
    "ogip": "EBOUNDS",
    "ogip-sherpa": "EBOUNDS",
    "ogip-arf": "SPECRESP",
    "ogip-arf-sherpa": "SPECRESP",
    "gadf-dl3": "RESPONSE",
}


def axes_from_table(cls: type[MapAxes], table: Table, format: str = "gadf") -> MapAxes:
    """Read axes from a table.

    Parameters
    ----------
    table : Table
        Table, with its keywords in its meta data.
    format : str
        ``gadf`` (BANDS), ``gadf-dl3`` (all pairs ``<PREFIX>_LO``, ``<PREFIX>_HI`` of a response), or a format with one
        axis, see `MapAxis.from_table`.

    Raises
    ------
    FormatError, NameLookupError
        If columns are missing, bins do not follow each other, or the format is unknown.
    """
    from geminga.maps.axes.map import MapAxis

    if format == "gadf":
        return cls(bands.axes_from_bands(table))
    if format == "gadf-dl3":
        names = [name.upper() for name in table.colnames]
        prefixes = [name[:-3] for name in names if name.endswith("_LO") and f"{name[:-3]}_HI" in names]
        if not prefixes:
            msg = f"Response table has no pair of columns <PREFIX>_LO, <PREFIX>_HI; it has {', '.join(table.colnames)}."
            raise FormatError(msg)
        return cls([MapAxis.from_table(table, format=format, column_prefix=prefix) for prefix in prefixes])
    return cls([MapAxis.from_table(table, format=format)])


def axes_from_table_hdu(cls: type[MapAxes], hdu: fits.BinTableHDU | None, format: str = "gadf") -> MapAxes:
    """Read axes from a table HDU (none for None); see `from_table`."""
    from astropy.table import Table

    return cls([]) if hdu is None else cls.from_table(Table.read(hdu, format="fits"), format=format)


def axes_to_table(self: MapAxes, format: str = "gadf") -> Table:
    """Write the axes to a table.

    Parameters
    ----------
    format : str
        ``gadf`` and ``fgst-*`` (BANDS, one row for each combination of bins, first axis fastest), ``gadf-dl3`` (one row), or
        the ``ogip`` family, for the energy axis.

    Raises
    ------
    NameLookupError
        If the format is unknown or the axis it needs is not there.
    """
    from astropy.table import QTable, Table

    if format in bands.FORMATS:
        return Table(QTable(bands.bands_columns([_as_written(axis, format) for axis in self])))
    if format == "gadf-dl3":
        table = QTable()
        for axis in self:
            for name, values in formats.dl3_columns(axis).items():
                table[name] = values
        return Table(table)
    if format not in _HDU_NAMES:
        msg = f"MapAxes.to_table: format {format!r} is not known; expected one of {', '.join(sorted(_HDU_NAMES))}."
        raise NameLookupError(msg)
    table_ogip: Table = self["energy_true" if "arf" in format else "energy"].to_table(format=format)
    return table_ogip


def _as_written(axis: Any, format: str) -> Any:
    """Axis under the name, and in the unit, which the Fermi tools take for granted."""
    if not format.startswith("fgst") or not getattr(axis, "is_energy_axis", False):
        return axis
    return axis.copy(name="energy", unit="MeV" if _HDU_NAMES[format] == "ENERGIES" else axis.unit)


def axes_to_header(self: MapAxes, format: str = "gadf") -> fits.Header:
    """Keywords of all axes: ``AXCOLS1``, ``INTERP1``, ``AXCOLS2``, ..."""
    from astropy.io import fits

    header = fits.Header()
    for idx, axis in enumerate(self, start=1):
        header.update(_as_written(axis, format).to_header(format=format, idx=idx))
    return header


def axes_to_table_hdu(self: MapAxes, format: str = "gadf", hdu_bands: str | None = None) -> fits.BinTableHDU:
    """Write the axes to a table HDU.

    Parameters
    ----------
    format : str
        See `to_table`.
    hdu_bands : str, optional
        Name of the HDU; by default that of the format: BANDS, EBOUNDS or ENERGIES.
    """
    from astropy.io import fits

    table = self.to_table(format=format)
    hdu = fits.BinTableHDU(table)
    if format in bands.FORMATS:
        hdu.header.update(self.to_header(format=format))
    elif format in {"ogip", "ogip-sherpa"}:
        hdu.header.update(self["energy"].to_header(format=format))
    hdu.name = hdu_bands or _HDU_NAMES[format]
    return hdu
