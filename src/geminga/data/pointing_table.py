"""Pointing reported along an observation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import AltAz, CartesianRepresentation, EarthLocation, SkyCoord
from astropy.table import Table
from astropy.time import Time, TimeDelta

from geminga.data.event_rows import reference_time
from geminga.errors import DataError, FormatError, InputError
from geminga.utils.files import reading
from geminga.utils.fits_tables import read_tables
from geminga.utils.observers import earth_location_from_dict

__all__ = ["PointingInfo"]


class PointingInfo:
    """Positions at which telescopes pointed at several times.

    Parameters
    ----------
    table : Table
        Columns ``TIME`` (s since the reference time of the meta data), ``RA_PNT`` and ``DEC_PNT``, perhaps ``ALT_PNT`` and
        ``AZ_PNT``, in deg; meta data with the reference time and location.

    Raises
    ------
    FormatError
        If a column is missing.
    DataError
        If there is no row, or times do not grow.
    """

    def __init__(self, table: Table) -> None:
        missing = [name for name in ("TIME", "RA_PNT", "DEC_PNT") if name not in table.colnames]
        if missing:
            msg = f"Pointing table: column {' and '.join(missing)} missing, the columns are {', '.join(table.colnames)}."
            raise FormatError(msg)
        times = _column(table, "TIME", u.s).value
        if len(times) == 0 or (np.diff(times) <= 0).any():
            msg = f"Pointing table: expected at least one row and growing times, got {len(times)} rows; sort or select them."
            raise DataError(msg)
        self.table = table

    @classmethod
    def read(cls, filename: str | Path, hdu: str = "POINTING") -> PointingInfo:
        """Read from a FITS file.

        Parameters
        ----------
        filename : str or Path
            File.
        hdu : str
            HDU.

        Raises
        ------
        FormatError
            If a column is missing.
        NameLookupError
            If there is no such HDU.
        """
        with reading(filename):
            return cls(read_tables(filename)[hdu].table())

    # Columns

    @property
    def location(self) -> EarthLocation:
        """Where the telescopes stand."""
        return earth_location_from_dict(self.table.meta)

    @property
    def time_ref(self) -> Time:
        """Reference of elapsed times."""
        return reference_time(self.table.meta)

    @property
    def time(self) -> Time:
        """Times of the rows."""
        times = self.time_ref + _column(self.table, "TIME", u.s)
        times.format = "mjd"
        return times

    @property
    def duration(self) -> TimeDelta:
        """Time from the first row to the last."""
        return self.time[-1] - self.time[0]

    @property
    def radec(self) -> SkyCoord:
        """Pointing in ICRS."""
        return SkyCoord(*(_column(self.table, name, u.deg) for name in ("RA_PNT", "DEC_PNT")), frame="icrs")

    @property
    def altaz_frame(self) -> AltAz:
        """Horizontal frame at the times of the rows."""
        return AltAz(obstime=self.time, location=self.location)

    @property
    def altaz(self) -> SkyCoord:
        """Horizontal pointing, computed from right ascension and declination."""
        return self.radec.transform_to(self.altaz_frame)

    @property
    def altaz_from_table(self) -> SkyCoord:
        """Horizontal pointing of the columns ``ALT_PNT`` and ``AZ_PNT``.

        Raises
        ------
        FormatError
            If there are no such columns.
        """
        return SkyCoord(*(_column(self.table, name, u.deg) for name in ("AZ_PNT", "ALT_PNT")), frame=self.altaz_frame)

    # Between the rows

    def _interpolated(self, positions: SkyCoord, time: Time, frame: Any) -> SkyCoord:
        """Linear in the components of unit vectors, which are then normalised."""
        x = np.asarray((time - self.time_ref).sec, dtype=float)
        nodes = _column(self.table, "TIME", u.s).value
        # A microsecond: times are not known better.
        if (x < nodes[0] - 1e-6).any() or (x > nodes[-1] + 1e-6).any():
            msg = f"Pointing table covers {self.time[0].isot} to {self.time[-1].isot}; {time} is outside."
            raise InputError(msg)
        vectors = [np.interp(x, nodes, component) for component in positions.cartesian.xyz.value]
        position = SkyCoord(CartesianRepresentation(*vectors), frame=frame).spherical
        return SkyCoord(position.lon, position.lat, frame=frame)

    def get_icrs(self, obstime: Time) -> SkyCoord:
        """Pointing on the sky at a time, interpolated.

        Raises
        ------
        InputError
            If the time is not covered.
        """
        return self._interpolated(self.radec, obstime, "icrs")

    def get_altaz(self, obstime: Time) -> SkyCoord:
        """Pointing in the horizontal frame at a time, computed from that on the sky.

        Raises
        ------
        InputError
            If the time is not covered.
        """
        return self.get_icrs(obstime).transform_to(AltAz(obstime=obstime, location=self.location))

    def altaz_interpolate(self, time: Time) -> SkyCoord:
        """Pointing in the horizontal frame at a time, interpolated between those of the rows.

        Raises
        ------
        InputError
            If the time is not covered.
        """
        return self._interpolated(self.altaz, time, AltAz(obstime=time, location=self.location))

    def __str__(self) -> str:
        meta, seconds = self.table.meta, float(self.duration.sec)
        lines = ["Pointing info:", "", f"Location:     {self.location.geodetic}"]
        lines.append(
            f"MJDREFI, MJDREFF, TIMESYS = {meta.get('MJDREFI'), meta.get('MJDREFF'), meta.get('TIMESYS')}",
        )
        lines += [f"Time ref:     {self.time_ref.fits}", f"Time ref:     {self.time_ref.mjd} MJD (TT)"]
        lines += [f"Duration:     {seconds} sec = {seconds / 3600} hours", f"Table length: {len(self.table)}", ""]
        for label, row in (("START", 0), ("END", -1)):
            lines += [f"{label}:", *self._row_lines(row), ""]
        return "\n".join([*lines, ""])

    def _row_lines(self, row: int) -> list[str]:
        time, radec, altaz = self.time[row], self.radec[row], self.altaz[row]
        return [
            f"Time:  {time.fits}",
            f"Time:  {time.mjd} MJD (TT)",
            f"RADEC: {radec.ra.deg:.4f} {radec.dec.deg:.4f} deg",
            f"ALTAZ: {altaz.az.deg:.4f} {altaz.alt.deg:.4f} deg",
        ]


def _column(table: Table, name: str, unit: u.UnitBase) -> u.Quantity:
    """Column in a unit, which it has if none is given."""
    if name not in table.colnames:
        msg = f"Pointing table: column {name} missing, the columns are {', '.join(table.colnames)}."
        raise FormatError(msg)
    column = table[name]
    return u.Quantity(np.asarray(getattr(column, "value", column), dtype=float), column.unit or unit).to(unit)
