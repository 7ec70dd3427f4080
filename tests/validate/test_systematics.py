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


#: Set-ups with three nuisance parameters: their widths, the background of each spectrum, and the exposure.
SETUPS: dict[str, tuple[dict[str, float], tuple[float, ...], float]] = {
    "bright": ({"area_scale": 0.06, "energy_scale": 0.03, "background_norm_0": 0.02}, (1.0, 2.0), 1.0),
    # The spectrum is known much worse than the counts would allow: all three move index and amplitude.
    "degenerate": ({"area_scale": 0.1, "area_slope": 0.1, "energy_scale": 0.1}, (1.0,), 1.0),
    "faint": ({"background_norm_0": 0.1, "background_tilt_0": 0.1, "area_slope": 0.05}, (1.0,), 0.1),
}


def neutral(name: str) -> float:
    return 0.0 if "slope" in name or "tilt" in name else 1.0


def pulls(number: int, width: dict[str, float], levels: tuple[float, ...], exposure: float) -> dict[str, np.ndarray]:
    """Pulls of index, amplitude, its logarithm, and the three nuisance parameters."""
    datasets = Datasets([spectrum(f"spectrum-{i}", level) for i, level in enumerate(levels)])
    for dataset in datasets:
        dataset.exposure.data *= exposure
        dataset.background.data *= exposure
    source = SkyModel(PowerLawSpectralModel(), name="source")
    priors = {name: GaussianPrior(mu=neutral(name), sigma=sigma) for name, sigma in width.items()}
    datasets.models = [source, SystematicsModel(name="errors", **priors)]
    free = {p.name: p for p in datasets.models.parameters.free_parameters}
    assert free.keys() == {*TRUTH, *width}
    rng = np.random.default_rng(42)
    out: dict[str, list[float]] = {name: [] for name in [*free, "ln amplitude"]}
    for _ in range(number):
        truth = {**TRUTH, **{name: neutral(name) + sigma * rng.normal() for name, sigma in width.items()}}
        for name, p in free.items():
            p.value = truth[name]
        for dataset in datasets:
            dataset.fake(random_state=int(rng.integers(1 << 31)))
        for name, p in free.items():
            p.value = {**TRUTH, **{own: neutral(own) for own in width}}[name]
        result = Fit().run(datasets)
        assert result.success, result.message
        for name, p in free.items():
            out[name].append((p.value - truth[name]) / p.error)
        own = free["amplitude"]
        out["ln amplitude"].append(np.log(own.value / truth["amplitude"]) / (own.error / own.value))
    return {name: np.array(values) for name, values in out.items()}


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


def check_by_logarithm(found: dict[str, np.ndarray], tolerance: float) -> None:
    """A source seen through an uncertain area is normal in the logarithm of its amplitude, if at all."""
    check(np.array([values for name, values in found.items() if name != "amplitude"]).T, tolerance)


def test_pulls() -> None:
    check_by_logarithm(pulls(150, *SETUPS["bright"]), 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETUPS)
def test_many_pulls(name: str) -> None:
    found = pulls(1000, *SETUPS[name])
    check_by_logarithm(found, 0.05)
    if name != "degenerate":  # there it is as in the next test
        check(found["amplitude"][:, None], 0.05)


@pytest.mark.slow
def test_width_of_pulls_of_an_amplitude_with_an_uncertain_area() -> None:
    """It is larger than one as it must be: the error is a share of the fitted amplitude, which is the true one times the scale.

    With m = s A measured, s drawn from N(1, sigma), the fit gives the amplitude m with the error m sqrt(sigma^2 + 1 / N), so that
    the pull is (s - 1) / (s sigma), which is not normal; its width is 1 + 4.5 sigma^2 to the second order. The covariance is right.
    """
    sigma, number = 0.1, 5000
    width = {"area_scale": sigma, "energy_scale": 1e-4, "background_norm_0": 1e-4}
    found = pulls(number, width, (0.01,), 3.0)["amplitude"]
    x, weight = np.polynomial.hermite_e.hermegauss(60)
    expected = (x / (1 + sigma * x))[np.abs(x) < 6]
    weight = weight[np.abs(x) < 6] / weight.sum()
    mean, square = weight @ expected, weight @ expected**2
    np.testing.assert_allclose(found.mean(), mean, atol=4 / np.sqrt(number))
    np.testing.assert_allclose(found.std(), np.sqrt(square - mean**2), atol=0.04)
    assert np.sqrt(square - mean**2) > 1.02


@pytest.mark.slow
def test_many_pulls_on_a_map() -> None:
    check(map_pulls(1000), 0.05)
