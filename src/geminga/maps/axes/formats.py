"""Axes in FITS tables.

A format is one small record: how to read an axis from a table, and how to write one. The ``gadf`` BANDS table,
which holds several axes at once, is in `geminga.maps.axes.bands`.

========================== ================================ =======================
format                     columns                          axis
========================== ================================ =======================
ogip, ogip-sherpa          CHANNEL, E_MIN, E_MAX            energy, edges
ogip-arf, ogip-arf-sherpa  ENERG_LO, ENERG_HI               energy_true, edges
fgst-ccube                 E_MIN, E_MAX                     energy, edges
fgst-template              ENERGY                           energy_true, nodes
fgst-bexpcube              ENERGY                           energy_true, nodes
gadf-dl3                   <PREFIX>_LO, <PREFIX>_HI         by prefix
gadf-sed                   e_min, e_max or e_ref            energy
gtpsf                      Energy or Theta                  energy_true or rad
========================== ================================ =======================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.errors import FormatError, NameLookupError
from geminga.maps.axes import bands
from geminga.utils.units import parse_unit

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

    from geminga.maps.axes.map import MapAxis

__all__ = [
    "AXIS_READERS",
    "DL3_AXES",
    "axis_from_table",
    "axis_from_table_hdu",
    "axis_to_header",
    "axis_to_table",
    "axis_to_table_hdu",
]

# GADF column prefix to axis name and interpolation; ENERG is `energy` in backgrounds and RAD_MAX tables.
DL3_AXES: dict[str, tuple[str, str]] = {
    "ENERG": ("energy_true", "log"),
    "ETRUE": ("energy_true", "log"),
    "THETA": ("offset", "lin"),
    "RAD": ("rad", "lin"),
    "DETX": ("fov_lon", "lin"),
    "DETY": ("fov_lat", "lin"),
    "MIGRA": ("migra", "lin"),
}
_DL3_PREFIXES = {
    "energy": "ENERG",
    "energy_true": "ENERG",
    "offset": "THETA",
    "rad": "RAD",
    "fov_lon": "DETX",
    "fov_lat": "DETY",
    "migra": "MIGRA",
}


def column(table: Table, *names: str) -> u.Quantity:
    """First of several spellings of a column, as a Quantity; exact case first."""
    upper = {name.upper(): name for name in reversed(table.colnames)}
    for name in names:
        found = name if name in table.colnames else upper.get(name.upper())
        if found is not None:
            data = table[found]
            unit = getattr(data, "unit", None)
            return u.Quantity(np.asarray(getattr(data, "value", data), dtype=float), parse_unit(unit or "", found))
    msg = f"Table has no column {' or '.join(names)}; it has {', '.join(table.colnames)}."
    raise NameLookupError(msg)


def contiguous_edges(low: u.Quantity, high: u.Quantity, name: str) -> u.Quantity:
    """Edges of bins that follow each other.

    Raises
    ------
    FormatError
        If one bin does not begin where the one before ends.
    """
    high = high.to(low.unit)
    width = np.abs(high.value - low.value)
    if not np.allclose(high.value[:-1], low.value[1:], rtol=1e-5, atol=1e-3 * width.min()):
        msg = f"Axis {name!r}: bins do not follow each other (upper edges {high[:-1]}, next lower edges {low[1:]})."
        raise FormatError(msg)
    return u.Quantity(np.append(low.value, high.value[-1]), low.unit)


def _edges(name: str, low: str, high: str, interp: str = "log") -> Callable[..., MapAxis]:
    def read(cls: type[MapAxis], table: Table, **_: Any) -> MapAxis:
        edges = contiguous_edges(column(table, low), column(table, high), name)
        return cls(edges, interp=interp, name=name, node_type="edges")

    return read


def _energies(cls: type[MapAxis], table: Table, **_: Any) -> MapAxis:
    values = column(table, "Energy", "ENERGY")
    if values.unit == u.dimensionless_unscaled:
        values = values.value * u.MeV
    return cls(values, interp="log", name="energy_true", node_type="center")


def _gtpsf(cls: type[MapAxis], table: Table, **_: Any) -> MapAxis:
    if any(name.upper() == "THETA" for name in table.colnames):
        values = column(table, "Theta")
        unit = u.deg if values.unit == u.dimensionless_unscaled else values.unit
        return cls(values.value, unit=unit, name="rad", node_type="center")
    return _energies(cls, table)


def _sed(cls: type[MapAxis], table: Table, **_: Any) -> MapAxis:
    names = {name.lower() for name in table.colnames}
    if {"e_min", "e_max"} <= names:
        return _edges("energy", "e_min", "e_max")(cls, table)
    return cls(column(table, "e_ref"), interp="log", name="energy", node_type="center")


def dl3_axis(cls: type[MapAxis], table: Table, column_prefix: str = "", **_: Any) -> MapAxis:
    """Axis of a one-row response table by its column prefix; equal LO and HI make it an axis of nodes."""
    low = np.atleast_1d(np.squeeze(column(table, f"{column_prefix}_LO")))
    high = np.atleast_1d(np.squeeze(column(table, f"{column_prefix}_HI"))).to(low.unit)  # type: ignore[attr-defined]
    name, interp = DL3_AXES.get(column_prefix, (column_prefix.lower(), "lin"))
    if column_prefix == "ENERG" and str(table.meta.get("HDUCLAS2", "")).strip().upper() in {"BKG", "RAD_MAX"}:
        name = "energy"
    if np.allclose(low.value, high.value, rtol=1e-8, atol=0):  # type: ignore[attr-defined]
        return cls(low, interp=interp, name=name, node_type="center")
    edges = contiguous_edges(low, high, name)
    if interp == "log" and not edges.value[0] > 0:
        # Some responses begin at energy zero: keep the table, with an edge far below all events.
        edges.value[0] = edges.value[1] * 1e-3
    return cls(edges, interp=interp, name=name, node_type="edges")


AXIS_READERS: dict[str, Callable[..., MapAxis]] = {
    "ogip": _edges("energy", "E_MIN", "E_MAX"),
    "ogip-sherpa": _edges("energy", "E_MIN", "E_MAX"),
    "ogip-arf": _edges("energy_true", "ENERG_LO", "ENERG_HI"),
    "ogip-arf-sherpa": _edges("energy_true", "ENERG_LO", "ENERG_HI"),
    "fgst-ccube": _edges("energy", "E_MIN", "E_MAX"),
    "fgst-template": _energies,
    "fgst-bexpcube": _energies,
    "gtpsf": _gtpsf,
    "gadf": bands.axis_from_bands,
    "gadf-dl3": dl3_axis,
    "gadf-sed": _sed,
    "gadf-sed-norm": _sed,
    "gadf-sed-energy": _sed,
    "gadf-sed-counts": _sed,
}


def lookup(table: Mapping[str, Any], format_: str, what: str) -> Any:
    """Entry of a table of formats, or an error that lists them."""
    if format_ not in table:
        msg = f"{what}: format {format_!r} is not known; expected one of {', '.join(sorted(table))}."
        raise NameLookupError(msg)
    return table[format_]


def axis_from_table(cls: type[MapAxis], table: Table, format: str = "ogip", idx: int = 0, column_prefix: str = "") -> MapAxis:
    """Read the axis from a table.

    Parameters
    ----------
    table : Table
        Table; for ``gadf`` with ``AXCOLS`` in its meta data.
    format : str
        One of the formats above.
    idx : int
        Number of the axis, for ``gadf``.
    column_prefix : str
        Column prefix, for ``gadf-dl3``.

    Raises
    ------
    NameLookupError
        If the format or a column is unknown.
    FormatError
        If bins do not follow each other.
    """
    return lookup(AXIS_READERS, format, "MapAxis.from_table")(cls, table, idx=idx, column_prefix=column_prefix)


def axis_from_table_hdu(cls: type[MapAxis], hdu: fits.BinTableHDU, format: str = "ogip", idx: int = 0) -> MapAxis:
    """Read the axis from a table HDU; see `from_table`."""
    from astropy.table import Table

    return cls.from_table(Table.read(hdu, format="fits"), format=format, idx=idx)


def _ogip(axis: MapAxis, unit: Any) -> dict[str, Any]:
    axis.assert_name("energy")
    edges = axis.edges.to(unit or axis.unit)
    return {"CHANNEL": np.arange(axis.nbin, dtype=np.int16), "E_MIN": edges[:-1], "E_MAX": edges[1:]}


def _arf(axis: MapAxis, unit: Any) -> dict[str, Any]:
    axis.assert_name("energy_true")
    edges = axis.edges.to(unit or axis.unit)
    return {"ENERG_LO": edges[:-1], "ENERG_HI": edges[1:]}


def dl3_columns(axis: MapAxis, _: Any = None) -> dict[str, Any]:
    """LO and HI columns of one row; an axis of nodes has both equal."""
    prefix = _DL3_PREFIXES.get(axis.name, axis.name.upper())
    low, high = (axis.edges[:-1], axis.edges[1:]) if axis.node_type == "edges" else (axis.center, axis.center)
    return {f"{prefix}_LO": low[np.newaxis], f"{prefix}_HI": high[np.newaxis]}


def _sed_columns(axis: MapAxis, _: Any) -> dict[str, Any]:
    return {"e_ref": axis.center, "e_min": axis.edges_min, "e_max": axis.edges_max}


_WRITERS: dict[str, tuple[Callable[[Any, Any], dict[str, Any]], Any]] = {
    "ogip": (_ogip, None),
    "ogip-sherpa": (_ogip, u.keV),
    "ogip-arf": (_arf, None),
    "ogip-arf-sherpa": (_arf, u.keV),
    "gadf-dl3": (dl3_columns, None),
    "gadf-sed": (_sed_columns, None),
}


def axis_to_table(self: MapAxis, format: str = "ogip") -> Table:
    """Write the axis to a table.

    Parameters
    ----------
    format : {"ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa", "gadf-dl3", "gadf-sed"}
        Format; the sherpa ones are in keV.

    Raises
    ------
    NameLookupError
        If the format is unknown, or needs an axis of another name.
    """
    from astropy.table import QTable, Table

    columns, unit = lookup(_WRITERS, format, "MapAxis.to_table")
    return Table(QTable(columns(self, unit)))


def axis_to_table_hdu(self: MapAxis, format: str = "ogip") -> fits.BinTableHDU:
    """Write the axis to a table HDU, named ``EBOUNDS`` for ogip; see `to_table`."""
    from astropy.io import fits

    hdu = fits.BinTableHDU(self.to_table(format=format))
    if format in _HEADERS:
        hdu.header.update(self.to_header(format=format))
    return hdu


def _ogip_header(axis: MapAxis, _: int) -> list[tuple[str, Any, str]]:
    return [
        ("EXTNAME", "EBOUNDS", "Name of this binary table extension"),
        ("TELESCOP", "DUMMY", "Mission/satellite name"),
        ("INSTRUME", "DUMMY", "Instrument/detector"),
        ("FILTER", "None", "Filter information"),
        ("CHANTYPE", "PHA", "Type of channels (PHA, PI etc)"),
        ("DETCHANS", axis.nbin, "Total number of detector PHA channels"),
        ("HDUCLASS", "OGIP", "Organisation devising file format"),
        ("HDUCLAS1", "RESPONSE", "File relates to response of instrument"),
        ("HDUCLAS2", "EBOUNDS", "This is an EBOUNDS extension"),
        ("HDUVERS", "1.2.0", "Version of file format"),
    ]


_HEADERS: dict[str, Callable[[Any, int], list[tuple[str, Any, str]]]] = {
    "ogip": _ogip_header,
    "ogip-sherpa": _ogip_header,
    **dict.fromkeys(bands.FORMATS, bands.number_header),
}


def axis_to_header(self: MapAxis, format: str = "ogip", idx: int = 0) -> fits.Header:
    """FITS keywords of the axis: ``AXCOLS<idx>``, ``INTERP<idx>`` (gadf, fgst) or those of an EBOUNDS table (ogip)."""
    from astropy.io import fits

    return fits.Header(lookup(_HEADERS, format, "MapAxis.to_header")(self, idx))
