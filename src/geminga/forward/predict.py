"""Predictions and statistics of a dataset: the entrance to this package.

Plans are remembered per dataset and keyed by what they were made from: the stamps of the maps, the models and all
they hold but the values of their parameters. A changed map or model makes a new plan; nothing is reset by hand.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Iterable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError
from geminga.forward import image, spectrum_plan
from geminga.forward.image import values_of
from geminga.forward.keys import Same, state_of
from geminga.forward.memo import Memo
from geminga.forward.statistics import statistic_kind
from geminga.forward.systematics import Systematics, systematics_key

__all__ = ["likelihood", "npred_background", "npred_signal", "stat_array", "stat_sum"]

Array = NDArray[np.float64]

_plans: weakref.WeakKeyDictionary[Any, tuple[Memo, Memo]] = weakref.WeakKeyDictionary()

_MAPS = ("exposure", "background", "mask_safe", "mask_fit")


def _memos(dataset: Any) -> tuple[Memo, Memo]:
    memos = _plans.get(dataset)
    if memos is None:
        memos = _plans[dataset] = (Memo(2), Memo(4))
    return memos


def _view(dataset: Any) -> Any:
    """Functions for the kind of geometry of a dataset."""
    return spectrum_plan if dataset._geom.is_region else image


def _data_key(dataset: Any) -> tuple[Hashable, ...]:
    kind = statistic_kind(dataset)
    names = [name for name in (*kind.maps, *_MAPS) if name != "background" or kind.has_background]
    maps = [getattr(dataset, name) for name in names]
    key: list[Hashable] = [None if m is None else m.stamp for m in maps]
    for irf, attribute in ((dataset.psf, "psf_map"), (dataset.edisp, "edisp_map")):
        own = getattr(irf, attribute, None)
        key.append(own.stamp if own is not None else irf and state_of(vars(irf)))
    key.append(dataset.stat_type)
    return tuple(key)


def _models_key(models: Iterable[Any], gti: Any, view: Any) -> tuple[Hashable, ...]:
    models = list(models)
    # Intervals, which can be added to in place, are looked at where something depends on them.
    has_course = any(getattr(model, "temporal_model", None) is not None for model in models)
    return state_of(gti) if has_course else Same(gti), *[
        (state_of(model), systematics_key(model) if model.is_systematic else view.model_key(model)) for model in models
    ]


def data_plan(dataset: Any, whole: bool = False) -> Any:
    """Arrays of a dataset, which is validated before; `whole` takes all bins, not only those inside the mask."""
    key = (_data_key(dataset), whole)

    def make() -> Any:
        # What a prediction does not need may be missing.
        check = dataset._check_values if whole else dataset.validate
        check()
        return _view(dataset).freeze(dataset, whole)

    return _memos(dataset)[0].get(key, make)


def term(dataset: Any, models: Any = None, whole: bool = False) -> Any:
    """Likelihood term of a dataset with its own models (or others given), from memory if nothing changed."""
    models = list(dataset.models or []) if models is None else list(models)
    plan, view = data_plan(dataset, whole), _view(dataset)
    key = (Same(plan), _models_key(models, dataset.gti, view))
    return _memos(dataset)[1].get(key, lambda: view.make_term(plan, models, dataset.gti, dataset.name))


def likelihood(dataset: Any) -> Any:
    """Term for a fit: validated, with the IRFs of each source kept at its present position.

    Raises
    ------
    DataError
        From ``dataset.validate()``.
    InputError
        If nothing is inside the mask, or a source with free parameters lies where the dataset has no pixels.
    """
    own = term(dataset)
    _view(dataset).check(data_plan(dataset), own, dataset.name)
    return own.freeze_irf(values_of(own))


def stat_sum(dataset: Any) -> float:
    """Fit statistic summed over the mask.

    Raises
    ------
    DataError
        If it is not finite, as some prediction is not.
    """
    own = term(dataset)
    stat = float(own.evaluate(values_of(own), _NOTHING, 0)[0])
    if not np.isfinite(stat):
        refuse_infinite(dataset, f"the fit statistic is {stat}")
    return stat


def refuse_infinite(dataset: Any, what: str) -> NoReturn:
    """Raise an error that names the models whose predictions are not finite."""
    sky = [m for m in dataset.models or [] if hasattr(m, "apply_irf")]
    bad = [m for m in sky if not np.isfinite(npred_signal(dataset, [m.name])).all()] or sky
    values = ", ".join(f"{m.name}.{p.name} = {p.value:g}" for m in bad for p in m.parameters)
    msg = f"Dataset {dataset.name!r}: {what}; correct the parameters of the models: {values}."
    raise DataError(msg)


_NOTHING = np.zeros(0, dtype=bool)


def npred_signal(dataset: Any, model_names: Iterable[str] | None = None) -> Array:
    """Predicted counts of the sky models (or of those named), shape of the counts.

    Raises
    ------
    NameLookupError
        From the models' collection, for an unknown name.
    """
    models: Any = dataset.models or []
    names = [model_names] if isinstance(model_names, str) else model_names
    chosen = [models[name] for name in names] if names else models
    sky = [m for m in chosen if hasattr(m, "apply_irf") or hasattr(m, "map")]
    sky += [m for m in models if m.is_systematic and m not in sky]
    return np.asarray(_view(dataset).signal(data_plan(dataset, whole=True), term(dataset, sky, whole=True)))


def npred_background(dataset: Any, with_systematics: bool = True) -> Array:
    """Background times its model and systematic errors, shape of the counts; zero where there is none."""
    models = [m for m in (dataset.models or []) if not hasattr(m, "apply_irf") and not hasattr(m, "map")]
    models = models if with_systematics else [m for m in models if not m.is_systematic]
    return np.asarray(_view(dataset).background(data_plan(dataset, whole=True), term(dataset, models, whole=True)))


def background_factor(dataset: Any) -> Array:
    """Factor of the systematic errors on the background, or on the ratio of acceptances, by energy; shape (n_e,)."""
    energy = np.asarray(dataset._geom.axes["energy"].center.to_value("TeV"), dtype=float)
    nuisance = Systematics(dataset.models or []).background(energy, dataset.name, is_there=True)
    if nuisance.factor is None:
        return np.ones(len(energy))
    return np.asarray(nuisance.factor(np.array([p.value for p in nuisance.parameters]))[0])


def stat_array(dataset: Any) -> Array:
    """Fit statistic of each bin, shape of the counts, without the mask."""
    kind = statistic_kind(dataset)
    mu = npred_signal(dataset)
    if kind.has_background:
        mu = mu + npred_background(dataset)
    arrays = [own.reshape(mu.shape) for own in kind.read(dataset)]
    statistic: Any = kind.statistic(arrays, np.ones(mu.shape, bool))
    if hasattr(statistic, "with_ratio"):
        statistic = statistic.with_ratio(background_factor(dataset).reshape(-1, *(1,) * (mu.ndim - 1)))
    return np.asarray(statistic.value(mu))
