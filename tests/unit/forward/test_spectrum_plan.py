"""Spectra of datasets: the small matrices equal the image of one pixel, and nothing goes stale."""

from __future__ import annotations

import gc
import weakref

import astropy.units as u
import numpy as np
import pytest

from geminga.errors import DataError, InputError, UnsupportedError
from geminga.forward import image, predict, spectrum_plan
from geminga.forward.dense import DenseTerm
from geminga.forward.spectrum import SpectrumTerm
from geminga.irf import PSFMap
from geminga.maps import MapAxis
from geminga.modeling import Fit
from geminga.modeling.models import (
    ConstantTemporalModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    LogParabolaSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)
from tests.unit.datasets.builders import CENTER, onoff_spectrum, spectrum_dataset


def sky(name: str = "source", **kwargs) -> SkyModel:
    spectrum = kwargs.pop("spectral_model", PowerLawSpectralModel(index=2.3, amplitude="2e-13 cm-2 s-1 TeV-1"))
    return SkyModel(spectrum, name=name, **kwargs)


def gauss(sigma: float = 0.2, frozen: bool = True) -> GaussianSpatialModel:
    model = GaussianSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, sigma=sigma * u.deg, frame="icrs")
    for p in model.parameters:
        p.frozen = frozen or p.name != "sigma"
    return model


def with_psf(dataset):
    """The dataset with a PSF as wide as its region."""
    rad = MapAxis.from_bounds(0, 1.5, nbin=60, name="rad", unit="deg")
    axis = dataset.exposure.geom.axes["energy_true"]
    dataset.psf = PSFMap.from_gauss(axis, rad_axis=rad, sigma=0.15 * u.deg)
    return dataset


def datasets():
    spectrum = spectrum_dataset(nbin=5)
    background = FoVBackgroundModel(dataset_name="spectrum")
    background.spectral_model.tilt.frozen = False
    return {
        "cash": (spectrum, [sky(), background]),
        "two sources": (spectrum_dataset(nbin=5), [sky("a"), sky("b", spectral_model=LogParabolaSpectralModel())]),
        "wstat": (onoff_spectrum(), [sky()]),
        "fixed image": (with_psf(spectrum_dataset(nbin=5)), [sky(spatial_model=gauss())]),
        "wstat, fixed image": (with_psf(onoff_spectrum()), [sky(spatial_model=gauss())]),
        "no dispersion": (spectrum_dataset(nbin=5), [sky(apply_irf={"edisp": False})]),
        "course in time": (onoff_spectrum(), [sky(temporal_model=ConstantTemporalModel())]),
    }


