from __future__ import annotations

import numpy as np
import pytest

from geminga.modeling import Fit
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.unit.datasets.builders import map_dataset, onoff_spectrum, spectrum_dataset


def with_model(dataset):
    spectrum = PowerLawSpectralModel(index=2.2, amplitude="3e-12 cm-2 s-1 TeV-1")
    dataset.models = [SkyModel(spectrum, name="source")]
    return dataset, spectrum


@pytest.mark.parametrize("make", [spectrum_dataset, onoff_spectrum])
def test_errors_are_those_of_a_fit_to_the_expected_counts(make):
    dataset, spectrum = with_model(make())
    counts = dataset.counts.data.copy()
    result = Fit().forecast([dataset])
    np.testing.assert_array_equal(dataset.counts.data, counts)
    assert spectrum.amplitude.error == 0
    dataset.counts = dataset.expected_counts()
    assert Fit().run([dataset]).success
    assert result.names == ["source.index", "source.amplitude"]
    assert spectrum.index.value == pytest.approx(2.2, abs=1e-4 * spectrum.index.error)
    np.testing.assert_allclose(result.errors, [spectrum.index.error, spectrum.amplitude.error], rtol=1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(result.covariance)), result.errors)
    np.testing.assert_allclose(result.to_table()["significance"], [2.2 / result.errors[0], 3e-12 / result.errors[1]])


def test_error_of_a_known_background_in_closed_form():
    dataset, spectrum = with_model(spectrum_dataset(nbin=3))
    spectrum.index.frozen = True
    signal = dataset.npred_signal().data
    expected = 3e-12 / np.sqrt(np.sum(signal**2 / (signal + dataset.background.data)))
    assert Fit().forecast(dataset).errors[0] == pytest.approx(expected, rel=1e-9)


def test_error_of_a_measured_background_in_closed_form():
    dataset, spectrum = with_model(onoff_spectrum())
    spectrum.index.frozen = True
    signal, off, alpha = (m.data[dataset.mask.data] for m in (dataset.npred_signal(), dataset.counts_off, dataset.alpha))
    variance = signal + alpha * off + alpha**2 * off
    expected = 3e-12 / np.sqrt(np.sum(signal**2 / variance))
    assert Fit().forecast(dataset).errors[0] == pytest.approx(expected, rel=1e-9)


def test_what_cannot_be_measured_is_named():
    dataset, _ = with_model(spectrum_dataset())
    dataset.exposure.data[:] = 0
    result = Fit().forecast(dataset)
    assert result.covariance is None
    assert "Forecast failed" in result.message
    assert np.isnan(result.errors).all()


def test_asimov_data_of_a_map():
    dataset = map_dataset()
    new = dataset.to_asimov(name="expected")
    assert new.name == "expected"
    np.testing.assert_allclose(new.counts.data, dataset.npred().data)
