from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.errors import FormatError, GeometryError, InputError, NameLookupError, UnitError, UnsupportedError
from geminga.irf import PSFMap, RecoPSFMap
from geminga.maps import Map, MapAxis, MapCoord, RegionNDMap, WcsGeom
from tests.helpers import data_path, requires_data

GC = "cta-1dc-gc/cta-1dc-gc.fits.gz"
TRUE = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy_true")
RECO = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy")
RAD = MapAxis.from_bounds(0, 2, nbin=400, name="rad", unit="deg")
IMAGE = WcsGeom.create(skydir=(0, 0), npix=(4, 3), binsz=1, frame="galactic")


def varying_psf(seed: int = 0) -> PSFMap:
    """PSF whose width and exposure differ from pixel to pixel; one pixel has neither."""
    rng = np.random.default_rng(seed)
    geom = IMAGE.to_cube([RAD, TRUE])
    sigma = rng.uniform(0.05, 0.2, (3, 1, 3, 4))
    rad = RAD.center.value[:, None, None]
    data = np.exp(-0.5 * (rad / sigma) ** 2) / (2 * np.pi * np.deg2rad(sigma) ** 2)
    exposure = rng.uniform(1, 2, (3, 1, 3, 4))
    data[..., 0, 0] = exposure[..., 0, 0] = 0
    squashed = geom.squash("rad")
    return PSFMap(Map.from_geom(geom, data=data, unit="sr-1"), Map.from_geom(squashed, data=exposure, unit="m2 s"))


class TestContainment:
    def test_published_values(self):
        psf = PSFMap.from_gauss(TRUE, sigma=[0.1, 0.2, 0.3] * u.deg)
        expected = [0.8652509997858404, 0.3935735389666538, 0.19928830214566956]
        assert_allclose(psf.containment(rad=0.2 * u.deg, energy_true=TRUE.center), expected, rtol=1e-5)
        assert_allclose(psf.containment_radius(0.68, TRUE.center[0]).to_value("deg"), 0.15075, rtol=1e-2)

    @given(st.floats(0.05, 0.25), st.floats(0.02, 1.9))
    def test_is_that_of_a_gaussian(self, sigma, rad):
        psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=sigma * u.deg)
        contained = psf.containment(rad=rad * u.deg, energy_true=2 * u.TeV).value[0]
        assert contained == pytest.approx(1 - np.exp(-0.5 * (rad / sigma) ** 2), abs=2e-3)

    def test_beyond_the_axis_is_that_of_the_axis(self):
        psf = PSFMap.from_gauss(TRUE, sigma="0.1 deg")
        inside, beyond = psf.containment(rad=[0.66, 5] * u.deg, energy_true=2 * u.TeV).value
        assert beyond == inside == pytest.approx(1, abs=1e-3)

    def test_grows_with_radius(self):
        psf = varying_psf()
        contained = psf.containment(rad=np.linspace(0, 3, 50) * u.deg, energy_true=2 * u.TeV, position=None).value
        assert (np.diff(contained) >= 0).all()
        assert contained[0] == 0

    @given(st.floats(0.1, 0.95))
    def test_radius_inverts_containment(self, fraction):
        psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=0.15 * u.deg)
        radius = psf.containment_radius(fraction, 2 * u.TeV)
        assert psf.containment(radius, 2 * u.TeV).value[0] == pytest.approx(fraction, abs=2e-3)

    def test_shapes_broadcast(self):
        psf = PSFMap.from_gauss(TRUE)
        assert psf.containment([0.1, 0.2] * u.deg, [[1], [2], [3]] * u.TeV).shape == (3, 2)
        assert psf.containment_radius([0.1, 0.2], [[1], [2], [3]] * u.TeV).shape == (3, 2)
        assert psf.containment_radius(0.1, 1 * u.TeV).shape == (1,)

    def test_energies_are_interpolated(self):
        psf = PSFMap.from_gauss(TRUE, sigma=[0.1, 0.2, 0.3] * u.deg)
        at_nodes = psf.containment(0.2 * u.deg, TRUE.center).value
        middle = np.sqrt(TRUE.center[0] * TRUE.center[1])
        assert psf.containment(0.2 * u.deg, middle).value[0] == pytest.approx(at_nodes[:2].mean())
        assert psf.containment(0.2 * u.deg, 500 * u.TeV).value[0] == pytest.approx(at_nodes[2])

    def test_radius_map(self):
        psf = varying_psf()
        radii = psf.containment_radius_map(TRUE.center[1], fraction=0.5)
        assert radii.unit == "deg"
        assert radii.data[0, 0] == 0
        x, y = 2, 1
        position = IMAGE.to_image().pix_to_coord((x, y))
        direct = psf.containment_radius(0.5, TRUE.center[1], SkyCoord(*position, frame="galactic"))
        assert radii.data[y, x] == pytest.approx(direct.to_value("deg")[0])

    def test_wrong_unit(self):
        with pytest.raises(UnitError, match="rad"):
            PSFMap.from_gauss(TRUE).containment(1 * u.TeV, 1 * u.TeV)


