"""Rows of an event list: as they lie in a file, or as a table.

Data reduction asks for a few columns as numbers, and makes no `~astropy.table.Table` and no `~astropy.time.Time` for them.
Users who ask for the table get one, which from then on is what counts, as they may change it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from astropy import units as u
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import FormatError, NameLookupError, UnitError
from geminga.utils.fits_tables import FitsTable
from geminga.utils.time import time_ref_from_dict
from geminga.utils.units import parse_unit

__all__ = ["CANONICAL", "FileRows", "Rows", "TableRows", "reference_time"]

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

#: Required columns, and the units they are handed out in.
CANONICAL = {"TIME": u.s, "ENERGY": u.TeV, "RA": u.deg, "DEC": u.deg}


class Rows(Protocol):
    """What an event list asks of its rows."""

    @property
    def header(self) -> Mapping[str, Any]:
        """Keywords."""

    @property
    def names(self) -> list[str]:
        """Columns."""

    def __len__(self) -> int: ...

    def unit(self, name: str) -> u.UnitBase:
        """Unit of a column; of times as numbers s."""

    def numbers(self, name: str, unit: u.UnitBase | None = None) -> Floats:
        """Column as floats in a unit; by default the canonical one, or that of the column."""

    def values(self, name: str) -> NDArray[Any]:
        """Column as it is."""

    def take(self, rows: Any) -> Rows:
        """Some of the rows, by mask, indices or slice."""

    def table(self) -> Table:
        """Table with absolute times."""


def reference_time(header: Mapping[str, Any]) -> Time:
    """Reference of elapsed times: that of the header, else 2000-01-01 TT."""
    if "MJDREFI" in header or "MJDREF" in header:
        return time_ref_from_dict(header)
    log.warning("Events have no reference time (MJDREFI and MJDREFF); 2000-01-01 TT is assumed.")
    return Time("2000-01-01T00:00:00", scale="tt", format="isot")


def time_unit(unit: Any, header: Mapping[str, Any]) -> u.UnitBase:
    """Unit of elapsed times: of the column, else TIMEUNIT, else s."""
    return parse_unit(unit or str(header.get("TIMEUNIT", "s")).strip() or "s", "TIME")


def energy_unit(unit: Any, header: Mapping[str, Any]) -> u.UnitBase:
    """Unit of energies: of the column, else EUNIT; there is no default.

    Raises
    ------
    FormatError
        If there is neither.
    """
    unit = unit or str(header.get("EUNIT", "")).strip()
    if not unit:
        msg = "EventList: column 'ENERGY' has no unit and there is no keyword EUNIT; set the unit of the column, for example TeV."
        raise FormatError(msg)
    return parse_unit(unit, "ENERGY")


def column_unit(name: str, unit: Any, header: Mapping[str, Any]) -> u.UnitBase:
    """Unit of a column; what the data format prescribes where it is missing.

    Raises
    ------
    FormatError
        If energies have none.
    UnitError
        If a required column has the wrong dimension.
    """
    if name == "TIME":
        found = time_unit(unit, header)
    elif name == "ENERGY":
        found = energy_unit(unit, header)
    else:
        # Units of further columns need not be ones we know.
        found = u.Unit(unit, parse_strict="silent") if unit else CANONICAL.get(name, u.dimensionless_unscaled)
    if name in CANONICAL and not found.is_equivalent(CANONICAL[name]):
        msg = f"EventList: column {name!r} has unit '{found}', expected one convertible to '{CANONICAL[name]}'."
        raise UnitError(msg)
    return found


def check_columns(names: list[str]) -> None:
    """Refuse a list that lacks a required column."""
    missing = [name for name in CANONICAL if name not in names]
    if missing:
        msg = f"EventList: column {' and '.join(missing)} missing, the columns are {', '.join(names) or 'none'}."
        raise NameLookupError(msg)


def check_name(name: str, names: list[str]) -> None:
    """Refuse the name of a column that does not exist."""
    if name not in names:
        msg = f"Column not found in event list: {name!r}; the columns are {', '.join(names)}."
        raise NameLookupError(msg)


class FileRows:
    """Rows of a table in a file; columns are converted when asked for.

    Parameters
    ----------
    table : FitsTable
        Table.
    rows : array, optional
        Which rows; all by default.
    """

    def __init__(self, table: FitsTable, rows: Any = None) -> None:
        self._table, self._rows = table, rows
        self.header: Mapping[str, Any] = table.header
        # Names differ by case in some files ("RA" and "ra"): an exact match counts.
        self.names: list[str] = table.names
        check_columns(self.names)

    def __len__(self) -> int:
        return len(self._table) if self._rows is None else len(self._rows)

    def unit(self, name: str) -> u.UnitBase:
        """Unit of a column."""
        check_name(name, self.names)
        return column_unit(name, self._table.unit(name), self.header)

    def values(self, name: str) -> NDArray[Any]:
        """Column as it is, in native byte order; an independent copy."""
        check_name(name, self.names)
        values = self._table.values(name)
        return values if self._rows is None else values[self._rows]

    def numbers(self, name: str, unit: u.UnitBase | None = None) -> Floats:
        """Column as floats in a unit; by default the canonical one, or that of the column."""
        own = self.unit(name)
        return _in_unit(self.values(name).astype(float), own, unit or CANONICAL.get(name, own))

    def take(self, rows: Any) -> FileRows:
        """Some of the rows, by mask, indices or slice."""
        index = np.arange(len(self)) if self._rows is None else self._rows
        return FileRows(self._table, index[rows])

    def table(self) -> Table:
        """Table with absolute times, a copy."""
        table = self._table.table()
        for name in CANONICAL:
            table[name].unit = self.unit(name)
        return with_times(table if self._rows is None else table[self._rows])


class TableRows:
    """Rows of a table, which the user may change at any time.

    Parameters
    ----------
    table : Table
        Table with absolute times.
    """

    def __init__(self, table: Table) -> None:
        check_columns(list(table.colnames))
        self._table = with_times(table)

    header = property(lambda self: self._table.meta)
    names = property(lambda self: list(self._table.colnames))

    def __len__(self) -> int:
        return len(self._table)

    def unit(self, name: str) -> u.UnitBase:
        """Unit of a column."""
        check_name(name, self.names)
        return u.s if name == "TIME" else column_unit(name, getattr(self._table[name], "unit", None), self.header)

    def values(self, name: str) -> NDArray[Any]:
        """Column as it is; times as elapsed seconds."""
        check_name(name, self.names)
        column = self._table[name]
        if isinstance(column, Time):
            return np.asarray((column - reference_time(self.header)).sec)
        return np.asarray(getattr(column, "value", column))

    def numbers(self, name: str, unit: u.UnitBase | None = None) -> Floats:
        """Column as floats in a unit; by default the canonical one, or that of the column."""
        own = self.unit(name)
        return _in_unit(self.values(name).astype(float), own, unit or CANONICAL.get(name, own))

    def take(self, rows: Any) -> TableRows:
        """Some of the rows, by mask, indices or slice."""
        return TableRows(self._table[rows])

    def table(self) -> Table:
        """Table itself."""
        return self._table


def _in_unit(values: Floats, own: u.UnitBase, unit: u.UnitBase) -> Floats:
    return values if own == unit else np.asarray(values * own.to(unit))


def with_times(table: Table) -> Table:
    """Table in which ``TIME`` is `~astropy.time.Time`: elapsed times become absolute, in a copy."""
    time = table["TIME"]
    if isinstance(time, Time):
        return table
    table = table.copy(copy_data=False)
    seconds = np.asarray(getattr(time, "value", time), dtype=float) * time_unit(getattr(time, "unit", None), table.meta)
    absolute = reference_time(table.meta) + seconds
    absolute.format = "mjd"
    table.replace_column("TIME", absolute)
    return table
