"""The tutorial on datasets, as a script cut into steps: what each step prints or returns."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.data import GTI
from geminga.datasets import Datasets, MapDataset, SpectrumDataset
from geminga.maps import MapAxis, WcsGeom
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from tests.helpers import requires_data

FILE = "$GAMMAPY_DATA/cta-1dc-gc/cta-1dc-gc.fits.gz"
CENTER = SkyCoord("0d", "0d", frame="galactic")
REGION = CircleSkyRegion(SkyCoord(0, 0, unit="deg", frame="galactic"), 0.5 * u.deg)
# The unit of an amplitude is spelled by astropy.
AMPLITUDE_UNIT = str(u.Unit("cm-2 s-1 TeV-1"))

needs_file = requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def energy_axis():
    return MapAxis.from_energy_bounds(1, 10, nbin=11, name="energy", unit="TeV")


@pytest.fixture(scope="module")
def geom(energy_axis):
    return WcsGeom.create(skydir=(83.63, 22.01), axes=[energy_axis], width=5 * u.deg, binsz=0.05 * u.deg, frame="icrs")


@pytest.fixture(scope="module")
def dataset_empty(geom):
    energy_axis_true = MapAxis.from_energy_bounds(0.1, 100, nbin=11, name="energy_true", unit="TeV", per_decade=True)
    rad_axis = MapAxis.from_bounds(0, 5, nbin=50, unit="deg", name="rad")
    gti = GTI.create(0 * u.s, 1000 * u.s)
    return MapDataset.create(
        geom=geom,
        energy_axis_true=energy_axis_true,
        rad_axis=rad_axis,
        binsz_irf=0.1,
        gti=gti,
        name="dataset-empty",
    )


@pytest.fixture(scope="module")
def as_read():
    return MapDataset.read(FILE, name="dataset-cta")


@pytest.fixture
def dataset_cta(as_read):
    """A fresh copy for steps that set masks or models."""
    return as_read.copy(name="dataset-cta")


@pytest.fixture
def with_models(dataset_cta):
    model = SkyModel.create("pl", "point", name="gc")
    model.spatial_model.position = CENTER
    dataset_cta.models = [model, FoVBackgroundModel(dataset_name="dataset-cta")]
    return dataset_cta


def set_mask_fit(dataset):
    region = CircleSkyRegion(CENTER, 1.5 * u.deg)
    geom = dataset.counts.geom
    dataset.mask_fit = geom.region_mask([region]) & geom.energy_mask(0.3 * u.TeV, 8 * u.TeV)


@pytest.fixture
def with_mask_fit(with_models):
    set_mask_fit(with_models)
    return with_models


def titles(axes) -> list[str]:
    return [ax.get_title() for ax in np.ravel(axes) if ax.get_title()]


def lower_edges(figure_axes) -> list[str]:
    return [title.removeprefix("Energy ").split(" - ")[0] for title in titles(figure_axes)]


def summary(
    name, counts, background, excess, npred, npred_background, npred_signal, exposure, bins, fit_bins, stat, models=(0, 0, 0)
):
    """Text of a summary without components."""
    return f"""MapDataset
----------

  Name                            : {name}

  Total counts                    : {counts}
  Total background counts         : {background}
  Total excess counts             : {excess}

  Predicted counts                : {npred}
  Predicted background counts     : {npred_background}
  Predicted excess counts         : {npred_signal}

  Exposure min                    : {exposure[0]} m2 s
  Exposure max                    : {exposure[1]} m2 s

  Number of total bins            : {bins}
  Number of fit bins              : {fit_bins}

  Fit statistic type              : cash
  Fit statistic value (-2 log(L)) : {stat}

  Number of models                : {models[0]}
  Number of parameters            : {models[1]}
  Number of free parameters       : {models[2]}"""


COMPONENTS = f"""
  Component 0: SkyModel

    Name                      : gc
    Datasets names            : None
    Spectral model type       : PowerLawSpectralModel
    Spatial  model type       : PointSpatialModel
    Temporal model type       :
    Parameters:
      index                         :      2.000   +/-    0.00
      amplitude                     :   1.00e-12   +/- 0.0e+00 {AMPLITUDE_UNIT}
      reference             (frozen):      1.000       TeV
      lon_0                         :      4.650   +/-    0.00 rad
      lat_0                         :     -0.505   +/-    0.00 rad

  Component 1: FoVBackgroundModel

    Name                      : dataset-cta-bkg
    Datasets names            : ['dataset-cta']
    Spectral model type       : PowerLawNormSpectralModel
    Parameters:
