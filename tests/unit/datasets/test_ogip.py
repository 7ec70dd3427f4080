"""OGIP files: what is written reads back, and every form the standard allows reads as the same dataset."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from geminga.datasets import OGIPDatasetReader, OGIPDatasetWriter, SpectrumDatasetOnOff
from geminga.errors import CorruptFileError, DataError, FileError, FileExistsRefusal, FormatError, UnsupportedError
from geminga.irf import EDispKernelMap
from geminga.maps import Map
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders

N = 6


@pytest.fixture
def dataset():
    dataset = builders.onoff_spectrum(seed=1, nbin=N)
    true = builders.energy_axis_true(9)
    geom = dataset.exposure.geom.to_image().to_cube([true])
    livetime = {"livetime": 50 * u.s}
    dataset.exposure = Map.from_geom(geom, data=np.linspace(1, 3, 9)[:, None, None] * 1e10, unit="m2 s", meta=livetime)
    dataset.edisp = EDispKernelMap.from_gauss(builders.energy_axis(N), true, sigma=0.15, bias=0, geom=geom)
    return dataset


@pytest.fixture
def pha(dataset, tmp_path):
    path = tmp_path / "pha.fits"
    dataset.write(path, format="ogip")
    return path


def assert_same(one, other, rtol=1e-12):
    for name in ("counts", "counts_off", "mask_safe", "alpha", "background"):
        assert_allclose(getattr(one, name).data, getattr(other, name).data, rtol=rtol, err_msg=name)
    assert_allclose(one.exposure.quantity.to_value("m2 s"), other.exposure.quantity.to_value("m2 s"), rtol=rtol)
    assert_allclose(one.edisp.edisp_map.data, other.edisp.edisp_map.data, rtol=rtol)
    for name in ("energy", "energy_true"):
        edges = [d.edisp.edisp_map.geom.axes[name].edges for d in (one, other)]
        assert_allclose(edges[0].to_value("TeV"), edges[1].to_value("TeV"), rtol=rtol)


def save(hdulist, path):
    hdulist[0].header.remove("NHDUS", ignore_missing=True)  # HDUs may be taken away
    hdulist.writeto(path, overwrite=True, checksum=True)
    hdulist.close()


def table_without(hdulist, name, *columns):
    """Take columns out of a table."""
    hdu = hdulist[name]
    kept = fits.ColDefs([column for column in hdu.columns if column.name not in columns])
    hdulist[name] = fits.BinTableHDU.from_columns(kept, header=hdu.header, name=name)
    for column in columns:
        hdulist[name].header.pop(column, None)
    return hdulist[name]


def set_column(path, name, values, format="D", hdu="SPECTRUM"):
    hdulist = fits.open(path, memmap=False)
    table = table_without(hdulist, hdu, name)
    columns = table.columns + fits.Column(name, format, array=values)
    hdulist[hdu] = fits.BinTableHDU.from_columns(columns, header=table.header, name=hdu)
    save(hdulist, path)


def set_keyword(path, name, value, hdu="SPECTRUM"):
    hdulist = fits.open(path, memmap=False)
    table_without(hdulist, hdu, name).header[name] = value
    save(hdulist, path)


@pytest.mark.parametrize("format", ["ogip", "ogip-sherpa"])
@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
def test_round_trip(dataset, tmp_path, format, suffix):
    path = tmp_path / f"pha.{suffix}"
    dataset.write(path, format=format)
    names = [f"pha{kind}.{suffix}" for kind in ("", "_arf", "_bkg", "_rmf")]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    new = SpectrumDatasetOnOff.read(path)
    assert_same(new, dataset)
    assert new.name == "onoff"
    assert_allclose(new.stat_sum(), dataset.stat_sum())
    assert new.exposure.meta["livetime"] == 50 * u.s
    assert new.gti.time_sum == dataset.gti.time_sum
    assert_allclose(new.counts.geom.region.radius.to_value("deg"), 0.3)
    assert new.counts.geom.region.center.separation(builders.CENTER) < 1e-9 * u.deg


def test_units_of_sherpa(dataset, tmp_path):
    """Energies in keV, areas in cm2."""
    dataset.write(tmp_path / "pha.fits", format="ogip-sherpa")
    with fits.open(tmp_path / "pha_arf.fits") as hdulist:
        assert [column.unit for column in hdulist["SPECRESP"].columns] == ["keV", "keV", "cm2"]
        assert_allclose(hdulist["SPECRESP"].data["SPECRESP"], np.linspace(1, 3, 9) * 1e14 / 50)
    with fits.open(tmp_path / "pha_rmf.fits") as hdulist:
        assert hdulist["EBOUNDS"].columns["E_MIN"].unit == hdulist["MATRIX"].columns["ENERG_LO"].unit == "keV"


def test_spectrum_table(pha):
    """Keywords and columns other programs look for."""
    with fits.open(pha, checksum=True) as hdulist:
        table = hdulist["SPECTRUM"]
        assert table.columns.names == ["CHANNEL", "COUNTS", "QUALITY", "BACKSCAL"]
        assert set(table.data["QUALITY"]) <= {0, 5}
        expected = {"HDUCLAS2": "TOTAL", "EXPOSURE": 50.0, "OBS_ID": "onoff", "AREASCAL": 1, "GROUPING": 0, "DETCHANS": N}
        files = {"ANCRFILE": "pha_arf.fits", "BACKFILE": "pha_bkg.fits", "RESPFILE": "pha_rmf.fits"}
        assert {key: table.header[key] for key in expected | files} == expected | files
    with fits.open(pha.with_name("pha_bkg.fits")) as hdulist:
        assert hdulist["SPECTRUM"].header["HDUCLAS2"] == "BKG"


def test_fractional_counts(dataset, tmp_path):
    """Expected counts keep their fractions, counts stay integers."""
    dataset.counts.data[2] = 3.9
    dataset.write(tmp_path / "pha.fits", format="ogip")
    with fits.open(tmp_path / "pha.fits") as on, fits.open(tmp_path / "pha_bkg.fits") as off:
        assert on["SPECTRUM"].columns["COUNTS"].format == "D"
        assert off["SPECTRUM"].columns["COUNTS"].format == "J"
    assert SpectrumDatasetOnOff.read(tmp_path / "pha.fits").counts.data[2] == 3.9


def test_without_off_and_dispersion(dataset, tmp_path):
    dataset.counts_off = dataset.edisp = None
    dataset.write(tmp_path / "pha.fits", format="ogip")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pha.fits", "pha_arf.fits"]
    new = SpectrumDatasetOnOff.read(tmp_path / "pha.fits")
    assert new.counts_off is new.acceptance_off is new.edisp is None


@pytest.mark.parametrize("name", ["BACKSCAL", "QUALITY", "AREASCAL"])
def test_keyword_or_column(dataset, pha, name):
    value = {"BACKSCAL": 2.0, "QUALITY": 0, "AREASCAL": 0.5}[name]
    set_keyword(pha, name, value)
    by_keyword = SpectrumDatasetOnOff.read(pha)
    set_column(pha, name, np.full(N, value))
    assert_same(SpectrumDatasetOnOff.read(pha), by_keyword)
    alpha = dataset.alpha.data * {"BACKSCAL": 2, "QUALITY": 1, "AREASCAL": 0.5}[name]
    assert_allclose(by_keyword.alpha.data, alpha)
    assert by_keyword.mask_safe.data.all() == (name == "QUALITY")


def test_absent_scales_are_one(pha):
    hdulist = fits.open(pha, memmap=False)
    for name in ("QUALITY", "BACKSCAL", "AREASCAL", "GROUPING"):
        table_without(hdulist, "SPECTRUM", name)
    save(hdulist, pha)
    new = SpectrumDatasetOnOff.read(pha)
    assert new.mask_safe.data.all()
    assert_allclose(new.acceptance.data, 1)


def test_quality(dataset, pha):
    """0 is good and anything else is bad; true is bad, as gammapy writes it."""
    good = dataset.mask_safe.data.ravel()
    for values, format in ((np.where(good, 0, 2), "I"), (~good, "L"), (np.where(good, 0, 5), "K")):
        set_column(pha, "QUALITY", values, format)
        assert_same(SpectrumDatasetOnOff.read(pha), dataset)


def test_areascal_multiplies_the_prediction(dataset, pha):
    """A common one the exposure, one for each channel the energy dispersion; either way the counts in that channel."""
    scale = np.linspace(0.5, 1, N)
    set_column(pha, "AREASCAL", scale)
    new = SpectrumDatasetOnOff.read(pha)
    flux = np.linspace(3, 1, 9)

    def counts(one):
        return (flux * one.exposure.data.ravel()) @ one.edisp.get_edisp_kernel().pdf_matrix

    assert_allclose(counts(new), scale * counts(dataset))
    assert_allclose(new.alpha.data.ravel(), scale * dataset.alpha.data.ravel())
    set_column(pha.with_name("pha_bkg.fits"), "AREASCAL", scale)
    assert_allclose(SpectrumDatasetOnOff.read(pha).alpha.data, dataset.alpha.data)
    set_keyword(pha, "AREASCAL", 0.5)
    assert_allclose(counts(SpectrumDatasetOnOff.read(pha)), 0.5 * counts(dataset))


def test_exposure_of_the_background(dataset, pha):
    """alpha is the ratio of acceptance times exposure; an exposure of zero in the BKG file is that of the PHA file."""
    bkg = pha.with_name("pha_bkg.fits")
    set_keyword(bkg, "EXPOSURE", 100.0)
    assert_allclose(SpectrumDatasetOnOff.read(pha).alpha.data, dataset.alpha.data / 2)
    set_keyword(bkg, "EXPOSURE", 0.0)
    assert_same(SpectrumDatasetOnOff.read(pha), dataset)


def grouped(dataset):
    """Channels 0, 1 + 2 + 3, 4 + 5 merged by hand, within the safe range."""
    safe = dataset.mask_safe.data.ravel()
    starts = [0, 1, 4]
    sums = {n: np.add.reduceat(getattr(dataset, n).data.ravel() * safe, starts) for n in ("counts", "counts_off", "background")}
    kernel = dataset.edisp.get_edisp_kernel().pdf_matrix * safe
    return sums, np.logical_or.reduceat(safe, starts), np.add.reduceat(kernel, starts, axis=1)


def test_grouping(dataset, pha):
    set_column(pha, "GROUPING", [0, 1, -1, -1, 1, -1], "I")
    new = SpectrumDatasetOnOff.read(pha)
    sums, safe, kernel = grouped(dataset)
    for name, expected in sums.items():
        assert_allclose(getattr(new, name).data.ravel(), expected, err_msg=name)
    assert (new.mask_safe.data.ravel() == safe).all()
    assert_allclose(new.edisp.get_edisp_kernel().pdf_matrix, kernel)
    assert new.name == "onoff"
    assert_same(SpectrumDatasetOnOff.read(pha, group=False), dataset)


def test_channels_from_one(dataset, pha):
    """F_CHAN counts from TLMIN, or from the first channel of EBOUNDS."""
    rmf = pha.with_name("pha_rmf.fits")
    for has_keyword in (True, False):
        dataset.write(pha, format="ogip", overwrite=True)
        hdulist = fits.open(rmf, memmap=False)
        for row in hdulist["MATRIX"].data["F_CHAN"]:
            row[:] = row + 1
        hdulist["EBOUNDS"].data["CHANNEL"] += 1
        hdulist["MATRIX"].header["TLMIN4"] = 1
        if not has_keyword:
            del hdulist["MATRIX"].header["TLMIN4"]
        save(hdulist, rmf)
        assert_same(SpectrumDatasetOnOff.read(pha), dataset)


def test_channels_in_any_order(dataset, pha):
    hdulist = fits.open(pha, memmap=False)
    hdulist["SPECTRUM"].data = hdulist["SPECTRUM"].data[[3, 1, 0, 5, 4, 2]]
    save(hdulist, pha)
    assert_same(SpectrumDatasetOnOff.read(pha), dataset)


def test_energies_in_the_rmf_only(dataset, pha):
    for path in (pha, pha.with_name("pha_bkg.fits")):
        hdulist = fits.open(path, memmap=False)
        del hdulist["EBOUNDS"]
        save(hdulist, path)
    assert_same(SpectrumDatasetOnOff.read(pha), dataset)
    set_keyword(pha, "RESPFILE", "none")
    with pytest.raises(FormatError, match="no HDU EBOUNDS and names no RESPFILE"):
        SpectrumDatasetOnOff.read(pha)


def test_single_precision_energies(dataset, pha):
    """Energies of the files differ by rounding; those of ARF and PHA file are taken."""
    rmf = pha.with_name("pha_rmf.fits")
    hdulist = fits.open(rmf, memmap=False)
    for hdu, names in (("MATRIX", ("ENERG_LO", "ENERG_HI")), ("EBOUNDS", ("E_MIN", "E_MAX"))):
        for name in names:
            hdulist[hdu].data[name] = hdulist[hdu].data[name].astype("float32")
    save(hdulist, rmf)
    new = SpectrumDatasetOnOff.read(pha)
    assert_same(new, dataset, rtol=1e-6)
    assert_allclose(new.exposure.geom.axes["energy_true"].edges.value, dataset.exposure.geom.axes["energy_true"].edges.value)


def test_names_of_hdus(dataset, pha):
    """Found by their class, and the matrix by its other usual name."""
    for path, old, new in ((pha, "SPECTRUM", "SOURCE"), (pha.with_name("pha_rmf.fits"), "MATRIX", "SPECRESP MATRIX")):
        hdulist = fits.open(path, memmap=False)
        hdulist[old].name = new
        save(hdulist, path)
    assert_same(SpectrumDatasetOnOff.read(pha), dataset)


def test_rates(dataset, pha):
    set_column(pha, "RATE", dataset.counts.data.ravel() / 50)
    hdulist = fits.open(pha, memmap=False)
    table_without(hdulist, "SPECTRUM", "COUNTS")
    save(hdulist, pha)
    assert (SpectrumDatasetOnOff.read(pha).counts.data == dataset.counts.data).all()


def test_names(pha):
    assert SpectrumDatasetOnOff.read(pha, name="mine").name == "mine"
    with fits.open(pha, mode="update") as hdulist:
        hdulist["SPECTRUM"].header.append(("OBS_ID", "other"))
    assert SpectrumDatasetOnOff.read(pha).name == "pha"


def test_files_of_the_folder_win(dataset, pha, tmp_path, monkeypatch):
    """A file of the same name in the working directory is not taken for the one beside the spectrum."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "pha_arf.fits").write_text("not this one")
    monkeypatch.chdir(other)
    assert_same(SpectrumDatasetOnOff.read(pha), dataset)


