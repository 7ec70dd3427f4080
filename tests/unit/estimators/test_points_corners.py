"""Bins that cannot be estimated are rows of NaN which say why; a run of many bins never ends because of one."""

import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.errors import DataError, FitError
from geminga.estimators import (
    ASmoothMapEstimator,
    ExcessMapEstimator,
    FluxPointsEstimator,
    LightCurveEstimator,
    ParameterEstimator,
    TSMapEstimator,
)
from geminga.estimators.base import energy_bands
from geminga.estimators.utils import get_combined_significance_maps
from geminga.maps import Map
from geminga.modeling import Fit
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.unit.estimators.test_points import EDGES, ENERGY, spectrum
from tests.unit.estimators.test_ts import SHAPES, make, source

REFIT = pytest.mark.parametrize("reoptimize", [False, True])


def two_sources(**kwargs):
    dataset = spectrum(**kwargs)
    other = SkyModel(PowerLawSpectralModel(index=4, amplitude="2e-12 cm-2 s-1 TeV-1"), name="other")
    other.spectral_model.index.frozen = True
    dataset.models = [*dataset.models, other]
    return dataset


def check(points, missing, reason):
    norm = points.norm.data.ravel()
    expected = np.isin(np.arange(len(norm)), missing)
    np.testing.assert_array_equal(np.isnan(norm), expected)
    np.testing.assert_array_equal(points.success.data.ravel(), ~expected)
    assert len(points.meta.get("failures", [])) == len(missing)
    assert all(reason in line for line in points.meta.get("failures", []))
    for name in ("norm_err", "norm_ul", "norm_errp", "norm_errn", "sqrt_ts"):
        assert np.isnan(points[name].data.ravel()[missing]).all()
        assert np.isfinite(points[name].data.ravel()[~expected]).all(), name


def run(dataset, edges=EDGES, reoptimize=False):
    return FluxPointsEstimator(edges, source="star", selection_optional="all", reoptimize=reoptimize).run(dataset)


@REFIT
def test_masked_band(reoptimize):
    dataset = two_sources(seed=1)
    inside = np.ones((8, 1, 1), bool)
    inside[2:4] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    check(run(dataset, reoptimize=reoptimize), [1], "masked")


def test_no_exposure():
    dataset = spectrum(seed=1)
    dataset.exposure.data[:] = 0
    check(run(dataset), [0, 1, 2, 3], "no exposure")


@REFIT
def test_edges_beyond_the_data(reoptimize):
    dataset = two_sources(seed=1)
    points = run(dataset, [0.1, 0.3, 0.9, 3, 10, 30, 50] * u.TeV, reoptimize)
    inner = ENERGY.edges[np.abs(ENERGY.edges.value - 3).argmin()].value
    np.testing.assert_allclose(points.energy_axis.edges.to_value("TeV"), [0.1, 0.3, 1, inner, 10, 30, 50], rtol=1e-6)
    check(points, [0, 1, 4, 5], "no energy bin")
    only = run(dataset, [100, 200, 300] * u.TeV, reoptimize)
    check(only, [0, 1], "no energy bin")


def test_edges_are_those_of_the_bins():
    for wanted, edges in (
        ([1, 3, 10], [1, 3, 10]),
        ([0.5, 10], [1, 10]),
        ([0.5, 1, 10, 12], [0.5, 1, 10, 12]),
        ([0.2, 0.5, 20], [0.2, 1, 10]),
    ):
        found = energy_bands(ENERGY, wanted * u.TeV).edges.to_value("TeV")
        own = [ENERGY.edges.value[np.abs(ENERGY.edges.value - e).argmin()] if 1 < e < 10 else e for e in edges]
        np.testing.assert_allclose(found, own, rtol=1e-6)


@pytest.mark.parametrize("part", ["counts", "background"])
def test_numbers_that_are_not_finite_are_refused_at_once(part):
    dataset = spectrum(seed=1)
    getattr(dataset, part).data[5] = np.nan
    with pytest.raises(DataError, match=rf"{part.upper()} is NaN in 1 bins, at energy bin 5"):
        run(dataset)


