"""Set-ups that cannot be fitted: each is answered by naming its cause, never by success at the start or silently at a bound."""

from __future__ import annotations

import re

import astropy.units as u
import numpy as np
import pytest

from geminga.cli.simulate import simulate_field
from geminga.datasets import Datasets, FluxPointsDataset, SpectrumDataset
from geminga.errors import GemingaError
from geminga.irf import EDispKernelMap
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit, Parameter
from geminga.modeling.models import (
    BrokenPowerLawSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    FoVBackgroundModel,
    GaussianTemporalModel,
    LogNormalPrior,
    LogParabolaSpectralModel,
    PiecewiseNormSpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    SpectralModel,
    TemplateSpectralModel,
    UniformPrior,
)

REGION = "icrs;circle(0, 0, 0.1)"
TRUTH = PowerLawSpectralModel(index=2.3, amplitude="1e-12 cm-2 s-1 TeV-1")


@pytest.fixture(scope="module")
def simulated():
    dataset = simulate_field(seed=7)
    return dataset, dataset.models.copy()


@pytest.fixture
def field(simulated):
    """A fresh copy of a field with two sources and a background."""
    dataset = simulated[0].copy(name="demo")
    dataset.models = simulated[1].copy()
    return dataset


def spectrum(*models, nbin=8, background=2.0):
    """Counts of a power law of index 2.3 from 1 to 30 TeV, to be fitted with other models."""
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=nbin)
    true = MapAxis.from_energy_bounds("0.7 TeV", "40 TeV", nbin=16, name="energy_true")
    geom = RegionGeom.create(REGION, axes=[energy])
    dataset = SpectrumDataset(
        counts=RegionNDMap.from_geom(geom),
        exposure=RegionNDMap.create(REGION, axes=[true], unit="cm2 s", data=1e15),
        background=RegionNDMap.from_geom(geom, data=np.full(geom.data_shape, background)),
        edisp=EDispKernelMap.from_diagonal_response(energy, true, geom=None),
        name="d",
    )
    dataset.models = [SkyModel(TRUTH.copy(), name="s")]
    dataset.fake(random_state=0)
    dataset.models = [SkyModel(model, name=name) for model, name in zip(models, "st", strict=False)]
    return dataset


def power_law(**kwargs):
    return PowerLawSpectralModel(**{"index": 2.0, "amplitude": "1e-12 cm-2 s-1 TeV-1", **kwargs})


CASES = {}


def case(expected):
    """Add a set-up, and what the answer must say (a regular expression)."""

    def add(function):
        CASES[function.__name__] = (function, expected)
        return function

    return add


class _NotANumber(SpectralModel):
    tag = ("NotANumber", "nan")
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")

    @staticmethod
    def evaluate(energy, amplitude):
        return amplitude * np.full(np.shape(energy), np.nan)


class _WrongUnit(SpectralModel):
    tag = ("WrongUnit", "wrong")
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1")

    @staticmethod
    def evaluate(energy, amplitude):
        return amplitude * np.ones(np.shape(energy))


@case("No models are set on dataset 'demo'")
def no_models(field):
    field.models = None
    return field


@case("No models are set on dataset 'demo'.*datasets_names")
def misspelt_dataset(field):
    models = field.models
    for model in models:
        model.datasets_names = ["demmo"]
    datasets = Datasets([field])
    datasets.models = models
    return datasets


@case("No parameter of the models 's' has an effect on dataset 'd'")
def spectra_without_parameters(field):
    return spectrum(TemplateSpectralModel([1, 40] * u.TeV, [1e-12, 1e-14] * u.Unit("cm-2 s-1 TeV-1")))


@case("All parameters are frozen")
def nothing_free(field):
    field.models.freeze()
    return field


@case("'demo' has no bin inside its mask")
def empty_mask(field):
    field.mask_fit = Map.from_geom(field.counts.geom, data=np.zeros(field.counts.data.shape, dtype=bool))
    return field


@case("COUNTS is NaN")
def counts_not_a_number(field):
    field.counts.data[0, 3, 3] = np.nan
    return field


@case("BACKGROUND is NaN")
def background_not_a_number(field):
    field.background.data[0, 3, 3] = np.nan
    return field


@case("BACKGROUND is negative")
def negative_background(field):
    field.background.data *= -1
    return field


@case("EXPOSURE is infinite")
def infinite_exposure(field):
    field.exposure.data[0, 3, 3] = np.inf
    return field


@case("no exposure")
def exposure_is_missing(field):
    field.exposure = None
    return field


@case("star.amplitude.* no effect.*nebula predicts 0 counts: it has no exposure")
def no_exposure_anywhere(field):
    field.exposure.data[...] = 0
    return field


