"""Coverage of upper limits of flux points, from toys with 0 to 1000 expected counts, against the exact discrete coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from geminga.datasets import SpectrumDataset, SpectrumDatasetOnOff
from geminga.estimators import FluxPointsEstimator
from geminga.irf import EDispKernelMap
from geminga.maps import MapAxis, RegionNDMap
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from geminga.stats import CashCountsStatistic, WStatCountsStatistic

N_BINS = 500
N_TOYS = 200  # of all bins: 100 000
REGION = "icrs;circle(0, 0, 0.1)"
ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=N_BINS)
TRUE = ENERGY.copy(name="energy_true")


def dataset():
    """Signals from 0 to 900 and backgrounds from 0 to 100 counts, a bin for each of many combinations."""
    random = np.random.default_rng(0)
    signal = np.append(np.zeros(50), np.geomspace(0.1, 900, N_BINS - 50))
    background = random.permutation(np.append(np.zeros(20), np.geomspace(0.01, 100, N_BINS - 20)))
    model = SkyModel(PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1"), name="source")
    flux = model.spectral_model.integral(ENERGY.edges_min, ENERGY.edges_max).to_value("cm-2 s-1")
    exposure = RegionNDMap.create(REGION, axes=[TRUE], unit="cm2 s", dtype=float)
    exposure.data[:, 0, 0] = np.maximum(signal, 1.0) / flux
    level = RegionNDMap.create(REGION, axes=[ENERGY], dtype=float)
    level.data[:, 0, 0] = background
    edisp = EDispKernelMap.from_diagonal_response(ENERGY, TRUE, geom=level.geom.to_image())
    out = SpectrumDataset(counts=level.copy(), exposure=exposure, background=level, edisp=edisp, name="toys")
    out.models = [model]
    # The norm of bins without signal is zero, of others one.
    return out, np.maximum(signal, 1.0), signal, background


def check(covered, probability):
    """Toys against exact probabilities of each bin: in total, and in groups of bins."""
    number, probability = covered.shape[0], np.clip(probability, 0, 1)
    for group in np.array_split(np.arange(N_BINS), 10):
        expected = number * probability[group].sum()
        sigma = np.sqrt(number * (probability[group] * (1 - probability[group])).sum())
        assert abs(covered[:, group].sum() - expected) < 4 * sigma + 1e-9
    total = number * (probability * (1 - probability)).sum()
    assert abs(covered.sum() - number * probability.sum()) < 4 * np.sqrt(total)


@pytest.mark.slow
@pytest.mark.parametrize("n_sigma", [1.6448536, 2.0])
@pytest.mark.parametrize("is_bounded", [False, True])
def test_known_background(n_sigma, is_bounded):
    data, scale, signal, background = dataset()
    random = np.random.default_rng(1)
    norm = {"min": 0} if is_bounded else None
    estimator = FluxPointsEstimator(ENERGY.edges, selection_optional=["ul"], n_sigma_ul=n_sigma, norm=norm)
    counts = np.arange(3000.0)
    probability = []
    for s, b in zip(signal, background, strict=True):
        limit = CashCountsStatistic(counts, b).compute_upper_limit(n_sigma, bounded=is_bounded)
        probability.append(poisson.pmf(counts, s + b) @ (limit >= s * (1 - 1e-6)))
    covered = np.zeros((N_TOYS, N_BINS), bool)
    for toy in range(N_TOYS):
        data.counts.data[:, 0, 0] = random.poisson(signal + background)
        limit = estimator.run(data).norm_ul.data[:, 0, 0] * scale
        assert np.isfinite(limit).all()
        assert not is_bounded or (limit >= 0).all()
        covered[toy] = limit >= signal * (1 - 1e-6)
    check(covered, np.array(probability))


@pytest.mark.slow
def test_measured_background():
    known, scale, signal, background = dataset()
    alpha, n_sigma = 0.2, 2.0
    data = SpectrumDatasetOnOff.from_spectrum_dataset(
        dataset=known, acceptance=1, acceptance_off=1 / alpha, counts_off=known.background
    )
    data.models = known.models
    estimator = FluxPointsEstimator(ENERGY.edges, selection_optional=["ul"], n_sigma_ul=n_sigma)
    probability = np.full(N_BINS, np.nan)
    for i in range(0, N_BINS, 5):
        s, b = signal[i], background[i]
        # All counts within seven sigma, on and off.
        on, off = (np.arange(*_range(mu)) for mu in (s + b, b / alpha))
        n_on, n_off = np.meshgrid(on, off, indexing="ij")
        limit = WStatCountsStatistic(n_on, n_off, alpha).compute_upper_limit(n_sigma)
        weight = poisson.pmf(n_on, s + b) * poisson.pmf(n_off, b / alpha)
        probability[i] = (weight * (limit >= s * (1 - 1e-6))).sum()
    some = np.isfinite(probability)
    random = np.random.default_rng(2)
    covered = np.zeros((N_TOYS, N_BINS), bool)
    for toy in range(N_TOYS):
        data.counts.data[:, 0, 0] = random.poisson(signal + background)
        data.counts_off.data[:, 0, 0] = random.poisson(background / alpha)
        limit = estimator.run(data).norm_ul.data[:, 0, 0] * scale
        assert np.isfinite(limit).all()
        covered[toy] = limit >= signal * (1 - 1e-6)
    expected = probability[some]
    sigma = np.sqrt(N_TOYS * (expected * (1 - expected)).sum())
    assert abs(covered[:, some].sum() - N_TOYS * expected.sum()) < 4 * sigma


def _range(mu: float) -> tuple[int, int]:
    reach = 7 * np.sqrt(mu) + 12
    return max(int(mu - reach), 0), int(mu + reach) + 1
