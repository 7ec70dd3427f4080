"""Files of light-curve templates.

"table": columns TIME and NORM; "map": a region map with axes energy and time. Both carry the reference time as MJDREFI,
MJDREFF and TIMESYS, the map in the header of its axes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from geminga.errors import FormatError, NameLookupError
from geminga.maps import MapAxis, RegionNDMap
from geminga.utils.files import read_fits, write_fits
from geminga.utils.time import time_ref_from_dict, time_ref_to_dict

__all__ = ["LIGHT_CURVE_FORMATS", "find_light_curve_format", "map_of_table", "table_of_map"]

_BANDS = "SKYMAP_BANDS"


def map_of_table(table: Table, name: str = "Light curve") -> tuple[Any, Time]:
    """Map against time, and reference time, of a table with columns TIME and NORM.

    Raises
    ------
    FormatError
        If a column or the reference time is missing.
    """
    columns = {column.upper(): column for column in table.colnames}
    missing = [column for column in ("TIME", "NORM") if column not in columns]
    if missing:
        msg = f"{name}: column {', '.join(missing)} is missing, there are {', '.join(table.colnames)}; expected TIME and NORM."
        raise FormatError(msg)
    meta = {str(key).upper(): value for key, value in table.meta.items()}
    time = table[columns["TIME"]]
    unit = time.unit or meta.get("TIMEUNIT", "").strip() or "s"
    axis = MapAxis.from_nodes(u.Quantity(np.asarray(time, dtype=float), unit), name="time", interp="lin")
    norm = np.asarray(table[columns["NORM"]], dtype=float)
    own = RegionNDMap.create(region=None, axes=[axis], data=norm, unit=table[columns["NORM"]].unit or "")
    return own, time_ref_from_dict(meta)


def table_of_map(own: Any, reference: Time) -> Table:
    """Table of a map against time."""
    table = Table()
    axis = own.geom.axes["time"]
    table["TIME"] = axis.center.value
    table["TIME"].unit = axis.unit
    table["NORM"] = np.ravel(own.frozen_data).astype(float)
    table.meta.update(time_ref_to_dict(reference, scale=reference.scale))
    return table


def _read_table(filename: Any) -> tuple[Any, Time]:
    tables = [hdu for hdu in read_fits(filename) if isinstance(hdu, fits.BinTableHDU)]
    if not tables:
        msg = f"File {filename} holds no table; expected one with columns TIME and NORM (or give format='map')."
        raise FormatError(msg)
    return map_of_table(Table.read(tables[0], format="fits"), f"File {filename}")


def _write_table(own: Any, reference: Time, filename: Any, overwrite: bool) -> None:
    hdu = fits.BinTableHDU(table_of_map(own, reference), name="LIGHTCURVE")
    write_fits(fits.HDUList([fits.PrimaryHDU(), hdu]), filename, overwrite=overwrite)


def _read_map(filename: Any) -> tuple[Any, Time]:
    hdulist = read_fits(filename)
    if _BANDS not in hdulist:
        msg = f"File {filename} has no HDU {_BANDS}; expected a region map with a time axis (or give format='table')."
        raise FormatError(msg)
    header = hdulist[_BANDS].header
    reference = time_ref_from_dict(header)
    # With a reference time of its own the axis would be read as intervals, which have no interpolation.
    for key in ("MJDREFI", "MJDREFF", "MJDREF", "TIMESYS"):
        header.pop(key, None)
    return RegionNDMap.from_hdulist(hdulist), reference


def _write_map(own: Any, reference: Time, filename: Any, overwrite: bool) -> None:
    hdulist = own.to_hdulist()
    hdulist[_BANDS].header.update(time_ref_to_dict(reference, scale=reference.scale))
    write_fits(hdulist, filename, overwrite=overwrite)


@dataclass(frozen=True)
class LightCurveFormat:
    """How light curves of a format are read and written."""

    read: Callable[[Any], tuple[Any, Time]]
    write: Callable[[Any, Time, Any, bool], None]


LIGHT_CURVE_FORMATS = {
    "table": LightCurveFormat(_read_table, _write_table),
    "map": LightCurveFormat(_read_map, _write_map),
}


def find_light_curve_format(format: str) -> LightCurveFormat:
    """Format by name.

    Raises
    ------
    NameLookupError
        If it is unknown.
    """
    if format not in LIGHT_CURVE_FORMATS:
        msg = f"Light-curve format {format!r} is unknown; known: {', '.join(LIGHT_CURVE_FORMATS)}."
        raise NameLookupError(msg)
    return LIGHT_CURVE_FORMATS[format]
