"""Coordinates in the field of view against those of astropy."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.numerics.field_of_view import field_coordinates, offset_angle, rotation_rate
from geminga.numerics.sphere import unit_vector

NORTH = np.array([0.0, 0.0, 1.0])
POINTING = SkyCoord(83.63, 22.01, unit="deg")
POINTS = SkyCoord([83.63, 84, 80, 90, 83.63], [22.01, 23, 19, 22.01, -60], unit="deg")


def vector(sky):
    return unit_vector(sky.icrs.ra.rad, sky.icrs.dec.rad)


def test_offset():
    assert_allclose(offset_angle(vector(POINTS), vector(POINTING)), POINTS.separation(POINTING).rad, atol=1e-14)


def test_right_ascension():
    lon, lat = field_coordinates(vector(POINTS), vector(POINTING), NORTH)
    offset = POINTS.transform_to(POINTING.skyoffset_frame())
    assert_allclose(lon, offset.lon.wrap_at("180d").rad, atol=1e-13)
    assert_allclose(lat, offset.lat.rad, atol=1e-13)


def test_horizon():
    # Azimuth grows the other way round.
    location = EarthLocation(lon=16.5 * u.deg, lat=-23.27 * u.deg, height=1800 * u.m)
    frame = AltAz(obstime=Time("2020-01-01T22:00:00"), location=location)
    zenith = vector(SkyCoord(0 * u.deg, 90 * u.deg, frame=frame))
    lon, lat = field_coordinates(vector(POINTS[:4]), vector(POINTING), zenith)
    offset = POINTS[:4].transform_to(frame).transform_to(POINTING.transform_to(frame).skyoffset_frame())
    # Aberration is left out: it moves the whole field, and its change over it is below an arcsecond.
    assert_allclose(lon, -offset.lon.wrap_at("180d").rad, atol=3e-5)
    assert_allclose(lat, offset.lat.rad, atol=3e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_at_the_pole(sign):
    lon, lat = field_coordinates(vector(POINTS), sign * NORTH, NORTH)
    assert np.isfinite(lon).all()
    assert np.isfinite(lat).all()


def test_rotation_rate():
    location = EarthLocation(lon=16.5 * u.deg, lat=-23.27 * u.deg, height=1800 * u.m)
    times = Time("2020-01-01T22:00:00") + [0, 600] * u.s
    angles = []
    for time in times:
        frame = AltAz(obstime=time, location=location)
        zenith = vector(SkyCoord(0 * u.deg, 90 * u.deg, frame=frame))
        lon, lat = field_coordinates(zenith, vector(POINTING), NORTH)
        angles.append(np.arctan2(np.sin(lon) * np.cos(lat), np.sin(lat)))
    altaz = POINTING.transform_to(AltAz(obstime=times[0] + 300 * u.s, location=location))
    assert_allclose(abs(angles[1] - angles[0]) / 600, rotation_rate(altaz.az.rad, altaz.alt.rad, location.lat.rad), rtol=2e-3)
