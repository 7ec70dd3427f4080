from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.data import FixedPointingInfo, PointingInfo, PointingMode
from geminga.errors import DataError, FormatError, InputError, NameLookupError
from tests.helpers import data_path, requires_data

CRAB = SkyCoord(83.63, 22.01, unit="deg")
ZENITH = SkyCoord(alt=70 * u.deg, az=10 * u.deg, frame=AltAz())
SITE = EarthLocation(lon=16 * u.deg, lat=-23 * u.deg, height=1800 * u.m)
NOW = Time("2020-01-01")


class TestFixedPointing:
    def test_modes(self):
        assert FixedPointingInfo(fixed_icrs=CRAB).mode is PointingMode.POINTING
        assert FixedPointingInfo(fixed_altaz=ZENITH).mode is PointingMode.DRIFT
        assert FixedPointingInfo(CRAB).fixed_altaz is None
        assert FixedPointingInfo(CRAB.galactic).fixed_icrs.separation(CRAB).arcsec < 1e-6

    def test_positions_at_a_time(self):
        fixed, drift = FixedPointingInfo(CRAB), FixedPointingInfo(fixed_altaz=ZENITH)
        assert fixed.get_icrs() is fixed.fixed_icrs
        assert fixed.get_altaz(NOW, SITE).icrs.separation(CRAB).arcsec < 1e-3
        assert drift.get_altaz(NOW, SITE).alt.deg == 70
        times = NOW + [0, 12] * u.h
        assert drift.get_altaz(times, SITE).az.deg.tolist() == [10, 10]
        # Half a day later the sky has turned by half a circle (and half a degree).
        longitudes = drift.get_icrs(times, SITE).ra.deg
        assert (longitudes[1] - longitudes[0]) % 360 == pytest.approx(180.49, abs=0.05)

    @pytest.mark.parametrize("pointing", [FixedPointingInfo(CRAB), FixedPointingInfo(fixed_altaz=ZENITH)])
    def test_header_round_trip(self, pointing):
        other = FixedPointingInfo.from_fits_header(pointing.to_fits_header(time_ref=NOW))
        assert other.mode is pointing.mode
        for name in ("fixed_icrs", "fixed_altaz"):
            one, two = getattr(pointing, name), getattr(other, name)
            assert (one is None) == (two is None)
            if one is not None:
                assert_allclose([one.spherical.lon.deg, one.spherical.lat.deg], [two.spherical.lon.deg, two.spherical.lat.deg])

    def test_headers(self):
        assert FixedPointingInfo.from_fits_header({"OBS_MODE": "wobble", "RA_PNT": "1", "DEC_PNT": 2}).fixed_icrs.ra.deg == 1
        drift = {"OBS_MODE": "drift ", "ALT_PNT": 70, "AZ_PNT": 10}
        assert FixedPointingInfo.from_fits_header(drift).fixed_altaz.alt.deg == 70

    @pytest.mark.parametrize(
        "header",
        [
            {},
            {"RA_PNT": 1.0},
            {"RA_PNT": "", "DEC_PNT": 2.0},
            {"RA_PNT": float("nan"), "DEC_PNT": 2.0},
            {"RA_PNT": None, "DEC_PNT": 2.0},
            {"RA_PNT": 1.0, "DEC_PNT": 100.0},
            {"OBS_MODE": "DRIFT", "RA_PNT": 1.0, "DEC_PNT": 2.0},
        ],
    )
    def test_missing_keywords(self, header):
        with pytest.raises(FormatError, match="are required for pointing mode"):
            FixedPointingInfo.from_fits_header(header)

    def test_refusals(self):
        with pytest.raises(InputError, match="give exactly one"):
            FixedPointingInfo()
        with pytest.raises(ValueError, match="give exactly one"):
            FixedPointingInfo(CRAB, ZENITH)
        with pytest.raises(InputError, match="fixed_icrs is"):
            FixedPointingInfo(ZENITH)
        with pytest.raises(InputError, match="fixed_altaz is"):
            FixedPointingInfo(fixed_altaz=CRAB)
        with pytest.raises(InputError, match="needs obstime and location"):
            FixedPointingInfo(fixed_altaz=ZENITH).get_icrs(NOW)
        with pytest.raises(FormatError, match="version '0.4'"):
            FixedPointingInfo(CRAB).to_fits_header(version="0.4")

    def test_text(self):
        assert str(FixedPointingInfo(CRAB)).startswith("FixedPointingInfo:\n\nmode:        PointingMode.POINTING")

    @requires_data("tests/pointing_table.fits.gz")
    def test_file(self):
        assert FixedPointingInfo.read(data_path("tests/pointing_table.fits.gz")).fixed_icrs.dec.deg == pytest.approx(24.51444444)


def table(**columns) -> Table:
    default = {"TIME": [0.0, 10.0, 20.0] * u.s, "RA_PNT": [359.0, 1.0, 3.0] * u.deg, "DEC_PNT": [0.0, 0.0, 0.0] * u.deg}
    new = Table(default | columns)
    new.meta.update({"MJDREFI": 58849, "MJDREFF": 0.0, "TIMESYS": "utc", "GEOLON": 16.0, "GEOLAT": -23.0, "ALTITUDE": 1800.0})
    return new


class TestPointingTable:
    def test_interpolation(self):
        info = PointingInfo(table())
        # Half way across longitude zero.
        assert info.get_icrs(info.time_ref + 5 * u.s).ra.wrap_at("180d").deg == pytest.approx(0, abs=1e-9)
        assert info.get_icrs(info.time).ra.deg == pytest.approx([359, 1, 3])
        assert info.get_altaz(info.time[1]).icrs.separation(info.radec[1]).arcsec < 1e-3
        assert info.duration.sec == pytest.approx(20)

    def test_horizontal(self):
        info = PointingInfo(table())
        time = info.time_ref + 5 * u.s
        assert info.altaz_interpolate(time).separation(info.get_altaz(time)).deg < 1e-3
        with pytest.raises(FormatError, match="column AZ_PNT missing"):
            info.altaz_from_table  # noqa: B018

    def test_refusals(self):
        with pytest.raises(InputError, match="is outside"):
            PointingInfo(table()).get_icrs(Time("2021-01-01"))
        with pytest.raises(FormatError, match="column RA_PNT missing"):
            PointingInfo(Table({"TIME": [0.0], "DEC_PNT": [1.0]}))
        with pytest.raises(DataError, match="growing times"):
            PointingInfo(table(TIME=[0.0, 0.0, 1.0]))

    @requires_data("tests/pointing_table.fits.gz")
    def test_file(self):
        path = data_path("tests/pointing_table.fits.gz")
        info = PointingInfo.read(path)
        time = info.time[3] + 2 * u.s
        # Numbers of gammapy 2.1.
        interpolated = info.altaz_interpolate(time)
        assert (interpolated.az.deg, interpolated.alt.deg) == pytest.approx((11.20902001, 41.37864601), abs=1e-6)
        assert info.get_icrs(time).dec.deg == pytest.approx(24.51444444)
        assert info.altaz_from_table[0].alt.deg == pytest.approx(41.3, abs=0.2)
        assert "RADEC: 83.6333 24.5144 deg" in str(info)
        with pytest.raises(NameLookupError, match="has no HDU 'FOO'"):
            PointingInfo.read(path, hdu="FOO")

    def test_write_then_read(self, tmp_path):
        hdu = fits.BinTableHDU(table(), name="POINTING")
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "p.fits")
        assert np.allclose(PointingInfo.read(tmp_path / "p.fits").radec.ra.deg, [359, 1, 3])
