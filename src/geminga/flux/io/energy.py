"""Energies in flux tables, and the layout ``gadf-sed``: a row for each energy.

https://gamma-astro-data-formats.readthedocs.io/en/latest/spectra/flux_points/
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import FormatError, InputError
from geminga.flux.io.registry import TABLE_FORMATS, TableFormat
from geminga.maps import MapAxis
from geminga.utils.units import parse_unit, standardise_unit

__all__ = ["energy_columns", "quantity", "read_energy"]

log = logging.getLogger(__name__)


def quantity(table: Any, name: str) -> u.Quantity:
    """Column as a Quantity, masked cells as NaN, without ``ph`` in its unit."""
    column = table[name]
    if isinstance(column, u.Quantity):
        return column
    data = np.asarray(np.ma.filled(np.ma.asarray(column).astype(float), np.nan))
    return u.Quantity(data, standardise_unit(parse_unit(column.unit or "", f"column {name!r}")))


def _energies(table: Any, name: str) -> u.Quantity:
    """Energies of a column; cells with the energies of a light curve are the same in all rows."""
    values = quantity(table, name)
    if not values.unit.is_equivalent("TeV"):
        msg = f"Column {name!r} has the unit {str(values.unit)!r}; expected one of energy, such as 'TeV'."
        raise FormatError(msg)
    return values


def _common(values: u.Quantity, name: str, is_cell: bool) -> u.Quantity:
    """Energies in the cells of a table with a row for something else."""
    if not is_cell:
        return values
    cells = values.reshape(len(values), -1)
    if not np.allclose(cells.value, cells.value[:1], rtol=1e-6, atol=0):
        msg = f"Column {name!r}: rows have different energies; a table holds fluxes in one set of energy bins."
        raise FormatError(msg)
    return cells[0]


def read_energy(table: Any, is_cell: bool = False) -> MapAxis:
    """Energy axis of a table: bins of ``e_min``, ``e_max``, else nodes ``e_ref``.

    Parameters
    ----------
    table : Table
        Table.
    is_cell : bool
        Whether energies stand in the cells of each row.

    Raises
    ------
    FormatError
        If energies are missing, not in order, or there are gaps between bins and no ``e_ref``.
    """
    names = [name for name in ("e_min", "e_max", "e_ref") if name in table.colnames]
    values = {name: _common(_energies(table, name), name, is_cell) for name in names}
    try:
        if {"e_min", "e_max"} <= values.keys():
            low, high = values["e_min"], values["e_max"].to(values["e_min"].unit)
            if np.allclose(high.value[:-1], low.value[1:], rtol=1e-4, atol=0):
                return MapAxis.from_energy_edges(u.Quantity(np.append(low.value, high.value[-1]), low.unit))
            gap = "Energy bins do not follow each other"
            if "e_ref" not in values:
                msg = f"{gap} (e_max {high[:-1]}, next e_min {low[1:]}) and there is no column 'e_ref'."
                raise FormatError(msg)
            log.warning("%s: only differential fluxes at e_ref are kept.", gap)
        if "e_ref" in values:
            energy = values["e_ref"]
            return MapAxis.from_nodes(energy, name="energy", interp="log")
    except InputError as error:
        msg = f"Energies of the table are no axis: {error}"
        raise FormatError(msg) from error
    msg = f"Table has no energies; expected the columns e_ref, or e_min and e_max, there are {', '.join(table.colnames)}."
    raise FormatError(msg)


def energy_columns(axis: Any, n_rows: int | None = None) -> dict[str, u.Quantity]:
    """Columns of an energy axis, repeated for each row of something else."""
    names = {"e_ref": axis.center}
    if axis.node_type == "edges":
        names |= {"e_min": axis.edges_min, "e_max": axis.edges_max}
    if n_rows is None:
        return names
    return {name: u.Quantity(np.tile(values.value, (n_rows, 1)), values.unit) for name, values in names.items()}


TABLE_FORMATS["gadf-sed"] = TableFormat(
    name="gadf-sed",
    marker="e_ref",
    axes=("energy",),
    columns=lambda geom: energy_columns(geom.axes["energy"]),
    meta=lambda geom: {},
    read_axes=lambda table: [read_energy(table)],
)
