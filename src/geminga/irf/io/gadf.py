"""Response functions as one-row tables (GADF 0.3).

Each axis is a pair of vectors ``<PREFIX>_LO`` and ``<PREFIX>_HI``, the data one cell with the axes in reversed (FITS) order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.errors import FormatError
from geminga.maps import MapAxis
from geminga.utils.metadata import CreatorMetaData
from geminga.utils.units import parse_unit

__all__ = ["irf_from_table", "irf_to_table"]

# Prefix of the columns of an axis, and its interpolation.
_PREFIX = {
    "energy": ("ENERG", "log"),
    "energy_true": ("ENERG", "log"),
    "offset": ("THETA", "lin"),
    "rad": ("RAD", "lin"),
    "migra": ("MIGRA", "lin"),
    "fov_lon": ("DETX", "lin"),
    "fov_lat": ("DETY", "lin"),
}


def check_format(format: str) -> None:
    """Refuse another format.

    Raises
    ------
    FormatError
        If it is not ``"gadf-dl3"``.
    """
    if format != "gadf-dl3":
        msg = f"IRF format {format!r} is not known; expected 'gadf-dl3'."
        raise FormatError(msg)


def _axis(table: Any, name: str) -> Any:
    prefix, interp = _PREFIX[name]
    if name == "energy_true" and f"{prefix}_LO" not in table.colnames and "ETRUE_LO" in table.colnames:
        prefix = "ETRUE"
    missing = [c for c in (f"{prefix}_LO", f"{prefix}_HI") if c not in table.colnames]
    if missing:
        msg = f"IRF table lacks the columns {missing} of axis {name!r}; it has {table.colnames}."
        raise FormatError(msg)
    low, high = (np.atleast_1d(np.squeeze(np.asarray(table[f"{prefix}_{end}"], dtype=float))) for end in ("LO", "HI"))
    unit = parse_unit(str(table[f"{prefix}_LO"].unit or ""), name)
    if np.allclose(low, high):
        return MapAxis.from_nodes(low, unit=unit, name=name, interp=interp)
    return MapAxis.from_edges(np.append(low, high[-1]), unit=unit, name=name, interp=interp)


def irf_from_table(cls: Any, table: Any, column: str | None = None) -> Any:
    """Response function of class `cls` from its table.

    Raises
    ------
    FormatError
        If a column is missing, or axes and data do not fit.
    """
    axes = [_axis(table, name) for name in cls.required_axes]
    if column is None:
        ends = ("_LO", "_HI")
        column = next((c for c in table.colnames if not c.endswith(ends)), None)
    if column is None or column not in table.colnames:
        msg = f"IRF table has no column with data; its columns are {table.colnames}."
        raise FormatError(msg)
    data = np.asarray(table[column][0])
    data = np.array(data, dtype=data.dtype.newbyteorder("=")).T
    shape = tuple(axis.nbin for axis in axes)
    if data.size != int(np.prod(shape)):
        msg = f"IRF column {column!r} has {data.size} values, the axes {cls.required_axes} ask for {shape}."
        raise FormatError(msg)
    unit = parse_unit(str(table[column].unit or ""), column)
    is_pointlike = str(table.meta.get("HDUCLAS3", "")).strip() == "POINT-LIKE"
    return cls(axes=axes, data=data.reshape(shape), unit=unit, is_pointlike=is_pointlike, meta=dict(table.meta))


def irf_to_table(irf: Any, column: str = "DATA") -> Table:
    """Table with one row."""
    table = Table()
    for axis in irf.axes:
        prefix = _PREFIX.get(axis.name, (axis.name.upper(), "lin"))[0]
        low, high = (axis.edges[:-1], axis.edges[1:]) if axis.node_type == "edges" else (axis.center, axis.center)
        table[f"{prefix}_LO"] = u.Quantity(low)[np.newaxis]
        table[f"{prefix}_HI"] = u.Quantity(high)[np.newaxis]
    table[column] = u.Quantity(np.asarray(irf.data).T[np.newaxis], irf.unit)
    table.meta.update(irf.meta)
    table.meta["HDUCLAS3"] = "POINT-LIKE" if irf.is_pointlike else "FULL-ENCLOSURE"
    return table


def irf_to_hdu(irf: Any) -> fits.BinTableHDU:
    """Table HDU named after the kind of response function."""
    hdu = fits.BinTableHDU(irf_to_table(irf), name=(irf.tag or "IRF").upper())
    hdu.header.update(CreatorMetaData().to_header())
    return hdu
