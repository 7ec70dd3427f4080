import astropy.units as u
import numpy as np
import pytest

from geminga.errors import InputError
from geminga.estimators.map.excess import ExcessMapEstimator
from geminga.maps import Map
from geminga.stats import CashCountsStatistic
from tests.unit.estimators.test_points import spectrum
from tests.unit.estimators.test_ts import SHAPES, make, source


def test_sums_in_the_circle():
    dataset = make()
    dataset.fake(random_state=1)
    maps = ExcessMapEstimator("0.2 deg", energy_edges=[1, 10] * u.TeV, selection_optional="all").run(dataset)
    y, x = np.mgrid[0:51, 0:61]
    for cy, cx in [(25, 30), (0, 0), (40, 59)]:
        inside = (y - cy) ** 2 + (x - cx) ** 2 <= 16.0001
        n, b = dataset.counts.data[:, inside].sum(), dataset.background.data[:, inside].astype(float).sum()
        assert maps.counts.data[0, cy, cx] == n
        assert maps.npred_excess.data[0, cy, cx] == pytest.approx(n - b, rel=1e-9, abs=1e-7)
        known = CashCountsStatistic(n, b)
        assert maps.sqrt_ts.data[0, cy, cx] == pytest.approx(float(known.sqrt_ts), abs=1e-4)
        per_count = maps.npred_excess.data[0, cy, cx] / maps.norm.data[0, cy, cx]
        assert maps.norm_ul.data[0, cy, cx] * per_count == pytest.approx(float(known.compute_upper_limit(2)), rel=1e-3)
        assert maps.norm_errp.data[0, cy, cx] * per_count == pytest.approx(float(known.compute_errp(1)), rel=1e-3)


def test_flux_of_a_point_source():
    dataset, model = make(), source(SHAPES["point"]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    dataset.models = None
    maps = ExcessMapEstimator("0.4 deg", energy_edges=[1, 10] * u.TeV, spectral_model=model.spectral_model).run(dataset)
    assert maps.norm.data[0, 25, 30] == pytest.approx(1, abs=0.02)  # counts are whole numbers


def test_models_are_background():
    dataset, model = make(), source(SHAPES["point"]())
    dataset.models = [model]
    dataset.counts = dataset.npred()
    assert np.abs(ExcessMapEstimator("0.2 deg").run(dataset).sqrt_ts.data).max() < 1.2  # rounding of the counts


def test_bands_and_mask():
    dataset = make()
    dataset.fake(random_state=1)
    inside = np.ones(dataset.counts.data.shape, bool)
    inside[:, :, :20] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    estimator = ExcessMapEstimator("0.1 deg", energy_edges=dataset.counts.geom.axes["energy"].edges)
    maps = estimator.run(dataset)
    assert maps.counts.data.shape == (3, 51, 61)
    assert np.isnan(maps.sqrt_ts.data[:, :, :18]).all()
    dataset.counts.data[:, :, :20] = 99
    np.testing.assert_allclose(estimator.run(dataset).counts.data, maps.counts.data, atol=1e-6)


def test_one_band_with_all_energies_by_default():
    dataset = make()
    dataset.fake(random_state=1)
    edges = dataset.counts.geom.axes["energy"].edges
    maps, whole = (ExcessMapEstimator("0.1 deg", energy_edges=e).run(dataset) for e in (None, edges[[0, -1]]))
    assert maps.counts.data.shape == (1, 51, 61)
    np.testing.assert_array_equal(maps.energy_axis.edges, edges[[0, -1]])
    np.testing.assert_array_equal(maps.sqrt_ts.data, whole.sqrt_ts.data)
    each = ExcessMapEstimator("0.1 deg", energy_edges=edges).run(dataset)
    np.testing.assert_allclose(maps.counts.data[0], each.counts.data.sum(axis=0))


def test_background_of_the_maps_is_that_in_the_circle():
    dataset = make()
    dataset.fake(random_state=1)
    maps = ExcessMapEstimator("0.2 deg").run(dataset)
    y, x = np.mgrid[0:51, 0:61]
    inside = (y - 25) ** 2 + (x - 30) ** 2 <= 16.0001
    assert maps.npred_background.data[0, 25, 30] == pytest.approx(dataset.background.data[:, inside].sum(), rel=1e-6)
    np.testing.assert_allclose(maps.npred.data, maps.counts.data, atol=1e-6)


def test_limit_without_counts():
    """Of n counts over b expected ones -2 ln L is 2 (s + b - n ln(s + b)).

    Without counts it rises from zero at s = -b, and by the square of two sigma at s = 2 - b: also then the limit is the excess
    plus its upper error, as for a single count, and it falls as the background rises. (gammapy 2.1 leaves out the background of
    pixels without counts: its limit is 2 whatever was expected.)
    """
    dataset = make()
    dataset.counts.data[:] = 0
    dataset.counts.data[0, 25, 40] = 1
    maps = ExcessMapEstimator("0.2 deg", selection_optional=["errn-errp", "ul"]).run(dataset)
    for place, n in (((0, 25, 20), 0), ((0, 25, 40), 1)):
        background = maps.npred_background.data[place]
        per_count = maps.npred_excess.data[place] / maps.norm.data[place]
        limit, error = (maps[name].data[place] * per_count for name in ("norm_ul", "norm_errp"))
        assert maps.counts.data[place] == n
        assert background > 4
        for s, rise in ((limit, 4), (n - background + error, 1)):
            total = s + background
            least = n - n * np.log(n) if n else 0
            assert 2 * (total - n * np.log(total) - least) == pytest.approx(rise, rel=1e-6)
        assert limit < 0 if n == 0 else limit > n - background
    assert maps.norm_ul.data[0, 45, 20] < maps.norm_ul.data[0, 5, 20]  # the background rises along y


def test_refusals():
    with pytest.raises(InputError, match="correlation_radius"):
        ExcessMapEstimator("3 TeV")
    with pytest.raises(InputError, match="give a MapDataset"):
        ExcessMapEstimator().run(spectrum())


def test_exposure_of_ones_own():
    dataset = make()
    dataset.fake(random_state=1)
    estimator = ExcessMapEstimator("0.2 deg")
    exposure = estimator.estimate_exposure_reco_energy(dataset)
    own = estimator.estimate_excess_map(dataset, reco_exposure=exposure)
    twice = estimator.estimate_excess_map(dataset, reco_exposure=2 * exposure)
    np.testing.assert_allclose(own.counts.data, twice.counts.data)
    np.testing.assert_allclose(twice.norm.data, own.norm.data / 2, rtol=1e-6)
    # In the middle of the range, where nothing migrates in or out, it is the exposure of the dataset.
    plain = estimator.estimate_excess_map(dataset)
    np.testing.assert_allclose(plain.norm.data[0], own.norm.data[0], rtol=0.02)
