"""Predictions of a dataset, and of the same dataset built anew."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from geminga.data import GTI
from geminga.datasets import Datasets, FluxPointsDataset
from geminga.estimators import FluxPoints
from geminga.maps import Map
from tests.trust.changes import POINTS


def predicted(dataset: Any) -> list[Any]:
    """All predictions of a dataset."""
    total = np.float64(Datasets([dataset]).stat_sum())
    if dataset.tag in POINTS:
        return [dataset.flux_pred().value, dataset.stat_array(), np.float64(dataset.stat_sum()), total]
    return [
        dataset.npred().data,
        *(dataset.npred_signal(model_names=[m.name]).data for m in dataset.models if m.name == "one"),
        dataset.stat_array(),
        np.float64(dataset.stat_sum()),
        total,
    ]


def _map(own: Any) -> Any:
    return None if own is None else type(own)(own.geom, data=own.data.copy(), unit=own.unit, meta=copy.deepcopy(own.meta))


def _part(own: Any) -> Any:
    """Map or response made of a new array."""
    if own is None or isinstance(own, Map):
        return _map(own)
    return type(own)(_map(own._irf_map), _map(own.exposure_map))


def _models(dataset: Any) -> list[Any]:
    """Copies of models, which share parameters as the models do and have maps of their own."""
    made = copy.deepcopy(list(dataset.models))
    for new, old in zip(made, dataset.models, strict=True):
        assert new is not old
        for part in (new, *new._members()):
            if isinstance(getattr(part, "map", None), Map):
                part._map = _map(part.map)
    return made


def _points(dataset: Any) -> FluxPointsDataset:
    data = dataset.data
    reference = copy.deepcopy(data.reference_model)
    own = FluxPoints({name: _map(m) for name, m in data._data.items()}, reference, meta=dict(data.meta))
    masks = {"mask_fit": dataset._mask_fit, "mask_safe": dataset._mask_safe}
    return FluxPointsDataset(data=own, stat_type=dataset.stat_type, name=dataset.name, **masks)


def _counts(dataset: Any) -> Any:
    parts = {name: _part(getattr(dataset, name)) for name in dataset.part_names}
    own = type(dataset)(**parts, gti=GTI(dataset.gti.table.copy()), name=dataset.name)
    own.stat_type = dataset.stat_type
    return own


def fresh(dataset: Any) -> Any:
    """The same dataset and models, of copies of all arrays."""
    own = (_points if dataset.tag in POINTS else _counts)(dataset)
    own.models = _models(dataset)
    return own


def assert_as_fresh(dataset: Any, message: str = "") -> None:
    """Fail if predictions differ from those of a fresh build."""
    for one, other in zip(predicted(dataset), predicted(fresh(dataset)), strict=True):
        finite = np.abs(other)[np.isfinite(other)]
        scale = finite.max() if finite.size else 0
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9 * scale, err_msg=message)
