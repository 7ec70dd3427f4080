"""Limits from profiles, and points of joined bins, against the likelihood they come from."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq, minimize_scalar

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators import FluxPoints
from geminga.maps import MapAxis, RegionNDMap, TimeMapAxis
from tests.unit.flux.builders import BACKGROUND, COUNTS, MODEL, POWER_LAW, SIGNAL, TIME, light_curve, spectrum_points


def best(counts, which=slice(None)):
    """Statistic of several bins as a function of one norm, the best norm, and the statistic there."""

    def function(norm):
        mu = BACKGROUND[which] + norm * SIGNAL[which]
        return float(np.sum(2 * (mu - counts * np.log(mu))))

    found = minimize_scalar(function, bounds=(0, 5), method="bounded", options={"xatol": 1e-12})
    return function, float(found.x), float(found.fun)


@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_limits_are_those_of_the_likelihood(sigma):
    found = spectrum_points().recompute_ul(n_sigma_ul=sigma)
    for i, n in enumerate(COUNTS[0][:2]):
        function, norm, low = best(n, which=[i])
        expected = brentq(lambda x: function(x) - low - sigma**2, norm, norm + 10)  # noqa: B023
        assert_allclose(found.norm_ul.data.ravel()[i], expected, rtol=2e-3)
    assert found.n_sigma_ul == sigma


def test_limits_need_profiles():
    points = FluxPoints({"norm": spectrum_points().norm}, MODEL)
    with pytest.raises(InputError, match="there is no 'stat_scan'"):
        points.recompute_ul()
    with pytest.raises(InputError, match="n_sigma_ul is -1; expected a positive number"):
        spectrum_points().recompute_ul(n_sigma_ul=-1)


def test_limits_of_points_without_profile_are_nan():
    points = spectrum_points()
    points.stat_scan.data[1] = np.nan
    limits = points.recompute_ul().norm_ul.data.ravel()
    assert np.isnan(limits).tolist() == [False, True, False]


def test_joined_energies_are_one_fit():
    wide = spectrum_points().resample_axis(MapAxis.from_energy_edges([1, 10, 30], unit="TeV"))
    function, norm, low = best(COUNTS[0][:2], which=slice(0, 2))
    assert_allclose(wide.norm.data.ravel()[0], norm, rtol=1e-4)
    assert_allclose(wide.stat.data.ravel()[0], low, atol=1e-3)
    upper = brentq(lambda x: function(x) - low - 1, norm, norm + 5)
    lower = brentq(lambda x: function(x) - low - 1, norm - 0.5, norm)
    limit = brentq(lambda x: function(x) - low - 4, norm, norm + 5)
    assert_allclose(wide.norm_errp.data.ravel()[0], upper - norm, rtol=5e-3)
    assert_allclose(wide.norm_errn.data.ravel()[0], norm - lower, rtol=5e-3)
    assert_allclose(wide.norm_ul.data.ravel()[0], limit, rtol=2e-3)
    assert_allclose(wide.norm_err.data.ravel()[0], 0.5 * (upper - lower), rtol=2e-2)
    assert_allclose(wide.ts.data.ravel()[0], function(0) - low, rtol=1e-3)
    assert wide.n_dof.data.ravel().tolist() == [2, 1]
    assert wide.counts.data.ravel().tolist() == [160, 4]
    assert wide.stat_scan.data.shape == (2, 11, 1, 1)


def test_joined_times():
    day = TimeMapAxis([0] * u.h, [10] * u.h, reference_time=TIME.reference_time)
    one = light_curve().resample_axis(day)
    assert one.norm.data.shape == (1, 3, 1, 1)
    expected = (COUNTS.mean(axis=0) - BACKGROUND) / SIGNAL
    assert_allclose(one.norm.data.ravel()[:2], expected[:2], rtol=1e-3)
    assert_allclose(one.geom.axes["time"].edges_max.to_value("h"), [6])
    assert_allclose(one.flux.data.ravel()[0], expected[0] * light_curve().flux_ref.ravel()[0].value, rtol=1e-3)


def test_bins_without_fit_are_left_out():
    points = spectrum_points()
    points.success.data[0] = False
    wide = points.resample_axis(MapAxis.from_energy_edges([1, 10, 30], unit="TeV"))
    assert_allclose(wide.norm.data.ravel()[0], points.norm.data.ravel()[1], rtol=1e-6)
    points.success.data[1] = False
    none = points.resample_axis(MapAxis.from_energy_edges([1, 10, 30], unit="TeV"))
    assert np.isnan(none.norm.data.ravel()).tolist() == [True, False]
    assert np.isnan(none.stat_scan.data[0]).all()
    assert none.success.data.ravel().tolist() == [False, True]
    assert none.n_dof.data.ravel().tolist() == [0, 1]


def test_one_bin_joined_with_nothing_stays():
    points = spectrum_points()
    same = points.resample_axis(points.energy_axis)
    for name in ("norm", "stat", "ts"):
        assert_allclose(getattr(same, name).data, getattr(points, name).data, rtol=1e-9, err_msg=name)


def test_references_of_a_file_survive_joined_times():
    curve = FluxPoints.from_table(light_curve().to_table())
    day = TimeMapAxis([0] * u.h, [10] * u.h, reference_time=TIME.reference_time)
    one = curve.resample_axis(day)
    assert_allclose(one.flux_ref.ravel(), light_curve().flux_ref.ravel())
    curve._data["ref_dnde"].data[1] *= 2
    with pytest.raises(InputError, match="relative to different references"):
        curve.resample_axis(day)


def test_scans_with_their_own_nodes_are_left_out(caplog):
    points = spectrum_points()
    table = points.to_table(sed_type="dnde")
    other = FluxPoints.from_table(table, reference_model=POWER_LAW)
    with caplog.at_level(logging.WARNING):
        wide = other.resample_axis(MapAxis.from_energy_edges([1, 10], unit="TeV"))
    assert "the sum of the scans is left out" in caplog.text
    assert not wide.has_stat_profiles


def test_axes_must_fit():
    with pytest.raises(NameLookupError, match="time"):
        spectrum_points().resample_axis(TIME)
    with pytest.raises(GeometryError, match="the new one center"):
        spectrum_points().resample_axis(MapAxis.from_nodes([1, 2], name="energy", unit="TeV"))
    late = TimeMapAxis([100] * u.h, [110] * u.h, reference_time=TIME.reference_time)
    with pytest.raises(GeometryError, match="No interval of axis 'time' lies inside"):
        light_curve().resample_axis(late)
    plain = FluxPoints({"norm": RegionNDMap.from_geom(spectrum_points().geom)}, MODEL)
    with pytest.raises(InputError, match="there is no 'stat_scan'"):
        plain.resample_axis(MapAxis.from_energy_edges([1, 10], unit="TeV"))
