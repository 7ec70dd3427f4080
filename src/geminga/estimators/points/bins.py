"""From datasets to the bins of a norm problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.binned_norm import BinnedProblem

__all__ = ["Bins", "dataset_bins", "joined"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Bins inside the mask of one dataset: see `BinnedProblem`; `band` is the energy band of each."""

    name: str
    band: NDArray[np.intp]
    counts: Array
    other: Array
    signal: Array
    off: Array
    alpha: Array


def dataset_bins(dataset: Any, source: str, groups: Sequence[slice | None], is_summed: bool = False) -> Bins:
    """Bins of a dataset with models set.

    Parameters
    ----------
    dataset : MapDataset, SpectrumDataset or their on/off kinds
        With models, among them `source`.
    groups : list of slice or None
        Energy bins of each band; ``None`` where the dataset has none.
    is_summed : bool
        Add the energies of a band, pixel by pixel.
    """
    shape = dataset._geom.data_shape
    inside = np.ones(shape, bool) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)
    signal = np.zeros(shape)
    if any(model.name == source for model in dataset.models or ()):  # else the dataset does not see the source
        signal = np.asarray(dataset.npred_signal(model_names=[source]).frozen_data, dtype=float)
    off, alpha = np.full(shape, np.nan), np.full(shape, np.nan)
    other = np.zeros(shape)
    if any(model.name != source and _predicts_signal(model) for model in dataset.models or ()):
        other = np.maximum(np.asarray(dataset.npred_signal().frozen_data, dtype=float) - signal, 0.0)
    if dataset.stat_type == "wstat":
        off = np.zeros(shape) if dataset.counts_off is None else np.asarray(dataset.counts_off.frozen_data, dtype=float)
        alpha = np.asarray(dataset.alpha.frozen_data, dtype=float)
    elif dataset.background is not None:
        other = other + dataset.npred_background().frozen_data
    counts = np.asarray(dataset.counts.frozen_data, dtype=float)
    columns: list[list[Array]] = [[] for _ in range(6)]
    for number, group in enumerate(groups):
        if group is None:
            continue
        keep = inside[group]
        parts = [np.where(keep, a[group], 0.0) for a in (counts, other, signal, off)]
        ratio = alpha[group]
        if is_summed:
            # Off counts add; the ratio of the sum is that which keeps the background alpha * off.
            weight = np.where(keep, np.where(parts[3] > 0, parts[3], 1e-9), 0.0)
            parts = [p.sum(axis=0, keepdims=True) for p in parts]
            total = weight.sum(axis=0, keepdims=True)
            ratio = np.divide((weight * ratio).sum(axis=0, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
            keep = np.asarray(keep.any(axis=0, keepdims=True))
        chosen = [p[keep] for p in (*parts, ratio)]
        for column, value in zip(columns, [np.full(len(chosen[0]), number, float), *chosen], strict=True):
            column.append(value)
    flat = [np.concatenate(column) if column else np.zeros(0) for column in columns]
    return Bins(dataset.name, flat[0].astype(np.intp), *flat[1:])


def _predicts_signal(model: Any) -> bool:
    """Whether the counts of a model are not part of the background's."""
    return hasattr(model, "apply_irf") or hasattr(model, "map") or model.is_systematic


def joined(bins: Sequence[Bins], first: Sequence[int], number: int) -> tuple[BinnedProblem, NDArray[np.bool_], NDArray[np.bool_]]:
    """Bins of several datasets as one set of problems; a dataset's bands are the problems from its `first` on.

    Returns
    -------
    problem : BinnedProblem
        Problems; those with a bin that is not finite have lost all their bins.
    has_bins, is_bad : array of bool
        Shape (number,): whether a problem had any bins, and any that is not finite.
    """
    problem = np.concatenate([own.band + start for own, start in zip(bins, first, strict=True)]).astype(np.intp)
    names = ("counts", "other", "signal", "off", "alpha")
    parts: dict[str, Any] = {name: np.concatenate([getattr(own, name) for own in bins]) for name in names}
    has_bins = np.bincount(problem, minlength=number) > 0
    known = np.isfinite(parts["counts"] + parts["other"] + parts["signal"])
    known &= np.isfinite(parts["off"]) | ~np.isfinite(parts["alpha"])
    is_bad = np.bincount(problem, ~known, minlength=number) > 0
    if is_bad.any():
        keep = ~is_bad[problem]
        problem, parts = problem[keep], {name: values[keep] for name, values in parts.items()}
    return BinnedProblem(number=number, problem=problem, **parts), has_bins, is_bad
