"""Responses on the pixels of a geometry against their evaluation point by point, and on finer grids."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from numpy.testing import assert_allclose
from regions import CircleSkyRegion, PointSkyRegion

from geminga.errors import DataError, GeometryError, InputError
from geminga.irf import (
    Background2D,
    Background3D,
    EffectiveAreaTable2D,
    EnergyDependentMultiGaussPSF,
    EnergyDispersion2D,
    FoVAlignment,
)
from geminga.irf.background.project import make_map_background_irf
from geminga.irf.project import make_edisp_kernel_map, make_edisp_map, make_map_exposure_true_energy, make_psf_map
from geminga.maps import MapAxis, RegionGeom, WcsGeom

POINTING = SkyCoord(83.63, 22.01, unit="deg")
TABLE_TRUE = MapAxis.from_energy_bounds("0.05 TeV", "100 TeV", nbin=20, name="energy_true")
OFFSET = MapAxis.from_edges([0, 1, 2, 3, 4], unit="deg", name="offset")
TRUE = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=5, name="energy_true")
ENERGY = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=4, name="energy")
RAD = MapAxis.from_bounds(0, 0.6, nbin=30, unit="deg", name="rad")
MIGRA = MapAxis.from_bounds(0.2, 5, nbin=120, name="migra")
IMAGE = WcsGeom.create(skydir=(84.5, 21.5), npix=(9, 7), binsz=0.7, frame="icrs")
GALACTIC = WcsGeom.create(skydir=(184.5, -5.8), npix=(9, 7), binsz=0.7, frame="galactic")
START = Time("2020-01-01T20:00:00")
RNG = np.random.default_rng(1)


def aeff():
    data = 1e5 * TABLE_TRUE.center.value[:, None] * np.array([1.0, 0.8, 0.5, 0.1])
    return EffectiveAreaTable2D([TABLE_TRUE, OFFSET], data=data)


def offsets(image):
    return image.separation(POINTING)


@pytest.mark.parametrize("image", [IMAGE, GALACTIC], ids=["icrs", "galactic"])
class TestExposure:
    def test_is_area_times_livetime(self, image):
        exposure = make_map_exposure_true_energy(POINTING, 1800 * u.s, aeff(), image.to_cube([TRUE]))
        expected = aeff().evaluate(energy_true=TRUE.center[:, None, None], offset=offsets(image)) * 1800 * u.s
        assert_allclose(exposure.quantity.to_value("m2 s"), np.clip(expected.to_value("m2 s"), 0, None), rtol=1e-5)
        assert exposure.meta == {"livetime": 1800 * u.s, "is_pointlike": False}

    def test_is_never_negative(self, image):
        # The line through the last two offsets ends below zero.
        image = image.upsample(4)
        exposure = make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), image.to_cube([TRUE]))
        far = (offsets(image).deg > 3.8) & (offsets(image).deg < 4)
        assert far.any()
        assert (exposure.data[:, far] == 0).all()


class TestExposureOfRegions:
    def test_center_and_average(self):
        region = CircleSkyRegion(POINTING.directional_offset_by(30 * u.deg, 1.2 * u.deg), 0.5 * u.deg)
        geom = RegionGeom(region, axes=[TRUE])
        center = make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), geom)
        expected = aeff().evaluate(energy_true=TRUE.center, offset=1.2 * u.deg).to_value("m2")
        assert_allclose(center.data.ravel(), expected, rtol=1e-5)
        average = make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), geom, use_region_center=False)
        radius, angle = 0.5 * np.sqrt((np.arange(100) + 0.5) / 100)[:, None], np.linspace(0, 360, 72, endpoint=False)
        points = region.center.directional_offset_by(angle * u.deg, radius * u.deg)
        expected = aeff().evaluate(energy_true=TRUE.center[:, None, None], offset=points.separation(POINTING)).mean(axis=(1, 2))
        assert_allclose(average.data.ravel(), expected.to_value("m2"), rtol=2e-3)

    def test_far_away_and_point(self):
        far = RegionGeom(CircleSkyRegion(POINTING.directional_offset_by(0 * u.deg, 20 * u.deg), 0.5 * u.deg), axes=[TRUE])
        assert (make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), far).data == 0).all()
        point = RegionGeom(PointSkyRegion(POINTING), axes=[TRUE])
        assert (make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), point, use_region_center=False).data > 0).all()
        with pytest.raises(GeometryError, match="RegionGeom without region"):
            make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), RegionGeom(None, axes=[TRUE]))


class TestRefusals:
    def test_axes(self):
        with pytest.raises(GeometryError, match=r"the geometry has the axes \['energy'\]; expected \['energy_true'\]"):
            make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), IMAGE.to_cube([ENERGY]))
        with pytest.raises(GeometryError, match=r"make_psf_map: .* expected \['rad', 'energy_true'\] in this order"):
            make_psf_map(psf_table(), POINTING, IMAGE.to_cube([TRUE, RAD]))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_nan_where_it_is_needed(self, value):
        bad = aeff()
        bad.data[10, 1] = value
        with pytest.raises(DataError, match="EffectiveAreaTable2D: the exposure is not a number in .* of 315 bins"):
            make_map_exposure_true_energy(POINTING, 1 * u.s, bad, IMAGE.to_cube([TRUE]))
        bad = edisp()
        bad.data[12, 60, 0] = value
        for make, axis in ((make_edisp_kernel_map, ENERGY), (make_edisp_map, MIGRA)):
            with pytest.raises(DataError, match="EnergyDispersion2D: the energy dispersion is not a number"):
                make(bad, POINTING, IMAGE.to_cube([axis, TRUE]))
        bad = psf_table()
        bad.data[11, 1, 5] = value
        with pytest.raises(DataError, match="PSF3D: the PSF is not a number"):
            make_psf_map(bad, POINTING, IMAGE.to_cube([RAD, TRUE]))
        bad = background()
        bad.data[8] = value
        with pytest.raises(DataError, match="Background3D: the background is not a number"):
            make_map_background_irf(POINTING, 1 * u.s, bad, IMAGE.to_cube([ENERGY]), START)

    def test_nan_elsewhere(self):
        bad = aeff()
        bad.data[0], bad.data[-1] = np.nan, np.nan
        assert np.isfinite(make_map_exposure_true_energy(POINTING, 1 * u.s, bad, IMAGE.to_cube([TRUE])).data).all()


def psf_gauss():
    sigma = 0.05 + 0.02 * OFFSET.center.value + 0.1 / (1 + TABLE_TRUE.center.value[:, None])
    values = {"sigma_1": sigma, "sigma_2": 2 * sigma, "sigma_3": 1.0, "scale": 1.0, "ampl_2": 0.1, "ampl_3": 0.0}
    return EnergyDependentMultiGaussPSF([TABLE_TRUE, OFFSET], data=values)


def psf_table():
    return psf_gauss().to_psf3d(rad=np.linspace(0, 0.8, 81) * u.deg)


@pytest.mark.parametrize("make", [psf_gauss, psf_table])
def test_psf_map_is_the_psf_normalised(make):
    psf = make_psf_map(make(), POINTING, IMAGE.to_cube([RAD, TRUE]))
    where = {"rad": RAD.center[:, None, None], "energy_true": TRUE.center[:, None, None, None], "offset": offsets(IMAGE)}
    density = make().evaluate(**where).to_value("sr-1")
    near = offsets(IMAGE).deg < 4
    density = np.where(near, np.clip(density, 0, None), 1.0)
    ring = (2 * np.pi * RAD.center.to_value("rad") * RAD.bin_width.to_value("rad"))[:, None, None]
    total = (density * ring).sum(axis=1, keepdims=True)
    assert_allclose(psf.psf_map.data[..., near], (density / total)[..., near], rtol=2e-5, atol=1e-4)
    assert_allclose((psf.psf_map.data * ring).sum(axis=1)[:, near], 1, rtol=1e-5)
    if make is psf_table:
        assert (psf.psf_map.data[..., ~near] == 0).all()


def test_exposure_is_kept():
    geom = IMAGE.to_cube([RAD, TRUE])
    exposure = make_map_exposure_true_energy(POINTING, 1 * u.s, aeff(), IMAGE.to_cube([TRUE]))
    psf = make_psf_map(psf_gauss(), POINTING, geom, exposure)
    assert psf.exposure_map.geom == geom.squash("rad")
    assert_allclose(psf.exposure_map.data[:, 0], exposure.data)
    assert psf.exposure_map.meta["livetime"] == 1 * u.s
    with pytest.raises(GeometryError, match="make the exposure on the geometry of the response"):
        make_psf_map(psf_gauss(), POINTING, geom, exposure.slice_by_idx({"energy_true": slice(0, 2)}))


def edisp(sigma=0.08):
    spread = sigma * (1 + 0.2 * np.log10(TABLE_TRUE.center.value))
    table = EnergyDispersion2D.from_gauss(TABLE_TRUE, MIGRA, OFFSET, bias=0.02, sigma=spread, pdf_threshold=0)
    # Wider at large offsets, and with numbers of events for weights.
    wide = EnergyDispersion2D.from_gauss(TABLE_TRUE, MIGRA, OFFSET, bias=0.05, sigma=2 * spread, pdf_threshold=0)
    data = np.where(np.arange(4) > 1, wide.data, table.data) * 1000 * TABLE_TRUE.center.value[:, None, None] ** -1.5
    return EnergyDispersion2D(table.axes, data=data)


def fine_kernel(table, offset, parts=60):
    """Average over many energies in each bin of true energy, weighted by E^-2."""
    fine = TRUE.upsample(parts)
    rows = table.to_edisp_kernel(offset=offset, energy_axis_true=fine, energy_axis=ENERGY, threshold=0).pdf_matrix
    weight = 1 / fine.edges.value[:-1] - 1 / fine.edges.value[1:]
    return (rows * weight[:, None]).reshape(TRUE.nbin, parts, -1).sum(axis=1) / weight.reshape(TRUE.nbin, parts).sum(axis=1)[
        :, None
    ]


@pytest.mark.parametrize("offset", [0.2, 0.5, 1.0, 1.5, 2.7, 3.9])
def test_kernels_are_averages_over_bins_of_true_energy(offset):
    place = POINTING.directional_offset_by(77 * u.deg, offset * u.deg)
    geom = WcsGeom.create(skydir=place, npix=(1, 1), binsz=0.01, axes=[ENERGY, TRUE])
    kernel = make_edisp_kernel_map(edisp(), POINTING, geom).edisp_map.data[..., 0, 0]
    truth = fine_kernel(edisp(), offset * u.deg)
    assert_allclose(kernel, truth, atol=2e-3)
    center = edisp().to_edisp_kernel(offset=offset * u.deg, energy_axis_true=TRUE, energy_axis=ENERGY).pdf_matrix
    assert np.abs(center - truth).max() > 0.1


def test_edisp_map_holds_averages_over_migra():
    coarse = MapAxis.from_bounds(0.2, 5, nbin=12, name="migra")
    geom = IMAGE.to_cube([coarse, TRUE])
    density = make_edisp_map(edisp(), POINTING, geom).edisp_map.data
    near = offsets(IMAGE).deg < 4
    assert_allclose((density * coarse.bin_width.value[:, None, None]).sum(axis=1)[:, near], 1, rtol=1e-5)
    assert (density[..., ~near] == 0).all()
    # Ten bins of the table are one of the map.
    place = np.unravel_index(np.argmin(np.abs(offsets(IMAGE).deg - 0.5)), near.shape)
    table = make_edisp_map(edisp(), POINTING, IMAGE.to_cube([MIGRA, TRUE])).edisp_map.data
    assert_allclose(density[..., place[0], place[1]], table[..., place[0], place[1]].reshape(5, 12, 10).mean(axis=2), atol=1e-5)


def test_probabilities_add_up_beyond_the_outermost_offsets():
    """The line through two distributions which do not overlap goes below zero there; what is cut must not leave more than 1."""
    table = edisp(sigma=0.02)
    table.data[:, :, 3] = np.roll(table.data[:, :, 3], 30, axis=1)
    distance = offsets(IMAGE).deg
    beyond = (distance > 3.6) & (distance < 4)
    assert beyond.any()
    width = MIGRA.bin_width.value[:, None, None]
    total = (make_edisp_map(table, POINTING, IMAGE.to_cube([MIGRA, TRUE])).edisp_map.data * width).sum(axis=1)
    assert_allclose(total[:, beyond], 1, rtol=1e-5)
    wide = MapAxis.from_energy_bounds("0.01 TeV", "1000 TeV", nbin=40)
    total = make_edisp_kernel_map(table, POINTING, IMAGE.to_cube([wide, TRUE])).edisp_map.data.sum(axis=1)
    assert_allclose(total[:, beyond], 1, rtol=1e-5)
    kernel = table.to_edisp_kernel(offset="3.9 deg", energy_axis_true=TRUE, energy_axis=wide)
    assert_allclose(kernel.pdf_matrix.sum(axis=1), 1, rtol=1e-5)


def test_no_distribution_has_no_kernel():
    table = edisp()
    table.data[:, :, 2:] = 0
    geom = IMAGE.to_cube([ENERGY, TRUE])
    total = make_edisp_kernel_map(table, POINTING, geom).edisp_map.data[2].sum(axis=0)
    distance = offsets(IMAGE).deg
    assert_allclose(total[distance < 1.4], 1, atol=1e-3)
    # Between an offset that has one and one that has none, it is that of the former.
    assert_allclose(total[(distance > 1.6) & (distance < 2.4)], 1, atol=1e-3)
    assert (total[distance > 2.6] == 0).all()


TABLE_ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=15, name="energy")
LON, LAT = (MapAxis.from_bounds(-4, 4, nbin=16, unit="deg", name=name) for name in ("fov_lon", "fov_lat"))


def background(alignment="RADEC"):
    """Steep, with a gradient to positive longitudes and latitudes."""
    energy = TABLE_ENERGY.center.value[:, None, None]
    shape = np.exp(0.2 * LON.center.value[:, None] + 0.1 * LAT.center.value - 0.05 * LON.center.value[:, None] ** 2)
    data = 1e-6 * energy ** (-2.2 - 0.3 * np.log(energy)) * shape
    return Background3D([TABLE_ENERGY, LON, LAT], data=data, fov_alignment=alignment)


def fine_background(bkg, image, lon, lat):
    """Rate on a fine grid of energies, summed."""
    values = []
    solid_angle = image.solid_angle().to_value("sr").reshape(image.data_shape)
    for low, high in ENERGY.iter_by_edges:
        edges = np.geomspace(low.value, high.value, 801)
        center = np.sqrt(edges[1:] * edges[:-1])[:, None, None] * u.TeV
        coords = {"fov_lon": lon, "fov_lat": lat} if not bkg.has_offset_axis else {"offset": offsets(image)}
        rate = bkg.evaluate(energy=center, **coords).to_value("s-1 TeV-1 sr-1")
        values.append(np.tensordot(np.diff(edges), rate, axes=1) * solid_angle)
    return np.array(values)


def fov(image, frame_origin):
    offset = image.get_coord().skycoord.transform_to(frame_origin.skyoffset_frame())
    return offset.lon.wrap_at("180d"), offset.lat


class TestBackground:
    SMALL = WcsGeom.create(skydir=(84.2, 21.7), npix=(4, 3), binsz=0.8, frame="icrs")

    @pytest.mark.parametrize(("alignment", "sign"), [("RADEC", -1), ("REVERSE_LON_RADEC", 1)])
    def test_integral_over_energy_is_exact(self, alignment, sign):
        bkg = background(alignment)
        lon, lat = fov(self.SMALL, POINTING)
        found = make_map_background_irf(POINTING, 1000 * u.s, bkg, self.SMALL.to_cube([ENERGY]), START)
        assert_allclose(found.data, 1000 * fine_background(bkg, self.SMALL, sign * lon, lat), rtol=1e-4)

    def test_offset(self):
        offset = MapAxis.from_bounds(0, 4, nbin=8, unit="deg", name="offset")
        energy = TABLE_ENERGY.center.value[:, None]
        bkg = Background2D([TABLE_ENERGY, offset], data=1e-6 * energy**-2.7 * np.exp(-0.3 * offset.center.value**2))
        found = make_map_background_irf(POINTING, 1000 * u.s, bkg, self.SMALL.to_cube([ENERGY]), START)
        assert_allclose(found.data, 1000 * fine_background(bkg, self.SMALL, None, None), rtol=1e-4)

    def test_outside(self):
        far = WcsGeom.create(skydir=POINTING.directional_offset_by(0 * u.deg, 20 * u.deg), npix=(4, 3), binsz=0.8, frame="icrs")
        assert (make_map_background_irf(POINTING, 1 * u.s, background(), far.to_cube([ENERGY]), START).data == 0).all()
        high = MapAxis.from_energy_bounds("200 TeV", "300 TeV", nbin=1)
        assert (make_map_background_irf(POINTING, 1 * u.s, background(), self.SMALL.to_cube([high]), START).data == 0).all()

    def test_whole_sky_without_nan(self):
        sky = WcsGeom.create(proj="AIT", binsz=5, frame="icrs", axes=[ENERGY])
        counts = make_map_background_irf(POINTING, 1 * u.s, background(), sky, START)
        assert np.isfinite(counts.data).all()
        assert counts.data.sum() > 0

    def test_region(self):
        region = CircleSkyRegion(POINTING.directional_offset_by(40 * u.deg, 1.1 * u.deg), 0.7 * u.deg)
        geom = RegionGeom(region, axes=[ENERGY])
        image = WcsGeom.create(skydir=region.center, binsz=0.02, width=1.6, frame="icrs", axes=[ENERGY])
        counts = make_map_background_irf(POINTING, 1000 * u.s, background(), image, START)
        inside = image.region_mask([region]).data
        average = make_map_background_irf(POINTING, 1000 * u.s, background(), geom, START, use_region_center=False)
        assert_allclose(average.data.ravel(), (counts.data * inside).sum(axis=(1, 2)), rtol=5e-3)
        center = make_map_background_irf(POINTING, 1000 * u.s, background(), geom, START).data.ravel()
        row, column = (int(i) for i in np.ravel(image.to_image().coord_to_idx(region.center))[::-1])
        density = counts.data[:, row, column] / image.to_image().solid_angle().to_value("sr")[row, column]
        assert_allclose(center, density * geom.solid_angle().to_value("sr"), rtol=5e-3)


class TestTurningField:
    LOCATION = EarthLocation(lon=16.5 * u.deg, lat=-23.27 * u.deg, height=1800 * u.m)
    IMAGE = WcsGeom.create(skydir=POINTING, npix=(3, 3), binsz=1.0, frame="icrs")

    def counts(self, step, ontime=3600 * u.s):
        bkg = background(FoVAlignment.ALTAZ)
        geom = self.IMAGE.to_cube([ENERGY])
        return make_map_background_irf(
            POINTING, ontime, bkg, geom, START + 1 * u.h, fov_rotation_step=step, location=self.LOCATION
        ).data

    def test_orientation(self):
        time = START + 1 * u.h
        frame = AltAz(obstime=time + 0.5 * u.s, location=self.LOCATION)
        offset = self.IMAGE.get_coord().skycoord.transform_to(frame).transform_to(POINTING.transform_to(frame).skyoffset_frame())
        bkg = background(FoVAlignment.ALTAZ)
        expected = fine_background(bkg, self.IMAGE, -offset.lon.wrap_at("180d"), offset.lat)
        assert_allclose(self.counts(1 * u.deg, 1 * u.s), expected, rtol=1e-4)

    def test_average_over_time(self):
        fine = self.counts(0.05 * u.deg)
        assert_allclose(self.counts(1 * u.deg), fine, rtol=1e-4)
        assert_allclose(self.counts("1 deg"), self.counts(1 * u.deg))
        # The field turns: one step for all would differ.
        assert np.abs(self.counts(1000 * u.deg) / fine - 1).max() > 1e-3

    def test_radial_rates_do_not_turn(self):
        bkg = background(FoVAlignment.ALTAZ).to_2d()
        counts = make_map_background_irf(POINTING, 1 * u.s, bkg, self.IMAGE.to_cube([ENERGY]), None)
        assert counts.data.min() > 0

    def test_refusals(self):
        geom = self.IMAGE.to_cube([ENERGY])
        with pytest.raises(InputError, match="a background aligned with ALTAZ needs the location"):
            make_map_background_irf(POINTING, 1 * u.s, background("ALTAZ"), geom, START)
        with pytest.raises(InputError, match="fov_rotation_step is 0.0 deg; expected a positive angle"):
            make_map_background_irf(
                POINTING, 1 * u.s, background("ALTAZ"), geom, START, fov_rotation_step=0 * u.deg, location=self.LOCATION
            )

    def test_drift(self):
        from geminga.data import FixedPointingInfo

        time = START + 1 * u.h
        altaz = POINTING.transform_to(AltAz(obstime=time + 300 * u.s, location=self.LOCATION))
        drift = FixedPointingInfo(fixed_altaz=SkyCoord(az=altaz.az, alt=altaz.alt, frame=AltAz()))
        offset = MapAxis.from_bounds(0, 4, nbin=40, unit="deg", name="offset")
        bkg = Background2D([TABLE_ENERGY, offset], data=1e-6 * np.exp(-2 * offset.center.value**2) * np.ones((15, 1)))
        geom = self.IMAGE.to_cube([ENERGY])
        counts = make_map_background_irf(drift, 600 * u.s, bkg, geom, time, location=self.LOCATION).data
        still = make_map_background_irf(POINTING, 600 * u.s, bkg, geom, time).data
        # The sky moves by 2.3 deg: less in the middle, more on the sides.
        assert counts[0, 1, 1] < 0.95 * still[0, 1, 1]
        assert counts[0, 1, 0] > still[0, 1, 0]
