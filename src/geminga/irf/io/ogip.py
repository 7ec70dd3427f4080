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
    groups = [_groups(row) or [(0, 0)] for row in data]
    starts = np.empty(len(data), dtype=object)
    lengths = np.empty(len(data), dtype=object)
    values = np.empty(len(data), dtype=object)
    for i, own in enumerate(groups):
        starts[i] = np.array([g[0] for g in own], dtype=np.int16)
        lengths[i] = np.array([g[1] for g in own], dtype=np.int16)
        values[i] = np.concatenate([data[i, a : a + n] for a, n in own]) if own[0][1] else np.zeros(1)
    name = u.Unit(unit).to_string("fits")
    edges = true.edges.to_value(unit)
    columns = [
        fits.Column("ENERG_LO", "D", unit=name, array=edges[:-1]),
        fits.Column("ENERG_HI", "D", unit=name, array=edges[1:]),
        fits.Column("N_GRP", "I", array=np.array([len(g) for g in groups])),
        fits.Column("F_CHAN", "PI()", array=starts),
        fits.Column("N_CHAN", "PI()", array=lengths),
        fits.Column("MATRIX", "PD()", array=values),
    ]
    matrix = fits.BinTableHDU.from_columns(columns, name="MATRIX")
    matrix.header.update(
        {
            "HDUCLASS": "OGIP",
            "HDUCLAS1": "RESPONSE",
            "HDUCLAS2": "RSP_MATRIX",
            "HDUVERS": "1.3.0",
            "CHANTYPE": "PHA",
            "DETCHANS": reco.nbin,
            "NUMGRP": sum(len(g) for g in groups),
            "NUMELT": int(np.count_nonzero(data)),
            "TLMIN4": 0,
        }
    )
    limits = reco.edges.to_value(unit)
    ebounds = fits.BinTableHDU.from_columns(
        [
            fits.Column("CHANNEL", "I", array=np.arange(reco.nbin)),
            fits.Column("E_MIN", "D", unit=name, array=limits[:-1]),
            fits.Column("E_MAX", "D", unit=name, array=limits[1:]),
        ],
        name="EBOUNDS",
    )
    ebounds.header.update(
        {"HDUCLASS": "OGIP", "HDUCLAS1": "RESPONSE", "HDUCLAS2": "EBOUNDS", "HDUVERS": "1.2.0", "DETCHANS": reco.nbin}
    )
    for hdu in (matrix, ebounds):
        hdu.header.update(CreatorMetaData().to_header())
    return [matrix, ebounds]
