"""Response functions as one-row tables (GADF 0.3).

Each axis is a pair of vectors ``<PREFIX>_LO`` and ``<PREFIX>_HI``, the data one cell with the axes in reversed (FITS) order.
What a table holds is said by ``HDUCLAS2`` and ``HDUCLAS4``; `irf_kind` reads them, tolerating old spellings.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from geminga.errors import FormatError, UnitError
from geminga.maps import MapAxis
from geminga.utils.metadata import CreatorMetaData
from geminga.utils.units import parse_unit

__all__ = ["COMMON_IRF_HEADERS", "KINDS", "IRFKind", "check_format", "irf_from_table", "irf_kind", "irf_to_hdu", "irf_to_table"]


class IRFKind(NamedTuple):
    """How a kind of response stands in a file: its type (aeff, edisp, psf, bkg, rad_max), HDU, class and column of the data."""

    type: str
    extname: str
    hduclas2: str
    columns: tuple[str, ...]


#: Kinds by tag, which is ``HDUCLAS4`` in lower case; of several columns for one quantity the first is written.
KINDS: Mapping[str, IRFKind] = MappingProxyType(
    {
        "aeff_2d": IRFKind("aeff", "EFFECTIVE AREA", "EFF_AREA", ("EFFAREA",)),
        "edisp_2d": IRFKind("edisp", "ENERGY DISPERSION", "EDISP", ("MATRIX",)),
        "psf_table": IRFKind("psf", "PSF_2D_TABLE", "RPSF", ("RPSF",)),
        "psf_3gauss": IRFKind("psf", "PSF_2D_GAUSS", "RPSF", ("SCALE",)),
        "psf_king": IRFKind("psf", "PSF_2D_KING", "RPSF", ("GAMMA",)),
        "bkg_2d": IRFKind("bkg", "BACKGROUND", "BKG", ("BKG", "BGD")),
        "bkg_3d": IRFKind("bkg", "BACKGROUND", "BKG", ("BKG", "BGD")),
        "rad_max_2d": IRFKind("rad_max", "RAD_MAX", "RAD_MAX", ("RAD_MAX",)),
    }
)

#: Keywords of all tables of response functions.
COMMON_IRF_HEADERS = {
    "HDUCLASS": "GADF",
    "HDUDOC": "https://gamma-astro-data-formats.readthedocs.io",
    "HDUVERS": "0.3",
    "HDUCLAS1": "RESPONSE",
}

# HDUCLAS2 to type; PSF is an old spelling.
_TYPES = {"EFF_AREA": "aeff", "EDISP": "edisp", "RPSF": "psf", "PSF": "psf", "BKG": "bkg", "RAD_MAX": "rad_max"}

# Prefixes of the columns of an axis: the one written, and others that are read.
_PREFIXES = {
    "energy": ("ENERG",),
    "energy_true": ("ENERG", "ETRUE"),
    "offset": ("THETA",),
    "rad": ("RAD",),
    "migra": ("MIGRA",),
    "fov_lon": ("DETX",),
    "fov_lat": ("DETY",),
}
_UNITS = {"energy": "TeV", "energy_true": "TeV", "migra": "", **dict.fromkeys(("offset", "rad", "fov_lon", "fov_lat"), "deg")}

# Keywords that describe the table that was read, and are written anew.
_STRUCTURE = ("EXTNAME", "EXTVER", "CHECKSUM", "DATASUM", "QUICKSUM", "CREF", "TDIM", "TTYPE", "TFORM", "TUNIT")


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


def irf_kind(header: Any) -> tuple[str, str] | None:
    """Type and tag of the response in a table by its header, such as ``("psf", "psf_3gauss")``; None if it holds none.

    Old files give ``HDUCLAS4`` without the type ("2D", "3GAUSS"); files without classes are known by their HDU name.
    """
    if str(header.get("HDUCLAS1", "")).strip().upper() == "RESPONSE":
        kind = _TYPES.get(str(header.get("HDUCLAS2", "")).strip().upper())
        tag = str(header.get("HDUCLAS4", "")).strip().lower()
        for candidate in (tag, f"{kind}_{tag}"):
            if candidate in KINDS and KINDS[candidate].type == kind:
                return KINDS[candidate].type, candidate
        return None
    name = str(header.get("EXTNAME", "")).strip().upper()
    tags = [tag for tag, one in KINDS.items() if one.extname == name and one.type != "bkg"]
    return (KINDS[tags[0]].type, tags[0]) if tags else None


def find_hdu(hdulist: Any, tag: str) -> int | None:
    """Number of the HDU with a response of this kind, else of the first table."""
    tables = range(1, len(hdulist))
    own = (i for i in tables if (irf_kind(hdulist[i].header) or ("", ""))[1] == tag)
    return next(own, next(iter(tables), None))


def read_table(hdu: Any, name: str) -> Table:
    """Table of an HDU.

    Raises
    ------
    FormatError
        If it is not a table with a row.
    """
    if not isinstance(hdu, fits.BinTableHDU) or len(hdu.data) == 0:
        msg = f"{name}: HDU {hdu.name!r} is no binary table with a row."
        raise FormatError(msg)
    with warnings.catch_warnings():
        # Units in old spellings are parsed later, see `utils.units.parse_unit`.
        warnings.simplefilter("ignore", u.UnitsWarning)
        return Table.read(hdu, format="fits", mask_invalid=False)


def read_axis(table: Any, name: str) -> Any:
    """Axis of a table.

    Raises
    ------
    FormatError
        If a column is missing or has no numbers.
    UnitError
        If it has the wrong unit.
    """
    known = _PREFIXES.get(name, (name.upper(),))
    prefix = next((p for p in known if f"{p}_LO" in table.colnames), known[0])
    missing = [c for c in (f"{prefix}_LO", f"{prefix}_HI") if c not in table.colnames]
    if missing:
        msg = f"IRF table lacks the columns {missing} of axis {name!r}; it has {table.colnames}."
        raise FormatError(msg)
    low, high = (np.asarray(table[column], dtype=float).ravel() for column in (f"{prefix}_LO", f"{prefix}_HI"))
    for column, values in ((f"{prefix}_LO", low), (f"{prefix}_HI", high)):
        if not np.isfinite(values).all():
            msg = f"IRF table: column {column} of axis {name!r} holds NaN or infinity."
            raise FormatError(msg)
    units = tuple(str(table[f"{prefix}_{end}"].unit or "") for end in ("LO", "HI"))
    return _axis(name, prefix, units, low.tobytes(), high.tobytes())


@functools.lru_cache(maxsize=256)
def _axis(name: str, prefix: str, units: tuple[str, ...], low: bytes, high: bytes) -> Any:
    """Axis of columns; all observations of an array share theirs, which do not change.

    Raises
    ------
    UnitError
        If the unit is wrong.
    """
    ends = zip(("LO", "HI"), (low, high), units, strict=True)
    columns = [(f"{prefix}_{end}", np.frombuffer(values), unit) for end, values, unit in ends]
    table = Table({column: u.Quantity([values], parse_unit(unit, column)) for column, values, unit in columns})
    axis = MapAxis.from_table(table, format="gadf-dl3", column_prefix=prefix)
    if not axis.unit.is_equivalent(_UNITS.get(name, axis.unit)):
        msg = f"IRF table: axis {name!r} (columns {prefix}_LO and _HI) has unit '{axis.unit}', expected '{_UNITS[name]}'."
        raise UnitError(msg)
    return axis.copy(name=name)


def read_column(table: Any, column: str, axes: list[Any]) -> tuple[NDArray[Any], str]:
    """Numbers of a column in the order of the axes, and its unit as written.

    Raises
    ------
    FormatError
        If axes and data do not fit.
    """
    if column not in table.colnames:
        msg = f"IRF table has no column {column!r}; its columns are {table.colnames}."
        raise FormatError(msg)
    data = np.asarray(table[column][0])
    data = np.array(data, dtype=data.dtype.newbyteorder("="))
    shape = tuple(axis.nbin for axis in axes)
    if data.size != int(np.prod(shape)):
        msg = f"IRF column {column!r} has {data.size} values, the axes {[a.name for a in axes]} ask for {shape}."
        raise FormatError(msg)
    if _is_reversed(table, column, axes, data.shape):
        data = data.T
    return data.reshape(shape), str(table[column].unit or "")


def _is_reversed(table: Any, column: str, axes: list[Any], found: tuple[int, ...]) -> bool:
    """Whether a cell has the axes in FITS order, as the standard says; some backgrounds have energy last."""
    shape = tuple(axis.nbin for axis in axes)
    if found == shape[::-1] and found != shape:
        return True
    if found != shape:
        return len(found) != len(shape)  # axes of length one may be missing
    reference = str(table.meta.get(f"CREF{table.colnames.index(column) + 1}", ""))
    order = reference.strip("() ").split(",") if reference else table.colnames
    first = next((name for name in order if name.split(":")[0].endswith("_LO")), "")
    return not first or first.startswith(_PREFIXES.get(axes[0].name, (axes[0].name.upper(),)))


def data_column(cls: Any, table: Any) -> str:
    """Name of the column with the data."""
    known = KINDS[cls.tag].columns if cls.tag in KINDS else ()
    found = next((c for c in known if c in table.colnames), None)
    if found is None and not known:
        found = next((c for c in table.colnames if not c.endswith(("_LO", "_HI"))), None)
    if found is None:
        wanted = f" {' or '.join(known)}" if known else ""
        msg = f"{cls.__name__}: the table has no column{wanted} with data; its columns are {table.colnames}."
        raise FormatError(msg)
    return found


def irf_from_table(cls: Any, table: Any) -> Any:
    """Response function of class `cls` from its table.

    Raises
    ------
    FormatError
        If a column is missing, or axes and data do not fit.
    UnitError
        If the unit is not one of this kind of response.
    """
    axes = [read_axis(table, name) for name in cls.required_axes]
    column = data_column(cls, table)
    data, unit = read_column(table, column, axes)
    return cls(axes=axes, data=data, unit=cls.read_unit(unit, column), **state_from_table(table))


def state_from_table(table: Any) -> dict[str, Any]:
    """What the header of a table says: arguments ``is_pointlike``, ``fov_alignment``, ``meta`` of a response."""
    meta = dict(table.meta)
    alignment = str(meta.get("FOVALIGN", "RADEC")).strip().upper()
    if alignment not in {"RADEC", "ALTAZ", "REVERSE_LON_RADEC"}:
        msg = f"IRF table: keyword FOVALIGN is {alignment!r}; expected RADEC or ALTAZ."
        raise FormatError(msg)
    return {
        "is_pointlike": str(meta.get("HDUCLAS3", "")).strip() == "POINT-LIKE",
        "fov_alignment": alignment,
        "meta": meta,
    }


def empty_table(irf: Any) -> Table:
    """Table with the axes and the header of a response, still without data."""
    table = Table()
    for axis in irf.axes:
        prefix = _PREFIXES.get(axis.name, (axis.name.upper(),))[0]
        low, high = (axis.edges[:-1], axis.edges[1:]) if axis.node_type == "edges" else (axis.center, axis.center)
        table[f"{prefix}_LO"] = u.Quantity(low)[np.newaxis]
        table[f"{prefix}_HI"] = u.Quantity(high)[np.newaxis]
    table.meta.update({key: value for key, value in irf.meta.items() if not key.startswith(_STRUCTURE)})
    table.meta.update(_header(irf))
    return table


def add_column(table: Table, irf: Any, column: str, data: Any, unit: Any) -> None:
    """Append a cell with the axes in FITS order."""
    table[column] = u.Quantity(np.asarray(data).T[np.newaxis], unit, dtype=None)
    pairs = [name for name in table.colnames if name.endswith(("_LO", "_HI"))]
    order = ",".join(f"{low}:{high}" for low, high in zip(pairs[::2], pairs[1::2], strict=True))
    if len(order) <= 66:
        table.meta[f"CREF{len(table.colnames)}"] = f"({order})"


def class_keywords(tag: str, is_pointlike: bool) -> dict[str, str]:
    """Keywords that say what a table holds, by the tag of the response."""
    kind = KINDS[tag]
    extent = "POINT-LIKE" if is_pointlike or kind.type == "rad_max" else "FULL-ENCLOSURE"
    return COMMON_IRF_HEADERS | {"HDUCLAS2": kind.hduclas2, "HDUCLAS3": extent, "HDUCLAS4": tag.upper()}


def _header(irf: Any) -> dict[str, Any]:
    header: dict[str, Any] = {"HDUCLAS3": "POINT-LIKE" if irf.is_pointlike else "FULL-ENCLOSURE"}
    kind = KINDS.get(irf.tag)
    if kind is None:
        return header
    header |= class_keywords(irf.tag, irf.is_pointlike)
    if kind.type == "bkg":
        header["FOVALIGN"] = irf.fov_alignment.value
    return header


def irf_to_table(irf: Any) -> Table:
    """Table with one row."""
    table = empty_table(irf)
    column = KINDS[irf.tag].columns[0] if irf.tag in KINDS else "DATA"
    add_column(table, irf, column, irf.data, irf.unit)
    return table


def irf_to_hdu(irf: Any) -> fits.BinTableHDU:
    """Table HDU named after the kind of response function."""
    name = KINDS[irf.tag].extname if irf.tag in KINDS else (irf.tag or "IRF").upper()
    hdu = fits.BinTableHDU(irf.to_table(), name=name)
    hdu.header.update(CreatorMetaData().to_header())
    return hdu
