"""Coordinates of points on the sky and on further axes, which broadcast against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.numerics.sphere import frame_rotation, lonlat, rotate, unit_vector

__all__ = ["MapCoord", "degrees", "skycoord_lonlat"]

_ROTATED = ("icrs", "galactic")


def degrees(value: Any) -> NDArray[np.float64]:
    """Angle as floats in deg; bare numbers are in deg."""
    if isinstance(value, u.Quantity):
        return np.asarray(value.value if value.unit is u.deg else value.to_value("deg"), dtype=float)
    return np.asarray(value, dtype=float)


def skycoord_lonlat(skycoord: SkyCoord, frame: str | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude in deg of sky coordinates in a frame (by default their own)."""
    if frame is not None and skycoord.frame.name != frame:
        if skycoord.frame.name in _ROTATED and frame in _ROTATED:
            lon, lat = skycoord_lonlat(skycoord)
            return rotated_lonlat(lon, lat, skycoord.frame.name, frame)
        skycoord = skycoord.transform_to(frame)
    data = skycoord.data
    if hasattr(data, "lon"):
        return data.lon.to_value("deg"), data.lat.to_value("deg")
    spherical = skycoord.spherical
    return spherical.lon.to_value("deg"), spherical.lat.to_value("deg")


def rotated_lonlat(lon: Any, lat: Any, origin: str, target: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude in deg, from one frame to another (icrs, galactic)."""
    out = lonlat(rotate(frame_rotation(origin, target), unit_vector(np.deg2rad(lon), np.deg2rad(lat))))
    return np.rad2deg(out[0]), np.rad2deg(out[1])


def _as_array(value: Any) -> Any:
    """At least one dimension, whatever the kind; an array stays what it is."""
    if isinstance(value, Time):
        return value.reshape(1) if value.isscalar else value
    if isinstance(value, u.Quantity):
        return value.reshape(1) if value.isscalar else value
    return np.atleast_1d(value)


class MapCoord:
    """Coordinates by the name of their axis.

    Parameters
    ----------
    data : dict
        Has ``lon`` and ``lat`` (deg if bare numbers) and further axes.
    frame : str, optional
        Sky frame of longitude and latitude.
    match_by_name : bool
        Find axes by name; else by position.

    Raises
    ------
    InputError
        If longitude or latitude are missing.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.maps import MapCoord
    >>> coords = MapCoord.create({"lon": 0 * u.deg, "lat": 0 * u.deg, "energy": [1, 2] * u.TeV}, frame="galactic")
    >>> coords.shape, coords.axis_names
    ((2,), ['lon', 'lat', 'energy'])
    """

    def __init__(self, data: Mapping[str, Any], frame: str | None = None, match_by_name: bool = True) -> None:
        if not isinstance(data, Mapping) or not {"lon", "lat"} <= set(data):
            keys = list(data) if isinstance(data, Mapping) else type(data).__name__
            msg = f"MapCoord: data must be a dictionary that contains axes named 'lon' and 'lat', got {keys}."
            raise InputError(msg)
        self._data = {name: _as_array(value) for name, value in data.items()}
        self._frame = frame
        self._match_by_name = match_by_name

    @classmethod
    def create(cls, data: Any, frame: str | None = None, axis_names: Sequence[str] | None = None) -> MapCoord:
        """Make coordinates from what users have.

        Parameters
        ----------
        data : dict, MapCoord, SkyCoord or tuple
            ``{"lon", "lat", ...}``, ``{"skycoord", ...}``, ``(lon, lat, ...)`` or ``(skycoord, ...)``.
        frame : str, optional
            Sky frame; a SkyCoord or MapCoord is converted to it, bare longitude and latitude are taken to be in it.
        axis_names : list of str, optional
            Names of the further axes of a tuple; then they are found by name, else by position.

        Raises
        ------
        InputError
            If there is no longitude and latitude, or of an unknown type.
        """
        if isinstance(data, cls):
            return data if frame is None or data.frame is None or data.frame == frame else data.to_frame(frame)
        if isinstance(data, Mapping):
            return cls._from_dict(data, frame)
        if isinstance(data, SkyCoord):
            return cls._from_tuple((data,), frame, axis_names)
        if isinstance(data, (tuple, list)):
            return cls._from_tuple(tuple(data), frame, axis_names)
        msg = f"MapCoord: unsupported type {type(data).__name__}; give a dict, a tuple, a SkyCoord or a MapCoord."
        raise InputError(msg)

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], frame: str | None) -> MapCoord:
        if "skycoord" in data:
            skycoord = data["skycoord"]
            lon, lat = skycoord_lonlat(skycoord, frame)
            rest = {name: value for name, value in data.items() if name != "skycoord"}
            return cls({"lon": lon, "lat": lat, **rest}, frame=frame or skycoord.frame.name)
        if {"lon", "lat"} <= set(data):
            return cls(data, frame=frame)
        msg = f"MapCoord: coords dict must contain 'lon'/'lat' or 'skycoord', got {list(data)}."
        raise InputError(msg)

    @classmethod
    def _from_tuple(cls, data: tuple[Any, ...], frame: str | None, axis_names: Sequence[str] | None) -> MapCoord:
        if data and isinstance(data[0], SkyCoord):
            lon, lat = skycoord_lonlat(data[0], frame)
            frame, rest = frame or data[0].frame.name, data[1:]
        elif len(data) >= 2:
            lon, lat, rest = data[0], data[1], data[2:]
        else:
            msg = f"MapCoord: a tuple needs (lon, lat, ...) or (skycoord, ...), got {len(data)} element(s)."
            raise InputError(msg)
        names = [f"axis{i}" for i in range(len(rest))] if axis_names is None else list(axis_names)
        if len(names) != len(rest):
            msg = f"MapCoord: {len(rest)} further coordinates came with the axis names {names}; their number must be equal."
            raise InputError(msg)
        coords = {"lon": lon, "lat": lat, **dict(zip(names, rest, strict=True))}
        return cls(coords, frame=frame, match_by_name=axis_names is not None)

    # State

    ndim = property(lambda self: len(self._data), doc="Number of axes, sky included.")
    axis_names = property(lambda self: list(self._data), doc="Names of the axes, lon and lat first.")
    frame = property(lambda self: self._frame, doc="Sky frame or None.")
    match_by_name = property(lambda self: self._match_by_name, doc="Whether axes are found by name.")
    lon = property(lambda self: self._data["lon"], doc="Longitude, deg.")
    lat = property(lambda self: self._data["lat"], doc="Latitude, deg.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the coordinates broadcast against each other."""
        return np.broadcast_shapes(*[value.shape for value in self._data.values()])

    @property
    def size(self) -> int:
        """Number of points."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def theta(self) -> NDArray[np.float64]:
        """Angle from the north pole in rad."""
        return np.asarray(np.pi / 2 - np.deg2rad(degrees(self.lat)))

    @property
    def phi(self) -> NDArray[np.float64]:
        """Longitude in rad."""
        return np.asarray(np.deg2rad(degrees(self.lon)))

    @property
    def skycoord(self) -> SkyCoord:
        """Positions on the sky (icrs if there is no frame)."""
        return SkyCoord(degrees(self.lon), degrees(self.lat), unit="deg", frame=self._frame or "icrs")

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            if key == "skycoord":
                return self.skycoord
            if key not in self._data:
                msg = f"Coordinates have no axis {key!r}; they have {list(self._data)}."
                raise NameLookupError(msg)
            return self._data[key]
        return list(self._data.values())[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = _as_array(value)

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[Any]:
        return iter(self._data.values())

    # Other coordinates

    def copy(self) -> MapCoord:
        """Copy that shares nothing."""
        data = {name: value.copy() for name, value in self._data.items()}
        return type(self)(data, frame=self._frame, match_by_name=self._match_by_name)

    def _like(self, data: Mapping[str, Any], frame: str | None = None) -> MapCoord:
        return type(self)(data, frame=frame or self._frame, match_by_name=self._match_by_name)

    def to_frame(self, frame: str) -> MapCoord:
        """Same points in another sky frame (unchanged if there is no frame: it is then taken to be icrs)."""
        origin = self._frame or "icrs"
        if origin == frame:
            return self._like(self._data, frame)
        if origin in _ROTATED and frame in _ROTATED:
            lon, lat = rotated_lonlat(degrees(self.lon), degrees(self.lat), origin, frame)
        else:
            lon, lat = skycoord_lonlat(self.skycoord, frame)
        if isinstance(self.lon, u.Quantity):
            lon, lat = u.Quantity(lon, "deg", copy=False), u.Quantity(lat, "deg", copy=False)
        return self._like({**self._data, "lon": lon, "lat": lat}, frame)

    @property
    def broadcasted(self) -> MapCoord:
        """Coordinates of the full shape (views, where possible)."""
        shape = self.shape
        return self._like({name: broadcast_to(value, shape) for name, value in self._data.items()})

    @property
    def flat(self) -> MapCoord:
        """Coordinates with one dimension."""
        return self._like({name: value.reshape(-1) for name, value in self.broadcasted._data.items()})

    def apply_mask(self, mask: NDArray[np.bool_]) -> MapCoord:
        """Points where `mask`, of the full shape, is True."""
        shape = self.shape
        return self._like({name: broadcast_to(value, shape)[mask] for name, value in self._data.items()})

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}\n\n"
            f"\taxes     : {list(self._data)}\n"
            f"\tshape    : {self.shape[::-1]}\n"
            f"\tndim     : {self.ndim}\n"
            f"\tframe : {self._frame}\n"
        )

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


def broadcast_to(value: Any, shape: tuple[int, ...]) -> Any:
    """Broadcast an array, Quantity or Time."""
    if value.shape == shape:
        return value
    if isinstance(value, Time):
        indices = np.broadcast_to(np.arange(value.size).reshape(value.shape), shape)
        return value.reshape(-1)[indices]
    return np.broadcast_to(value, shape, subok=True)
