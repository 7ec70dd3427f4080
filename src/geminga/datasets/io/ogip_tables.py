"""Tables of OGIP files as arrays.

What the standards (OGIP/92-007, CAL/GEN/92-002) leave open is read in all its forms: BACKSCAL, AREASCAL, QUALITY and GROUPING
as columns or keywords; QUALITY as integers (0 is good) or logicals (true is bad); channels counted from any number; counts or
rates; energies in the PHA file or only in the RMF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.data import GTI
from geminga.data.io.gti import gti_from_table
from geminga.errors import FormatError, UnsupportedError
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.maps.geom.region_io import read_region_hdu
from geminga.utils.fits_tables import FitsTable, FitsTables
from geminga.utils.units import parse_unit

__all__ = [
    "ENERGY_RTOL",
    "Spectrum",
    "check_energies",
    "columns_of",
    "energy_edges",
    "find_table",
    "read_column",
    "read_spectrum",
    "read_unit",
]

Array = NDArray[np.float64]

#: Energies of the files of one spectrum are the same to this; some are stored in single precision.
ENERGY_RTOL = 1e-5


@dataclass(frozen=True)
class Spectrum:
    """One SPECTRUM table: numbers for each channel, ordered by channel."""

    where: str
    header: Any
    counts: NDArray[Any]
    backscal: Array
    areascal: Array
    is_good: NDArray[np.bool_]
    grouping: NDArray[Any]
    edges: u.Quantity | None  # None: only the RMF knows the energies
    region: Any
    gti: Any

    @property
    def exposure(self) -> float:
        """Exposure (live time) in s, 0 if the file does not say."""
        return float(self.header.get("EXPOSURE") or 0.0)

    def to_map(self, data: Any, axis: Any = None) -> RegionNDMap:
        """Numbers as a map in energy."""
        region, wcs = self.region
        if axis is None:
            if self.edges is None:
                msg = f"{self.where} has no HDU EBOUNDS, so its energies are not known."
                raise FormatError(msg)
            axis = MapAxis.from_energy_edges(self.edges, name="energy")
        geom = RegionGeom(region, axes=[axis], wcs=wcs)
        return RegionNDMap(geom, data=np.array(data).reshape(geom.data_shape))


def find_table(tables: FitsTables, where: str, names: tuple[str, ...], kind: str) -> FitsTable:
    """Table by name, or by its OGIP class."""
    for name in names:
        if name in tables:
            return tables[name]
    found = [t for t in tables if kind in {str(t.header.get(f"HDUCLAS{i}", "")).strip() for i in (1, 2)}]
    if not found:
        msg = f"{where} has no HDU {names[0]}; it has {', '.join(tables.names)}."
        raise FormatError(msg)
    return found[0]


def read_column(table: FitsTable, name: str) -> Any:
    """Column by name in any case, ``None`` if there is none."""
    known = {n.upper(): n for n in table.names}
    return table.values(known[name]) if name in known else None


def read_unit(table: FitsTable, name: str, default: str) -> str:
    """Unit of a column by name in any case."""
    return dict(zip((n.upper() for n in table.names), table.units, strict=True)).get(name) or default


def columns_of(table: FitsTable) -> dict[str, tuple[Any, str]]:
    """All columns by name in capitals: numbers and unit."""
    return {name.upper(): (table.values(name), table.unit(name)) for name in table.names}


def _column_or_keyword(hdu: FitsTable, name: str, default: float, where: str) -> Any:
    """Values of a column, or the keyword or default for all channels."""
    column = read_column(hdu, name)
    if column is not None:
        return column
    value = hdu.header.get(name, default)
    try:
        return np.full(len(hdu), float(value))
    except (TypeError, ValueError) as error:
        msg = f"{where}: keyword {name} is {value!r}; expected a number."
        raise FormatError(msg) from error


def energy_edges(hdu: FitsTable, low: str, high: str, where: str) -> u.Quantity:
    """Bin edges in energy, in keV if the columns have no unit."""
    lows, highs = read_column(hdu, low), read_column(hdu, high)
    if lows is None or highs is None:
        msg = f"{where}: HDU {hdu.name} has no columns {low} and {high}; it has {', '.join(hdu.names)}."
        raise FormatError(msg)
    unit = read_unit(hdu, low, "keV")
    lows, highs = lows.astype(float), highs.astype(float)
    if not np.allclose(highs[:-1], lows[1:], rtol=ENERGY_RTOL, atol=0):
        msg = f"{where}: energy bins of HDU {hdu.name} do not follow each other; bins with gaps are not offered."
        raise FormatError(msg)
    # A first edge of zero cannot stand on a logarithmic axis.
    lows[0] = lows[0] or 1e-3 * highs[0]
    return u.Quantity(np.append(lows, highs[-1]), parse_unit(unit, where))


def _counts(hdu: FitsTable, where: str) -> NDArray[Any]:
    counts = read_column(hdu, "COUNTS")
    if counts is None:
        rate = read_column(hdu, "RATE")
        if rate is None:
            msg = f"{where} has neither a column COUNTS nor RATE; it has {', '.join(hdu.names)}."
            raise FormatError(msg)
        counts = rate * float(hdu.header.get("EXPOSURE") or 0.0)
        whole = np.rint(counts)
        counts = np.where(np.isclose(counts, whole, atol=1e-3), whole, counts)
    if counts.ndim > 1:
        msg = f"{where} holds several spectra (PHA type II); write each to a file of its own."
        raise UnsupportedError(msg)
    return np.asarray(counts)


def read_spectrum(tables: FitsTables, where: str) -> Spectrum:
    """Read a SPECTRUM table, and energies, region and time intervals if they are there.

    Parameters
    ----------
    tables : FitsTables
        PHA or BKG file.
    where : str
        Name of the file, for messages.

    Raises
    ------
    FormatError
        If counts or other columns are missing or do not fit together.
    """
    hdu = find_table(tables, where, ("SPECTRUM",), "SPECTRUM")
    counts = _counts(hdu, where)
    channel = read_column(hdu, "CHANNEL")
    order = np.arange(len(counts)) if channel is None else np.argsort(channel, kind="stable")
    quality = _column_or_keyword(hdu, "QUALITY", 0, where)
    edges = None
    if "EBOUNDS" in tables:
        edges = energy_edges(tables["EBOUNDS"], "E_MIN", "E_MAX", where)
        if len(edges) != len(counts) + 1:
            msg = f"{where}: SPECTRUM has {len(counts)} channels, EBOUNDS {len(edges) - 1}."
            raise FormatError(msg)
    return Spectrum(
        where=where,
        header=hdu.header,
        counts=counts[order],
        backscal=np.asarray(_column_or_keyword(hdu, "BACKSCAL", 1, where)[order], dtype=float),
        areascal=np.asarray(_column_or_keyword(hdu, "AREASCAL", 1, where)[order], dtype=float),
        is_good=np.asarray(quality[order]) == 0,
        grouping=np.asarray(_column_or_keyword(hdu, "GROUPING", 0, where)[order], dtype=int),
        edges=edges,
        region=read_region_hdu(tables["REGION"].to_hdu()) if "REGION" in tables else (None, None),
        gti=gti_from_table(GTI, tables["GTI"], where.removeprefix("File ")) if "GTI" in tables else None,
    )


def check_energies(own: Any, other: Any, where: str, what: str, whose: str) -> None:
    """Raise `FormatError` if two sets of bin edges differ."""
    if len(own) != len(other) or not np.allclose(own.to_value(other.unit), other.value, rtol=ENERGY_RTOL, atol=0):
        msg = (
            f"{where}: its {what} ({len(own) - 1} bins, {own[0]:.4g} to {own[-1]:.4g}) are not those {whose} "
            f"({len(other) - 1} bins, {other[0]:.4g} to {other[-1]:.4g})."
        )
        raise FormatError(msg)
