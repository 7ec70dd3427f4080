"""Region maps as OGIP spectra (SPECTRUM, EBOUNDS) and effective areas (SPECRESP), in the units of the map or in keV and cm2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from geminga.errors import FormatError, GeometryError
from geminga.maps.axes.collection import MapAxes
from geminga.maps.geom.io import find_hdu
from geminga.maps.geom.region import RegionGeom
from geminga.maps.geom.region_io import read_region_hdu, region_to_hdu
from geminga.maps.io.registry import REGION_FORMATS, RegionFormat
from geminga.maps.io.tables import HduTable
from geminga.utils.units import parse_unit

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["SPECTRUM_HEADER"]

SPECTRUM_HEADER: dict[str, Any] = {
    "TELESCOP": "unknown",
    "INSTRUME": "unknown",
    "FILTER": "None",
    "EXPOSURE": 0,
    "CORRFILE": "",
    "CORRSCAL": "",
    "ANCRFILE": "",
    "HDUCLASS": "OGIP",
    "HDUCLAS1": "SPECTRUM",
    "HDUVERS": "1.2.1",
    "POISSERR": True,
    "CHANTYPE": "PHA",
    "QUALITY": 0,
    "BACKSCAL": 1,
    "GROUPING": 0,
    "AREASCAL": 1,
}
_ARF_HEADER = {
    "TELESCOP": "unknown",
    "INSTRUME": "unknown",
    "FILTER": "None",
    "HDUCLASS": "OGIP",
    "HDUCLAS1": "RESPONSE",
    "HDUCLAS2": "SPECRESP",
    "HDUVERS": "1.1.0",
}


def _is_arf(format: str) -> bool:
    return "arf" in format


def _check_axis(self: Any, format: str) -> None:
    name = "energy_true" if _is_arf(format) else "energy"
    if self.geom.axes.names != [name]:
        msg = f"RegionNDMap: format {format!r} needs the one axis {name!r}, the map has {self.geom.axes.names}."
        raise GeometryError(msg)


def _numbers(self: Any) -> NDArray[Any]:
    """Counts as integers where they are whole numbers, as doubles else, so that no fraction is lost."""
    data = self.frozen_data.reshape(-1)
    if data.dtype == bool:
        return np.asarray(data, dtype=np.int16)
    whole = np.isfinite(data).all() and (data == np.rint(data)).all() and (np.abs(data) < np.iinfo(np.int32).max).all()
    return np.asarray(data, dtype=np.int32 if whole else float)


def _to_table(self: Any, format: str) -> Table:
    from astropy.table import Table

    _check_axis(self, format)
    if _is_arf(format):
        table = self.geom.axes["energy_true"].to_table(format=format)
        quantity = self.quantity.reshape(-1)
        quantity = quantity.to("cm2") if format.endswith("sherpa") else quantity
        table["SPECRESP"] = quantity.value.astype(float)
        table["SPECRESP"].unit = quantity.unit
        table.meta = {"EXTNAME": "SPECRESP", **_ARF_HEADER}
        return table
    values = _numbers(self)
    table = Table()
    table["CHANNEL"] = np.arange(len(values), dtype=np.int16)
    table["COUNTS"] = values
    table.meta = {"EXTNAME": "SPECTRUM", **SPECTRUM_HEADER, "DETCHANS": len(values)}
    return table


def _write(self: Any, format: str, hdu: str, hdu_bands: str | None, hdu_region: str | None) -> fits.HDUList:
    hdulist = fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(_to_table(self, format))])
    if _is_arf(format):
        return hdulist
    hdulist.append(self.geom.axes["energy"].to_table_hdu(format=format))
    if self.geom.region is not None:
        hdulist.append(region_to_hdu(self.geom, hdu_region or "REGION"))
    return hdulist


def _values(table: Any, column: str, size: int) -> tuple[NDArray[Any], str]:
    """Numbers and unit of a column, or of the keyword that stands for it; QUALITY becomes true where data are good."""
    names = {name.upper(): name for name in table.colnames}
    if column.upper() in names:
        found = table[names[column.upper()]]
        values, unit = np.array(found, subok=False), str(getattr(found, "unit", "") or "")
    elif column.upper() in {"QUALITY", "BACKSCAL", "AREASCAL", "GROUPING"} and column.upper() in table.meta:
        values, unit = np.full(size, table.meta[column.upper()]), ""
    else:
        msg = f"OGIP table has no column {column!r}; it has {', '.join(table.colnames)}."
        raise FormatError(msg)
    if column.upper() == "QUALITY":
        values = np.logical_not(values)
    return values, unit


def _from_table(cls: Any, table: Any, format: str, colname: str | None, geom: Any = None) -> Any:
    """Map of a table that holds its own energies, or on a geometry that is known."""
    if geom is None:
        geom = RegionGeom.create(None, axes=list(MapAxes.from_table(table, format=format)))
    column = colname or ("SPECRESP" if _is_arf(format) else "COUNTS")
    values, unit = _values(table, column, geom.axes[0].nbin)
    if values.size != geom.axes[0].nbin:
        msg = f"OGIP table: {values.size} rows of {column} for {geom.axes[0].nbin} energy bins."
        raise FormatError(msg)
    return cls(geom, data=values.reshape(geom.data_shape), unit=parse_unit(unit, column))


def _read(cls: Any, hdulist: fits.HDUList, format: str, column: str | None = None, hdu: Any = None, **kwargs: Any) -> Any:
    found = find_hdu(hdulist, hdu or ("SPECRESP" if _is_arf(format) else "SPECTRUM"))
    table = HduTable(found)
    names = {entry.name for entry in hdulist}
    region = wcs = None
    hdu_region = str(kwargs.get("hdu_region") or "REGION").upper()
    if hdu_region in names:
        region, wcs = read_region_hdu(hdulist[hdu_region])
    energies = table if _is_arf(format) else HduTable(find_hdu(hdulist, "EBOUNDS"))
    geom = RegionGeom(region, axes=MapAxes.from_table(energies, format=format), wcs=wcs)
    return _from_table(cls, table, format, column, geom)


for _name in ("ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"):
    REGION_FORMATS[_name] = RegionFormat(_read, _write, _from_table, _to_table)
