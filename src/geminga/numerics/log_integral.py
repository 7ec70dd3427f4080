"""Integral over bins of a function that is a power law between samples, at many points at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogSamples", "integrate_samples", "log_samples"]

Array = NDArray[np.float64]


class LogSamples(NamedTuple):
    """Where to sample, and to which bin the interval that begins at each sample belongs.

    Attributes
    ----------
    log_energy : array, shape (n,)
        Natural logarithm of the energies, increasing.
    bin : int array, shape (n - 1,)
        Bin of each interval, -1 for none.
    n_bin : int
        Number of bins.
    """

    log_energy: Array
    bin: NDArray[np.intp]
    n_bin: int


def log_samples(edges: Array, nodes: Array, low: float, high: float) -> LogSamples:
    """Samples for the exact integral over bins of a function that is a power law between nodes.

    Parameters
    ----------
    edges : array
        Edges of the bins, increasing.
    nodes : array
        Energies at which the power law may change.
    low, high : float
        Range in which the function is not zero.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.log_integral import log_samples
    >>> samples = log_samples(np.array([1.0, 4.0, 16.0]), np.array([2.0]), 0.5, 8.0)
    >>> np.exp(samples.log_energy).round(6).tolist(), samples.bin.tolist()
    ([1.0, 2.0, 4.0, 8.0], [0, 0, 1])
    """
    inner = nodes[(nodes > max(low, edges[0])) & (nodes < min(high, edges[-1]))]
    samples = np.unique(np.concatenate([np.clip(edges, low, high), inner]))
    # Values that differ by rounding only are one sample.
    keep = np.append(True, np.diff(samples) > 1e-12 * samples[1:])
    samples = samples[keep]
    middle = np.sqrt(samples[1:] * samples[:-1])
    index = np.searchsorted(edges, middle, side="right") - 1
    index[(index < 0) | (index >= len(edges) - 1)] = -1
    return LogSamples(np.log(samples), index, len(edges) - 1)


def integrate_samples(log_value: NDArray[np.floating], samples: LogSamples, floor: float) -> NDArray[np.floating]:
    """Integrate over energy, with a power law between neighbouring samples.

    Parameters
    ----------
    log_value : array, shape (n_samples, ...)
        Logarithm of the function; the result has its type.
    samples : LogSamples
        Where it was sampled.
    floor : float
        Logarithm at and below which the function is zero.

    Returns
    -------
    integral : array, shape (n_bin, ...)
        Integral over each bin.
    """
    dtype = log_value.dtype
    result = np.zeros((samples.n_bin, *log_value.shape[1:]), dtype=dtype)
    if not len(samples.bin):
        return result
    # With u = ln E the integral of y dE is that of y E du, and the logarithm of y E is linear in u.
    x = samples.log_energy.astype(dtype)
    log_low = log_value[0] + x[0]
    low = np.where(log_value[0] > floor, np.exp(log_low), dtype.type(0))
    with np.errstate(divide="ignore", invalid="ignore"):  # see `_segment`
        for i, index in enumerate(samples.bin):
            log_high = log_value[i + 1] + x[i + 1]
            high = np.where(log_value[i + 1] > floor, np.exp(log_high), dtype.type(0))
            if index >= 0:
                result[index] += _segment(low, high, log_high - log_low) * (x[i + 1] - x[i])
            log_low, low = log_high, high
    return result


def _segment(low: NDArray[np.floating], high: NDArray[np.floating], rise: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean of an exponential between two values whose logarithms differ by `rise`."""
    square = rise * rise
    # Series of tanh(r/2) / (r/2), exact to 2e-8 below a half, where the difference would cancel.
    series = 1 - square / 12 * (1 - square / 10 * (1 - square * (17 / 168) * (1 - square * (31 / 306))))
    near = 0.5 * (low + high) * series
    return np.where(square < 0.25, near, (high - low) / rise)