@pytest.mark.parametrize("stacked", [True, False])
def test_a_light_curve_refuses_one_dataset_of_many_before_it_begins(stacked, monkeypatch):
    datasets = Datasets([spectrum(str(i), start=i, seed=i) for i in range(4)])
    model = datasets[0].models[0]
    model.datasets_names = None
    datasets.models = [model]
    start = datasets[0].gti.time_start[0]
    intervals = [(start, start + 2 * u.h), (start + 2 * u.h, start + 4 * u.h)]
    estimator = LightCurveEstimator(intervals, energy_edges=EDGES, stack_over_time_interval=stacked)
    begun = []
    monkeypatch.setattr(Datasets, "stack_reduce", lambda *_, **__: begun.append("stacked"))
    monkeypatch.setattr("geminga.estimators.points.sed.dataset_bins", lambda *_: begun.append("predicted"))
    datasets[3].counts.data[5] = np.nan
    with pytest.raises(DataError, match=r"'3' cannot be used: COUNTS is NaN in 1 bins, at energy bin 5"):
        estimator.run(datasets)
    assert begun == []
    # A dataset outside of all intervals is not asked.
    monkeypatch.undo()
    few = LightCurveEstimator(intervals[:1], energy_edges=EDGES, stack_over_time_interval=stacked).run(datasets)
    assert few.success.data.all()


@pytest.mark.parametrize("part", ["counts", "background", "exposure"])
@pytest.mark.parametrize("kind", ["ts", "excess", "asmooth", "combined"])
def test_maps_refuse_one_dataset_of_many_before_they_begin(kind, part, monkeypatch):
    datasets = [make(name=f"run-{i}") for i in range(3)]
    excess = ExcessMapEstimator("0.2 deg")
    runs = {
        "ts": lambda: TSMapEstimator(source(SHAPES["gauss"]()), energy_edges=[1, 10] * u.TeV).run(datasets),
        "excess": lambda: excess.run(datasets[2]),
        "asmooth": lambda: ASmoothMapEstimator(scales=[0.1, 0.2] * u.deg).run(datasets[2]),
        "combined": lambda: get_combined_significance_maps(excess, datasets),
    }
    begun = []
    for cls in (TSMapEstimator, ExcessMapEstimator, ASmoothMapEstimator):
        monkeypatch.setattr(cls, "_band", lambda *_: begun.append("computed"))
    getattr(datasets[2], part).data[1, 3, 4] = np.nan
    with pytest.raises(DataError, match=rf"'run-2' cannot be used: {part.upper()} is NaN in 1 bins"):
        runs[kind]()
    assert begun == []
    # Outside of the mask it does no harm.
    monkeypatch.undo()
    for dataset in datasets:
        inside = np.ones(dataset.counts.data.shape, bool)
        inside[:, 3, 4] = False
        dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    found = runs[kind]()
    name = {"combined": "significance", "asmooth": "counts"}.get(kind, "norm")
    assert np.isfinite(np.squeeze(found[name].data)[10:, 10:]).all()


def test_data_which_one_fit_refuses():
    dataset = two_sources(seed=1)
    dataset.counts.data[5] = np.nan
    check(run(dataset, reoptimize=True), [2], "DataError")


def test_fit_that_raises_or_does_not_converge(monkeypatch):
    dataset = two_sources(seed=1)
    calls = []
    whole = Fit.run

    def sometimes(self, datasets):
        calls.append(1)
        if len(calls) == 2:
            msg = "no way"
            raise FitError(msg)
        result = whole(self, datasets)
        if len(calls) == 3:
            result.optimize_result._success = False
        return result

    monkeypatch.setattr(Fit, "run", sometimes)
    points = run(dataset, reoptimize=True)
    assert "FitError: no way" in points.meta["failures"][0]
    assert np.isnan(points.norm.data.ravel()[1])
    assert "did not converge" in points.meta["failures"][1]
    np.testing.assert_array_equal(np.isnan(points.norm.data.ravel()), [False, True, True, False])


@pytest.mark.parametrize("counts_off", [True, False])
def test_no_counts_at_all(counts_off):
    known = spectrum(seed=1)
    off = Map.from_geom(known.counts.geom) if counts_off else None
    dataset = SpectrumDatasetOnOff.from_spectrum_dataset(dataset=known, acceptance=1, acceptance_off=5, counts_off=off)
    dataset.counts = Map.from_geom(known.counts.geom)
    if not counts_off:
        dataset.counts_off = None
    dataset.models = known.models
    points = run(dataset)
    signal = known.npred_signal().data.reshape(4, 2).sum(axis=1)
    # No counts on and off: the limit of two sigma is two expected counts, whatever alpha is.
    np.testing.assert_allclose(points.norm_ul.data.ravel() * signal, 2, rtol=1e-3)
    assert np.isfinite(points.norm.data).all()
    assert "failures" not in points.meta


