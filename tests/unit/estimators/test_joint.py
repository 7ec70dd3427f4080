"""Unfolded flux points: laws without and with energy dispersion, pulls with the covariance, fits to the points."""

import logging

import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets, FluxPointsDataset, SpectrumDataset
from geminga.errors import GeometryError, InputError
from geminga.estimators import FluxPoints, FluxPointsEstimator, JointFluxPointsEstimator
from geminga.estimators.points.node_norms import NodeNormSpectralModel
from geminga.flux.covariance import energy_correlation
from geminga.irf import EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit
from geminga.modeling.models import LogParabolaSpectralModel, PowerLawSpectralModel, SkyModel

REGION = "icrs;circle(0, 0, 0.1)"
ENERGY = MapAxis.from_energy_bounds("1 TeV", "20 TeV", nbin=24)
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "40 TeV", nbin=80, name="energy_true")
EDGES = np.geomspace(1, 20, 7) * u.TeV
TRUTH = PowerLawSpectralModel(index=2.3, amplitude="1e-11 cm-2 s-1 TeV-1")


def spectrum(name="d", exposure=3e14, sigma=0.15, background=3.0, model=TRUTH):
    geom = RegionGeom.create(REGION, axes=[ENERGY])
    own = RegionNDMap.create(REGION, axes=[TRUE], unit="cm2 s", dtype=float)
    own.data += exposure
    level = RegionNDMap.create(REGION, axes=[ENERGY], dtype=float)
    level.data += background
    if sigma:
        edisp = EDispKernelMap.from_gauss(ENERGY, TRUE, sigma=sigma, bias=0.0, geom=geom.to_image())
    else:
        fine = ENERGY.copy(name="energy_true")
        own = RegionNDMap.create(REGION, axes=[fine], unit="cm2 s", dtype=float)
        own.data += exposure
        edisp = EDispKernelMap.from_diagonal_response(ENERGY, fine, geom=geom.to_image())
    out = SpectrumDataset(counts=level.copy(), exposure=own, background=level, edisp=edisp, name=name)
    out.models = [SkyModel(model.copy(), name="star")]
    out.counts = out.npred()
    return out


def toy(seed, **kwargs):
    out = spectrum(**kwargs)
    out.counts.data = np.random.default_rng(seed).poisson(out.counts.data).astype(float)
    return out


def test_expected_counts_give_norm_one():
    points = JointFluxPointsEstimator(EDGES, source="star").run(spectrum())
    np.testing.assert_allclose(points.norm.data.ravel(), 1, atol=1e-4)
    correlation = points.correlation.data[:, :, 0, 0]
    np.testing.assert_allclose(np.diag(correlation), 1)
    assert (np.diag(correlation, 1)[1:] < -0.1).all()  # neighbours share counts
    assert (np.abs(np.diag(correlation, 2)) < np.abs(np.diag(correlation, 1))[1:]).all()
    np.testing.assert_allclose(points.energy_axis.edges.to_value("TeV"), EDGES.value)


def slow_twin(data, background):
    """Norms and covariance by Newton's method on explicit matrices."""
    nodes = np.sqrt(EDGES[:-1] * EDGES[1:]).value
    spectrum = NodeNormSpectralModel(TRUTH, nodes)
    edges = TRUE.edges.to_value("TeV")
    flux = spectrum._integral_evaluator(edges[:-1], edges[1:])(np.ones(6))[1]
    exposure = data.exposure.data[:, 0, 0]
    signal = (flux * exposure) @ data.edisp.get_edisp_kernel(energy_axis=ENERGY).pdf_matrix
    n, norm = data.counts.data[:, 0, 0], np.ones(6)
    for _ in range(50):
        mu = background + norm @ signal
        hessian = (signal * n / mu**2) @ signal.T
        norm = norm - np.linalg.solve(hessian, signal @ (1 - n / mu))
    return norm, np.linalg.inv(hessian)


def test_slow_twin():
    data = toy(1)
    points = JointFluxPointsEstimator(EDGES, source="star").run(data)
    norm, covariance = slow_twin(data, 3.0)
    error = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((points.norm.data.ravel() - norm) / error, 0, atol=1e-3)
    np.testing.assert_allclose(
        points.covariance("norm").value / np.outer(error, error), covariance / np.outer(error, error), atol=2e-3
    )


