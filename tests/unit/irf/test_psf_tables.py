"""Laws and reference numbers of PSF tables, by formula and by number."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import FormatError, GeometryError, InputError, UnitError, UnsupportedError
from geminga.irf import PSF3D, EnergyDependentMultiGaussPSF, PSFKing
from geminga.irf.io.gadf import irf_kind
from geminga.maps import MapAxis
from tests.helpers import data_path, requires_data

CTA_1DC = "cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"

TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=6, name="energy_true")
OFFSET = MapAxis.from_edges([0, 1, 2, 3], unit="deg", name="offset")
WHERE = {"energy_true": 3 * u.TeV, "offset": 1.2 * u.deg}


def gauss(**changes):
    values = {"sigma_1": 0.05, "sigma_2": 0.1, "sigma_3": 0.2, "scale": 2.0, "ampl_2": 0.3, "ampl_3": 0.05}
    shape = (TRUE.nbin, OFFSET.nbin)
    return EnergyDependentMultiGaussPSF([TRUE, OFFSET], data={k: np.full(shape, v) for k, v in (values | changes).items()})


def king():
    return PSFKing([TRUE, OFFSET], data={"gamma": 2.5, "sigma": 0.06 * u.deg})


PSFS = [pytest.param(gauss, id="gauss"), pytest.param(king, id="king")]


@pytest.mark.parametrize("make", PSFS)
class TestLaws:
    def test_containment_is_the_integral_of_the_density(self, make):
        psf = make()
        edges = np.linspace(0, 0.5, 20001) * u.deg
        rad = 0.5 * (edges[1:] + edges[:-1])
        ring = 2 * np.pi * rad.to_value("rad") * np.diff(edges.to_value("rad"))
        total = np.cumsum(psf.evaluate(rad=rad, **WHERE).to_value("sr-1") * ring)
        assert_allclose(psf.containment(rad=edges[1:], **WHERE)[::1000], total[::1000], rtol=1e-5)

    def test_radius_inverts_containment(self, make):
        fraction = np.array([0.01, 0.3, 0.68, 0.95, 0.999])
        radius = make().containment_radius(fraction, **WHERE)
        assert_allclose(make().containment(rad=radius, **WHERE), fraction, rtol=1e-10)

    def test_coordinates_broadcast(self, make):
        radius = make().containment_radius(0.68, energy_true=[[1], [2]] * u.TeV, offset=[0, 1, 2] * u.deg)
        assert radius.shape == (2, 3)
        assert make().evaluate(rad=[[[0]], [[0.1]]] * u.deg, energy_true=[[1], [2]] * u.TeV, offset=1 * u.deg).shape == (2, 2, 1)

    def test_table_agrees(self, make):
        table = make().to_psf3d(rad=np.linspace(0, 5, 2001) * u.deg)
        assert_allclose(table.evaluate(rad=0.1 * u.deg, **WHERE), make().evaluate(rad=0.1 * u.deg, **WHERE), rtol=1e-3)
        assert_allclose(table.containment(rad=0.3 * u.deg, **WHERE), make().containment(rad=0.3 * u.deg, **WHERE), rtol=1e-4)
        assert_allclose(table.containment_radius(0.68, **WHERE).value, make().containment_radius(0.68, **WHERE).value, rtol=1e-3)
        assert make().to_psf3d().data.shape == (6, 3, 66)

    def test_write_then_read(self, make, tmp_path):
        make().write(tmp_path / "psf.fits")
        again = type(make()).read(tmp_path / "psf.fits")
        assert again == make()
        assert again.unit == make().unit
        hdu = make().to_table_hdu()
        # Without these nobody can tell what the table is.
        assert irf_kind(hdu.header) == ("psf", make().tag)

    def test_slice_pad_and_compare(self, make):
        part = make().slice_by_idx({"energy_true": slice(1, 4)})
        assert part.data.shape == (3, 3)
        assert part.axes["energy_true"].edges[0] == TRUE.edges[1]
        assert part != make()
        with pytest.raises(InputError, match="Cannot compare"):
            make().is_allclose(TRUE)

    def test_refusals(self, make):
        with pytest.raises(UnsupportedError, match="parameters of different units"):
            make().to_unit("deg-2")
        for value in (0, 1, -0.1, 68):
            with pytest.raises(InputError, match="expected a number between 0 and 1"):
                make().containment_radius(value, **WHERE)
        table = make().to_table()
        table.remove_column(make().required_parameters[0].upper())
        with pytest.raises(FormatError, match="IRF table has no column"):
            type(make()).from_table(table)
        table = make().to_table()
        name = "SIGMA" if "SIGMA" in table.colnames else "SIGMA_1"
        table[name].unit = "TeV"
        with pytest.raises(UnitError, match=r"parameter 'sigma.*' is in 'TeV', expected a unit convertible to 'deg'"):
            type(make()).from_table(table)
        with pytest.raises(InputError, match="the data lack the parameters"):
            type(make())([TRUE, OFFSET], data={"sigma_1": 1.0})

    def test_normalize_and_str(self, make):
        psf = make()
        psf.normalize()
        assert psf == make()
        assert "parameters" in str(psf)
        assert "68.00 containment radius at offset = 0.0 deg and energy_true =  1.0 TeV: 0." in psf.info()


class TestMultiGauss:
    @requires_data(CTA_1DC)
    def test_reference(self):
        psf = EnergyDependentMultiGaussPSF.read(data_path(CTA_1DC))
        where = {"rad": 0.05 * u.deg, "energy_true": 1.5 * u.TeV, "offset": 1.3 * u.deg}
        assert_allclose(psf.containment(**where), 0.6591136719184187, rtol=1e-6)
        assert_allclose(psf.evaluate(**where).to_value("sr-1"), 153341.76539358404, rtol=1e-6)

    def test_large_radii_are_found(self):
        wide = gauss(sigma_1=2.0, ampl_2=0.0, ampl_3=0.0)
        assert_allclose(wide.containment_radius(0.95, **WHERE).value, 2 * np.sqrt(-2 * np.log(0.05)), rtol=1e-10)

    def test_absent_gaussian_takes_no_part_in_between(self):
        # Tables give a width of zero to a Gaussian that is absent at an energy.
        ampl, sigma = np.zeros((6, 3)), np.zeros((6, 3))
        ampl[3:], sigma[3:] = 0.2, 0.08
        psf = gauss(ampl_2=ampl, sigma_2=sigma, ampl_3=0.0, sigma_3=0.0)
        between = psf.axes["energy_true"].pix_to_coord(2.5)
        radii = [
            psf.containment_radius(0.95, energy_true=e, offset=1 * u.deg).value for e in (TRUE.center[2], between, TRUE.center[3])
        ]
        assert radii[0] < radii[1] < radii[2]

    def test_empty_bins_take_the_nearest(self):
        scale, sigma = np.full((6, 3), 2.0), np.full((6, 3), 0.05)
        scale[:2], sigma[:2] = 0, 0
        scale[:, 2], sigma[:, 2] = 0, 0
        psf = gauss(scale=scale, sigma_1=sigma)
        full = gauss()
        assert_allclose(psf.evaluate(rad=0.1 * u.deg, energy_true=TRUE.center, offset=1 * u.deg),
                        full.evaluate(rad=0.1 * u.deg, energy_true=TRUE.center, offset=1 * u.deg))  # fmt: skip
        assert psf.evaluate(rad=0.1 * u.deg, energy_true=1 * u.TeV, offset=2.5 * u.deg) == 0
        assert np.isnan(psf.containment_radius(0.68, energy_true=1 * u.TeV, offset=2.5 * u.deg))

    def test_wrong_shape(self):
        with pytest.raises(GeometryError, match=r"sigma_1 has shape \(2, 2\), the axes .* have \(6, 3\)"):
            gauss(sigma_1=0.1).__class__([TRUE, OFFSET], data={**gauss().quantity, "sigma_1": np.ones((2, 2))})


class TestKing:
    def test_reference(self):
        assert_allclose(king().containment(rad=0.1 * u.deg, **WHERE), 0.4845676172269088, rtol=1e-6)
        assert_allclose(king().evaluate(rad=0.1 * u.deg, **WHERE).to_value("sr-1"), 28853.62164034515, rtol=1e-6)

    def test_no_density(self):
        assert PSFKing.evaluate_direct(0.1 * u.deg, gamma=0.9, sigma=0.1 * u.deg) == 0
        assert np.isnan(PSFKing.evaluate_radius(0.5, gamma=2.0, sigma=0 * u.deg))


class TestTable:
    RAD = MapAxis.from_bounds(0, 0.6, nbin=60, unit="deg", name="rad")

    def psf(self):
        data = np.exp(-0.5 * (self.RAD.center.value / 0.1) ** 2) * np.ones((6, 3, 1))
        return PSF3D([TRUE, OFFSET, self.RAD], data=data)

    def test_containment_stays_one_beyond_the_last_edge(self):
        psf = self.psf()
        psf.normalize()
        contained = psf.containment(rad=[0.6, 0.61, 5] * u.deg, **WHERE)
        assert_allclose(contained, 1, rtol=1e-12)
        assert_allclose(psf.containment(rad=0.1 * u.deg, **WHERE), 1 - np.exp(-0.5), rtol=5e-3)

    def test_radius_inverts_containment(self):
        psf = self.psf()
        psf.normalize()
        fraction = np.array([0.05, 0.39, 0.68, 0.99])
        radius = psf.containment_radius(fraction, **WHERE)
        assert_allclose(psf.containment(rad=radius, **WHERE), fraction, rtol=1e-10)
        assert_allclose(radius.value, 0.1 * np.sqrt(-2 * np.log1p(-fraction)), rtol=0.02)

    def test_what_is_not_held_has_no_radius(self):
        psf = self.psf()
        psf.normalize()
        psf.data = 0.5 * psf.data
        assert np.isnan(psf.containment_radius(0.68, **WHERE))
        assert np.isfinite(psf.containment_radius(0.4, **WHERE))
