from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from regions import CircleSkyRegion

from geminga.data import GTI
from geminga.datasets import Datasets, SpectrumDataset
from geminga.errors import InputError, NameLookupError
from geminga.estimators.points.light_curve import LightCurveEstimator, _stacked
from geminga.estimators.points.sed import FluxPointsEstimator
from geminga.irf import EDispKernelMap
from geminga.maps import Map, MapAxis, RegionGeom
from geminga.modeling.models import PowerLawSpectralModel, SkyModel, SystematicsModel
from tests.unit.estimators.test_ts import CENTER, SHAPES, make, source

ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=8)
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=16, name="energy_true")
EDGES = ENERGY.edges[::2]


def spectrum(name="d", exposure=3e13, background=2.0, start=0, seed=None, amplitude="1e-11 cm-2 s-1 TeV-1"):
    geom = RegionGeom.create(CircleSkyRegion(CENTER, 0.1 * u.deg), axes=[ENERGY])
    own = Map.from_geom(geom.to_image().to_cube([TRUE]), unit="cm2 s")
    own.data += exposure
    level = Map.from_geom(geom)
    level.data += background
    edisp = EDispKernelMap.from_diagonal_response(ENERGY, TRUE, geom=geom.to_image())
    gti = GTI.create([start] * u.h, [start + 0.5] * u.h)
    dataset = SpectrumDataset(counts=level.copy(), exposure=own, background=level, edisp=edisp, gti=gti, name=name)
    dataset.models = [SkyModel(PowerLawSpectralModel(amplitude=amplitude), name="star")]
    dataset.counts = dataset.npred()
    if seed is not None:
        dataset.counts.data = np.random.default_rng(seed).poisson(dataset.counts.data).astype(float)
    return dataset


def test_expected_counts_give_norm_one():
    points = FluxPointsEstimator(EDGES, source="star", selection_optional="all").run(spectrum())
    np.testing.assert_allclose(points.norm.data.ravel(), 1, atol=1e-6)
    np.testing.assert_allclose(points.energy_axis.edges.to_value("TeV"), EDGES.to_value("TeV"))
    assert points.success.data.all()
    np.testing.assert_allclose(points.npred.data.ravel(), points.counts.data.ravel(), rtol=1e-6)
    reference = PowerLawSpectralModel(amplitude="1e-11 cm-2 s-1 TeV-1")
    np.testing.assert_allclose(points.dnde.quantity.ravel(), reference(points.energy_axis.center), rtol=1e-6)


def test_one_bin_in_closed_form():
    # n counts, b background, s signal: norm (n - b) / s and its error sqrt(n) / s.
    dataset = spectrum(seed=1)
    signal = dataset.npred_signal().data.ravel()
    n, b = dataset.counts.data.ravel(), dataset.background.data.ravel()
    points = FluxPointsEstimator(ENERGY.edges, selection_optional="all", n_sigma=2).run(dataset)
    np.testing.assert_allclose(points.norm.data.ravel(), (n - b) / signal, rtol=1e-6)
    np.testing.assert_allclose(points.norm_err.data.ravel(), 2 * np.sqrt(n) / signal, rtol=1e-6)
    ts = 2 * (n * np.log(n / b) - (n - b))
    np.testing.assert_allclose(points.ts.data.ravel(), ts, rtol=1e-6)
    upper = points.norm.data.ravel() + points.norm_errp.data.ravel()
    stat = 2 * (b + upper * signal - n * np.log(b + upper * signal))
    np.testing.assert_allclose(stat - points.stat.data.ravel(), 4, rtol=1e-3)
    scan = points.stat_scan
    at = scan.geom.axes["norm"].center.value[3]
    mu = b + at * signal
    np.testing.assert_allclose(scan.data.reshape(8, 11)[:, 3], 2 * (mu - n * np.log(mu)), rtol=1e-9)


def test_joint_is_the_sum_of_exposures():
    one = spectrum(exposure=6e13, background=4.0)
    pair = Datasets([spectrum("a"), spectrum("b")])
    pair.models = one.models
    a = FluxPointsEstimator(EDGES, selection_optional=["ul"]).run(one)
    b = FluxPointsEstimator(EDGES, selection_optional=["ul"]).run(pair)
    for name in ("norm", "norm_err", "norm_ul", "ts"):
        np.testing.assert_allclose(a[name].data, b[name].data, rtol=1e-5)
    assert b.counts.geom.axes["dataset"].nbin == 2


