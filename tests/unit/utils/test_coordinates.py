from __future__ import annotations

import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.utils.coordinates import FoVAltAzFrame, FoVICRSFrame, fov_to_sky, sky_to_fov

ORIGIN = SkyCoord(83, 22, unit="deg")
AROUND = SkyCoord([84, 83, 82, 83], [22, 23, 22, 21.0], unit="deg")
SITE = EarthLocation(lon=16 * u.deg, lat=-23 * u.deg, height=1800 * u.m)
NOW = Time("2020-01-01")


def altaz_frame():
    here = AltAz(obstime=NOW, location=SITE)
    return FoVAltAzFrame(origin=ORIGIN.transform_to(here), obstime=NOW, location=SITE)


def test_is_minus_the_offset_frame():
    fov, offset = AROUND.transform_to(FoVICRSFrame(origin=ORIGIN)), AROUND.transform_to(ORIGIN.skyoffset_frame())
    assert_allclose(fov.fov_lon.deg, -offset.lon.wrap_at("180d").deg, atol=1e-12)
    assert_allclose(fov.fov_lat.deg, offset.lat.deg, atol=1e-12)


def test_numbers_of_gammapy():
    fov = AROUND.galactic.transform_to(FoVICRSFrame(origin=ORIGIN))
    assert_allclose(fov.fov_lon.deg, [-0.92717725, 0, 0.92717725, 0], atol=1e-8)
    fov = AROUND.transform_to(altaz_frame())
    assert_allclose(fov.fov_lon.deg, [-0.73717176, -0.60923793, 0.73348013, 0.60923662], atol=1e-5)
    assert_allclose(fov.fov_lat.deg, [0.56241507, -0.79303905, -0.56722366, 0.79304015], atol=1e-5)


@pytest.mark.parametrize("frame", [FoVICRSFrame(origin=ORIGIN), altaz_frame()])
def test_there_and_back(frame):
    fov = AROUND.transform_to(frame)
    assert_allclose(SkyCoord(fov).icrs.separation(AROUND).arcsec, 0, atol=1e-5)
    assert_allclose(SkyCoord(0 * u.deg, 0 * u.deg, frame=frame).icrs.separation(ORIGIN).arcsec, 0, atol=1e-5)
    assert_allclose(fov.fov_lat.deg**2 + fov.fov_lon.deg**2, AROUND.separation(ORIGIN).deg ** 2, rtol=1e-3)


def test_functions_agree_with_the_frame():
    lon, lat = sky_to_fov(AROUND.ra, AROUND.dec, ORIGIN.ra, ORIGIN.dec)
    fov = AROUND.transform_to(FoVICRSFrame(origin=ORIGIN))
    assert_allclose([lon.deg, lat.deg], [fov.fov_lon.deg, fov.fov_lat.deg], atol=1e-12)
    back = fov_to_sky(lon, lat, ORIGIN.ra, ORIGIN.dec)
    assert_allclose([back[0].deg, back[1].deg], [AROUND.ra.deg, AROUND.dec.deg])


def test_other_times_are_brought_to_that_of_the_frame():
    later = AROUND.transform_to(AltAz(obstime=NOW + 1 * u.h, location=SITE))
    fov = SkyCoord(later).transform_to(altaz_frame())
    assert_allclose(fov.fov_lat.deg, AROUND.transform_to(altaz_frame()).fov_lat.deg, atol=1e-5)
