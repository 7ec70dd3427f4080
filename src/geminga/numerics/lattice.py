"""Smooth images on a lattice of equidistant nodes, read anywhere by cubic B-splines.

The spline's coefficients follow from the values by a division in Fourier space, so a convolution and the preparation of
the spline are one product there. A lookup is a sparse matrix of sixteen weights a row.

Legend: h distance of the nodes (deg), k wave number (1/deg).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.sparse import csr_array

__all__ = ["box_average", "cubic_spline", "lookup", "smooth", "wave_number_axes"]

Array = NDArray[np.float64]


def wave_number_axes(size: int, h: float) -> tuple[Array, Array]:
    """Wave numbers of both axes of a real transform of a lattice of ``size`` times ``size`` nodes, 1/deg."""
    return np.asarray(2 * np.pi * np.fft.fftfreq(size, h), float), np.asarray(2 * np.pi * np.fft.rfftfreq(size, h), float)


def cubic_spline(k: Array, h: float) -> Array:
    """Transform of the samples of a cubic B-spline: from coefficients to values at the nodes.

    Unser, Aldroubi & Eden 1993, IEEE Trans. Signal Process. 41, 821, eq. 2.5.
    """
    return np.asarray((2 + np.cos(k * h)) / 3)


def box_average(k: Array, h: float, number: int) -> Array:
    """Transform of the mean over `number` points of a cell of width `h`, symmetric around the node."""
    if number == 1:
        return np.ones_like(k)
    offset = ((np.arange(number) + 0.5) / number - 0.5) * h
    return np.asarray(np.cos(np.outer(k, offset)).mean(axis=1))


def smooth(images: Array, kernel: Array, add: bool = False) -> Array:
    """Images (periodic) times a kernel in Fourier space; leading dimensions are matched.

    Parameters
    ----------
    images : array
        Shape (..., size, size).
    kernel : array
        Real and even, shape (..., size, size // 2 + 1).
    add : bool
        Give the sum over the dimension before the image, of length one.
    """
    size = images.shape[-1]
    product = fft.rfft2(images) * kernel
    return np.asarray(fft.irfft2(product.sum(axis=-3, keepdims=True) if add else product, s=(size, size)))


def lookup(x: Array, y: Array, size: int) -> csr_array:
    """Matrix from spline coefficients, flattened (y, x), to values at positions in units of nodes; zero outside.

    Parameters
    ----------
    x, y : array
        Positions, 0 at the first node, shape (n,).
    size : int
        Nodes along a side.

    Returns
    -------
    matrix : csr_array
        Shape (n, size**2), sixteen entries in each row.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.lattice import lookup
    >>> matrix = lookup(np.array([4.2]), np.array([5.0]), 9)
    >>> round(float(matrix.sum()), 12)
    1.0
    """
    inside = (x > 1) & (x < size - 3) & (y > 1) & (y < size - 3)
    first, weight = [], []
    for position in (x, y):
        q = np.where(inside, position, 1.0)
        node = q.astype(np.int32)
        first.append(node - 1)
        weight.append(_weights(q - node))
    weight[1] = weight[1] * inside[:, None]
    four = np.arange(4, dtype=np.int32)
    columns = (first[1][:, None] + four)[:, :, None] * np.int32(size) + (first[0][:, None] + four)[:, None, :]
    values = weight[1][:, :, None] * weight[0][:, None, :]
    indptr = np.arange(0, 16 * len(x) + 1, 16, dtype=np.int32)
    return csr_array((values.ravel(), columns.ravel(), indptr), shape=(len(x), size * size))


def _weights(t: Array) -> Array:
    """Cubic B-spline at the four nodes around a place `t` (0 to 1) between the middle two, shape (n, 4)."""
    out = np.empty((len(t), 4))
    s = 1 - t
    out[:, 0] = s**3 / 6
    out[:, 1] = 2 / 3 - t * t * (1 - t / 2)
    out[:, 2] = 2 / 3 - s * s * (1 - s / 2)
    out[:, 3] = t**3 / 6
    return out
