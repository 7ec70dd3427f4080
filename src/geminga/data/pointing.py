"""Where telescopes point: at one position, on the sky or in the horizontal frame, or along a table.

`FixedPointingInfo` is what an observation has. `PointingInfo` reads the positions that telescopes report along an observation.
"""

from __future__ import annotations

import html
from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.io import fits

from geminga.errors import FormatError, InputError
from geminga.utils.files import reading
from geminga.utils.fits_tables import read_tables
from geminga.utils.observers import earth_location
from geminga.utils.time import time_ref_to_dict

__all__ = ["FixedPointingInfo", "PointingMode"]


class PointingMode(Enum):
    """How telescopes follow the sky."""

    POINTING = auto()
    DRIFT = auto()

    @classmethod
    def from_text(cls, value: Any) -> PointingMode:
        """Mode of the keyword ``OBS_MODE``: all kinds of pointing (WOBBLE, SCAN, ON, ...) but DRIFT follow the sky."""
        return cls.DRIFT if str(value).strip().upper() == "DRIFT" else cls.POINTING


class FixedPointingInfo:
    """Fixed pointing: a position on the sky, or one in the horizontal frame for drift scans.

    Parameters
    ----------
    fixed_icrs : SkyCoord, optional
        Position on the sky.
    fixed_altaz : SkyCoord or AltAz, optional
        Position in the horizontal frame.

    Raises
    ------
    InputError
        Unless exactly one is given, in a frame that fits.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.data import FixedPointingInfo
    >>> FixedPointingInfo(SkyCoord(83.63, 22.01, unit="deg")).mode.name
    'POINTING'
    """

    def __init__(self, fixed_icrs: Any = None, fixed_altaz: Any = None) -> None:
        if (fixed_icrs is None) == (fixed_altaz is None):
            msg = f"FixedPointingInfo got fixed_icrs={fixed_icrs!r} and fixed_altaz={fixed_altaz!r}; give exactly one of the two."
            raise InputError(msg)
        self._altaz: SkyCoord | None = None
        self._icrs: SkyCoord | None = None
        if fixed_altaz is not None:
            if not (hasattr(fixed_altaz, "alt") and hasattr(fixed_altaz, "az")):
                msg = f"FixedPointingInfo: fixed_altaz is {fixed_altaz!r}; expected a SkyCoord in the frame AltAz."
                raise InputError(msg)
            self._altaz = fixed_altaz
        else:
            if not hasattr(fixed_icrs, "transform_to") or hasattr(fixed_icrs, "alt"):
                msg = f"FixedPointingInfo: fixed_icrs is {fixed_icrs!r}; expected a SkyCoord on the sky."
                raise InputError(msg)
            self._icrs = SkyCoord(fixed_icrs).icrs

    fixed_icrs = property(lambda self: self._icrs, doc="Position in ICRS, None for drift scans.")
    fixed_altaz = property(lambda self: self._altaz, doc="Position in the horizontal frame, None unless it is a drift scan.")

    @property
    def mode(self) -> PointingMode:
        """How telescopes follow the sky."""
        return PointingMode.DRIFT if self._icrs is None else PointingMode.POINTING

    @classmethod
    def from_fits_header(cls, header: Any) -> FixedPointingInfo:
        """Pointing of the header of an event list.

        Parameters
        ----------
        header : mapping
            With ``RA_PNT`` and ``DEC_PNT``, or for ``OBS_MODE = DRIFT`` with ``ALT_PNT`` and ``AZ_PNT``, in deg.

        Raises
        ------
        FormatError
            If these are missing or not finite numbers.
        """
        mode = PointingMode.from_text(header.get("OBS_MODE", "POINTING"))
        lon_key, lat_key = ("AZ_PNT", "ALT_PNT") if mode is PointingMode.DRIFT else ("RA_PNT", "DEC_PNT")
        try:
            lon, lat = (_degrees(header, key) for key in (lon_key, lat_key))
            if mode is PointingMode.DRIFT:
                return cls(fixed_altaz=SkyCoord(az=lon, alt=lat, frame=AltAz()))
            return cls(fixed_icrs=SkyCoord(lon, lat, frame="icrs"))
        except (KeyError, ValueError, TypeError) as error:
            where = f"Observation {header.get('OBS_ID', '')}".strip()
            found = {key: header.get(key) for key in (lon_key, lat_key)}
            msg = (
                f"{where}: keywords {lon_key} and {lat_key} (deg) are required for pointing mode {mode.name}, found {found}; "
                "correct the header, or give a pointing."
            )
            raise FormatError(msg) from error

    @classmethod
    def read(cls, filename: str | Path, hdu: str = "EVENTS") -> FixedPointingInfo:
        """Read from the header of an event list.

        Parameters
        ----------
        filename : str or Path
            FITS file.
        hdu : str
            HDU.

        Raises
        ------
        FormatError
            If the keywords are missing.
        """
        with reading(filename):
            return cls.from_fits_header(read_tables(filename)[hdu].header)

    def to_fits_header(self, format: str = "gadf", version: str = "0.3", time_ref: Any = None) -> fits.Header:
        """FITS header of the pointing.

        Parameters
        ----------
        format : {"gadf"}
            Format.
        version : {"0.2", "0.3"}
            Version of the format.
        time_ref : Time, optional
            Reference time to write along.

        Raises
        ------
        FormatError
            For another format or version.
        """
        if format != "gadf" or version not in {"0.2", "0.3"}:
            msg = f"Pointing format {format!r} version {version!r} is not known; expected 'gadf' version '0.2' or '0.3'."
            raise FormatError(msg)
        header = fits.Header()
        header["OBS_MODE"] = self.mode.name
        if self._icrs is not None:
            header["RA_PNT"] = self._icrs.ra.deg, "deg"
            header["DEC_PNT"] = self._icrs.dec.deg, "deg"
        elif self._altaz is not None:
            header["AZ_PNT"] = self._altaz.az.deg, "deg"
            header["ALT_PNT"] = self._altaz.alt.deg, "deg"
        if time_ref is not None:
            header.update(time_ref_to_dict(time_ref, time_ref.scale))
        return header

    def get_icrs(self, obstime: Any = None, location: EarthLocation | None = None) -> SkyCoord:
        """Pointing on the sky.

        Parameters
        ----------
        obstime : Time, optional
            When; needed for drift scans only.
        location : EarthLocation, optional
            Where; needed for drift scans only.

        Raises
        ------
        InputError
            If they are missing for a drift scan.
        """
        if self._icrs is not None:
            return self._icrs
        return self.get_altaz(obstime, location).icrs

    def get_altaz(self, obstime: Any = None, location: EarthLocation | None = None) -> SkyCoord:
        """Pointing in the horizontal frame.

        Parameters
        ----------
        obstime : Time
            When.
        location : EarthLocation
            Where.

        Raises
        ------
        InputError
            If one is missing.
        """
        if obstime is None or location is None:
            msg = f"Pointing ({self.mode.name}): the horizontal frame needs obstime and location, got {obstime} and {location}."
            raise InputError(msg)
        frame = AltAz(obstime=obstime, location=earth_location(location))
        if self._icrs is not None:
            return self._icrs.transform_to(frame)
        assert self._altaz is not None
        az, alt = (
            np.broadcast_to(u.Quantity(value, "deg"), frame.shape, subok=True) for value in (self._altaz.az, self._altaz.alt)
        )
        return SkyCoord(az=az, alt=alt, frame=frame)

    def __str__(self) -> str:
        coordinates = self._icrs if self._icrs is not None else self._altaz
        return f"FixedPointingInfo:\n\nmode:        {self.mode}\ncoordinates: {coordinates}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _degrees(header: Any, key: str) -> u.Quantity:
    """Finite angle of a keyword; a number is in deg."""
    value = u.Quantity(float(header[key]), "deg") if not isinstance(header[key], u.Quantity) else header[key].to("deg")
    if not abs(value.value) < float("inf"):
        msg = f"{key} is {value}"
        raise ValueError(msg)
    return value
