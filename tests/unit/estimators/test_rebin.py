"""Coarser axes: which bins are joined."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError, NameLookupError
from geminga.estimators import FluxPoints
from geminga.estimators.utils import get_rebinned_axis
from geminga.maps import MapAxis, RegionGeom, RegionNDMap, TimeMapAxis
from geminga.modeling.models import PowerLawSpectralModel
from tests.unit.flux.builders import TIME, light_curve, single_band_light_curve, spectrum_points


def points(axis, **values):
    geom = RegionGeom.create(
        None, axes=[axis] if axis.name == "energy" else [MapAxis.from_energy_edges([1, 10], unit="TeV"), axis]
    )
    maps = {
        name: RegionNDMap.from_geom(geom, data=np.array(value, dtype=float).reshape(geom.data_shape))
        for name, value in values.items()
    }
    return FluxPoints(maps, PowerLawSpectralModel())


ENERGY = MapAxis.from_energy_edges([1, 2, 4, 8, 16, 32], unit="TeV")


def test_groups_of_a_size():
    axis = get_rebinned_axis(points(ENERGY, norm=np.ones(5)), method="fixed-bins", group_size=2)
    assert_allclose(axis.edges.value, [1, 4, 16, 32])
    time = get_rebinned_axis(light_curve(), axis_name="time", method="fixed-bins", group_size=2)
    assert_allclose(time.edges_min.to_value("h"), [0, 5])
    assert_allclose(time.edges_max.to_value("h"), [3, 6])


def test_groups_of_a_significance():
    one = points(ENERGY, norm=np.ones(5), ts=[np.nan, 10, 3, 8, 2])
    assert_allclose(get_rebinned_axis(one, method="min-ts", ts_threshold=10).edges.value, [1, 4, 16, 32])
    assert_allclose(get_rebinned_axis(one, method="min-ts", ts_threshold=1e9).edges.value, [1, 32])
    assert_allclose(get_rebinned_axis(one, method="min-ts", ts_threshold=23).edges.value, [1, 32])


def test_blocks_of_constant_flux():
    axis = TimeMapAxis(np.arange(8) * u.h, np.arange(1, 9) * u.h, reference_time=TIME.reference_time)
    curve = points(axis, norm=[1, 1.1, 0.9, 1, 3, 3.1, 2.9, 3], norm_err=np.full(8, 0.1))
    found = get_rebinned_axis(curve, axis_name="time", method="bayesian-blocks")
    assert_allclose(found.edges_min.to_value("h"), [0, 4])
    assert_allclose(found.edges_max.to_value("h"), [4, 8])
    with pytest.raises(InputError, match="needs one axis with several bins"):
        get_rebinned_axis(light_curve(), axis_name="time", method="bayesian-blocks")


def test_points_can_be_joined_on_it():
    axis = get_rebinned_axis(spectrum_points(), method="min-ts", ts_threshold=100)
    wide = spectrum_points().resample_axis(axis)
    assert wide.energy_axis.nbin == axis.nbin
    curve = single_band_light_curve()
    blocks = get_rebinned_axis(curve, axis_name="time", method="bayesian-blocks", p0=0.5)
    assert curve.resample_axis(blocks).geom.axes["time"].nbin == blocks.nbin


def test_bad_options_are_refused():
    one = points(ENERGY, norm=np.ones(5))
    with pytest.raises(NameLookupError, match="method 'foo' is not known; expected one of fixed-bins, min-ts, bayesian-blocks"):
        get_rebinned_axis(one, method="foo")
    with pytest.raises(InputError, match=r"options are \[\]; the method 'fixed-bins' has the options group_size"):
        get_rebinned_axis(one, method="fixed-bins")
    with pytest.raises(InputError, match="group_size is 0; expected a positive integer"):
        get_rebinned_axis(one, method="fixed-bins", group_size=0)
    with pytest.raises(NameLookupError, match="time"):
        get_rebinned_axis(one, axis_name="time", method="fixed-bins", group_size=2)
    with pytest.raises(NameLookupError, match="'ts' is not defined"):
        get_rebinned_axis(one, method="min-ts", ts_threshold=3)