class TestRefusals:
    @pytest.mark.parametrize("kind", ["arf", "bkg", "rmf"])
    def test_missing_file(self, pha, kind):
        pha.with_name(f"pha_{kind}.fits").unlink()
        with pytest.raises(FileError, match=f"names pha_{kind}.fits, which is neither beside it nor at"):
            SpectrumDatasetOnOff.read(pha)

    def test_no_arf(self, pha):
        set_keyword(pha, "ANCRFILE", "NONE")
        with pytest.raises(FormatError, match="names no effective area"):
            SpectrumDatasetOnOff.read(pha)

    @pytest.mark.parametrize("exposure", [0.0, -5.0, ""])
    def test_no_exposure(self, pha, exposure):
        set_keyword(pha, "EXPOSURE", exposure)
        with pytest.raises(FormatError, match="expected a positive time in s"):
            SpectrumDatasetOnOff.read(pha)

    @pytest.mark.parametrize("kind", ["arf", "bkg", "rmf"])
    def test_half_a_file(self, pha, kind):
        path = pha.with_name(f"pha_{kind}.fits")
        path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(CorruptFileError, match=path.name):
            SpectrumDatasetOnOff.read(pha)

    @pytest.mark.parametrize(
        ("kind", "match"),
        [
            ("rmf", "its true energies .9 bins, .* are not those of the effective area .4 bins"),
            ("bkg", "it has 3 channels, the spectrum 6"),
        ],
    )
    def test_files_of_another_spectrum(self, pha, tmp_path, kind, match):
        other = builders.onoff_spectrum(nbin=3)
        other.write(tmp_path / "other.fits", format="ogip")
        if kind == "rmf":
            other = builders.onoff_spectrum(nbin=4)
            other.write(tmp_path / "other.fits", format="ogip", overwrite=True)
            set_keyword(pha, "ANCRFILE", "other_arf.fits")
        else:
            set_keyword(pha, "BACKFILE", "other_bkg.fits")
        with pytest.raises(FormatError, match=match):
            SpectrumDatasetOnOff.read(pha)

    def test_no_counts(self, pha):
        hdulist = fits.open(pha, memmap=False)
        table_without(hdulist, "SPECTRUM", "COUNTS")
        save(hdulist, pha)
        with pytest.raises(FormatError, match="neither a column COUNTS nor RATE"):
            SpectrumDatasetOnOff.read(pha)

    def test_several_spectra(self, pha):
        set_column(pha, "COUNTS", np.ones((N, 2), dtype="int32"), "2J")
        with pytest.raises(UnsupportedError, match="several spectra"):
            SpectrumDatasetOnOff.read(pha)

    def test_all_bins_bad(self, pha):
        """Reads, so that one may look at it; there is nothing to stack or to fit."""
        set_keyword(pha, "QUALITY", 5)
        new = SpectrumDatasetOnOff.read(pha)
        assert new.info_dict()["n_fit_bins"] == new.info_dict()["counts"] == 0
        assert new.stat_sum() == 0
        total = new.to_masked()
        assert total.counts.data.sum() == 0

    @pytest.mark.parametrize("value", ["wide", -1.0])
    def test_bad_areascal(self, pha, value):
        set_keyword(pha, "AREASCAL", value)
        with pytest.raises(FormatError, match="AREASCAL"):
            SpectrumDatasetOnOff.read(pha)

    def test_areascal_without_rmf(self, pha):
        set_column(pha, "AREASCAL", np.linspace(0.5, 1, N))
        set_keyword(pha, "RESPFILE", "")
        with pytest.raises(FormatError, match="AREASCAL depends on the channel, which needs an RMF"):
            SpectrumDatasetOnOff.read(pha)

    @pytest.mark.parametrize("name", ["counts", "exposure"])
    def test_incomplete(self, dataset, tmp_path, name):
        setattr(dataset, name, None)
        with pytest.raises(DataError, match=f"has no {name}, which OGIP files need"):
            dataset.write(tmp_path / "pha.fits", format="ogip")
        assert not list(tmp_path.iterdir())

    def test_formats(self, dataset, tmp_path, pha):
        with pytest.raises(FormatError, match="format 'xspec' is not known; choose one of gadf, ogip"):
            dataset.write(tmp_path / "new.fits", format="xspec")
        with pytest.raises(FormatError, match="'xspec' of an on/off spectrum is not known"):
            SpectrumDatasetOnOff.read(pha, format="xspec")
        with pytest.raises(FormatError, match="'gadf' is not known"):
            OGIPDatasetWriter(tmp_path / "new.fits", format="gadf")


