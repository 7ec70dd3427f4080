"""Files: what is written is read back, by us and by gammapy; broken files are refused."""

from __future__ import annotations

import logging
import time

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, MapDataset, MapDatasetOnOff, SpectrumDataset, SpectrumDatasetOnOff
from geminga.errors import CorruptFileError, FileError, FileExistsRefusal, FormatError, NameLookupError
from geminga.maps import MapAxis
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders


@pytest.fixture
def dataset():
    dataset = builders.map_dataset(1, name="my data")
    dataset.mask_fit = dataset.counts > 2
    dataset.meta_table = Table({"OBS_ID": [[1, 2]], "RA_PNT": [[83.0, 84.0]] * u.deg})
    return dataset


def assert_same(one, other):
    for name in ("counts", "exposure", "background", "mask_safe", "mask_fit"):
        a, b = getattr(one, name), getattr(other, name)
        if a is None:
            assert b is None
            continue
        assert a.geom == b.geom, name
        assert a.unit == b.unit, name
        assert b.data.dtype.isnative
        np.testing.assert_array_equal(a.data, b.data, err_msg=name)
    for name, inner in (("psf", "psf_map"), ("edisp", "edisp_map")):
        a, b = getattr(one, name), getattr(other, name)
        if a is None:
            assert b is None
            continue
        assert type(a) is type(b)
        for attribute in (inner, "exposure_map"):
            assert getattr(a, attribute).geom == getattr(b, attribute).geom, (name, attribute)
            np.testing.assert_array_equal(getattr(a, attribute).data, getattr(b, attribute).data)
    assert_allclose(one.gti.time_start.mjd, other.gti.time_start.mjd)
    assert_allclose(one.gti.time_stop.mjd, other.gti.time_stop.mjd)
    assert one.exposure.meta["livetime"] == other.exposure.meta["livetime"]


@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
@pytest.mark.parametrize("lazy", [False, True])
def test_round_trip(dataset, tmp_path, suffix, lazy):
    path = tmp_path / f"dataset.{suffix}"
    dataset.write(path)
    new = MapDataset.read(path, lazy=lazy, checksum=True)
    assert new.name == "my data"
    assert_same(dataset, new)
    assert list(new.meta_table["OBS_ID"][0]) == [1, 2]
    assert new.meta_table["RA_PNT"].unit == "deg"
    assert new.meta.creation.creator.startswith("Geminga")


@pytest.mark.parametrize("kind", ["migra", "reco_psf"])
def test_other_responses(tmp_path, kind):
    migra = MapAxis.from_bounds(0.2, 5, nbin=10, name="migra") if kind == "migra" else None
    dataset = MapDataset.create(builders.geom(), migra_axis=migra, reco_psf=kind == "reco_psf", name="one")
    dataset.write(tmp_path / "dataset.fits")
    new = MapDataset.read(tmp_path / "dataset.fits")
    assert type(new.edisp) is type(dataset.edisp)
    assert type(new.psf) is type(dataset.psf)
    assert new.psf.psf_map.geom == dataset.psf.psf_map.geom


def test_spectrum_round_trip(tmp_path):
    dataset = builders.spectrum_dataset()
    dataset.write(tmp_path / "spectrum.fits")
    new = SpectrumDataset.read(tmp_path / "spectrum.fits")
    assert type(new) is SpectrumDataset
    assert new.counts.geom.region == dataset.counts.geom.region or new.counts.geom == dataset.counts.geom
    assert_same(dataset, new)


def test_name_argument_wins(dataset, tmp_path):
    dataset.write(tmp_path / "dataset.fits")
    assert MapDataset.read(tmp_path / "dataset.fits", name="other").name == "other"


def test_layout(dataset):
    hdulist = dataset.to_hdulist()
    header = hdulist[0].header
    assert header["NAME"] == "my data"
    assert header["CREATOR"].startswith("Geminga")
    names = [hdu.name for hdu in hdulist[1:]]
    assert [n for n in names if "_BANDS" not in n and "_EXPOSURE" not in n] == [
        "COUNTS",
        "EXPOSURE",
        "BACKGROUND",
        "EDISP",
        "PSF",
        "MASK_SAFE",
        "MASK_FIT",
        "GTI",
        "META_TABLE",
    ]
    assert header["NHDUS"] == len(names)
    assert [header[f"HDU{i}"] for i in range(1, len(names) + 1)] == names


def test_lost_hdu(dataset, tmp_path):
    hdulist = dataset.to_hdulist()
    del hdulist["BACKGROUND"]
    hdulist.writeto(tmp_path / "dataset.fits")
    with pytest.raises(CorruptFileError, match=r"dataset\.fits lacks the HDUs BACKGROUND"):
        MapDataset.read(tmp_path / "dataset.fits")


