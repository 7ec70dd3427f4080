from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.errors import FormatError, GeometryError, InputError, UnsupportedError
from geminga.irf import EDispKernel, EDispKernelMap, EDispMap
from geminga.irf.edisp.migra import gauss_density
from geminga.maps import Map, MapAxis, MapCoord, WcsGeom
from tests.helpers import data_path, requires_data

GC = "cta-1dc-gc/cta-1dc-gc.fits.gz"
TRUE = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=10, name="energy_true")
RECO = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=12, name="energy")
MIGRA = MapAxis.from_bounds(0.2, 5, nbin=480, name="migra")
IMAGE = WcsGeom.create(skydir=(0, 0), npix=(4, 3), binsz=1, frame="galactic")
CENTER = SkyCoord(0, 0, unit="deg", frame="galactic")


def varying(seed: int = 0) -> EDispMap:
    """Resolution and exposure that differ from pixel to pixel."""
    rng = np.random.default_rng(seed)
    geom = IMAGE.to_cube([MIGRA, TRUE])
    sigma = rng.uniform(0.1, 0.3, (10, 1, 3, 4))
    data = np.exp(-0.5 * ((MIGRA.center.value[:, None, None] - 1) / sigma) ** 2)
    exposure = Map.from_geom(geom.squash("migra"), data=rng.uniform(1, 2, (10, 1, 3, 4)), unit="m2 s")
    edisp = EDispMap(Map.from_geom(geom, data=data), exposure)
    edisp.normalize()
    return edisp


def gauss_migra(true: MapAxis, sigma: float, bias: float) -> EDispMap:
    """The same Gaussian for all energies and places."""
    axis = MapAxis.from_bounds(1 / 3, 3, nbin=200, name="migra")
    density = gauss_density(axis.edges.value, sigma, bias, true.nbin, 1e-6, "test")
    geom = IMAGE.to_cube([axis, true])
    return EDispMap(Map.from_geom(geom, data=np.ones(geom.data_shape) * density[:, :, None, None]))


class TestDiagonal:
    def test_no_dispersion(self):
        for axis in (
            None,
            MapAxis.from_bounds(0.2, 5, nbin=48, name="migra"),
            MapAxis.from_bounds(0.2, 5, nbin=47, name="migra"),
        ):
            edisp = EDispMap.from_diagonal_response(TRUE, migra_axis=axis)
            width = edisp.edisp_map.geom.axes["migra"].bin_width.value
            assert_allclose((edisp.edisp_map.data[:, :, 0, 0] * width).sum(axis=1), 1)
        same = TRUE.copy(name="energy")
        assert_allclose(EDispMap.from_diagonal_response(TRUE).get_edisp_kernel(same).pdf_matrix, np.eye(10), atol=1e-6)

    def test_mean_migration_is_one(self):
        edisp = EDispMap.from_diagonal_response(TRUE, migra_axis=MapAxis.from_bounds(0.2, 5, nbin=48, name="migra"))
        axis = edisp.edisp_map.geom.axes["migra"]
        mean = (edisp.edisp_map.data[0, :, 0, 0] * axis.bin_width.value * axis.center.value).sum()
        assert mean == pytest.approx(1)

    def test_axis_must_hold_one(self):
        with pytest.raises(InputError, match="it must contain 1"):
            EDispMap.from_diagonal_response(TRUE, migra_axis=MapAxis.from_bounds(2, 5, nbin=3, name="migra"))

    def test_kernels(self):
        edisp = EDispKernelMap.from_diagonal_response(RECO, TRUE)
        expected = EDispKernel.from_diagonal_response(TRUE, RECO).pdf_matrix
        assert_allclose(edisp.get_edisp_kernel().pdf_matrix, expected)
        assert edisp.edisp_map.geom.axes.names == ["energy", "energy_true"]


