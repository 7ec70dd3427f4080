import astropy.units as u
import numpy as np
import pytest

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators import ExcessMapEstimator, FluxMaps, FluxPointsEstimator
from geminga.estimators.utils import (
    combine_flux_maps,
    combine_significance_maps,
    get_combined_flux_maps,
    get_combined_significance_maps,
)
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import PowerLawSpectralModel
from geminga.stats import ts_to_sigma
from tests.unit.estimators.test_points import EDGES, spectrum
from tests.unit.estimators.test_ts import make

ENERGY = MapAxis.from_energy_edges([1, 3, 10], unit="TeV")
GEOM = WcsGeom.create(npix=(3, 2), axes=[ENERGY])
NORMS = MapAxis.from_nodes(np.linspace(-4, 8, 61), name="norm", interp="lin")


def flux_maps(norm, err, errn=None, errp=None, model=None, meta=None):
    def full(value):
        return Map.from_geom(GEOM, data=np.full(GEOM.data_shape, float(value)))

    scan = Map.from_geom(GEOM.to_image().to_cube([NORMS, ENERGY]))
    x = NORMS.center.reshape(1, -1, 1, 1)
    scan.data = np.broadcast_to(10 + ((x - norm) / err) ** 2, scan.data.shape).copy()
    data = {"norm": full(norm), "norm_err": full(err), "norm_errn": full(errn or err), "norm_errp": full(errp or err)}
    data |= {"ts": full((norm / err) ** 2), "stat": full(10), "npred_excess": full(5), "stat_scan": scan}
    return FluxMaps(data, reference_model=model or PowerLawSpectralModel(), meta=meta)


@pytest.mark.parametrize("method", ["gaussian_errors", "distrib", "profile"])
def test_parabolas_give_the_weighted_mean(method):
    maps = combine_flux_maps([flux_maps(1, 0.5), flux_maps(2, 1)], method=method)
    np.testing.assert_allclose(maps.norm.data, 1.2, rtol=1e-5)
    np.testing.assert_allclose(maps.norm_err.data, np.sqrt(0.2), rtol=1e-4)
    np.testing.assert_allclose(maps.ts.data, 7.2, rtol=1e-4)
    if method != "gaussian_errors":
        np.testing.assert_allclose(maps.norm_ul.data, 1.2 + 2 * np.sqrt(0.2), rtol=1e-4)
        assert maps.stat_scan.geom.axes.names == ["dnde", "energy"]


def test_two_errors():
    maps = combine_flux_maps([flux_maps(1, 0.5, 0.4, 0.6), flux_maps(2, 1, 0.9, 1.2)], method="distrib")
    weights = 1 / np.array([0.6, 0.9]) ** 2  # between the two: upper error of the first, lower one of the second
    norm = (weights @ [1, 2]) / weights.sum()
    np.testing.assert_allclose(maps.norm.data, norm, rtol=1e-6)
    floor = ((norm - 1) / 0.6) ** 2 + ((2 - norm) / 0.9) ** 2
    np.testing.assert_allclose(maps.ts.data, (1 / 0.4) ** 2 + (2 / 0.9) ** 2 - floor, rtol=1e-6)
    x = norm - maps.norm_errn.data  # below the first
    pulls = ((x - 1) / np.where(x > 1, 0.6, 0.4)) ** 2 + ((x - 2) / 0.9) ** 2
    np.testing.assert_allclose(pulls - floor, 1, rtol=1e-6)


def test_reference_models_are_respected():
    steep = PowerLawSpectralModel(index=3, amplitude="2e-12 cm-2 s-1 TeV-1")
    a, b = flux_maps(1, 0.5), flux_maps(2, 1, model=steep)
    maps = combine_flux_maps([a, b])
    weight = [1 / m.dnde_err.quantity.value**2 for m in (a, b)]
    mean = (weight[0] * a.dnde.quantity + weight[1] * b.dnde.quantity) / (weight[0] + weight[1])
    np.testing.assert_allclose(maps.dnde.quantity.value, mean.to_value(maps.dnde.unit), rtol=1e-9)
    other = combine_flux_maps([a, b], reference_model=steep)
    np.testing.assert_allclose(other.dnde.quantity.value, maps.dnde.quantity.to_value(other.dnde.unit), rtol=1e-9)
    profile = combine_flux_maps([a, b], method="profile", reference_model=steep)
    np.testing.assert_allclose(profile.dnde.quantity.value, mean.to_value(profile.dnde.unit), rtol=1e-4)


def test_errors_of_two_sigma_count_as_such():
    maps = combine_flux_maps([flux_maps(1, 1, meta={"n_sigma": 2}), flux_maps(2, 1)])
    np.testing.assert_allclose(maps.norm.data, 1.2)


