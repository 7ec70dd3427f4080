"""Spectral formulas with their gradients: power laws, curved and broken ones.

Every function takes ``x = ln(E / TeV)``, shape (n,), then the parameters as floats in canonical units (TeV, cm, s) in the
order of the model's parameters, and returns the value, shape (n,), and the gradient, shape (n_par, n). Power laws,
log parabolas and `exp_cutoff_power_law` also take a column, shape (m, 1), for each parameter: shapes (m, n) and (n_par, m, n).
Functions named ``*_integral`` take the bin edges first and return such a function for the integral of
``E^power dnde`` over each bin: what does not depend on the parameters is prepared there.

Cut-offs live in `geminga.numerics.spectra_cutoff`, piecewise and tabulated spectra in `geminga.numerics.spectra_table`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from geminga.numerics.quadrature import power_integral

__all__ = [
    "broken_power_law",
    "broken_power_law_integral",
    "constant",
    "constant_integral",
    "gaussian",
    "gaussian_integral",
    "log_gaussian",
    "log_of",
    "log_parabola",
    "log_parabola_2",
    "power_law",
    "power_law_2",
    "power_law_2_integral",
    "power_law_integral",
    "smooth_broken_power_law",
]

Array = NDArray[np.float64]
Result = tuple[Array, Array]
Evaluate = Callable[..., Result]


def log_of(value: float | Array) -> Any:
    """Logarithm of a float, the common case, or of a column."""
    return log(value) if type(value) is float else np.log(value)


def constant(x: Array, const: float) -> Result:
    """The same value at every energy."""
    return np.full_like(x, const), np.ones((1, len(x)))


def constant_integral(low: Array, high: Array, power: int = 0) -> Evaluate:
    """Integral of a constant over bins."""
    width = (high ** (power + 1) - low ** (power + 1)) / (power + 1)

    def evaluate(const: float) -> Result:
        return const * width, width[None].copy()

    return evaluate


def power_law(x: Array, index: float, amplitude: float, reference: float) -> Result:
    """``A (E / E0)^-index``.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.spectra import power_law
    >>> float(power_law(np.log([10.0]), 2.0, 1.0, 1.0)[0].round(12)[0])
    0.01
    """
    u = x - log_of(reference)
    shape = np.exp(-index * u)
    value = amplitude * shape
    gradient = np.empty((3, *value.shape))
    np.multiply(value, -u, out=gradient[0])
    gradient[1] = shape
    np.multiply(value, index / reference, out=gradient[2])
    return value, gradient


def power_law_integral(low: Array, high: Array, power: int = 0) -> Evaluate:
    """Integral of a power law over bins, without a pole at ``index = power + 1``."""
    log_low, log_high = np.log(low), np.log(high)
    width = log_high - log_low
    middle = 0.5 * (log_low + log_high)
    first = 1 + power

    def evaluate(index: float, amplitude: float, reference: float) -> Result:
        shape, slope = power_integral(middle - log_of(reference), width, first - index)
        scale = reference**first
        gradient = np.empty((3, *shape.shape))
        np.multiply(shape, scale, out=gradient[1])
        value = amplitude * gradient[1]
        np.multiply(slope, -amplitude * scale, out=gradient[0])
        np.multiply(value, index / reference, out=gradient[2])
        return value, gradient

    return evaluate


def _power_law_2_norm(index: float, emin: float, emax: float) -> tuple[float, Array]:
    """Integral of E^-index over [emin, emax] and its derivatives with respect to index, emin, emax."""
    log_min, log_max = log_of(emin), log_of(emax)
    middle, width = np.array([0.5 * (log_min + log_max)]), np.array([log_max - log_min])
    norm, slope = power_integral(middle, width, 1 - index)
    return float(norm[0]), np.array([-slope[0], -(emin**-index), emax**-index])


def power_law_2(x: Array, amplitude: float, index: float, emin: float, emax: float) -> Result:
    """Power law whose amplitude is the integral between `emin` and `emax`."""
    norm, dnorm = _power_law_2_norm(index, emin, emax)
    shape = np.exp(-index * x) / norm
    value = amplitude * shape
    gradient = np.stack([shape, value * (-x - dnorm[0] / norm), value * (-dnorm[1] / norm), value * (-dnorm[2] / norm)])
    return value, gradient


def power_law_2_integral(low: Array, high: Array, power: int = 0) -> Evaluate:
    """Integral over bins of a power law given by its integral."""
    log_low, log_high = np.log(low), np.log(high)
    width, middle = log_high - log_low, 0.5 * (log_low + log_high)

    def evaluate(amplitude: float, index: float, emin: float, emax: float) -> Result:
        norm, dnorm = _power_law_2_norm(index, emin, emax)
        shape, slope = power_integral(middle, width, 1 + power - index)
        shape = shape / norm
        value = amplitude * shape
        rows = [shape, -amplitude * slope / norm - value * (dnorm[0] / norm)]
        return value, np.stack([*rows, value * (-dnorm[1] / norm), value * (-dnorm[2] / norm)])

    return evaluate


def log_parabola(x: Array, amplitude: float, reference: float, alpha: float, beta: float) -> Result:
    """``A u^(-alpha - beta ln u)`` with ``u = E / E0``."""
    u = x - log_of(reference)
    shape = np.exp(-u * (alpha + beta * u))
    value = amplitude * shape
    gradient = np.stack([shape, value * ((alpha + 2 * beta * u) / reference), -value * u, -value * u * u])
    return value, gradient


def log_parabola_2(x: Array, amplitude: float, reference: float, alpha: float, beta: float, escale: float) -> Result:
    """``A (E / E0)^(-alpha - beta ln(E / Escale))``."""
    u, v = x - log_of(reference), x - log_of(escale)
    exponent = alpha + beta * v
    shape = np.exp(-u * exponent)
    value = amplitude * shape
    rows = [shape, value * (exponent / reference), -value * u, -value * u * v, value * u * (beta / escale)]
    return value, np.stack(rows)


def broken_power_law(x: Array, index1: float, index2: float, amplitude: float, ebreak: float) -> Result:
    """``A (E / Eb)^-index1`` below the break, ``^-index2`` from it on."""
    u = x - log_of(ebreak)
    below = u < 0
    index = np.where(below, index1, index2)
    shape = np.exp(-index * u)
    value = amplitude * shape
    slope = -value * u
    return value, np.stack([np.where(below, slope, 0.0), np.where(below, 0.0, slope), shape, value * index / ebreak])


def broken_power_law_integral(low: Array, high: Array, power: int = 0) -> Evaluate:
    """Integral of a broken power law over bins, exact also in the bin with the break."""
    log_low, log_high = np.log(low), np.log(high)
    first = 1 + power

    def evaluate(index1: float, index2: float, amplitude: float, ebreak: float) -> Result:
        log_break = log_of(ebreak)
        cut = np.clip(log_break, log_low, log_high)
        scale = ebreak**first
        part1, slope1 = power_integral(0.5 * (log_low + cut) - log_break, cut - log_low, first - index1)
        part2, slope2 = power_integral(0.5 * (cut + log_high) - log_break, log_high - cut, first - index2)
        shape = scale * (part1 + part2)
        by_break = amplitude * scale / ebreak * (index1 * part1 + index2 * part2)
        return amplitude * shape, np.stack([-amplitude * scale * slope1, -amplitude * scale * slope2, shape, by_break])

    return evaluate


def smooth_broken_power_law(
    x: Array, index1: float, index2: float, amplitude: float, ebreak: float, reference: float, beta: float
) -> Result:
    """``A (E / E0)^-p1 [1 + (E / Eb)^((p2 - p1) / b)]^-b`` with ``b = beta sign(p2 - p1)``.

    With equal indices the bracket is the constant ``2^-beta``'s limit 1: a plain power law. The value is continuous in
    the indices up to that factor, which is part of the formula's definition.
    """
    u, v = x - log_of(reference), x - log_of(ebreak)
    difference = index2 - index1
    if difference == 0 or beta == 0:
        if beta == 0 and difference != 0:
            return _sharp_limit(u, v, index1, index2, amplitude, ebreak, reference)
        value, gradient = power_law(x, index1, amplitude, reference)
        zero = np.zeros_like(x)
        return value, np.stack([gradient[0], zero, gradient[1], zero, gradient[2], zero])
    b = beta if difference > 0 else -beta
    t = v * (difference / b)
    softplus = np.logaddexp(0.0, t)
    sigmoid = np.exp(t - softplus)
    shape = np.exp(-index1 * u - b * softplus)
    value = amplitude * shape
    by_beta = value * (sigmoid * t - softplus) * (b / beta)
    rows = [value * (sigmoid * v - u), -value * sigmoid * v, shape, value * sigmoid * (difference / ebreak)]
    return value, np.stack([*rows, value * (index1 / reference), by_beta])


def _sharp_limit(u: Array, v: Array, index1: float, index2: float, amplitude: float, ebreak: float, reference: float) -> Result:
    """Limit of the smoothly broken power law for beta = 0: a sharp break."""
    above = v > 0
    shape = np.exp(-index1 * u - np.where(above, (index2 - index1) * v, 0.0))
    value = amplitude * shape
    rows = [value * (np.where(above, v, 0.0) - u), np.where(above, -value * v, 0.0), shape]
    rows += [np.where(above, value * (index2 - index1) / ebreak, 0.0), value * (index1 / reference), np.zeros_like(u)]
    return value, np.stack(rows)


def gaussian(x: Array, amplitude: float, mean: float, sigma: float) -> Result:
    """Normal density in energy times the amplitude."""
    z = (np.exp(x) - mean) / sigma
    shape = np.exp(-0.5 * z * z) / (sigma * sqrt(2 * pi))
    value = amplitude * shape
    return value, np.stack([shape, value * z / sigma, value * (z * z - 1) / sigma])


def log_gaussian(x: Array, total: float, median: float, width: float) -> Result:
    """Normal density in ln E, whose integral over E is `total`."""
    z = (x - log_of(median)) / width
    shape = np.exp(-0.5 * z * z - x) / (width * sqrt(2 * pi))
    value = total * shape
    return value, np.stack([shape, value * z / (width * median), value * (z * z - 1) / width])


def gaussian_integral(low: Array, high: Array, power: int = 0) -> Evaluate:
    """Integral of a normal density, or of E times it (power 1), over bins."""

    def density(energy: Array, mean: float, sigma: float) -> tuple[Array, Array]:
        z = (energy - mean) / sigma
        return z, np.exp(-0.5 * z * z) / (sigma * sqrt(2 * pi))

    def evaluate(amplitude: float, mean: float, sigma: float) -> Result:
        z1, g1 = density(low, mean, sigma)
        z2, g2 = density(high, mean, sigma)
        # Taken from the lower tail, where the difference keeps its digits.
        flip = z1 + z2 > 0
        shape = ndtr(np.where(flip, -z1, z2)) - ndtr(np.where(flip, -z2, z1))
        by_mean, by_sigma = g1 - g2, z1 * g1 - z2 * g2
        if power == 1:
            by_mean, by_sigma = shape + low * g1 - high * g2, sigma * (g1 - g2) + low * z1 * g1 - high * z2 * g2
            shape = mean * shape + sigma**2 * (g1 - g2)
        return amplitude * shape, np.stack([shape, amplitude * by_mean, amplitude * by_sigma])

    return evaluate