def test_files_without_manifest(dataset, tmp_path):
    hdulist = dataset.to_hdulist()
    del hdulist["BACKGROUND"], hdulist[0].header["NHDUS"]
    hdulist.writeto(tmp_path / "dataset.fits")
    assert MapDataset.read(tmp_path / "dataset.fits").background is None


def test_changed_byte(dataset, tmp_path):
    path = tmp_path / "dataset.fits"
    dataset.write(path)
    data = bytearray(path.read_bytes())
    with fits.open(path) as hdulist:
        data[hdulist["COUNTS"].fileinfo()["datLoc"] + 10] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match=r"COUNTS.* fails its DATASUM"):
        MapDataset.read(path)


def test_truncated(dataset, tmp_path):
    path = tmp_path / "dataset.fits"
    dataset.write(path)
    path.write_bytes(path.read_bytes()[:-20000])
    with pytest.raises(CorruptFileError, match=r"dataset\.fits"):
        MapDataset.read(path)


@pytest.mark.parametrize("lazy", [False, True])
def test_missing(tmp_path, lazy):
    with pytest.raises(FileError, match="does not exist"):
        MapDataset.read(tmp_path / "none.fits", name="one", lazy=lazy)


def test_existing(dataset, tmp_path):
    path = tmp_path / "dataset.fits"
    path.write_text("precious")
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        dataset.write(path)
    assert path.read_text() == "precious"
    dataset.write(path, overwrite=True)
    assert MapDataset.read(path).name == "my data"


def test_unknown_format(tmp_path):
    with pytest.raises(FormatError, match="format 'asdf' is not known"):
        MapDataset.read(tmp_path / "none.fits", format="asdf")


class TestLazy:
    @pytest.fixture
    def path(self, dataset, tmp_path):
        dataset.write(tmp_path / "dataset.fits")
        return tmp_path / "dataset.fits"

    def test_reads_when_asked(self, path):
        new = MapDataset.read(path, name="one", lazy=True)
        assert new._parts.get("counts") is None
        first = new.counts
        assert new._parts.get("counts") is first
        assert new.counts is first
        assert new.gti.time_sum.to_value("s") == pytest.approx(100)

    def test_does_not_keep(self, path, dataset):
        new = MapDataset.read(path, name="one", lazy=True, cache=False)
        assert new.counts is not new.counts
        np.testing.assert_array_equal(new.counts.data, dataset.counts.data)

    def test_set_before_read(self, path, dataset):
        new = MapDataset.read(path, name="one", lazy=True)
        new.background = None
        assert new.counts is not None
        assert new.background is None

    def test_pickle(self, path, dataset):
        import pickle

        new = pickle.loads(pickle.dumps(MapDataset.read(path, name="one", lazy=True)))
        path.unlink()
        assert_same(dataset, new)