class TestPosition:
    def test_values_between_pixels(self):
        psf = varying_psf()
        rad, values = psf.psf_values_at((0.25, -0.25))
        assert_allclose(rad, RAD.center.value)
        assert_allclose(values, psf.psf_values_at(SkyCoord(0.25, -0.25, unit="deg", frame="galactic"))[1])
        ring = 2 * np.pi * RAD.center.to_value("rad") * RAD.bin_width.to_value("rad")
        assert_allclose((values * ring).sum(axis=1), 1)

    def test_pixel_without_response_is_left_out(self):
        psf = varying_psf()
        corner = SkyCoord(*IMAGE.pix_to_coord((0.4, 0.4)), frame="galactic")
        assert (psf.containment(2 * u.deg, TRUE.center, corner) > 0.99).all()

    def test_outside_is_the_border(self):
        psf = varying_psf()
        far, border = (SkyCoord(*IMAGE.pix_to_coord((x, 2)), frame="galactic") for x in (9, 3))
        assert_allclose(psf.psf_values_at(far)[1], psf.psf_values_at(border)[1])


class TestKernel:
    geom = WcsGeom.create(skydir=(0, 0), binsz=0.02, width=4, frame="galactic", axes=[TRUE])

    def test_kernel_is_the_density(self):
        sigma = 0.1
        kernel = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=sigma * u.deg).get_psf_kernel(self.geom)
        data = kernel.data
        assert_allclose(data.sum(axis=(1, 2)), 1)
        assert data.shape[1] % 2 == data.shape[2] % 2 == 1
        middle = data.shape[1] // 2
        offset = 0.02 * np.arange(10)
        assert_allclose(
            data[0, middle, middle : middle + 10],
            0.02**2 / (2 * np.pi * sigma**2) * np.exp(-0.5 * (offset / sigma) ** 2),
            rtol=0.02,
        )
        assert_allclose(data, data[:, ::-1, ::-1], rtol=1e-6, atol=1e-12)

    def test_radius(self):
        psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=[0.05, 0.1, 0.1] * u.deg)
        data = psf.get_psf_kernel(self.geom).data
        half = data.shape[1] // 2
        assert half * 0.02 == pytest.approx(0.1 * np.sqrt(-2 * np.log(1 - 0.999)), abs=0.02)
        # Each energy has its own size within the common one.
        assert (data[0] > 0).any(axis=0).sum() < (data[1] > 0).any(axis=0).sum()
        cut = psf.get_psf_kernel(self.geom, max_radius="0.1 deg").data
        assert cut.shape == (3, 11, 11)
        assert_allclose(cut.sum(axis=(1, 2)), 1)

    def test_more_energies_than_the_psf(self):
        # The energies of the geometry count, not their number.
        axis = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=8, name="energy_true")
        psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=[0.2, 0.1, 0.05] * u.deg)
        kernel = psf.get_psf_kernel(self.geom.to_image().to_cube([axis]))
        assert_allclose(kernel.data.sum(axis=(1, 2)), 1)
        peaks = kernel.data.max(axis=(1, 2))
        assert (np.diff(peaks) >= -1e-12).all()
        same = psf.get_psf_kernel(self.geom.to_image().to_cube([TRUE]))
        expected = np.interp(np.log(axis.center.value), np.log(TRUE.center.value), same.data.max(axis=(1, 2)))
        assert_allclose(peaks, expected, rtol=0.15)

    def test_cut_by_the_axis_is_said(self, caplog):
        with caplog.at_level(logging.WARNING):
            PSFMap.from_gauss(TRUE, sigma="0.3 deg").get_psf_kernel(self.geom)
        assert "PSF kernel is cut at 0.66 deg: that holds 0.9111 of the PSF" in caplog.text

    def test_needs_the_energies(self):
        with pytest.raises(GeometryError, match="expected one named 'energy_true'"):
            PSFMap.from_gauss(TRUE).get_psf_kernel(self.geom.to_image())

    @requires_data(GC)
    def test_real_psf(self):
        psf = PSFMap.read(data_path(GC))
        geom = WcsGeom.create(
            skydir=SkyCoord(1.03, 0.47, unit="deg", frame="galactic"),
            binsz=0.02,
            width=4,
            frame="galactic",
            axes=[psf.psf_map.geom.axes["energy_true"]],
        )
        data = psf.get_psf_kernel(geom).data
        assert data.shape == (14, 37, 37)
        assert data[3].max() == pytest.approx(0.019872652, rel=1e-5)
        assert_allclose(data[0, 18, 18:21], [0.00708561, 0.00689204, 0.00644834], rtol=1e-5)
        assert_allclose(data[10, 18, 18:21], [0.05427658, 0.04564289, 0.02736855], rtol=1e-5)
        widths = [37, 31, 27, 21, 19, 17, 15, 13, 13, 13, 13, 13, 13, 11]
        assert (data > 0).any(axis=1).sum(axis=1).tolist() == widths


