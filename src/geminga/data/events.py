"""Event lists: `EventList` is a table of contents, what it does is in the modules beside it."""

from __future__ import annotations

import copy
import html
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from astropy import units as u
from astropy.coordinates import AltAz, Angle, EarthLocation, SkyCoord
from astropy.table import Table, vstack
from astropy.time import Time
from numpy.typing import NDArray

from geminga.data import checks, event_select, plot
from geminga.data.event_rows import CANONICAL, Rows, TableRows, reference_time
from geminga.data.io import events as event_files
from geminga.data.metadata import EventListMetaData
from geminga.errors import DataError, FormatError, InputError, NameLookupError
from geminga.maps import MapCoord
from geminga.numerics.sphere import separation
from geminga.utils.observers import earth_location_from_dict

__all__ = ["EventList"]

Floats = NDArray[np.float64]


class EventList:
    """Events: when, where and at what energy photons were seen.

    Parameters
    ----------
    table : Table
        Columns ``TIME`` (`~astropy.time.Time`, or elapsed time since the reference in the meta data), ``ENERGY``, ``RA`` and
        ``DEC``, and any others. Its meta data are the keywords of the file.
    meta : EventListMetaData, optional
        What is known beside; by default from the meta data of the table.

    Raises
    ------
    NameLookupError
        If a column is missing.

    Notes
    -----
    Events read from a file are kept as they lie there; a column becomes numbers, and the table is made, when asked for.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from astropy.time import Time
    >>> from astropy import units as u
    >>> from geminga.data import EventList
    >>> table = Table({"TIME": Time(["2020-01-01"]), "RA": [83.6] * u.deg, "DEC": [22.0] * u.deg, "ENERGY": [1.5] * u.TeV})
    >>> EventList(table).energy
    <Quantity [1.5] TeV>
    """

    _rows: Rows

    def __init__(self, table: Table, meta: Any = None) -> None:
        if not isinstance(table, Table):
            msg = f"EventList got a {type(table).__name__}; expected a table (EventList.read reads a file)."
            raise InputError(msg)
        self._rows = TableRows(table)
        self._meta = EventListMetaData() if meta is None and not table.meta else meta

    @classmethod
    def _of(cls, rows: Rows, meta: Any = None) -> Self:
        new = cls.__new__(cls)
        new._rows, new._meta = rows, meta
        return new

    def _like(self, rows: Rows) -> Self:
        return self._of(rows, self._meta)

    # State

    @property
    def table(self) -> Table:
        """Table of the events, which may be changed."""
        if not isinstance(self._rows, TableRows):
            self._rows = TableRows(self._rows.table())
        return self._rows.table()

    @table.setter
    def table(self, value: Table) -> None:
        self._rows = TableRows(value)

    @property
    def meta(self) -> Any:
        """Meta data (`EventListMetaData`)."""
        if self._meta is None:
            self._meta = EventListMetaData.from_header(self._rows.header)
        return self._meta

    @meta.setter
    def meta(self, value: Any) -> None:
        self._meta = value

    def numbers(self, name: str) -> Floats:
        """Column as floats: time in s since `time_ref`, energy in TeV, RA and DEC in deg, others in their unit."""
        return self._rows.numbers(name)

    def __len__(self) -> int:
        return len(self._rows)

    def __getstate__(self) -> dict[str, Any]:
        # HDUs hold open streams, which cannot be sent to another process.
        return {"_rows": TableRows(self.table), "_meta": self._meta}

    def copy(self) -> Self:
        """Independent copy."""
        return self._of(TableRows(self.table.copy()), copy.deepcopy(self.meta))

    # Files

    read = classmethod(event_files.read)
    to_table_hdu = event_files.to_table_hdu

    # Selections

    select_row_subset = event_select.select_row_subset
    select_mask = event_select.select_mask
    select_time = event_select.select_time
    select_energy = event_select.select_energy
    select_offset = event_select.select_offset
    select_parameter = event_select.select_parameter
    select_region = event_select.select_region
    select_rad_max = event_select.select_rad_max

    # Plots and checks

    plot_energy = plot.plot_energy
    plot_energy_offset = plot.plot_energy_offset
    plot_image = plot.plot_image
    plot_offset2_distribution = plot.plot_offset2_distribution
    plot_time = plot.plot_time
    peek = plot.peek_events
    check = checks.check_events

    # Joining

    @classmethod
    def from_stack(cls, event_lists: Sequence[EventList], **kwargs: Any) -> Self:
        """Join several; the keywords are those of the first.

        Parameters
        ----------
        event_lists : sequence of EventList
            What to join.
        **kwargs
            Passed to `astropy.table.vstack`; by default columns that not all have are filled with masked values.

        Raises
        ------
        InputError
            If there is none.
        """
        if not event_lists:
            msg = "EventList.from_stack got no event list; give at least one."
            raise InputError(msg)
        kwargs.setdefault("metadata_conflicts", "silent")
        table = vstack([one.table for one in event_lists], **kwargs)
        table.meta.clear()
        table.meta.update(copy.deepcopy(event_lists[0].table.meta))
        return cls._of(TableRows(table), event_lists[0].meta)

    def stack(self, other: EventList) -> None:
        """Append the events of another, in place."""
        self._rows = self.from_stack([self, other])._rows

    # Columns

    @property
    def energy(self) -> u.Quantity:
        """Energies, in the unit of the column."""
        unit = self._rows.unit("ENERGY")
        return u.Quantity(self._rows.numbers("ENERGY", unit), unit, copy=False)

    @property
    def time_ref(self) -> Time:
        """Reference of elapsed times."""
        return reference_time(self._rows.header)

    @property
    def time(self) -> Time:
        """Times of the events."""
        times = self.time_ref + u.Quantity(self.numbers("TIME"), "s")
        times.format = "mjd"
        return times

    @property
    def radec(self) -> SkyCoord:
        """Positions in ICRS."""
        dec = self.numbers("DEC")
        if (bad := np.abs(dec) > 90).any():
            msg = f"Events: DEC is {dec[bad][0]:g} deg in row {np.flatnonzero(bad)[0]}; expected -90 to 90 deg."
            raise DataError(msg)
        return SkyCoord(self.numbers("RA"), dec, unit="deg", frame="icrs")

    @property
    def galactic(self) -> SkyCoord:
        """Positions in galactic coordinates, computed from right ascension and declination."""
        return self.radec.galactic

    @property
    def galactic_median(self) -> SkyCoord:
        """Median of galactic longitude (as distance from the mean direction) and latitude."""
        positions = self.galactic
        mean = SkyCoord(positions.cartesian.mean(), frame="galactic").spherical.lon
        lon = mean + np.median((positions.l - mean).wrap_at("180d"))
        return SkyCoord(lon, np.median(positions.b), frame="galactic")

    @property
    def offset(self) -> Angle:
        """Offsets from the pointing, deg."""
        return self._separation(self.pointing_radec)

    @property
    def offset_from_median(self) -> Angle:
        """Offsets from the median position, deg."""
        return self._separation(self.galactic_median.icrs)

    def _separation(self, position: SkyCoord) -> Angle:
        lon, lat = np.deg2rad([self.numbers("RA"), self.numbers("DEC")])
        return Angle(np.rad2deg(separation(position.ra.rad, position.dec.rad, lon, lat)), "deg")

    @property
    def altaz_frame(self) -> AltAz:
        """Horizontal frame at the times of the events."""
        return AltAz(obstime=self.time, location=self.observatory_earth_location)

    @property
    def altaz(self) -> SkyCoord:
        """Horizontal positions, computed from right ascension and declination."""
        return self.radec.transform_to(self.altaz_frame)

    @property
    def altaz_from_table(self) -> SkyCoord:
        """Horizontal positions of the columns ``ALT`` and ``AZ``."""
        az, alt = (u.Quantity(self._rows.numbers(name), self._rows.unit(name)) for name in ("AZ", "ALT"))
        return SkyCoord(az, alt, frame=self.altaz_frame)

    def map_coord(self, geom: Any) -> MapCoord:
        """Coordinates of the events on the axes of a geometry.

        Parameters
        ----------
        geom : Geom
            Geometry; each axis is looked up as the column of the same name, in capitals or as it is.

        Raises
        ------
        NameLookupError
            If there is no such column.
        """
        coords: dict[str, Any] = {"lon": self.numbers("RA"), "lat": self.numbers("DEC")}
        for axis in geom.axes:
            name = axis.name.upper() if axis.name.upper() in self._rows.names else axis.name
            if name == "TIME":
                coords[axis.name] = self.time
            else:
                coords[axis.name] = u.Quantity(self._rows.numbers(name), _unit_of(self._rows, name), copy=False)
        return MapCoord(coords, frame="icrs")

    # Keywords

    def _keyword(self, name: str) -> Any:
        if name not in self._rows.header:
            msg = f"EventList has no keyword {name!r} in the meta data of its table; set events.table.meta[{name!r}]."
            raise NameLookupError(msg)
        return self._rows.header[name]

    @property
    def is_pointed_observation(self) -> bool:
        """Whether the telescopes followed a position on the sky (not ``OBS_MODE = DRIFT``)."""
        return str(self._rows.header.get("OBS_MODE", "POINTING")).strip().upper() != "DRIFT"

    @property
    def pointing_radec(self) -> SkyCoord:
        """Pointing in ICRS, of the keywords ``RA_PNT`` and ``DEC_PNT``."""
        return SkyCoord(self._keyword("RA_PNT"), self._keyword("DEC_PNT"), unit="deg", frame="icrs")

    @property
    def observatory_earth_location(self) -> EarthLocation:
        """Where the telescopes stand."""
        return earth_location_from_dict(self._rows.header)

    @property
    def observation_time_duration(self) -> u.Quantity:
        """Time of observation, s, dead time included: keyword ``ONTIME``, else from ``TSTART`` to ``TSTOP``."""
        if "ONTIME" not in self._rows.header:
            return u.Quantity(self._keyword("TSTOP") - self._keyword("TSTART"), "s")
        return u.Quantity(self._keyword("ONTIME"), "s")

    @property
    def observation_live_time_duration(self) -> u.Quantity:
        """Keyword ``LIVETIME``, s: time of observation, dead time excluded."""
        return u.Quantity(self._keyword("LIVETIME"), "s")

    @property
    def observation_dead_time_fraction(self) -> float:
        """Fraction of dead time, 1 - ``DEADC``."""
        return 1 - float(self._keyword("DEADC"))

    @property
    def observation_time_start(self) -> Time:
        """Start of the observation, ``TSTART``."""
        return self.time_ref + u.Quantity(self._keyword("TSTART"), "s")

    @property
    def observation_time_stop(self) -> Time:
        """End of the observation, ``TSTOP``."""
        return self.time_ref + u.Quantity(self._keyword("TSTOP"), "s")

    # Text

    def __str__(self) -> str:
        header = self._rows.header
        lines = ["EventList", "---------", ""]
        lines += [
            f"  Instrument       : {header.get('INSTRUME')}",
            f"  Telescope        : {header.get('TELESCOP')}",
            f"  Obs. ID          : {header.get('OBS_ID', '')}",
            "",
            f"  Number of events : {len(self)}",
            *_rate_and_times(self),
            *_energies(self),
            *_offsets(self),
        ]
        return "\n".join([*lines, ""])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _unit_of(rows: Rows, name: str) -> u.UnitBase:
    return CANONICAL.get(name) or rows.unit(name)


