"""Laws of background rates."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import UnitError
from geminga.irf import Background2D, Background3D, FoVAlignment
from geminga.maps import MapAxis
from tests.helpers import data_path, requires_data

HESS = "hess-dl3-dr1/data/hess_dl3_dr1_obs_id_020137.fits.gz"
ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=4)
OFFSET = MapAxis.from_bounds(0, 3, nbin=12, unit="deg", name="offset")
LON, LAT = (MapAxis.from_bounds(-3, 3, nbin=24, unit="deg", name=name) for name in ("fov_lon", "fov_lat"))


def radial():
    data = 10.0 ** -np.arange(4)[:, None] * np.exp(-0.5 * OFFSET.center.value**2)
    return Background2D([ENERGY, OFFSET], data=data, meta={"INSTRUME": "TEST"})


def steep():
    """Rate with a gradient over the field of view."""
    data = 10.0 ** -np.arange(4)[:, None, None] * (1 + 0.3 * LON.center.value[:, None] + 0 * LAT.center.value)
    return Background3D([ENERGY, LON, LAT], data=data)


def test_rates_are_interpolated_in_their_logarithm():
    bkg = radial()
    middle = ENERGY.pix_to_coord(0.5)
    value = bkg.evaluate(energy=middle, offset=OFFSET.center[2]).value
    assert_allclose(value, np.sqrt(bkg.data[0, 2] * bkg.data[1, 2]), rtol=1e-12)
    assert bkg.evaluate(energy=1 * u.TeV, offset=3.1 * u.deg) == 0
    assert bkg.evaluate(energy=11 * u.TeV, offset=1 * u.deg) == 0


def test_zero_stays_zero():
    bkg = radial()
    bkg.data = np.zeros_like(bkg.data)
    assert bkg.evaluate(energy=1 * u.TeV, offset=1 * u.deg) == 0


def test_radial_there_and_back():
    bkg = radial()
    cube = bkg.to_3d()
    assert cube.data.shape == (4, 24, 24)
    assert cube.meta["INSTRUME"] == "TEST"
    again = cube.to_2d()
    assert_allclose(again.axes["offset"].edges, OFFSET.edges, atol=1e-12)
    assert_allclose(again.data[:, :-1], bkg.data[:, :-1], rtol=0.02)


def test_mean_over_all_directions():
    # A slice along one direction would give 1 + 0.3 r.
    mean = steep().to_2d()
    expected = 10.0 ** -np.arange(4)[:, None] * np.ones(12)
    # The last bins of the table are above the offsets at which the rate would become negative.
    assert_allclose(mean.data[:, :8], expected[:, :8], rtol=0.02)


def test_centred_bin():
    lon = MapAxis.from_edges([-1.5, -0.5, 0.5, 1.5], unit="deg", name="fov_lon")
    bkg = Background3D([ENERGY, lon, lon.rename("fov_lat")], data=np.ones((4, 3, 3)))
    assert_allclose(bkg.to_2d().axes["offset"].edges.value, [0, 0.5, 1.5])


@requires_data(HESS)
def test_directions_of_a_file_agree_with_its_mean():
    bkg = Background3D.read(data_path(HESS))
    mean = bkg.to_2d()
    angle = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    rate = bkg.evaluate(energy=1 * u.TeV, fov_lon=2 * np.cos(angle) * u.deg, fov_lat=2 * np.sin(angle) * u.deg).mean()
    assert_allclose(mean.evaluate(energy=1 * u.TeV, offset=2 * u.deg).value, rate.value, rtol=5e-3)


@pytest.mark.parametrize("text", ["", "events per bin"])
def test_unknown_unit_is_assumed(text, caplog):
    table = radial().to_table()
    table["BKG"].unit = u.Unit(text, parse_strict="silent") if text else None
    with caplog.at_level(logging.WARNING):
        bkg = Background2D.from_table(table)
    assert bkg.unit == u.Unit("s-1 MeV-1 sr-1")
    assert "it is taken to be s-1 MeV-1 sr-1" in caplog.text


def test_unit_of_something_else():
    table = radial().to_table()
    table["BKG"].unit = "m2"
    with pytest.raises(UnitError, match="Background2D: the data are in 'm2', expected"):
        Background2D.from_table(table)


@pytest.mark.parametrize("alignment", list(FoVAlignment))
def test_alignment_is_kept(alignment):
    bkg = steep()
    bkg.fov_alignment = alignment
    again = Background3D.from_table(bkg.to_table())
    assert again.fov_alignment is alignment
    assert bkg.to_2d().fov_alignment is alignment


def test_old_name_of_the_column():
    table = steep().to_table()
    table.rename_column("BKG", "BGD")
    assert_allclose(Background3D.from_table(table).data, steep().data)


def test_missing_data_are_interpolated():
    bkg = radial()
    bkg.data[1, 3], bkg.data[2, 5] = 0, np.nan
    bkg.interp_missing_data(axis_name="energy")
    assert_allclose(bkg.data, radial().data, rtol=1e-10)
