from __future__ import annotations

from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, InputError, NameLookupError, UnitError
from geminga.irf import IRF, IRF_REGISTRY, EDispKernelMap, FoVAlignment
from geminga.maps import MapAxis

ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=30, name="energy_true")
OFFSET = MapAxis.from_bounds(0, 5, nbin=5, unit="deg", name="offset")
RAD = MapAxis.from_bounds(0, 1, nbin=200, unit="deg", name="rad")


class Area(IRF):
    """Effective area of a test."""

    tag = "area"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset"]


def area(**kwargs) -> Area:
    # Linear in ln E and in offset, so that interpolation is exact.
    data = np.log(ENERGY.center.value)[:, None] + 10 - OFFSET.center.value
    return Area([ENERGY, OFFSET], data=data, unit="m2", **kwargs)


class TestEvaluate:
    @given(st.floats(0.2, 50), st.floats(0.6, 4.4))
    def test_linear_in_the_scale_of_the_axes(self, energy, offset):
        value = area().evaluate(energy_true=energy * u.TeV, offset=offset * u.deg)
        assert value.unit == "m2"
        assert float(value.value) == pytest.approx(np.log(energy) + 10 - offset)

    def test_continued_to_the_edge_and_zero_beyond(self):
        value = area().evaluate(energy_true=1 * u.TeV, offset=[0.1, 4.9, 5.1, -1] * u.deg)
        assert_allclose(value.value, [9.9, 5.1, 0, 0])
        assert np.isnan(area(interp_kwargs={"fill_value": np.nan}).evaluate(energy_true=1 * u.TeV, offset=6 * u.deg))
        free = area(interp_kwargs={"fill_value": None}).evaluate(energy_true=1 * u.TeV, offset=6 * u.deg)
        assert float(free.value) == pytest.approx(4)

    def test_broadcasts_and_converts(self):
        value = area().evaluate(energy_true=[[1e3], [2e3]] * u.GeV, offset=[60, 120, 180] * u.arcmin)
        assert value.shape == (2, 3)
        assert_allclose(value[0].value, [9, 8, 7])

    def test_nearest(self):
        value = area().evaluate(method="nearest", energy_true=ENERGY.center[3] * 1.01, offset=1.6 * u.deg)
        assert float(value.value) == area().data[3, 1]

    def test_one_bin_is_constant(self):
        one = Area([ENERGY, OFFSET.squash()], data=np.log(ENERGY.center.value)[:, None] + 10)
        assert_allclose(one.evaluate(energy_true=1 * u.TeV, offset=[0, 5] * u.deg).value, 10)

    def test_log_values(self):
        data = (ENERGY.center.value**-2.0)[:, None] * np.ones(5)
        steep = Area([ENERGY, OFFSET], data=data, interp_kwargs={"values_scale": "log"})
        assert float(steep.evaluate(energy_true=3 * u.TeV, offset=1 * u.deg).value) == pytest.approx(1 / 9)

    def test_refusals(self):
        with pytest.raises(InputError, match=r"missing \['offset'\], unknown \['angle'\]"):
            area().evaluate(energy_true=1 * u.TeV, angle=1 * u.deg)
        with pytest.raises(UnitError, match="cannot be converted to TeV"):
            area().evaluate(energy_true=1 * u.deg, offset=1 * u.deg)


