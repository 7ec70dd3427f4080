"""Redistribution matrices in OGIP format (George et al. 1992, CAL/GEN/92-002)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from numpy.typing import NDArray

from geminga.errors import FormatError
from geminga.maps import MapAxis
from geminga.utils.metadata import CreatorMetaData

__all__ = ["columns_of", "read_rmf", "rmf_from_columns", "rmf_hdus"]

Array = NDArray[np.float64]


#: Columns of a table by name in capitals: numbers, and the unit as it is written.
Columns = Mapping[str, tuple[Any, str]]


def _edges(columns: Columns, low: str, high: str, name: str) -> u.Quantity:
    if low not in columns or high not in columns:
        msg = f"HDU {name!r} lacks the columns {low} and {high}; it has {', '.join(columns)}."
        raise FormatError(msg)
    lows, highs = (np.asarray(columns[key][0], dtype=float) for key in (low, high))
    return u.Quantity(np.append(lows, highs[-1]), columns[low][1] or "keV")


def columns_of(hdu: Any) -> dict[str, tuple[Any, str]]:
    """Columns of an astropy HDU."""
    return {column.name.upper(): (hdu.data[column.name], column.unit or "") for column in hdu.columns}


def read_rmf(matrix: Any, ebounds: Any) -> tuple[Any, Any, Array]:
    """Axes of true and reconstructed energy, and the matrix, shape (n_true, n_reco), of two astropy HDUs.

    Raises
    ------
    FormatError
        If a column is missing, or a group lies outside the channels.
    """
    return rmf_from_columns(columns_of(matrix), columns_of(ebounds), matrix.header, matrix.name)


def rmf_from_columns(matrix: Columns, ebounds: Columns, header: Any, name: str) -> tuple[Any, Any, Array]:
    """Axes and matrix of columns, see `read_rmf`; `header` and `name` are those of the matrix."""
    true = MapAxis.from_energy_edges(_edges(matrix, "ENERG_LO", "ENERG_HI", name), name="energy_true")
    reco = MapAxis.from_energy_edges(_edges(ebounds, "E_MIN", "E_MAX", "EBOUNDS"), name="energy")
    missing = [key for key in ("N_GRP", "F_CHAN", "N_CHAN", "MATRIX") if key not in matrix]
    if missing:
        msg = f"HDU {name!r} lacks the columns {', '.join(missing)}; it has {', '.join(matrix)}."
        raise FormatError(msg)
    # Channels count from TLMINn of F_CHAN, else from the first entry of CHANNEL.
    key = f"TLMIN{list(matrix).index('F_CHAN') + 1}"
    first = int(header[key] if key in header else ebounds["CHANNEL"][0][0] if "CHANNEL" in ebounds else 0)
    out = np.zeros((true.nbin, reco.nbin))
    columns = [matrix[key][0] for key in ("MATRIX", "F_CHAN", "N_CHAN", "N_GRP")]
    for i, (row, f_chan, n_chan, n_grp) in enumerate(zip(*columns, strict=True)):
        values = np.atleast_1d(row)
        starts, lengths = np.atleast_1d(f_chan), np.atleast_1d(n_chan)
        used = 0
        for start, length in list(zip(starts, lengths, strict=False))[: int(n_grp)]:
            begin, n = int(start) - first, int(length)
            if n == 0:
                continue
            if begin < 0 or begin + n > reco.nbin or used + n > len(values):
                msg = f"HDU {name!r} row {i}: channels {start} to {start + n - 1} lie outside the {reco.nbin} of EBOUNDS."
                raise FormatError(msg)
            out[i, begin : begin + n] = values[used : used + n]
            used += n
    return true, reco, out


def _groups(row: Array) -> list[tuple[int, int]]:
    """First channel and length of each run of non-zero values."""
    flag = np.concatenate([[0], (row != 0).astype(int), [0]])
    change = np.flatnonzero(np.diff(flag))
    return list(zip(change[::2].tolist(), (change[1::2] - change[::2]).tolist(), strict=True))


def rmf_hdus(true: Any, reco: Any, data: Array, unit: Any) -> list[Any]:
    """HDUs MATRIX and EBOUNDS; energies in `unit`, in double precision."""
    hdus = [_matrix_hdu(true, data, unit), _ebounds_hdu(reco, unit)]
    for hdu in hdus:
        hdu.header.update({"DETCHANS": reco.nbin, **CreatorMetaData().to_header()})
    return hdus


def _limits(axis: Any, unit: Any, low: str, high: str) -> list[fits.Column]:
    """Columns of the lower and upper edges of an axis."""
    name, edges = u.Unit(unit).to_string("fits"), axis.edges.to_value(unit)
    return [fits.Column(low, "D", unit=name, array=edges[:-1]), fits.Column(high, "D", unit=name, array=edges[1:])]


def _objects(rows: list[Any]) -> NDArray[Any]:
    """Arrays of different lengths, as a column of variable length takes them."""
    out = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        out[i] = row
    return out


def _matrix_hdu(true: Any, data: Array, unit: Any) -> fits.BinTableHDU:
    groups = [_groups(row) or [(0, 0)] for row in data]
    starts, lengths = ([np.array([group[i] for group in own], dtype=np.int16) for own in groups] for i in (0, 1))
    values = [
        np.concatenate([row[first : first + n] for first, n in own]) if own[0][1] else np.zeros(1)
        for row, own in zip(data, groups, strict=True)
    ]
    columns = [
        *_limits(true, unit, "ENERG_LO", "ENERG_HI"),
        fits.Column("N_GRP", "I", array=np.array([len(own) for own in groups])),
        fits.Column("F_CHAN", "PI()", array=_objects(starts)),
        fits.Column("N_CHAN", "PI()", array=_objects(lengths)),
        fits.Column("MATRIX", "PD()", array=_objects(values)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="MATRIX")
    hdu.header.update({"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "RSP_MATRIX", "HDUVERS": "1.3.0"})
    numbers = {"NUMGRP": sum(len(own) for own in groups), "NUMELT": int(np.count_nonzero(data)), "TLMIN4": 0}
    hdu.header.update({"CHANTYPE": "PHA", **numbers})
    return hdu


def _ebounds_hdu(reco: Any, unit: Any) -> fits.BinTableHDU:
    columns = [fits.Column("CHANNEL", "I", array=np.arange(reco.nbin)), *_limits(reco, unit, "E_MIN", "E_MAX")]
    hdu = fits.BinTableHDU.from_columns(columns, name="EBOUNDS")
    hdu.header.update({"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "EBOUNDS", "HDUVERS": "1.2.0"})
    return hdu