def test_limits_and_profiles_with_the_other_bands_fitted_again():
    data = toy(1, exposure=3e15)
    options = {"selection_optional": ["errn-errp", "ul", "scan"], "norm": {"scan_values": np.array([0.9, 1.0, 1.1])}}
    points = JointFluxPointsEstimator(EDGES, source="star", **options).run(data)
    # Many counts: close to a normal distribution of several variables.
    for name in ("norm_errn", "norm_errp"):
        np.testing.assert_allclose(points[name].data, points.norm_err.data, rtol=0.05)
    np.testing.assert_allclose(points.norm_ul.data, points.norm.data + 2 * points.norm_err.data, rtol=0.02)
    assert (points.sqrt_ts.data > 0).all()
    rise = points.stat_scan.data[:, :, 0, 0] - points.stat.data[:, :, 0]
    pull = (np.array([0.9, 1.0, 1.1]) - points.norm.data[:, :, 0]) / points.norm_err.data[:, :, 0]
    near = np.abs(pull) < 2
    np.testing.assert_allclose(rise[near], pull[near] ** 2, rtol=0.15, atol=0.02)


def test_finds_a_shape_that_the_reference_has_not():
    # A curved truth, 30 % resolution, and the fitted power law as reference: bands alone are biased by what migrates.
    curved = LogParabolaSpectralModel(alpha=2.0, beta=0.3, amplitude="1e-11 cm-2 s-1 TeV-1")
    data = spectrum(model=curved, sigma=0.3)
    data.models = [SkyModel(PowerLawSpectralModel(index=2.7, amplitude="1e-11 cm-2 s-1 TeV-1"), name="star")]
    assert Fit().run(data).success
    joint, alone = (kind(EDGES, source="star").run(data) for kind in (JointFluxPointsEstimator, FluxPointsEstimator))
    bias, old = ((p.dnde.quantity[:, 0, 0] / curved(p.energy_ref)).to_value("") - 1 for p in (joint, alone))
    assert np.abs(bias).max() < 0.021
    assert np.abs(bias).mean() < 0.5 * np.abs(old).mean()


def test_models_and_datasets_are_not_changed():
    data = toy(1)
    before = [(p.value, p.error, p.frozen) for p in data.models.parameters], data.counts.data.copy()
    JointFluxPointsEstimator(EDGES, regularization="gcv", reoptimize=True).run(data)
    assert [(p.value, p.error, p.frozen) for p in data.models.parameters] == before[0]
    np.testing.assert_array_equal(data.counts.data, before[1])


def pulls(seeds, **kwargs):
    """Norms minus one in units of the covariance, whitened."""
    out = []
    for seed in seeds:
        points = JointFluxPointsEstimator(EDGES, source="star", **kwargs).run(toy(seed))
        covariance = points.covariance("likelihood").value
        out.append(np.linalg.solve(np.linalg.cholesky(covariance), points.norm.data.ravel() - 1))
    return np.array(out)


def test_pulls_with_the_covariance():
    z = pulls(range(40))
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    # Whitened pulls are not correlated; without the covariance between bins they would be.
    off = np.corrcoef(z.T)[~np.eye(6, dtype=bool)]
    assert np.abs(off).max() < 5 / np.sqrt(len(z))


def test_fit_to_the_points_is_the_fit_to_the_counts():
    data = toy(7, exposure=3e15)
    points = JointFluxPointsEstimator(np.geomspace(1, 20, 13) * u.TeV, source="star").run(data)
    model = SkyModel(TRUTH.copy(), name="star")
    data.models = [model]
    Fit().run(data)
    again = SkyModel(TRUTH.copy(), name="m")
    dataset = FluxPointsDataset(data=points, models=[again], name="points")
    result = Fit().run(dataset)
    for name in ("index", "amplitude"):
        direct, indirect = model.spectral_model.parameters[name], again.spectral_model.parameters[name]
        assert indirect.value == pytest.approx(direct.value, abs=0.3 * direct.error)
        assert indirect.error == pytest.approx(direct.error, rel=0.05)
    assert dataset.stat_sum() == pytest.approx(result.total_stat)
    # The chi2 with the covariance, by hand.
    residual = (points.dnde.quantity - dataset.flux_pred())[:, 0, 0].to_value("cm-2 s-1 TeV-1")
    inverse = np.linalg.inv(points.covariance().to_value("cm-4 s-2 TeV-2"))
    assert dataset.stat_sum() == pytest.approx(residual @ inverse @ residual)


