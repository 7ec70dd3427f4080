"""From a dataset on pixels and its models to a likelihood term or a prediction (see `geminga.forward.spectrum_plan`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.forward.data import DataPlan, freeze_data
from geminga.forward.plan import make_term

__all__ = ["background", "check", "freeze", "make_term", "model_key", "signal", "values_of"]

Array = NDArray[np.float64]


def freeze(dataset: Any, whole: bool = False) -> DataPlan:
    """Read a dataset into arrays; `whole` takes all pixels, not only those inside the mask."""
    return freeze_data(dataset, whole)


def model_key(model: Any) -> tuple[()]:
    """Values which the plan depends on: none, all are evaluated."""
    return ()


def values_of(term: Any) -> Array:
    """Present values of the parameters of a term."""
    return np.array([p.value for p in term.parameters], dtype=float)


def check(plan: DataPlan, term: Any, name: str) -> None:
    """Refuse a fit without any bin, or of a source that does not reach any.

    Raises
    ------
    InputError
        Naming the dataset, and the model with its position.
    """
    if not len(term.field.pixel):
        msg = f"Dataset {name!r} has no bin inside its mask, so there is nothing to fit; change mask_safe or mask_fit."
        raise InputError(msg)
    values = values_of(term)
    for source in term.sources:
        own = [p for p in (term.parameters[j] for j in source.index) if p.type != "systematic"]
        if all(p.frozen for p in own) or len(source.forward(values).selection.pixels):
            continue
        place = ", ".join(f"{p.name}={p.quantity}" for p in own if p.name in {"lon_0", "lat_0"})
        msg = (
            f"Model {source.name!r} ({place}) has free parameters but lies outside the pixels which dataset {name!r} "
            "uses; move it, freeze it, or restrict its datasets_names."
        )
        raise InputError(msg)


def _on_geom(plan: DataPlan, own: Array) -> Array:
    """From the pixels of a field to the full geometry."""
    out = np.zeros(plan.field.shape)
    out[:, plan.field.pixel] = own
    return out.reshape(plan.geom.data_shape)


def signal(plan: DataPlan, term: Any) -> Array:
    """Predicted counts of the sky models and templates of a term, shape of the counts."""
    values = values_of(term)
    mu = np.zeros((plan.field.n_energy, len(plan.field.pixel)))
    for source in term.sources:
        counts, pixels = source.dense(values)
        mu[:, pixels] += counts
    for template in term.templates:
        if template.name != "background":
            mu += template.image * template.scale(values)[0][:, None]
    return _on_geom(plan, mu)


def background(plan: DataPlan, term: Any) -> Array:
    """Background times its model, of a term without other models, shape of the counts; zero where there is none."""
    if plan.background is None:
        return np.zeros(plan.geom.data_shape)
    values = values_of(term)
    mu = np.zeros((plan.field.n_energy, len(plan.field.pixel)))
    for template in term.templates:
        mu += template.image * template.scale(values)[0][:, None]
    for source in term.sources:
        mu += source.dense(values)[0]
    return _on_geom(plan, mu)
