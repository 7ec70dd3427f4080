import numpy as np
import pytest
from scipy.optimize import brentq

from geminga.errors import InputError
from geminga.estimators import FluxPointsEstimator, ParameterSensitivityEstimator
from geminga.modeling.models import Models, PowerLawSpectralModel
from geminga.stats import GaussianPriorPenalty
from tests.unit.estimators.test_points import ENERGY, spectrum


def dataset():
    out = spectrum(background=5.0)
    out.models["star"].spectral_model.index.frozen = True
    return out


@pytest.mark.parametrize("n_sigma", [1, 5])
def test_amplitude_in_closed_form(n_sigma):
    data = dataset()
    amplitude = data.models["star"].spectral_model.amplitude
    b, s = data.npred_background().data, data.npred_signal().data
    expected = brentq(lambda a: 2 * np.sum((b + a * s) * np.log(1 + a * s / b) - a * s) - n_sigma**2, 1e-4, 100)
    found = ParameterSensitivityEstimator(amplitude, 0, n_sigma=n_sigma, rtol=1e-4).run(data)
    assert found == pytest.approx(expected * 1e-11, rel=1e-4)
    assert amplitude.value == 1e-11
    assert not amplitude.frozen


def test_a_penalty_counts():
    """One which prefers the null hypothesis: the data must say the more."""
    data = dataset()
    amplitude = data.models["star"].spectral_model.amplitude
    models = Models(list(data.models))
    models.set_penalties(GaussianPriorPenalty.from_diagonal([amplitude], sigma=2e-12))
    data.models = models
    b, s = data.npred_background().data, data.npred_signal().data
    ts = lambda a: 2 * np.sum((b + a * s) * np.log(1 + a * s / b) - a * s) - (a / 0.2) ** 2  # noqa: E731
    expected = brentq(lambda a: ts(a) - 9, 1e-4, 1)
    found = ParameterSensitivityEstimator(amplitude, 0, n_sigma=3, rtol=1e-4).run(data)
    assert found == pytest.approx(expected * 1e-11, rel=1e-4)


def test_same_as_the_sensitivity_of_flux_points():
    data = dataset()
    amplitude = data.models["star"].spectral_model.amplitude
    norm = FluxPointsEstimator(ENERGY.edges[[0, -1]], selection_optional=["sensitivity"]).run(data).norm_sensitivity
    found = ParameterSensitivityEstimator(amplitude, 0, rtol=1e-4).run(data)
    assert found / 1e-11 == pytest.approx(norm.data.item(), rel=1e-3)


def test_more_free_parameters_need_more():
    data = dataset()
    model = data.models["star"].spectral_model
    one, two = (ParameterSensitivityEstimator(model.amplitude, 0, n_free_parameters=n, rtol=1e-3).run(data) for n in (1, 2))
    assert two > one


def test_other_parameters_are_fitted_again():
    data = dataset()
    model = data.models["star"].spectral_model
    model.amplitude.value = 1e-9
    model.index.value = 2.2
    model.index.frozen = False
    model.amplitude.frozen = True
    fixed = ParameterSensitivityEstimator(model.index, 2, n_sigma=3, rtol=1e-3).run(data)
    model.amplitude.frozen = False
    free = ParameterSensitivityEstimator(model.index, 2, n_sigma=3, rtol=1e-3).run(data)
    assert free - 2 > 1.2 * (fixed - 2) > 0


def test_never_significant_is_nan():
    data = dataset()
    data.exposure.data[:] = 0
    amplitude = data.models["star"].spectral_model.amplitude
    assert np.isnan(ParameterSensitivityEstimator(amplitude, 0, max_niter=20).run(data))


def test_unknown_parameter():
    with pytest.raises(InputError, match="none of the models"):
        ParameterSensitivityEstimator(PowerLawSpectralModel().index, 2).run(dataset())