def test_refit_of_a_lone_source_agrees_with_the_batch():
    dataset = spectrum(seed=4)
    batch = FluxPointsEstimator(EDGES, selection_optional="all").run(dataset)
    refit = FluxPointsEstimator(EDGES, selection_optional="all", reoptimize=True).run(dataset)
    for name in ("norm", "norm_err", "norm_errp", "norm_errn", "norm_ul", "ts", "stat", "counts", "npred", "npred_excess"):
        np.testing.assert_allclose(refit[name].data, batch[name].data, rtol=2e-3, err_msg=name)
    np.testing.assert_allclose(refit.stat_scan.data, batch.stat_scan.data, rtol=1e-5)


def test_refit_fits_the_other_source_too():
    dataset = spectrum(seed=4)
    other = SkyModel(PowerLawSpectralModel(index=5, amplitude="5e-12 cm-2 s-1 TeV-1"), name="other")
    other.spectral_model.index.frozen = True
    dataset.models = [*dataset.models, other]
    fixed = FluxPointsEstimator(EDGES, source="star", selection_optional="all").run(dataset)
    refit = FluxPointsEstimator(EDGES, source="star", selection_optional="all", reoptimize=True).run(dataset)
    # A second free spectrum in the region: the error grows, the likelihood can only improve.
    assert (refit.norm_err.data > fixed.norm_err.data).all()
    assert (refit.stat.data <= fixed.stat.data + 1e-6).all()
    assert np.isfinite(refit.norm_sensitivity.data).all()


@pytest.mark.parametrize("how", ["processes", "threads"])
def test_refits_in_parallel(how):
    dataset = spectrum(seed=4)
    other = SkyModel(PowerLawSpectralModel(index=5, amplitude="5e-12 cm-2 s-1 TeV-1"), name="other")
    other.spectral_model.index.frozen = True
    dataset.models = [*dataset.models, other]
    options = {"source": "star", "selection_optional": "all", "reoptimize": True}
    one = FluxPointsEstimator(EDGES, **options).run(dataset)
    with ThreadPoolExecutor(2) as pool:
        more = {"n_jobs": 2} if how == "processes" else {"executor": pool}
        two = FluxPointsEstimator(EDGES, **options, **more).run(dataset)
    for name in one.available_quantities:
        np.testing.assert_allclose(two[name].data.astype(float), one[name].data.astype(float), rtol=1e-6, err_msg=name)