class TestStack:
    def test_mean_weighted_with_exposure(self):
        one, two = varying_psf(0), varying_psf(1)
        e1, e2 = one.exposure_map.data.copy(), two.exposure_map.data
        with np.errstate(invalid="ignore"):
            expected = np.nan_to_num((one.psf_map.data * e1 + two.psf_map.data * e2) / (e1 + e2))
        one.stack(two)
        assert_allclose(one.psf_map.data, expected, rtol=1e-6)
        assert_allclose(one.exposure_map.data, e1 + e2, rtol=1e-6)

    def test_with_itself(self):
        one = varying_psf()
        before = one.psf_map.data.copy()
        one.stack(one.copy())
        assert_allclose(one.psf_map.data, before, rtol=1e-6)

    def test_weights(self):
        one, two = varying_psf(0), varying_psf(1)
        before = one.psf_map.data.copy()
        mask = Map.from_geom(IMAGE, data=np.zeros((3, 4), bool))
        mask.data[1, 2] = True
        one.stack(two, weights=mask)
        changed = np.abs(one.psf_map.data - before).max(axis=(0, 1)) > 1e-6 * before.max()
        assert changed.tolist() == mask.data.tolist()

    def test_onto_a_larger_field(self):
        large = PSFMap.from_geom(IMAGE.to_cube([RAD, TRUE]))
        small = varying_psf().cutout(SkyCoord(0, 0, unit="deg", frame="galactic"), 2 * u.deg, min_npix=1)
        large.stack(small)
        assert large.exposure_map.data.sum() == pytest.approx(small.exposure_map.data.sum(), rel=1e-6)

    def test_needs_exposure(self):
        with pytest.raises(InputError, match="needs an exposure map on both"):
            varying_psf().stack(PSFMap(varying_psf().psf_map))

    def test_reconstructed_energy(self):
        psf = RecoPSFMap.from_gauss(RECO)
        with pytest.raises(UnsupportedError, match="RecoPSFMap cannot be stacked"):
            psf.stack(psf)


