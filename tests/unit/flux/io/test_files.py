"""Files of flux points and of flux maps: whole or not at all, and what is in them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from geminga.errors import CorruptFileError, FileError, FileExistsRefusal, FormatError, NameLookupError
from geminga.estimators import FluxMaps, FluxPoints
from tests.helpers import data_path, requires_data
from tests.unit.flux.builders import POWER_LAW, flux_maps, light_curve, single_band_light_curve, spectrum_points
from tests.unit.flux.io.test_table import equal


@pytest.mark.parametrize("name", ["points.fits", "points.fits.gz", "points.ecsv"])
def test_points_file_reads_back(tmp_path, name):
    points = spectrum_points()
    points.gti = light_curve().gti
    points.write(tmp_path / name, checksum=True)
    again = FluxPoints.read(tmp_path / name, checksum=True)
    equal(points, again)
    assert (again.gti == points.gti) if "fits" in name else again.gti is None
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        points.write(tmp_path / name)
    points.write(tmp_path / name, sed_type="flux", overwrite=True)
    equal(points, FluxPoints.read(tmp_path / name))


@pytest.mark.parametrize("name", ["curve.fits", "curve.ecsv"])
def test_light_curve_file_reads_back(tmp_path, name):
    light_curve().write(tmp_path / name, sed_type="eflux", format="lightcurve")
    equal(light_curve(), FluxPoints.read(tmp_path / name, format="lightcurve"))


@pytest.mark.parametrize("name", ["series.fits", "series.ecsv"])
def test_time_series_file_is_written(tmp_path, name):
    single_band_light_curve().write(tmp_path / name, sed_type="flux", format="binned-time-series")
    with pytest.raises(FormatError, match=f"{name}.*can only be written"):
        FluxPoints.read(tmp_path / name)


def test_names_of_hdus(tmp_path):
    spectrum_points().write(tmp_path / "points.fits")
    with fits.open(tmp_path / "points.fits") as hdulist:
        assert [hdu.name for hdu in hdulist] == ["PRIMARY", "FLUXPOINTS"]
        assert hdulist[1].header["SED_TYPE"] == "likelihood"
        table = hdulist[1].copy()
    table.name = "TABLE"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "table.fits")
    equal(spectrum_points(), FluxPoints.read(tmp_path / "table.fits"))
    table.name = ""
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "unnamed.fits")
    equal(spectrum_points(), FluxPoints.read(tmp_path / "unnamed.fits"))
    equal(spectrum_points(), FluxPoints.read(tmp_path / "table.fits", hdu=1))
    with pytest.raises(NameLookupError, match=r"table.fits has no HDU 'SED'; it has PRIMARY, TABLE"):
        FluxPoints.read(tmp_path / "table.fits", hdu="SED")


def test_bad_files_are_named(tmp_path):
    with pytest.raises(FileError, match=r"missing.fits does not exist"):
        FluxPoints.read(tmp_path / "missing.fits")
    (tmp_path / "text.fits").write_text("e_ref dnde")
    with pytest.raises(CorruptFileError, match=r"text.fits is not a FITS file"):
        FluxPoints.read(tmp_path / "text.fits")
    (tmp_path / "bad.ecsv").write_text("e_ref dnde\n1 2 3")
    with pytest.raises(FormatError, match=r"bad.ecsv is no table of the format 'ascii.ecsv'"):
        FluxPoints.read(tmp_path / "bad.ecsv")
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "empty.fits")
    with pytest.raises(FormatError, match=r"empty.fits has no table HDU"):
        FluxPoints.read(tmp_path / "empty.fits")
    spectrum_points().write(tmp_path / "points.fits")
    whole = (tmp_path / "points.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[:-2880])
    with pytest.raises(CorruptFileError, match=r"cut.fits .*truncated"):
        FluxPoints.read(tmp_path / "cut.fits")


@pytest.mark.parametrize("sed_type", [None, "dnde", "flux", "eflux", "e2dnde", "likelihood"])
def test_maps_file_reads_back(tmp_path, sed_type):
    maps = flux_maps()
    maps.write(tmp_path / "maps.fits", sed_type=sed_type)
    again = FluxMaps.read(tmp_path / "maps.fits")
    for name in maps.available_quantities:
        assert_allclose(getattr(again, name).data, getattr(maps, name).data, rtol=1e-12, err_msg=name)
    assert again.is_ul.data.dtype == bool
    assert again.success.data.dtype == bool
    assert (again.n_sigma_ul, again.sqrt_ts_threshold_ul) == (2, 3)
    assert again.gti == maps.gti
    assert again.reference_model.name == "pl"
    assert again.sed_type_init == (sed_type or "likelihood")


def test_maps_file_may_be_moved_with_its_model(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    flux_maps().write(tmp_path / "a" / "maps.fits.gz", checksum=True)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["maps.fits.gz", "maps_model.yaml"]
    for path in list((tmp_path / "a").iterdir()):
        shutil.move(path, tmp_path / "b" / path.name)
    assert_allclose(FluxMaps.read(tmp_path / "b" / "maps.fits.gz", checksum=True).dnde.data, flux_maps().dnde.data)


def test_maps_files_are_written_both_or_none(tmp_path):
    (tmp_path / "maps_model.yaml").write_text("mine")
    with pytest.raises(FileExistsRefusal, match=r"maps_model.yaml exists"):
        flux_maps().write(tmp_path / "maps.fits")
    assert not (tmp_path / "maps.fits").exists()
    flux_maps().write(tmp_path / "maps.fits", filename_model=tmp_path / "other.yaml")
    assert (tmp_path / "maps_model.yaml").read_text() == "mine"
    assert (tmp_path / "other.yaml").exists()


def test_maps_of_norms_need_their_model(tmp_path, caplog):
    flux_maps().write(tmp_path / "maps.fits")
    flux_maps().write(tmp_path / "flux.fits", sed_type="flux")
    (tmp_path / "maps_model.yaml").unlink()
    (tmp_path / "flux_model.yaml").unlink()
    with pytest.raises(FormatError, match="norms have no meaning without their reference model"):
        FluxMaps.read(tmp_path / "maps.fits")
    again = FluxMaps.read(tmp_path / "flux.fits")
    assert "is not found" in caplog.text
    assert "power law of index 2 is assumed" in caplog.text
    assert_allclose(again.flux.data, flux_maps().flux.data)


def test_hdulist_of_maps():
    hdulist = flux_maps().to_hdulist(sed_type="flux")
    names = [hdu.name for hdu in hdulist]
    assert names[:3] == ["PRIMARY", "FLUX", "FLUX_BANDS"]
    assert {"FLUX_ERR", "FLUX_UL", "TS", "SQRT_TS", "SUCCESS", "IS_UL", "GTI"} <= set(names)
    shared = flux_maps().to_hdulist(sed_type="flux", hdu_bands="BANDS")
    assert [hdu.name for hdu in shared].count("BANDS") == 1
    for one, bands in ((hdulist, None), (shared, "BANDS")):
        again = FluxMaps.from_hdulist(one, hdu_bands=bands)
        assert_allclose(again.flux.data, flux_maps().flux.data)
    with pytest.raises(FormatError, match="there is no HDU"):
        FluxMaps.from_hdulist(fits.HDUList([fits.PrimaryHDU()]))


def test_maps_of_points_keep_their_scans(tmp_path):
    points = spectrum_points(POWER_LAW)
    super(FluxPoints, points).write(tmp_path / "points.fits")
    again = FluxMaps.read(tmp_path / "points.fits")
    assert_allclose(again.stat_scan.data, points.stat_scan.data)
    assert_allclose(again.stat_scan.geom.axes["norm"].center, points.stat_scan.geom.axes["norm"].center)


FOLDER = "tests/spectrum/flux_points"


@requires_data(FOLDER)
@pytest.mark.parametrize("suffix", ["fits", "ecsv"])
def test_sample_files(suffix):
    dnde = FluxPoints.read(f"$GAMMAPY_DATA/{FOLDER}/diff_flux_points.{suffix}")
    assert_allclose(dnde.dnde.quantity.ravel()[0].to_value("cm-2 s-1 MeV-1"), 1.15069456054e-10)
    assert dnde.is_ul.data.sum() == 5
    flux = FluxPoints.read(f"$GAMMAPY_DATA/{FOLDER}/flux_points.{suffix}")
    assert_allclose(flux.flux.quantity.ravel()[0].to_value("cm-2 s-1"), 3.84363636364e-09)
    assert_allclose(flux.energy_axis.edges[0].to_value("MeV"), 100)
    assert flux.n_sigma_ul == 2


@requires_data("estimators/crab_hess_fp")
def test_crab_file():
    points = FluxPoints.read("$GAMMAPY_DATA/estimators/crab_hess_fp/crab_hess_fp.fits")
    assert_allclose(points.dnde.data.ravel()[1:], [2.34245288e-11, 2.93755440e-12, 4.69650917e-13, 3.87066173e-14], rtol=1e-8)
    assert points.n_sigma_ul == 3
    # The limits were made by the fit; those of the profile alone agree.
    assert_allclose(points.recompute_ul(3).norm_ul.data[1:], points.norm_ul.data[1:], rtol=1e-3)
    assert len(points.gti.table) == 1


@requires_data("estimators/pks2155_hess_lc")
@pytest.mark.parametrize("name", ["pks2155_hess_lc.fits", "pks2155_hess_lc_3bins.fits"])
def test_light_curve_file(name):
    curve = FluxPoints.read(f"$GAMMAPY_DATA/estimators/pks2155_hess_lc/{name}", format="lightcurve")
    with fits.open(data_path(f"estimators/pks2155_hess_lc/{name}")) as hdulist:
        table = hdulist[1].data
        expected = np.asarray(table["norm"] * table["ref_flux"], dtype=float)
    # The reference of the file counts, also where a single energy bin says nothing about the slope.
    assert_allclose(curve.flux.data[..., 0, 0], expected, rtol=1e-6)
    assert curve.geom.axes["time"].nbin == 34
    assert len(curve.gti.table) == 44


@requires_data("hawc/crab_flux")
def test_hawc_file():
    points = FluxPoints.read("$GAMMAPY_DATA/hawc/crab_flux/HAWC19_flux_points.fits")
    assert points.is_ul.data.sum() == 1
    assert_allclose(points.sqrt_ts.data.ravel()[0] ** 2, 2734)
