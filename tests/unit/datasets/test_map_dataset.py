"""State of a dataset: what may be set, what it tells, what it predicts."""

from __future__ import annotations

import copy
import pickle

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import MapDataset
from geminga.datasets.base import make_name
from geminga.errors import DataError, GeometryError, InputError
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import FoVBackgroundModel, GaussianSpatialModel, PowerLawSpectralModel, SkyModel
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders


@pytest.fixture
def dataset():
    return builders.map_dataset(1, name="one", safe=1.0)


def source(name="source", **kwargs):
    model = SkyModel.create("pl", "point", name=name, **kwargs)
    model.spatial_model.position = builders.CENTER
    return model


class TestParts:
    def test_mask_must_be_boolean(self, dataset):
        mask = Map.from_geom(dataset.counts.geom, data=np.ones(dataset.data_shape))
        with pytest.raises(DataError, match="MapDataset 'one': mask_fit has data of type float64; expected bool"):
            dataset.mask_fit = mask

    def test_mask_on_other_bins(self, dataset):
        geom = builders.geom(nbin=3)
        with pytest.raises(GeometryError, match=r"mask_safe has shape \(3, 6, 8\), the counts \(4, 6, 8\)"):
            dataset.mask_safe = Map.from_geom(geom, dtype=bool)

    def test_mask_on_other_pixels(self, dataset):
        geom = WcsGeom.create(skydir=(0, 0), npix=(8, 6), binsz=0.25, axes=[builders.energy_axis()])
        with pytest.raises(GeometryError, match="mask_fit has the shape of the counts but other pixels or bin edges"):
            dataset.mask_fit = Map.from_geom(geom, dtype=bool)

    def test_background_on_other_bins(self, dataset):
        with pytest.raises(GeometryError, match="background has shape"):
            dataset.background = Map.from_geom(builders.geom(nbin=3))

    def test_exposure_without_true_energy(self, dataset):
        with pytest.raises(GeometryError, match=r"exposure has axes .*expected an axis named 'energy_true'"):
            dataset.exposure = Map.from_geom(builders.geom(), unit="m2 s")

    def test_exposure_on_other_pixels(self, dataset):
        geom = builders.geom(npix=(4, 6)).to_image().to_cube([builders.energy_axis_true()])
        with pytest.raises(GeometryError, match="exposure has 4 x 6 pixels, the counts 8 x 6"):
            dataset.exposure = Map.from_geom(geom, unit="m2 s")

    @pytest.mark.parametrize("part", ["counts", "background", "exposure", "psf", "edisp", "mask_safe"])
    def test_wrong_type(self, dataset, part):
        with pytest.raises(InputError, match=f"{part} is a str; expected a (Map|IRFMap) or None"):
            setattr(dataset, part, "map.fits")

    def test_may_be_none(self, dataset):
        for part in dataset.part_names:
            setattr(dataset, part, None)
            assert getattr(dataset, part) is None

    def test_mask_joins_both(self, dataset):
        assert dataset.mask is dataset.mask_safe
        dataset.mask_fit = dataset.counts > 3
        np.testing.assert_array_equal(dataset.mask.data, dataset.mask_safe.data & dataset.mask_fit.data)
        dataset.mask_safe = None
        assert dataset.mask is dataset.mask_fit
        dataset.mask_fit = None
        assert dataset.mask is None

    def test_mask_images(self, dataset):
        dataset.mask_safe.data[:, 0, 0] = False
        dataset.mask_safe.data[0] = False
        assert dataset.mask_safe_image.data.sum() == 6 * 8 - 1
        assert dataset.mask_fit_image is None
        assert dataset.mask_safe_psf.data.dtype == bool
        assert dataset.mask_safe_edisp.data.shape[1] == 4
        assert not dataset.mask_safe_edisp.data[:, 0].any()
        assert dataset.mask_safe_edisp.data[:, 1:].any()

    def test_energy_range(self, dataset):
        dataset.mask_safe.data[0] = False
        dataset.mask_safe.data[:, 0, 0] = False
        low, high = dataset.energy_range
        edges = dataset.counts.geom.axes["energy"].edges.value
        assert np.isnan(low.data[0, 0])
        assert_allclose(low.data[1:], edges[1])
        assert_allclose(high.data[1:], edges[-1])
        assert_allclose(u.Quantity(dataset.energy_range_total).value, [edges[1], edges[-1]])

    def test_excess(self, dataset):
        assert_allclose(dataset.excess.data, dataset.counts.data - dataset.background.data, rtol=1e-6)