class TestKernels:
    def test_kernel_map_holds_the_kernels(self):
        edisp = varying()
        kernels = edisp.to_edisp_kernel_map(RECO)
        for x, y in ((0, 0), (2, 1), (3, 2)):
            position = SkyCoord(*IMAGE.pix_to_coord((x, y)), frame="galactic")
            one, two = edisp.get_edisp_kernel(RECO, position), kernels.get_edisp_kernel(position)
            assert_allclose(one.pdf_matrix, two.pdf_matrix, atol=1e-6)
        assert_allclose(kernels.exposure_map.data, edisp.exposure_map.data.reshape(10, 1, 3, 4))

    def test_conserves(self):
        matrix = varying().get_edisp_kernel(RECO).pdf_matrix
        # The first true energy migrates below the lowest reconstructed one.
        assert_allclose(matrix[1:].sum(axis=1), 1, atol=1e-5)
        assert 0.99 < matrix[0].sum() < 1
        assert (matrix >= 0).all()

    @given(st.floats(0.05, 0.2), st.floats(-0.1, 0.1))
    def test_moments(self, sigma, bias):
        fine = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=300, name="energy")
        kernel = gauss_migra(TRUE, sigma, bias).get_edisp_kernel(fine)
        assert_allclose(kernel.get_bias(TRUE.center[3:7]), bias, atol=0.01)

    def test_average_over_the_bin_of_true_energy(self):
        edisp = gauss_migra(TRUE, 0.02, 0.0)
        fine = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=40, name="energy")
        # Fine bins within one bin of true energy: at the centre only one of them is filled, averaged they follow E^-2.
        central = edisp.get_edisp_kernel(fine).pdf_matrix[5, 20:24]
        average = edisp.get_edisp_kernel(fine, n_average=50).pdf_matrix[5, 20:24]
        edges = fine.edges.value[20:25]
        expected = (1 / edges[:-1] - 1 / edges[1:]) / (1 / edges[0] - 1 / edges[-1])
        assert_allclose(average, expected, atol=0.03)
        assert np.abs(central - expected).max() > 0.1
        assert edisp.get_edisp_kernel(fine, n_average=50).pdf_matrix[5].sum() == pytest.approx(1, abs=1e-4)
        kernels = edisp.to_edisp_kernel_map(fine, n_average=50)
        assert_allclose(kernels.get_edisp_kernel().pdf_matrix[5, 20:24], average, atol=1e-6)
        with pytest.raises(InputError, match="n_average is 0; expected at least 1"):
            edisp.get_edisp_kernel(fine, n_average=0)

    def test_average_of_one_is_the_centre(self):
        edisp = varying()
        assert_allclose(edisp.get_edisp_kernel(RECO, n_average=1).pdf_matrix, edisp.get_edisp_kernel(RECO).pdf_matrix)

    def test_matrix_without_axis(self):
        edisp = varying()
        assert_allclose(edisp.kernel_matrix_at(), edisp.get_edisp_kernel(TRUE.copy(name="energy")).pdf_matrix)
        assert_allclose(
            edisp.kernel_matrix_at((0.2, 0.1), RECO),
            edisp.get_edisp_kernel(RECO, SkyCoord(0.2, 0.1, unit="deg", frame="galactic")).pdf_matrix,
        )

    def test_fixed_bins(self):
        kernels = varying().to_edisp_kernel_map(RECO)
        assert_allclose(kernels.get_edisp_kernel(energy_axis=RECO).pdf_matrix, kernels.get_edisp_kernel().pdf_matrix)
        with pytest.raises(UnsupportedError, match="gives no kernel for other bins"):
            kernels.get_edisp_kernel(energy_axis=RECO.downsample(2))

    def test_gauss(self):
        kernels = EDispKernelMap.from_gauss(RECO, TRUE, sigma=0.2, bias=0.1)
        assert_allclose(kernels.get_edisp_kernel().pdf_matrix, EDispKernel.from_gauss(TRUE, RECO, 0.2, 0.1).pdf_matrix)
        other = EDispKernelMap.from_edisp_kernel(EDispKernel.from_gauss(TRUE, RECO, 0.2, 0.1), geom=IMAGE)
        assert other.edisp_map.data.shape == (10, 12, 3, 4)


