"""Observations which have not been made: for simulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.time import Time

from geminga.data.gti import GTI
from geminga.data.metadata import ObservationMetaData
from geminga.errors import DataError, InputError
from geminga.utils.metadata import CreatorMetaData, ObsInfoMetaData, PointingInfoMetaData, TargetMetaData, TimeInfoMetaData
from geminga.utils.observers import earth_location
from geminga.utils.units import as_quantity

if TYPE_CHECKING:
    from geminga.data.observation import Observation

__all__ = ["create"]

_REFERENCE = Time("2000-01-01 00:00:00")


def create(
    cls: type[Observation],
    pointing: Any,
    location: Any = None,
    obs_id: Any = 0,
    livetime: Any = None,
    tstart: Any = None,
    tstop: Any = None,
    irfs: dict[str, Any] | None = None,
    deadtime_fraction: float = 0.0,
    reference_time: Any = _REFERENCE,
) -> Observation:
    """Make an observation without events.

    Parameters
    ----------
    pointing : FixedPointingInfo or SkyCoord
        Where it points.
    location : EarthLocation or str, optional
        Where the telescopes stand.
    obs_id : int or str
        Identifier.
    livetime : Quantity or str, optional
        Length of the observation, dead time included (the name is historical); not needed with `tstop`.
    tstart, tstop : Time or Quantity, optional
        Limits, as times or as durations since the reference time; arrays for several intervals. It starts at the reference
        time by default.
    irfs : dict, optional
        Response functions: ``aeff``, ``edisp``, ``psf``, ``bkg``, ``rad_max``.
    deadtime_fraction : float
        Fraction of dead time.
    reference_time : Time
        Reference of elapsed times.

    Raises
    ------
    InputError
        If there is neither livetime nor tstop, or a response function has another name.
    DataError
        If it stops before it starts, or the deadtime fraction is not between 0 and 1.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.data import FixedPointingInfo, Observation
    >>> pointing = FixedPointingInfo(SkyCoord(83.63, 22.51, unit="deg"))
    >>> observation = Observation.create(pointing, livetime="1 h", deadtime_fraction=0.1, location="hess")
    >>> print(observation.observation_live_time_duration.round(6))
    3240.0 s
    """
    from geminga.data.pointing import FixedPointingInfo

    irfs = dict(irfs or {})
    unknown = set(irfs) - set(cls._IRFS)
    if unknown:
        msg = f"Observation.create: unknown response functions {sorted(unknown)}, expected some of {', '.join(cls._IRFS)}."
        raise InputError(msg)
    if not isinstance(pointing, FixedPointingInfo):
        pointing = FixedPointingInfo(fixed_icrs=pointing)
    place = None if location is None else earth_location(location)
    gti = _intervals(livetime, tstart, tstop, Time(reference_time))
    radec, altaz = pointing.fixed_icrs, pointing.fixed_altaz
    meta = ObservationMetaData(
        obs_info=ObsInfoMetaData(obs_id=obs_id, observation_mode=pointing.mode.name),
        pointing=PointingInfoMetaData(radec_mean=radec, altaz_mean=altaz),
        target=TargetMetaData(),
        location=place,
        deadtime_fraction=deadtime_fraction,
        time_info=TimeInfoMetaData(gti.time_start[0], gti.time_stop[-1], gti.time_ref),
        creation=CreatorMetaData(),
    )
    return cls(obs_id=obs_id, meta=meta, gti=gti, pointing=pointing, location=place, **irfs)


def _intervals(livetime: Any, tstart: Any, tstop: Any, reference: Time) -> GTI:
    start = _since(0 if tstart is None else tstart, reference, "tstart")
    if tstop is not None:
        stop = _since(tstop, reference, "tstop")
    elif livetime is not None:
        length = as_quantity(livetime, u.s, "livetime")
        if not (length.value >= 0).all():
            msg = f"Observation.create: livetime is {livetime}, expected 0 s or more."
            raise DataError(msg)
        stop = start + length
    else:
        msg = "Observation.create got neither livetime nor tstop; give one of them."
        raise InputError(msg)
    start, stop = np.broadcast_arrays(np.atleast_1d(start), np.atleast_1d(stop), subok=True)
    return GTI.create(start, stop, reference_time=reference)


def _since(value: Any, reference: Time, name: str) -> u.Quantity:
    if isinstance(value, Time):
        return u.Quantity((value - reference).sec, "s")
    return as_quantity(value, u.s, f"Observation.create: {name}")
