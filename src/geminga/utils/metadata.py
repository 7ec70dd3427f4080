"""Small records of where data come from, written to FITS headers and YAML.

A record is a dataclass; a field with a header keyword says so in its metadata. Fields may be records themselves, or lists of
them, as for stacked data; a list is written only if it has one entry, as a header holds one value for a keyword.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import astropy.units as u
import yaml
from astropy.coordinates import AltAz, SkyCoord
from astropy.time import Time, TimeDelta

from geminga import __version__
from geminga.errors import FormatError
from geminga.utils.time import read_time, time_ref_from_dict, time_ref_to_dict

__all__ = [
    "CreatorMetaData",
    "MetaData",
    "ObsInfoMetaData",
    "PointingInfoMetaData",
    "TargetMetaData",
    "TimeInfoMetaData",
    "keyword",
]


def keyword(name: str, default: Any = None) -> Any:
    """Field of a record which a FITS header keeps under the keyword `name`."""
    return field(default=default, metadata={"keyword": name})


def _check_format(format: str) -> None:
    if format != "gadf":
        msg = f"Meta data format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)


@dataclass
class MetaData:
    """Base of all records."""

    _tag: ClassVar[str] = "metadata"

    @property
    def tag(self) -> str:
        """Name of the record in YAML."""
        return self._tag

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """Header keywords and values of the fields that are set."""
        _check_format(format)
        header: dict[str, Any] = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, list):
                value = value[0] if len(value) == 1 else None
            if isinstance(value, MetaData):
                header |= value.to_header(format)
            elif value is not None and "keyword" in item.metadata:
                header[item.metadata["keyword"]] = value.iso if isinstance(value, Time) else value
        return header

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Record from a header; keywords that are missing leave the default."""
        _check_format(format)
        keywords = {item.name: item.metadata["keyword"] for item in dataclasses.fields(cls) if "keyword" in item.metadata}
        return cls(**{name: header[key] for name, key in keywords.items() if key in header})

    def to_yaml(self) -> str:
        """YAML text of the record."""
        return yaml.dump({self.tag: _plain(self)}, sort_keys=False, indent=4, default_flow_style=False)


def _plain(value: Any) -> Any:
    if isinstance(value, MetaData):
        pairs = ((item.name, getattr(value, item.name)) for item in dataclasses.fields(value))
        return {name: _plain(one) for name, one in pairs if one is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Time):
        return value.iso
    if isinstance(value, SkyCoord):
        return {"frame": value.frame.name, "lon": f"{value.spherical.lon.deg} deg", "lat": f"{value.spherical.lat.deg} deg"}
    return value if isinstance(value, (str, int, float, bool)) else str(value)


@dataclass
class CreatorMetaData(MetaData):
    """Who made the data, and when."""

    _tag: ClassVar[str] = "creation"
    creator: str = keyword("CREATOR", f"Geminga {__version__}")
    date: Any = field(default_factory=Time.now, metadata={"keyword": "CREATED"})
    origin: str | None = keyword("ORIGIN")

    def __post_init__(self) -> None:
        if isinstance(self.date, str):
            self.date = _time(self.date)

    def update_time(self) -> None:
        """Set the date to now."""
        self.date = Time.now()


def _time(text: str) -> Any:
    """Read a time, ``None`` if the text is not one: old files hold all kinds."""
    with contextlib.suppress(ValueError):
        return read_time(text)
    return None


@dataclass
class ObsInfoMetaData(MetaData):
    """Which observation."""

    _tag: ClassVar[str] = "obs_info"
    obs_id: int | str | None = keyword("OBS_ID")
    telescope: str | None = keyword("TELESCOP")
    instrument: str | None = keyword("INSTRUME")
    sub_array: str | None = keyword("SUBARRAY")
    observation_mode: str | None = keyword("OBS_MODE")


@dataclass
class PointingInfoMetaData(MetaData):
    """Where the telescope pointed."""

    _tag: ClassVar[str] = "pointing"
    radec_mean: Any = None
    altaz_mean: Any = None

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """``RA_PNT``, ``DEC_PNT``, ``ALT_PNT`` and ``AZ_PNT`` in deg, where known."""
        _check_format(format)
        header: dict[str, Any] = {}
        if self.radec_mean is not None:
            radec = self.radec_mean.icrs
            header |= {"RA_PNT": radec.ra.deg, "DEC_PNT": radec.dec.deg}
        if self.altaz_mean is not None:
            header |= {"ALT_PNT": self.altaz_mean.alt.deg, "AZ_PNT": self.altaz_mean.az.deg}
        return header

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Pointing from ``RA_PNT``, ``DEC_PNT``, ``ALT_PNT`` and ``AZ_PNT``."""
        _check_format(format)
        radec = altaz = None
        if "RA_PNT" in header and "DEC_PNT" in header:
            radec = SkyCoord(header["RA_PNT"], header["DEC_PNT"], unit="deg", frame="icrs")
        if "ALT_PNT" in header and "AZ_PNT" in header:
            altaz = SkyCoord(alt=header["ALT_PNT"] * u.deg, az=header["AZ_PNT"] * u.deg, frame=AltAz())
        return cls(radec_mean=radec, altaz_mean=altaz)


@dataclass
class TargetMetaData(MetaData):
    """What was looked at."""

    _tag: ClassVar[str] = "target"
    name: str | None = keyword("OBJECT")
    position: Any = None

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """``OBJECT``, and ``RA_OBJ`` and ``DEC_OBJ`` in deg, where known."""
        header = super().to_header(format)
        if self.position is not None:
            header |= {"RA_OBJ": self.position.icrs.ra.deg, "DEC_OBJ": self.position.icrs.dec.deg}
        return header

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Target from ``OBJECT``, ``RA_OBJ`` and ``DEC_OBJ``."""
        new = super().from_header(header, format)
        if "RA_OBJ" in header and "DEC_OBJ" in header:
            new.position = SkyCoord(header["RA_OBJ"], header["DEC_OBJ"], unit="deg", frame="icrs")
        return new


@dataclass
class TimeInfoMetaData(MetaData):
    """When."""

    _tag: ClassVar[str] = "time_info"
    time_start: Any = None
    time_stop: Any = None
    reference_time: Any = None

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """``TSTART`` and ``TSTOP`` in s since the reference time, and the keywords of that, where known."""
        _check_format(format)
        if self.reference_time is None:
            return {}
        header: dict[str, Any] = dict(time_ref_to_dict(self.reference_time, scale="tt"))
        for key, time in {"TSTART": self.time_start, "TSTOP": self.time_stop}.items():
            if time is not None:
                header[key] = float((time.tt - self.reference_time.tt).to_value("s"))
        return header

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Times from ``TSTART``, ``TSTOP``, ``MJDREFI``, ``MJDREFF`` and ``TIMESYS``."""
        _check_format(format)
        if "MJDREFI" not in header:
            return cls()
        reference = time_ref_from_dict(header)
        seconds = [TimeDelta(header[key], format="sec") if key in header else None for key in ("TSTART", "TSTOP")]
        start, stop = (None if own is None else reference + own for own in seconds)
        return cls(time_start=start, time_stop=stop, reference_time=reference)