@pytest.mark.parametrize("kind", ["", "_arf", "_bkg", "_rmf"])
def test_all_files_or_none(dataset, tmp_path, kind):
    """One existing file keeps all others from being written; with overwrite all are replaced."""
    precious = tmp_path / f"pha{kind}.fits"
    precious.write_text("precious")
    with pytest.raises(FileExistsRefusal, match=precious.name):
        dataset.write(tmp_path / "pha.fits", format="ogip")
    assert [path.name for path in tmp_path.iterdir()] == [precious.name]
    assert precious.read_text() == "precious"
    dataset.write(tmp_path / "pha.fits", format="ogip", overwrite=True)
    assert_same(SpectrumDatasetOnOff.read(tmp_path / "pha.fits"), dataset)


def test_what_is_left_out_is_said(dataset, tmp_path, caplog):
    dataset.mask_fit = dataset.mask_safe
    dataset.write(tmp_path / "pha.fits", format="ogip")
    assert "OGIP files hold no mask_fit; format 'gadf' does" in caplog.text


def test_reader_and_writer_by_parts(dataset, tmp_path):
    """The files one by one are those of all at once."""
    writer = OGIPDatasetWriter(tmp_path / "pha.fits")
    for name, write in (("", "pha"), ("_bkg", "bkg"), ("_arf", "arf"), ("_rmf", "rmf")):
        getattr(writer, f"write_{write}")(dataset, tmp_path / f"pha{name}.fits")
    reader = OGIPDatasetReader(tmp_path / "pha.fits", name="new")
    assert_same(reader.read(), dataset)
    assert reader.read().name == "new"
    on, off = reader.read_pha(tmp_path / "pha.fits"), reader.read_bkg(tmp_path / "pha_bkg.fits")
    assert sorted(on) == ["acceptance", "counts", "gti", "mask_safe"]
    assert_allclose(on["acceptance"].data / off["acceptance_off"].data, dataset.alpha.data)
    exposure = reader.read_arf(tmp_path / "pha_arf.fits", livetime=50 * u.s)
    assert_allclose(exposure.quantity.to_value("m2 s"), dataset.exposure.data)
    edisp = reader.read_rmf(tmp_path / "pha_rmf.fits", exposure)
    assert_allclose(edisp.exposure_map.quantity.to_value("m2 s").ravel(), dataset.exposure.data.ravel())


@requires_data("PKS2155-steady/pks2155-304_steady.fits.gz")
def test_file_of_gammapy():
    dataset = SpectrumDatasetOnOff.read(data_path("PKS2155-steady/pks2155-304_steady.fits.gz"))
    info = dataset.info_dict()
    assert (dataset.name, info["counts"], info["counts_off"], info["n_fit_bins"]) == ("stacked", 119, 453, 8)
    assert_allclose(dataset.stat_sum(), 109.20996153395373)
    assert_allclose(info["ontime"].to_value("s"), 10128)


@requires_data("datasets/simulations/simulated_spectrum_dataset_PL.fits")
def test_area_in_an_odd_unit():
    """Its effective area is in m2 s / h."""
    dataset = SpectrumDatasetOnOff.read(data_path("datasets/simulations/simulated_spectrum_dataset_PL.fits"))
    assert dataset.exposure.unit == "m2 s"
    assert_allclose(dataset.stat_sum(), 740.1453721271783)
