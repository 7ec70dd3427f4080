"""Ten sources at once, from starts a tenth of a degree off, in a hundred simulated fields."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.cli.simulate import simulate_field
from geminga.modeling import Fit
from geminga.modeling.models import FoVBackgroundModel, PointSpatialModel, PowerLawSpectralModel, SkyModel


def sources(rng):
    """Ten point sources at least 0.4 deg apart, in the frame of the demo field."""
    positions: list[np.ndarray] = []
    while len(positions) < 10:
        one = np.array([rng.uniform(193.4, 196.6), rng.uniform(2.9, 5.8)])
        if all(np.hypot(*(one - other)) > 0.4 for other in positions):
            positions.append(one)
    return [
        SkyModel(
            PowerLawSpectralModel(index=rng.uniform(2.0, 2.5), amplitude=rng.uniform(1, 3) * 1e-12 * 1.0),
            PointSpatialModel(lon_0=f"{lon} deg", lat_0=f"{lat} deg", frame="galactic"),
            name=f"source-{i}",
        )
        for i, (lon, lat) in enumerate(positions)
    ]


@pytest.mark.slow
def test_ten_sources_converge_from_displaced_starts():
    dataset = simulate_field(seed=0)
    failures, pulls = [], []
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        truth = sources(rng)
        dataset.models = [*truth, FoVBackgroundModel(dataset_name=dataset.name)]
        dataset.fake(random_state=seed)
        start = []
        for model in truth:
            one = model.copy(name=model.name)
            angle = rng.uniform(0, 2 * np.pi)
            one.spatial_model.lon_0.value += 0.1 * np.cos(angle)
            one.spatial_model.lat_0.value += 0.1 * np.sin(angle)
            start.append(one)
        dataset.models = [*start, FoVBackgroundModel(dataset_name=dataset.name)]
        result = Fit().run([dataset])
        if not result.success:
            failures.append((seed, result.message))
            continue
        own = [(m.spatial_model.lon_0, t.spatial_model.lon_0.value) for m, t in zip(start, truth, strict=True)]
        own += [(m.spectral_model.index, t.spectral_model.index.value) for m, t in zip(start, truth, strict=True)]
        pulls += [(p.value - true) / p.error for p, true in own]
    print(f"{len(failures)} of 100 fields failed: {failures}")
    assert len(failures) <= 5, failures
    assert all(message for _, message in failures)
    far = np.abs(pulls) > 5
    assert far.mean() < 0.02
    np.testing.assert_allclose(np.std(np.array(pulls)[~far]), 1.0, atol=0.06)
