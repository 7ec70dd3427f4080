"""Coordinates in the field of view of a telescope (GADF, section 2).

The latitude ``fov_lat`` grows northwards (or upwards), the longitude ``fov_lon`` against right ascension (or azimuth): it
is minus that of a `~astropy.coordinates.SkyOffsetFrame` at the pointing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import (
    ICRS,
    AltAz,
    Angle,
    BaseCoordinateFrame,
    CartesianRepresentation,
    CoordinateAttribute,
    DynamicMatrixTransform,
    EarthLocationAttribute,
    FunctionTransform,
    Latitude,
    Longitude,
    RepresentationMapping,
    SphericalRepresentation,
    TimeAttribute,
    frame_transform_graph,
)
from numpy.typing import NDArray

from geminga.numerics.sphere import lonlat, unit_vector

__all__ = ["FoVAltAzFrame", "FoVICRSFrame", "fov_to_sky", "sky_to_fov"]

_NAMES = {SphericalRepresentation: [RepresentationMapping("lon", "fov_lon"), RepresentationMapping("lat", "fov_lat")]}


def _matrix(lon: Any, lat: Any) -> NDArray[np.float64]:
    """Rotation, with a reflection, which brings a direction (rad) to the origin of the field of view."""
    sin_lon, cos_lon, sin_lat, cos_lat = np.sin(lon), np.cos(lon), np.sin(lat), np.cos(lat)
    zero = np.zeros_like(sin_lon)
    rows = (
        (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat),
        (sin_lon, -cos_lon, zero),
        (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat),
    )
    return np.moveaxis(np.array(rows, dtype=float), (0, 1), (-2, -1))


class FoVICRSFrame(BaseCoordinateFrame):  # type: ignore[misc]
    """Field of view aligned with right ascension and declination.

    Parameters
    ----------
    origin : SkyCoord or ICRS
        Pointing.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.utils.coordinates import FoVICRSFrame
    >>> frame = FoVICRSFrame(origin=SkyCoord(83, 0, unit="deg"))
    >>> print(SkyCoord(84, 0, unit="deg").transform_to(frame).fov_lon.deg.round(6))
    -1.0
    """

    frame_specific_representation_info = _NAMES
    default_representation = SphericalRepresentation
    origin = CoordinateAttribute(default=None, frame=ICRS)

    def represent_as(self, base: Any, s: Any = "base", in_frame_units: bool = False) -> Any:
        """Coordinates in another representation; longitudes run from -180 to 180 deg."""
        return _wrapped(super().represent_as(base, s=s, in_frame_units=in_frame_units))


class FoVAltAzFrame(BaseCoordinateFrame):  # type: ignore[misc]
    """Field of view aligned with azimuth and altitude.

    Parameters
    ----------
    origin : SkyCoord or AltAz
        Pointing.
    obstime : Time
        When.
    location : EarthLocation
        Where.
    """

    frame_specific_representation_info = _NAMES
    default_representation = SphericalRepresentation
    origin = CoordinateAttribute(default=None, frame=AltAz)
    obstime = TimeAttribute(default=None)
    location = EarthLocationAttribute(default=None)

    def represent_as(self, base: Any, s: Any = "base", in_frame_units: bool = False) -> Any:
        """Coordinates in another representation; longitudes run from -180 to 180 deg."""
        return _wrapped(super().represent_as(base, s=s, in_frame_units=in_frame_units))


def _wrapped(data: Any) -> Any:
    if hasattr(data, "lon"):
        data.lon.wrap_angle = 180 * u.deg
    return data


@frame_transform_graph.transform(DynamicMatrixTransform, ICRS, FoVICRSFrame)  # type: ignore[untyped-decorator]
def _icrs_to_fov(icrs: Any, fov: Any) -> NDArray[np.float64]:
    return _matrix(fov.origin.ra.rad, fov.origin.dec.rad)


@frame_transform_graph.transform(DynamicMatrixTransform, FoVICRSFrame, ICRS)  # type: ignore[untyped-decorator]
def _fov_to_icrs(fov: Any, icrs: Any) -> NDArray[np.float64]:
    return np.swapaxes(_matrix(fov.origin.ra.rad, fov.origin.dec.rad), -1, -2)


def _rotated(data: Any, matrix: NDArray[np.float64]) -> SphericalRepresentation:
    vector = np.einsum("...ij,j...->i...", matrix, data.represent_as(CartesianRepresentation).xyz.value)
    lon, lat = lonlat(vector)
    return SphericalRepresentation(Longitude(lon, u.rad, wrap_angle=180 * u.deg), Latitude(lat, u.rad), 1.0)


@frame_transform_graph.transform(FunctionTransform, AltAz, FoVAltAzFrame)  # type: ignore[untyped-decorator]
def _altaz_to_fov(altaz: Any, fov: Any) -> FoVAltAzFrame:
    here = altaz.transform_to(AltAz(obstime=fov.obstime, location=fov.location))
    matrix = _matrix(fov.origin.az.rad, fov.origin.alt.rad)
    return fov.realize_frame(_rotated(here.data, matrix))


@frame_transform_graph.transform(FunctionTransform, FoVAltAzFrame, AltAz)  # type: ignore[untyped-decorator]
def _fov_to_altaz(fov: Any, altaz: Any) -> Any:
    matrix = np.swapaxes(_matrix(fov.origin.az.rad, fov.origin.alt.rad), -1, -2)
    here = AltAz(_unwrapped(_rotated(fov.data, matrix)), obstime=fov.obstime, location=fov.location)
    return here.transform_to(altaz)


def _unwrapped(data: SphericalRepresentation) -> SphericalRepresentation:
    return SphericalRepresentation(Longitude(data.lon, wrap_angle=360 * u.deg), data.lat, data.distance)


def sky_to_fov(lon: Any, lat: Any, lon_pnt: Any, lat_pnt: Any) -> tuple[Angle, Angle]:
    """Coordinates in the field of view.

    Parameters
    ----------
    lon, lat : Quantity
        Position on the sky, in any frame.
    lon_pnt, lat_pnt : Quantity
        Pointing in the same frame.

    Returns
    -------
    fov_lon, fov_lat : Angle
        Longitude (against that of the sky) and latitude, deg.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.utils.coordinates import sky_to_fov
    >>> lon, lat = sky_to_fov(84 * u.deg, 1 * u.deg, 83 * u.deg, 0 * u.deg)
    >>> print(lon.deg.round(4), lat.deg.round(4))
    -1.0 1.0
    """
    matrix = _matrix(*(u.Quantity(value).to_value("rad") for value in (lon_pnt, lat_pnt)))
    return _apply(matrix, lon, lat, 180)


def fov_to_sky(lon: Any, lat: Any, lon_pnt: Any, lat_pnt: Any) -> tuple[Angle, Angle]:
    """Position on the sky.

    Parameters
    ----------
    lon, lat : Quantity
        Coordinates in the field of view.
    lon_pnt, lat_pnt : Quantity
        Pointing.

    Returns
    -------
    lon, lat : Angle
        Position in the frame of the pointing, deg.
    """
    matrix = _matrix(*(u.Quantity(value).to_value("rad") for value in (lon_pnt, lat_pnt)))
    return _apply(np.swapaxes(matrix, -1, -2), lon, lat, 360)


def _apply(matrix: NDArray[np.float64], lon: Any, lat: Any, wrap: float) -> tuple[Angle, Angle]:
    vector = unit_vector(u.Quantity(lon).to_value("rad"), u.Quantity(lat).to_value("rad"))
    new_lon, new_lat = lonlat(np.einsum("...ij,j...->i...", matrix, vector))
    return Longitude(new_lon, u.rad, wrap_angle=wrap * u.deg).to("deg"), Latitude(new_lat, u.rad).to("deg")
