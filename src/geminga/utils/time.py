"""Instants in FITS headers: a reference time kept as two numbers, and seconds (or days) from it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time, TimeDelta

from geminga.errors import FormatError

__all__ = ["absolute_time", "read_time", "time_ref_from_dict", "time_ref_to_dict", "time_relative_to_ref"]


def read_time(value: Any) -> Time:
    """Time of what users give: a text, such as ``"2020-01-01T12:00:00"``, or a time.

    Raises
    ------
    ValueError, TypeError
        If it is none.

    Examples
    --------
    >>> from geminga.utils.time import read_time
    >>> read_time("2020-01-01").iso
    '2020-01-01 00:00:00.000'
    """
    # Astropy's guess of the format leaves errors, and with them all that called, in memory; so it comes last.
    for form in ("iso", "isot") if isinstance(value, str) else ():
        with contextlib.suppress(ValueError):
            return Time(value, format=form)
    return Time(value)


def _number(meta: Mapping[str, Any], key: str) -> float:
    try:
        value = meta[key]
        # Fermi catalogues write the exponent with a D.
        return float(value.strip().replace("D", "E").replace("d", "e")) if isinstance(value, str) else float(value)
    except KeyError as error:
        msg = f"Time reference: keyword {key} is missing; MJDREFI and MJDREFF (or MJDREF) are expected."
        raise FormatError(msg) from error
    except ValueError as error:
        msg = f"Time reference: keyword {key} is {meta[key]!r}, expected a number."
        raise FormatError(msg) from error


def time_ref_from_dict(meta: Mapping[str, Any], format: str = "mjd", scale: str = "tt") -> Time:
    """Reference time of a FITS header.

    Parameters
    ----------
    meta : mapping
        Has ``MJDREFI`` and ``MJDREFF`` (or ``MJDREF``), and perhaps ``TIMESYS``.
    format : str
        Format of the result.
    scale : str
        Time scale if ``TIMESYS`` is absent.

    Raises
    ------
    FormatError
        If a keyword is missing or not a number.

    Examples
    --------
    >>> from geminga.utils.time import time_ref_from_dict
    >>> time_ref_from_dict({"MJDREFI": 51910, "MJDREFF": "7.428703703703703D-4", "TIMESYS": "TT"}).iso
    '2001-01-01 00:01:04.184'
    """
    if "MJDREFI" not in meta and "MJDREF" in meta:
        whole, part = _number(meta, "MJDREF"), 0.0
    else:
        whole, part = _number(meta, "MJDREFI"), _number(meta, "MJDREFF")
    system = str(meta.get("TIMESYS", scale)).strip().lower()
    if system not in Time.SCALES:
        msg = f"Keyword TIMESYS is {meta['TIMESYS']!r}; expected one of {', '.join(Time.SCALES)}."
        raise FormatError(msg)
    time = Time(whole, part, format="mjd", scale=system)
    time.format = format
    return time


def time_ref_to_dict(time: Time | None = None, scale: str = "tt") -> dict[str, Any]:
    """Keywords of a reference time, which is MJD 0 if not given.

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.utils.time import time_ref_to_dict
    >>> time_ref_to_dict(Time(51544.5, format="mjd", scale="tt"))
    {'MJDREFI': 51544, 'MJDREFF': 0.5, 'TIMESYS': 'tt'}
    """
    if time is None:
        time = Time(0, format="mjd", scale=scale)
    mjd = getattr(time, scale)
    # jd1 and jd2 keep more digits than mjd.
    whole = int(np.floor(mjd.mjd))
    part = float((mjd.jd1 - 2400000.5 - whole) + mjd.jd2)
    return {"MJDREFI": whole, "MJDREFF": part, "TIMESYS": scale}


def time_relative_to_ref(time: Time, meta: Mapping[str, Any]) -> TimeDelta:
    """Time since the reference time of a header, as a TimeDelta in seconds."""
    reference = time_ref_from_dict(meta)
    return TimeDelta(time - reference, format="sec")


def absolute_time(time_delta: Any, meta: Mapping[str, Any]) -> Time:
    """Instant of a duration (Quantity or TimeDelta) since the reference time of a header, in UTC.

    Raises
    ------
    FormatError
        If a keyword of the reference is missing.
    """
    delta = time_delta if isinstance(time_delta, TimeDelta) else u.Quantity(time_delta)
    time = (time_ref_from_dict(meta) + delta).utc
    time.format = "isot"
    return time