class TestCollection:
    @pytest.fixture
    def datasets(self):
        datasets = Datasets([builders.map_dataset(1, name="map data"), builders.spectrum_dataset(name="spectrum")])
        datasets.models = [SkyModel.create("pl", "point", name="source"), FoVBackgroundModel(dataset_name="map data")]
        return datasets

    @pytest.mark.parametrize("lazy", [False, True])
    def test_round_trip(self, datasets, tmp_path, lazy):
        datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
        assert sorted(path.name for path in tmp_path.glob("*.fits")) == ["map_data.fits", "spectrum.fits"]
        new = Datasets.read(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml", lazy=lazy)
        assert new.names == ["map data", "spectrum"]
        assert [type(one) for one in new] == [MapDataset, SpectrumDataset]
        assert new.models.names == ["source", "map data-bkg"]
        assert_same(datasets[0], new[0])

    def test_changed_text_is_reported(self, datasets, tmp_path, caplog):
        path = tmp_path / "datasets.yaml"
        datasets.write(path)
        with caplog.at_level(logging.WARNING):
            Datasets.read(path)
        assert not caplog.records
        path.write_text(path.read_text().replace("name: spectrum\n", "name: renamed\n", 1))
        with caplog.at_level(logging.WARNING):
            assert Datasets.read(path).names == ["map data", "renamed"]
        assert "it was changed after it was written" in caplog.text

    def test_all_or_nothing(self, datasets, tmp_path):
        (tmp_path / "models.yaml").write_text("precious")
        with pytest.raises(FileExistsRefusal, match=r"models.yaml exists; give overwrite=True"):
            datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
        assert [path.name for path in tmp_path.iterdir()] == ["models.yaml"]

    @pytest.mark.parametrize("name", ["spectrum.fits", "models_covariance.dat", "datasets.yaml"])
    def test_one_that_cannot_be_written(self, datasets, tmp_path, name):
        """Whichever file it is, those before it are as they were."""
        datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != name}
        (tmp_path / name).unlink()
        (tmp_path / name).mkdir()
        datasets[0].counts.data += 1
        with pytest.raises(FileError, match=f"{name} is a folder"):
            datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml", overwrite=True)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before

    def test_two_names_one_file(self, datasets, tmp_path):
        datasets.append(builders.spectrum_dataset(name="map_data"))
        with pytest.raises(NameLookupError, match="'map_data' would be written to map_data.fits, like another"):
            datasets.write(tmp_path / "datasets.yaml")
        assert not list(tmp_path.iterdir())

    def test_unknown_keys_are_reported(self, tmp_path, caplog):
        builders.spectrum_dataset(name="one").write(tmp_path / "one.fits")
        text = "datasets:\n- {name: one, type: SpectrumDataset, filename: one.fits, colour: red}"
        (tmp_path / "datasets.yaml").write_text(text)
        assert Datasets.read(tmp_path / "datasets.yaml").names == ["one"]
        assert "Dataset 'one' has the unknown keys colour" in caplog.text

    @pytest.mark.parametrize("lazy", [False, True])
    def test_on_off(self, tmp_path, lazy):
        datasets = Datasets([builders.onoff_spectrum(1, name="on off"), builders.onoff_map(2, name="map")])
        datasets.write(tmp_path / "datasets.yaml")
        assert sorted(path.name for path in tmp_path.glob("*.fits")) == ["map.fits", "pha_obson_off.fits"]
        new = Datasets.read(tmp_path / "datasets.yaml", lazy=lazy)
        assert [type(one) for one in new] == [SpectrumDatasetOnOff, MapDatasetOnOff]
        assert_allclose(new.stat_sum(), datasets.stat_sum(), rtol=1e-12)
        assert new.names == ["on off", "map"]

    @pytest.mark.parametrize(
        ("text", "error", "match"),
        [
            ("datasets: [", CorruptFileError, "is not valid YAML"),
            ("- a", FormatError, "holds list; expected a mapping"),
            ("models: []", FormatError, "'datasets' is None; expected a list"),
            ("datasets: 3", FormatError, "'datasets' is 3; expected a list"),
            ("datasets:\n- name: a", FormatError, "dataset 0: it has no type, filename"),
            ("datasets:\n- a", FormatError, "dataset 0: it has no name, type, filename"),
            (
                "datasets:\n- {name: a, type: X, filename: b}",
                KeyError,
                "dataset 0: No class with tag 'X'; known tags: FluxPointsDataset, MapDataset",
            ),
            ("datasets:\n- {name: a, type: MapDataset, filename: b.fits}", FileError, "dataset 0: File b.fits does not exist"),
            ("datasets: !!python/object/apply:os.system [ls]", CorruptFileError, "could not determine a constructor for the tag"),
            ("datasets: []\ndatasets: []", CorruptFileError, "key 'datasets' stands twice"),
        ],
    )
    def test_refusals(self, tmp_path, text, error, match):
        (tmp_path / "datasets.yaml").write_text(text)
        with pytest.raises(error, match=match):
            Datasets.read(tmp_path / "datasets.yaml")


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_reading_is_quick():
    """A second is ten times what it takes: this notices only that something went badly wrong."""
    path = data_path("cta-1dc-gc/cta-1dc-gc.fits.gz")
    MapDataset.read(path)
    start = time.process_time()
    MapDataset.read(path)
    assert time.process_time() - start < 1


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_maps_on_one_geometry_share_it():
    dataset = MapDataset.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"))
    assert dataset.counts.geom is dataset.background.geom
    assert dataset.counts.geom is dataset.mask_safe.geom


@requires_data("fermi-3fhl-gc/fermi-3fhl-gc.fits.gz")
def test_fermi_with_region_responses():
    dataset = MapDataset.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc.fits.gz"))
    assert dataset.counts.data.sum() == 32684
    assert_allclose(dataset.background.data.sum(), 28548.625, rtol=1e-5)
    assert_allclose([dataset.exposure.data.min(), dataset.exposure.data.max()], [312929452032.0, 337971904512.0], rtol=1e-6)
    assert dataset.exposure.unit == "cm2 s"
    assert dataset.psf.has_single_spatial_bin
    assert dataset.edisp is not None


@requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_datasets.yaml")
def test_fermi_from_yaml():
    folder = data_path("fermi-3fhl-crab")
    datasets = Datasets.read(folder / "Fermi-LAT-3FHL_datasets.yaml", filename_models=folder / "Fermi-LAT-3FHL_models.yaml")
    assert datasets.names == ["Fermi-LAT"]
    dataset = datasets[0]
    assert dataset.counts.data.sum() > 0
    assert dataset.psf.psf_map.geom.axes.names == ["rad", "energy_true"]
    assert dataset.exposure.geom.axes.names == ["energy_true"]
    assert len(dataset.models) > 0


@requires_data("datasets/empty-dl4")
def test_empty_files():
    paths = list(data_path("datasets/empty-dl4").glob("*.fits*"))
    assert paths
    for path in paths:
        dataset = MapDataset.read(path)
        assert dataset.counts is not None
        assert dataset.counts.geom.axes.names == ["energy"]