"""
BACKGROUND_PARAMETERS = {
    "      norm                          :      1.000   +/-    0.00",
    "      tilt                  (frozen):      0.000",
    "      reference             (frozen):      1.000       TeV",
}
EXPOSURE = ("6.28e+07", "1.90e+10")


class TestEmpty:
    def test_axis(self, energy_axis):
        assert energy_axis.nbin == 11
        assert_allclose(np.diff(np.log(energy_axis.edges.to_value("TeV"))), np.log(10) / 11)

    def test_geometry(self, geom):
        assert geom.data_shape == (11, 100, 100)

    def test_default_responses(self, geom):
        dataset = MapDataset.create(geom=geom, name="my-dataset")
        assert dataset.exposure.data.shape == (11, 100, 100)
        assert dataset.psf.psf_map.data.shape == (11, 66, 25, 25)
        assert dataset.edisp.edisp_map.data.shape == (11, 11, 25, 25)

    def test_summary(self, geom):
        dataset = MapDataset.create(geom=geom, name="my-dataset")
        zero = ("0.00e+00", "0.00e+00")
        expected = summary("my-dataset", 0, "0.00", "0.00", "0.00", "0.00", "nan", zero, 110000, 0, "nan")
        assert str(dataset).rstrip("\n") == expected

    def test_names(self, geom):
        assert MapDataset.create(geom=geom).name != MapDataset.create(geom=geom).name
        dataset = MapDataset.create(geom=geom, name="one")
        with pytest.raises(ValueError, match="two datasets named 'one'"):
            Datasets([dataset, dataset])

    def test_true_axis_per_decade(self, dataset_empty):
        assert dataset_empty.exposure.geom.axes["energy_true"].nbin == 33

    def test_gti(self, dataset_empty):
        assert_allclose(dataset_empty.gti.time_sum.to_value("s"), 1000)

    def test_geometries(self, dataset_empty):
        geoms = dataset_empty.geoms
        assert list(geoms) == ["geom", "geom_exposure", "geom_psf", "geom_edisp"]
        assert [tuple(int(n) for n in g.data_shape) for g in geoms.values()] == [
            (11, 100, 100),
            (33, 100, 100),
            (33, 50, 50, 50),
            (33, 11, 50, 50),
        ]
        assert geoms["geom_psf"].axes.names == ["rad", "energy_true"]
        assert geoms["geom_edisp"].axes.names == ["energy", "energy_true"]
        for one in geoms.values():
            assert (one.frame, one.projection) == ("icrs", "CAR")
            assert_allclose(one.center_skydir.ra.deg, 83.63, atol=1e-6)
            assert_allclose(one.center_skydir.dec.deg, 22.01, atol=1e-6)
            assert_allclose(np.ravel(u.Quantity(one.width, "deg").value), 5)


@needs_file
class TestReading:
    def test_summary(self, as_read):
        expected = summary(
            "dataset-cta", 104317, "91507.70", "12809.30", "91507.69", "91507.70", "nan", EXPOSURE, 768000, 691680, "nan"
        )
        assert str(as_read).rstrip("\n") == expected

    def test_geometry(self, as_read):
        geom = as_read.counts.geom
        assert as_read.counts.data.shape == (10, 240, 320)
        assert as_read.counts.data.dtype == np.float32
        assert (geom.frame, geom.projection) == ("galactic", "CAR")
        assert_allclose(np.ravel(u.Quantity(geom.width, "deg").value), [8, 6])
        assert as_read.exposure.data.shape == (14, 240, 320)
        assert as_read.psf.psf_map.data.shape == (14, 66, 12, 16)
        assert type(as_read.edisp).__name__ == "EDispKernelMap"
        assert len(as_read.gti.table) == 3
        assert_allclose(as_read.gti.time_sum.to_value("s"), 5400)


@needs_file
class TestContents:
    def test_info_dict(self, as_read):
        info = as_read.info_dict()
        expected = {
            "counts": 104317,
            "excess": 12809.30,
            "sqrt_ts": 41.410,
            "background": 91507.70,
            "npred": 91507.686,
            "npred_background": 91507.70,
            "npred_signal": np.nan,
            "exposure_min": 6.2842e7 * u.Unit("m2 s"),
            "exposure_max": 1.90242e10 * u.Unit("m2 s"),
            "livetime": 5292.0001 * u.s,
            "ontime": 5400 * u.s,
            "counts_rate": 19.7122 / u.s,
            "background_rate": 17.2917 / u.s,
            "excess_rate": 2.4205 / u.s,
            "n_bins": 768000,
            "n_fit_bins": 691680,
            "stat_sum": np.nan,
        }
        assert list(info) == ["name", *list(expected)[:-1], "stat_type", "stat_sum"]
        assert (info["name"], info["stat_type"]) == ("dataset-cta", "cash")
        for key, value in expected.items():
            assert_allclose(u.Quantity(info[key], u.Quantity(value).unit).value, u.Quantity(value).value, rtol=2e-5, err_msg=key)

    def test_peek(self, as_read):
        as_read.peek()
        assert titles(plt.gcf().axes) == ["Counts", "Excess counts", "Exposure", "Background"]

    def test_counts_map(self, as_read):
        image = as_read.counts.sum_over_axes()
        assert image.data.shape == (1, 240, 320)
        assert_allclose(image.data.sum(), 104317)
        smooth = image.smooth("0.1 deg")
        assert smooth.data.shape == (1, 240, 320)
        assert_allclose(smooth.data.sum(), 104317, rtol=0.02)
        smooth.plot(add_cbar=True)
        assert len(plt.gcf().axes) == 2

    def test_psf(self, as_read):
        text = str(as_read.psf)
        assert "WcsNDMap" in text
        assert "['lon', 'lat', 'rad', 'energy_true']" in text
        assert "1 / sr" in text

    def test_edisp(self, as_read):
        kernel = as_read.edisp.get_edisp_kernel()
        assert kernel.pdf_matrix.shape == (14, 10)
        kernel.plot_matrix()
        assert plt.gcf().axes

    @pytest.mark.parametrize(
        ("energy", "fraction", "radius"),
        [
            (1, 0.95, 0.08775),
            (1, 0.68, 0.05375),
            (1, 0.99, 0.10875),
            (10, 0.68, 0.04325),
            (10, 0.95, 0.06975),
            (10, 0.99, 0.08775),
        ],
    )
    def test_containment_radius(self, as_read, energy, fraction, radius):
        result = as_read.psf.containment_radius(energy_true=energy * u.TeV, fraction=fraction)
        assert np.shape(result) == (1,)
        # The numbers expected stand on a grid of 0.0005 deg.
        assert_allclose(result.to_value("deg"), radius, atol=0.00051)

    def test_background(self, as_read):
        text = str(as_read.background)
        assert "WcsNDMap" in text
        assert "['lon', 'lat', 'energy']" in text
        assert as_read.background.unit == ""
        assert as_read.background.data.dtype == np.float32


@needs_file
class TestModels:
    def test_position(self, with_models):
        spatial = with_models.models["gc"].spatial_model
        assert spatial.frame == "icrs"
        assert_allclose(spatial.lon_0.quantity.to_value("rad"), 4.650, atol=5e-4)
        assert_allclose(spatial.lat_0.quantity.to_value("rad"), -0.505, atol=5e-4)

    def test_background_model(self, with_models):
        model = with_models.models["dataset-cta-bkg"]
        assert model.datasets_names == ["dataset-cta"]
        assert "PowerLawNormSpectralModel" in model.spectral_model.tag
        assert with_models.background_model is model

    def test_summary(self, with_models):
        head, tail = str(with_models).split("\n\n  Component 0", 1)
        stat = f"{with_models.stat_sum():.2f}"
        assert head == summary(
            "dataset-cta",
            104317,
            "91507.70",
            "12809.30",
            "91719.65",
            "91507.69",
            "211.96",
            EXPOSURE,
            768000,
            691680,
            stat,
            (2, 8, 5),
        )
        blocks, parameters = ("\n  Component 0" + tail).split("PowerLawNormSpectralModel\n    Parameters:\n")
        assert blocks + "PowerLawNormSpectralModel\n    Parameters:\n" == COMPONENTS
        assert set(parameters.rstrip("\n").split("\n")) == BACKGROUND_PARAMETERS

    def test_statistic(self, with_models):
        # 2.1 gives 424649.21: it spreads a point over four pixels before the convolution, which makes the PSF wider.
        # tests/parity/test_point_source.py shows that a finer grid agrees with the value here.
        assert_allclose(with_models.stat_sum(), 424695.864377, rtol=1e-9)

    def test_predictions(self, with_models):
        npred = with_models.npred()
        assert npred.geom == with_models.counts.geom
        assert_allclose(npred.data.sum(), 91719.648203, rtol=2e-6)
        npred.sum_over_axes().plot(add_cbar=True)
        signal = with_models.npred_signal(model_names=["gc"])
        assert_allclose(signal.data.sum(), 211.961911, rtol=5e-4)
        before = with_models.background.data.sum()
        assert_allclose(with_models.npred_background().data.sum(), 91507.686292, rtol=1e-9)
        assert with_models.background.data.sum() == before


@needs_file
class TestMasks:
    def test_mask_safe(self, as_read):
        assert as_read.mask_safe.data.sum() == 691680
        assert list(as_read.mask_safe.data.sum(axis=(1, 2))) == [69168] * 10
        assert as_read.mask_safe.geom == as_read.counts.geom

    def test_plot_grid(self, as_read):
        as_read.mask_safe.plot_grid()
        assert lower_edges(plt.gcf().axes) == [
            "100 GeV",
            "158 GeV",
            "251 GeV",
            "398 GeV",
            "631 GeV",
            "1.00 TeV",
            "1.58 TeV",
            "2.51 TeV",
            "3.98 TeV",
            "6.31 TeV",
        ]
        assert titles(plt.gcf().axes)[0].endswith("158 GeV")

    def test_region_and_energy(self, as_read):
        geom = as_read.counts.geom
        mask_space = geom.region_mask([CircleSkyRegion(CENTER, 1.5 * u.deg)])
        assert mask_space.data.shape == (10, 240, 320)
        assert list(mask_space.data.sum(axis=(1, 2))) == [11304] * 10
        mask_energy = geom.energy_mask(0.3 * u.TeV, 8 * u.TeV)
        assert list(np.flatnonzero(mask_energy.data.any(axis=(1, 2)))) == [3, 4, 5, 6, 7, 8]
        assert (mask_space & mask_energy).data.sum() == 67824

    def test_mask_fit(self, dataset_cta):
        set_mask_fit(dataset_cta)
        dataset_cta.mask_fit.plot_grid(vmin=0, vmax=1, add_cbar=True)
        assert len(titles(plt.gcf().axes)) == 10

    def test_energy_range(self, dataset_cta):
        set_mask_fit(dataset_cta)
        e_min, e_max = dataset_cta.energy_range
        assert e_min.unit == "TeV"
        assert e_min.data.shape == (240, 320)
        assert_allclose([np.nanmin(e_min.data), np.nanmax(e_max.data)], [0.39811, 6.30957], rtol=1e-5)
        assert np.isnan(e_min.data).sum() == 65496
        low, high = dataset_cta.energy_range_safe
        assert_allclose([np.nanmin(low.data), np.nanmax(high.data)], [0.1, 10])
        assert np.isnan(low.data).sum() == 7632
        assert_allclose(dataset_cta.energy_range_fit[0].data, e_min.data)
        e_min.plot(add_cbar=True)
        e_max.plot(add_cbar=True)


@needs_file
class TestCutoutAndSlice:
    def test_cutout(self, with_mask_fit):
        cutout = with_mask_fit.cutout(position=CENTER, width=2 * u.deg, name="cta-cutout")
        assert cutout.name == "cta-cutout"
        assert cutout.counts.data.shape == (10, 80, 80)
        assert cutout.counts.data.sum() == 21974
        for part in (cutout.background, cutout.mask_safe, cutout.mask_fit):
            assert part.geom == cutout.counts.geom
        assert cutout.exposure.data.shape == (14, 80, 80)
        assert cutout.models is None
        cutout.counts.sum_over_axes().plot()

    def test_slice_by_energy(self, with_mask_fit):
        sliced = with_mask_fit.slice_by_energy(energy_min=1 * u.TeV, energy_max=5 * u.TeV, name="slice-energy")
        assert sliced.name == "slice-energy"
        assert_allclose(sliced.counts.geom.axes["energy"].edges.to_value("TeV"), [1, 1.585, 2.512, 3.981], rtol=2e-4)
        assert sliced.counts.data.sum() == 5211
        sliced.counts.plot_grid()
        assert lower_edges(plt.gcf().axes) == ["1.00 TeV", "1.58 TeV", "2.51 TeV"]
        assert list(sliced.mask_fit.data.sum(axis=(1, 2))) == [11304] * 3
        sliced.mask_fit.plot_grid()
        assert len(titles(plt.gcf().axes)) == 3


@needs_file
class TestResampling:
    def test_pixels(self, as_read):
        downsampled = as_read.downsample(factor=8)
        assert downsampled.counts.data.shape == (10, 30, 40)
        assert downsampled.counts.data.sum() == 104317
        assert downsampled.exposure.data.shape == (14, 30, 40)
        downsampled.counts.sum_over_axes().plot(add_cbar=True)

    def test_energy(self, with_mask_fit):
        downsampled = with_mask_fit.downsample(factor=5, axis_name="energy", name="downsampled-energy")
        assert_allclose(downsampled.counts.geom.axes["energy"].edges.to_value("TeV"), [0.1, 1, 10])
        downsampled.counts.plot_grid()
        assert lower_edges(plt.gcf().axes) == ["100 GeV", "1.00 TeV"]
        first = summary(
            "downsampled-energy", 104317, "91507.69", "12809.31", "91507.69", "91507.69", "nan", EXPOSURE, 153600, 22608, "nan"
        )
        stat = f"{with_mask_fit.stat_sum():.2f}"
        second = summary(
            "dataset-cta",
            104317,
            "91507.70",
            "12809.30",
            "91719.65",
            "91507.69",
            "211.96",
            EXPOSURE,
            768000,
            67824,
            stat,
            (2, 8, 5),
        )
        assert f"{downsampled} {with_mask_fit}".startswith(f"{first}\n\n {second}\n\n  Component 0: SkyModel\n")

    def test_statistic_with_mask(self, with_mask_fit):
        # 2.1: 44318.26 (see above).
        assert_allclose(with_mask_fit.stat_sum(), 44358.597689, rtol=1e-9)

    def test_arbitrary_bins(self, as_read):
        new_axis = MapAxis.from_energy_edges([0.1, 0.3, 1, 3, 10] * u.TeV)
        resampled = as_read.resample_energy_axis(energy_axis=new_axis)
        assert_allclose(resampled.counts.geom.axes["energy"].edges.to_value("TeV"), [0.1, 0.251, 1, 2.51, 10], rtol=2e-3)
        assert list(resampled.counts.data.sum(axis=(1, 2))) == [71460, 26455, 4109, 2293]
        resampled.counts.plot_grid(ncols=2)
        assert lower_edges(plt.gcf().axes) == ["100 GeV", "251 GeV", "1.00 TeV", "2.51 TeV"]

    def test_image(self, dataset_cta):
        set_mask_fit(dataset_cta)
        image = dataset_cta.to_image()
        assert image.counts.data.shape == (1, 240, 320)
        assert image.counts.data.sum() == 104317
        assert_allclose(image.background.data.sum(dtype=float), 91507.686, rtol=1e-6)
        assert image.mask_safe.data.sum() == 69168
        assert image.mask_fit.data.dtype == bool
        assert image.mask_fit.data.sum() == 11304
        image.counts.plot()


@needs_file
class TestRegions:
    def test_spectrum(self, with_mask_fit):
        as_read = with_mask_fit
        spectrum = as_read.to_spectrum_dataset(REGION, containment_correction=True, name="spectrum-dataset")
        assert isinstance(spectrum, SpectrumDataset)
        assert spectrum.counts.geom.is_region
        info = spectrum.info_dict()
        assert info["counts"] == 5644
        assert_allclose(info["background"], 3323.66, atol=0.005)
        assert_allclose(info["excess"], 2320.34, atol=0.005)
        assert f"{info['exposure_min']:.2e}" == "4.66e+08 m2 s"
        assert f"{info['exposure_max']:.2e}" == "1.89e+10 m2 s"
        assert (info["n_bins"], info["n_fit_bins"]) == (10, 6)
        ratio = spectrum.exposure.data / as_read.to_spectrum_dataset(REGION).exposure.data
        assert 0.99999 < ratio.min() <= ratio.max() < 1 + 1e-6
        spectrum.peek()
        assert titles(plt.gcf().axes) == ["Counts", "Exposure", "Energy Dispersion"]

    def test_region_map(self, with_mask_fit):
        dataset = with_mask_fit.to_region_map_dataset(REGION, name="region-map-dataset")
        expected = summary(
            "region-map-dataset",
            5644,
            "3323.66",
            "2320.34",
            "3323.66",
            "3323.66",
            "nan",
            ("4.66e+08", "1.89e+10"),
            10,
            6,
            "nan",
        )
        assert str(dataset).rstrip("\n") == expected


@needs_file
class TestCollection:
    @pytest.fixture
    def datasets(self, dataset_empty, with_models):
        return Datasets([dataset_empty, with_models])

    def test_print(self, datasets):
        assert str(datasets).rstrip("\n") == "\n".join(
            [
                "Datasets",
                "--------",
                "",
                "Dataset 0:",
                "",
                "  Type       : MapDataset",
                "  Name       : dataset-empty",
                "  Instrument :",
                "  Models     :",
                "",
                "Dataset 1:",
                "",
                "  Type       : MapDataset",
                "  Name       : dataset-cta",
                "  Instrument :",
                "  Models     : ['gc', 'dataset-cta-bkg']",
            ]
        )

    def test_info_table(self, datasets):
        table = datasets.info_table()
        assert len(table) == 2
        assert table.colnames == list(datasets[1].info_dict())
        assert len(table.colnames) == 19

    def test_names_and_items(self, datasets, as_read):
        assert datasets.names == ["dataset-empty", "dataset-cta"]
        assert datasets["dataset-empty"] is datasets[0]
        datasets.remove("dataset-empty")
        assert datasets.names == ["dataset-cta"]
        datasets.append(as_read.to_spectrum_dataset(REGION, name="spectrum-dataset"))
        assert datasets.names == ["dataset-cta", "spectrum-dataset"]
