from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from geminga.errors import FitError, InputError
from geminga.modeling import Fit, select_nested_models
from geminga.modeling.models import LogParabolaSpectralModel, SkyModel
from tests.unit.datasets.builders import spectrum_dataset


@pytest.fixture(name="curved")
def _curved():
    """A spectrum whose counts are those of a curved one, with its model."""
    dataset = spectrum_dataset(nbin=8)
    spectrum = LogParabolaSpectralModel(amplitude="5e-12 cm-2 s-1 TeV-1", reference="3 TeV", alpha=2.2, beta=0.5)
    dataset.models = [SkyModel(spectrum, name="source")]
    dataset.counts = dataset.npred()
    return dataset, spectrum


def test_the_statistic_is_the_difference_of_two_fits(curved):
    dataset, spectrum = curved
    result = select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=1)
    spectrum.beta.value, spectrum.beta.frozen = 0.0, True
    null = Fit().run([dataset]).total_stat
    assert result["ts"] == pytest.approx(null - result["fit_results"].total_stat, abs=1e-5)
    assert result["fit_results_null"].total_stat == pytest.approx(null, abs=1e-5)


def test_the_preferred_hypothesis_stays(curved):
    dataset, spectrum = curved
    ts = select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=1)["ts"]
    assert not spectrum.beta.frozen
    assert spectrum.beta.value == pytest.approx(0.5, abs=1e-3)
    assert spectrum.beta.error > 0
    np.testing.assert_allclose(np.sqrt(np.diag(spectrum.covariance.data)), [p.error for p in spectrum.parameters])
    select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=np.sqrt(ts) * 1.01)
    assert spectrum.beta.frozen
    assert spectrum.beta.value == spectrum.beta.error == 0
    assert spectrum.alpha.error > 0


def test_nothing_left_to_fit(curved):
    dataset, spectrum = curved
    spectrum.alpha.frozen = spectrum.beta.frozen = True
    result = select_nested_models([dataset], [spectrum.amplitude], [0 * u.Unit("cm-2 s-1 GeV-1")])
    assert result["fit_results_null"] is None
    assert result["ts"] > 100
    assert spectrum.amplitude.quantity.to_value("cm-2 s-1 TeV-1") == pytest.approx(5e-12, rel=1e-3)


def test_a_failed_fit_changes_nothing(curved):
    dataset, spectrum = curved
    dataset.exposure.data[:] = 0
    with pytest.raises(FitError, match="with the parameters free did not converge"):
        select_nested_models([dataset], [spectrum.beta], [0.0])
    assert spectrum.beta.value == 0.5
    assert not spectrum.beta.frozen


def test_as_many_values_as_parameters(curved):
    dataset, spectrum = curved
    with pytest.raises(InputError, match="2 parameters and 1 null values"):
        select_nested_models([dataset], [spectrum.beta, spectrum.alpha], [0.0])
