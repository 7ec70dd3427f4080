"""Statistics as classes give the number of their name, and leave the dataset as it is."""

from __future__ import annotations

from numpy.testing import assert_allclose

from geminga.datasets import FluxPointsDataset
from geminga.stats import Chi2AsymmetricErrorFitStatistic, Chi2FitStatistic
from tests.unit.flux.builders import POWER_LAW, spectrum_points


def test_statistics():
    dataset = FluxPointsDataset(data=spectrum_points(), models=POWER_LAW, stat_type="distrib")
    other = FluxPointsDataset(data=spectrum_points(), models=POWER_LAW, stat_type="chi2")
    assert Chi2AsymmetricErrorFitStatistic.stat_sum_dataset(dataset) == dataset.stat_sum()
    assert Chi2FitStatistic.stat_sum_dataset(dataset) == other.stat_sum()
    assert_allclose(Chi2FitStatistic.stat_array_dataset(dataset), other.stat_array())
    assert Chi2FitStatistic.loglikelihood_dataset(other) == -0.5 * other.stat_sum()
    assert dataset.stat_type == "distrib"