class TestNames:
    @pytest.mark.parametrize("name", ["", 1.5, True, ["a"]])
    def test_refused(self, name):
        with pytest.raises(InputError, match="expected a non-empty string"):
            make_name(name)

    def test_number(self):
        assert MapDataset(name=23523).name == "23523"


class TestStatistic:
    def test_unknown(self, dataset):
        with pytest.raises(InputError, match="stat_type 'wstat' is not offered; choose one of cash"):
            dataset.stat_type = "wstat"

    def test_cash(self, dataset):
        dataset.models = [FoVBackgroundModel(dataset_name="one")]
        n, mu = dataset.counts.data.astype(float), dataset.background.data.astype(float)
        expected = 2 * (mu - n * np.log(mu))
        assert_allclose(dataset.stat_array(), expected, rtol=1e-6)
        assert_allclose(dataset.stat_sum(), expected.sum(), rtol=1e-6)
        dataset.mask_fit = dataset.counts > 3
        assert_allclose(dataset.stat_sum(), expected[n > 3].sum(), rtol=1e-6)

    def test_fit_term(self, dataset):
        dataset.models = [FoVBackgroundModel(dataset_name="one")]
        term = dataset.likelihood()
        values = np.array([parameter.value for parameter in term.parameters])
        free = np.array([not parameter.frozen for parameter in term.parameters])
        stat, gradient, _ = term.evaluate(values, free, 2)
        assert_allclose(stat, dataset.stat_sum())
        n, mu = dataset.counts.data.astype(float), dataset.background.data.astype(float)
        assert_allclose(gradient, [2 * (mu - n).sum()], rtol=1e-5)


class TestModels:
    def test_only_its_own(self, dataset):
        other = source("other", datasets_names=["two"])
        dataset.models = [source(), other, FoVBackgroundModel(dataset_name="one"), FoVBackgroundModel(dataset_name="two")]
        assert dataset.models.names == ["source", "one-bkg"]
        assert dataset.background_model.name == "one-bkg"

    def test_one_model(self, dataset):
        dataset.models = source()
        assert dataset.models.names == ["source"]
        dataset.models = None
        assert dataset.models is None
        assert dataset.background_model is None

    def test_two_backgrounds(self, dataset):
        models = [FoVBackgroundModel(dataset_name="one"), FoVBackgroundModel(dataset_name="one", name="again")]
        with pytest.raises(InputError, match=r"2 background models .*a dataset takes one"):
            dataset.models = models

    def test_predictions_add_up(self, dataset):
        dataset.models = [source("a"), source("b"), FoVBackgroundModel(dataset_name="one")]
        signal, background = dataset.npred_signal(), dataset.npred_background()
        assert signal.data.sum() > 0
        assert_allclose(dataset.npred().data, signal.data + background.data)
        single = dataset.npred_signal("a").data
        assert_allclose(2 * single, signal.data)
        cube = dataset.npred_signal(stack=False)
        assert cube.geom.axes.names == ["energy", "models"]
        assert_allclose(cube.data.sum(axis=0), signal.data)

    def test_no_signal(self, dataset):
        assert dataset.npred_signal().data.sum() == 0
        assert_allclose(dataset.npred().data, dataset.background.data)

    def test_unknown_name(self, dataset):
        dataset.models = [source()]
        with pytest.raises(KeyError, match="no sky model named 'crab'; models are source"):
            dataset.npred_signal(model_names=["crab"])

    def test_maps_changed_in_place_are_noticed(self, dataset):
        dataset.models = [source()]
        before = dataset.npred_signal().data.sum()
        dataset.exposure.data *= 2
        assert_allclose(dataset.npred_signal().data.sum(), 2 * before)

    def test_nothing_kept(self, dataset):
        assert dataset.evaluators == {}
        assert dataset.reset_data_cache() is None