class TestTransformations:
    def test_to_image(self):
        psf = varying_psf()
        image = psf.to_image()
        weight = (1 / TRUE.edges_min - 1 / TRUE.edges_max).value[:, None, None, None] * psf.exposure_map.data
        expected = (weight * psf.psf_map.data).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-30)
        assert_allclose(image.psf_map.data[0], expected, rtol=1e-6)
        assert image.psf_map.geom.axes["energy_true"].nbin == 1
        assert psf.to_image(keepdims=False).psf_map.geom.axes.names == ["rad"]
        # A constant exposure stays what it is.
        flat = PSFMap(psf.psf_map, psf.exposure_map.copy(data=np.full((3, 1, 3, 4), 7.0)))
        assert_allclose(flat.to_image().exposure_map.data, 7.0)

    def test_slice(self):
        psf = varying_psf()
        part = psf.slice_by_idx({"energy_true": slice(1, 3)})
        assert part.psf_map.data.shape[0] == part.exposure_map.data.shape[0] == 2
        part = psf.slice_by_idx({"rad": slice(0, 5)})
        assert (part.psf_map.data.shape[1], part.exposure_map.data.shape[1]) == (5, 1)

    def test_cutout_downsample_copy(self):
        psf = varying_psf()
        part = psf.cutout(SkyCoord(0, 0, unit="deg", frame="galactic"), 1 * u.deg)
        assert part.psf_map.geom.data_shape[-2:] == part.exposure_map.geom.data_shape[-2:] == (3, 3)
        psf = PSFMap.from_gauss(TRUE, geom=WcsGeom.create(npix=(4, 4), binsz=1))
        half = psf.downsample(2)
        assert half.psf_map.data.shape[-2:] == (2, 2)
        assert_allclose(half.psf_map.data[..., 0, 0], psf.psf_map.data[..., 0, 0])
        other = psf.copy()
        other.psf_map.data *= 0
        assert psf.psf_map.data.max() > 0

    def test_normalize(self):
        psf = varying_psf()
        psf.psf_map.data *= 3
        psf.normalize()
        contained = psf.containment(5 * u.deg, TRUE.center, SkyCoord(0, 0, unit="deg", frame="galactic"))
        assert_allclose(contained, 1, rtol=1e-6)
        assert (psf.psf_map.data[..., 0, 0] == 0).all()

    def test_region(self):
        psf = varying_psf()
        center = SkyCoord(0.3, 0.1, unit="deg", frame="galactic")
        for region in (center, CircleSkyRegion(center, 0.5 * u.deg)):
            part = psf.to_region_nd_map(region)
            assert part.psf_map.geom.is_region
            assert_allclose(
                part.containment(0.1 * u.deg, TRUE.center), psf.containment(0.1 * u.deg, TRUE.center, center), rtol=0.02
            )
            assert part.exposure_map.data.shape == (3, 1, 1, 1)
        assert psf.to_region_nd_map(None).psf_map.data.shape == (3, 400, 1, 1)

    def test_mask_and_single_bin(self):
        psf = varying_psf()
        assert psf.mask_safe_image.data.sum() == 11
        assert not psf.has_single_spatial_bin
        assert psf.to_region_nd_map(SkyCoord("0d", "0d", frame="galactic")).has_single_spatial_bin


class TestSample:
    coords = MapCoord(
        {"lon": np.zeros(20000) * u.deg, "lat": np.zeros(20000) * u.deg, "energy_true": np.full(20000, 2.0) * u.TeV},
        frame="galactic",
    )

    def test_distribution(self):
        psf = PSFMap.from_gauss(TRUE, rad_axis=RAD, sigma=0.1 * u.deg)
        sample = psf.sample_coord(self.coords, random_state=0, chunk_size=3000)
        offset = sample.skycoord.separation(self.coords.skycoord).to_value("deg")
        for fraction in (0.1, 0.5, 0.9):
            assert np.quantile(offset, fraction) == pytest.approx(0.1 * np.sqrt(-2 * np.log(1 - fraction)), rel=0.03)
        assert abs(sample.skycoord.galactic.l.wrap_at("180d").deg.mean()) < 0.003
        assert_allclose(sample["energy_true"].value, 2.0)

    def test_same_seed_gives_the_same(self):
        psf = PSFMap.from_gauss(TRUE)
        one, two = (psf.sample_coord(self.coords, random_state=5).lon for _ in range(2))
        assert (one == two).all()


