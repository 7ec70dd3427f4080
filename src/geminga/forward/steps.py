"""Second derivatives as differences of exact gradients: their steps, those of fluxes, and those of the factors of templates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.models.derivative import Evaluator, evaluate_many

__all__ = ["add_factor_second", "second_at", "second_of", "spectral_steps"]

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


def second_of(
    function: Evaluator, values: Array, at: tuple[Array, Array], weight: Array, columns: NDArray[np.intp] | None = None
) -> Array:
    """Second derivatives of ``sum(weight * f)`` at many points, shape (n, j, j).

    A function which knows better than by differences of its gradient has a method ``second`` of the same arguments.

    Parameters
    ----------
    function : Evaluator
        Function of j parameters.
    values : array
        Shape (n, j), or (1, j) where all points are the same.
    at : tuple of array
        The function and its gradient there, shapes (n, T) and (n, j, T), or for a part of T: for the size of the steps.
    weight : array
        Shape (n, T).
    columns : array, optional
        Parameters that matter; what belongs to others alone is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.forward.steps import second_of
    >>> def cube(x):
    ...     return x**3, 3 * x[None] ** 2
    >>> second_of(cube, np.array([[2.0]]), (np.array([[8.0]]), np.array([[[12.0]]])), np.ones((1, 1))).round(6).tolist()
    [[[12.0]]]
    """
    if hasattr(function, "second"):
        return np.asarray(function.second(values, at, weight, columns))
    n_set, n = values.shape
    columns = np.arange(n) if columns is None else columns
    out = np.zeros((len(weight), n, n))
    if len(columns) == 0:
        return out
    step = spectral_steps(values, *at)[:, columns]
    moved = np.repeat(values[:, None, None, :], len(columns), axis=1).repeat(2, axis=2)  # (s, column, side, j)
    for i, column in enumerate(columns):
        moved[:, i, 0, column] += step[:, i]
        moved[:, i, 1, column] -= step[:, i]
    _, gradient = evaluate_many(function, moved.reshape(-1, n))
    slope = np.matmul(gradient.reshape(n_set, 2 * len(columns) * n, gradient.shape[-1]), weight[:, :, None])
    slope = slope.reshape(len(weight), len(columns), 2, n)
    out[:, columns] = (slope[:, :, 0] - slope[:, :, 1]) / (2 * step[:, :, None])
    return 0.5 * (out + out.swapaxes(1, 2))


def second_at(function: Evaluator, values: Array, at: tuple[Array, Array], weight: Array) -> Array:
    """The same at one point, shape (j, j)."""
    return second_of(function, values[None], (at[0][None], at[1][None]), weight[None])[0]


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
