"""Courses in time: values, integrals over intervals, and the derivatives of these integrals.

Legend: x time since the reference, low and high the bounds of intervals since the reference, all in one unit. An integral
comes with its derivatives by the shape parameters, one row for each in the order of the arguments. The derivative by the
reference itself is ``f(low) - f(high)`` for every shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from geminga.numerics.quadrature import power_integral

__all__ = [
    "exp_decay",
    "exp_decay_integral",
    "gauss",
    "gauss_general",
    "gauss_general_integral",
    "gauss_integral",
    "linear",
    "linear_integral",
    "power_law",
    "power_law_integral",
    "sine",
    "sine_integral",
]

Array = NDArray[np.float64]
Result = tuple[Array, Array]


def linear(x: Array, alpha: float, beta: float) -> Array:
    """``alpha + beta x``."""
    return alpha + beta * x


def linear_integral(low: Array, high: Array, alpha: float, beta: float) -> Result:
    """Integral of `linear`."""
    width = high - low
    second = width * 0.5 * (low + high)
    return alpha * width + beta * second, np.stack([width, second])


def exp_decay(x: Array, t0: float) -> Array:
    """``exp(-x / t0)``."""
    with np.errstate(over="ignore"):
        return np.exp(-x / t0)


def exp_decay_integral(low: Array, high: Array, t0: float) -> Result:
    """Integral of `exp_decay`."""
    with np.errstate(over="ignore", invalid="ignore"):
        start = np.exp(-low / t0)
        value = -t0 * start * np.expm1(-(high - low) / t0)
        # x exp(-x / t0) at the end less that at the start.
        moment = high * np.exp(-high / t0) - low * start
        return value, ((value - moment) / t0)[None]


def gauss(x: Array, sigma: float) -> Array:
    """``exp(-x^2 / (2 sigma^2))``."""
    return np.exp(-0.5 * (x / sigma) ** 2)


def gauss_integral(low: Array, high: Array, sigma: float) -> Result:
    """Integral of `gauss`."""
    # Both tails are taken from the side where the difference of error functions keeps its digits.
    flip = np.where(low + high > 0, -1.0, 1.0)
    a, b = np.where(flip > 0, low, -high), np.where(flip > 0, high, -low)
    value = sigma * np.sqrt(2 * np.pi) * (special.ndtr(b / sigma) - special.ndtr(a / sigma))
    moment = high * gauss(high, sigma) - low * gauss(low, sigma)
    return value, ((value - moment) / sigma)[None]


def gauss_general(x: Array, t_rise: float, t_decay: float, eta: float) -> Array:
    """``exp(-(|x| / tau)^(1 / eta) / 2)``, tau the rise time before the peak and the decay time after it."""
    tau = np.where(x < 0, t_rise, t_decay)
    with np.errstate(over="ignore"):
        return np.exp(-0.5 * (np.abs(x) / tau) ** (1 / eta))


def _half(z: Array, eta: float) -> Array:
    """Integral of ``exp(-z^(1 / eta) / 2)`` from 0 to z, by the incomplete gamma function."""
    with np.errstate(over="ignore"):
        u = 0.5 * z ** (1 / eta)
    return np.asarray(2**eta * special.gamma(1 + eta) * special.gammainc(eta, u))


def _half_slope(z: Array, eta: float) -> Array:
    """Derivative of `_half` by eta: smooth in ln eta, so that a fourth-order difference is right to 1e-11."""
    h = 1e-3
    near, far = (_half(z, eta * np.exp(step)) - _half(z, eta * np.exp(-step)) for step in (h, 2 * h))
    return np.asarray((8 * near - far) / (12 * h * eta))


def gauss_general_integral(low: Array, high: Array, t_rise: float, t_decay: float, eta: float) -> Result:
    """Integral of `gauss_general`."""
    value = np.zeros(np.shape(low))
    rows = np.zeros((3, *np.shape(low)))
    before, after = (np.minimum(low, 0), np.minimum(high, 0)), (np.maximum(low, 0), np.maximum(high, 0))
    for row, tau, (a, b), sign in ((0, t_rise, before, -1.0), (1, t_decay, after, 1.0)):
        for bound, side in ((np.abs(a), -sign), (np.abs(b), sign)):
            z = bound / tau
            half = _half(z, eta)
            value += side * tau * half
            rows[row] += side * (half - z * gauss_general(z, 1.0, 1.0, eta))
            rows[2] += side * tau * _half_slope(z, eta)
    return value, rows


def power_law(x: Array, alpha: float, t0: float) -> Array:
    """``(x / t0)^alpha``; NaN before the reference, where it is not defined."""
    with np.errstate(divide="ignore"):
        return np.where(x < 0, np.nan, np.abs(x / t0) ** alpha)


def power_law_integral(low: Array, high: Array, alpha: float, t0: float) -> Result:
    """Integral of `power_law`, without pole at alpha = -1; NaN where it is not defined or diverges."""
    first = alpha + 1
    a, b = low / t0, high / t0
    inside, at_zero = a > 0, (a == 0) & (first > 0)
    x_a, x_b = np.log(np.where(inside, a, 1.0)), np.log(np.where(b > 0, b, 1.0))
    value, by_alpha = power_integral(0.5 * (x_a + x_b), x_b - x_a, first)
    if at_zero.any():
        whole = np.where(b > 0, np.exp(first * x_b), 0.0) / first
        value = np.where(at_zero, whole, value)
        by_alpha = np.where(at_zero, whole * (x_b - 1 / first), by_alpha)
    value, by_alpha = (np.where(inside | at_zero, t0 * v, np.nan) for v in (value, by_alpha))
    return value, np.stack([by_alpha, -alpha * value / t0])


def sine(x: Array, amp: float, omega: float) -> Array:
    """``1 + amp sin(omega x)``."""
    return 1 + amp * np.sin(omega * x)


def sine_integral(low: Array, high: Array, amp: float, omega: float) -> Result:
    """Integral of `sine`, smooth through omega = 0."""
    width, middle = high - low, 0.5 * (low + high)
    half = 0.5 * width * omega
    small = np.abs(half) < 1e-2
    safe = np.where(small, 1.0, half)
    square = half * half
    ratio = np.where(small, 1 - square / 6 * (1 - square / 20), np.sin(safe) / safe)
    slope = np.where(small, -half / 3 * (1 - square / 10), (np.cos(safe) - np.sin(safe) / safe) / safe)
    sin, cos = np.sin(omega * middle), np.cos(omega * middle)
    by_amp = width * sin * ratio
    by_omega = amp * width * (middle * cos * ratio + 0.5 * width * sin * slope)
    return width + amp * by_amp, np.stack([by_amp, by_omega])
