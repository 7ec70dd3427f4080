"""Predictions and statistics of a dataset: the entrance to this package.

Plans are remembered per dataset and keyed by what they were made from: the stamps of the maps, the models and their
parameters, which are frozen, and how IRFs are applied. A changed map or model makes a new plan; nothing is reset by hand.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.forward.data import DataPlan, freeze_data
from geminga.forward.memo import Memo
from geminga.forward.plan import make_term
from geminga.forward.term import PoissonTerm
from geminga.numerics.poisson import TRUNCATION

__all__ = ["likelihood", "npred_background", "npred_signal", "stat_array", "stat_sum"]

Array = NDArray[np.float64]

_plans: weakref.WeakKeyDictionary[Any, tuple[Memo, Memo]] = weakref.WeakKeyDictionary()

_MAPS = ("counts", "exposure", "background", "mask_safe", "mask_fit")


def _memos(dataset: Any) -> tuple[Memo, Memo]:
    memos = _plans.get(dataset)
    if memos is None:
        memos = _plans[dataset] = (Memo(2), Memo(4))
    return memos


def _data_key(dataset: Any) -> tuple[Hashable, ...]:
    maps = [getattr(dataset, name) for name in _MAPS]
    key: list[Hashable] = [None if m is None else m.stamp for m in maps]
    for irf, attribute in ((dataset.psf, "psf_map"), (dataset.edisp, "edisp_map")):
        own = getattr(irf, attribute, None)
        key.append(own.stamp if own is not None else id(irf))
    key.append(dataset.stat_type)
    return tuple(key)


def _models_key(models: Iterable[Any], gti: Any) -> tuple[Hashable, ...]:
    key: list[Hashable] = [id(gti)]
    for model in models:
        key.append(id(model))
        key += [id(model.spectral_model), id(model.spatial_model), id(getattr(model, "temporal_model", None))]
        for part in (model, model.spatial_model, getattr(model, "temporal_model", None)):
            own = getattr(part, "map", None)
            key.append(own.stamp if own is not None else None)
        apply = getattr(model, "apply_irf", None)
        if apply is not None:
            key.append(tuple(apply.values()))
        key += [(id(p), p.frozen, id(p.unit)) for p in model.parameters]
    return tuple(key)


def data_plan(dataset: Any, whole: bool = False) -> DataPlan:
    """Arrays of a dataset; `whole` takes all pixels, not only those inside the mask."""
    key = (_data_key(dataset), whole)
    return _memos(dataset)[0].get(key, lambda: freeze_data(dataset, whole))


def term(dataset: Any, models: Any = None, whole: bool = False) -> PoissonTerm:
    """Likelihood term of a dataset with its own models (or others given), from memory if nothing changed."""
    models = list(dataset.models or []) if models is None else list(models)
    plan = data_plan(dataset, whole)
    key = (id(plan), _models_key(models, dataset.gti))
    return _memos(dataset)[1].get(key, lambda: _Kept(plan, models, make_term(plan, models, dataset.gti, dataset.name))).term


class _Kept:
    """A term together with all objects whose identity stands in its key, so that they live as long."""

    def __init__(self, plan: DataPlan, models: list[Any], own: PoissonTerm) -> None:
        self.plan, self.models, self.term = plan, models, own


def _values(own: PoissonTerm) -> Array:
    return np.array([p.value for p in own.parameters], dtype=float)


def likelihood(dataset: Any) -> PoissonTerm:
    """Term for a fit: validated, with the IRFs of each source kept at its present position.

    Raises
    ------
    DataError
        From ``dataset.validate()``.
    InputError
        If a source with free parameters lies where the dataset has no pixels inside its mask.
    """
    dataset.validate()
    own = term(dataset)
    if not len(own.field.pixel):
        msg = f"Dataset {dataset.name!r} has no bin inside its mask, so there is nothing to fit; change mask_safe or mask_fit."
        raise InputError(msg)
    values = _values(own)
    for source in own.sources:
        free = [own.parameters[j] for j in source.index if not own.parameters[j].frozen]
        if free and len(source.forward(values).selection.pixels) == 0:
            place = ", ".join(
                f"{own.parameters[j].name}={own.parameters[j].quantity}"
                for j in source.index
                if own.parameters[j].name in {"lon_0", "lat_0"}
            )
            msg = (
                f"Model {source.name!r} ({place}) has free parameters but lies outside the pixels which dataset {dataset.name!r} "
                "uses; move it, freeze it, or restrict its datasets_names."
            )
            raise InputError(msg)
    return own.freeze_irf(values)


def stat_sum(dataset: Any) -> float:
    """Fit statistic summed over the mask."""
    own = term(dataset)
    return own.evaluate(_values(own), _NOTHING, 0)[0]


_NOTHING = np.zeros(0, dtype=bool)


def _on_image(plan: DataPlan, own: Array) -> Array:
    """From the pixels of a field to the full geometry."""
    out = np.zeros(plan.field.shape)
    out[:, plan.field.pixel] = own
    return out.reshape(plan.geom.data_shape)


def npred_signal(dataset: Any, model_names: Iterable[str] | None = None) -> Array:
    """Predicted counts of the sky models (or of those named), shape of the counts.

    Raises
    ------
    NameLookupError
        From the models' collection, for an unknown name.
    """
    models: Any = dataset.models or []
    chosen = (
        [models[name] for name in ([model_names] if isinstance(model_names, str) else model_names)] if model_names else models
    )
    sky = [m for m in chosen if hasattr(m, "apply_irf") or hasattr(m, "map")]
    plan = data_plan(dataset, whole=True)
    own = term(dataset, sky, whole=True)
    values = _values(own)
    mu = np.zeros((plan.field.n_energy, len(plan.field.pixel)))
    for source in own.sources:
        counts, pixels = source.dense(values)
        mu[:, pixels] += counts
    for template in own.templates:
        if template.name != "background":
            mu += template.image * template.scale(values)[0][:, None]
    return _on_image(plan, mu)


def npred_background(dataset: Any) -> Array:
    """Background times its model, shape of the counts; zero where there is none."""
    plan = data_plan(dataset, whole=True)
    models = [m for m in (dataset.models or []) if not hasattr(m, "apply_irf") and not hasattr(m, "map")]
    own = term(dataset, models, whole=True)
    if plan.background is None:
        return np.zeros(plan.geom.data_shape)
    template = own.templates[0]
    return _on_image(plan, template.image * template.scale(_values(own))[0][:, None])


def stat_array(dataset: Any) -> Array:
    """Fit statistic of each bin, shape of the counts, without the mask."""
    mu = npred_signal(dataset) + npred_background(dataset)
    n = np.asarray(dataset.counts.frozen_data, dtype=float)
    mu_safe = np.maximum(mu, TRUNCATION)
    stat = 2 * (mu_safe - np.where(n > 0, n * np.log(mu_safe), 0.0))
    if dataset.stat_type == "cstat":
        n_safe = np.maximum(n, TRUNCATION)
        stat += 2 * (n_safe * np.log(n_safe) - n_safe)
    return np.asarray(stat)