@case("dataset 'demo' has none; set dataset.background")
def background_is_missing(field):
    field.background = None
    return field


@case("Dataset 'demo' has no counts")
def no_counts(field):
    field.counts.data[...] = 0
    return field


@case("star.amplitude is at its lower bound 0.*Dataset 'demo' has no counts")
def no_counts_for_positive_sources(field):
    field.counts.data[...] = 0
    for model in field.models[:2]:
        model.spectral_model.amplitude.min = 0
    field.models["demo-bkg"].spectral_model.norm.min = 0
    return field


@case("falls without limit.*falls along demo-bkg.norm.*Dataset 'demo' has no counts")
def background_without_counts(field):
    field.counts.data[...] = 0
    field.models = [FoVBackgroundModel(dataset_name="demo")]
    return field


@case("'star'.*outside the pixels")
def source_outside_of_the_field(field):
    field.models["star"].spatial_model.lon_0.value += 40
    return field


@case("star fades away during the fit: no such source is seen near its start")
def start_far_from_the_source(field):
    field.models["star"].spatial_model.lat_0.value += 1.9
    return field


@case("nebula.* no effect|nebula.*bound")
def source_larger_than_the_field(field):
    field.models["nebula"].spatial_model.sigma.value = 20
    return field


@case("nebula.phi has no effect on the statistic; freeze it")
def angle_of_a_circle(field):
    field.models["nebula"].spatial_model.phi.frozen = False
    return field


@case("star.t_ref.* no effect.*star predicts 0 counts")
def flare_at_another_time(field):
    field.models["star"].temporal_model = GaussianTemporalModel(t_ref=50000 * u.d, sigma="1 d")
    return field


@case("has no spatial model")
def spectrum_alone_on_a_map(field):
    field.models = [SkyModel(power_law(), name="s")]
    return field


@case("'index' has value 2.0 outside its bounds")
def value_outside_its_bounds(field):
    model = power_law()
    model.index.min = 2.5
    return spectrum(model)


@case("'index' has the lower bound 3.0 above the upper bound 1.0")
def bounds_exchanged(field):
    model = power_law()
    model.index.min, model.index.max = 3, 1
    return spectrum(model)


@case("'index' has value 2.0 outside its bounds")
def prior_elsewhere(field):
    model = power_law()
    model.index.prior = UniformPrior(min=3, max=4)
    return spectrum(model)


@case("prior of index excludes the present value")
def prior_of_logarithms_for_a_negative_value(field):
    model = power_law(index=-1)
    model.index.prior = LogNormalPrior(mu=2, sigma=0.1)
    return spectrum(model)


@case("s predicts counts of nan in dataset 'd'")
def model_not_a_number(field):
    return spectrum(_NotANumber())


@case(r"unit '1 / \(s cm2\)'")
def model_of_another_unit(field):
    return spectrum(_WrongUnit())


@case("s.* and t.* can hardly be told apart")
def same_source_twice(field):
    return spectrum(power_law(), power_law())


@case(r"lowered the statistic by \S+ only and moved .*star.index from .* to .*star.index and star.amplitude can hardly")
def same_source_twice_on_a_map(field):
    """Of two equal sources one becomes a fluctuation at the highest energies, with an index that runs away."""
    star = field.models["star"]
    star.spectral_model.amplitude.value /= 2
    field.models = [*field.models, star.copy(name="twin")]
    return field


@case("s.amplitude and t.amplitude can hardly be told apart")
def two_amplitudes_of_one_shape(field):
    first, second = power_law(index=2.3), power_law(index=2.3)
    first.index.frozen = second.index.frozen = True
    return spectrum(first, second)


@case("s.amplitude and s.reference can hardly be told apart")
def reference_energy_free(field):
    model = power_law()
    model.reference.frozen = False
    return spectrum(model)


@case("s.index1 has no effect|s.index2 has no effect")
def break_outside_of_the_energies(field):
    return spectrum(BrokenPowerLawSpectralModel(ebreak="200 TeV", amplitude="1e-16 cm-2 s-1 TeV-1"))


@case("s.norm_5 and s.norm_6 have no effect")
def nodes_outside_of_the_energies(field):
    nodes = PiecewiseNormSpectralModel(energy=[1, 3, 10, 30, 300, 1000, 3000] * u.TeV)
    known = power_law()
    known.freeze()
    return spectrum(known * nodes)


@case("s.amplitude, s.alpha and s.beta can hardly be told apart|1 bins of data for 3")
def more_parameters_than_bins(field):
    return spectrum(LogParabolaSpectralModel(amplitude="1e-12 cm-2 s-1 TeV-1"), nbin=1)


