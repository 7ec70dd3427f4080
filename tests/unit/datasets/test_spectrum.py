"""Spectra: numbers in closed form, and what is not offered."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import SpectrumDataset
from geminga.errors import UnsupportedError
from geminga.modeling.models import FoVBackgroundModel, PowerLawSpectralModel, SkyModel
from tests.unit.datasets import builders


@pytest.fixture
def dataset():
    return builders.spectrum_dataset()


@pytest.fixture
def with_model(dataset):
    dataset.models = SkyModel(spectral_model=PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1"), name="source")
    return dataset


def test_prediction(with_model):
    """Integral of a power law over each bin times the exposure."""
    edges = with_model.counts.geom.axes["energy"].edges.to_value("TeV")
    expected = 1e-12 * (1 / edges[:-1] - 1 / edges[1:]) * 1e14
    assert_allclose(expected, [53.584111663872214, 24.871541435808943, 11.544346900318843])
    assert_allclose(with_model.npred_signal().data.ravel(), expected, rtol=1e-6)
    assert_allclose(with_model.npred().data.ravel(), expected + 4, rtol=1e-6)


def test_create():
    dataset = SpectrumDataset.create(builders.spectrum_dataset().counts.geom, name="empty")
    assert dataset.tag == "SpectrumDataset"
    assert dataset.psf is None
    assert dataset.counts.geom.is_region
    assert str(dataset).startswith("SpectrumDataset\n---------------\n")


def test_rebinning(dataset):
    image = dataset.to_image()
    assert type(image) is SpectrumDataset
    assert image.counts.data.ravel() == [30]
    assert dataset.slice_by_energy("1 TeV", "4 TeV").counts.data.size == 2


def test_stack(dataset):
    total = dataset.to_masked()
    total.stack(dataset)
    assert_allclose(total.counts.data.ravel(), 20)
    assert_allclose(total.exposure.data.ravel(), 2e10)
    assert_allclose(total.exposure.meta["livetime"].to_value("s"), 100)


@pytest.mark.parametrize("method", ["cutout", "to_spectrum_dataset", "plot_residuals_spatial"])
def test_not_offered(dataset, method):
    with pytest.raises(UnsupportedError, match=f"SpectrumDataset 'spectrum': {method} is not offered for a spectrum"):
        getattr(dataset, method)()


def test_energy_range(dataset):
    dataset.mask_safe.data[0] = False
    low, high = dataset.energy_range_total
    edges = dataset.counts.geom.axes["energy"].edges
    assert_allclose([low.value, high.value], [edges[1].value, edges[-1].value])


class TestPlots:
    @pytest.fixture(autouse=True)
    def _close(self):
        yield
        plt.close("all")

    def test_peek(self, dataset):
        dataset.peek()
        assert [ax.get_title() for ax in plt.gcf().axes[:3]] == ["Counts", "Exposure", "Energy Dispersion"]

    def test_counts(self, dataset):
        ax = dataset.plot_counts()
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Counts", "Background"]

    def test_excess(self, with_model):
        ax = with_model.plot_excess()
        assert sorted(text.get_text() for text in ax.get_legend().get_texts()) == ["Excess counts", "Predicted signal counts"]
        np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), 6)

    def test_fit(self, with_model):
        with_model.mask_fit = with_model.counts > 3
        ax_spectrum, ax_residuals = with_model.plot_fit()
        assert ax_spectrum is not ax_residuals
        assert "(data - model) / model" in ax_residuals.get_ylabel()

    def test_masks(self, dataset):
        ax = dataset.plot_masks()
        assert ax.get_legend() is not None
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Mask safe"]


def test_created_spectrum_needs_only_an_exposure():
    """The energy dispersion of a new dataset is perfect, not empty."""
    own = builders.spectrum_dataset().counts.geom
    dataset = SpectrumDataset.create(own, energy_axis_true=builders.energy_axis_true(), name="new")
    dataset.exposure.quantity = np.full(dataset.exposure.data.shape, 1e10) * u.Unit("m2 s")
    dataset.models = [SkyModel(PowerLawSpectralModel(), name="source")]
    flux = PowerLawSpectralModel().integral(1 * u.TeV, 10 * u.TeV).to_value("cm-2 s-1")
    # Bins of true energy are shared between those of measured energy by their overlap.
    assert_allclose(dataset.npred().data.sum(), flux * 1e14, rtol=0.2)
    assert dataset.edisp.exposure_map.data.max() == 0


def test_stacking_applies_a_background_model_once(dataset):
    """The sum holds the predictions of both; the model is gone, so that nothing applies it again."""
    model = FoVBackgroundModel(dataset_name="spectrum")
    model.spectral_model.norm.value = 2
    dataset.models = [model]
    dataset.stack(builders.spectrum_dataset(name="other"))
    assert_allclose(dataset.background.data.ravel(), 2 * 4 + 4)
    model.spectral_model.norm.value = 3
    assert_allclose(dataset.npred_background().data.ravel(), 12)
    assert dataset.background_model is None