def test_a_mask_takes_rows_and_columns_of_the_covariance():
    points = JointFluxPointsEstimator(EDGES, source="star").run(toy(3))
    keep = np.array([True, False, True, True, False, True])
    dataset = FluxPointsDataset(data=points, models=[SkyModel(TRUTH.copy(), name="m")], mask_fit=keep.reshape(6, 1, 1))
    residual = (points.dnde.quantity - dataset.flux_pred())[keep, 0, 0].to_value("cm-2 s-1 TeV-1")
    inner = points.covariance().to_value("cm-4 s-2 TeV-2")[np.ix_(keep, keep)]
    term = dataset.likelihood()
    stat = term.evaluate(np.array([p.value for p in term.parameters]), np.zeros(3, bool), 0)[0]
    assert stat == pytest.approx(residual @ np.linalg.inv(inner) @ residual)


def test_gradient_of_correlated_points():
    points = JointFluxPointsEstimator(EDGES, source="star").run(toy(3))
    term = FluxPointsDataset(data=points, models=[SkyModel(TRUTH.copy(), name="m")]).likelihood()
    values = np.array([2.4, 1.1e-11, 1.0])
    free = np.array([True, True, False])
    _, gradient, hessian = term.evaluate(values, free, 3)
    steps = np.diag([1e-5, 1e-16, 0])[:2]
    ends = [[term.evaluate(values + side * step, free, 1) for side in (1, -1)] for step in steps]
    sizes = np.array([2e-5, 2e-16])
    np.testing.assert_allclose(gradient, [(a[0] - b[0]) / s for (a, b), s in zip(ends, sizes, strict=True)], rtol=1e-4)
    np.testing.assert_allclose(hessian, [(a[1] - b[1]) / s for (a, b), s in zip(ends, sizes, strict=True)], rtol=1e-3)


@pytest.mark.parametrize("name", ["points.fits", "points.ecsv"])
@pytest.mark.parametrize("sed_type", ["dnde", "flux", "likelihood"])
def test_files_keep_the_covariance(tmp_path, name, sed_type):
    points = JointFluxPointsEstimator(EDGES, source="star", regularization=2.0).run(toy(3))
    points.write(tmp_path / name, sed_type=sed_type)
    again = FluxPoints.read(tmp_path / name, reference_model=points.reference_model)
    np.testing.assert_allclose(
        again.covariance("dnde").value, points.covariance("dnde").to_value(again.covariance("dnde").unit), rtol=1e-6
    )
    assert again.meta["regularization"] == 2.0


def test_slices_keep_their_part_of_the_covariance():
    points = JointFluxPointsEstimator(EDGES, source="star").run(toy(3))
    part = points.slice_by_energy(EDGES[2], EDGES[5])
    np.testing.assert_allclose(part.covariance("flux").value, points.covariance("flux").value[2:5, 2:5])
    plain = FluxPointsEstimator(EDGES, source="star").run(toy(3))
    assert energy_correlation(plain) is None
    np.testing.assert_allclose(plain.covariance("norm").value, np.diag(plain.norm_err.data.ravel() ** 2))


def test_errors_of_two_sigma():
    one, two = (JointFluxPointsEstimator(EDGES, source="star", n_sigma=n).run(toy(3)) for n in (1, 2))
    np.testing.assert_allclose(two.norm_err.data, 2 * one.norm_err.data)
    np.testing.assert_allclose(two.covariance().value, one.covariance().value)


