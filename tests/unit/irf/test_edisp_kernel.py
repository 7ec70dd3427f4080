from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.errors import FormatError, InputError, NameLookupError, UnitError
from geminga.irf import EDispKernel
from geminga.maps import MapAxis
from tests.helpers import data_path, requires_data

TRUE = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy_true")
RECO = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy")
FINE_TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=60, name="energy_true")
FINE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=40, name="energy")


class TestDiagonal:
    def test_published_values(self):
        matrix = EDispKernel.from_diagonal_response(TRUE, RECO).pdf_matrix
        assert_allclose(matrix, [[1, 0], [0.4052193438583778, 0.5947806561416222], [0, 1]], rtol=1e-6, atol=1e-12)

    def test_same_axes(self):
        kernel = EDispKernel.from_diagonal_response(TRUE)
        assert_allclose(kernel.pdf_matrix, np.eye(3), atol=1e-12)
        assert kernel.axes.names == ["energy_true", "energy"]

    @given(st.integers(1, 20), st.integers(1, 20))
    def test_conserves_within_the_axis(self, n_true, n_reco):
        true = MapAxis.from_energy_bounds("2 TeV", "5 TeV", nbin=n_true, name="energy_true")
        reco = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=n_reco, name="energy")
        assert_allclose(EDispKernel.from_diagonal_response(true, reco).pdf_matrix.sum(axis=1), 1)

    def test_units(self):
        kev = MapAxis.from_energy_bounds("1e9 keV", "1e10 keV", nbin=2, unit="keV", name="energy")
        assert_allclose(
            EDispKernel.from_diagonal_response(TRUE, kev).pdf_matrix, EDispKernel.from_diagonal_response(TRUE, RECO).pdf_matrix
        )


class TestGauss:
    def test_published_values(self):
        kernel = EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0.1)
        expected = [[9.81892847e-01, 2.83769382e-08], [3.08493842e-01, 6.91506158e-01], [6.77873379e-04, 9.66339413e-01]]
        assert_allclose(kernel.pdf_matrix, expected, rtol=1e-6)
        assert_allclose(kernel.get_bias([1.5, 3, 5] * u.TeV), [0.21152773, 0.40317, -0.17499145], rtol=1e-6)
        assert_allclose(kernel.get_resolution(3 * u.TeV), 0.56160729, rtol=1e-6)

    # Wider ones would be cut at a third of the true energy, where the axis of migration begins.
    @given(st.floats(0.05, 0.2), st.floats(-0.1, 0.1))
    def test_moments(self, sigma, bias):
        fine = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=300, name="energy")
        kernel = EDispKernel.from_gauss(FINE_TRUE, fine, sigma=sigma, bias=bias)
        energy = FINE_TRUE.center[25:35]
        assert_allclose(kernel.get_bias(energy), bias, atol=0.01)
        assert_allclose(kernel.get_resolution(energy), sigma, rtol=0.05)
        assert_allclose(kernel.pdf_matrix[25:35].sum(axis=1), 1, atol=1e-3)

    def test_resolution_for_each_energy(self):
        kernel = EDispKernel.from_gauss(FINE_TRUE, FINE, sigma=np.linspace(0.1, 0.3, 60), bias=np.zeros(60))
        low, high = kernel.get_resolution(FINE_TRUE.center[[25, 40]])
        assert low < high

    def test_refusals(self):
        with pytest.raises(InputError, match="expected a positive relative resolution"):
            EDispKernel.from_gauss(TRUE, RECO, sigma=0, bias=0)


class TestMoments:
    kernel = EDispKernel.from_gauss(FINE_TRUE, FINE, sigma=0.2, bias=0.0)

    def test_energy_of_falling_bias(self):
        # The bias crosses the value between two true energies; in between it is a power law.
        for bias, energy in {0.1: 0.1128636, 0.05: 0.12982383, 0.01: 0.17386742}.items():
            assert_allclose(self.kernel.get_bias_energy(bias).to_value("TeV"), energy * (1 + bias), rtol=1e-6)
            true = self.kernel.get_bias_energy(bias) / (1 + bias)
            centers = FINE_TRUE.center
            below, above = centers[centers <= true][-1], centers[centers > true][0]
            assert self.kernel.get_bias(below)[0] >= bias >= self.kernel.get_bias(above)[0]

    def test_bias_smaller_everywhere(self):
        assert_allclose(self.kernel.get_bias_energy(0.3).to_value("TeV"), FINE_TRUE.center[0].value * 1.3)
        limited = self.kernel.get_bias_energy(0.2, energy_min=1 * u.TeV, energy_max="3 TeV")
        assert_allclose(limited.to_value("TeV"), 1.2)

    def test_bias_larger_everywhere(self):
        with pytest.raises(InputError, match=r"the bias does not reach -0.2 between"):
            self.kernel.get_bias_energy(-0.2)

    def test_bias_of_the_bin(self):
        low, high = FINE_TRUE.edges[20] * 1.001, FINE_TRUE.edges[21] * 0.999
        assert_allclose(self.kernel.get_bias([low.value, high.value] * u.TeV)[0], self.kernel.get_bias(FINE_TRUE.center[20]))

    def test_nothing_reconstructed(self):
        kernel = EDispKernel([TRUE, RECO], data=np.zeros((3, 2)))
        assert np.isnan(kernel.get_mean(2 * u.TeV))

    def test_safe_range(self):
        inside = self.kernel.pdf_in_safe_range("0.5 TeV", 50 * u.TeV)
        edges = FINE.edges.value
        outside = (edges[:-1] < 0.5) | (edges[1:] > 50)
        assert (inside[:, outside] == 0).all()
        assert_allclose(inside[:, ~outside], self.kernel.pdf_matrix[:, ~outside])
        assert_allclose(self.kernel.pdf_in_safe_range(None, None), self.kernel.pdf_matrix)

    def test_image(self):
        image = self.kernel.to_image("0.5 TeV", 50 * u.TeV)
        assert image.pdf_matrix.shape == (60, 1)
        assert_allclose(image.axes["energy"].edges.to_value("TeV"), [0.5, 50])
        assert_allclose(self.kernel.to_image().pdf_matrix[:, 0], self.kernel.pdf_matrix.sum(axis=1))

    def test_evaluate_is_nearest(self):
        kernel = EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0.1)
        assert_allclose(kernel.evaluate(energy_true=2 * u.TeV, energy=[2, 4] * u.TeV), kernel.pdf_matrix[0])

    def test_wrong_unit(self):
        with pytest.raises(UnitError, match="energy_true"):
            self.kernel.get_bias(1 * u.deg)


