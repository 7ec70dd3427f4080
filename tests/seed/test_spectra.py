"""The tutorial on datasets, second part: spectra, on/off spectra and collections, cut into steps."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.datasets import Datasets, MapDataset, SpectrumDataset, SpectrumDatasetOnOff
from geminga.errors import InputError, NameLookupError
from geminga.maps import MapAxis, WcsGeom
from geminga.utils.scripts import make_path
from tests.helpers import requires_data

needs_spectra = requires_data("joint-crab/spectra/hess/pha_obs23523.fits")
needs_map = requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
REGION = CircleSkyRegion(SkyCoord(0, 0, unit="deg", frame="galactic"), 0.5 * u.deg)

# Counts, background and W statistic without models within the masks of the files. Counts and background are those of
# Nigro et al. 2019, A&A 625 A10; the statistics those of gammapy 2.1.
JOINT_CRAB = {
    "fermi": (578, 1.17, 3821.9398501026226),
    "magic": (784, 129.85714285714286, 1521.8536978866853),
    "veritas": (289, 13.714285714285714, 1069.6595013929232),
    "fact": (691, 272.77777777777777, 428.552597527905),
    "hess": (459, 27.5, 1603.8864141999556),
}
PUBLISHED_BACKGROUND = {"fermi": 1.2, "magic": 129.9, "veritas": 13.7, "fact": 272.8, "hess": 27.5}


def read(instrument):
    files = sorted(make_path(f"$GAMMAPY_DATA/joint-crab/spectra/{instrument}").glob("pha_*.fits"))
    datasets = Datasets()
    for file in files:
        datasets.append(SpectrumDatasetOnOff.read(file))
    return datasets


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def hess():
    return read("hess")


@needs_spectra
@pytest.mark.parametrize("instrument", JOINT_CRAB)
def test_published_counts(instrument):
    counts, background, stat = JOINT_CRAB[instrument]
    datasets = read(instrument)
    info = [dataset.info_dict() for dataset in datasets]
    assert sum(row["counts"] for row in info) == counts
    total = sum(row["background"] for row in info)
    assert_allclose(total, background, rtol=1e-12)
    assert round(total, 1) == PUBLISHED_BACKGROUND[instrument]
    assert_allclose(sum(row["excess"] for row in info), counts - background, rtol=1e-12)
    assert_allclose(datasets.stat_sum(), stat, rtol=1e-12)


@pytest.fixture(scope="module")
def dataset_cta():
    return MapDataset.read("$GAMMAPY_DATA/cta-1dc-gc/cta-1dc-gc.fits.gz", name="dataset-cta")


@pytest.fixture(scope="module")
def spectrum_dataset(dataset_cta):
    return dataset_cta.to_spectrum_dataset(REGION, containment_correction=True, name="spectrum-dataset")


@needs_map
class TestCollection:
    """Steps on a list of two map datasets and a spectrum."""

    @pytest.fixture
    def datasets(self, dataset_cta):
        axis = MapAxis.from_energy_bounds(1, 10, nbin=11, name="energy", unit="TeV")
        geom = WcsGeom.create(skydir=(83.63, 22.01), axes=[axis], width=5 * u.deg, binsz=0.05 * u.deg, frame="icrs")
        return Datasets([MapDataset.create(geom=geom, name="dataset-empty"), dataset_cta])

    def test_peek(self, spectrum_dataset):
        spectrum_dataset.peek()
        assert [ax.get_title() for ax in plt.gcf().axes[:3]] == ["Counts", "Exposure", "Energy Dispersion"]

    def test_print(self, datasets):
        lines = str(datasets).splitlines()
        assert lines[:2] == ["Datasets", "--------"]
        blocks = [line.strip() for line in lines if line]
        assert blocks[2:6] == ["Dataset 0:", "Type       : MapDataset", "Name       : dataset-empty", "Instrument :"]
        assert blocks[7:10] == ["Dataset 1:", "Type       : MapDataset", "Name       : dataset-cta"]

    def test_info_table(self, datasets):
        table = datasets.info_table()
        assert isinstance(table, Table)
        assert len(table) == 2
        assert table.colnames == list(datasets[0].info_dict())
        assert len(table.colnames) == 19

    def test_names_and_items(self, datasets, dataset_cta):
        assert datasets.names == ["dataset-empty", "dataset-cta"]
        assert datasets["dataset-empty"].name == "dataset-empty"
        assert str(datasets[0]).startswith("MapDataset\n----------\n\n  Name                            : dataset-empty\n")
        assert datasets[1] is dataset_cta

    def test_remove_and_append(self, datasets, spectrum_dataset):
        datasets.remove("dataset-empty")
        assert datasets.names == ["dataset-cta"]
        datasets.append(spectrum_dataset)
        assert datasets.names == ["dataset-cta", "spectrum-dataset"]
        with pytest.raises(NameLookupError, match="two datasets named 'spectrum-dataset'"):
            datasets.append(spectrum_dataset)

    def test_mixed(self, dataset_cta, spectrum_dataset):
        """Different kinds are fitted together, and only those of one kind are stacked."""
        mixed = Datasets([dataset_cta, spectrum_dataset])
        assert not mixed.is_all_same_type
        with pytest.raises(InputError, match="there are MapDataset, SpectrumDataset"):
            mixed.stack_reduce()
        assert type(Datasets([spectrum_dataset, spectrum_dataset.copy()]).stack_reduce()) is SpectrumDataset


@needs_spectra
class TestOnOff:
    def test_files(self, hess):
        """Each file finds its effective area, dispersion and background, and is named by its observation."""
        assert hess.names == ["23523", "23526", "23559", "23592"]
        assert {type(dataset) for dataset in hess} == {SpectrumDatasetOnOff}
        for dataset in hess:
            assert dataset.counts_off is not None
            assert dataset.edisp is not None
            assert dataset.exposure.meta["livetime"] > 1500 * u.s

    def test_print(self, hess):
        text = str(hess)
        assert text.count("Type       : SpectrumDatasetOnOff") == 4
        assert [line.split(":")[1].strip() for line in text.splitlines() if "Name  " in line] == hess.names

    def test_stacked(self, hess):
        """Acceptances are those of gammapy 2.x; the page itself is older and prints 80 and 2016 for the same data."""
        assert str(hess.stack_reduce(name="stacked")).rstrip("\n") == (
            """SpectrumDatasetOnOff
