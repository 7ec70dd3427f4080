"""The joint spectrum of the Crab nebula from five instruments (Nigro et al. 2019, A&A 625, A10) on the published spectra."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.modeling import Fit
from geminga.modeling.models import (
    GaussianPrior,
    LogParabolaSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    SystematicsModel,
)
from tests.helpers import data_path, requires_data

pytestmark = requires_data("joint-crab/spectra/hess/pha_obs23523.fits")

LN_10 = np.log(10)

# Statistic, then amplitude (1e-11 cm-2 s-1 TeV-1), alpha and beta (of ln E) with errors as gammapy 2.1 gives them, and counts.
EXPECTED = {
    "fermi": (33.6747, (4.03541, 1.01), (2.37337, 0.239), (0.0596707, 0.0554), 578),
    "magic": (92.2071, (4.11438, 0.293), (2.5905, 0.0932), (0.1807, 0.0459), 784),
    "veritas": (98.6495, (3.75159, 0.362), (2.43204, 0.0963), (0.10473, 0.0754), 289),
    "fact": (71.2968, (3.49659, 0.306), (2.52242, 0.222), (0.202461, 0.132), 691),
    "hess": (152.0414, (4.47377, 0.289), (2.35204, 0.179), (0.192263, 0.0935), 459),
    "joint": (478.0960, (3.85146, 0.114), (2.51089, 0.0252), (0.104844, 0.0105), 2801),
}
# As published, with beta of log10 E.
PUBLISHED = {
    "fermi": (4.0438225250, 2.3715262689, 0.1365339615),
    "magic": (4.1454515816, 2.6004414050, 0.4424995170),
    "veritas": (3.7600563739, 2.4409763970, 0.2586542843),
    "fact": (3.4913981981, 2.5416332082, 0.4249169222),
    "hess": (4.4744069583, 2.3929028509, 0.3719300375),
    "joint": (3.8491280706, 2.5053735278, 0.2362106123),
}


def read(name: str) -> Datasets:
    instruments = list(EXPECTED)[:-1] if name == "joint" else [name]
    files = [path for one in instruments for path in sorted(data_path(f"joint-crab/spectra/{one}").glob("pha_*.fits"))]
    return Datasets([SpectrumDatasetOnOff.read(path, name=path.parent.name + path.stem) for path in files])


@pytest.mark.parametrize("name", EXPECTED)
def test_log_parabola(name):
    datasets = read(name)
    spectrum = LogParabolaSpectralModel(amplitude="3.8e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.4, beta=0.1)
    datasets.models = [SkyModel(spectrum, name="crab")]
    result = Fit().run(datasets)
    stat, *parameters, counts = EXPECTED[name]
    assert result.success
    assert result.total_stat == pytest.approx(stat, rel=1e-5)
    assert sum(d.counts.data[d.mask.data].sum() for d in datasets) == counts
    ours = [spectrum.amplitude.value * 1e11, spectrum.alpha.value, spectrum.beta.value]
    errors = [spectrum.amplitude.error * 1e11, spectrum.alpha.error, spectrum.beta.error]
    for value, own, (theirs, error) in zip(ours, errors, parameters, strict=True):
        assert value == pytest.approx(theirs, abs=0.02 * error)
        assert own == pytest.approx(error, rel=0.02)
    for value, own, published in zip(
        [*ours[:2], ours[2] * LN_10], [*errors[:2], errors[2] * LN_10], PUBLISHED[name], strict=True
    ):
        assert abs(value - published) < 0.35 * own


@pytest.mark.parametrize("name", EXPECTED)
def test_log_parabola_from_its_defaults(name):
    """Ten times too high an energy of reference and ten times the curvature: the search must not run away."""
    datasets = read(name)
    spectrum = LogParabolaSpectralModel()
    datasets.models = [SkyModel(spectrum, name="crab")]
    result = Fit().run(datasets)
    stat, (amplitude, error), (alpha, error_alpha), (beta, error_beta), _ = EXPECTED[name]
    assert result.success
    assert result.total_stat == pytest.approx(stat, rel=1e-5)
    # The same curve described at 1 TeV.
    shift = np.log(10)
    assert spectrum.beta.value == pytest.approx(beta, abs=0.02 * error_beta)
    assert spectrum.alpha.value - 2 * spectrum.beta.value * shift == pytest.approx(alpha, abs=0.02 * error_alpha)
    assert spectrum.amplitude.value > 0
    at_1_tev = spectrum.amplitude.value * np.exp(shift * (spectrum.alpha.value - spectrum.beta.value * shift)) * 1e11
    assert at_1_tev == pytest.approx(amplitude, abs=0.02 * error)


def test_power_law_with_all_backends():
    results = []
    for backend in ("newton", "minuit", "scipy"):
        datasets = read("hess")
        spectrum = PowerLawSpectralModel(index=2, amplitude="1e-11 cm-2 s-1 TeV-1")
        datasets.models = [SkyModel(spectrum, name="crab")]
        result = Fit(backend=backend).run(datasets)
        assert result.success
        results.append([result.total_stat, spectrum.index.value, spectrum.amplitude.value])
        errors = np.array([1, spectrum.index.error, spectrum.amplitude.error])
    assert results[0][0] == pytest.approx(156.9927, abs=1e-3)
    for other in results[1:]:
        np.testing.assert_allclose((np.array(other) - results[0]) / errors, 0, atol=1e-3)


def test_joint_statistic_is_the_sum():
    datasets = read("joint")
    datasets.models = [SkyModel(LogParabolaSpectralModel(reference="1 TeV", amplitude="4e-11 cm-2 s-1 TeV-1"), name="crab")]
    assert datasets.stat_sum() == pytest.approx(sum(d.stat_sum() for d in datasets))
    assert len({type(d.likelihood()) for d in datasets}) == 1


# Energy scale of each instrument: width of the prior, and value and error as published. The widths are not among the published
# numbers: they are chosen here, 5 % for the Fermi-LAT and 15 % for the telescopes, of the size that such errors usually have.
# With these the errors of the scales come out as published, to a per cent.
SCALES = {
    "fermi": (0.05, 1.0044, 0.0451),
    "magic": (0.15, 0.9973, 0.0609),
    "veritas": (0.15, 0.9444, 0.0643),
    "fact": (0.15, 0.8971, 0.0658),
    "hess": (0.15, 1.0993, 0.0729),
}


def test_uncertain_energy_scales():
    """The joint fit with systematic errors, with widths chosen here: the numbers are the published ones, to the tolerances below."""
    datasets = read("joint")
    errors = []
    for name, (sigma, _, _) in SCALES.items():
        runs = [dataset.name for dataset in datasets if dataset.name.startswith(name)]
        errors.append(SystematicsModel(runs, name=name, energy_scale=GaussianPrior(mu=1, sigma=sigma)))
    spectrum = LogParabolaSpectralModel(amplitude="3.8e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.4, beta=0.1)
    datasets.models = [SkyModel(spectrum, name="crab"), *errors]
    result = Fit().run(datasets)
    assert result.success, result.message
    published = {"amplitude": (3.8800906132e-11, 0.3536017240e-11), "alpha": (2.5107708282, 0.0376323833)}
    published["beta"] = (0.2423329850 / LN_10, 0.0275951736 / LN_10)
    for name, (value, error) in published.items():
        parameter = spectrum.parameters[name]
        assert parameter.value == pytest.approx(value, abs=0.3 * error)
        assert parameter.error == pytest.approx(error, rel=0.03)
    for model in errors:
        _, value, error = SCALES[model.name]
        assert model.energy_scale.value == pytest.approx(value, abs=0.05 * error)
        assert model.energy_scale.error == pytest.approx(error, rel=0.01)
    budget = result.error_budget()
    assert budget.statistical[0] == pytest.approx(0.116e-11, rel=0.01)
    assert budget.systematic[0] == pytest.approx(0.334e-11, rel=0.01)
