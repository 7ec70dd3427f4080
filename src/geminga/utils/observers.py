"""Where observatories stand."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from astropy import units as u
from astropy.coordinates import Angle, EarthLocation

from geminga.errors import FormatError, NameLookupError

__all__ = ["earth_location", "earth_location_from_dict", "observatory_locations"]

# Longitude (east), latitude, height in m.
_SITES = {
    "ctao_south": ("-70d18m58.84s", "-24d41m00.34s", 2150),
    "ctao_north": ("-17d53m31.218s", "28d45m43.7904s", 2147),
    "hawc": ("-97d18m34s", "18d59m48s", 4100),
    "hegra": ("-17d53m27s", "28d45m42s", 2200),
    "hess": ("16d30m00.8s", "-23d16m18.4s", 1835),
    "magic": ("-17d53m24s", "28d45m43s", 2200),
    "milagro": ("-106.67625d", "35.87835d", 2530),
    "veritas": ("-110d57m07.77s", "31d40m30.21s", 1268),
    "whipple": ("-110d52m42s", "31d40m52s", 2606),
    "astri": ("-16d30m20.99s", "28d18m00.0s", 2370),
    "fact": ("-17.891116d", "28.761647d", 2200),
}
_ALIASES = {"cta_south": "ctao_south", "cta_north": "ctao_north"}


def _site(name: str) -> EarthLocation:
    lon, lat, height = _SITES[_ALIASES.get(name, name)]
    return EarthLocation.from_geodetic(Angle(lon), Angle(lat), height * u.m)


#: Locations of gamma-ray observatories (`~astropy.coordinates.EarthLocation`) by name, such as ``"hess"``.
observatory_locations: dict[str, EarthLocation] = {name: _site(name) for name in [*_SITES, *_ALIASES]}


def earth_location(value: Any) -> EarthLocation:
    """Location, given as such or by the name of an observatory.

    Raises
    ------
    NameLookupError
        If the name is not known.

    Examples
    --------
    >>> from geminga.utils.observers import earth_location
    >>> print(f"{earth_location('hess').lat.deg:.4f}")
    -23.2718
    """
    if isinstance(value, EarthLocation):
        return value
    if value in observatory_locations:
        return observatory_locations[value]
    msg = f"Observatory {value!r} is not known; expected an EarthLocation or one of {', '.join(observatory_locations)}."
    raise NameLookupError(msg)


def earth_location_from_dict(meta: Mapping[str, Any]) -> EarthLocation:
    """Location from ``GEOLON`` and ``GEOLAT`` in deg (or text with a unit), and ``ALTITUDE`` or ``GEOALT`` in m.

    Parameters
    ----------
    meta : mapping
        Keywords; of a FITS header, where an altitude with the comment ``[km]`` is in km.

    Raises
    ------
    FormatError
        If a keyword is missing or is not a number.

    Examples
    --------
    >>> from geminga.utils.observers import earth_location_from_dict
    >>> location = earth_location_from_dict({"GEOLON": 16.5, "GEOLAT": -23.25, "ALTITUDE": "1835."})
    >>> print(f"{location.height.to_value('m'):.0f}")
    1835
    """
    height_key = next((key for key in ("ALTITUDE", "GEOALT") if key in meta), None)
    if height_key is None or "GEOLON" not in meta or "GEOLAT" not in meta:
        msg = f"Location: keywords GEOLON, GEOLAT and ALTITUDE (or GEOALT) are expected, there are {_present(meta)}."
        raise FormatError(msg)
    comment = str(getattr(meta, "comments", {height_key: ""})[height_key])
    unit = "km" if comment.strip().lower().startswith("[km]") else "m"
    try:
        return _geodetic(*(_plain(meta[key]) for key in ("GEOLON", "GEOLAT", height_key)), unit)
    except (ValueError, TypeError, u.UnitsError) as error:
        values = {key: meta[key] for key in ("GEOLON", "GEOLAT", height_key)}
        msg = f"Location: {values} cannot be read as longitude, latitude (deg) and height (m): {error}"
        raise FormatError(msg) from error


@functools.lru_cache(maxsize=64)
def _geodetic(lon: Any, lat: Any, height: Any, unit: str) -> EarthLocation:
    """Location; all observations of an array share theirs."""
    altitude = u.Quantity(height, unit) if isinstance(height, float) else u.Quantity(height)
    return EarthLocation.from_geodetic(Angle(lon, "deg"), Angle(lat, "deg"), altitude)


def _plain(value: Any) -> Any:
    """Number, where text holds one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _present(meta: Mapping[str, Any]) -> list[str]:
    return [key for key in ("GEOLON", "GEOLAT", "ALTITUDE", "GEOALT") if key in meta]
