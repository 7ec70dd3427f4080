"""Region maps in FITS files: the gadf table, and the entry to all formats of region maps.

The gadf table has a row for each bin of the last axis; a cell holds the other axes. Older files have a row for each bin of
all axes. Both are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.io import fits

from geminga.errors import FormatError, NameLookupError
from geminga.maps.geom.io import find_hdu
from geminga.maps.geom.region import RegionGeom
from geminga.maps.geom.region_io import read_region_hdu, region_to_hdu
from geminga.maps.io import ogip  # noqa: F401  (registers its formats)
from geminga.maps.io.gadf import _storable, is_named_mask
from geminga.maps.io.registry import REGION_FORMATS, RegionFormat, find_format
from geminga.maps.io.tables import axes_from_hdu, meta_from_text, meta_to_text, native
from geminga.utils.units import parse_unit, standardise_unit

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["region_map_from_hdulist", "region_map_from_table", "region_map_to_hdulist", "region_map_to_table"]


def region_map_from_hdulist(
    cls: Any, hdulist: fits.HDUList, format: str = "gadf", ogip_column: str | None = None, hdu: Any = None, **kwargs: Any
) -> Any:
    """Read a region map from an HDU list; ``hdu_bands`` and ``hdu_region`` may name the HDUs of axes and region."""
    record = find_format(REGION_FORMATS, format, "RegionNDMap.read")
    return record.read(cls, hdulist, format=format, column=ogip_column, hdu=hdu, **kwargs)


def region_map_to_hdulist(
    self: Any, format: str = "gadf", hdu: str = "SKYMAP", hdu_bands: str | None = None, hdu_region: str | None = None
) -> fits.HDUList:
    """HDU list of a region map."""
    record = find_format(REGION_FORMATS, format, "RegionNDMap.write")
    return record.write(self, format=format, hdu=hdu, hdu_bands=hdu_bands, hdu_region=hdu_region)


def region_map_from_table(cls: Any, table: Table, format: str = "", colname: str | None = None) -> Any:
    """Read a region map from a table."""
    return find_format(REGION_FORMATS, format, "RegionNDMap.from_table").from_table(cls, table, format, colname)


def region_map_to_table(self: Any, format: str = "gadf") -> Table:
    """Table of a region map."""
    return find_format(REGION_FORMATS, format, "RegionNDMap.to_table").to_table(self, format)


def _optional(hdulist: fits.HDUList, name: str) -> Any:
    return hdulist[name] if name.upper() in {hdu.name.upper() for hdu in hdulist} else None


def _read(
    cls: Any,
    hdulist: fits.HDUList,
    format: str,
    column: str | None = None,
    hdu: Any = None,
    hdu_bands: str | None = None,
    hdu_region: str | None = None,
) -> Any:
    found = find_hdu(hdulist, "SKYMAP" if hdu is None else hdu)
    name = found.name
    bands = _optional(hdulist, hdu_bands or str(found.header.get("BANDSHDU", f"{name}_BANDS")).strip())
    region_hdu = _optional(hdulist, hdu_region or f"{name}_REGION")
    region, wcs = (None, None) if region_hdu is None else read_region_hdu(region_hdu)
    geom = RegionGeom(region, axes=axes_from_hdu(bands, "gadf"), wcs=wcs)
    column = column or "DATA"
    if found.is_image or column.upper() not in {c.upper() for c in found.columns.names}:
        columns = "an image" if found.is_image else f"the columns {found.columns.names}"
        msg = f"HDU {name}: expected a table with the column {column}, it has {columns}."
        raise FormatError(msg)
    data = native(np.asarray(found.data[column]))
    shape = tuple(int(n) for n in geom.data_shape)
    if data.size != int(np.prod(shape)):
        msg = f"HDU {name}: column {column} holds {data.size} numbers, the axes {geom.axes.names} say {shape}."
        raise FormatError(msg)
    if is_named_mask(name):
        data = data != 0
    unit = standardise_unit(parse_unit(found.columns[column].unit or "", f"Unit of HDU {name}"))
    return cls(geom, data=data.reshape(shape), meta=meta_from_text(found.header.get("META"), name), unit=unit)


def _write(self: Any, format: str, hdu: str, hdu_bands: str | None, hdu_region: str | None) -> fits.HDUList:
    name = hdu.upper()
    bands, region = (hdu_bands or f"{name}_BANDS").upper(), (hdu_region or f"{name}_REGION").upper()
    table = fits.BinTableHDU(_to_table(self, format), name=name)
    if len(self.geom.axes):
        table.header.update(self.geom.axes.to_header(format="gadf"))
        if bands != f"{name}_BANDS":
            table.header["BANDSHDU"] = bands
    if self.meta:
        table.header["META"] = meta_to_text(self.meta)
    hdulist = fits.HDUList([fits.PrimaryHDU(), table])
    if len(self.geom.axes):
        hdulist.append(self.geom.to_bands_hdu(hdu_bands=bands, format="gadf"))
    if self.geom.region is not None:
        hdulist.append(region_to_hdu(self.geom, region))
    return hdulist


def _to_table(self: Any, format: str) -> Table:
    from astropy.table import Table

    data = self.frozen_data if self.is_mask else _storable(self.frozen_data)
    if not len(self.geom.axes):
        data = data[np.newaxis]
    channel = np.arange(len(data))
    table = Table()
    table["CHANNEL"] = channel.astype(np.int16 if len(data) <= np.iinfo(np.int16).max else np.int32)
    table["DATA"] = np.array(data)
    if self.unit != u.dimensionless_unscaled:
        table["DATA"].unit = self.unit
    return table


def _column(table: Table, colname: str) -> Any:
    if colname not in table.colnames:
        msg = f"Table has no column {colname!r}; it has {', '.join(table.colnames)}."
        raise NameLookupError(msg)
    return table[colname]


def _from_table(cls: Any, table: Table, format: str, colname: str | None) -> Any:
    """A column over the axes that the table itself describes."""
    from geminga.maps.axes.collection import MapAxes
    from geminga.maps.axes.time import TimeMapAxis

    if colname is None:
        if format != "gadf":
            msg = f"RegionNDMap.from_table: colname must be given for format {format!r}; columns are {', '.join(table.colnames)}."
            raise NameLookupError(msg)
        colname = "DATA"
    if format == "lightcurve":
        axes: list[Any] = [TimeMapAxis.from_table(table, format=format)]
    else:
        axes = list(MapAxes.from_table(table, format=format))
    column = _column(table, colname)
    if format == "lightcurve" and column.ndim > 1:
        from geminga.maps.axes.map import MapAxis

        edges = {name: u.Quantity(_column(table, name))[0] for name in ("e_min", "e_max")}
        axes = [MapAxis.from_energy_edges(np.append(edges["e_min"], edges["e_max"][-1])), *axes]
    unit = standardise_unit(parse_unit(column.unit or "", colname))
    return cls(RegionGeom.create(None, axes=axes), data=np.array(getattr(column, "value", column)), unit=unit)


REGION_FORMATS["gadf"] = RegionFormat(_read, _write, _from_table, _to_table)


def _no_hdulist(*args: Any, format: str, **kwargs: Any) -> Any:
    msg = f"Region maps: format {format!r} is one of tables, not of files; use RegionNDMap.from_table, or 'gadf'."
    raise NameLookupError(msg)


def _no_table(self: Any, format: str) -> Any:
    return _no_hdulist(format=format)


for _name in ("gadf-sed", "gadf-sed-norm", "gadf-sed-energy", "gadf-sed-counts", "lightcurve"):
    REGION_FORMATS[_name] = RegionFormat(_no_hdulist, _no_hdulist, _from_table, _no_table)
