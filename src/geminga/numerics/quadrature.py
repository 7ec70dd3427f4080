"""Gauss-Legendre rules in the logarithm of energy, and the stable integral of a power law.

`log_panels` is for spectra without a closed form: nodes are made once, the integrand is then a
function of parameter values only. `power_integral` is the closed form of the integral of a power law
which has no pole at index 1.

Legend: x = ln(E / TeV), low and high edges of bins in TeV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogPanels", "log_panels", "power_integral", "sinhc", "trapz_loglog"]

Array = NDArray[np.float64]

#: Widest panel, as a factor in energy: wider bins are cut so that one rule fits all.
_WIDEST = 10.0


@lru_cache(maxsize=64)
def _rule(n: int) -> tuple[Array, Array]:
    """Nodes and weights on [-1/2, 1/2]."""
    node, weight = np.polynomial.legendre.leggauss(n)
    return 0.5 * node, 0.5 * weight


@dataclass(frozen=True)
class LogPanels:
    """Nodes in ln E over bins, and the weights which turn node values into integrals over the bins.

    Attributes
    ----------
    log_energy : array
        Nodes ln(E / TeV), shape (n_panel * n_node,).
    weight : array
        Weights for the integral over dE, shape (n_panel * n_node,).
    starts : array
        First panel of each bin, shape (n_bin,).
    """

    log_energy: Array
    weight: Array
    starts: NDArray[np.intp]
    n_panel: int

    def integrate(self, values: Array) -> Array:
        """Integrate node values, shape (..., n_panel * n_node), over the bins, shape (..., n_bin)."""
        weighted = values * self.weight
        panels = weighted.reshape(*values.shape[:-1], self.n_panel, -1).sum(axis=-1)
        if self.n_panel == len(self.starts):
            return np.asarray(panels)
        return np.asarray(np.add.reduceat(panels, self.starts, axis=-1))


def _split(low: Array, high: Array, breaks: Sequence[float]) -> tuple[Array, Array, NDArray[np.intp]]:
    """Cut bins at breaks and where they are wide; logs of the panel edges and the first panel of each bin."""
    log_low, log_high = np.log(low), np.log(high)
    cuts = np.log([b for b in breaks if b > 0 and np.isfinite(b)])
    n_parts = np.maximum(1, np.ceil((log_high - log_low) / np.log(_WIDEST) - 1e-9)).astype(int)
    crossed = np.zeros(len(low), dtype=bool)
    for cut in cuts:
        crossed |= (log_low < cut) & (cut < log_high)
    if not crossed.any() and n_parts.max(initial=1) == 1:
        return log_low, log_high, np.arange(len(low))
    lows, highs, starts = [], [], []  # type: ignore[var-annotated]
    for a, b, n, is_crossed in zip(log_low, log_high, n_parts, crossed, strict=True):
        edges = np.linspace(a, b, n + 1)
        if is_crossed:
            edges = np.unique(np.concatenate([edges, cuts[(a < cuts) & (cuts < b)]]))
        starts.append(len(lows))
        lows.extend(edges[:-1])
        highs.extend(edges[1:])
    return np.array(lows), np.array(highs), np.array(starts)


def log_panels(
    low: Array, high: Array, breaks: Sequence[float] = (), *, per_decade: float = 20.0, n_min: int = 4, energy_power: int = 0
) -> LogPanels:
    """Prepare Gauss-Legendre nodes in ln E over each bin.

    Parameters
    ----------
    low, high : array
        Edges of the bins in TeV, positive, shape (n,).
    breaks : sequence of float
        Energies in TeV where the integrand has a kink.
    per_decade : float
        Nodes per decade of energy, at least `n_min` for each bin.
    energy_power : int
        The integrand is multiplied with E to this power (0 for a flux, 1 for an energy flux).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.quadrature import log_panels
    >>> rule = log_panels(np.array([1.0]), np.array([10.0]))
    >>> float(rule.integrate(np.exp(-2 * rule.log_energy)).round(12)[0])
    0.9
    """
    log_low, log_high, starts = _split(np.asarray(low, float), np.asarray(high, float), breaks)
    width = log_high - log_low
    widest = np.abs(width).max(initial=0.0) / np.log(10.0)
    node, weight = _rule(max(n_min, int(np.ceil(per_decade * widest))))
    x = 0.5 * (log_low + log_high)[:, None] + width[:, None] * node
    total = weight * width[:, None] * np.exp((1 + energy_power) * x)
    return LogPanels(x.ravel(), total.ravel(), starts, len(width))


def sinhc(x: Array) -> tuple[Array, Array]:
    """Return sinh(x) / x and its derivative, smooth through 0.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.quadrature import sinhc
    >>> [float(v[0]) for v in sinhc(np.zeros(1))]
    [1.0, 0.0]
    """
    square = x * x
    if square.max(initial=0.0) < 0.25:
        return _sinhc_series(x, square)
    small = square < 0.25
    safe = np.where(small, 1.0, x)
    value = np.sinh(safe) / safe
    slope = (np.cosh(safe) - value) / safe
    if small.any():
        value_small, slope_small = _sinhc_series(x, square)
        value = np.where(small, value_small, value)
        slope = np.where(small, slope_small, slope)
    return value, slope


def _sinhc_series(x: Array, square: Array) -> tuple[Array, Array]:
    value = 1 + square / 6 * (1 + square / 20 * (1 + square / 42 * (1 + square / 72 * (1 + square / 110))))
    slope = x / 3 * (1 + square / 10 * (1 + square / 28 * (1 + square / 54 * (1 + square / 88))))
    return value, slope


def power_integral(middle: Array, width: Array, exponent: float | Array) -> tuple[Array, Array]:
    """Integral of ``exp(exponent * x)`` over x, and its derivative with respect to `exponent`.

    The interval is ``middle - width / 2 .. middle + width / 2``. There is no pole at exponent 0.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.quadrature import power_integral
    >>> float(power_integral(np.array([0.5]), np.array([1.0]), 0.0)[0][0])
    1.0
    """
    ratio, slope = sinhc(np.asarray(0.5 * exponent * width))
    scale = np.exp(exponent * middle) * width
    value = scale * ratio
    return value, middle * value + 0.5 * scale * width * slope


def trapz_loglog(y: Array, x: Array, axis: int = -1) -> Array:
    """Integrate tabulated values, each segment as a power law.

    Parameters
    ----------
    y : array
        Values, not negative; a zero is taken as the smallest positive float.
    x : array
        Positive coordinates, increasing along `axis`, broadcastable to `y`.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.quadrature import trapz_loglog
    >>> x = np.array([1.0, 10.0, 100.0])
    >>> float(trapz_loglog(x**-2.0, x).round(12))
    0.99
    """
    y, x = np.broadcast_arrays(np.moveaxis(np.asarray(y, float), axis, -1), _last_axis(np.asarray(x, float), np.ndim(y), axis))
    tiny = np.finfo(float).tiny
    log_y, log_x = np.log(np.clip(y, tiny, None)), np.log(x)
    width = np.diff(log_x, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(width > 0, np.diff(log_y, axis=-1) / width, 0.0) + 1
    middle = 0.5 * (log_x[..., 1:] + log_x[..., :-1])
    # Integrate relative to the geometric mean of the two values, so that nothing overflows.
    value, _ = power_integral(np.zeros_like(middle), width, exponent)
    return np.asarray((np.exp(0.5 * (log_y[..., 1:] + log_y[..., :-1]) + middle) * value).sum(axis=-1))


def _last_axis(x: Array, ndim: int, axis: int) -> Array:
    return x if x.ndim < max(ndim, 2) else np.moveaxis(x, axis, -1)