class TestCopy:
    def test_independent(self, dataset):
        dataset.models = [source()]
        new = dataset.copy(name="two")
        assert (new.name, new.models) == ("two", None)
        new.counts.data[...] = 0
        new.mask_safe.data[...] = False
        new.psf.psf_map.data[...] = 0
        assert dataset.counts.data.sum() > 0
        assert dataset.mask_safe.data.all()
        assert dataset.psf.psf_map.data.sum() > 0
        assert dataset.copy().name not in {"one", "two"}

    @pytest.mark.parametrize("make", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))], ids=["deepcopy", "pickle"])
    def test_whole(self, dataset, make):
        dataset.models = [source()]
        new = make(dataset)
        assert (new.name, new.models.names) == ("one", ["source"])
        np.testing.assert_array_equal(new.counts.data, dataset.counts.data)
        assert_allclose(new.stat_sum(), dataset.stat_sum())


class TestValidate:
    def test_good(self, dataset):
        assert dataset.validate() is None
        assert MapDataset(name="empty").validate() is None

    def test_all_faults_at_once(self, dataset):
        dataset.counts.data[1, 2, 3] = -1
        dataset.background.data[0, 0, 1] = np.nan
        dataset.exposure.data[2, 5, 7] = np.inf
        with pytest.raises(DataError) as error:
            dataset.validate()
        text = str(error.value)
        assert text.startswith("MapDataset 'one' cannot be used: ")
        assert "COUNTS is negative in 1 bins, at energy bin 1, pixel (3, 2): -1" in text
        assert "BACKGROUND is NaN in 1 bins, at energy bin 0, pixel (1, 0): nan" in text
        assert "EXPOSURE is infinite in 1 bins, at energy_true bin 2, pixel (7, 5): inf" in text

    def test_masked_bins_do_not_matter(self, dataset):
        dataset.counts.data[1, 2, 3] = -1
        dataset.mask_safe.data[1, 2, 3] = False
        dataset.exposure.data[:, 0, 0] = np.nan
        dataset.mask_safe.data[:, 0, 0] = False
        dataset.validate()

    def test_geometry(self, dataset):
        dataset.counts = Map.from_geom(builders.geom(nbin=3))
        with pytest.raises(DataError, match=r"background has shape \(4, 6, 8\), the counts \(3, 6, 8\)"):
            dataset.validate()


class TestSummary:
    def test_without_anything(self):
        text = str(MapDataset(name="nothing"))
        assert "  Exposure min                    : nan m2 s\n" in text
        assert "  Total counts                    : 0\n" in text
        assert all(line == line.rstrip() for line in text.splitlines())

    def test_counts_only(self, dataset):
        info = MapDataset(counts=dataset.counts, name="counts").info_dict()
        assert info["counts"] == dataset.counts.data.sum()
        assert np.isnan(info["background"])
        assert np.isnan(info["excess"])
        assert info["n_fit_bins"] == info["n_bins"] == dataset.counts.data.size

    def test_safe_range(self, dataset):
        dataset.mask_safe.data[0] = False
        counts = dataset.counts.data
        assert dataset.info_dict()["counts"] == counts[1:].sum()
        assert dataset.info_dict(in_safe_data_range=False)["counts"] == counts.sum()

    def test_html(self, dataset):
        assert dataset._repr_html_().startswith("<pre>MapDataset\n")


