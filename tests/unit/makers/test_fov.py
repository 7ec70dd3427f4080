"""Norms of the background from the counts outside of sources."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.errors import DataError, InputError
from geminga.makers import FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
from geminga.maps import Map, WcsGeom
from geminga.modeling.models import FoVBackgroundModel, GaussianSpatialModel, PowerLawSpectralModel, SkyModel
from tests.unit.makers.builders import TARGET, empty, observation


@pytest.fixture
def made():
    dataset = MapDatasetMaker().run(empty("crab"), observation())
    dataset = SafeMaskMaker(methods=["offset-max"], offset_max="2 deg").run(dataset, observation())
    dataset.counts.data = np.random.default_rng(3).poisson(1.3 * dataset.background.data).astype("float32")
    return dataset


def exclusion(radius=0.4, geom=None):
    geom = geom or WcsGeom.create(skydir=TARGET, npix=(80, 80), binsz=0.1)
    return geom.region_mask([CircleSkyRegion(TARGET, radius * u.deg)], inside=False)


class TestScale:
    def test_norm_and_error_are_those_of_the_counts(self, made):
        new = FoVBackgroundMaker().run(made)
        where = made.mask_safe.data
        counts, background = made.counts.data[where].sum(), made.background.data[where].sum()
        norm = new.background_model.spectral_model.norm
        assert_allclose(norm.value, counts / background, rtol=1e-6)
        assert_allclose(norm.error, np.sqrt(counts) / background, rtol=1e-6)
        assert new.background_model.name == "crab-bkg"
        assert made.models is None
        assert_allclose(new.npred_background().data[where].sum(), counts, rtol=1e-5)

    def test_sources_are_excluded(self, made):
        near = ~exclusion(geom=made.counts.geom).data
        made.counts.data = made.counts.data + 50 * near
        plain = FoVBackgroundMaker().run(made).background_model.spectral_model.norm.value
        norm = FoVBackgroundMaker(exclusion_mask=exclusion(0.55)).run(made).background_model.spectral_model.norm.value
        assert plain > 2
        assert_allclose(norm, 1.3, atol=0.05)

    def test_predicted_sources_are_subtracted(self, made):
        source = SkyModel(PowerLawSpectralModel(amplitude="3e-9 cm-2 s-1 TeV-1"), GaussianSpatialModel(sigma="0.3 deg"))
        source.spatial_model.position = TARGET
        made.models = [source]
        signal = made.npred_signal().data
        made.counts.data = made.counts.data + np.random.default_rng(4).poisson(signal)
        assert signal[made.mask_safe.data].sum() > 0.1 * made.background.data[made.mask_safe.data].sum()
        new = FoVBackgroundMaker().run(made)
        assert_allclose(new.background_model.spectral_model.norm.value, 1.3, atol=0.08)
        assert len(new.models) == 2

    def test_twice_is_once(self, made):
        once = FoVBackgroundMaker().run(made)
        twice = FoVBackgroundMaker().run(once)
        assert len(twice.models) == 1
        norm = twice.background_model.spectral_model.norm
        assert_allclose(norm.value, once.background_model.spectral_model.norm.value)
        where = made.mask_safe.data
        assert_allclose(norm.error, np.sqrt(made.counts.data[where].sum()) / made.background.data[where].sum(), rtol=1e-6)

    def test_too_little(self, made, caplog):
        for options in ({"min_counts": 10**7}, {"min_npred_background": 1e9}):
            with caplog.at_level(logging.WARNING):
                new = FoVBackgroundMaker(**options).run(made)
            assert not new.mask_safe.data.any()
            assert made.mask_safe.data.any()
            assert "MapDataset 'crab': the background cannot be adjusted outside of sources" in caplog.text
            caplog.clear()


class TestFit:
    def test_equals_scale_for_one_norm(self, made):
        scale, fit = (FoVBackgroundMaker(method=m, exclusion_mask=exclusion()).run(made) for m in ("scale", "fit"))
        one, two = (d.background_model.spectral_model.norm for d in (scale, fit))
        assert_allclose(two.value, one.value, rtol=1e-5)
        assert_allclose(two.error, one.error, rtol=1e-2)
        assert fit.mask_fit is None

    def test_tilt(self, made):
        model = FoVBackgroundModel(dataset_name="crab")
        model.spectral_model.tilt.frozen = False
        made.models = [model]
        energy = made.counts.geom.axes["energy"].center.value[:, None, None]
        made.counts.data = np.random.default_rng(3).poisson(1.3 * made.background.data * energy**-0.3).astype("float32")
        fitted = FoVBackgroundMaker(method="fit").run(made).background_model.spectral_model
        assert_allclose(fitted.tilt.value, 0.3, atol=5 * fitted.tilt.error + 0.02)

    def test_sources_stay(self, made):
        source = SkyModel(PowerLawSpectralModel(amplitude="1e-11 cm-2 s-1 TeV-1"), GaussianSpatialModel(sigma="0.3 deg"))
        source.spatial_model.position = TARGET
        made.models = [source]
        before = source.parameters.value.copy()
        FoVBackgroundMaker(method="fit").run(made)
        assert_allclose(source.parameters.value, before)
        assert not source.spectral_model.amplitude.frozen

    def test_tag_or_model(self, made):
        new = FoVBackgroundMaker(method="fit", spectral_model="lp-norm").run(made)
        assert "lp-norm" in new.background_model.spectral_model.tag


class TestExclusionMask:
    def test_other_geometry(self, made):
        mask = FoVBackgroundMaker(exclusion_mask=exclusion()).make_exclusion_mask(made)
        expected = exclusion(geom=made.counts.geom.to_image())
        assert (mask.data != expected.data).mean() < 0.01
        assert (mask.data == mask.data[0]).all()

    def test_what_is_not_covered_counts(self, made):
        small = exclusion(geom=WcsGeom.create(skydir=TARGET, npix=(8, 8), binsz=0.1))
        mask = FoVBackgroundMaker(exclusion_mask=small).make_exclusion_mask(made).data[0]
        assert mask[0, 0]
        assert mask[-1, -1]
        assert not mask[20, 20]

    def test_refusals(self, made):
        numbers = Map.from_geom(made.counts.geom.to_image(), data=1.0)
        with pytest.raises(DataError, match="exclusion_mask has data of type float64; expected a map of bool"):
            FoVBackgroundMaker(exclusion_mask=numbers).run(made)
        with pytest.raises(InputError, match="Not a valid method for FoVBackgroundMaker: 'guess'; choose from fit, scale"):
            FoVBackgroundMaker(method="guess")
        counts = MapDatasetMaker(selection=["counts"]).run(empty(), observation())
        with pytest.raises(DataError, match="MapDataset 'empty' has no background; select it in the maker before"):
            FoVBackgroundMaker().run(counts)


def test_str():
    assert str(FoVBackgroundMaker()).startswith("FoVBackgroundMaker\n------------------\n\n  method               : scale\n")
