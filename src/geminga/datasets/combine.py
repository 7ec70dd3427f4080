"""What `Datasets` does with its members."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import astropy.units as u
import numpy as np

from geminga.datasets.products import same_geometry
from geminga.datasets.stack import stack_all
from geminga.errors import InputError
from geminga.utils.units import as_quantity

__all__ = [
    "are_same_geom",
    "contributes",
    "cumulative_info",
    "data_shape",
    "instrument",
    "lies_between",
    "models_by_dataset",
    "report_unassigned",
    "sliced_by_energy",
    "stack_reduce",
]

log = logging.getLogger(__name__)

#: Datasets added one after the other in a branch of a tree.
_LEAF = 16


def contributes(dataset: Any) -> bool:
    """Whether any bin of a dataset enters the statistic."""
    mask = dataset.mask
    if mask is None:
        return True
    return bool(np.any(mask if isinstance(mask, np.ndarray) else mask.frozen_data))


def data_shape(dataset: Any) -> tuple[int, ...]:
    """Shape of a dataset's data, which is a property or a method depending on its kind."""
    shape = dataset.data_shape
    return tuple(int(n) for n in (shape() if callable(shape) else shape))


def are_same_geom(datasets: Sequence[Any]) -> bool:
    """Whether the counts of all datasets are on the same geometry."""
    geoms = [dataset._geom for dataset in datasets]
    return all(same_geometry(geoms[0], geom) for geom in geoms[1:])


def instrument(dataset: Any) -> str:
    """Names of the instruments, as far as the meta data tell."""
    known = getattr(dataset, "meta", None)
    info = [] if known is None or known.obs_info is None else known.obs_info
    names = [one.instrument for one in (info if isinstance(info, list) else [info]) if one.instrument]
    return ", ".join(dict.fromkeys(names))


def lies_between(gti: Any, time_min: Any, time_max: Any, atol: Any) -> bool:
    """Whether time intervals lie wholly between two times; an empty one lies nowhere."""
    if gti is None or not len(gti):
        return False
    tolerance = as_quantity(atol, "s", "atol")
    return bool(gti.time_start[0] >= time_min - tolerance and gti.time_stop[-1] <= time_max + tolerance)


def sliced_by_energy(datasets: Sequence[Any], energy_min: Any, energy_max: Any) -> Iterator[Any]:
    """Slice each dataset; say which have no bin there."""
    low, high = as_quantity(energy_min, "TeV", "energy_min"), as_quantity(energy_max, "TeV", "energy_max")
    for dataset in datasets:
        edges = dataset._geom.axes["energy"].edges
        if high <= edges[0] or low >= edges[-1]:
            log.info("Dataset %r has no energy bin between %s and %s.", dataset.name, low, high)
            continue
        yield dataset.slice_by_energy(energy_min=u.Quantity(low), energy_max=u.Quantity(high), name=dataset.name)


def models_by_dataset(datasets: Sequence[Any], models: Any) -> Iterator[tuple[Any, Any]]:
    """Each dataset with the models that may belong to it, in one pass over the models."""
    common, own = [], defaultdict(list)
    for position, model in enumerate(models or ()):
        names = model.datasets_names
        if names is None:
            common.append(position)
        for name in [names] if isinstance(names, str) else names or ():
            own[name].append(position)
    for dataset in datasets:
        yield dataset, None if models is None else models[sorted(common + own[dataset.name])]


def report_unassigned(datasets: Sequence[Any], models: Any) -> None:
    """Say in the log which models are assigned to datasets none of which is there."""
    known = {dataset.name for dataset in datasets}
    for model in models or ():
        names = model.datasets_names
        names = [names] if isinstance(names, str) else names
        if names and known.isdisjoint(names):
            log.warning("Model %r is assigned to %s, none of which is among %s.", model.name, ", ".join(names), ", ".join(known))


def _check_stackable(datasets: Sequence[Any]) -> None:
    if not datasets:
        msg = "Datasets: an empty list cannot be stacked."
        raise InputError(msg)
    kinds = list(dict.fromkeys(dataset.tag for dataset in datasets))
    if len(kinds) > 1:
        msg = f"Datasets: datasets of different types cannot be stacked, there are {', '.join(kinds)}; select those of one type."
        raise InputError(msg)


def stack_reduce(datasets: Sequence[Any], name: str | None = None, nan_to_num: bool = True) -> Any:
    """Stack datasets into a new one: as a tree on equal geometries, else into the first."""
    _check_stackable(datasets)
    if not are_same_geom(datasets):
        return _chain(datasets, name, nan_to_num)
    return _tree(datasets, name, nan_to_num)


def _chain(datasets: Sequence[Any], name: str | None, nan_to_num: bool) -> Any:
    stacked = datasets[0].to_masked(name=name, nan_to_num=nan_to_num)
    stack_all(stacked, datasets[1:], nan_to_num=nan_to_num)
    return stacked


def _tree(datasets: Sequence[Any], name: str | None, nan_to_num: bool) -> Any:
    """Sum of two halves, so that rounding grows with the depth; few datasets are added one after the other."""
    if len(datasets) <= _LEAF:
        return _chain(datasets, name, nan_to_num)
    middle = (len(datasets) + 1) // 2
    stacked = _tree(datasets[:middle], name, nan_to_num)
    stack_all(stacked, [_tree(datasets[middle:], None, nan_to_num)], nan_to_num=nan_to_num)
    return stacked


def cumulative_info(datasets: Sequence[Any]) -> list[dict[str, Any]]:
    """Numbers of the stack of the first, the first two, the first three... datasets."""
    _check_stackable(datasets)
    stacked = datasets[0].to_masked(name="stacked")
    rows = [stacked.info_dict()]
    for dataset in datasets[1:]:
        stacked.stack(dataset)
        rows.append(stacked.info_dict())
    return rows
