"""The BANDS table: one row for each combination of bins, axes told apart by ``AXCOLS1``, ``AXCOLS2``, ...

Rows are written in the order of the data (first axis fastest), but nothing relies on that when reading: the bins of an
axis are the distinct values of its columns in the order in which they first come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import FormatError
from geminga.utils.units import parse_unit

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["FORMATS", "axes_from_bands", "axis_from_bands", "bands_columns", "number_header"]

# Formats whose table is the same, under another HDU name.
FORMATS = ("gadf", "fgst-ccube", "fgst-template", "fgst-bexpcube")

# Columns whose names do not follow <NAME>, <NAME>_MIN, <NAME>_MAX.
_SPECIAL = {"E_MIN": "energy", "THETA": "rad"}


def columns_of(name: str) -> tuple[str, str, str]:
    """Centre, lower and upper column of an axis."""
    if name == "energy":
        return "ENERGY", "E_MIN", "E_MAX"
    upper = name.upper()
    return upper, f"{upper}_MIN", f"{upper}_MAX"


def number_header(axis: Any, idx: int) -> list[tuple[str, Any, str]]:
    """Keywords of a `MapAxis`."""
    center, low, high = columns_of(axis.name)
    return [
        (f"AXCOLS{idx}", f"{low},{high}" if axis.node_type == "edges" else center, ""),
        (f"INTERP{idx}", axis.interp, ""),
    ]


def bands_columns(axes: Any) -> dict[str, Any]:
    """Columns of the table of several axes, ``CHANNEL`` first."""
    shape = tuple(axis.nbin for axis in axes)
    channel = np.arange(int(np.prod(shape, dtype=int)))
    out: dict[str, Any] = {"CHANNEL": channel}
    indices = np.unravel_index(channel, shape, order="F") if shape else ()
    for axis, idx in zip(axes, indices, strict=True):
        names = columns_of(axis.name)
        for name, values in zip(names, axis.bands_values(), strict=False):
            out[name] = values[idx]
    return out


def _column(table: Table, name: str) -> Any:
    for candidate in (name, name.upper(), name.lower()):
        if candidate in table.colnames:
            return table[candidate]
    msg = f"BANDS table has no column {name!r} which its AXCOLS name; it has {', '.join(table.colnames)}."
    raise FormatError(msg)


def _distinct(values: NDArray[Any]) -> NDArray[np.intp]:
    """Rows at which each distinct value comes first; numbers within 1e-10 are the same one."""
    if values.dtype.kind in "USO":
        return np.sort(np.unique(values, return_index=True)[1])
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    step = np.diff(ranked) > 1e-10 * np.maximum(np.abs(ranked[1:]), np.abs(ranked[:-1]))
    group = np.empty(len(values), dtype=int)
    group[order] = np.concatenate([[0], np.cumsum(step)])
    first = np.unique(group, return_index=True)[1]
    in_order = np.sort(first)
    moves = np.diff(values[in_order])
    # A table whose rows were shuffled says nothing about direction: take its bins in increasing order.
    return in_order if (moves > 0).all() or (moves < 0).all() else first


def _axis_name(first_column: str) -> str:
    upper = first_column.upper()
    return _SPECIAL.get(upper, upper.removesuffix("_MIN").lower())


def axis_from_bands(cls: Any, table: Table, idx: int = 1, **_: Any) -> Any:
    """Read axis number `idx` of a BANDS table; its kind follows from the columns.

    Raises
    ------
    FormatError
        If the keyword or a column is missing, or bins do not follow each other.
    """
    from geminga.maps.axes.label import LabelMapAxis
    from geminga.maps.axes.time import TimeMapAxis

    key = f"AXCOLS{idx}"
    if key not in table.meta:
        msg = f"BANDS table has no keyword {key} to say which columns are axis {idx}."
        raise FormatError(msg)
    names = [name.strip() for name in str(table.meta[key]).split(",")]
    name = _axis_name(names[0])
    interp = str(table.meta.get(f"INTERP{idx}", "lin")).strip()
    columns = [_column(table, column) for column in names]
    if columns[0].dtype.kind in "USO":
        labels = np.asarray(columns[0]).astype(str)
        return LabelMapAxis([label.rstrip() for label in labels[_distinct(labels)]], name=name)
    rows = _distinct(np.asarray(columns[0], dtype=float))
    values = [u.Quantity(np.asarray(c, dtype=float)[rows], parse_unit(c.unit or "", names[0])) for c in columns]
    if names[0].upper().endswith("TIME_MIN") and "MJDREFI" in table.meta:
        return TimeMapAxis.from_bands(values[0], values[1], table.meta, name, interp)
    from geminga.maps.axes.map import MapAxis

    cls = cls if isinstance(cls, type) and issubclass(cls, MapAxis) else MapAxis
    if len(values) == 1:
        return cls(values[0], interp=interp, name=name, node_type="center")
    from geminga.maps.axes.formats import contiguous_edges

    low, high = values
    return cls(contiguous_edges(low, high, name), interp=interp, name=name, node_type="edges")


def axes_from_bands(table: Table) -> list[Any]:
    """All axes of a BANDS table, in the order of their numbers.

    A table may number its axes from 0 or from 1.
    """
    start = 0 if "AXCOLS0" in table.meta else 1
    axes: list[Any] = []
    while f"AXCOLS{start + len(axes)}" in table.meta:
        axes.append(axis_from_bands(None, table, idx=start + len(axes)))
    return axes
