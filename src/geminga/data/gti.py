"""Good time intervals.

Starts and stops are kept as elapsed seconds from a reference time, so differences are exact; absolute times are made
when asked for.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import DataError, FormatError, InputError, NameLookupError
from geminga.utils.files import read_fits, write_fits
from geminga.utils.metadata import CreatorMetaData, MetaData
from geminga.utils.time import time_ref_from_dict, time_ref_to_dict
from geminga.utils.units import as_quantity

__all__ = ["GTI", "GTIMetaData"]

Array = NDArray[np.float64]

TIME_REF_DEFAULT = "2000-01-01"


class GTIMetaData(MetaData):
    """Meta data of a GTI table.

    Parameters
    ----------
    reference_time : Time, optional
        Reference of the elapsed times.
    creation : CreatorMetaData, optional
        Who made it, and when.
    """

    _tag = "gti"

    def __init__(self, reference_time: Time | None = None, creation: Any = None) -> None:
        self.reference_time, self.creation = reference_time, creation

    def to_yaml(self) -> str:
        """YAML text of the record."""
        return f"gti:\n    reference_time: {None if self.reference_time is None else self.reference_time.iso}\n"

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> GTIMetaData:
        """Read from a FITS header."""
        return cls(time_ref_from_dict(header), CreatorMetaData.from_header(header))

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """Keywords of a FITS header."""
        out = {} if self.reference_time is None else time_ref_to_dict(self.reference_time, self.reference_time.scale)
        return out if self.creation is None else {**out, **self.creation.to_header()}


def _default_reference() -> Time:
    return Time(TIME_REF_DEFAULT, format="isot", scale="tt")


class GTI:
    """Good time intervals.

    Parameters
    ----------
    table : Table
        Columns ``START`` and ``STOP``: seconds since the reference time (or Time).
    reference_time : Time, optional
        Reference; 2000-01-01 TT if neither this nor the table's meta data give one.

    Raises
    ------
    FormatError
        If a column is missing.
    DataError
        If a time is NaN, or an interval stops before it starts.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.data import GTI
    >>> GTI.create([0, 100] * u.s, [50, 200] * u.s).time_sum
    <Quantity 150. s>
    """

    def __init__(self, table: Table, reference_time: Time | str | None = None) -> None:
        missing = [name for name in ("START", "STOP") if name not in table.colnames]
        if missing:
            msg = f"GTI table has columns {table.colnames}; {' and '.join(missing)} missing."
            raise FormatError(msg)
        if reference_time is None:
            has_ref = "MJDREFI" in table.meta or "MJDREF" in table.meta
            reference_time = time_ref_from_dict(table.meta) if has_ref else _default_reference()
        elif not isinstance(reference_time, Time):
            reference_time = Time(reference_time, scale="tt")
        self._reference = reference_time
        start, stop = (self._seconds(table[name]) for name in ("START", "STOP"))
        bad = ~np.isfinite(start) | ~np.isfinite(stop)
        if bad.any():
            msg = f"GTI row {int(np.flatnonzero(bad)[0])} has a START or STOP which is not finite; remove the row."
            raise DataError(msg)
        reverse = stop < start
        if reverse.any():
            row = int(np.flatnonzero(reverse)[0])
            msg = f"GTI row {row} stops at {stop[row]} s before it starts at {start[row]} s; exchange them or remove the row."
            raise DataError(msg)
        self.table = Table({"START": u.Quantity(start, "s"), "STOP": u.Quantity(stop, "s")}, meta=dict(table.meta))

    def _seconds(self, column: Any) -> Array:
        if isinstance(column, Time):
            return np.atleast_1d(np.asarray((column - self._reference).sec, dtype=float))
        unit = getattr(column, "unit", None) or "s"
        return np.atleast_1d(np.asarray(u.Quantity(np.asarray(column), unit).to_value("s"), dtype=float))

    # ---- making ----------------------------------------------------------------------------

    @classmethod
    def create(cls, start: Any, stop: Any, reference_time: Time | str | None = None) -> GTI:
        """Make it from starts and stops, as durations since the reference time or as Time.

        Parameters
        ----------
        start, stop : Quantity or Time
            Limits, scalar or array.
        reference_time : Time or str, optional
            Reference, default 2000-01-01 TT.

        Raises
        ------
        InputError
            If their lengths differ.
        """
        if reference_time is None:
            reference = _default_reference()
        else:
            reference = Time(reference_time) if isinstance(reference_time, Time) else Time(reference_time, scale="tt")
        columns = []
        for name, value in (("start", start), ("stop", stop)):
            if isinstance(value, Time):
                columns.append(np.atleast_1d((value - reference).sec))
            else:
                columns.append(np.atleast_1d(as_quantity(value, "s", f"GTI {name}").value))
        if columns[0].shape != columns[1].shape:
            msg = f"GTI: {len(columns[0])} starts but {len(columns[1])} stops; give one stop for each start."
            raise InputError(msg)
        table = Table({"START": u.Quantity(columns[0], "s"), "STOP": u.Quantity(columns[1], "s")})
        return cls(table, reference)

    @classmethod
    def from_time_intervals(cls, time_intervals: Sequence[Any], reference_time: Time | None = None) -> GTI:
        """Make it from pairs of Time."""
        if len(time_intervals) == 0:
            return cls.create([] * u.s, [] * u.s, reference_time)
        start = Time([Time(pair[0]) for pair in time_intervals])
        stop = Time([Time(pair[1]) for pair in time_intervals])
        return cls.create(start, stop, reference_time)

    @classmethod
    def from_stack(cls, gtis: Sequence[GTI], **kwargs: Any) -> GTI:
        """Join several; elapsed times refer to the first's reference time.

        Raises
        ------
        InputError
            If there is none.
        """
        if not gtis:
            msg = "GTI.from_stack got no GTI; give at least one."
            raise InputError(msg)
        reference = gtis[0].time_ref
        shifts = [float((g.time_ref - reference).sec) for g in gtis]
        start = np.concatenate([g.table["START"].quantity.value + shift for g, shift in zip(gtis, shifts, strict=True)])
        stop = np.concatenate([g.table["STOP"].quantity.value + shift for g, shift in zip(gtis, shifts, strict=True)])
        return cls.create(start * u.s, stop * u.s, reference)

    def copy(self) -> GTI:
        """Independent copy."""
        return copy.deepcopy(self)

    def _like(self, start: Array, stop: Array) -> GTI:
        return type(self).create(start * u.s, stop * u.s, self.time_ref)

    # ---- files -----------------------------------------------------------------------------

    @classmethod
    def read(cls, filename: str | Path, hdu: str = "GTI", format: str = "gadf", checksum: bool = False) -> GTI:
        """Read from a FITS file.

        Raises
        ------
        FileError, CorruptFileError
            If the file cannot be read.
        NameLookupError
            If there is no such HDU.
        """
        hdulist = read_fits(filename, checksum=checksum)
        if hdu not in hdulist:
            msg = f"File {filename} has no HDU {hdu!r}; it has {', '.join(h.name for h in hdulist)}."
            raise NameLookupError(msg)
        return cls.from_table_hdu(hdulist[hdu], format=format)

    @classmethod
    def from_table_hdu(cls, table_hdu: fits.BinTableHDU, format: str = "gadf") -> GTI:
        """Read from an HDU (see `formats`: START and STOP in TIMEUNIT since MJDREFI + MJDREFF)."""
        _check_format(format)
        header, data = table_hdu.header, table_hdu.data
        names = [] if data is None else [name.upper() for name in data.names]
        missing = [name for name in ("START", "STOP") if name not in names]
        if missing:
            msg = f"HDU {table_hdu.name!r} is not a GTI table: column {' and '.join(missing)} missing, it has {names}."
            raise FormatError(msg)
        columns = {}
        for name in ("START", "STOP"):
            column = table_hdu.columns[names.index(name)]
            unit = column.unit or str(header.get("TIMEUNIT", "s")).strip() or "s"
            columns[name] = u.Quantity(np.asarray(data[column.name], dtype=float), unit).to("s")
        meta = {key: header[key] for key in ("MJDREFI", "MJDREFF", "MJDREF", "TIMESYS") if key in header}
        return cls(Table(columns, meta=meta), None if meta else _default_reference())

    def to_table_hdu(self, format: str = "gadf") -> fits.BinTableHDU:
        """HDU named ``GTI``, with the reference time in its header."""
        _check_format(format)
        table = Table({name: self.table[name].quantity for name in ("START", "STOP")})
        hdu = fits.BinTableHDU(table, name="GTI")
        hdu.header.update(time_ref_to_dict(self.time_ref, self.time_ref.scale))
        hdu.header["TIMEUNIT"] = "s"
        hdu.header.update(CreatorMetaData().to_header())
        return hdu

    def write(self, filename: str | Path, **kwargs: Any) -> None:
        """Write to a FITS file; ``overwrite`` and ``checksum`` as in `geminga.utils.files.write_fits`."""
        write_fits(fits.HDUList([fits.PrimaryHDU(), self.to_table_hdu()]), filename, **kwargs)

    # ---- times -----------------------------------------------------------------------------

    @property
    def time_ref(self) -> Time:
        """Reference time."""
        return self._reference

    @property
    def met_start(self) -> u.Quantity:
        """Starts as elapsed time, s."""
        return self.table["START"].quantity

    @property
    def met_stop(self) -> u.Quantity:
        """Stops as elapsed time, s."""
        return self.table["STOP"].quantity

    @property
    def time_start(self) -> Time:
        """Starts."""
        return self.time_ref + self.met_start

    @property
    def time_stop(self) -> Time:
        """Stops."""
        return self.time_ref + self.met_stop

    @property
    def time_delta(self) -> u.Quantity:
        """Durations, s."""
        return self.met_stop - self.met_start

    @property
    def time_sum(self) -> u.Quantity:
        """Sum of the durations, s."""
        return self.time_delta.sum()

    @property
    def time_intervals(self) -> list[tuple[Time, Time]]:
        """List of (start, stop)."""
        return list(zip(self.time_start, self.time_stop, strict=True))

    def __len__(self) -> int:
        return len(self.table)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GTI) or len(self) != len(other):
            return NotImplemented if not isinstance(other, GTI) else False
        shift = float((other.time_ref - self.time_ref).sec)
        ours = np.stack([self.met_start.value, self.met_stop.value])
        theirs = np.stack([other.met_start.value, other.met_stop.value]) + shift
        return bool(np.allclose(ours, theirs, rtol=0, atol=1e-6))

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        text = f"GTI info:\n- Number of GTIs: {len(self.table)}\n- Duration: {self.time_sum}\n"
        if len(self.table) == 0:
            return text
        first, last = self.time_start.min(), self.time_stop.max()
        return (
            text
            + f"- Start: {self.met_start[0].value} s MET\n- Start: {first.isot} (time standard: {first.scale.upper()})\n"
            + (f"- Stop: {self.met_stop[-1].value} s MET\n- Stop: {last.isot} (time standard: {last.scale.upper()})\n")
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    # ---- selecting and joining ---------------------------------------------------------------

    def _interval(self, time_interval: Any) -> tuple[float, float]:
        low, high = (float((Time(t) - self.time_ref).sec) for t in time_interval)
        if not low <= high:
            msg = f"GTI: time interval {time_interval!r} ends before it starts; exchange the two."
            raise InputError(msg)
        return low, high

    def select_time(self, time_interval: Any, inverted: bool = False) -> GTI:
        """Part inside an interval (or outside, if inverted); the reference time is kept.

        Parameters
        ----------
        time_interval : Time of length two, or pair of Time
            Limits.
        inverted : bool
            Keep what lies outside.

        Examples
        --------
        >>> from astropy import units as u
        >>> from geminga.data import GTI
        >>> gti = GTI.create([0, 100] * u.s, [50, 200] * u.s)
        >>> gti.select_time([gti.time_ref + 100 * u.s, gti.time_ref + 120 * u.s]).met_start
        <Quantity [100.] s>
        """
        if inverted:
            return self.delete_interval(time_interval)
        low, high = self._interval(time_interval)
        start = np.maximum(self.met_start.value, low)
        stop = np.minimum(self.met_stop.value, high)
        keep = stop > start
        return self._like(start[keep], stop[keep])

    def delete_interval(self, time_interval: Any) -> GTI:
        """What is left without an interval; the reference time is kept."""
        low, high = self._interval(time_interval)
        start, stop = self.met_start.value, self.met_stop.value
        pieces = np.concatenate([np.stack([start, np.minimum(stop, low)]), np.stack([np.maximum(start, high), stop])], axis=1)
        pieces = pieces[:, pieces[1] > pieces[0]]
        return self._like(*pieces[:, np.argsort(pieces[0], kind="stable")])

    def stack(self, other: GTI) -> None:
        """Append the intervals of another, in place."""
        joined = GTI.from_stack([self, other])
        self.table = joined.table

    def union(self, overlap_ok: bool = True, merge_equal: bool = True) -> GTI:
        """Sorted intervals with overlapping ones merged.

        Parameters
        ----------
        overlap_ok : bool
            False: refuse overlaps.
        merge_equal : bool
            Also merge intervals which touch.

        Raises
        ------
        DataError
            If intervals overlap and `overlap_ok` is false.
        """
        order = np.argsort(self.met_start.value, kind="stable")
        start, stop = self.met_start.value[order], self.met_stop.value[order]
        out: list[list[float]] = []
        for low, high in zip(start.tolist(), stop.tolist(), strict=True):
            if out and low < out[-1][1]:
                if not overlap_ok:
                    msg = f"GTI: the interval starting at {low} s overlaps the one ending at {out[-1][1]} s."
                    raise DataError(msg)
                out[-1][1] = max(out[-1][1], high)
            elif out and merge_equal and low == out[-1][1]:
                out[-1][1] = high
            else:
                out.append([low, high])
        limits = np.array(out).reshape(-1, 2)
        return self._like(limits[:, 0], limits[:, 1])

    def group_table(self, time_intervals: Sequence[Any], atol: Any = "1e-6 s") -> Table:
        """Which GTI rows belong to which of several intervals.

        Parameters
        ----------
        time_intervals : list of pairs of Time
            Disjoint intervals.
        atol : Quantity or str
            Tolerance on the limits.

        Returns
        -------
        table : Table
            ``group_idx`` (-1 for none), ``time_min``, ``time_max`` (MJD, UTC), ``bin_type`` of each row of the GTI.

        Raises
        ------
        InputError
            If the intervals overlap.
        """
        tolerance = float(as_quantity(atol, "s", "atol").value)
        limits = np.array([self._interval(pair) for pair in time_intervals]).reshape(-1, 2)
        ordered = limits[np.argsort(limits[:, 0])]
        if (ordered[1:, 0] < ordered[:-1, 1] - tolerance).any():
            msg = "GTI.group_table: time intervals overlap; give disjoint ones."
            raise InputError(msg)
        rows = []
        start, stop = self.met_start.value, self.met_stop.value
        for low, high, begin, end in zip(start, stop, self.time_start.utc.mjd, self.time_stop.utc.mjd, strict=True):
            inside = np.flatnonzero((low >= limits[:, 0] - tolerance) & (high <= limits[:, 1] + tolerance))
            index = int(inside[0]) if len(inside) else -1
            rows.append((index, begin, end, "normal" if len(inside) else "overflow"))
        names = ("group_idx", "time_min", "time_max", "bin_type")
        return Table(rows=rows or None, names=names, dtype=(int, float, float, "U9"))


def _check_format(format: str) -> None:
    if format != "gadf":
        msg = f"GTI format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)
