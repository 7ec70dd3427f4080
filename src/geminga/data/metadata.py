"""Meta data of observations and their tables."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u

from geminga.errors import DataError, FormatError
from geminga.utils.metadata import (
    CreatorMetaData,
    MetaData,
    ObsInfoMetaData,
    PointingInfoMetaData,
    TargetMetaData,
    TimeInfoMetaData,
    keyword,
)
from geminga.utils.observers import earth_location_from_dict
from geminga.utils.time import time_ref_from_dict, time_ref_to_dict

__all__ = ["EventListMetaData", "GTIMetaData", "ObservationMetaData"]

log = logging.getLogger(__name__)

# Keywords of the data format which are kept as they are.
_OPTIONAL = [
    "OBSERVER",
    "EV_CLASS",
    "TELAPSE",
    "TELLIST",
    "N_TELS",
    "TASSIGN",
    "DST_VER",
    "ANA_VER",
    "CAL_VER",
    "CONV_DEP",
    "CONV_RA",
    "CONV_DEC",
    "TRGRATE",
    "ZTRGRATE",
    "MUONEFF",
    "BROKPIX",
    "AIRTEMP",
    "PRESSURE",
    "RELHUM",
    "NSBLEVEL",
    "CREATOR",
    "HDUVERS",
]


def reference_time_of(header: Any) -> Any:
    """Reference of elapsed times; None without keywords of it."""
    return time_ref_from_dict(header) if "MJDREFI" in header or "MJDREF" in header else None


@dataclass
class GTIMetaData(MetaData):
    """Meta data of a table of good time intervals.

    Parameters
    ----------
    reference_time : Time, optional
        Reference of the elapsed times.
    creation : CreatorMetaData, optional
        Who made the table, and when.
    """

    _tag: ClassVar[str] = "GTI"
    reference_time: Any = None
    creation: Any = None

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> GTIMetaData:
        """Record from a FITS header; without keywords of the reference time there is none.

        Raises
        ------
        FormatError
            If the format is not ``gadf``.
        """
        if format != "gadf":
            msg = f"GTI meta data: format {format!r} is not known; expected 'gadf'."
            raise FormatError(msg)
        return cls(reference_time_of(header), CreatorMetaData.from_header(header))

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """Keywords of a FITS header: reference time and creator, where known."""
        reference = self.reference_time
        header = {} if reference is None else time_ref_to_dict(reference, reference.scale)
        return header | super().to_header(format)


@dataclass
class EventListMetaData(MetaData):
    """Meta data of an event list.

    Parameters
    ----------
    event_class : str, optional
        Name of the selection of events, keyword ``EV_CLASS``.
    creation : CreatorMetaData, optional
        Who made the list, and when.
    optional : dict, optional
        Anything else.
    """

    _tag: ClassVar[str] = "EventList"
    event_class: str | None = keyword("EV_CLASS")
    creation: Any = None
    optional: dict[str, Any] | None = None

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Record from the header of an event list.

        Raises
        ------
        FormatError
            If the format is not ``gadf``.
        """
        kept = {key: header[key] for key in ("DST_VER", "ANA_VER", "CAL_VER") if key in header}
        creation = CreatorMetaData.from_header(header, format)
        if "CREATED" not in header:
            creation.date = None
        return cls(header.get("EV_CLASS"), creation, kept)


def deadtime_fraction_from_header(header: Any) -> float:
    """Fraction of time in which no event can be recorded: 1 - ``DEADC``, else 1 - ``LIVETIME`` / ``ONTIME``.

    Without either it is 0, with a warning.

    Raises
    ------
    DataError
        If it is not between 0 and 1.
    """
    name = f"Observation {header.get('OBS_ID', '')}".strip()
    if header.get("DEADC") is not None:
        source, live = "DEADC", header["DEADC"]
    elif header.get("LIVETIME") is not None and header.get("ONTIME"):
        source, live = "LIVETIME / ONTIME", float(header["LIVETIME"]) / float(header["ONTIME"])
    else:
        log.warning("%s has neither DEADC nor LIVETIME and ONTIME; a dead time of 0 is assumed.", name)
        return 0.0
    return _checked_fraction(1 - _as_float(live, source, name), f"{name}: {source} is {live!r}, so the deadtime fraction")


def _as_float(value: Any, source: str, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        msg = f"{name}: {source} is {value!r}, expected a number between 0 and 1."
        raise DataError(msg) from error


def _checked_fraction(value: float, name: str) -> float:
    # DEADC is often a float32, and may exceed 1 by rounding.
    if not -1e-6 <= value <= 1:
        msg = f"{name} is {value}; expected a number between 0 and 1. Correct the header, or give a deadtime_fraction."
        raise DataError(msg)
    return float(np.clip(value, 0, 1))


@dataclass
class ObservationMetaData(MetaData):
    """Meta data of an observation.

    Parameters
    ----------
    obs_info : ObsInfoMetaData, optional
        Which observation.
    pointing : PointingInfoMetaData, optional
        Where the telescopes pointed.
    target : TargetMetaData, optional
        What was looked at.
    location : EarthLocation, optional
        Where the telescopes stand.
    deadtime_fraction : float
        Fraction of time in which no event can be recorded.
    time_info : TimeInfoMetaData, optional
        When.
    creation : CreatorMetaData, optional
        Who made this, and when.
    optional : dict, optional
        Further keywords of the header.

    Raises
    ------
    DataError
        If the deadtime fraction is not between 0 and 1.
    """

    _tag: ClassVar[str] = "Observation"
    obs_info: Any = None
    pointing: Any = None
    target: Any = None
    location: Any = None
    deadtime_fraction: float = 0.0
    time_info: Any = None
    creation: Any = None
    optional: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.deadtime_fraction = _checked_fraction(float(self.deadtime_fraction), "ObservationMetaData: deadtime_fraction")

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Record from the header of an event list.

        Raises
        ------
        FormatError
            If the format is not ``gadf``.
        DataError
            If ``DEADC`` is not between 0 and 1.
        """
        try:
            location = earth_location_from_dict(header)
        except FormatError:
            location = None
        return cls(
            obs_info=ObsInfoMetaData.from_header(header, format),
            pointing=PointingInfoMetaData.from_header(header, format),
            target=TargetMetaData.from_header(header, format),
            location=location,
            deadtime_fraction=deadtime_fraction_from_header(header),
            time_info=TimeInfoMetaData.from_header(header, format),
            creation=CreatorMetaData(),
            optional={key: header[key] for key in _OPTIONAL if key in header},
        )

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """Keywords of a FITS header, of what is known."""
        header = super().to_header(format) | {"DEADC": 1 - self.deadtime_fraction} | (self.optional or {})
        if self.location is not None:
            header["GEOLON"], header["GEOLAT"] = self.location.lon.deg, self.location.lat.deg
            header["ALTITUDE"] = float(self.location.height.to_value(u.m))
        return header