def test_regularisation():
    data = toy(5, sigma=0.4)
    rough, some, smooth = (JointFluxPointsEstimator(EDGES, regularization=r).run(data) for r in (None, 10.0, 1e7))
    bends = [np.abs(np.diff(np.log(p.norm.data.ravel()), 2)).max() for p in (rough, some, smooth)]
    assert bends[0] > bends[1] > bends[2]
    assert bends[2] < 1e-3  # a straight line in the logarithm: a power law times the reference
    assert (smooth.norm_err.data < some.norm_err.data).all()
    assert (some.norm_err.data < rough.norm_err.data).all()
    # The limit of infinite strength is the fit of a power law.
    model = SkyModel(TRUTH.copy(), name="star")
    data.models = [model]
    Fit().run(data)
    ratio = (model.spectral_model(smooth.energy_ref) / TRUTH(smooth.energy_ref)).to_value("")
    np.testing.assert_allclose(smooth.norm.data.ravel() / ratio, 1, atol=0.02)


def test_cross_validation_is_better_than_nothing():
    error = {"gcv": [], None: []}
    for seed in range(6):
        data = toy(seed, sigma=0.4, exposure=1e14)
        for method, out in error.items():
            points = JointFluxPointsEstimator(EDGES, regularization=method).run(data)
            out.append(np.mean((points.norm.data - 1) ** 2))
    assert np.mean(error["gcv"]) < 0.3 * np.mean(error[None])


def test_fit_to_regularised_points_warns(caplog):
    points = JointFluxPointsEstimator(EDGES, regularization=10.0).run(toy(1))
    dataset = FluxPointsDataset(data=points, models=[SkyModel(TRUTH.copy(), name="m")])
    with caplog.at_level(logging.WARNING):
        dataset.stat_sum()
    assert "regularised" in caplog.text


def test_several_datasets_and_other_sources():
    one, two = toy(1, name="a"), toy(2, name="b", exposure=6e14)
    both = Datasets([one, two])
    both.models = [one.models[0]]
    joint = JointFluxPointsEstimator(EDGES).run(both)
    assert joint.npred_excess.geom.axes["dataset"].nbin == 2
    assert (joint.norm_err.data < JointFluxPointsEstimator(EDGES).run(one).norm_err.data).all()
    other = SkyModel(PowerLawSpectralModel(index=3.5, amplitude="1e-11 cm-2 s-1 TeV-1"), name="other")
    other.spectral_model.index.frozen = True
    one.models = [*one.models, other]
    fixed, free = (JointFluxPointsEstimator(EDGES, source="star", reoptimize=r).run(one) for r in (False, True))
    # The other source is bright at low energies, where it cannot be told from this one.
    assert (free.norm_err.data[:3] > fixed.norm_err.data[:3]).all()
    assert free.norm_err.data[0] > 2 * fixed.norm_err.data[0]


def test_bands_without_data_say_why():
    data = toy(1)
    points = JointFluxPointsEstimator([1, 3, 20, 60, 100] * u.TeV, source="star").run(data)
    np.testing.assert_array_equal(np.isnan(points.norm.data.ravel()), [False, False, True, True])
    assert "no energy bin" in points.meta["failures"][-1]
    np.testing.assert_array_equal(points.is_ul.data.ravel(), [False, False, True, True])
    dark = toy(1)
    dark.exposure.data[:] = 0
    assert "no exposure" in JointFluxPointsEstimator(EDGES).run(dark).meta["failures"][0]
    none = JointFluxPointsEstimator([100, 200, 300] * u.TeV, source="star").run(data)
    assert np.isnan(none.norm.data).all()


def test_refusals():
    with pytest.raises(InputError, match="'much'"):
        JointFluxPointsEstimator(EDGES, regularization="much")
    with pytest.raises(InputError, match="at least 0"):
        JointFluxPointsEstimator(EDGES, regularization=-1)
    with pytest.raises(InputError, match="three bands"):
        JointFluxPointsEstimator([1, 3, 10] * u.TeV, regularization="gcv")
    points = FluxPoints({"norm": RegionNDMap.create(None, axes=[ENERGY])}, TRUTH)
    with pytest.raises(InputError, match="no symmetric errors"):
        points.covariance()
    time = MapAxis.from_edges([0, 1, 2], name="phase")
    with pytest.raises(GeometryError, match="phase"):
        FluxPoints({"norm": RegionNDMap.create(None, axes=[ENERGY, time])}, TRUTH).covariance()