@pytest.mark.parametrize("method", ["gaussian_errors", "distrib", "profile"])
def test_what_is_missing_in_one_is_taken_from_the_other(method):
    a, b = flux_maps(1, 0.5), flux_maps(2, 1)
    for name in ("norm", "norm_err", "norm_errn", "norm_errp", "stat_scan"):
        a[name].data[..., 0, 0] = np.nan
        a[name].data[..., 0, 1] = np.nan
        b[name].data[..., 0, 1] = np.nan
    maps = combine_flux_maps([a, b], method=method)
    np.testing.assert_allclose(maps.norm.data[:, 0, 0], 2, rtol=1e-5)
    assert np.isnan(maps.norm.data[:, 0, 1]).all()
    assert np.isnan(maps.norm_err.data[:, 0, 1]).all()
    np.testing.assert_allclose(maps.norm.data[:, 1], 1.2, rtol=1e-5)


def test_profiles_combined_are_the_joint_fit():
    pair = [spectrum("a", seed=1), spectrum("b", seed=2)]
    norm = {"scan_values": np.linspace(-1, 4, 41)}
    estimator = FluxPointsEstimator(EDGES, selection_optional="all", norm=norm)
    combined = combine_flux_maps([estimator.run(d) for d in pair], method="profile")
    joint = estimator.run(pair)
    error = joint.norm_err.data
    for name in ("norm", "norm_ul", "norm_errp"):
        np.testing.assert_allclose((combined[name].data - joint[name].data) / error, 0, atol=0.02, err_msg=name)


def test_scan_axis_and_limits_from_it():
    axis = MapAxis.from_nodes(np.linspace(-3, 6, 91) * 1e-12, name="dnde", unit="cm-2 s-1 TeV-1", interp="lin")
    maps = combine_flux_maps([flux_maps(1, 0.5), flux_maps(2, 1)], method="profile", dnde_scan_axis=axis)
    assert maps.stat_scan.geom.axes["dnde"] == axis
    at = maps.stat_scan.data[0, 45, 0, 0], axis.center.to_value("cm-2 s-1 TeV-1")[45] / maps.dnde_ref.value.ravel()[0]
    assert at[0] == pytest.approx((at[1] - 1.2) ** 2 / 0.2, rel=1e-3)


def test_significance():
    result = combine_significance_maps([flux_maps(1, 0.5), flux_maps(2, 1)])
    np.testing.assert_allclose(result["ts"].data, 16)
    np.testing.assert_allclose(result["df"].data, 4)
    np.testing.assert_allclose(result["significance"].data, ts_to_sigma(16, df=4))
    np.testing.assert_allclose(result["npred_excess"].data, 20)
    hole = flux_maps(1, 0.5)
    hole.ts.data[:, 0, 0] = np.nan
    assert combine_significance_maps([hole, flux_maps(2, 1)])["df"].data[0, 0] == 2


def test_of_datasets():
    one, other = make("a"), make("b")
    one.fake(random_state=1)
    other.fake(random_state=2)
    estimator = ExcessMapEstimator("0.15 deg", energy_edges=[1, 10] * u.TeV)
    result = get_combined_flux_maps(estimator, [one, other])
    assert len(result["estimator_results"]) == 2
    parts = [m.norm.data for m in result["estimator_results"]]
    assert (result["flux_maps"].norm.data <= np.maximum(*parts) + 1e-12).all()
    combined = get_combined_significance_maps(estimator, [one, other])
    np.testing.assert_allclose(combined["ts"].data, sum(m.ts.data[0] for m in combined["estimator_results"]))


def test_refusals():
    with pytest.raises(NameLookupError, match="'mean'"):
        combine_flux_maps([flux_maps(1, 1)], method="mean")
    with pytest.raises(InputError, match="no flux maps"):
        combine_flux_maps([])
    with pytest.raises(InputError, match="no maps"):
        combine_significance_maps([])
    bare = FluxMaps({"norm": flux_maps(1, 1).norm}, PowerLawSpectralModel())
    with pytest.raises(InputError, match="norm_err"):
        combine_flux_maps([bare])
    with pytest.raises(InputError, match="stat_scan"):
        combine_flux_maps([bare], method="profile")
    other = FluxMaps({"norm": Map.create(npix=7, axes=[ENERGY])}, PowerLawSpectralModel())
    with pytest.raises(GeometryError, match="map 1"):
        combine_flux_maps([bare, other])
    with pytest.raises(GeometryError, match="not that of the first"):
        combine_significance_maps([flux_maps(1, 1), other])
