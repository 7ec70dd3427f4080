"""Exposure and energy dispersion as small matrices.

Legend: T true energy, e reconstructed energy, p pixel, k rank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["diagonal_response", "low_rank"]

Array = NDArray[np.float64]


def low_rank(exposure: Array, tolerance: float = 1e-6, max_rank: int = 12) -> tuple[Array, Array]:
    """Factorise exposure X[T, p] = sum_k a[T, k] x[k, p].

    Each energy is scaled to its maximum first, so that `tolerance` is relative to the largest
    exposure at that energy.

    Parameters
    ----------
    exposure : array
        Shape (n_T, n_p), cm2 s.

    Returns
    -------
    a : array
        Shape (n_T, n_k).
    x : array
        Shape (n_k, n_p).
    """
    # The basis needs no more pixels than a few thousand: the exposure is smooth.
    stride = max(1, exposure.shape[1] // 4096)
    sample = exposure[:, ::stride]
    scale = np.abs(sample).max(axis=1, initial=0.0)
    scale[scale == 0] = 1.0
    sample = sample / scale[:, None]
    other = exposure[:, stride // 2 :: stride] / scale[:, None]
    _, vector = np.linalg.eigh(sample @ sample.T)
    for rank in range(1, min(max_rank, len(scale)) + 1):
        basis = vector[:, -rank:]
        if max(_missing(sample, basis), _missing(other, basis)) < tolerance:
            break
    else:
        basis = vector
    return basis * scale[:, None], (basis / scale[:, None]).T @ exposure


def _missing(scaled: Array, basis: Array) -> float:
    """Largest part that a basis leaves out."""
    return float(np.abs(scaled - basis @ (basis.T @ scaled)).max(initial=0.0))


def diagonal_response(edges_true: Array, edges: Array) -> Array:
    """Energy dispersion without migration: overlap in linear energy, shape (n_T, n_e).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.folding import diagonal_response
    >>> diagonal_response(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0]))
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    low = np.maximum(edges_true[:-1, None], edges[None, :-1])
    high = np.minimum(edges_true[1:, None], edges[None, 1:])
    return np.asarray(np.clip(high - low, 0, None) / np.diff(edges_true)[:, None])
