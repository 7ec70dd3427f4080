"""Cubes of HEALPix maps as HERMES writes them become maps with the same values and the same flux."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from numpy.testing import assert_allclose

from geminga.errors import FormatError, MissingDependencyError
from geminga.modeling.models import TemplateSpatialModel, read_hermes_cube
from tests.helpers import data_path, requires_data

healpix = pytest.importorskip("astropy_healpix", reason="needs the extra hpx")

NSIDE = 16
UNIT = "GeV^-1 m^-2 s^-1 sr^-1"
BAD = -1.6375e30


def smooth(lon, lat, energy):
    """Some emission along the plane, at an energy in GeV."""
    return energy**-2.5 * np.exp(-0.5 * (lat.to_value("deg") / 25) ** 2) * (2 + np.cos(lon.to_value("rad") - 0.5))


def write(path, energies=(10.0, 1.0, 100.0), order="RING", covered=lambda lon, lat: lat.deg < 1e3, **headers):
    """A file of maps; `headers` change that of the last."""
    lon, lat = healpix.healpix_to_lonlat(np.arange(12 * NSIDE**2), NSIDE, order=order.lower())
    hdus = [fits.PrimaryHDU()]
    for energy in energies:
        values = np.where(covered(lon, lat), smooth(lon, lat, energy), BAD)
        hdu = fits.BinTableHDU.from_columns([fits.Column("TFLOAT", "1E", unit=UNIT, array=values)], name="xtension")
        hdu.header.update({"PIXTYPE": "HEALPIX", "ORDERING": order, "COORDSYS": "G", "NSIDE": NSIDE, "BAD_DATA": BAD})
        hdu.header["ENERGY"] = u.Quantity(energy, "GeV").to_value("J")
        hdus.append(hdu)
    for key, value in headers.items():
        hdus[-1].header[key] = value
        if value is None:
            del hdus[-1].header[key]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize("order", ["RING", "NESTED"])
def test_values_energies_and_flux(order, tmp_path):
    cube = read_hermes_cube(write(tmp_path / "cube.fits", order=order))
    axis = cube.geom.axes["energy_true"]
    assert cube.unit == u.Unit(UNIT)
    assert cube.geom.is_allsky
    assert_allclose(axis.center.to_value("GeV"), [1, 10, 100])  # in order, whatever that of the file
    coords = cube.geom.to_image().get_coord(frame="galactic", sparse=False)
    for data, energy in zip(cube.data, [1, 10, 100], strict=True):
        expected = smooth(coords.lon, coords.lat, energy)
        assert_allclose(data, expected, atol=0.01 * expected.max())
        area = cube.geom.to_image().solid_angle().value
        assert_allclose(np.sum(data * area), np.sum(expected * area), rtol=2e-3)
    model = TemplateSpatialModel(cube, normalize=False)
    value = model(40 * u.deg, 10 * u.deg, 3 * u.GeV)
    assert_allclose(value.to_value(UNIT), smooth(40 * u.deg, 10 * u.deg, 3), rtol=0.01)


@pytest.mark.parametrize("center", [0.0, 120.0, 355.0])
def test_part_of_the_sky(center, tmp_path):
    """The map is as large as what is covered, and NaN where a corner is not."""

    def covered(lon, lat):
        away = (lon.to_value("deg") - center + 180) % 360 - 180
        return np.hypot(away, lat.to_value("deg") + 10) < 20

    cube = read_hermes_cube(write(tmp_path / "cube.fits", covered=covered))
    width, height = np.ravel(cube.geom.width.to_value("deg"))[[0, -1]]
    assert 38 < width < 50
    assert 38 < height < 50
    away = abs((cube.geom.center_skydir.l.deg - center + 180) % 360 - 180)
    assert away < 4
    assert np.isnan(cube.data[:, 0, 0]).all()
    coords = cube.geom.to_image().get_coord(frame="galactic", sparse=False)
    inside = np.isfinite(cube.data[0])
    assert 0.6 < inside.mean() < 0.9
    assert_allclose(cube.data[0][inside], smooth(coords.lon, coords.lat, 1)[inside], rtol=0.06)


def test_a_band_around_the_sky(tmp_path):
    """Rows of the map are parallels, so that a band away from the equator is one too."""
    cube = read_hermes_cube(write(tmp_path / "cube.fits", covered=lambda lon, lat: abs(lat.to_value("deg") + 40) < 15))
    coords = cube.geom.to_image().get_coord(frame="galactic", sparse=False)
    lat = coords.lat.to_value("deg")
    assert_allclose(lat - lat[:, :1], 0, atol=1e-9)
    assert -60 < lat.min() < -53
    assert -27.5 < lat.max() < -20
    assert_allclose(cube.data[0], smooth(coords.lon, coords.lat, 1), rtol=0.25)
    inner = abs(lat + 40) < 11
    assert_allclose(cube.data[0][inner], smooth(coords.lon, coords.lat, 1)[inner], rtol=0.03)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"energies": (1.0,)}, "holds 1 HEALPix maps"),
        ({"energies": (1.0, 1.0)}, "share an energy"),
        ({"NSIDE": 32}, "3072 pixels .* all 12288"),
        ({"NSIDE": None}, "NSIDE"),
        ({"ENERGY": None}, "ENERGY"),
        ({"COORDSYS": "X"}, "COORDSYS"),
        ({"ORDERING": "SPIRAL"}, "RING or NESTED"),
        ({"ORDERING": "NESTED"}, "differ in grid"),
        ({"PIXTYPE": "OTHER", "energies": (1.0, 10.0)}, "holds 1 HEALPix maps"),
    ],
)
def test_refusals(changes, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read_hermes_cube(write(tmp_path / "cube.fits", **changes))


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    path = write(tmp_path / "cube.fits")
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingDependencyError, match=r"geminga\[hpx\]"):
        read_hermes_cube(path)


FILE = "tests/hermes/hermes-VariableMin-pi0-Htot_CMZ_nside256.fits.gz"


@requires_data(FILE)
def test_a_real_file():
    cube = read_hermes_cube(data_path(FILE))
    assert cube.data.shape == (18, 132, 1572)
    assert_allclose(cube.geom.axes["energy_true"].edges[[0, -1]].to_value("GeV"), [0.1995, 794.3], rtol=1e-3)
    with fits.open(data_path(FILE)) as hdus:
        values = hdus[1].data["TFLOAT"].astype(float)
    total = values[values > BAD / 2].sum() * 4 * np.pi / len(values)
    assert_allclose(np.nansum(cube.data[0] * cube.geom.to_image().solid_angle().value), total, rtol=0.01)
