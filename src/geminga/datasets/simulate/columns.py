"""Columns of event lists as float arrays: time in s since a reference, energy in TeV, positions in deg (ICRS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table
from numpy.typing import NDArray

from geminga.datasets.simulate.sources import Photons
from geminga.maps import MapCoord

__all__ = ["Columns", "chosen", "coords_of", "in_field", "joined", "numbers_of", "to_table", "true_columns"]

Columns = dict[str, NDArray[Any]]

_UNITS = {"ENERGY": u.TeV, "RA": u.deg, "DEC": u.deg}
_UNITS |= {f"{name}_TRUE": unit for name, unit in _UNITS.items()}
#: Columns in the order in which they stand in files.
ORDER = ("TIME", "ENERGY_TRUE", "RA_TRUE", "DEC_TRUE", "MC_ID", "RA", "DEC", "ENERGY", "EVENT_ID")


def true_columns(drawn: Mapping[int, Photons]) -> Columns:
    """Columns of photons of several models, known by a number."""
    photons = list(drawn.values())
    number = np.repeat(np.array(list(drawn), dtype=np.int64), [len(own.time) for own in photons])
    names = {"TIME": "time", "ENERGY_TRUE": "energy", "RA_TRUE": "lon", "DEC_TRUE": "lat"}
    columns = {name: np.concatenate([np.zeros(0), *(getattr(own, part) for own in photons)]) for name, part in names.items()}
    return columns | {"MC_ID": number}


def joined(parts: Sequence[Columns]) -> Columns:
    """Rows of several, one after the other; all have the same columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def chosen(columns: Columns, rows: Any) -> Columns:
    """Some of the rows."""
    return {name: column[rows] for name, column in columns.items()}


def coords_of(columns: Mapping[str, Any], axis_name: str, energy: str) -> MapCoord:
    """True positions, and the column `energy` as coordinate `axis_name`."""
    data = {"lon": columns["RA_TRUE"], "lat": columns["DEC_TRUE"], axis_name: u.Quantity(columns[energy], "TeV")}
    return MapCoord.create(data, frame="icrs")


def in_field(geom: Any, columns: Columns) -> NDArray[np.bool_]:
    """Whether events are in a pixel and in a bin of energy of a geometry; not if a response lost them."""
    is_known = np.isfinite(columns["ENERGY"]) & np.isfinite(columns["RA"])
    inside = np.zeros(len(is_known), dtype=bool)
    own = chosen(columns, is_known)
    coords = MapCoord.create({"lon": own["RA"], "lat": own["DEC"], "energy": u.Quantity(own["ENERGY"], "TeV")}, frame="icrs")
    inside[is_known] = geom.contains(coords)
    return inside


def to_table(columns: Columns, time_ref: Any, meta: Mapping[str, Any]) -> Table:
    """Table with units and absolute times."""
    data: dict[str, Any] = {"TIME": time_ref + u.Quantity(columns["TIME"], "s")}
    for name in ORDER[1:]:
        if name in columns:
            data[name] = u.Quantity(columns[name], _UNITS[name], copy=False) if name in _UNITS else columns[name]
    return Table(data, meta=dict(meta), copy=False)


def numbers_of(table: Table, names: Sequence[str]) -> Columns:
    """Columns of a table as numbers; angles in deg and energies in TeV."""
    return {name: np.asarray(u.Quantity(table[name]).to_value(_UNITS[name]), dtype=float) for name in names}