def test_maps_and_summed_energies():
    dataset, model = make(), source(SHAPES["point"]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    for is_summed in (False, True):
        points = FluxPointsEstimator([1, 2.2, 10] * u.TeV, sum_over_energy_groups=is_summed).run(dataset)
        np.testing.assert_allclose(points.norm.data.ravel(), 1, atol=1e-4)


def test_sensitivity_is_five_sigma():
    norm = FluxPointsEstimator(EDGES, selection_optional=["sensitivity"]).run(spectrum()).norm_sensitivity.data.ravel()
    faint = spectrum(amplitude=1e-11 * norm[0] * u.Unit("cm-2 s-1 TeV-1"))
    assert FluxPointsEstimator(EDGES).run(faint).sqrt_ts.data.ravel()[0] == pytest.approx(5, abs=1e-3)


def test_corners():
    dataset = spectrum()
    inside = np.ones(dataset.counts.data.shape, bool)
    inside[:2] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    dataset.counts.data[2:4] = 0
    points = FluxPointsEstimator(EDGES, selection_optional="all").run(dataset)
    assert np.isnan(points.norm.data.ravel()[0])
    assert not points.success.data.ravel()[0]
    assert np.isfinite(points.norm_ul.data.ravel()[1:]).all()  # no counts still have a limit
    assert (points.norm_ul.data > points.norm.data).ravel()[1:].all()


def test_dataset_which_does_not_see_the_source():
    seen, other = spectrum("seen", seed=1), spectrum("other", seed=2)
    model = seen.models[0]
    model.datasets_names = ["seen"]
    both = Datasets([seen, other])
    both.models = [model]
    alone = FluxPointsEstimator(EDGES).run(seen)
    points = FluxPointsEstimator(EDGES).run(both)
    np.testing.assert_allclose(points.norm.data, alone.norm.data, rtol=1e-9)
    excess = points.npred_excess
    own = np.moveaxis(excess.data, excess.geom.axes.index_data("dataset"), 0)
    assert (own[1] == 0).all()


def test_models_are_not_changed():
    dataset = spectrum(seed=2)
    before = [(p.value, p.error, p.frozen) for p in dataset.models.parameters]
    for refit in (False, True):
        FluxPointsEstimator(EDGES, selection_optional="all", reoptimize=refit).run(dataset)
    assert [(p.value, p.error, p.frozen) for p in dataset.models.parameters] == before


def test_light_curve_finds_the_flare():
    datasets = Datasets([spectrum(str(i), start=i) for i in range(6)])
    datasets[3].counts.data = datasets[3].background.data + 3 * datasets[3].npred_signal().data
    datasets.models = datasets[0].models
    curve = LightCurveEstimator(energy_edges=[1, 10] * u.TeV, selection_optional=["ul", "errn-errp"]).run(datasets)
    assert curve.geom.axes.names == ["energy", "time"]
    np.testing.assert_allclose(curve.norm.data.ravel(), [1, 1, 1, 3, 1, 1], rtol=1e-5)
    np.testing.assert_allclose(curve.geom.axes["time"].time_delta.to_value("h"), 0.5, rtol=1e-6)


@pytest.mark.parametrize("is_stacked", [False, True])
def test_light_curve_intervals(is_stacked):
    datasets = Datasets([spectrum(str(i), start=i) for i in range(6)])
    datasets.models = datasets[0].models
    start = datasets[0].gti.time_start[0]
    intervals = [(start, start + 2 * u.h), (start + 2 * u.h, start + 4 * u.h)]
    estimator = LightCurveEstimator(intervals, energy_edges=EDGES, stack_over_time_interval=is_stacked)
    curve = estimator.run(datasets)
    assert curve.norm.data.shape[:2] == (2, 4)
    np.testing.assert_allclose(curve.norm.data, 1, rtol=1e-5)
    # Two datasets in each: the error is that of twice the exposure.
    whole = FluxPointsEstimator(EDGES).run(datasets[:2])
    np.testing.assert_allclose(curve.norm_err.data[0].ravel(), whole.norm_err.data.ravel(), rtol=1e-4)


def test_refusals():
    dataset = spectrum()
    with pytest.raises(NameLookupError, match="no source 'sun'.*'star'"):
        FluxPointsEstimator(EDGES, source="sun").run(dataset)
    with pytest.raises(InputError, match="energy_edges"):
        FluxPointsEstimator([1, 10])
    with pytest.raises(InputError, match="each larger"):
        FluxPointsEstimator([10, 1] * u.TeV)
    with pytest.raises(InputError, match="no whole bin"):
        FluxPointsEstimator([1.01, 1.02] * u.TeV).run(dataset)
    with pytest.raises(InputError, match="no datasets"):
        FluxPointsEstimator(EDGES).run([])
    start = dataset.gti.time_start[0]
    with pytest.raises(InputError, match="overlap"):
        LightCurveEstimator([(start, start + 2 * u.h), (start + 1 * u.h, start + 3 * u.h)], energy_edges=EDGES).run(dataset)
    with pytest.raises(InputError, match="no length"):
        LightCurveEstimator([(start, start)], energy_edges=EDGES).run(dataset)
    with pytest.raises(InputError, match="no dataset lies inside"):
        LightCurveEstimator([(start + 9 * u.h, start + 10 * u.h)], energy_edges=EDGES).run(dataset)
    dataset.gti = None
    with pytest.raises(InputError, match="good time intervals"):
        LightCurveEstimator(energy_edges=EDGES).run(dataset)


def test_systematic_errors_follow_into_a_stack(caplog):
    """Those which all datasets of an interval share are those of their sum; others cannot be."""
    group = Datasets([spectrum(f"run-{seed}") for seed in range(2)])
    shared, own = SystematicsModel(name="shared", area_scale=1.1), SystematicsModel("run-0", name="own", area_scale=1.2)
    group.models = [SkyModel.create("pl", name="source"), shared, own]
    stacked = _stacked(list(group), 0)
    assert stacked.models.names == ["source", "shared"]
    assert "'own' are not those of all datasets" in caplog.text
