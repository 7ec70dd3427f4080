"""Sums over many bins as functions of one norm, from their moments.

A source of expected counts s_i on a background b_i, with x_i = s_i / b_i and n_i observed counts, is fitted through

    S(F) = sum_i n_i x_i / (1 + F x_i)        and its integral        L(F) = sum_i n_i ln(1 + F x_i).

S is a Stieltjes function. Its continued fraction, made from the first moments m_j = sum_i n_i x_i^(j+1), equals a Gauss
quadrature over the bins and converges geometrically for every F > -1/max(x): ten or twelve moments stand for
thousands of bins. Moments of all positions of a map are convolutions, so they cost one FFT each.

Source: Gautschi (2004), Orthogonal Polynomials, 2.1 and 3.1 (quotient-difference algorithm); Perron (1957), Die Lehre
von den Kettenbruechen II, 65.

Legend: j moment, p position.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.radial import gauss_legendre

__all__ = ["fraction", "fraction_integral", "fraction_value"]

Array = NDArray[np.float64]

#: Number of problems whose coefficients fit into the cache of a processor.
BLOCK = 8192


def fraction(moments: Array) -> Array:
    """Coefficients of the continued fraction ``a0 / (1 + a1 F / (1 + a2 F / ...))``.

    Where the moments belong to fewer points than they could tell apart, the fraction ends early: all further
    coefficients are zero and it is exact.

    Parameters
    ----------
    moments : array
        Shape (n_j, n_p); ``moments[j] = sum_i n_i x_i**(j + 1)``, with x of order one.

    Returns
    -------
    coefficients : array
        Shape (n_j, n_p), none negative.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.stieltjes import fraction, fraction_value
    >>> x, n = np.array([0.2, 0.5, 0.9]), np.array([3.0, 1.0, 2.0])
    >>> a = fraction(np.array([[np.sum(n * x ** (j + 1))] for j in range(6)]))
    >>> bool(np.isclose(fraction_value(a, np.array([4.0]))[0][0], np.sum(n * x / (1 + 4 * x))))
    True
    """
    out = np.empty_like(moments)
    for part in _blocks(moments.shape[1]):
        out[:, part] = _fraction(moments[:, part])
    return out


def _fraction(moments: Array) -> Array:
    """The same for one block."""
    count = len(moments)
    out = np.zeros_like(moments)
    out[0] = np.maximum(moments[0], 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        q = moments[1:] / moments[:-1]
        e = np.zeros_like(q)
        out[1] = q[0]
        for j in range(2, count):
            if j % 2 == 0:
                e = q[1:] - q[:-1] + e[1 : len(q)]
                out[j] = e[0]
            else:
                q = q[1 : len(e)] * e[1:] / e[:-1]
                out[j] = q[0]
        # Nothing below rounding is a coefficient: it and all after it are noise.
        good = np.isfinite(out) & (out > 1e-12 * np.maximum(out[1], 0))
    good[0] = out[0] > 0
    return np.where(np.logical_and.accumulate(good, axis=0), out, 0.0)


def _blocks(number: int) -> Iterator[slice]:
    """Parts of so many problems, small enough that their numbers stay in the cache of the processor."""
    return (slice(start, start + BLOCK) for start in range(0, number, BLOCK))


def fraction_value(coefficients: Array, norm: Array) -> tuple[Array, Array]:
    """S and dS/dF at `norm`, each of shape (n_p,)."""
    out = np.empty((2, len(norm)))
    for part in _blocks(len(norm)):
        out[:, part] = _value_and_slope(coefficients[:, part], norm[part])
    return out[0], out[1]


def _value_and_slope(coefficients: Array, norm: Array) -> tuple[Array, Array]:
    value = np.ones_like(norm)
    slope = np.zeros_like(norm)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # at the pole itself
        for a in coefficients[:0:-1]:
            ratio = a / value
            slope = ratio * (1 - norm * slope / value)
            value = 1 + norm * ratio
        s = coefficients[0] / value
        return s, -s * slope / value


def _value(coefficients: Array, norm: Array) -> Array:
    value = np.ones_like(norm)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for a in coefficients[:0:-1]:
            np.divide(a, value, out=value)
            value *= norm
            value += 1
        return np.asarray(coefficients[0] / value)


def fraction_integral(coefficients: Array, norm: Array, scale: Array | float = 1.0, number: int = 10) -> Array:
    """L(F), the integral of S from 0 to `norm`, shape (n_p,).

    Gauss-Legendre quadrature in ln(1 + scale F), in which S is nearly flat when `scale` is of the order of the largest x.
    """
    t, weight = gauss_legendre(number)
    scales, out = np.broadcast_to(scale, norm.shape), np.zeros_like(norm)
    for part in _blocks(len(norm)):
        own, a = scales[part], coefficients[:, part]
        end = np.log1p(np.maximum(own * norm[part], -1 + 1e-12))
        for u, w in zip(t, weight, strict=True):
            grown = np.expm1(u * end)
            out[part] += w * _value(a, grown / own) * (1 + grown)
        out[part] *= end / own
    return out
