"""Errors of fits with systematic errors are right: pulls of simulated measurements have mean 0 and width 1.

In each simulation the systematic errors are drawn from their priors, the counts from what follows; the fit knows the priors alone.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from regions import CircleSkyRegion

from geminga.cli.simulate import simulate_field
from geminga.datasets import Datasets, SpectrumDataset
from geminga.irf import EDispKernelMap
from geminga.maps import Map, MapAxis, RegionGeom
from geminga.modeling import Fit
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    PowerLawSpectralModel,
    SkyModel,
    SystematicsModel,
)
from tests.unit.datasets.builders import CENTER

TRUTH = {"index": 2.3, "amplitude": 4e-12}
WIDTH = {"area_scale": 0.06, "energy_scale": 0.03, "background_norm_0": 0.02}


def spectrum(name: str, level: float) -> SpectrumDataset:
    """Some thousand counts over a background, with a dispersion of 15 per cent and an effective area that rises and falls."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.2 TeV", "80 TeV", nbin=40, name="energy_true")
    geom = RegionGeom.create(CircleSkyRegion(CENTER, 0.2 * u.deg), axes=[energy])
    dataset = SpectrumDataset.create(geom, energy_axis_true=true, name=name)
    x = np.log(true.center.to_value("TeV"))
    dataset.exposure.data = (1.5e10 * np.exp(-((x - 1) ** 2) / 4))[:, None, None]
    dataset.edisp = EDispKernelMap.from_gauss(energy, true, sigma=0.15, bias=0, geom=geom)
    dataset.background = Map.from_geom(geom, data=(level * np.geomspace(300, 1, 12))[:, None, None])
    dataset.mask_safe.data[:] = True
    return dataset


def pulls(number: int) -> np.ndarray:
    """Pulls of index, amplitude and the three nuisance parameters, shape (number, 5)."""
    datasets = Datasets([spectrum("a", 1.0), spectrum("b", 2.0)])
    source = SkyModel(PowerLawSpectralModel(), name="source")
    errors = SystematicsModel(
        name="errors",
        area_scale=GaussianPrior(mu=1, sigma=WIDTH["area_scale"]),
        energy_scale=GaussianPrior(mu=1, sigma=WIDTH["energy_scale"]),
        background_norm=GaussianPrior(mu=1, sigma=WIDTH["background_norm_0"]),
    )
    datasets.models = [source, errors]
    free = list(datasets.models.parameters.free_parameters)
    rng = np.random.default_rng(42)
    out = []
    for _ in range(number):
        truth = {**TRUTH, **{name: 1 + width * rng.normal() for name, width in WIDTH.items()}}
        for p in free:
            p.value = truth[p.name]
        for dataset in datasets:
            dataset.fake(random_state=int(rng.integers(1 << 31)))
        for p in free:
            p.value = {**TRUTH, **dict.fromkeys(WIDTH, 1.0)}[p.name]
        result = Fit().run(datasets)
        assert result.success, result.message
        out.append([(p.value - truth[p.name]) / p.error for p in free])
    return np.array(out)


def map_pulls(number: int) -> np.ndarray:
    """The same for a point source on a map, with the width of the PSF in place of the background; shape (number, 8)."""
    dataset = simulate_field(seed=1)
    width = {"area_scale": 0.06, "energy_scale": 0.03, "psf_scale": 0.05}
    errors = SystematicsModel(name="errors", **{name: GaussianPrior(mu=1, sigma=sigma) for name, sigma in width.items()})
    dataset.models = [dataset.models["star"], FoVBackgroundModel(dataset.name), errors]
    free = list(dataset.models.parameters.free_parameters)
    start = [p.value for p in free]
    rng = np.random.default_rng(5)
    out = []
    for _ in range(number):
        truth = [value + width.get(p.name, 0) * rng.normal() for p, value in zip(free, start, strict=True)]
        for p, value in zip(free, truth, strict=True):
            p.value = value
        dataset.fake(random_state=int(rng.integers(1 << 31)))
        for p, value in zip(free, start, strict=True):
            p.value = value
        result = Fit().run([dataset])
        assert result.success, result.message
        out.append([(p.value - value) / p.error for p, value in zip(free, truth, strict=True)])
    return np.array(out)


def check(found: np.ndarray, tolerance: float) -> None:
    number = len(found)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=4 / np.sqrt(number))
    np.testing.assert_allclose(found.std(axis=0), 1, atol=tolerance)


def test_pulls() -> None:
    check(pulls(150), 0.2)


@pytest.mark.slow
def test_many_pulls() -> None:
    check(pulls(1000), 0.05)


@pytest.mark.slow
def test_many_pulls_on_a_map() -> None:
    check(map_pulls(1000), 0.05)
