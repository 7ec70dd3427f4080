"""Why a fit went wrong, as far as datasets and models tell: no counts, no prediction, fewer bins than parameters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from geminga.modeling.fit.diagnosis import joined

__all__ = ["causes_of_failure", "causes_of_invalid_start", "report_idle"]

log = logging.getLogger(__name__)

#: Counts below which a model predicts nothing.
NOTHING = 1e-3


def causes_of_failure(datasets: Sequence[Any], dead_models: Sequence[str], n_free: int) -> list[str]:
    """Sentences about datasets and about models of which parameters have no effect."""
    out = [f"Dataset {d.name!r} has no counts inside its mask" for d in datasets if _counts(d) == 0]
    is_empty = bool(out)
    bins = [_number_of_bins(d) for d in datasets]
    if all(n is not None for n in bins) and sum(n or 0 for n in bins) < n_free:
        out.append(f"There are {sum(n or 0 for n in bins)} bins of data for {n_free} free parameters")
    for name in dead_models:
        predicted = list(_predicted(datasets, name))
        if not predicted:
            continue
        total = float(sum(predicted))
        if abs(total) < NOTHING:
            out.append(
                f"{name} predicts {total:.2g} counts: it has no exposure at its place, energies and times, or no amplitude"
            )
        elif not is_empty:
            out.append(f"{name} fades away during the fit: no such source is seen near its start")
    return out


def causes_of_invalid_start(datasets: Sequence[Any], parameters: Sequence[Any]) -> list[str]:
    """Sentences about what is not a number at the start."""
    priors = [p.name for p in parameters if p.prior is not None and not np.isfinite(p.prior_stat_sum())]
    out = [f"The prior of {joined(priors)} excludes the present value"] if priors else []
    for dataset in datasets:
        for model in dataset.models or []:
            bad = [n for n in _predicted([dataset], model.name) if not np.isfinite(n)]
            if bad:
                out.append(f"{model.name} predicts counts of {bad[0]} in dataset {dataset.name!r}")
    return out


def _predicted(datasets: Sequence[Any], name: str) -> Iterator[float]:
    """Predicted counts of a sky model in each dataset that has it."""
    for dataset in datasets:
        own = [m for m in dataset.models or [] if m.name == name and hasattr(m, "apply_irf")]
        if own and hasattr(dataset, "npred_signal"):
            with np.errstate(all="ignore"):
                yield float(np.sum(dataset.npred_signal(model_names=[name]).data))


def _mask(dataset: Any) -> Any:
    mask = getattr(dataset, "mask", None)
    return None if mask is None else np.asarray(getattr(mask, "data", mask), dtype=bool)


def _counts(dataset: Any) -> float | None:
    """Counts inside the mask, None for datasets without counts."""
    counts = getattr(dataset, "counts", None)
    if counts is None:
        return None
    mask = _mask(dataset)
    return float(np.sum(counts.data if mask is None else counts.data[mask]))


def _number_of_bins(dataset: Any) -> int | None:
    mask = _mask(dataset)
    counts = getattr(dataset, "counts", None)
    if mask is not None:
        return int(mask.sum())
    return None if counts is None else int(counts.data.size)


def report_idle(parameters: Sequence[Any], models: Any) -> None:
    """Name the free parameters of models in the log which the datasets do not depend on: `parameters` are those they do."""
    used = {id(p) for p in parameters}
    named = zip(models.parameters_unique_names, models.parameters, strict=True)
    idle = [name for name, p in named if not p.frozen and id(p) not in used]
    if idle:
        log.warning("Free parameters without effect on the datasets are left as they are: %s; freeze them.", joined(idle))
