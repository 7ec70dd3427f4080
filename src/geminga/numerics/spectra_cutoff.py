"""Spectral formulas with an exponential cut-off, and their gradients (see `geminga.numerics.spectra` for the convention)."""

from __future__ import annotations

from math import exp, log

import numpy as np

from geminga.numerics.spectra import Array, Result, log_of

__all__ = [
    "curvature",
    "exp_cutoff_power_law",
    "exp_cutoff_power_law_3fgl",
    "super_exp_cutoff_3fgl",
    "super_exp_cutoff_4fgl",
    "super_exp_cutoff_4fgl_dr3",
]

#: Largest exponent: a rising "cut-off" grows to 1e260 and stays there instead of overflowing.
_MAX_EXPONENT = 600.0
#: ln(TeV / MeV): the 4FGL formula counts energy in MeV.
_LOG_TEV_IN_MEV = log(1e6)


def exp_cutoff_power_law(x: Array, index: float, amplitude: float, reference: float, lambda_: float, alpha: float) -> Result:
    """``A (E / E0)^-index exp(-(lambda E)^alpha)``; a negative lambda means a rise, with the sign outside the power."""
    u = x - log_of(reference)
    if np.ndim(lambda_):
        lambda_ = lambda_ + 1e-300 * (lambda_ == 0)  # the same limit, within rounding
    elif lambda_ == 0:
        return _without_cutoff(x, u, index, amplitude, reference, alpha)
    log_cut = x + log_of(abs(lambda_))
    cutoff = np.exp(np.minimum(alpha * log_cut, _MAX_EXPONENT))
    by_lambda = alpha * cutoff / abs(lambda_)
    cutoff = cutoff * np.sign(lambda_)
    by_alpha = cutoff * log_cut
    return _cut(u, index, amplitude, reference, cutoff, by_lambda, by_alpha)


def _without_cutoff(x: Array, u: Array, index: float, amplitude: float, reference: float, alpha: float) -> Result:
    """Limit of no cut-off, in which lambda has a slope only for a plain exponential."""
    zero = np.zeros_like(x)
    return _cut(u, index, amplitude, reference, zero, np.exp(x) if alpha == 1 else zero, zero)


def _cut(u: Array, index: float, amplitude: float, reference: float, cutoff: Array, by_lambda: Array, by_alpha: Array) -> Result:
    shape = np.exp(np.minimum(-index * u - cutoff, _MAX_EXPONENT))
    value = amplitude * shape
    gradient = np.empty((5, *value.shape))
    gradient[0] = -value * u
    gradient[1] = shape
    gradient[2] = value * (index / reference)
    gradient[3] = -value * by_lambda
    gradient[4] = -value * by_alpha
    return value, gradient


def exp_cutoff_power_law_3fgl(x: Array, index: float, amplitude: float, reference: float, ecut: float) -> Result:
    """``A (E / E0)^-index exp((E0 - E) / Ec)``."""
    u = x - log(reference)
    distance = reference - np.exp(x)
    shape = np.exp(np.minimum(-index * u + distance / ecut, _MAX_EXPONENT))
    value = amplitude * shape
    return value, np.stack([-value * u, shape, value * (index / reference + 1 / ecut), -value * distance / ecut**2])


def super_exp_cutoff_3fgl(x: Array, amplitude: float, reference: float, ecut: float, index_1: float, index_2: float) -> Result:
    """``A (E / E0)^-G1 exp((E0 / Ec)^G2 - (E / Ec)^G2)``."""
    log_reference, log_cut = log(reference), log(ecut)
    u = x - log_reference
    at_reference = exp(index_2 * (log_reference - log_cut))
    at_energy = np.exp(np.minimum(index_2 * (x - log_cut), _MAX_EXPONENT))
    shape = np.exp(np.minimum(-index_1 * u + at_reference - at_energy, _MAX_EXPONENT))
    value = amplitude * shape
    by_reference = value * ((index_1 + index_2 * at_reference) / reference)
    by_cut = value * (at_energy - at_reference) * (index_2 / ecut)
    by_index_2 = value * (at_reference * (log_reference - log_cut) - at_energy * (x - log_cut))
    return value, np.stack([shape, by_reference, by_cut, -value * u, by_index_2])


def super_exp_cutoff_4fgl(
    x: Array, amplitude: float, reference: float, expfactor: float, index_1: float, index_2: float
) -> Result:
    """``A (E / E0)^-G1 exp(a (E0^G2 - E^G2))`` with energies in MeV in the exponent."""
    log_reference = log(reference)
    u = x - log_reference
    log_mev, log_reference_mev = x + _LOG_TEV_IN_MEV, log_reference + _LOG_TEV_IN_MEV
    at_reference = exp(index_2 * log_reference_mev)
    at_energy = np.exp(np.minimum(index_2 * log_mev, _MAX_EXPONENT))
    difference = at_reference - at_energy
    shape = np.exp(np.clip(-index_1 * u + expfactor * difference, None, _MAX_EXPONENT))
    value = amplitude * shape
    by_reference = value * ((index_1 + expfactor * index_2 * at_reference) / reference)
    by_index_2 = value * expfactor * (at_reference * log_reference_mev - at_energy * log_mev)
    return value, np.stack([shape, by_reference, value * difference, -value * u, by_index_2])


def curvature(t: Array) -> tuple[Array, Array]:
    """``(1 + t - exp(t)) / t^2`` and its derivative, smooth through 0 where it is -1/2."""
    small = np.abs(t) < 0.1
    safe = np.where(small, 1.0, np.minimum(t, _MAX_EXPONENT))
    grown = np.exp(safe)
    value = (1 + safe - grown) / safe**2
    slope = (1 - grown) / safe**2 - 2 * value / safe
    if small.any():
        series, series_slope, term = np.zeros_like(t), np.zeros_like(t), np.ones_like(t)
        factorial, previous = 2.0, np.zeros_like(t)
        for n in range(12):
            series -= term / factorial
            series_slope -= n * previous / factorial
            previous, term, factorial = term, term * t, factorial * (n + 3)
        value, slope = np.where(small, series, value), np.where(small, series_slope, slope)
    return value, slope


def super_exp_cutoff_4fgl_dr3(
    x: Array, amplitude: float, reference: float, expfactor: float, index_1: float, index_2: float
) -> Result:
    """``A u^(-G1 + d / b) exp(d / b^2 (1 - u^b))`` with ``u = E / E0``, d = expfactor, b = index_2.

    Written as ``exp(-G1 L + d L^2 c(b L))`` with ``L = ln u`` and ``c(t) = (1 + t - e^t) / t^2``, which has no pole at b = 0.
    """
    u = x - log(reference)
    curve, slope = curvature(index_2 * u)
    bend = u * u * curve
    shape = np.exp(np.minimum(-index_1 * u + expfactor * bend, _MAX_EXPONENT))
    value = amplitude * shape
    by_log = -index_1 + expfactor * (2 * u * curve + index_2 * u * u * slope)
    rows = [shape, -value * by_log / reference, value * bend, -value * u, value * expfactor * u**3 * slope]
    return value, np.stack(rows)
