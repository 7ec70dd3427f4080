"""Whatever is changed in a dataset or its models, by assignment or in place: predictions are those of a fresh build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from regions import CircleSkyRegion

from geminga.datasets import SpectrumDataset
from tests.trust import changes, kinds
from tests.trust.changes import Change
from tests.trust.changes.fresh import assert_as_fresh, fresh, predicted
from tests.trust.changes.sources import models
from tests.unit.datasets import builders

CHANGES = changes.load()


def spectrum_of_map() -> SpectrumDataset:
    own = builders.map_dataset(name="spectrum", safe=2.0).to_spectrum_dataset(CircleSkyRegion(builders.CENTER, 0.4 * u.deg))
    own.mask_fit = None
    return own


MAKERS: dict[str, Callable[[], Any]] = {
    "MapDataset": lambda: builders.map_dataset(name="field"),
    "MapDatasetOnOff": builders.onoff_map,
    "SpectrumDataset": spectrum_of_map,
    "SpectrumDatasetOnOff": builders.onoff_spectrum,
    "FluxPointsDataset": lambda: kinds.flux_points_dataset(0),
}


def sequence(kind: str, own: list[Change], rng: np.random.Generator, message: str) -> None:
    """Apply changes, predicting now and then."""
    dataset = MAKERS[kind]()
    dataset.models = models(dataset, rng)
    predicted(dataset)
    for change in own:
        changed = change(dataset, rng)
        dataset = dataset if changed is None else changed
        if rng.integers(2):
            predicted(dataset)
    assert_as_fresh(dataset, f"{message}: {[change.__name__ for change in own]}")


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", list(MAKERS))
def test_each_change(kind, seed):
    """All changes, a few at a time."""
    rng = np.random.default_rng(seed)
    own = [CHANGES[kind][i] for i in rng.permutation(len(CHANGES[kind]))]
    for first in range(0, len(own), 6):
        sequence(kind, own[first : first + 6], rng, f"seed {seed}, change {first}")


def test_fresh_predictions_are_sensitive():
    """A prediction that forgot a change would be seen."""
    dataset = MAKERS["MapDataset"]()
    dataset.models = models(dataset, np.random.default_rng(0))
    old = fresh(dataset)
    dataset.exposure.data *= 1.001
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(predicted(dataset)[0], predicted(old)[0], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MAKERS))
def test_many_sequences(kind):
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        own = [CHANGES[kind][i] for i in rng.integers(len(CHANGES[kind]), size=6)]
        sequence(kind, own, rng, f"seed {seed}")
