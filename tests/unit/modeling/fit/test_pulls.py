"""Errors mean what they say: of a thousand simulated measurements, (fit - truth) / error has mean 0 and width 1."""

import numpy as np
import pytest
from scipy.stats import chi2

from geminga.datasets import Datasets, SpectrumDataset
from geminga.irf import EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)

NUMBER = 1000
REGION = "icrs;circle(0, 0, 0.1)"


@pytest.fixture(scope="module")
def measurement():
    """A bright source over a background with a norm and a tilt, of which the tilt is known from elsewhere."""
    energy = MapAxis.from_energy_bounds("1 TeV", "50 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.7 TeV", "70 TeV", nbin=24, name="energy_true")
    geom = RegionGeom.create(REGION, axes=[energy])
    dataset = SpectrumDataset(
        counts=RegionNDMap.from_geom(geom),
        exposure=RegionNDMap.create(REGION, axes=[true], unit="cm2 s", data=1e16),
        background=RegionNDMap.from_geom(geom, data=np.geomspace(2000, 200, 12).reshape(12, 1, 1)),
        edisp=EDispKernelMap.from_gauss(energy, true, sigma=0.15, bias=0, geom=geom),
        name="d",
    )
    source = PowerLawSpectralModel(amplitude="1e-12 cm-2 s-1 TeV-1", reference="2 TeV", index=2.2)
    background = FoVBackgroundModel(dataset_name="d", spectral_model=PowerLawNormSpectralModel(reference="3 TeV"))
    background.spectral_model.tilt.frozen = False
    dataset.models = [SkyModel(source, name="s"), background]
    return dataset


@pytest.mark.slow
def test_pulls(measurement):
    datasets = Datasets([measurement])
    free = datasets.models.parameters.free_unique_parameters
    truth = np.array([p.value for p in free])
    tilt = datasets.models["d-bkg"].spectral_model.tilt
    expected = measurement.npred().data
    rng = np.random.default_rng(11)
    pulls, rises = np.empty((NUMBER, len(free))), np.empty(NUMBER)
    for i in range(NUMBER):
        for p, value in zip(free, truth, strict=True):
            p.value = value * (1 + 0.02 * rng.normal()) if value else 0.01 * rng.normal()
        measurement.counts.data = rng.poisson(expected).astype(float)
        # What is known of the tilt is itself measured: the prior's mean scatters about the truth.
        tilt.prior = GaussianPrior(mu=0.03 * rng.normal(), sigma=0.03)
        result = Fit().run(datasets)
        assert result.success, result.message
        pulls[i] = [(p.value - value) / p.error for p, value in zip(free, truth, strict=True)]
        rises[i] = datasets.stat_sum_many(truth[None])[0] - result.total_stat
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(NUMBER)
    np.testing.assert_allclose(pulls.std(axis=0), 1, atol=0.05)
    # Wilks: the truth is as far from the minimum as chi2 of so many parameters says.
    quantiles = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(np.quantile(rises, quantiles), chi2(len(free)).ppf(quantiles), rtol=0.1)
