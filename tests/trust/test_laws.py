"""Laws of predictions: linear, independent of order and units, blind to what masks leave out; limits in order."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geminga.datasets import MapDataset
from geminga.maps import Map
from geminga.modeling.models import GaussianSpatialModel, Models, PointSpatialModel, PowerLawSpectralModel, SkyModel
from tests.unit.datasets import builders

FIELD = builders.map_dataset(name="field", safe=2.0)


def source(name: str, norm: float, index: float, lon: float, width: float) -> SkyModel:
    place = {"lon_0": (83.6 + lon) * u.deg, "lat_0": 22 * u.deg, "frame": "icrs"}
    shape = PointSpatialModel(**place) if width < 0.02 else GaussianSpatialModel(sigma=width * u.deg, **place)
    return SkyModel(PowerLawSpectralModel(index=index, amplitude=norm * 1e-12 * u.Unit("cm-2 s-1 TeV-1")), shape, name=name)


def predicted(*models: SkyModel, dataset: MapDataset = FIELD) -> np.ndarray:
    dataset.models = Models([model.copy(name=model.name) for model in models])
    return dataset.npred_signal().data


sources = st.builds(
    source,
    name=st.just("one"),
    norm=st.floats(0.01, 100),
    index=st.floats(1, 4),
    lon=st.floats(-0.4, 0.4),
    width=st.floats(0, 0.5),
)


@given(sources, sources)
def test_predictions_add_up_in_any_order(one, two):
    two = two.copy(name="two")
    together = predicted(one, two)
    np.testing.assert_allclose(together, predicted(two, one), rtol=1e-12)
    np.testing.assert_allclose(together, predicted(one) + predicted(two), rtol=1e-10, atol=1e-12)


@given(sources, st.floats(0.1, 10))
def test_predictions_are_linear_in_the_flux(one, factor):
    before = predicted(one)
    one.spectral_model.amplitude.value *= factor
    np.testing.assert_allclose(predicted(one), factor * before, rtol=1e-10)


@given(sources)
def test_predictions_do_not_know_units_and_frames(one):
    before = predicted(one)
    amplitude, reference = one.spectral_model.amplitude, one.spectral_model.reference
    amplitude.quantity, reference.quantity = amplitude.quantity.to("m-2 h-1 GeV-1"), reference.quantity.to("MeV")
    np.testing.assert_allclose(predicted(one), before, rtol=1e-12)
    place = one.position.galactic
    kwargs = {"lon_0": place.l, "lat_0": place.b, "frame": "galactic"}
    is_point = isinstance(one.spatial_model, PointSpatialModel)
    one.spatial_model = (
        PointSpatialModel(**kwargs) if is_point else GaussianSpatialModel(sigma=one.spatial_model.sigma.quantity, **kwargs)
    )
    np.testing.assert_allclose(predicted(one), before, rtol=1e-7, atol=1e-9 * before.max())


@given(sources, st.integers(0, 2**31), st.sampled_from([np.nan, np.inf, -7.0, 1e30]))
def test_masked_bins_have_no_influence(one, seed, value):
    dataset = builders.map_dataset(name="field", safe=2.0)
    dataset.models = [one]
    out = np.random.default_rng(seed).uniform(size=dataset.counts.data.shape) < 0.3
    dataset.mask_fit = Map.from_geom(dataset.counts.geom, data=~out)
    before = dataset.stat_sum()
    for name in ("counts", "background"):
        own = getattr(dataset, name)
        own.data = np.where(out, value, own.data)
    assert dataset.stat_sum() == before


@given(st.integers(0, 2**31))
def test_sums_are_kept_by_stacking_and_rebinning(seed):
    rng = np.random.default_rng(seed)
    dataset = builders.map_dataset(name="field", safe=2.0)
    dataset.counts.data[...] = rng.poisson(2, dataset.counts.data.shape)
    total, background = dataset.counts.data.sum(), dataset.background.data.sum()
    small = dataset.downsample(2)
    assert small.counts.data.sum() == total
    np.testing.assert_allclose(small.background.data.sum(), background, rtol=1e-6)
    merged = dataset.to_image()
    assert merged.counts.data.sum() == total
    other = builders.map_dataset(seed=1, name="other", safe=2.0)
    both = total + other.counts.data.sum()
    dataset.stack(other)
    assert dataset.counts.data.sum() == both
