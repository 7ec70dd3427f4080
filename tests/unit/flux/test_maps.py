"""State of fluxes: what is derived, filtered, refused and printed."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, InputError, UnitError
from geminga.estimators import FluxMaps, FluxMetaData, FluxPoints
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.unit.flux.builders import ENERGY, MODEL, POWER_LAW, SIGNAL, flux_maps, light_curve, spectrum_points

GEOM = RegionGeom.create(None, axes=[ENERGY])


def points(**values):
    maps = {}
    for name, value in values.items():
        array = np.array(value)
        maps[name] = RegionNDMap.from_geom(GEOM, data=array.reshape(3, 1, 1), dtype=array.dtype)
    return FluxPoints(maps, MODEL)


def flags(fluxes):
    return fluxes.is_ul.data.ravel().tolist()


def test_print():
    assert str(flux_maps()) == (
        "FluxMaps\n"
        "--------\n"
        "\n"
        "  geom                   : WcsGeom\n"
        "  axes                   : ['lon', 'lat', 'energy']\n"
        "  shape                  : (4, 3, 2)\n"
        "  quantities             : ['norm', 'norm_err', 'norm_ul', 'ts', 'success']\n"
        "  ref. model             : pl\n"
        "  n_sigma                : 1\n"
        "  n_sigma_ul             : 2\n"
        "  sqrt_ts_threshold_ul   : 3\n"
        "  sed type init          : likelihood\n"
    )
    assert flux_maps()._repr_html_().startswith("<pre>FluxMaps")


def test_upper_limits_by_significance():
    one = points(norm=[1, np.nan, 1], norm_ul=[2, 2, np.nan], ts=[9.0, 1.0, 1.0])
    assert flags(one) == [False, True, True]
    one.sqrt_ts_threshold_ul = 5
    assert flags(one) == [True, True, True]
    assert one.meta["sqrt_ts_threshold_ul"] == 5
    with pytest.raises(InputError, match="sqrt_ts_threshold_ul is 'high'; expected a number"):
        one.sqrt_ts_threshold_ul = "high"


def test_upper_limits_without_significance_are_limits_without_value():
    assert flags(points(norm=[1, np.nan, 0.2], norm_ul=[2, 2, np.nan])) == [False, True, False]
    assert flags(points(norm=[1.0, np.nan, 0.2])) == [False, False, False]


def test_upper_limits_as_told():
    one = points(norm=[1.0, 1.0, 1.0], ts=[9.0, 9.0, 1.0], is_ul=[True, False, False])
    assert flags(one) == [True, False, False]
    one.sqrt_ts_threshold_ul = 2  # decides anew
    assert flags(one) == [False, False, True]
    one.is_ul = np.array([True, True, False]).reshape(3, 1, 1)
    assert flags(one) == [True, True, False]
    one.is_ul = RegionNDMap.from_geom(GEOM, data=np.zeros((3, 1, 1), dtype=bool))
    assert flags(one) == [False, False, False]
    with pytest.raises(InputError, match="is_ul holds float64; expected a map or an array of bool"):
        one.is_ul = np.ones((3, 1, 1))
    with pytest.raises(GeometryError, match=r"is_ul has shape \(3,\); expected \(3, 1, 1\)"):
        one.is_ul = np.ones(3, dtype=bool)
    assert flags(points(norm=[1.0, 1.0, 1.0], is_ul=[1.0, 0.0, np.nan])) == [True, False, False]


def test_significances():
    one = points(norm=[1.0, -1.0, np.nan], ts=[9.0, 4.0, 1.0])
    assert_allclose(one.sqrt_ts.data.ravel(), [3, -2, 1])
    root = points(norm=[1.0, -1.0, 1.0], sqrt_ts=[3.0, -2.0, 1.0])
    assert_allclose(root.ts.data.ravel(), [9, 4, 1])
    stats = points(norm=[1.0, 1.0, 1.0], stat=[1.0, 2.0, 3.0], stat_null=[5.0, 5.0, 5.0])
    assert_allclose(stats.ts.data.ravel(), [4, 3, 2])
    assert not stats.has_any_ts
    with pytest.raises(AttributeError, match="'ts' is not defined"):
        _ = points(norm=[1.0, 1.0, 1.0]).sqrt_ts


def test_failed_fits_give_nan_unless_asked_for():
    one = points(norm=[1.0, 2.0, 3.0], norm_err=[0.1, 0.1, 0.1], success=[True, False, True])
    assert np.isnan(one.norm.data.ravel()).tolist() == [False, True, False]
    assert np.isnan(one.dnde_err.data.ravel()).tolist() == [False, True, False]
    one.filter_success_nan = False
    assert_allclose(one.norm.data.ravel(), [1, 2, 3])
    assert one.copy().filter_success_nan is False
    assert np.isnan(points(norm=[1.0, 2.0, 3.0], success=[1.0, 0.0, np.nan]).norm.data).sum() == 2


def test_predicted_counts():
    one = spectrum_points()
    assert one.npred_excess_ref.data.shape == (3, 1, 1, 1)
    assert_allclose(one.npred_excess_ref.data.ravel(), SIGNAL)
    assert_allclose(one.npred_background.data.ravel(), [20, 10, 3])
    assert_allclose(one.npred_excess_err.data.ravel(), SIGNAL * one.norm_err.data.ravel())
    assert_allclose(one.npred_excess_ul.data.ravel(), SIGNAL * one.norm_ul.data.ravel())


def test_scan_counts_from_the_best_norm():
    curve = light_curve()
    assert curve.ts_scan.geom == curve.stat_scan.geom
    expected = curve.stat_scan.data[1, 2, 4, 0, 0] - curve.stat.data[1, 2, 0, 0]
    assert_allclose(curve.ts_scan.data[1, 2, 4, 0, 0], expected)


def test_traits_and_energies():
    one = spectrum_points()
    assert one.has_ul
    assert one.has_any_ts
    assert one.has_stat_profiles
    assert one.has_success
    assert one.n_sigma == 1
    assert one.n_sigma_ul == 2
    assert one.sed_type_init == "likelihood"
    assert one.sed_type_plot_default == "dnde"
    assert FluxPoints.from_maps({"flux": one.flux}, reference_model=MODEL).sed_type_plot_default == "flux"
    assert one.energy_ref[0] == ENERGY.center[0]
    assert one.energy_min[1] == ENERGY.edges[1]
    assert one.energy_max[1] == ENERGY.edges[2]
    assert one.reference_spectral_model is MODEL.spectral_model
    assert one.reference_model_default.spectral_model.index.value == 2


def test_copy_is_independent_and_another_reference_is_noted(caplog):
    one = spectrum_points()
    two = one.copy()
    two.norm.data += 1
    two.meta["n_sigma_ul"] = 9
    assert one.n_sigma_ul == 2
    assert_allclose(two.norm.data, one.norm.data + 1)
    with caplog.at_level(logging.WARNING):
        other = one.copy(reference_model=POWER_LAW)
    assert "changes all fluxes" in caplog.text
    assert_allclose(other.norm.data, one.norm.data)
    assert_allclose(other.dnde_ref.ravel(), POWER_LAW.spectral_model(ENERGY.center))


def test_reference_may_be_a_spectrum_but_not_nothing():
    one = FluxPoints({"norm": spectrum_points().norm}, PowerLawSpectralModel())
    assert isinstance(one.reference_model, SkyModel)
    with pytest.raises(InputError, match="need a reference model, got None"):
        FluxPoints({"norm": spectrum_points().norm}, None)


def test_bad_data_are_refused():
    norm = spectrum_points().norm
    with pytest.raises(InputError, match="data have no map 'norm'"):
        FluxMaps({"ts": norm}, MODEL)
    with pytest.raises(InputError, match="quantity 'dnde' cannot be stored"):
        FluxMaps({"norm": norm, "dnde": norm}, MODEL)
    with pytest.raises(InputError, match="quantity 'ts' is a list; expected a Map"):
        FluxMaps({"norm": norm, "ts": [1]}, MODEL)
    other = RegionNDMap.create(None, axes=[MapAxis.from_energy_edges([1, 2], unit="TeV")])
    with pytest.raises(GeometryError, match="quantity 'ts' has the geometry"):
        FluxMaps({"norm": norm, "ts": other}, MODEL)
    with pytest.raises(GeometryError, match="expected one named 'energy'"):
        FluxMaps({"norm": Map.create(npix=2)}, MODEL)
    with pytest.raises(UnitError, match="data to|unit"):
        FluxMaps({"norm": norm.copy(unit="s")}, MODEL)


def test_metadata():
    meta = FluxMetaData(sed_type="dnde", n_sigma=1, n_sigma_ul=2, sqrt_ts_threshold_ul=3)
    header = meta.to_header()
    assert header["SED_TYPE"] == "dnde"
    again = FluxMetaData.from_header(header)
    assert (again.sed_type, again.n_sigma, again.n_sigma_ul, again.sqrt_ts_threshold_ul) == ("dnde", 1, 2, 3)
