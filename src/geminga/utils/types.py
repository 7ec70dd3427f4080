"""Types for pydantic models: quantities, positions, times and paths that read from and write to plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from astropy import units as u
from astropy.coordinates import Angle, EarthLocation, SkyCoord
from astropy.time import Time
from pydantic import PlainSerializer, PlainValidator

from geminga.utils.files import make_path
from geminga.utils.units import as_quantity

__all__ = [
    "AngleType",
    "EarthLocationType",
    "EnergyType",
    "PathType",
    "QuantityType",
    "SkyCoordType",
    "TimeType",
]


def _quantity_text(value: u.Quantity) -> str | None:
    return None if value is None else f"{value.value} {value.unit}".strip()


def _quantity(value: Any) -> u.Quantity:
    return value if isinstance(value, u.Quantity) else u.Quantity(value)


def _energy(value: Any) -> u.Quantity:
    quantity = _quantity(value)
    as_quantity(quantity, "TeV", "energy")
    return quantity


def _angle(value: Any) -> Angle:
    return Angle(value)


def _position(value: Any) -> SkyCoord:
    return value if isinstance(value, SkyCoord) else SkyCoord(value)


def _position_text(value: SkyCoord) -> str | None:
    if value is None:
        return None
    coordinate = value.spherical
    return f"lon: {coordinate.lon.deg} deg, lat: {coordinate.lat.deg} deg, frame: {value.frame.name} "


def _location(value: Any) -> EarthLocation:
    if isinstance(value, EarthLocation):
        return value
    if isinstance(value, str):
        from geminga.utils.observers import observatory_locations

        if value in observatory_locations:
            return observatory_locations[value]
    return EarthLocation(value)


def _location_text(value: EarthLocation) -> str | None:
    if value is None:
        return None
    return f"lon: {value.lon.deg} deg, lat: {value.lat.deg} deg, height: {value.height.to_value('m')} m "


def _time(value: Any) -> Time:
    return value if isinstance(value, Time) else Time(value)


def _time_text(value: Time) -> Any:
    if value is None:
        return None
    if not value.isscalar:
        return value.isot.tolist() if value.format == "datetime" else value.value.tolist()
    return value.value.isoformat() if value.format == "datetime" else value.value


def _path(value: Any) -> Path:
    path = make_path(value)
    if path is None:
        msg = f"{value!r} is not a path"
        raise ValueError(msg)
    return path


AngleType = Annotated[Angle, PlainValidator(_angle), PlainSerializer(_quantity_text, when_used="json-unless-none")]
EnergyType = Annotated[u.Quantity, PlainValidator(_energy), PlainSerializer(_quantity_text, when_used="json-unless-none")]
QuantityType = Annotated[u.Quantity, PlainValidator(_quantity), PlainSerializer(_quantity_text, when_used="json-unless-none")]
SkyCoordType = Annotated[SkyCoord, PlainValidator(_position), PlainSerializer(_position_text, when_used="json-unless-none")]
EarthLocationType = Annotated[
    EarthLocation, PlainValidator(_location), PlainSerializer(_location_text, when_used="json-unless-none")
]
TimeType = Annotated[Time, PlainValidator(_time), PlainSerializer(_time_text, when_used="json-unless-none")]
PathType = Annotated[Path, PlainValidator(_path), PlainSerializer(str, when_used="json-unless-none")]
