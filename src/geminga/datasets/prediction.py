"""Predicted counts of a dataset as maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.datasets.products import label
from geminga.errors import NameLookupError
from geminga.forward import predict
from geminga.maps import LabelMapAxis, Map

__all__ = ["excess_error", "has_signal", "has_systematics", "npred", "npred_background", "npred_signal", "predicted_background"]


def _signal_names(dataset: Any) -> list[str]:
    """Names of the models which predict something beside the background."""
    models = dataset.models or ()
    return [model.name for model in models if model is not dataset.background_model and not model.is_systematic]


def has_signal(dataset: Any) -> bool:
    """Whether the dataset has models other than that of its background and of its systematic errors."""
    return bool(_signal_names(dataset))


def has_systematics(dataset: Any) -> bool:
    """Whether the dataset has models of its systematic errors."""
    return any(model.is_systematic for model in dataset.models or ())


def excess_error(self: Any) -> Any:
    """Statistical error of the excess, the root of the counts; the background is taken to be known (`Map`)."""
    return self.counts.copy(data=np.sqrt(self.counts.frozen_data.astype(float)))


def npred(self: Any) -> Any:
    """Predicted counts of models and background.

    Returns
    -------
    npred : Map
        On the geometry of the counts, double precision.

    Raises
    ------
    DataError
        If predictions are not finite.
    """
    data = predict.npred_signal(self) if has_signal(self) else np.zeros(self.data_shape)
    if not np.isfinite(data.sum()):
        predict.refuse_infinite(self, "predicted counts are not finite")
    if self.background is not None:
        data = data + self.npred_background().frozen_data
    return Map.from_geom(self._geom, data=np.maximum(data, 0))


def npred_background(self: Any) -> Any:
    """Predicted background: the background times its model and its systematic errors, if there are any.

    Returns
    -------
    npred : Map
        On the geometry of the counts, double precision; zero without background.
    """
    return _times_models(self, with_systematics=True)


def _times_models(dataset: Any, with_systematics: bool) -> Any:
    acts = dataset.background_model is not None
    acts |= with_systematics and has_systematics(dataset)
    if dataset.background is None:
        data = np.zeros(dataset.data_shape)
    elif acts:
        data = predict.npred_background(dataset, with_systematics)
    else:
        data = dataset.background.frozen_data.astype(np.float64)
    return Map.from_geom(dataset._geom, data=data)


def predicted_background(dataset: Any) -> Any:
    """Background as it is stacked: times its model if there is one, ``None`` without background.

    Systematic errors stay with the models: they are about the measurement, and no part of it.
    """
    return dataset.background if dataset.background_model is None else _times_models(dataset, with_systematics=False)


def npred_signal(self: Any, model_names: Any = None, stack: bool = True) -> Any:
    """Predicted counts of the models other than the background model.

    Parameters
    ----------
    model_names : str or list of str, optional
        Models to predict; all if not given.
    stack : bool
        Sum over the models; otherwise the map has an axis ``models``.

    Returns
    -------
    npred : Map
        On the geometry of the counts, double precision.

    Raises
    ------
    NameLookupError
        If the dataset has no model of a name.
    """
    known = _signal_names(self)
    names = known if model_names is None else [model_names] if isinstance(model_names, str) else list(model_names)
    for name in names:
        if name not in known:
            msg = f"{label(self)} has no sky model named {name!r}; models are {', '.join(known) or 'none'}."
            raise NameLookupError(msg)
    if stack:
        data = predict.npred_signal(self, names) if names else np.zeros(self.data_shape)
        return Map.from_geom(self._geom, data=data)
    geom = self._geom.to_image().to_cube([*self._geom.axes, LabelMapAxis(labels=names, name="models")])
    return Map.from_geom(geom, data=np.stack([predict.npred_signal(self, [name]) for name in names]))