class TestReduction:
    def test_resample_sums(self):
        kernels = varying().to_edisp_kernel_map(RECO)
        less = kernels.resample_energy_axis(RECO.downsample(3))
        expected = kernels.edisp_map.data.reshape(10, 4, 3, 3, 4).sum(axis=2)
        assert_allclose(less.edisp_map.data, expected)
        assert less.exposure_map.data.shape == (10, 1, 3, 4)

    def test_weights(self):
        kernels = varying().to_edisp_kernel_map(RECO)
        mask = Map.from_geom(IMAGE.to_cube([RECO]), data=np.zeros((12, 3, 4), bool))
        mask.data[6:] = True
        image = kernels.to_image(weights=mask)
        assert_allclose(image.edisp_map.data[:, 0], kernels.edisp_map.data[:, 6:].sum(axis=1))
        assert_allclose(kernels.to_image().edisp_map.data[:, 0], kernels.edisp_map.data.sum(axis=1))

    def test_stack(self):
        one, two = varying(0).to_edisp_kernel_map(RECO), varying(1).to_edisp_kernel_map(RECO)
        e1, e2 = one.exposure_map.data.copy(), two.exposure_map.data
        expected = (one.edisp_map.data * e1 + two.edisp_map.data * e2) / (e1 + e2)
        one.stack(two)
        assert_allclose(one.edisp_map.data, expected, rtol=1e-6)
        assert_allclose(one.exposure_map.data, e1 + e2, rtol=1e-6)

    def test_slice(self):
        part = varying().slice_by_idx({"energy_true": slice(2, 5)})
        assert (part.edisp_map.data.shape[0], part.exposure_map.data.shape[0]) == (3, 3)

    def test_from_geom(self):
        edisp = EDispMap.from_geom(IMAGE.to_cube([MIGRA, TRUE]))
        assert edisp.exposure_map.unit == "m2 s"
        assert edisp.exposure_map.geom.axes["migra"].nbin == 1
        kernels = EDispKernelMap.from_geom(IMAGE.to_cube([RECO, TRUE]))
        assert (kernels.edisp_map.data == 0).all()


class TestSample:
    def test_distribution(self):
        coords = MapCoord(
            {"lon": np.zeros(20000) * u.deg, "lat": np.zeros(20000) * u.deg, "energy_true": np.full(20000, 2.0) * u.TeV},
            frame="galactic",
        )
        sample = gauss_migra(TRUE, 0.2, 0.05).sample_coord(coords, random_state=0, chunk_size=3000)
        migra = sample["energy"].to_value("TeV") / 2
        assert migra.mean() == pytest.approx(1.05, abs=0.01)
        assert migra.std() == pytest.approx(0.2, rel=0.03)
        assert "energy_true" not in sample.axis_names


class TestFiles:
    @pytest.mark.parametrize("cls", [EDispMap, EDispKernelMap])
    def test_write_then_read(self, tmp_path, cls):
        edisp = varying() if cls is EDispMap else varying().to_edisp_kernel_map(RECO)
        edisp.write(tmp_path / "edisp.fits")
        again = cls.read(tmp_path / "edisp.fits")
        assert_allclose(again.edisp_map.data, edisp.edisp_map.data)
        assert again.edisp_map.geom == edisp.edisp_map.geom
        assert_allclose(again.exposure_map.data, edisp.exposure_map.data)

    def test_refusals(self, tmp_path):
        varying().write(tmp_path / "edisp.fits")
        with pytest.raises(GeometryError, match=r"EDispKernelMap needs axes \['energy', 'energy_true'\]"):
            EDispKernelMap.read(tmp_path / "edisp.fits")
        with pytest.raises(FormatError, match="expected one of gadf, gtdrm"):
            EDispKernelMap.read(tmp_path / "edisp.fits", format="x")

    @requires_data(GC)
    def test_real_file(self):
        kernels = EDispKernelMap.read(data_path(GC))
        assert_allclose(
            kernels.get_edisp_kernel(CENTER).pdf_matrix[5, 2:5], [6.2528468e-04, 8.7874353e-01, 1.2063112e-01], rtol=1e-6
        )
        position = SkyCoord(1.03, 0.47, unit="deg", frame="galactic")
        assert_allclose(
            kernels.get_edisp_kernel(position).pdf_matrix[5, 2:5], [7.5996993e-04, 8.7368435e-01, 1.2555572e-01], rtol=1e-6
        )

    @requires_data("tests/fermi/drm_00.fits")
    def test_gtdrm(self):
        kernels = EDispKernelMap.read(data_path("tests/fermi/drm_00.fits"), format="gtdrm")
        assert kernels.edisp_map.data.shape == (4, 4, 1, 1)
        assert_allclose(kernels.get_edisp_kernel().pdf_matrix[2], [0.01927502, 0.1369606, 0.7980791, 0.03128981], rtol=1e-5)