@pytest.mark.parametrize("name", datasets())
def test_it_equals_an_image_of_one_pixel(name):
    dataset, models = datasets()[name]
    dataset.models = models
    ours = dataset.likelihood()
    assert isinstance(ours, SpectrumTerm)
    theirs = image.make_term(image.freeze(dataset), list(dataset.models), dataset.gti, dataset.name)
    place = {id(p): i for i, p in enumerate(theirs.parameters)}
    order = np.array([place[id(p)] for p in ours.parameters])
    values = np.array([p.value for p in ours.parameters])
    free = np.array([not p.frozen for p in ours.parameters])
    full, all_free = image.values_of(theirs), np.array([not p.frozen for p in theirs.parameters])
    rows = (np.cumsum(all_free) - 1)[order[free]]
    size = np.abs(values[free])
    for kind in (0, 1, 3):
        a, b = ours.evaluate(values, free, kind), theirs.evaluate(full, all_free, kind)
        assert a[0] == pytest.approx(b[0], rel=1e-11)
        if kind:
            np.testing.assert_allclose(a[1] * size, b[1][rows] * size, rtol=1e-8, atol=1e-8)
        if kind == 3:
            expected = b[2][np.ix_(rows, rows)] * np.outer(size, size)
            np.testing.assert_allclose(a[2] * np.outer(size, size), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", datasets())
def test_statistic_and_predictions_agree(name):
    dataset, models = datasets()[name]
    dataset.models = models
    own = dataset.likelihood()
    values = np.array([p.value for p in own.parameters])
    mask = dataset.mask.data.ravel()
    assert dataset.stat_sum() == pytest.approx(own.evaluate(values, np.zeros(len(values), bool), 0)[0])
    assert dataset.stat_sum() == pytest.approx(dataset.stat_array().ravel()[mask].sum())
    signal = dataset.npred_signal().data.ravel()
    np.testing.assert_allclose(own.dense(values)[0][mask] - _known(dataset).ravel()[mask], signal[mask])


def _known(dataset):
    """Background in the prediction; none where it is measured."""
    return np.zeros(dataset.data_shape) if dataset.stat_type == "wstat" else dataset.npred_background().data


def test_counts_are_flux_times_exposure_times_dispersion():
    dataset = onoff_spectrum()
    model = sky()
    dataset.models = [model]
    edges = dataset.exposure.geom.axes["energy_true"].edges
    flux = model.spectral_model.integral(edges[:-1], edges[1:])
    exposure = dataset.exposure.quantity.ravel()
    expected = (flux * exposure).to_value("") @ dataset.edisp.edisp_map.data[:, :, 0, 0]
    np.testing.assert_allclose(dataset.npred_signal().data.ravel(), expected)


def test_masked_bins_have_no_influence():
    dataset = onoff_spectrum()
    dataset.models = [sky()]
    before = dataset.stat_sum()
    outside = ~dataset.mask_safe.data
    dataset.counts.data[outside] = 1e6
    dataset.counts_off.data[outside] = np.nan
    assert dataset.stat_sum() == before
    assert Fit().run([dataset]).success


def test_values_of_frozen_parameters_count():
    dataset = with_psf(spectrum_dataset())
    model = sky(spatial_model=gauss(0.1))
    dataset.models = [model]
    narrow = dataset.stat_sum(), dataset.npred_signal().data.sum()
    model.spatial_model.sigma.value = 0.6
    wide = dataset.stat_sum(), dataset.npred_signal().data.sum()
    assert wide[1] < 0.5 * narrow[1]
    assert wide[0] != narrow[0]


@pytest.mark.parametrize("make", [spectrum_dataset, onoff_spectrum])
def test_an_image_that_may_change_is_fitted_too(make):
    dataset = with_psf(make())
    model = sky(spatial_model=gauss(0.2, frozen=False))
    model.spectral_model.amplitude.value = 2e-12
    dataset.models = [model]
    term = dataset.likelihood()
    assert isinstance(term, DenseTerm) or hasattr(term, "sources")
    values, free = image.values_of(term), np.array([not p.frozen for p in term.parameters])
    errors = np.where(free, 1e-3 * np.abs(values), 0)
    gradient = term.evaluate(values, free, 1)[1]
    for row, j in enumerate(np.flatnonzero(free)):
        step = np.zeros(len(values))
        step[j] = errors[j]
        ends = [term.evaluate(values + f * step, free, 0)[0] for f in (-2, -1, 1, 2)]
        slope = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12
        assert gradient[row] * errors[j] == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_a_course_in_time_that_may_change_is_fitted_too():
    dataset = onoff_spectrum()
    course = ConstantTemporalModel()
    dataset.models = [sky(temporal_model=course)]
    dataset.gti = None
    assert not isinstance(dataset.likelihood(), SpectrumTerm)


def test_a_dataset_is_freed_with_its_plans():
    dataset = onoff_spectrum()
    dataset.models = [sky()]
    dataset.stat_sum()
    dataset.npred_signal()
    gone = weakref.ref(dataset)
    del dataset
    gc.collect()
    assert gone() is None


def test_plans_are_remembered_until_something_changes():
    dataset = onoff_spectrum()
    dataset.models = [sky()]
    first = predict.term(dataset)
    assert predict.term(dataset) is first
    dataset.acceptance_off.data *= 2
    assert predict.term(dataset) is not first


def test_refusals():
    dataset = spectrum_dataset()
    dataset.models = [sky()]
    dataset.exposure = None
    with pytest.raises(DataError, match="'spectrum' has no exposure, so model 'source' cannot be folded"):
        dataset.npred_signal()
    dataset = spectrum_dataset()
    dataset.background = None
    dataset.models = [FoVBackgroundModel(dataset_name="spectrum")]
    with pytest.raises(InputError, match="needs a background map, but dataset 'spectrum' has none"):
        dataset.likelihood()
    dataset = spectrum_dataset()
    dataset.models = [sky()]
    dataset.mask_safe.data[:] = False
    with pytest.raises(InputError, match="'spectrum' has no bin inside its mask"):
        dataset.likelihood()
    dataset._stat_type = "chi2"
    with pytest.raises(UnsupportedError, match="statistic 'chi2' is not one for counts"):
        spectrum_plan.freeze(dataset)