class TestAlongAnAxis:
    def psf(self, sigma: float = 0.1) -> IRF:
        rad = RAD.center.value
        return IRF([RAD], data=np.exp(-0.5 * (rad / sigma) ** 2) / (2 * np.pi * np.deg2rad(sigma) ** 2), unit="sr-1")

    @given(st.floats(0, 0.9))
    def test_integral_over_rings(self, rad):
        assert self.psf().integral("rad", rad=rad * u.deg).to_value("") == pytest.approx(
            1 - np.exp(-0.5 * (rad / 0.1) ** 2), abs=1e-3
        )

    def test_integral_beyond_the_axis(self):
        assert self.psf().integral("rad", rad=7 * u.deg).to_value("") == pytest.approx(1, abs=1e-3)

    def test_cumsum_starts_at_zero(self):
        sums = self.psf().cumsum("rad").data
        assert sums[0] == 0
        assert (np.diff(sums) >= 0).all()
        assert len(sums) == 201

    def test_normalize(self):
        psf = self.psf()
        psf.data = psf.data * 7
        psf.normalize("rad")
        assert psf.cumsum("rad").data[-1] == pytest.approx(1)

    def test_integrate_log_log_is_exact_for_a_power_law(self):
        data = (ENERGY.center.value**-3.0)[:, None] * np.ones(5)
        rate = Area([ENERGY, OFFSET], data=data, unit="TeV-1", interp_kwargs={"values_scale": "log"})
        edges = np.array([1.0, 2, 5]) * u.TeV
        integral = rate.integrate_log_log("energy_true", energy_true=edges[:, None], offset=[1] * u.deg)
        assert_allclose(integral.to_value(""), [[(1 - 1 / 4) / 2], [(1 / 4 - 1 / 25) / 2]], rtol=1e-6)
        image = rate.integrate_log_log("energy_true", energy_true=edges[:, None, None], offset=[[1, 2]] * u.deg)
        assert image.shape == (2, 1, 2)
        with pytest.raises(InputError, match="must vary along one dimension"):
            rate.integrate_log_log("energy_true", energy_true=edges[:1], offset=1 * u.deg)

    def test_missing_data_between_neighbours(self):
        data = (ENERGY.center.value**-2.0)[:, None] * np.ones(5)
        broken = data.copy()
        broken[0] = broken[-1] = 0
        broken[5:8, 2] = 0
        broken[10, 3] = np.nan
        rate = Area([ENERGY, OFFSET], data=broken)
        rate.interp_missing_data("energy_true")
        assert_allclose(rate.data[1:-1], data[1:-1])
        assert (rate.data[[0, -1]] == 0).all()


class TestTransformations:
    def test_slice(self):
        part = area().slice_by_idx({"offset": slice(1, 3)})
        assert part.data.shape == (30, 2)
        assert_allclose(part.axes["offset"].edges.value, [1, 2, 3])
        with pytest.raises(InputError, match="give a slice"):
            area().slice_by_idx({"offset": 1})

    def test_pad(self):
        padded = area().pad(1, axis_name="offset", mode="edge")
        assert padded.data.shape == (30, 7)
        assert_allclose(padded.data[:, 0], area().data[:, 0])
        assert_allclose(padded.axes["offset"].edges.value, np.arange(-1, 7))

    def test_unit(self):
        other = area().to_unit("cm2")
        assert other.unit == "cm2"
        assert_allclose(other.data, area().data * 1e4)
        assert other.is_allclose(area())

    def test_comparison(self):
        assert area() == area()
        assert not area().is_allclose(Area([ENERGY, OFFSET], data=area().data * 1.1, unit="m2"))
        assert not area().is_allclose(Area([ENERGY, OFFSET], data=area().data, unit="s"))
        with pytest.raises(InputError, match="Cannot compare Area with IRF"):
            area().is_allclose(IRF([ENERGY, OFFSET]))

    def test_quantity(self):
        one = area()
        one.quantity = one.quantity.to("cm2")
        assert one.unit == "cm2"
        assert one == area()


class TestState:
    def test_defaults(self):
        one = Area([ENERGY, OFFSET])
        assert (one.data == 0).all()
        assert one.required_arguments == ["energy_true", "offset"]
        assert one.has_offset_axis
        assert not one.is_pointlike
        assert one.fov_alignment is FoVAlignment.RADEC
        assert Area([ENERGY, OFFSET], fov_alignment="ALTAZ").fov_alignment is FoVAlignment.ALTAZ

    def test_summary(self):
        assert (
            str(area())
            == "Area\n----\n\n  axes  : ['energy_true', 'offset']\n  shape : (30, 5)\n  ndim  : 2\n  unit  : m2\n  dtype : float64\n"
        )

    def test_refusals(self):
        with pytest.raises(GeometryError, match=r"data have shape \(3,\), the axes"):
            Area([ENERGY, OFFSET], data=np.ones(3))
        with pytest.raises(NameLookupError, match="Incorrect axis order or names"):
            Area([OFFSET, ENERGY])
        with pytest.raises(InputError, match="set 'quantity' instead"):
            area().data = 1 * u.m

    def test_registry(self):
        assert IRF_REGISTRY.get_cls("edisp_kernel_map") is EDispKernelMap
        with pytest.raises(NameLookupError, match="No class with tag 'x'"):
            IRF_REGISTRY.get_cls("x")
