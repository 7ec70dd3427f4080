"""Numbers of spectral and spatial models, axes and geometries obtained with gammapy 2.1, and exact ones where that is rough."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.maps import Map, MapAxis, RegionGeom, WcsGeom
from geminga.modeling.models import (
    SPECTRAL_MODEL_REGISTRY,
    DiskSpatialModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    LogParabolaSpectralModel,
    PiecewiseNormSpectralModel,
    PointSpatialModel,
    PowerLaw2SpectralModel,
    PowerLawSpectralModel,
    Shell2SpatialModel,
    ShellSpatialModel,
    TemplateSpatialModel,
    TemplateSpectralModel,
    create_crab_spectral_model,
)
from tests.helpers import data_path, requires_data

SPECTRAL = json.loads((Path(__file__).parents[2] / "data" / "spectral_reference.json").read_text())
LON = [0, 0.1, 0.3, 0.5, 1] * u.deg


def energies(text):
    if not text.startswith("["):
        return u.Quantity(text)
    numbers, unit = re.fullmatch(r"\[(.*)\] (\S+)", text).groups()
    return u.Quantity([float(x) for x in numbers.split(",")], unit)


@pytest.mark.parametrize("case", SPECTRAL, ids=[case["id"] for case in SPECTRAL])
def test_spectral(case):
    model = SPECTRAL_MODEL_REGISTRY.get_cls(case["model"])(**case["parameters"])
    kind = case["id"].rsplit(".", 1)[1]
    function = {"dnde": model, "integral": model.integral, "energy_flux": model.energy_flux}[kind]
    value = function(*(energies(text) for text in case["at"].values()))
    assert_allclose(value.to_value(case["unit"]), case["value"], rtol=case["rtol"])


def test_spectral_features():
    ecpl = ExpCutoffPowerLawSpectralModel(index=1.7, lambda_="0.1 TeV-1", alpha=0.7)
    assert_allclose(ecpl.e_peak.to_value("TeV"), 2.980704190549818, rtol=1e-6)
    lp = LogParabolaSpectralModel(reference="2 TeV", alpha=2.2, beta=0.15)
    assert_allclose(lp.e_peak.to_value("TeV"), 1.0268342380651834, rtol=1e-6)
    crab = create_crab_spectral_model("hess_pl")
    assert_allclose(crab.integral(1 * u.TeV, 10 * u.TeV).to_value("cm-2 s-1"), 2.066947304215621e-11, rtol=1e-6)
    pl = PowerLawSpectralModel(index=2.3, amplitude="3e-12 cm-2 s-1 TeV-1")
    assert_allclose(pl.inverse(1e-13 * u.Unit("cm-2 s-1 TeV-1")).to_value("TeV"), 4.387596006113678, rtol=1e-6)
    pl.covariance = [[1e-2, 1e-15, 0], [1e-15, 1e-26, 0], [0, 0, 0]]
    assert_allclose(pl.pivot_energy.to_value("TeV"), 1.033895113513574, rtol=1e-6)


def test_tables():
    template = TemplateSpectralModel([1, 10, 100] * u.TeV, [1, 0.01, 1e-5] * u.Unit("TeV-1 s-1 cm-2"))
    expected = [4.0, 0.11111111111111115, 0.00037037037037037084, 3.7037037037037095e-07]
    assert_allclose(template([0.5, 3, 30, 300] * u.TeV).value, expected, rtol=1e-6)
    norm = PiecewiseNormSpectralModel([1, 10, 100] * u.TeV, norms=[1, 2, 0.5])
    expected = [1.0, 1.3919633777718028, 1.0322250093107332, 0.5]
    assert_allclose(u.Quantity(norm([0.5, 3, 30, 300] * u.TeV)).value, expected, rtol=1e-6)


def test_power_law_2_at_its_pole():
    """Index 1 is the logarithm, where gammapy 2.1 gives NaN, and neighbours agree with it."""
    model = PowerLaw2SpectralModel(amplitude="1e-11 cm-2 s-1", index=1.0, emin="1 TeV", emax="10 TeV")
    assert_allclose(model(2 * u.TeV).value, 1e-11 / np.log(10) / 2, rtol=1e-12)
    model.index.value = 1 + 1e-9
    assert_allclose(model(2 * u.TeV).value, 1e-11 / np.log(10) / 2, rtol=1e-8)


CENTRE = {"lon_0": "0 deg", "lat_0": "0 deg"}
GAUSS = GaussianSpatialModel(sigma="0.3 deg", **CENTRE)
ELLIPSE = GaussianSpatialModel(sigma="0.3 deg", e=0.8, phi="30 deg", **CENTRE)
SHELL = ShellSpatialModel(radius="0.4 deg", width="0.2 deg", **CENTRE)
SHELL2 = Shell2SpatialModel(r_0="0.6 deg", eta=0.3, **CENTRE)
DISK = DiskSpatialModel(r_0="0.4 deg", **CENTRE)
GENERAL = GeneralizedGaussianSpatialModel(r_0="0.3 deg", eta=0.3, **CENTRE)


@pytest.mark.parametrize(
    ("model", "expected", "rtol"),
    [
        (GAUSS, [5805.289460885644, 5491.567915702811, 3521.086046533768, 1447.5699154725544, 22.4456657789976], 1e-6),
        (ELLIPSE, [9675.46032995985, 8499.123949844665, 3012.9741286253916, 378.654715376124, 0.022702085187977915], 1e-6),
        (SHELL, [2062.4007545440722, 2106.8418165263884, 2629.9745885202933, 3420.104735084276, 0.0], 1e-6),
        (SHELL2, [1988.1082869780505, 2028.8249349190962, 2492.6070356612045, 3663.2273502791168, 0.0], 1e-6),
    ],
    ids=["gauss", "ellipse", "shell", "shell2"],
)
def test_density(model, expected, rtol):
    assert_allclose(model(LON, 0 * u.deg).to_value("sr-1"), expected, rtol=rtol)


@pytest.mark.parametrize(("model", "radius"), [(GAUSS, 1.5), (SHELL, 0.6), (DISK, 0.4444), (GENERAL, 1.02)])
def test_evaluation_radius(model, radius):
    assert_allclose(model.evaluation_radius.to_value("deg"), radius, rtol=1e-6)


@pytest.mark.parametrize("model", [GAUSS, ELLIPSE, SHELL, SHELL2, DISK, GENERAL], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("binsz", [0.03, 0.05, 0.11])
def test_sums_to_one(model, binsz):
    """On any pixels, where gammapy 2.1 is off by up to a percent."""
    geom = WcsGeom.create(skydir=(0, 0), width=6, binsz=binsz)
    assert_allclose(model.integrate_geom(geom).data.sum(), 1, atol=1e-4)


def test_point_weights():
    geom = WcsGeom.create(npix=(5, 5), binsz=0.1, skydir=(0, 0))
    weights = PointSpatialModel(lon_0="0.03 deg", lat_0="0.02 deg").integrate_geom(geom).data[1:4, 1:4]
    assert_allclose(weights, [[0, 0, 0], [0.24, 0.56, 0], [0.06, 0.14, 0]], atol=1e-9)


def test_pixel_narrower_than_the_source_is_averaged():
    geom = WcsGeom.create(npix=(11, 11), binsz=0.1, skydir=(0, 0))
    centre = GaussianSpatialModel(sigma="0.05 deg", **CENTRE).integrate_geom(geom).data[5, 5]
    assert_allclose(centre, 0.4691489629924791, rtol=1e-4)


@requires_data("fermi-3fhl-gc/gll_iem_v06_gc.fits.gz")
def test_diffuse_template():
    model = TemplateSpatialModel.read(data_path("fermi-3fhl-gc/gll_iem_v06_gc.fits.gz"), normalize=False)
    value = model([0.3] * u.deg, [0.2] * u.deg, [10] * u.GeV)
    assert_allclose(value.to_value("MeV-1 s-1 sr-1 cm-2"), 7.837873940885747e-10, rtol=1e-4)


def test_axes():
    axis = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=4)
    assert_allclose(axis.center.value, [1.778279410038923, 5.623413251903492, 17.78279410038923, 56.234132519034915])
    assert_allclose(axis.coord_to_pix([1, 3, 100, 200] * u.TeV), [-0.5, 0.45424250943932476, 3.5, 4.102059991327962])
    assert axis.coord_to_idx([0.5, 1, 3, 99, 200] * u.TeV).tolist() == [-1, 0, 0, 3, -1]
    assert MapAxis.from_edges([1, 2, 3]).coord_to_idx([0.5, 1, 2, 3, 3.5]).tolist() == [-1, 0, 1, -1, -1]
    nodes = MapAxis.from_nodes([1, 10, 100] * u.TeV, interp="log", name="energy")
    assert_allclose(nodes.edges.value, [0.31622776601, 3.1622776601, 31.622776601, 316.22776601])
    per_decade = MapAxis.from_energy_bounds("0.3 TeV", "50 TeV", nbin=5, per_decade=True)
    assert per_decade.nbin == 12
    assert_allclose(per_decade.edges[1].value, 0.4594892096912426)
    table = MapAxis.from_energy_bounds("1 TeV", "100 TeV", nbin=8).group_table([2, 15, 60] * u.TeV)
    rows = [(str(r["bin_type"]).strip(), int(r["idx_min"]), int(r["idx_max"])) for r in table]
    assert rows == [("underflow", 0, 0), ("normal", 1, 4), ("normal", 5, 6), ("overflow", 7, 7)]


def test_geometry():
    geom = WcsGeom.create(skydir=(83.63, 22.01), width=(5, 3), binsz=0.02, proj="TAN")
    pix = [float(np.ravel(v)[0]) for v in geom.coord_to_pix((84, 22.5))]
    assert_allclose(pix, [107.40741711123528, 99.02171828555296], rtol=1e-8)
    assert [int(WcsGeom.create(width=(w, h), binsz=0.3).npix[0][0]) for w, h in [(1, 1), (4.45, 1)]] == [3, 15]
    position = SkyCoord(86.2, 22.01, unit="deg")
    sizes = {"trim": [31, 50], "partial": [50, 50]}
    for mode, expected in sizes.items():
        assert [int(n) for n in np.ravel(geom.cutout(position, 1 * u.deg, mode=mode).npix)] == expected
    odd = geom.cutout(position, 1 * u.deg, mode="partial", odd_npix=True)
    assert [int(n) for n in np.ravel(odd.npix)] == [51, 51]
    circle = CircleSkyRegion(SkyCoord(83.63, 22.01, unit="deg"), 0.5 * u.deg)
    assert geom.region_mask([circle]).data.sum() == 1976
    assert_allclose(geom.upsample(2).wcs.wcs.crpix, [250.5, 150.5])
    assert_allclose(geom.downsample(2).wcs.wcs.crpix, [63, 38])
    assert [int(n) for n in np.ravel(geom.to_binsz(0.2).npix)] == [25, 15]


def test_map_numbers():
    axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy")
    own = Map.create(npix=(4, 4), binsz=1, axes=[axis])
    own.data = np.arange(32, dtype=float).reshape(2, 4, 4)
    assert_allclose(own.downsample(2).data[0], [[10, 18], [42, 50]])
    assert_allclose(own.resample_axis(axis.squash()).data.sum(), 496)
    value = own.interp_by_coord({"lon": 0.5 * u.deg, "lat": 0.5 * u.deg, "energy": 3 * u.TeV}, method="linear")
    assert_allclose(np.ravel(value), 16.267880151029196)


def test_two_circles_are_not_equal():
    centre = SkyCoord(0, 0, unit="deg")
    one, other = (RegionGeom.create(CircleSkyRegion(centre, r * u.deg)) for r in (0.5, 0.6))
    assert one != other
    assert one == RegionGeom.create(CircleSkyRegion(centre, 0.5 * u.deg))