class TestFiles:
    @pytest.mark.parametrize("format", ["ogip", "ogip-sherpa"])
    def test_write_then_read(self, tmp_path, format):
        kernel = EDispKernel.from_gauss(FINE_TRUE, FINE, sigma=0.2, bias=0.1)
        kernel.write(tmp_path / "rmf.fits", format=format)
        again = EDispKernel.read(tmp_path / "rmf.fits")
        assert_allclose(again.pdf_matrix, kernel.pdf_matrix)
        assert_allclose(again.axes["energy"].edges.to_value("TeV"), FINE.edges.value)
        assert again.axes["energy"].unit == ("keV" if format == "ogip-sherpa" else "TeV")

    @given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5]), min_size=5, max_size=5), min_size=2, max_size=6))
    def test_any_pattern_of_zeros(self, rows):
        true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=len(rows), name="energy_true")
        reco = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=5, name="energy")
        again = EDispKernel.from_hdulist(EDispKernel([true, reco], data=rows).to_hdulist())
        assert again.pdf_matrix.tolist() == rows

    def test_channels_from_one(self):
        kernel = EDispKernel.from_gauss(FINE_TRUE, FINE, sigma=0.2, bias=0.1)
        hdulist = kernel.to_hdulist()
        matrix = hdulist["MATRIX"]
        for row in range(len(matrix.data)):
            matrix.data["F_CHAN"][row] = matrix.data["F_CHAN"][row] + 1
        matrix.header["TLMIN4"] = 1
        hdulist["EBOUNDS"].data["CHANNEL"] += 1
        assert_allclose(EDispKernel.from_hdulist(hdulist).pdf_matrix, kernel.pdf_matrix)
        # Without the keyword the first channel of EBOUNDS decides.
        del matrix.header["TLMIN4"]
        assert_allclose(EDispKernel.from_hdulist(hdulist).pdf_matrix, kernel.pdf_matrix)

    def test_table(self):
        table = EDispKernel.from_diagonal_response(TRUE, RECO).to_table()
        assert table.colnames == ["ENERG_LO", "ENERG_HI", "N_GRP", "F_CHAN", "N_CHAN", "MATRIX"]
        assert len(table) == 3

    def test_refusals(self):
        hdulist = EDispKernel.from_diagonal_response(TRUE, RECO).to_hdulist()
        with pytest.raises(NameLookupError, match="no HDU 'RMF'; the file has PRIMARY, MATRIX, EBOUNDS"):
            EDispKernel.from_hdulist(hdulist, hdu1="RMF")
        with pytest.raises(FormatError, match="'gadf' is not known; choose 'ogip' or 'ogip-sherpa'"):
            EDispKernel.from_diagonal_response(TRUE).to_hdulist(format="gadf")
        hdulist["MATRIX"].data["F_CHAN"][1] = np.array([7])
        with pytest.raises(FormatError, match="row 1: channels 7 to"):
            EDispKernel.from_hdulist(hdulist)
        with pytest.raises(FormatError, match="lacks the columns ENERG_LO"):
            EDispKernel.from_hdulist(fits.HDUList([fits.PrimaryHDU(), hdulist["EBOUNDS"]]), hdu1="EBOUNDS")

    @requires_data("joint-crab/spectra/hess/rmf_obs23523.fits")
    def test_real_file(self):
        kernel = EDispKernel.read(data_path("joint-crab/spectra/hess/rmf_obs23523.fits"))
        assert kernel.pdf_matrix.shape == (80, 80)
        assert_allclose(kernel.pdf_matrix[:20].sum(axis=1), 0)
        assert_allclose(kernel.pdf_matrix[25:40].sum(axis=1), 1, atol=1e-6)
        bias = kernel.get_bias(kernel.axes["energy_true"].center)
        assert_allclose(bias[30:34], [1.08714067, 0.87633444, 0.68095087, 0.53128915], rtol=1e-6)


def test_summary():
    assert str(EDispKernel.from_diagonal_response(TRUE, RECO)) == (
        "EDispKernel\n-----------\n\n  axes  : ['energy_true', 'energy']\n  shape : (3, 2)\n  ndim  : 2\n  unit  : \n  dtype : float64\n"
    )
