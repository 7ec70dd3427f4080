"""One observation: events, good time and response functions, each read when first used."""

from __future__ import annotations

import copy
import html
import logging
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time

from geminga.data import checks, observation_create, plot
from geminga.data.events import EventList
from geminga.data.filters import ObservationFilter
from geminga.data.gti import GTI
from geminga.data.io import observation as observation_files
from geminga.data.io.location import HDULocation
from geminga.data.metadata import ObservationMetaData, deadtime_fraction_from_header
from geminga.data.pointing import FixedPointingInfo
from geminga.errors import DataError, FormatError, InputError
from geminga.irf import FoVAlignment
from geminga.utils.coordinates import FoVAltAzFrame, FoVICRSFrame
from geminga.utils.metadata import ObsInfoMetaData
from geminga.utils.observers import earth_location

__all__ = ["Observation"]

log = logging.getLogger(__name__)


class Observation:
    """One observation.

    Parameters
    ----------
    obs_id : int or str, optional
        Identifier.
    meta : ObservationMetaData, optional
        Meta data; by default from the header of the events.
    gti : GTI, optional
        Good time intervals.
    aeff, edisp, psf, bkg, rad_max : IRF, optional
        Response functions.
    events : EventList, optional
        Events.
    obs_filter : ObservationFilter, optional
        What is taken of it.
    pointing : FixedPointingInfo, optional
        Pointing; by default from the header of the events.
    location : EarthLocation or str, optional
        Where the telescopes stand; by default from the meta data.

    Notes
    -----
    Instead of events, intervals and response functions a `geminga.data.io.location.HDULocation` may be given: it is read when
    first used. Response functions are then kept, events are not. Good time intervals that overlap are joined, so that no time
    counts twice.
    """

    _IRFS: ClassVar[tuple[str, ...]] = ("aeff", "edisp", "psf", "bkg", "rad_max")

    def __init__(
        self,
        obs_id: Any = None,
        meta: Any = None,
        gti: Any = None,
        aeff: Any = None,
        edisp: Any = None,
        psf: Any = None,
        bkg: Any = None,
        rad_max: Any = None,
        events: Any = None,
        obs_filter: ObservationFilter | None = None,
        pointing: Any = None,
        location: Any = None,
    ) -> None:
        self.obs_id = obs_id
        self.obs_filter = obs_filter or ObservationFilter()
        parts = {"events": events, "gti": gti, "aeff": aeff, "edisp": edisp, "psf": psf, "bkg": bkg, "rad_max": rad_max}
        self._parts: dict[str, Any] = {name: part for name, part in parts.items() if part is not None}
        self._meta, self._pointing = meta, pointing
        self._location = None if location is None else earth_location(location)

    # Parts

    def _load(self, name: str) -> Any:
        """Part by name, read where it is a location; None if there is none."""
        part = self._parts.get(name)
        if not isinstance(part, HDULocation):
            return part
        loaded = part.load()
        if name == "bkg" and self._has_reversed_longitude:
            state = {"unit": loaded.unit, "meta": loaded.meta, "interp_kwargs": loaded.interp_kwargs}
            loaded = type(loaded)(loaded.axes, loaded.data, fov_alignment=FoVAlignment.REVERSE_LON_RADEC, **state)
        if name != "events":
            self._parts[name] = loaded
        return loaded

    @property
    def _has_reversed_longitude(self) -> bool:
        """Whether the file is of H.E.S.S. DL3-DR1, where the longitude in the field of view grows with right ascension."""
        header = self._events_header
        return (header.get("CREATOR"), str(header.get("HDUVERS"))) == ("SASH FITS::EventListWriter", "0.2")

    @property
    def _events_header(self) -> Any:
        events = self._load("events")
        return {} if events is None else events._rows.header

    def _settable(name: str, doc: str) -> Any:  # type: ignore[misc]  # noqa: N805
        def setter(self: Observation, value: Any) -> None:
            self._parts[name] = value

        return property(lambda self: self._load(name), setter, doc=doc)

    aeff = _settable("aeff", "Effective area.")
    edisp = _settable("edisp", "Energy dispersion.")
    psf = _settable("psf", "Point spread function.")
    bkg = _settable("bkg", "Background rate.")
    del _settable

    @property
    def rad_max(self) -> Any:
        """Radius in which events count, for point-like response functions; of keyword ``RAD_MAX`` if there is no table."""
        found = self._load("rad_max")
        return found if found is not None else observation_files.rad_max_of_header(self)

    @property
    def events(self) -> EventList:
        """Events that pass the filter; read anew each time, where they are in a file."""
        found = self._load("events")
        if found is None:
            msg = f"Observation {self.obs_id} has no events; set observation.events, or simulate them."
            raise DataError(msg)
        return self.obs_filter.filter_events(found)

    @events.setter
    def events(self, value: EventList) -> None:
        if not isinstance(value, EventList):
            msg = f"Observation {self.obs_id}: events must be an EventList, got {type(value).__name__}."
            raise InputError(msg)
        self._parts["events"] = value

    @property
    def gti(self) -> GTI:
        """Good time intervals that pass the filter, without overlaps."""
        found = self._load("gti")
        if found is None:
            msg = f"Observation {self.obs_id} has no good time intervals; set observation.gti."
            raise DataError(msg)
        union = found.union(merge_equal=False)
        return self.obs_filter.filter_gti(found if len(union) == len(found) else union)

    @gti.setter
    def gti(self, value: GTI) -> None:
        if not isinstance(value, GTI):
            msg = f"Observation {self.obs_id}: gti must be a GTI, got {type(value).__name__}."
            raise InputError(msg)
        self._parts["gti"] = value

    @property
    def available_hdus(self) -> list[str]:
        """What there is, of events, gti and response functions."""
        return [name for name in ("events", "gti", *self._IRFS) if self._parts.get(name) is not None]

    @property
    def available_irfs(self) -> list[str]:
        """Which response functions there are."""
        return [name for name in self._IRFS if self._parts.get(name) is not None]

    # Meta data

    @property
    def meta(self) -> ObservationMetaData:
        """Meta data."""
        if self._meta is None:
            self._meta = (
                ObservationMetaData.from_header(self._events_header) if "events" in self._parts else ObservationMetaData()
            )
        return self._meta

    @property
    def obs_info(self) -> ObsInfoMetaData | None:
        """Which observation: identifier, telescope and mode; None if that is not known."""
        return self._meta_part("obs_info", ObsInfoMetaData.from_header)

    def _meta_part(self, name: str, of_header: Any) -> Any:
        """Part of the meta data, without the others as long as these are not asked for: most are not cheap to make."""
        if self._meta is None and "events" in self._parts:
            return of_header(self._events_header)
        return getattr(self.meta, name)

    @property
    def pointing(self) -> FixedPointingInfo:
        """Pointing.

        Raises
        ------
        FormatError
            If the header of the events has none.
        """
        if self._pointing is None:
            if "events" not in self._parts:
                msg = f"Observation {self.obs_id} has neither a pointing nor events; give a pointing."
                raise FormatError(msg)
            self._pointing = FixedPointingInfo.from_fits_header(self._events_header)
        return self._pointing

    @property
    def observatory_earth_location(self) -> EarthLocation | None:
        """Where the telescopes stand; None if that is not known."""
        return self.meta.location if self._location is None else self._location

    @property
    def target_radec(self) -> SkyCoord | None:
        """Position of the target in ICRS; None if that is not known."""
        return None if self.meta.target is None else self.meta.target.position

    # Time

    def _end(self, name: str) -> Time:
        gti = self.gti
        if len(gti) == 0:
            msg = f"Observation {self.obs_id} has no good time left; select another time, or leave it out."
            raise DataError(msg)
        return gti.time_start[np.argmin(gti.met_start)] if name == "start" else gti.time_stop[np.argmax(gti.met_stop)]

    tstart = property(lambda self: self._end("start"), doc="Start of the first good time interval.")
    tstop = property(lambda self: self._end("stop"), doc="End of the last good time interval.")
    tmid = property(lambda self: self.tstart + 0.5 * (self.tstop - self.tstart), doc="Middle of start and end.")

    @property
    def observation_time_duration(self) -> u.Quantity:
        """Good time, s, dead time included."""
        return self.gti.time_sum

    @property
    def observation_live_time_duration(self) -> u.Quantity:
        """Good time, s, dead time excluded, and only the fraction of phases that are taken."""
        fraction = (1 - self.observation_dead_time_fraction) * self.obs_filter.livetime_fraction
        return self.observation_time_duration * fraction

    @property
    def observation_dead_time_fraction(self) -> float:
        """Fraction of dead time."""
        return self._meta_part("deadtime_fraction", deadtime_fraction_from_header)

    # Pointing at a time

    def get_pointing_icrs(self, time: Time) -> SkyCoord:
        """Pointing on the sky at a time."""
        return self.pointing.get_icrs(time, self.observatory_earth_location)

    def get_pointing_altaz(self, time: Time) -> SkyCoord:
        """Pointing in the horizontal frame at a time."""
        return self.pointing.get_altaz(time, self.observatory_earth_location)

    def get_fov_frame(self, time: Time, alignment: Any) -> Any:
        """Frame of the field of view at a time.

        Parameters
        ----------
        time : Time
            When.
        alignment : FoVAlignment or str
            Which way it points: with the horizon for ``ALTAZ``, else with the sky.

        Raises
        ------
        InputError
            If the location is needed and not known.
        """
        if FoVAlignment(alignment) is FoVAlignment.ALTAZ:
            origin = self.get_pointing_altaz(time)
            return FoVAltAzFrame(origin=origin, obstime=time, location=self.observatory_earth_location)
        return FoVICRSFrame(origin=self.get_pointing_icrs(time))

    # Making, copying, files

    create = classmethod(observation_create.create)
    read = classmethod(observation_files.read)
    write = observation_files.write
    check = checks.check_observation
    peek = plot.peek_observation

    def select_time(self, time_interval: Any, inverted: bool = False) -> Self:
        """Part of the observation; selecting again selects within the part.

        Parameters
        ----------
        time_interval : Time of length two, pair of Time, or GTI
            Time to keep.
        inverted : bool
            Keep the time outside.
        """
        new = self.copy()
        new.obs_filter = self.obs_filter.narrowed(time_interval, inverted)
        return new

    def copy(self, in_memory: bool = False, **kwargs: Any) -> Self:
        """Copy.

        Parameters
        ----------
        in_memory : bool
            Read everything, so that the copy depends on no file.
        **kwargs
            Arguments of the class, to be replaced; `in_memory` is then needed.

        Raises
        ------
        InputError
            If arguments are unknown, or `in_memory` is false with arguments.
        """
        if kwargs and not in_memory:
            msg = "Observation.copy: overwriting arguments requires in_memory=True."
            raise InputError(msg)
        if not in_memory:
            new = copy.copy(self)
            new._parts, new.obs_filter = dict(self._parts), self.obs_filter.copy()
            return new
        known = {"obs_id", "meta", "obs_filter", "pointing", "location", "events", "gti", *self._IRFS}
        if set(kwargs) - known:
            msg = f"Observation.copy: unknown arguments {sorted(set(kwargs) - known)}, expected some of {sorted(known)}."
            raise InputError(msg)
        parts = {name: copy.deepcopy(self._load(name)) for name in self.available_hdus if name not in kwargs}
        rest = {"obs_id": self.obs_id, "obs_filter": self.obs_filter.copy(), "location": self._location}
        rest |= {"meta": copy.deepcopy(self._meta), "pointing": self._pointing}
        return type(self)(**(rest | parts | kwargs))

    # Text

    def __str__(self) -> str:
        lines = ["Observation", "", f"\tobs id            : {self.obs_id} "]
        if len(self.gti):
            lines += [f" \ttstart            : {self.tstart.mjd:.2f}", f"\ttstop             : {self.tstop.mjd:.2f}"]
        lines.append(f"\tduration          : {self.observation_time_duration:.2f}")
        icrs, altaz = self.pointing.fixed_icrs, self.pointing.fixed_altaz
        if icrs is not None:
            lines.append(f"\tpointing (icrs)   : {icrs.ra.deg:.1f} deg, {icrs.dec.deg:.1f} deg")
        elif altaz is not None:
            lines.append(f"\tpointing (altaz)  : {altaz.az.deg:.1f} deg, {altaz.alt.deg:.1f} deg")
        return "\n".join([*lines, "", f"\tdeadtime fraction : {self.observation_dead_time_fraction:.1%}", ""])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
