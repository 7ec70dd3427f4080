"""Systematic errors: they act as factors on the response and background, with exact derivatives on every kind of dataset."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.errors import InputError, UnsupportedError
from geminga.forward.spectrum import SpectrumTerm
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, RegionGeom
from geminga.modeling import Fit, Parameter
from geminga.modeling.models import (
    BrokenPowerLawSpectralModel,
    FoVBackgroundModel,
    GaussianPrior,
    GaussianSpatialModel,
    LogParabolaSpectralModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    SpectralModel,
    SystematicsModel,
)
from tests.unit.datasets.builders import CENTER, map_dataset, onoff_map, onoff_spectrum, spectrum_dataset
from tests.unit.modeling.models.spatial.test_laws import Shrinking

BANDS = [0.9, 3, 11] * u.TeV
AREA = {"area_scale": 1.1, "area_slope": -0.2}
SCALE = {"energy_scale": 1.07, "psf_scale": 0.93}
BACKGROUND = {"background_norm": [1.2, 0.9], "background_tilt": [0.1, -0.3]}


def sky(spatial=None, **kwargs):
    spectrum = kwargs.pop("spectral_model", PowerLawSpectralModel(index=2.3, amplitude="2e-12 cm-2 s-1 TeV-1"))
    return SkyModel(spectrum, spatial, name="source", **kwargs)


def shape(kind):
    if kind == "point":
        return PointSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, frame="icrs")
    model = GaussianSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, sigma="0.3 deg", frame="icrs")
    if kind == "ellipse":
        model.e.value = 0.5
        model.freeze()  # its plane moves with it, so that differences are rough
    return model


def freed(model):
    """The same with all parameters which have an effect free."""
    for p in model.active:
        p.frozen = False
    return model


def systematics(names=None, with_background=True, **own):
    effects = {**AREA, **SCALE, **(BACKGROUND if with_background else {}), **own}
    return freed(SystematicsModel(names, energy_edges=BANDS, name="errors", **effects))


def make(kind):
    """A dataset with a source and systematic errors that are free and not neutral."""
    if kind.startswith("map"):
        dataset = map_dataset(name="map")
        models = [sky(shape(kind.split()[1])), systematics("map")]
        if "norm" in kind:
            models.append(FoVBackgroundModel("map"))
    elif kind == "spectrum":
        dataset = spectrum_dataset(nbin=5)
        models = [sky(), systematics()]
    elif kind == "spectrum norm":
        dataset = spectrum_dataset(nbin=5)
        models = [sky(), FoVBackgroundModel("spectrum"), systematics()]
    else:
        dataset = onoff_map() if kind.startswith("onoff map") else onoff_spectrum()
        models = [sky(shape("point") if "map" in kind else None), systematics(with_background="bands" in kind)]
    dataset.models = models
    return dataset


KINDS = [
    "map point",
    "map gauss norm",
    "map ellipse",
    "spectrum",
    "spectrum norm",
    "onoff spectrum",
    "onoff map",
    "onoff map bands",
    "onoff spectrum bands",
]


def natural_steps(term):
    sizes = {"amplitude": 1, "lon_0": 0, "lat_0": 0}
    return np.array(
        [abs(p.value) if sizes.get(p.name) else max(abs(p.value) * sizes.get(p.name, 1), 0.1) for p in term.parameters]
    )


def check_derivatives(term, values, rtol=1e-5):
    """Gradient against differences of the statistic, curvature against differences of the gradient."""
    free = np.array([not p.frozen for p in term.parameters])
    size = 1e-3 * natural_steps(term)
    gradient = (term.evaluate(values, free, 1)[1]) * size[free]
    curvature = term.evaluate(values, free, 3)[2] * np.outer(size[free], size[free])
    for j, place in enumerate(np.flatnonzero(free)):
        step = np.zeros(len(values))
        step[place] = size[place]
        ends = [term.evaluate(values + factor * step, free, 0)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12
        name = term.parameters[place].name
        assert_allclose(gradient[j], difference, rtol=rtol, atol=rtol * np.abs(gradient).max(), err_msg=name)
        up, down = (term.evaluate(values + sign * step, free, 1)[1] for sign in (1, -1))
        # The second derivative of a profile by the position jumps at its nodes.
        atol = (1e-2 if name in {"lon_0", "lat_0"} else 2e-3) * np.abs(curvature).max()
        assert_allclose(curvature[j], (up - down) * size[free] / 2, rtol=1e-3, atol=atol, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=4)
@given(seed=st.integers(0, 1000))
def test_gradient_equals_differences(kind, seed):
    dataset = make(kind)
    for p in dataset.models["errors"].active:
        p.value += np.random.default_rng(seed).uniform(-0.15, 0.15)
    term = dataset.likelihood()
    check_derivatives(term, np.array([p.value for p in term.parameters]))


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_equals_dense(kind):
    """The statistic of the fit is that of the predicted counts bin by bin."""
    dataset = make(kind)
    expected = float(dataset.stat_array()[dataset.mask.data].sum())
    constant = dataset.stat_sum() - expected
    assert_allclose(constant, 0, atol=1e-9 * max(abs(expected), 100))


@pytest.mark.parametrize("kind", KINDS)
def test_area_is_a_factor_on_the_exposure(kind):
    dataset = make(kind)
    for p in (dataset.models["errors"].energy_scale, dataset.models["errors"].psf_scale):
        p.value, p.frozen = 1, True
    seen = dataset.npred_signal().data
    energy = dataset.exposure.geom.axes["energy_true"].center.to_value("TeV")
    dataset.models = [m for m in dataset.models if m.name != "errors"]
    dataset.exposure = dataset.exposure * (1.1 * energy**-0.2)[:, None, None]
    assert_allclose(seen, dataset.npred_signal().data, rtol=1e-9, atol=1e-12 * seen.max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spectrum", [LogParabolaSpectralModel, PowerLawSpectralModel, BrokenPowerLawSpectralModel])
def test_energy_scale_is_that_of_the_response(kind, spectrum):
    """A photon of energy E has the response of 1.07 E: that of a dataset whose axis of true energy is divided by 1.07."""
    dataset = make(kind)
    dataset.models["source"].spectral_model = spectrum(amplitude="2e-12 cm-2 s-1 TeV-1")
    errors = dataset.models["errors"]
    errors.area_scale.value, errors.area_slope.value, errors.psf_scale.value = 1, 0, 1
    errors.psf_scale.frozen = True
    seen = dataset.npred_signal().data
    errors.energy_scale.value = 1
    nominal = dataset.npred_signal().data
    divide_true_energies(dataset, 1.07)
    assert_allclose(seen, dataset.npred_signal().data, rtol=1e-9, atol=1e-12 * seen.max())
    assert abs(seen.sum() / nominal.sum() - 1) > 0.02


def divide_true_energies(dataset, scale):
    """Divide the axis of true energy of exposure and responses, values unchanged."""

    def moved(own):
        axes = [
            MapAxis.from_energy_edges(axis.edges / scale, name=axis.name) if axis.name == "energy_true" else axis
            for axis in own.geom.axes
        ]
        return Map.from_geom(own.geom.to_image().to_cube(axes), data=own.data, unit=own.unit)

    dataset.exposure = moved(dataset.exposure)
    dataset.edisp = EDispKernelMap(moved(dataset.edisp.edisp_map))
    if dataset.psf is not None:
        dataset.psf = PSFMap(moved(dataset.psf.psf_map))


def with_gaussian_psf(dataset, sigma):
    """The dataset with a Gaussian PSF, in fine bins."""
    rad = MapAxis.from_bounds(0, 2, nbin=160, name="rad", unit="deg")
    dataset.psf = PSFMap.from_gauss(dataset.exposure.geom.axes["energy_true"], rad_axis=rad, sigma=sigma * u.deg)
    return dataset


@pytest.mark.parametrize("scale", [0.8, 0.93, 1.0, 1.2])
@pytest.mark.parametrize("kind", ["point", "gauss", "ellipse", "region", "free region"])
def test_width_of_the_psf(kind, scale):
    """A Gaussian PSF becomes one of another width."""
    dataset = spectrum_dataset(nbin=5) if "region" in kind else map_dataset(name="map", npix=(16, 14))
    spatial = shape("gauss" if "region" in kind else kind)
    spatial.freeze()
    errors = SystematicsModel(psf_scale=scale)
    errors.psf_scale.frozen = kind != "free region"
    dataset.models = [sky(spatial), errors]
    seen = with_gaussian_psf(dataset, 0.25).npred_signal().data
    dataset.models = dataset.models[:1]
    wanted = with_gaussian_psf(dataset, 0.25 * scale).npred_signal().data
    assert_allclose(seen, wanted, rtol=2e-3, atol=5e-4 * wanted.max())
    assert_allclose(seen.sum(), wanted.sum(), rtol=2e-4)


@pytest.mark.parametrize("kind", ["map point", "map gauss norm", "map ellipse", "onoff map"])
def test_free_width_at_its_neutral_value_changes_nothing(kind):
    dataset = make(kind)
    width = dataset.models["errors"].psf_scale
    width.value = 1
    free = dataset.npred().data
    width.frozen = True
    assert_allclose(free, dataset.npred().data, rtol=2e-5, atol=1e-6 * free.max())


def test_width_without_a_psf_has_no_effect():
    dataset = spectrum_dataset(nbin=5)
    dataset.models = [sky(shape("gauss")), SystematicsModel(psf_scale=GaussianPrior(mu=1, sigma=0.1))]
    dataset.models[0].freeze("spatial")
    dataset.models[0].spectral_model.amplitude.value = 1e-13
    result = Fit().run([dataset])
    assert result.success, result.message
    width = dataset.models[1].psf_scale
    assert_allclose([width.value, width.error], [1, 0.1], rtol=1e-6)


def test_frozen_source_outside_with_free_errors():
    """Nothing of it can be fitted, and that the area is uncertain does not make it so."""
    dataset = map_dataset(name="map")
    outside = sky(PointSpatialModel(lon_0="10 deg", lat_0="0 deg", frame="icrs")).copy(name="outside")
    outside.freeze()
    dataset.models = [sky(shape("gauss")), outside, SystematicsModel(area_scale=GaussianPrior(mu=1, sigma=0.1))]
    assert len(dataset.likelihood().sources) == 2


def test_shared_and_own_energy_scales_multiply():
    dataset = spectrum_dataset(nbin=5)
    dataset.models = [sky(), SystematicsModel(energy_scale=1.1), SystematicsModel(energy_scale=0.95)]
    both = dataset.npred().data
    dataset.models = [sky(), SystematicsModel(energy_scale=1.1 * 0.95)]
    assert_allclose(both, dataset.npred().data, rtol=1e-12)


def test_power_law_in_closed_form():
    """Counts of a power law of index 2.3 rise by the power 1.3 of the scale, whatever the response."""
    dataset = spectrum_dataset(nbin=5)
    dataset.models = [sky(), SystematicsModel(energy_scale=1.1)]
    seen = dataset.npred_signal().data
    dataset.models = dataset.models[:1]
    assert_allclose(seen, 1.1**1.3 * dataset.npred_signal().data, rtol=1e-12)


def test_energy_dependent_images_are_refused():
    dataset = map_dataset(name="map")
    dataset.models = [sky(Shrinking()), SystematicsModel(energy_scale=1.1)]
    with pytest.raises(UnsupportedError, match="'source' has an image or a course in time that depends on energy"):
        dataset.npred()


@pytest.mark.parametrize("kind", ["map point", "map gauss norm", "spectrum", "spectrum norm"])
def test_background_by_bands(kind):
    dataset = make(kind)
    energy = dataset.counts.geom.axes["energy"].center.to_value("TeV")
    center = np.sqrt(BANDS[1:] * BANDS[:-1]).to_value("TeV")
    factor = np.where(energy < 3, 1.2 * (energy / center[0]) ** -0.1, 0.9 * (energy / center[1]) ** 0.3)[:, None, None]
    assert_allclose(dataset.npred_background().data, dataset.background.data * factor, rtol=1e-12)
    assert_allclose(dataset.npred().data, (dataset.npred_signal() + dataset.npred_background()).data, rtol=1e-12)


def test_bins_outside_the_bands_are_left_alone():
    dataset = spectrum_dataset(nbin=5)
    dataset.models = SystematicsModel(energy_edges=[2, 5] * u.TeV, background_norm=2.0)
    energy = dataset.counts.geom.axes["energy"].center.to_value("TeV")
    factor = np.where((energy > 2) & (energy < 5), 2, 1)
    assert 0 < (factor == 2).sum() < 5
    assert_allclose(dataset.npred_background().data[:, 0, 0], 4 * factor)


def test_several_multiply():
    """One error shared by all, and one of each dataset."""
    dataset = spectrum_dataset(nbin=5)
    dataset.models = [sky(), SystematicsModel(area_scale=1.1), SystematicsModel("spectrum", area_scale=1.2, background_norm=2)]
    both = dataset.npred().data
    dataset.models = [sky(), SystematicsModel(area_scale=1.1 * 1.2, background_norm=2)]
    assert_allclose(both, dataset.npred().data, rtol=1e-12)
    other = spectrum_dataset(name="other", nbin=5)
    other.models = [sky(), SystematicsModel("spectrum", area_scale=1.2)]
    assert other.models.names == ["source"]


@pytest.mark.parametrize(
    "kind", ["map point", "map gauss norm", "spectrum", "spectrum norm", "onoff map bands", "onoff spectrum bands"]
)
def test_derivatives_by_a_parameter_which_acts_twice(kind):
    """Two models which hold the same parameters: the background is multiplied twice."""
    dataset = make(kind)
    first = dataset.models["errors"]
    own = {p.name: p for p in first.parameters if p.name.startswith("background")}
    dataset.models = [*dataset.models, SystematicsModel(dataset.name, energy_edges=BANDS, name="again", **own)]
    term = dataset.likelihood()
    check_derivatives(term, np.array([p.value for p in term.parameters]))


def test_neutral_costs_nothing():
    """Parameters which cannot have an effect do not enter, and nothing goes stale when they get one."""
    dataset = make("map point")
    errors = dataset.models["errors"]
    loud = dataset.stat_sum()
    for p in errors.parameters:
        p.value, p.frozen = (0.0 if "slope" in p.name or "tilt" in p.name else 1.0), True
    assert not set(dataset.likelihood().parameters) & set(errors.parameters)
    neutral = dataset.stat_sum()
    dataset.models = [m for m in dataset.models if m is not errors]
    assert dataset.stat_sum() == neutral
    dataset.models = [*dataset.models, errors]
    errors.area_scale.value = 1.1
    errors.area_slope.value = -0.2
    errors.energy_scale.value, errors.psf_scale.value = 1.07, 0.93
    for name, value in {"norm_0": 1.2, "norm_1": 0.9, "tilt_0": 0.1, "tilt_1": -0.3}.items():
        errors.parameters[f"background_{name}"].value = value
    assert_allclose(dataset.stat_sum(), loud, rtol=1e-12)


class Rate(SpectralModel):
    """Counts by energy."""

    tag = ("Rate", "rate")
    level = Parameter("level", "2 TeV-1")

    @staticmethod
    def evaluate(energy, level):
        return level * (energy / u.TeV).to("") ** -1


def test_response_not_applied():
    """A source without exposure does not see an error of the area."""
    dataset = spectrum_dataset(nbin=5)
    dataset.models = [sky(spectral_model=Rate(), apply_irf={"exposure": False})]
    plain = dataset.npred_signal().data
    dataset.models = [*dataset.models, SystematicsModel(area_scale=1.1)]
    assert_allclose(dataset.npred_signal().data, plain)


def test_signal_by_model_leaves_them_out():
    dataset = make("spectrum norm")
    assert dataset.npred_signal(stack=False).geom.axes["models"].center.tolist() == ["source"]
    info = dataset.info_dict()
    assert_allclose(info["npred"], dataset.npred().data.sum())
    assert_allclose(info["npred_background"], dataset.npred_background().data.sum())


def test_stacking_takes_the_background_without_them():
    dataset = spectrum_dataset(nbin=5)
    norm = FoVBackgroundModel("spectrum")
    norm.spectral_model.norm.value = 1.5
    dataset.models = [norm, SystematicsModel(background_norm=2)]
    assert_allclose(dataset.npred_background().data, 12)
    stacked = Datasets([dataset, spectrum_dataset("other", nbin=5)]).stack_reduce(name="sum")
    assert_allclose(stacked.background.data, 6 + 4)
    dataset.stack(spectrum_dataset("other", nbin=5))
    assert_allclose(dataset.npred_background().data, 2 * 10)


@pytest.mark.parametrize("make_dataset", [onoff_spectrum, onoff_map])
def test_error_of_a_measured_background_is_one_of_its_acceptance(make_dataset):
    """The same as another ratio of acceptances: statistic, profiled background and off counts."""
    dataset = make_dataset()
    dataset.models = [sky(shape("point")), SystematicsModel(energy_edges=BANDS, **BACKGROUND)]
    energy = dataset.counts.geom.axes["energy"].center.to_value("TeV")
    center = np.sqrt(BANDS[1:] * BANDS[:-1]).to_value("TeV")
    factor = np.where(energy < 3, 1.2 * (energy / center[0]) ** -0.1, 0.9 * (energy / center[1]) ** 0.3)[:, None, None]
    found = [dataset.stat_sum(), dataset.npred_background().data, dataset.npred_off().data, dataset.stat_array()]
    dataset.models = dataset.models[:1]
    dataset.acceptance = dataset.acceptance * factor
    for ours, theirs in zip(found, [dataset.stat_sum(), dataset.npred_background().data, dataset.npred_off().data], strict=False):
        assert_allclose(ours, theirs, rtol=1e-10)
    assert_allclose(found[3], dataset.stat_array(), rtol=1e-8, atol=1e-10)


def test_pulls_of_an_uncertain_acceptance():
    """Spectra whose off regions see too much: the fit finds the ratio that they were drawn with."""
    datasets = Datasets([onoff_spectrum(seed, name=f"run-{seed}") for seed in range(4)])
    error = SystematicsModel(name="ratio", background_norm=GaussianPrior(mu=1, sigma=0.3))
    datasets.models = [sky(spectral_model=PowerLawSpectralModel(amplitude="1e-13 cm-2 s-1 TeV-1")), error]
    error.background_norm_0.value = 1.25
    level = datasets[0].counts.copy(data=np.full(datasets[0].counts.data.shape, 3000.0))
    for seed, dataset in enumerate(datasets):
        dataset.fake(level, random_state=seed)
    error.background_norm_0.value = 1
    datasets.models["source"].spectral_model.index.value = 2
    result = Fit().run(datasets)
    assert result.success, result.message
    for p, truth in ((error.background_norm_0, 1.25), (datasets.models["source"].spectral_model.amplitude, 1e-13)):
        assert abs(p.value - truth) < 3 * p.error
    assert error.background_norm_0.error < 0.05


def test_spectra_without_a_region():
    """As OGIP files give them."""
    known = onoff_spectrum()
    geom = RegionGeom.create(None, axes=[known.counts.geom.axes["energy"]])
    true = RegionGeom.create(None, axes=[known.exposure.geom.axes["energy_true"]])
    parts = {
        name: Map.from_geom(geom, data=getattr(known, name).data)
        for name in ("counts", "counts_off", "acceptance", "acceptance_off")
    }
    exposure = Map.from_geom(true, data=known.exposure.data, unit="m2 s")
    dataset = SpectrumDatasetOnOff(**parts, exposure=exposure, edisp=known.edisp, name="onoff", mask_safe=None)
    known.mask_safe = None
    for own in (known, dataset):
        own.models = [sky(), SystematicsModel(background_norm=1.1)]
    assert_allclose(dataset.stat_sum(), known.stat_sum())


def test_background_that_is_not_there():
    dataset = spectrum_dataset(nbin=5)
    dataset.background = None
    dataset.models = [sky(), systematics()]
    with pytest.raises(InputError, match="'spectrum' has no background map that background_norm_0"):
        dataset.stat_sum()


def joint(n=4, spectrum=None, **kwargs):
    """Spectra with one source, an error shared by all and errors of each."""
    datasets = Datasets([onoff_spectrum(seed, name=f"run-{seed}") for seed in range(n)])
    own = [SystematicsModel(f"run-{i}", name=f"errors-{i}", **kwargs) for i in range(n)]
    models = [sky(spectral_model=spectrum or PowerLawSpectralModel(amplitude="1e-13 cm-2 s-1 TeV-1"))]
    datasets.models = [*models, SystematicsModel(name="common", area_slope=GaussianPrior(mu=0, sigma=0.1)), *own]
    return datasets


@pytest.mark.parametrize("spectrum", [PowerLawSpectralModel, LogParabolaSpectralModel, BrokenPowerLawSpectralModel])
def test_many_spectra_are_one_term(spectrum):
    prior = GaussianPrior(mu=1, sigma=0.1)
    datasets = joint(spectrum=spectrum(amplitude="2e-13 cm-2 s-1 TeV-1"), area_scale=prior, energy_scale=prior)
    for i, p in enumerate(p for p in datasets.models.parameters if p.name.endswith("scale")):
        p.value += 0.02 * i
    terms = [d.likelihood() for d in datasets]
    assert len({own.batch_key for own in terms}) == 1
    term = terms[0].join(terms[1:])
    assert isinstance(term, SpectrumTerm)
    values = np.array([p.value for p in term.parameters])
    assert_allclose(term.evaluate(values, np.ones(len(values), bool), 0)[0], sum(d.stat_sum() for d in datasets))
    check_derivatives(term, values)


def test_error_that_data_say_nothing_about_is_its_prior():
    """A slope of the area and the index of a power law are one to the data: the fit says so by the prior's width."""
    datasets = joint(area_scale=GaussianPrior(mu=1, sigma=0.1))
    result = Fit().run(datasets)
    assert result.success, result.message
    slope = datasets.models["common"].area_slope
    assert_allclose([slope.value, slope.error], [0, 0.1], atol=1e-3)
    index = datasets.models["source"].spectral_model.index.error
    datasets.models["common"].area_slope.frozen = True
    Fit().run(datasets)
    statistical = datasets.models["source"].spectral_model.index.error
    assert_allclose(index**2 - statistical**2, 0.1**2, rtol=0.05)
