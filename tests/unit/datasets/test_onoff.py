"""Arithmetic of on/off datasets: laws first, then numbers in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import MapDatasetOnOff, SpectrumDatasetOnOff
from geminga.errors import DataError, InputError
from geminga.maps import Map
from geminga.modeling.models import FoVBackgroundModel
from geminga.stats import wstat
from tests.unit.datasets import builders


@pytest.fixture
def dataset():
    return builders.onoff_spectrum(seed=1)


def test_alpha_and_background(dataset):
    assert_allclose(dataset.alpha.data, dataset.acceptance.data / dataset.acceptance_off.data)
    assert_allclose(dataset.background.data, dataset.alpha.data * dataset.counts_off.data)
    assert_allclose(dataset.excess.data, dataset.counts.data - dataset.background.data)


def test_profiled_background_is_stationary(dataset):
    """The profiled prediction makes the statistic smallest, also where it is not the measured background."""
    n_on, n_off, alpha = dataset.counts.data, dataset.counts_off.data, dataset.alpha.data
    off = dataset.npred_off().data
    best = wstat(n_on, n_off, alpha, 0, mu_bkg=off)
    for factor in (0.99, 1.01):
        assert (wstat(n_on, n_off, alpha, 0, mu_bkg=off * factor) >= best).all()
    assert_allclose(dataset.npred_background().data, alpha * off)
    assert_allclose(dataset.stat_array(), best)
    # Without signal all counts are of one Poisson process: off = (n_on + n_off) / (1 + alpha).
    assert_allclose(off, (n_on + n_off) / (1 + alpha))


def test_statistic_is_summed_over_the_mask(dataset):
    inside = dataset.mask.data
    assert_allclose(dataset.stat_sum(), dataset.stat_array()[inside].sum())


def test_no_off_acceptance(dataset):
    """Neither off acceptance nor off counts: a bin without background. Off counts alone are refused."""
    dataset.counts_off.data[0] = 0
    dataset.acceptance_off.data[0] = 0
    assert dataset.alpha.data[0] == dataset.background.data[0] == dataset.npred_background().data[0] == 0
    assert np.isfinite(dataset.stat_sum())
    dataset.counts_off.data[0] = 2
    dataset.mask_safe.data[0] = True
    assert np.isnan(dataset.background.data[0])
    with pytest.raises(DataError, match="ACCEPTANCE_OFF is not positive in 1 bins with off counts, at energy bin 0"):
        dataset.stat_sum()
    dataset.mask_safe.data[0] = False
    assert np.isfinite(dataset.stat_sum())


@pytest.mark.parametrize("name", ["counts_off", "acceptance", "acceptance_off"])
def test_missing_part(dataset, name):
    setattr(dataset, name, None)
    assert dataset.background is None
    assert np.isnan(dataset.info_dict()["background"])
    assert "Total background counts         : nan" in str(dataset)
    with pytest.raises(DataError, match=f"SpectrumDatasetOnOff 'onoff' has no {name}, so"):
        dataset.stat_sum()


def test_background_model_is_refused(dataset):
    with pytest.raises(InputError, match="its background is measured in the off region"):
        dataset.models = [FoVBackgroundModel(dataset_name="onoff")]
    assert dataset.models is None


def test_create():
    empty = MapDatasetOnOff.create(builders.geom(), name="empty")
    assert empty.stat_type == "wstat"
    assert empty.alpha.data.sum() == empty.background.data.sum() == 0
    assert "Total counts_off                : 0\n" in str(empty)


@pytest.mark.parametrize("cls", [MapDatasetOnOff, SpectrumDatasetOnOff])
def test_from_known_background(cls):
    """Off counts that give the same background; there and back is the identity."""
    known = builders.map_dataset() if cls is MapDatasetOnOff else builders.spectrum_dataset()
    onoff = cls.from_map_dataset(known, acceptance=1, acceptance_off=4, name="onoff")
    assert_allclose(onoff.counts_off.data, 4 * known.background.data)
    back = onoff.to_map_dataset(name="back")
    assert_allclose(back.background.data, known.background.data)
    assert back.counts is known.counts
    assert back.stat_type == "cash"


def test_fake(dataset):
    background = Map.from_geom(dataset.counts.geom, data=np.full(dataset.data_shape, 1e6))
    dataset.fake(background, random_state=0)
    assert_allclose(dataset.counts.data, 1e6, rtol=5e-3)
    assert_allclose(dataset.counts_off.data * dataset.alpha.data, 1e6, rtol=5e-3)
    dataset.acceptance.data[:] = 0
    with pytest.raises(DataError, match="background where the ratio of acceptances is 0"):
        dataset.fake(background)