--------------------

  Name                            : stacked

  Total counts                    : 459
  Total background counts         : 27.50
  Total excess counts             : 431.50

  Predicted counts                : 45.27
  Predicted background counts     : 45.27
  Predicted excess counts         : nan

  Exposure min                    : 2.13e+06 m2 s
  Exposure max                    : 2.63e+09 m2 s

  Number of total bins            : 80
  Number of fit bins              : 43

  Fit statistic type              : wstat
  Fit statistic value (-2 log(L)) : 1530.36

  Number of models                : 0
  Number of parameters            : 0
  Number of free parameters       : 0

  Total counts_off                : 645
  Acceptance                      : 168
  Acceptance off                  : 4497"""
        )

    def test_older_acceptances(self, hess):
        """Acceptance 1 in each bin and 1 / alpha in the off region: the same data as the page prints them."""
        stacked = hess.stack_reduce(name="stacked")
        alpha = np.where(stacked.counts_off.data > 0, stacked.alpha.data, 27.5 / 645)
        assert round(np.sum(1 / alpha)) == 2016

    def test_order_does_not_matter(self, hess):
        one, other = hess.stack_reduce(), hess[::-1].stack_reduce()
        assert_allclose(one.stat_sum(), other.stat_sum(), rtol=1e-12)
        assert_allclose(one.info_dict()["acceptance_off"], 168 * 645 / 27.5)
        assert_allclose(one.info_dict()["alpha"], 27.5 / 645)

    def test_slice_by_energy(self, hess):
        sliced = hess.slice_by_energy(energy_min="1 TeV", energy_max="10 TeV")
        assert isinstance(sliced, Datasets)
        assert sliced.names == hess.names
        low, high = sliced.energy_ranges
        assert low.unit == high.unit == "keV"
        assert_allclose(low.value, [1e9] * 4)
        assert_allclose(high.value, [1e10] * 4)

    def test_plots(self, hess):
        stacked = hess.stack_reduce(name="stacked")
        stacked.peek()
        assert [ax.get_title() for ax in plt.gcf().axes[:3]] == ["Counts", "Exposure", "Energy Dispersion"]
        ax_spectrum, ax_residuals = stacked.plot_fit()
        assert ax_spectrum.get_ylabel() == "Counts"
        assert ax_residuals.get_ylabel() == "Residuals\n(data - model) / model"
