"""Small operations on astropy tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table
from astropy.units import Quantity

from geminga.utils.units import standardise_unit

__all__ = ["hstack_columns", "table_row_to_dict", "table_standardise_units_copy", "table_standardise_units_inplace"]


def hstack_columns(table: Any, table_other: Any) -> Any:
    """Join the rows of two tables column by column, also where cells are arrays.

    Parameters
    ----------
    table, table_other : `~astropy.table.Table`
        Tables with the same columns.
    """
    joined = Table()
    for name in table.colnames:
        joined[name] = np.hstack([table[name].data, table_other[name].data])
        joined[name].unit = table[name].unit
    return joined


def table_standardise_units_copy(table: Any) -> Any:
    """Copy of a table without ``ph`` and ``count`` in its units."""
    return table_standardise_units_inplace(Table(table))


def table_standardise_units_inplace(table: Any) -> Any:
    """Remove ``ph`` and ``count`` from the units of a table, which is also returned."""
    for column in table.columns.values():
        if column.unit:
            column.unit = standardise_unit(column.unit)
    return table


def table_row_to_dict(row: Any, make_quantity: bool = True) -> dict[str, Any]:
    """Dictionary of a row.

    Parameters
    ----------
    row : `~astropy.table.Row`
        Row of a table.
    make_quantity : bool
        Give cells with a unit as Quantity.
    """
    data = {}
    for name, column in row.columns.items():
        value = row[name]
        if make_quantity and column.unit and not isinstance(value, Quantity):
            value = Quantity(value, column.unit)
        data[name] = value
    return data
