import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets
from geminga.errors import InputError, NameLookupError
from geminga.estimators import FluxPointsEstimator, LightCurveEstimator, ParameterEstimator
from geminga.modeling.models import GaussianPrior, Models
from geminga.stats import GaussianPriorPenalty
from tests.unit.estimators.test_points import EDGES, spectrum


def amplitude(dataset):
    return dataset.models["star"].spectral_model.amplitude


def test_alone_it_is_the_closed_form():
    # One bin: norm (n - b) / s, error sqrt(n) / s, and TS of a known background.
    dataset = spectrum(seed=3).to_image()
    dataset.models = spectrum().models
    n, b = float(dataset.counts.data.sum()), float(dataset.background.data.sum())
    s = float(dataset.npred_signal().data.sum())
    own, start = amplitude(dataset), amplitude(dataset).value
    result = ParameterEstimator(selection_optional="all", reoptimize=False, null_value=0.0).run(dataset, own)
    assert result["amplitude"] == pytest.approx(start * (n - b) / s, rel=1e-5)
    assert result["amplitude_err"] == pytest.approx(start * np.sqrt(n) / s, rel=1e-4)
    assert result["ts"] == pytest.approx(2 * (n * np.log(n / b) - (n - b)), rel=1e-5)
    upper = s * result["amplitude_ul"] / start + b
    assert 2 * (upper - n - n * np.log(upper / n)) == pytest.approx(4, rel=1e-3)
    signal = s * result["amplitude_sensitivity"] / start
    assert 2 * ((b + signal) * np.log1p(signal / b) - signal) == pytest.approx(25, rel=1e-4)
    assert result["counts"].tolist() == [n]
    assert own.value == start


def test_penalties_count_in_both_hypotheses():
    dataset = spectrum(seed=3)
    own, models = amplitude(dataset), Models(list(dataset.models))
    models.set_penalties(GaussianPriorPenalty.from_diagonal([own], sigma=0.3 * own.value, mean=1.2 * own.value))
    datasets = Datasets([dataset])
    datasets.models = models
    null = 0.1 * own.value
    result = ParameterEstimator(reoptimize=False, null_value=null).run(datasets, own)
    own.value = result["amplitude"]
    best = datasets.stat_sum()
    assert result["stat"] == pytest.approx(best)
    own.value = null
    assert result["ts"] == pytest.approx(datasets.stat_sum() - best)


def test_the_other_parameters_widen_the_error():
    dataset = spectrum(seed=3)
    amplitude(dataset).scan_values = amplitude(dataset).value * np.linspace(0.7, 1.3, 7)
    fixed, free = (
        ParameterEstimator(selection_optional=["errn-errp", "scan"], reoptimize=r).run(dataset, "amplitude")
        for r in (False, True)
    )
    assert free["amplitude_err"] > fixed["amplitude_err"]
    assert free["amplitude_errp"] > fixed["amplitude_errp"]
    assert (free["stat_scan"] <= fixed["stat_scan"] + 1e-6).all()


def test_single_parts_agree_and_leave_everything():
    dataset = spectrum(seed=3)
    before = [(p.value, p.error, p.frozen) for p in dataset.models.parameters]
    estimator = ParameterEstimator(selection_optional="all", null_value=0.0)
    own = amplitude(dataset)
    whole = estimator.run(dataset, own)
    assert [(p.value, p.error, p.frozen) for p in dataset.models.parameters] == before
    best = estimator.estimate_best_fit(dataset, own)
    assert best["amplitude"] == whole["amplitude"]
    with dataset.models.restore_status():
        from geminga.modeling import Fit

        Fit().run(dataset)
        ul, ts = estimator.estimate_ul(dataset, own), estimator.estimate_ts(dataset, own)
        assert ul["amplitude_ul"] == pytest.approx(whole["amplitude_ul"], rel=1e-4)
        assert ts["ts"] == pytest.approx(whole["ts"], rel=1e-6)
    assert [(p.value, p.error, p.frozen) for p in dataset.models.parameters] == before


def test_priors_count():
    dataset = spectrum(seed=3)
    own = amplitude(dataset)
    plain = ParameterEstimator(null_value=0.0).run(dataset, own)
    own.prior = GaussianPrior(mu=own.value, sigma=0.01 * own.value)
    tight = ParameterEstimator(null_value=0.0).run(dataset, own)
    assert tight["amplitude_err"] < plain["amplitude_err"]
    assert tight["ts"] > plain["ts"] + 9000  # at zero the prior is a hundred sigma away


def test_one_flux_point_is_a_row_of_the_table():
    dataset = spectrum(seed=3)
    estimator = FluxPointsEstimator(EDGES, source="star", selection_optional=["ul"])
    point = estimator.estimate_flux_point(dataset, EDGES[1], EDGES[2])
    table = estimator.run(dataset)
    for name in ("norm", "norm_err", "norm_ul", "ts"):
        assert point[name] == pytest.approx(table[name].data.ravel()[1], rel=1e-9)
    assert estimator.estimate_npred_excess(dataset)["npred_excess"][0] == pytest.approx(dataset.npred_signal().data.sum())
    scaled = estimator.get_scale_model(dataset.models)
    assert [p.name for p in scaled.parameters.free_parameters] == ["norm"]
    assert estimator.config_parameters["source"] == "star"


def test_light_curve_of_one_interval():
    datasets = [spectrum("a", seed=1), spectrum("b", seed=2)]
    for dataset in datasets:
        dataset.models = datasets[0].models
    estimator = LightCurveEstimator(energy_edges=EDGES)
    points = estimator.estimate_time_bin_flux(datasets, dataset_names=["b", "c", "a"])
    whole = FluxPointsEstimator(EDGES).run(datasets)
    np.testing.assert_allclose(points.norm.data, whole.norm.data)
    assert points.counts.geom.axes["dataset"].nbin == 3
    counts = np.moveaxis(points.counts.data, points.counts.geom.axes.index_data("dataset"), 0)
    known = np.moveaxis(whole.counts.data, whole.counts.geom.axes.index_data("dataset"), 0)
    np.testing.assert_array_equal(counts[2], known[0])
    assert np.isnan(counts[1]).all()


def test_refusals():
    dataset = spectrum()
    with pytest.raises(NameLookupError):
        ParameterEstimator().run(dataset, "mass")
    dataset.models = None
    with pytest.raises(InputError, match="No models"):
        ParameterEstimator().run(dataset, "amplitude")
    with pytest.raises(TypeError):
        FluxPointsEstimator([1, 10] * u.TeV, wrong=1)
