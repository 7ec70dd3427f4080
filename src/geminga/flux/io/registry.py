"""Layouts of flux tables.

All layouts are one: a row for each bin of the slowest axis, cells with the further axes. They differ in the columns of the axes,
and each registers here what these are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from geminga.errors import FormatError, GeometryError

__all__ = ["TABLE_FORMATS", "TableFormat", "format_of_geom", "format_of_table", "get_format"]


@dataclass(frozen=True)
class TableFormat:
    """A layout.

    Attributes
    ----------
    name : str
        Name of the format.
    marker : str
        Column by which a table of this layout is known.
    axes : tuple of str
        Names of the axes of the fluxes that fit, energy first.
    columns : callable
        Takes the geometry; returns the columns of the axes.
    meta : callable
        Takes the geometry; returns keywords.
    read_axes : callable or None
        Takes the table; returns the axes; None for a layout that is only written.
    squeeze : bool
        Whether axes of one bin are left out of the cells.
    """

    name: str
    marker: str
    axes: tuple[str, ...]
    columns: Callable[[Any], dict[str, Any]]
    meta: Callable[[Any], dict[str, Any]]
    read_axes: Callable[[Any], list[Any]] | None
    squeeze: bool = False

    def fits(self, geom: Any) -> bool:
        """Whether fluxes on a geometry can be written so."""
        names = geom.axes.names
        if self.squeeze:
            return self.axes[-1] in names and all(axis.nbin == 1 for axis in geom.axes if axis.name != self.axes[-1])
        return tuple(names) == self.axes

    def require(self, geom: Any) -> None:
        """Refuse a geometry that does not fit; raises `GeometryError`."""
        if not self.fits(geom):
            shape = dict(zip(geom.axes.names, geom.axes.shape, strict=True))
            msg = f"Flux points with the axes {shape} cannot be written as {self.name!r}, which has the axes {self.axes}"
            msg += " with one energy bin." if self.squeeze else "."
            raise GeometryError(msg)


#: Layouts by name.
TABLE_FORMATS: dict[str, TableFormat] = {}


def get_format(name: str) -> TableFormat:
    """Layout by name.

    Raises
    ------
    FormatError
        If there is none.
    """
    if name not in TABLE_FORMATS:
        msg = f"Flux table format {name!r} is not known; expected one of {', '.join(TABLE_FORMATS)}."
        raise FormatError(msg)
    return TABLE_FORMATS[name]


def format_of_table(names: Collection[str]) -> TableFormat:
    """Layout of a table with these columns.

    Raises
    ------
    FormatError
        If it has the columns of none.
    """
    # Light curves and profiles have energies too.
    for record in sorted(TABLE_FORMATS.values(), key=lambda one: -len(one.axes)):
        if record.marker in names:
            return record
    if "e_min" in names and "e_max" in names:
        return TABLE_FORMATS["gadf-sed"]
    msg = f"Table has the columns {', '.join(names)}; flux tables have e_ref, or e_min and e_max, time_min or x_ref."
    raise FormatError(msg)


def format_of_geom(geom: Any) -> TableFormat:
    """Layout for fluxes on a geometry.

    Raises
    ------
    GeometryError
        If none fits.
    """
    for record in TABLE_FORMATS.values():
        if record.read_axes is not None and record.fits(geom):
            return record
    msg = f"Flux points with the axes {geom.axes.names} fit no table format; expected energy, and perhaps time or distance."
    raise GeometryError(msg)
