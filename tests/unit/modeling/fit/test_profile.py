"""Asymmetric errors and contours on problems with known answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from geminga.datasets import Datasets
from geminga.modeling import Fit
from geminga.modeling.models import PowerLawSpectralModel
from tests.unit.modeling.fit.test_broken_setups import spectrum
from tests.unit.modeling.sampler.test_sampler import EXPOSURE, counting


@pytest.mark.parametrize("sigma", [1, 2, 3])
@pytest.mark.parametrize("reoptimize", [True, False])
def test_errors_of_a_counting_experiment(sigma, reoptimize):
    dataset = counting(12)
    dataset.models[0].spectral_model.const.prior = None
    Fit().run([dataset])
    interval = Fit().confidence([dataset], dataset.models[0].spectral_model.const, sigma=sigma, reoptimize=reoptimize)

    def rise(mu):
        return 2 * (mu - 12 * np.log(mu / 12) - 12) - sigma**2

    assert interval["success"]
    assert_allclose(interval["errp"] * EXPOSURE, brentq(rise, 12, 60) - 12, rtol=1e-5)
    assert_allclose(interval["errn"] * EXPOSURE, 12 - brentq(rise, 1e-3, 12), rtol=1e-5)


def test_no_crossing_inside_the_bounds():
    dataset = counting(12)
    own = dataset.models[0].spectral_model.const
    own.prior, own.min = None, 1.1e-12
    Fit().run([dataset])
    interval = Fit().confidence([dataset], own)
    assert not interval["success"]
    assert np.isnan(interval["errn"])
    assert interval["errp"] > 0
    assert "source.const does not rise by 1 inside its bounds: no errn" in interval["message"]


@pytest.fixture(scope="module")
def fitted():
    dataset = spectrum(PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1"))
    return dataset, Fit().run([dataset])


@pytest.mark.parametrize("sigma", [1, 2])
def test_contour_is_where_the_statistic_has_risen(fitted, sigma):
    dataset, result = fitted
    own = dataset.models[0].spectral_model
    contour = Fit().stat_contour([dataset], own.index, own.amplitude, numpoints=9, sigma=sigma)
    assert contour["success"]
    points = np.stack([contour["s.spectral.index"], contour["s.spectral.amplitude"]], axis=1)
    assert len(points) == 10
    assert_allclose(points[0], points[-1])
    stat = Datasets([dataset]).stat_sum_many(points, parameters=[own.index, own.amplitude])
    assert_allclose(stat - result.total_stat, sigma**2, rtol=1e-4)
    minuit = Fit(confidence_opts={"backend": "minuit"}).stat_contour([dataset], own.index, own.amplitude, 12, sigma)
    assert minuit["success"]
    assert_allclose(minuit["s.spectral.index"].max(), points[:, 0].max(), atol=0.3 * own.index.error)


def test_contour_is_cut_off_by_a_bound(fitted):
    dataset, _ = fitted
    own = dataset.models[0].spectral_model
    own.index.max = own.index.value + 0.5 * own.index.error
    contour = Fit().stat_contour([dataset], own.index, own.amplitude, numpoints=16)
    assert contour["success"]
    index = contour["s.spectral.index"]
    assert index.max() == own.index.max
    assert np.sum(index == own.index.max) > 2
    own.index.max = np.nan


def test_no_contour_of_what_has_no_error(fitted):
    dataset, _ = fitted
    own = dataset.models[0].spectral_model
    own.index.max = own.index.value
    contour = Fit().stat_contour([dataset], own.index, own.amplitude)
    assert not contour["success"]
    assert len(contour["s.spectral.index"]) == 0
    own.index.max = np.nan
