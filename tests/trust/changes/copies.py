"""Copies, and steps of an analysis."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable
from typing import Any

import astropy.units as u

from geminga.data import GTI
from geminga.datasets import Datasets
from geminga.modeling import Fit
from tests.trust.changes import POINTS, change
from tests.trust.changes.sources import some

# Copies: what is left of them is spoilt, which the one that goes on must not notice.


def spoil(dataset: Any, its_models: Iterable[Any]) -> None:
    """Change all that a dataset holds."""
    for name in ("counts", "background", "exposure", "counts_off", "acceptance", "acceptance_off"):
        own = getattr(dataset, name, None)
        if own is not None:
            own.data *= 3
    for own in (getattr(dataset, "psf", None), getattr(dataset, "edisp", None)):
        if own is not None:
            own._irf_map.data *= 0.5
    if dataset.tag in POINTS:
        dataset.data.norm.data *= 3
    else:
        dataset.mask_safe.data[...] = False
        dataset.gti.stack(GTI.create([9e5] * u.s, [2e6] * u.s))
    for model in its_models:
        for parameter in model.parameters:
            parameter.value = parameter.value * 1.5 + 0.1
        shape = getattr(model, "spatial_model", None)
        if hasattr(shape, "map") and shape.map is not None:
            shape.map.data *= 7


@change()
def original_is_spoilt(dataset, rng):
    own = dataset.copy(name=dataset.name)
    own.models = dataset.models.copy(copy_data=True)
    spoil(dataset, dataset.models)
    return own


@change()
def copy_is_spoilt(dataset, rng):
    own = dataset.copy(name=dataset.name)
    spoil(own, dataset.models.copy(copy_data=True))


@change()
def deep_copy(dataset, rng):
    own = copy.deepcopy(dataset)
    spoil(dataset, ())
    return own


@change()
def pickled(dataset, rng):
    own = pickle.loads(pickle.dumps(dataset))
    spoil(dataset, dataset.models)
    return own


@change()
def copies_of_models(dataset, rng):
    old = dataset.models
    dataset.models = old.copy(copy_data=True)
    spoil(dataset.copy(name="other"), old)


@change()
def copy_of_a_part(dataset, rng):
    own = some(dataset, rng)
    old = own.spectral_model
    own.spectral_model = old.copy()
    for parameter in old.parameters:
        parameter.value = parameter.value * 2 + 1


# Steps of an analysis, which must leave nothing behind


@change()
def fit(dataset, rng):
    """A fit of one norm, after which what was frozen is as before."""
    free = [p for m in dataset.models for p in m.parameters if p.name in {"amplitude", "norm"}]
    if not free:
        return
    before = [(p, p.frozen) for p in dataset.models.parameters]
    for parameter, _ in before:
        parameter.frozen = parameter is not free[0]
    Fit().optimize(Datasets([dataset]))
    for parameter, is_frozen in before:
        parameter.frozen = is_frozen