@pytest.mark.parametrize("stacked", [True, False])
def test_intervals_without_data(stacked):
    dataset = spectrum(seed=1)
    start = dataset.gti.time_start[0]
    intervals = [(start + a * u.h, start + b * u.h) for a, b in ((-2, -1), (0, 1), (5, 6))]
    curve = LightCurveEstimator(intervals, energy_edges=EDGES, stack_over_time_interval=stacked).run(dataset)
    assert curve.geom.axes["time"].nbin == 3
    assert np.isnan(curve.norm.data[[0, 2]]).all()
    np.testing.assert_allclose(curve.norm.data[1], run(dataset).norm.data, rtol=1e-5)
    assert len(curve.meta["failures"]) == 8
    assert curve.meta["failures"][0].startswith("time 0, 1 TeV - ")
    assert "no dataset" in curve.meta["failures"][0]


@pytest.mark.parametrize("when", [1, 3])
@pytest.mark.parametrize("kind", [FluxPointsEstimator, LightCurveEstimator])
def test_an_interrupt_leaves_all_as_it_was(kind, when, monkeypatch):
    datasets = Datasets([two_sources(seed=1)])
    state = [(p.value, p.error, p.frozen) for p in datasets.models.parameters]
    counts = datasets[0].counts.data.copy()
    calls = []
    whole = Fit.run

    def interrupted(self, items):
        calls.append(1)
        if len(calls) == when:
            raise KeyboardInterrupt
        return whole(self, items)

    monkeypatch.setattr(Fit, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kind(energy_edges=EDGES, source="star", reoptimize=True).run(datasets)
    assert len(calls) == when
    assert [(p.value, p.error, p.frozen) for p in datasets.models.parameters] == state
    np.testing.assert_array_equal(datasets[0].counts.data, counts)
    assert [m.name for m in datasets.models] == ["star", "other"]


@pytest.mark.parametrize("part", ["_best_fit", "_ul", "_scan", "_ts"])
def test_an_interrupted_parameter_leaves_all_as_it_was(part, monkeypatch):
    dataset = two_sources(seed=1)
    state = [(p.value, p.frozen) for p in dataset.models.parameters]
    whole = getattr(ParameterEstimator, part)

    def interrupted(*arguments):
        whole(*arguments)  # the models are changed by then
        raise KeyboardInterrupt

    monkeypatch.setattr(ParameterEstimator, part, interrupted)
    with pytest.raises(KeyboardInterrupt):
        ParameterEstimator(selection_optional="all").run(dataset, dataset.models["star"].spectral_model.amplitude)
    assert [(p.value, p.frozen) for p in dataset.models.parameters] == state


def test_an_interrupted_map_leaves_all_as_it_was(monkeypatch):
    dataset, model = make(), source(SHAPES["gauss"]())
    dataset.models = [model]
    state = [(p.value, p.frozen) for p in dataset.models.parameters]

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TSMapEstimator, "estimate_flux_map", interrupted)
    with pytest.raises(KeyboardInterrupt):
        TSMapEstimator(model, downsampling_factor=None, energy_edges=[1, 10] * u.TeV).run(dataset)
    assert [(p.value, p.frozen) for p in dataset.models.parameters] == state
    assert dataset.models[0] is model


@pytest.mark.parametrize("stacked", [True, False])
def test_models_of_some_datasets_follow_into_intervals(stacked):
    datasets = Datasets([spectrum(str(i), start=i, seed=i) for i in range(4)])
    model = datasets[0].models[0]
    model.datasets_names = [d.name for d in datasets]
    datasets.models = [model]
    start = datasets[0].gti.time_start[0]
    intervals = [(start, start + 2 * u.h), (start + 2 * u.h, start + 4 * u.h)]
    curve = LightCurveEstimator(intervals, energy_edges=EDGES, stack_over_time_interval=stacked).run(datasets)
    assert curve.success.data.all()
    assert (curve.norm.data > 0.3).all()
    assert model.datasets_names == ["0", "1", "2", "3"]