def _rate_and_times(events: EventList) -> list[str]:
    if "ONTIME" not in events._rows.header and "TSTOP" not in events._rows.header:
        return []
    rate = len(events) / events.observation_time_duration
    lines = [f"  Event rate       : {rate.value:.3f} 1 / s", ""]
    if {"TSTART", "TSTOP"} <= set(events._rows.header):
        lines.append(f"  Time start       : {events.observation_time_start.mjd}")
        lines += [f"  Time stop        : {events.observation_time_stop.mjd}", ""]
    return lines


def _energies(events: EventList) -> list[str]:
    if len(events) == 0:
        return []
    energy = events.energy
    numbers = {"Min.": energy.value.min(), "Max.": energy.value.max(), "Median": np.median(energy.value)}
    return [f"  {label + ' energy':17}: {number:.2e} {energy.unit}" for label, number in numbers.items()] + [""]


def _offsets(events: EventList) -> list[str]:
    if len(events) == 0 or not events.is_pointed_observation:
        return []
    try:
        return [f"  Max. offset      : {events.offset.to_value('deg').max():.1f} deg", ""]
    except (NameLookupError, FormatError):
        return []


def example_events(number: int) -> EventList:
    """Events round a source at (83.63, 22.01) deg, the same each time, for examples."""
    random = np.random.default_rng(0)
    table = Table(
        {
            "TIME": Time("2020-01-01", scale="tt") + np.sort(random.uniform(0, 1800, number)) * u.s,
            "RA": random.normal(83.63, 1, number) * u.deg,
            "DEC": random.normal(22.01, 1, number) * u.deg,
            "ENERGY": 0.3 * random.uniform(0, 1, number) ** (-1 / 1.6) * u.TeV,
        },
        meta={"RA_PNT": 83.63, "DEC_PNT": 22.51, "MJDREFI": 58849, "MJDREFF": 0.0, "TIMESYS": "tt", "OBS_ID": 1},
    )
    return EventList(table)