@case("can hardly be told apart")
def two_points_for_three_parameters(field):
    from astropy.table import Table

    from geminga.flux import FluxPoints

    unit = u.Unit("cm-2 s-1 TeV-1")
    table = Table({"e_ref": [1, 10] * u.TeV, "dnde": [1e-12, 1e-14] * unit, "dnde_err": [1e-13, 1e-15] * unit})
    points = FluxPoints.from_table(table, sed_type="dnde", reference_model=power_law())
    return FluxPointsDataset(data=points, models=[SkyModel(LogParabolaSpectralModel(), name="s")])


@case("s.norm has no effect.*s predicts 0 counts")
def spectrum_is_zero_where_the_data_are(field):
    energy = np.geomspace(1, 50, 5) * u.TeV
    template = TemplateSpectralModel(energy, np.zeros(5) * u.Unit("cm-2 s-1 TeV-1"), interp_kwargs={"values_scale": "lin"})
    norm = PowerLawNormSpectralModel()
    norm.tilt.frozen = True
    return spectrum(template * norm)


@case("stat_type 'likelihood' is not offered")
def unknown_statistic(field):
    dataset = spectrum(power_law())
    dataset.stat_type = "likelihood"
    return dataset


def answer(case, field):
    """What the fit says, and its result if there is one."""
    try:
        result = Fit().run(CASES[case][0](field))
    except GemingaError as error:
        return str(error), None
    return f"{result.message} {result.covariance_result.message if result.covariance_result else ''}", result


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named(name, field):
    text, result = answer(name, field)
    assert re.search(CASES[name][1], text, re.DOTALL), text
    assert result is None or not result.success
    assert result is None or result.nfev < 350  # and it does not take long


def test_there_are_thirty_of_them():
    assert len(CASES) >= 30


@pytest.mark.parametrize(
    ("model", "bound"),
    [
        (lambda: power_law(index=2.8), {"index": (2.7, np.nan)}),
        (power_law, {"index": (np.nan, 2.1)}),
        (lambda: power_law(amplitude="3e-13 cm-2 s-1 TeV-1"), {"amplitude": (0, 5e-13)}),
    ],
)
def test_a_bound_is_never_silent(model, bound):
    own = model()
    for name, (low, high) in bound.items():
        parameter = getattr(own, name)
        parameter.min, parameter.max = low, high
    result = Fit().run([spectrum(own)])
    (name,) = bound
    assert result.success
    assert f"s.{name} is at its" in result.message
    assert np.isnan(getattr(own, name).error)
    assert f"No error for s.{name} (at a bound)" in result.covariance_result.message


def test_a_cutoff_the_data_do_not_want():
    model = ExpCutoffPowerLawSpectralModel(index=2.5, amplitude="1e-12 cm-2 s-1 TeV-1", lambda_="0.1 TeV-1")
    model.lambda_.min = 0
    dataset = spectrum(model)
    dataset.counts.data[-2:] += 20
    result = Fit().run([dataset])
    assert result.success
    assert "s.lambda_ is at its lower bound 0" in result.message


@pytest.mark.parametrize("value", [1e-9, 0.0])
def test_a_size_of_nothing_is_left(field, value):
    """A start with hardly any slope along the size is not taken for a minimum."""
    sigma = field.models["nebula"].spatial_model.sigma
    sigma.value = value
    result = Fit().run([field])
    assert result.success
    assert abs(sigma.value - 0.3) < 4.5 * sigma.error


@pytest.mark.parametrize("value", [0.0, 1e-30])
def test_a_source_of_nothing_is_found(field, value):
    amplitude = field.models["star"].spectral_model.amplitude
    amplitude.value = value
    result = Fit().run([field])
    assert result.success
    assert abs(amplitude.value - 8e-13) < 4.5 * amplitude.error


def test_a_best_value_of_zero_is_not_without_effect():
    """The size of a value says nothing about whether the statistic depends on it."""
    model = power_law(index=0.0, amplitude="1e-13 cm-2 s-1 TeV-1")
    dataset = spectrum(model)
    best = Fit().run([dataset])
    index = model.index.value
    dataset = spectrum(power_law(amplitude=model.amplitude.quantity) * PowerLawNormSpectralModel(tilt=0))
    own = dataset.models[0].spectral_model
    own.model1.index.value = index
    own.model1.freeze()
    own.model2.tilt.frozen = False
    result = Fit().run([dataset])
    assert result.success
    assert abs(own.model2.tilt.value) < 1e-3
    assert own.model2.tilt.error > 0.01
    assert result.total_stat == pytest.approx(best.total_stat, abs=1e-3)
