"""Parts of fluxes and several of them joined."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, InputError, UnitError
from geminga.estimators import FluxMaps, FluxPoints
from geminga.maps import LabelMapAxis, MapAxis, TimeMapAxis
from tests.unit.flux.builders import ENERGY, MODEL, POWER_LAW, TIME, flux_maps, light_curve, spectrum_points


def test_slice_by_index_keeps_all_quantities_together():
    curve = light_curve()
    part = curve.slice_by_idx({"time": slice(1, 3), "energy": slice(0, 2)})
    assert part.norm.data.shape == (2, 2, 1, 1)
    assert part.stat_scan.data.shape == (2, 2, 11, 1, 1)
    assert part.counts.data.shape == (2, 2, 1, 1, 1)
    assert_allclose(part.dnde.data, curve.dnde.data[1:, :2])
    assert curve.slice_by_idx({"time": 1}).geom.axes.names == ["energy"]
    # Energies keep their bin, as fluxes have no meaning without.
    assert curve.slice_by_idx({"energy": -1}).energy_ref == ENERGY.center[-1]


def test_slice_by_energy_rounds_to_edges():
    part = spectrum_points().slice_by_energy("1.2 TeV", 9000 * u.GeV)
    assert_allclose(part.energy_axis.edges.value, [1, 3, 10])
    with pytest.raises(GeometryError, match="no energy bin lies between"):
        spectrum_points().slice_by_energy(100 * u.TeV, 300 * u.TeV)
    with pytest.raises(UnitError, match="energy_min"):
        spectrum_points().slice_by_energy(1 * u.m, 300 * u.TeV)


def test_slice_by_coord_keeps_bins_that_overlap():
    part = spectrum_points().slice_by_coord({"energy": slice(4 * u.TeV, 10 * u.TeV)})
    assert_allclose(part.energy_axis.edges.value, [3, 10])
    assert_allclose(spectrum_points().slice_by_coord({"energy": slice(None, "3 TeV")}).energy_axis.edges.value, [1, 3])
    with pytest.raises(GeometryError, match="no bin of axis 'energy' lies between 50"):
        spectrum_points().slice_by_coord({"energy": slice(50 * u.TeV, 60 * u.TeV)})


def test_slice_by_time_keeps_whole_intervals():
    part = light_curve().slice_by_time(TIME.time_min[0] + 10 * u.min, TIME.time_max[-1])
    assert_allclose(part.geom.axes["time"].edges_min.to_value("h"), [2, 5])
    assert_allclose(light_curve().slice_by_time(TIME.time_min[1], TIME.time_max[1]).norm.data, light_curve().norm.data[1:2])
    with pytest.raises(GeometryError, match="no bin of axis 'time' lies between 2021"):
        light_curve().slice_by_time(Time("2021-01-01"), Time("2021-02-01"))


def test_iter_by_axis():
    curve = light_curve()
    parts = list(curve.iter_by_axis("time"))
    assert len(parts) == 3
    assert_allclose(parts[2].flux.data, curve.flux.data[2])
    bands = list(curve.iter_by_axis("energy"))
    assert_allclose([band.flux.data[0, 0, 0, 0] for band in bands], curve.flux.data[0, :, 0, 0])


def test_stack_of_parts_is_the_whole():
    curve = light_curve()
    again = FluxPoints.from_stack(list(curve.iter_by_axis("time")), axis=TIME)
    assert again.available_quantities == curve.available_quantities
    assert_allclose(again.stat_scan.data, curve.stat_scan.data)
    assert_allclose(again.eflux_ul.data, curve.eflux_ul.data)
    assert again.gti == curve.gti
    assert "ref_dnde" not in again._data


def test_stack_keeps_the_reference_of_each():
    one, two = spectrum_points(MODEL), spectrum_points(POWER_LAW)
    both = FluxPoints.from_stack([one, two], axis=LabelMapAxis(["a", "b"], name="source"))
    assert_allclose(both.flux.data[0], one.flux.data)
    assert_allclose(both.flux.data[1], two.flux.data)
    assert_allclose(both.e2dnde.quantity[1].to_value("TeV cm-2 s-1"), two.e2dnde.quantity.to_value("TeV cm-2 s-1"))
    assert "ref_dnde" not in both.available_quantities


def test_stack_leaves_out_what_not_all_have(caplog):
    one = spectrum_points()
    less = FluxPoints({"norm": one.norm}, MODEL)
    with caplog.at_level(logging.WARNING):
        both = FluxPoints.from_stack([one, less], axis=MapAxis.from_nodes([1, 2], name="number"), meta={"n_sigma": 3})
    assert both.available_quantities == ["norm"]
    assert both.n_sigma == 3
    assert "norm_err" in caplog.text
    with pytest.raises(InputError, match="got no fluxes"):
        FluxPoints.from_stack([], axis=TIME)


def test_from_maps_assumes_a_power_law_and_says_so(caplog):
    dnde = spectrum_points().dnde
    with caplog.at_level(logging.WARNING):
        one = FluxMaps.from_maps({"dnde": dnde})
    assert "a power law of index 2 is assumed" in caplog.text
    assert_allclose(one.dnde.data, dnde.data)
    with pytest.raises(InputError, match="need a reference model"):
        FluxMaps.from_maps({"norm": spectrum_points().norm}, sed_type="likelihood")
    with pytest.raises(InputError, match="no map flux among dnde"):
        FluxMaps.from_maps({"dnde": dnde}, sed_type="flux")
    with pytest.raises(InputError, match="no map dnde, e2dnde, flux, eflux, norm among counts"):
        FluxMaps.from_maps({"counts": dnde})
    with pytest.raises(UnitError, match="dnde"):
        FluxMaps.from_maps({"dnde": dnde.copy(unit="cm-2 s-1")})


def test_to_maps_has_one_geometry():
    maps = light_curve().to_maps("flux")
    assert {"flux", "flux_err", "ts", "is_ul", "sqrt_ts"} <= set(maps)
    assert "stat_scan" not in maps


def test_flux_points_of_a_pixel():
    maps = flux_maps()
    points = maps.get_flux_points(SkyCoord(0.03, 0.02, unit="deg"))
    assert isinstance(points, FluxPoints)
    assert_allclose(points.norm.data.ravel(), [np.nan, 18.0])  # the fit of one failed
    points.filter_success_nan = False
    assert_allclose(points.norm.data.ravel(), [6, 18])
    assert points.success.data.dtype == bool
    assert points.geom.region is not None
    assert maps.get_flux_points().norm.data.shape == (2, 1, 1)
    assert_allclose(spectrum_points().get_flux_points().norm.data, spectrum_points().norm.data)
    with pytest.raises(GeometryError, match="lies outside the map"):
        maps.get_flux_points(SkyCoord(50, 0, unit="deg"))


def test_gaps_in_time_stay():
    gap = TimeMapAxis([0, 5] * u.h, [1, 6] * u.h, reference_time=TIME.reference_time)
    part = light_curve().slice_by_idx({"time": slice(None, None, 2)})
    assert part.geom.axes["time"].is_allclose(gap)