class TestCreate:
    def test_reco_psf(self):
        dataset = MapDataset.create(builders.geom(), reco_psf=True)
        assert type(dataset.psf).__name__ == "RecoPSFMap"
        assert dataset.geoms["geom_psf"].axes.names == ["rad", "energy"]

    def test_migra(self):
        dataset = MapDataset.create(builders.geom(), migra_axis=MapAxis.from_bounds(0.2, 5, nbin=10, name="migra"))
        assert type(dataset.edisp).__name__ == "EDispMap"

    def test_nothing_is_safe(self):
        dataset = MapDataset.create(builders.geom())
        assert not dataset.mask_safe.data.any()
        assert dataset.exposure.unit == "m2 s"

    def test_no_energy_axis(self):
        with pytest.raises(GeometryError, match="expected an axis named 'energy'"):
            MapDataset.create(builders.geom().to_image())

    def test_wrong_true_axis(self):
        with pytest.raises(GeometryError, match="energy_axis_true is named 'energy'"):
            MapDataset.create(builders.geom(), energy_axis_true=builders.energy_axis())

    def test_arguments_replace_maps(self):
        background = Map.from_geom(builders.geom(), data=np.ones((4, 6, 8)))
        assert MapDataset.create(builders.geom(), background=background).background is background


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
class TestNumbers:
    @pytest.fixture
    def gc(self):
        return MapDataset.read(data_path("cta-1dc-gc/cta-1dc-gc.fits.gz"), name="gc")

    @staticmethod
    def model(spatial, **kwargs):
        from astropy.coordinates import SkyCoord

        model = SkyModel.create("pl", spatial, name="source")
        model.spatial_model.position = SkyCoord(0.05, -0.05, unit="deg", frame="galactic")
        model.spectral_model.index.value = 2.3
        model.spectral_model.amplitude.value = 2e-12
        for name, value in kwargs.items():
            getattr(model.spatial_model, name).quantity = value
        return model

    def test_point(self, gc):
        gc.models = [self.model("point"), FoVBackgroundModel(dataset_name="gc")]
        npred = gc.npred_signal()
        expected = [110.80051, 86.509852, 79.986774, 67.64171, 39.75255, 32.867645, 36.682119, 24.646384, 15.312373, 12.808895]
        assert_allclose(npred.data.sum(axis=(1, 2)), expected, rtol=1e-3)
        # gammapy 2.1: 18.901 on these pixels, 20.452 on pixels five times finer (tests/parity/test_point_source.py).
        assert_allclose(npred.data.sum(axis=0).max(), 20.452394751, rtol=0.015)
        # gammapy 2.1, with its wider PSF: 424881.295.
        assert_allclose(gc.stat_sum(), 424957.131796, rtol=1e-5)

    def test_a_source_that_grows_is_evaluated_on_all_it_covers(self, gc):
        """gammapy 2.1 predicts 59.57 counts in the end, on the cut-out of the small source; a fresh evaluation gives 202.988."""
        model = SkyModel(
            PowerLawSpectralModel(),
            GaussianSpatialModel(lon_0="0.05 deg", lat_0="-0.05 deg", sigma="0.05 deg", frame="galactic"),
        )
        gc.psf, gc.models = None, [model]
        for sigma in (0.05, 0.051, 0.5):
            model.spatial_model.sigma.value = sigma
            total = gc.npred_signal().data.sum()
        assert_allclose(total, 202.98822692916417, rtol=1e-3)

    def test_gauss(self, gc):
        gc.models = [self.model("gauss", sigma=0.2 * u.deg)]
        npred = gc.npred_signal()
        expected = [110.416754, 86.302387, 79.814038, 67.490961, 39.65595, 32.788175, 36.59658, 24.598855, 15.288426, 12.792306]
        assert_allclose(npred.data.sum(axis=(1, 2)), expected, rtol=1e-3)
        assert_allclose(npred.data.sum(axis=0).max(), 1.159137688, rtol=2e-3)

    def test_source_that_grows(self, gc):
        dataset = gc.copy()
        dataset.psf = None
        model = self.model("gauss", sigma=0.05 * u.deg)
        dataset.models = [model]
        dataset.npred_signal()
        model.spatial_model.sigma.value = 0.5
        grown = dataset.npred_signal().data.sum()
        fresh = gc.copy()
        fresh.psf = None
        fresh.models = [self.model("gauss", sigma=0.5 * u.deg)]
        assert_allclose(grown, fresh.npred_signal().data.sum(), rtol=1e-9)