class TestFiles:
    def test_write_then_read(self, tmp_path):
        psf = varying_psf()
        psf.write(tmp_path / "psf.fits")
        again = PSFMap.read(tmp_path / "psf.fits")
        assert_allclose(again.psf_map.data, psf.psf_map.data)
        assert again.psf_map.geom == psf.psf_map.geom
        assert_allclose(again.exposure_map.quantity, psf.exposure_map.quantity)
        with fits.open(tmp_path / "psf.fits") as hdulist:
            assert [hdu.name for hdu in hdulist] == ["PRIMARY", "PSF", "PSF_BANDS", "PSF_EXPOSURE", "PSF_EXPOSURE_BANDS"]

    def test_same_everywhere(self, tmp_path):
        psf = PSFMap.from_gauss(TRUE)
        assert psf.psf_map.geom.data_shape == (3, 66, 1, 2)
        psf.write(tmp_path / "psf.fits")
        assert_allclose(PSFMap.read(tmp_path / "psf.fits").psf_map.data, psf.psf_map.data)

    def test_region(self, tmp_path):
        psf = PSFMap.from_gauss(TRUE).to_region_nd_map(CircleSkyRegion(SkyCoord("1d", "2d"), 0.5 * u.deg))
        psf.write(tmp_path / "psf.fits")
        again = PSFMap.read(tmp_path / "psf.fits")
        assert_allclose(again.psf_map.data, psf.psf_map.data)
        assert again.psf_map.geom.region.radius.to_value("deg") == pytest.approx(0.5)

    def test_gtpsf(self, tmp_path):
        rad = MapAxis.from_nodes(np.linspace(0, 1, 101) ** 2 * 5, name="rad", unit="deg")
        energy = MapAxis.from_nodes([1, 10, 100], interp="log", name="energy_true", unit="GeV")
        data = np.exp(-rad.center.value / 0.1)[None, :, None, None] * np.array([1.0, 2, 3])[:, None, None, None]
        psf = PSFMap(
            RegionNDMap.create(None, axes=[rad, energy], unit="sr-1", data=data),
            RegionNDMap.create(None, axes=[rad.squash(), energy], unit="m2 s", data=np.arange(1.0, 4)[:, None, None, None]),
        )
        psf.write(tmp_path / "psf.fits", format="gtpsf")
        again = PSFMap.read(tmp_path / "psf.fits", format="gtpsf")
        assert_allclose(again.psf_map.data, psf.psf_map.data)
        assert_allclose(again.psf_map.geom.axes["energy_true"].center.to_value("MeV"), [1e3, 1e4, 1e5])
        assert_allclose(again.exposure_map.quantity.to_value("m2 s"), psf.exposure_map.data)
        with pytest.raises(FormatError, match=r"use .to_region_nd_map"):
            varying_psf().to_hdulist(format="gtpsf")

    def test_refusals(self, tmp_path):
        varying_psf().write(tmp_path / "psf.fits")
        with pytest.raises(NameLookupError, match="no HDU 'OTHER'; the file has PRIMARY, PSF"):
            PSFMap.read(tmp_path / "psf.fits", hdu="OTHER")
        with pytest.raises(FormatError, match="format 'other' is not known; expected one of gadf, gtpsf"):
            PSFMap.read(tmp_path / "psf.fits", format="other")
        with pytest.raises(FormatError, match="format 'gtpsf' is not known; expected one of gadf"):
            RecoPSFMap.from_gauss(RECO).to_hdulist(format="gtpsf")
        with pytest.raises(GeometryError, match=r"RecoPSFMap needs axes \['rad', 'energy'\]"):
            RecoPSFMap.read(tmp_path / "psf.fits", hdu="PSF")
        with pytest.raises(InputError, match="PSFMap got ndarray; expected a Map"):
            PSFMap(np.ones(3))
        with pytest.raises(InputError, match="got 2 widths for 3 energies"):
            PSFMap.from_gauss(TRUE, sigma=[0.1, 0.2] * u.deg)

    @requires_data(GC)
    def test_real_file(self):
        psf = PSFMap.read(data_path(GC))
        assert str(psf) == (
            "WcsNDMap\n\n\tgeom  : WcsGeom \n \taxes  : ['lon', 'lat', 'rad', 'energy_true']\n"
            "\tshape : (16, 12, 66, 14)\n\tndim  : 4\n\tunit  : 1 / sr\n\tdtype : float32\n"
        )
        radii = {fraction: psf.containment_radius(fraction, [1, 10] * u.TeV).to_value("deg") for fraction in (0.68, 0.95, 0.99)}
        assert_allclose(radii[0.68], [0.05375, 0.04325])
        assert_allclose(radii[0.95], [0.08775, 0.06975])
        assert_allclose(radii[0.99], [0.10875, 0.08775])
        image = psf.to_image()
        assert_allclose(image.psf_map.data[0, :3, 5, 5], [300289.27582453, 277694.14188709, 238154.9266954], rtol=1e-6)
        assert image.exposure_map.data[0, 0, 5, 5] == pytest.approx(1254307543.5223622, rel=1e-6)

    @requires_data("fermi-3fhl-gc/fermi-3fhl-gc.fits.gz")
    def test_flattened_region_map(self):
        psf = PSFMap.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc.fits.gz"))
        assert psf.psf_map.data.shape == (11, 130, 1, 1)
        assert psf.has_single_spatial_bin
        assert psf.containment(0.3 * u.deg, psf.psf_map.geom.axes[1].center[5]).value[0] == pytest.approx(0.90350194, rel=1e-5)

    @requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits")
    def test_theta_axis_in_radian(self):
        psf = PSFMap.read(data_path("fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits"))
        assert psf.psf_map.geom.axes.names == ["rad", "energy_true"]
        assert psf.containment(0.3 * u.deg, psf.psf_map.geom.axes[1].center[8]).value[0] == pytest.approx(0.91293024, rel=1e-5)

    @requires_data("hawc/DL4/nHit-9.fits.gz")
    def test_reconstructed_energy(self):
        psf = RecoPSFMap.read(data_path("hawc/DL4/nHit-9.fits.gz"))
        energy = psf.psf_map.geom.axes["energy"].center[5]
        assert psf.containment_radius(0.68, energy=energy).to_value("deg")[0] == pytest.approx(0.111375)
        assert psf.exposure_map is None

    @requires_data("fermi-3fhl-gc/fermi-3fhl-gc-psf-cube.fits.gz")
    def test_real_gtpsf(self):
        psf = PSFMap.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-psf-cube.fits.gz"), format="gtpsf")
        assert_allclose(psf.containment_radius(0.68, [20, 100] * u.GeV).to_value("deg"), [0.11702778, 0.09934444], rtol=1e-6)
        assert_allclose(psf.containment(0.1 * u.deg, [20, 100] * u.GeV), [0.62713023, 0.68194545], rtol=1e-6)


class TestReco:
    def test_energy_is_reconstructed(self):
        psf = RecoPSFMap.from_gauss(RECO, sigma=0.1 * u.deg)
        assert (psf.energy_name, psf.tag, psf.required_axes) == ("energy", "psf_map_reco", ["rad", "energy"])
        same = PSFMap.from_gauss(TRUE, sigma=0.1 * u.deg)
        assert_allclose(
            psf.containment(rad=0.1 * u.deg, energy=2 * u.TeV), same.containment(rad=0.1 * u.deg, energy_true=2 * u.TeV)
        )
        assert_allclose(psf.containment_radius(0.68, energy=2 * u.TeV).value, 0.15075)
        assert psf.containment_radius_map(energy=2 * u.TeV).data.shape == (1, 2)
        geom = WcsGeom.create(binsz=0.05, width=3, axes=[RECO])
        assert_allclose(psf.get_psf_kernel(geom).data.sum(axis=(1, 2)), 1)
