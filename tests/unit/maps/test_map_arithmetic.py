"""Operators of maps."""

from __future__ import annotations

import operator

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geminga.errors import GeometryError, UnitError
from geminga.maps import Map, MapAxis, Maps, RegionNDMap, WcsGeom, WcsNDMap

AXIS = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
GEOM = WcsGeom.create(npix=(4, 3), binsz=1, axes=[AXIS])
VALUES = np.arange(1.0, 25.0).reshape(GEOM.data_shape)


def cube(unit: str = "", values: np.ndarray = VALUES) -> WcsNDMap:
    return WcsNDMap(GEOM, data=values.copy(), unit=unit)


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize("other_unit", ["m2", "cm2"])
def test_operators_agree_with_quantities(op: object, other_unit: str) -> None:
    one, other = cube("cm2"), cube(other_unit, VALUES[::-1])
    result = op(one, other)  # type: ignore[operator]
    expected = op(one.quantity, other.quantity)  # type: ignore[operator]
    assert_allclose(result.quantity.to_value(expected.unit), expected.value)
    with_quantity = op(one, other.quantity)  # type: ignore[operator]
    assert_allclose(with_quantity.quantity.to_value(expected.unit), expected.value)


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
def test_comparisons_convert_units(op: object) -> None:
    result = op(cube("cm2"), 5e-4 * u.m**2)  # type: ignore[operator]
    assert result.is_mask
    assert result.unit == ""
    assert_array_equal(result.data, op(VALUES, 5.0))  # type: ignore[operator]


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_reflected_and_in_place(op: object) -> None:
    one = cube()
    assert_allclose(op(3, one).data, op(3, VALUES))  # type: ignore[operator]
    assert_allclose(op(np.float64(3), one).data, op(3, VALUES))  # type: ignore[operator]
    in_place = {operator.add: operator.iadd, operator.sub: operator.isub, operator.mul: operator.imul}.get(op, operator.itruediv)  # type: ignore[call-overload]
    before = one.data
    same = in_place(one, 3)
    assert same is one
    assert_allclose(one.data, op(VALUES, 3))  # type: ignore[operator]
    assert_array_equal(before, VALUES)


def test_quantity_on_the_left() -> None:
    assert (2 * u.m * cube("s")).unit == "m s"
    assert ((2 * u.m) / cube("s")).unit == "m / s"


def test_masks() -> None:
    low, high = cube() > 5, cube() < 10
    assert_array_equal((low & high).data, (VALUES > 5) & (VALUES < 10))
    assert_array_equal((low | high).data, (VALUES > 5) | (VALUES < 10))
    assert_array_equal((low ^ high).data, (VALUES > 5) ^ (VALUES < 10))
    assert_array_equal((~low).data, VALUES <= 5)
    assert (cube("m2") * low).unit == "m2"


def test_single_precision_is_kept_between_maps() -> None:
    one = WcsNDMap(GEOM, dtype="float32")
    assert (one + one).data.dtype == "float32"
    assert (one * 2).data.dtype == "float64"


def test_zero_needs_no_unit() -> None:
    assert (cube("cm2") > 0).data.all()


@given(st.sampled_from(["m", "", "TeV"]), st.sampled_from([operator.add, operator.sub, operator.lt, operator.ge]))
def test_wrong_units_are_refused(unit: str, op: object) -> None:
    with pytest.raises(UnitError, match="do not convert"):
        op(cube("cm2"), 3 * u.Unit(unit))  # type: ignore[operator]


def test_wrong_geometries_are_refused() -> None:
    other = WcsNDMap(WcsGeom.create(npix=(4, 3), binsz=1.1, axes=[AXIS]))
    spectrum = RegionNDMap.create(None, axes=[AXIS])
    for wrong in (other, spectrum, cube().sum_over_axes()):
        with pytest.raises(GeometryError, match="Inconsistent geometries"):
            cube() + wrong
    with pytest.raises(GeometryError, match=r"shape \(5,\) does not fit"):
        cube() + np.ones(5)
    with pytest.raises(TypeError):
        cube() + "a"
    assert (cube() == None) is False  # noqa: E711


def test_is_allclose() -> None:
    assert cube("m2").is_allclose(cube("cm2", VALUES * 1e4))
    assert not cube("m2").is_allclose(cube("s"))
    assert not cube().is_allclose(cube(values=VALUES + 1))
    assert cube().is_allclose(cube(values=VALUES + 1), atol=2)
    with pytest.raises(GeometryError, match="Cannot compare"):
        cube().is_allclose(RegionNDMap.create(None, axes=[AXIS]))


def test_to_unit_and_quantity() -> None:
    assert_allclose(cube("m2").to_unit("cm2").data, VALUES * 1e4)
    with pytest.raises(UnitError, match="convertible to 's'"):
        cube("m2").to_unit("s")
    one = cube()
    one.quantity = VALUES * u.s
    assert one.unit == "s"
    assert_array_equal(one.quantity.value, VALUES)


def test_maps_collection() -> None:
    maps = Maps(a=cube("m2"), b=cube())
    assert maps.geom == GEOM
    assert list(maps) == ["a", "b"]
    assert "unit\t : m2" in str(maps)
    del maps["a"]
    assert len(maps) == 1
    maps["c"] = cube().sum_over_axes()
    maps["d"] = cube().sum_over_axes(keepdims=False)
    with pytest.raises(GeometryError, match="'e' has other pixels"):
        maps["e"] = cube().crop(1)
    made = Maps.from_geom(GEOM, names=["x", "y"], kwargs_list=[{"unit": "s"}, {"dtype": "int"}])
    assert made["x"].unit == "s"
    assert made["y"].data.dtype == int


def test_create_refuses_unknown_kinds() -> None:
    with pytest.raises(ValueError, match="Unrecognized map type: 'foo'"):
        Map.create(map_type="foo")
