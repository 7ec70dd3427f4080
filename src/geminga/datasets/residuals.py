"""Residuals: counts against prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import InputError

__all__ = ["METHODS", "compute_residuals", "residuals"]

METHODS = {
    "diff": lambda data, model: data - model,
    "diff/model": lambda data, model: (data - model) / model,
    "diff/sqrt(model)": lambda data, model: (data - model) / np.sqrt(model),
}
_LABELS = {"diff": "data - model", "diff/model": "(data - model) / model", "diff/sqrt(model)": "(data - model) / sqrt(model)"}


def residual_label(method: str) -> str:
    """What an axis of residuals says.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    _check(method)
    return _LABELS[method]


def _check(method: str) -> None:
    if method not in METHODS:
        msg = f"residuals: method {method!r} is unknown; choose one of {', '.join(METHODS)}."
        raise InputError(msg)


def compute_residuals(data: Any, model: Any, method: str = "diff") -> Any:
    """Residuals of two arrays; NaN where they are not defined.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    _check(method)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = METHODS[method](np.asarray(data, dtype=float), np.asarray(model, dtype=float))
    return np.where(np.isfinite(values), values, np.nan)


def residuals(self: Any, method: str = "diff", **kwargs: Any) -> Any:
    """Map of residuals, NaN outside the mask.

    Parameters
    ----------
    method : {"diff", "diff/model", "diff/sqrt(model)"}
        Counts minus prediction, as they are or relative to the prediction or its root.
    **kwargs
        Arguments of `Map.smooth`; if given, counts and prediction inside the mask are smoothed first and divided by the
        smoothed mask.

    Returns
    -------
    residuals : Map
        On the geometry of the counts.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    _check(method)
    counts, npred, mask = self.counts, self.npred(), self.mask
    keep = np.ones(counts.frozen_data.shape, dtype=bool) if mask is None else mask.frozen_data
    data, model = counts.frozen_data.astype(float), npred.frozen_data
    if kwargs:
        kwargs.setdefault("width", "0.1 deg")
        kwargs.setdefault("kernel", "gauss")
        data, model, weight = (
            counts.copy(data=values).smooth(**kwargs).frozen_data for values in (data * keep, model * keep, keep.astype(float))
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            data, model = data / weight, model / weight
    values = compute_residuals(data, model, method)
    return counts.copy(data=np.where(keep, values, np.nan))
