from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import erf

from geminga.errors import InputError
from geminga.irf import PSFKernel
from geminga.maps import Map, MapAxis, WcsGeom

TRUE = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy_true")
GEOM = WcsGeom.create(binsz=0.02, width=2, axes=[TRUE])


def ramp() -> PSFKernel:
    """Kernel which widens with energy."""
    geom = WcsGeom.create(npix=(3, 3), binsz=0.1, axes=[TRUE])
    data = np.zeros((3, 3, 3))
    data[0, 1, 1] = 1
    data[1, 1] = 1
    data[2] = 1
    return PSFKernel(Map.from_geom(geom, data=data))


class TestGauss:
    def test_published_values(self):
        kernel = PSFKernel.from_gauss(GEOM, sigma="0.1 deg")
        assert kernel.data.shape == (3, 51, 51)
        assert kernel.data[0].max() == pytest.approx(0.00634635, rel=1e-5)
        row = PSFKernel.from_gauss(WcsGeom.create(binsz=0.05, width=2), sigma=0.1 * u.deg, max_radius=0.2 * u.deg).data[4]
        assert_allclose(row[:5], [0.00576563, 0.01360121, 0.02510615, 0.03626503, 0.04099414], rtol=1e-5)

    @given(st.floats(0.03, 0.2))
    def test_pixels_hold_the_integral(self, sigma):
        data = PSFKernel.from_gauss(WcsGeom.create(binsz=0.05, width=4), sigma=sigma * u.deg, factor=20).data
        half = data.shape[0] // 2
        edges = 0.05 * (np.arange(2 * half + 2) - half - 0.5)
        one = 0.5 * np.diff(erf(edges / (np.sqrt(2) * sigma)))
        expected = np.outer(one, one)
        assert_allclose(data, expected / expected.sum(), atol=2e-3 * expected.max())

    def test_refusals(self):
        with pytest.raises(InputError, match=r"sigma is 0.0 deg; expected a positive width"):
            PSFKernel.from_gauss(GEOM, sigma="0 deg")


class TestKernel:
    def test_normalised_for_each_energy(self):
        assert_allclose(ramp().data.sum(axis=(1, 2)), 1)
        raw = PSFKernel(Map.from_geom(GEOM, data=np.full(GEOM.data_shape, 2.0)), normalize=False)
        assert raw.data.max() == 2
        empty = PSFKernel(Map.from_geom(GEOM, data=np.zeros(GEOM.data_shape)))
        assert (empty.data == 0).all()

    def test_image_is_weighted_with_the_spectrum(self):
        weight = (1 / TRUE.edges_min - 1 / TRUE.edges_max).value
        weight = weight / weight.sum()
        expected = weight @ np.array([1, 1 / 3, 1 / 9])
        image = ramp().to_image()
        assert image.data.shape == (1, 3, 3)
        assert image.data[0, 1, 1] == pytest.approx(expected)
        assert ramp().to_image(keepdims=False).data.shape == (3, 3)

    def test_image_is_weighted_with_the_exposure(self):
        only_first = ramp().to_image(exposure=[1, 0, 0] * u.Unit("m2 s"))
        assert only_first.data[0, 1, 1] == pytest.approx(1)
        exposure = Map.from_geom(
            WcsGeom.create(npix=(1, 1), binsz=1, axes=[TRUE]), data=np.array([0, 0, 1.0])[:, None, None], unit="m2 s"
        )
        assert ramp().to_image(exposure=exposure).data[0, 1, 1] == pytest.approx(1 / 9)

    def test_image_of_a_function(self):
        image = ramp().to_image(spectral_model=lambda energy: (energy.value**-2) * u.Unit("TeV-1 cm-2 s-1"))
        assert image.data.sum() == pytest.approx(1)

    def test_slice(self):
        part = ramp().slice_by_idx({"energy_true": slice(1, 2)})
        assert part.data.shape == (1, 3, 3)
        assert part.data[0, 1, 1] == pytest.approx(1 / 3)

    def test_write_then_read(self, tmp_path):
        ramp().write(tmp_path / "kernel.fits")
        assert_allclose(PSFKernel.read(tmp_path / "kernel.fits").data, ramp().data)

    def test_of_a_spatial_model(self):
        from geminga.modeling.models import GaussianSpatialModel

        data = PSFKernel.from_spatial_model(GaussianSpatialModel(sigma="0.1 deg"), WcsGeom.create(binsz=0.05, width=2)).data
        assert data.shape == (21, 21)
        expected = [
            9.58445996e-05,
            4.72273858e-04,
            1.82022976e-03,
            5.48819673e-03,
            1.29467317e-02,
            2.38980683e-02,
            3.45200033e-02,
        ]
        assert_allclose(data[10, 3:10], expected, rtol=1e-5)
