"""Laws and reference numbers of effective areas, dispersions and radii."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import FormatError, GeometryError, InputError, NameLookupError
from geminga.irf import EDispKernel, EffectiveAreaTable2D, EnergyDispersion2D, RadMax2D
from geminga.irf.edisp.migra import bin_energies
from geminga.maps import MapAxis
from tests.helpers import data_path, requires_data

CTA_1DC = "cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"
MAGIC = "magic/rad_max/data/20131004_05029747_DL3_CrabNebula-W0.40+035.fits"

TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=24, name="energy_true")
RECO = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=12, name="energy")
MIGRA = MapAxis.from_bounds(0.2, 5, nbin=300, name="migra")
OFFSET = MapAxis.from_edges([0, 1, 2, 3], unit="deg", name="offset")


class TestEffectiveArea:
    @requires_data(CTA_1DC)
    def test_reference(self):
        aeff = EffectiveAreaTable2D.read(data_path(CTA_1DC), hdu="EFFECTIVE AREA")
        assert_allclose(aeff.evaluate(energy_true=1.5 * u.TeV, offset=1.3 * u.deg).to_value("m2"), 1240284.1286, rtol=1e-5)

    @pytest.mark.parametrize(("instrument", "scale"), [("HESS", 6.85e9), ("HESS2", 2.05e9), ("CTAO", 1.71e11)])
    def test_parametrization(self, instrument, scale):
        aeff = EffectiveAreaTable2D.from_parametrization(instrument=instrument)
        energy = aeff.axes["energy_true"].center[-3]
        assert (aeff.axes["energy_true"].nbin, aeff.meta["TELESCOP"]) == (100, instrument)
        value = aeff.evaluate(energy_true=energy, offset=[0, 2, 4.9, 5.1] * u.deg).to_value("cm2")
        assert_allclose(value[0], scale * energy.to_value("MeV") ** -0.0891, rtol=5e-3)
        assert value[0] == value[1] == value[2]
        assert value[3] == 0
        with pytest.raises(NameLookupError, match="no parametrization for 'ACME'; known instruments: HESS, HESS2, CTAO"):
            EffectiveAreaTable2D.from_parametrization(instrument="ACME")

    def test_linear_between_offsets_and_to_the_edge(self):
        aeff = EffectiveAreaTable2D([TRUE, OFFSET], data=np.ones((24, 1)) * [3.0, 2.0, 1.0])
        offset = [0, 0.5, 1.0, 2.5, 3.0, 3.01] * u.deg
        assert_allclose(aeff.evaluate(energy_true=1 * u.TeV, offset=offset).value, [3.5, 3, 2.5, 1, 0.5, 0])

    def test_other_methods(self):
        aeff = EffectiveAreaTable2D([TRUE, OFFSET], data=np.ones((24, 1)) * [3.0, 2.0, 1.0])
        where = {"energy_true": 1 * u.TeV, "offset": [0.9, 1.1] * u.deg}
        assert_allclose(aeff.evaluate(method="nearest", **where).value, [3, 2])
        assert_allclose(aeff.evaluate(method="slinear", **where).value, [2.6, 2.4])
        with pytest.raises(InputError, match="method 'best' is not known"):
            aeff.evaluate(method="best", **where)


class TestEnergyDispersion:
    def test_gauss_has_its_moments(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0.1, sigma=0.2)
        assert_allclose((edisp.data * MIGRA.bin_width.value[:, None]).sum(axis=1), 1, rtol=1e-3)
        fine = MapAxis.from_energy_bounds("10 GeV", "1000 TeV", nbin=500, name="energy")
        kernel = edisp.to_edisp_kernel(offset=1 * u.deg, energy_axis=fine)
        assert_allclose(kernel.get_bias(TRUE.center), 0.1, atol=2e-3)
        assert_allclose(kernel.get_resolution(TRUE.center), 0.2, atol=2e-3)

    def test_kernel_equals_that_of_a_gaussian(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=0.2)
        kernel = edisp.to_edisp_kernel(offset="1.3 deg", energy_axis=RECO)
        assert_allclose(kernel.pdf_matrix, EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0).pdf_matrix, atol=2e-3)
        assert_allclose(edisp.to_edisp_kernel(offset="1.3 deg").pdf_matrix.sum(axis=1)[4:-4], 1, rtol=1e-3)

    def test_numbers_of_events_are_no_weights(self):
        # Tables of simulated events (CTA 1DC) hold far more events at low energies.
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=0.2)
        counts = EnergyDispersion2D(edisp.axes, data=edisp.data * 10.0 ** -np.arange(24)[:, None, None])
        fine = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=31, name="energy_true")
        one, other = (e.to_edisp_kernel("0 deg", energy_axis_true=fine, energy_axis=RECO).pdf_matrix for e in (edisp, counts))
        assert_allclose(other, one, atol=1e-9)

    def test_outside(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=np.linspace(0.3, 0.1, 24))
        inside = edisp.evaluate(energy_true=TRUE.edges[-1], migra=1, offset=1 * u.deg)
        assert_allclose(edisp.evaluate(energy_true=1e4 * u.TeV, migra=1, offset=1 * u.deg), inside)
        assert edisp.evaluate(energy_true=1 * u.TeV, migra=6, offset=1 * u.deg) == 0
        assert edisp.evaluate(energy_true=1 * u.TeV, migra=1, offset=4 * u.deg) == 0
        assert edisp.to_edisp_kernel(offset="4 deg").pdf_matrix.max() == 0

    def test_normalize(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=0.2)
        edisp.data = edisp.data * 7
        edisp.normalize()
        assert_allclose((edisp.data * MIGRA.bin_width.value[:, None]).sum(axis=1), 1)

    def test_refusals(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=0.2)
        with pytest.raises(InputError, match="expected one offset"):
            edisp.to_edisp_kernel(offset=[0, 1] * u.deg)
        with pytest.raises(GeometryError, match="an axis is named 'energy'; expected 'energy_true'"):
            edisp.to_edisp_kernel(offset="1 deg", energy_axis_true=RECO)
        with pytest.raises(InputError, match=r"sigma is 0.0; expected a positive"):
            EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0, sigma=0)

    @pytest.mark.parametrize("low", [0.02, 0.5])
    def test_kernels_are_averages_of_densities(self, low):
        """Slow twin: a density at each energy, some beyond the table, one row of it without distribution."""
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0.1, sigma=np.linspace(0.4, 0.1, 24))
        edisp.data[5, :, 1] = 0
        edisp.data *= np.linspace(1, 2, 24)[:, None, None]
        true = MapAxis.from_energy_bounds(low * u.TeV, "300 TeV", nbin=11, name="energy_true")
        kernel, mass = edisp.kernels_at_offsets(true, RECO, n_average=7)
        energies, share = bin_energies(true.edges.to_value("TeV"), 7)
        expected = 0.0
        for energy, part in zip(energies, share, strict=True):
            density = edisp.densities(energy)
            expected = expected + part[:, None, None] * edisp.probabilities(density, RECO.edges.value / energy[:, None])
        assert_allclose(kernel, expected, atol=1e-12)
        assert_allclose(mass, 1)

    def test_no_kernel_without_distribution(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0.0, sigma=0.2)
        edisp.data[:, :, 2] = 0
        kernel, mass = edisp.kernels_at_offsets(TRUE, RECO)
        assert_allclose(mass[:, :2], 1)
        assert not mass[:, 2].any()
        assert not kernel[..., 2].any()

    def test_axes_of_alike_tables_are_one(self):
        edisp = EnergyDispersion2D.from_gauss(TRUE, MIGRA, OFFSET, bias=0.0, sigma=0.2)
        one, other = (EnergyDispersion2D.from_table(edisp.to_table()) for _ in range(2))
        assert all(a is b for a, b in zip(one.axes, other.axes, strict=True))
        assert one.axes.is_allclose(edisp.axes)


class TestRadMax:
    @requires_data(MAGIC)
    def test_reference(self):
        rad_max = RadMax2D.read(data_path(MAGIC))
        where = {"energy": 0.5 * u.TeV, "offset": 0.4 * u.deg}
        assert_allclose(rad_max.evaluate(**where).to_value("deg"), 0.10021332542793933, rtol=1e-4)
        assert_allclose(rad_max.evaluate(method="nearest", **where).to_value("deg"), 0.1, rtol=1e-4)
        assert not rad_max.is_fixed_rad_max

    def test_from_header(self):
        aeff = EffectiveAreaTable2D.from_parametrization()
        with pytest.raises(InputError, match="the EffectiveAreaTable2D is not point-like"):
            RadMax2D.from_irf(aeff)
        pointlike = EffectiveAreaTable2D(aeff.axes, aeff.data, is_pointlike=True, meta={"RAD_MAX": 0.11})
        rad_max = RadMax2D.from_irf(pointlike)
        assert rad_max.is_fixed_rad_max
        assert_allclose(rad_max.evaluate(energy=[0.1, 10] * u.TeV, offset=[0.5, 4] * u.deg).to_value("deg"), 0.11)

    @pytest.mark.parametrize("value", [None, "unknown", -1, float("nan")])
    def test_bad_header(self, value):
        aeff = EffectiveAreaTable2D.from_parametrization()
        pointlike = EffectiveAreaTable2D(aeff.axes, aeff.data, is_pointlike=True, meta={"RAD_MAX": value})
        with pytest.raises(FormatError, match="expected a radius in deg"):
            RadMax2D.from_irf(pointlike)
