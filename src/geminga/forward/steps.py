"""Second derivatives as differences of exact gradients: their steps, and those of the factors of templates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["add_factor_second", "spectral_steps"]

Array = NDArray[np.float64]


def spectral_steps(values: Array, flux: Array, gradient: Array) -> Array:
    """Steps in the parameters of a spectrum: 1e-4 of each value, or where it is small, of the change that matters to the flux.

    A parameter which happens to be near zero (a curvature, a systematic error) would else be moved by less than rounding.

    Parameters
    ----------
    values, flux, gradient : array
        Shapes (..., n), (..., n_T) and (..., n, n_T).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.forward.steps import spectral_steps
    >>> spectral_steps(np.array([2e-12, 1e-15]), np.array([4e-12]), np.array([[2.0], [4e-12]])).tolist()
    [2e-16, 0.0001]
    """
    change = np.abs(gradient).sum(axis=-1)
    whole = np.broadcast_to(np.abs(flux).sum(axis=-1)[..., None], change.shape)
    size = np.divide(whole, change, out=np.zeros_like(change), where=change > 0)
    size = np.maximum(np.abs(values), np.minimum(size, 1.0))
    return np.asarray(1e-4 * np.where((size > 0) & np.isfinite(size), size, 1e-2))


def add_factor_second(curvature: Array, template: Any, values: Array, weight: Array) -> None:
    """Add the second derivatives of a template's factor of energy, times a weight for each energy.

    Parameters
    ----------
    curvature : array
        By the parameters of the term, shape (n, n).
    template : Template
        Template; a parameter may act on it more than once.
    values, weight : array
        Values of the parameters, shape (n,), and weights, shape (n_e,).
    """
    for j in dict.fromkeys(template.index.tolist()):
        step = 1e-5 * max(abs(values[j]), 1e-2)
        up, down = values.copy(), values.copy()
        up[j] += step
        down[j] -= step
        second = (template.scale(up)[1] - template.scale(down)[1]) / (2 * step)
        np.add.at(curvature[j], template.index, second @ weight)
