"""Where a Poisson statistic has risen by a given amount: errors and limits of counts.

`convex_root` is Newton's method on many convex functions at once. Started where the function is positive it walks to the root
from one side, so it needs no bracket afterwards and never overshoots.

Legend: n counts, mu expected background, alpha ratio of the on to the off acceptance, rise allowed increase of -2 ln L.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import lambertw

from geminga.numerics.poisson import TRUNCATION, cash_terms, deviance, wstat, wstat_profile

__all__ = ["cash_errors", "cash_limit", "cash_matching_excess", "convex_root", "wstat_limit", "wstat_matching_excess"]

Array = NDArray[np.float64]


def convex_root(function: Callable[[Array], tuple[Array, Array]], inside: Array, step: Array, max_iterations: int = 100) -> Array:
    """Root of each of many convex functions, on the side of `inside` where `step` points.

    Parameters
    ----------
    function : callable
        Gives values and derivatives at an array of places.
    inside : array
        Places where the function is negative, for example its minimum.
    step : array
        First guess of the distance to the root, with its sign.

    Returns
    -------
    root : array
        NaN where the function has no finite value.
    """
    x = inside + step
    for _ in range(200):
        value = function(x)[0]
        is_short = value < 0
        if not is_short.any():
            break
        step = np.where(is_short, 2 * step, step)
        x = np.where(is_short, inside + step, x)
    for _ in range(max_iterations):
        value, slope = function(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            move = value / slope
        is_done = ~np.isfinite(move) | (np.abs(move) <= 4e-16 * (np.abs(x) + np.abs(inside))) | (value <= 0)
        x = np.where(is_done, x, x - move)
        if is_done.all():
            break
    return np.where(np.isfinite(function(x)[0]), x, np.nan)


def cash_errors(n: ArrayLike, rise: float) -> tuple[Array, Array]:
    """Distances from `n` to the two expectations whose statistic is larger by `rise`, closed form.

    Both are positive. For n = 0 they are 0 and rise / 2.

    Examples
    --------
    >>> from geminga.numerics.poisson_limits import cash_errors
    >>> [round(float(e), 4) for e in cash_errors(5, 1.0)]
    [1.9159, 2.5811]
    """
    n = np.asarray(n, dtype=float)
    safe = np.where(n > 0, n, 1.0)
    distance = rise / (2 * safe)
    argument = -np.exp(-distance - 1)
    down = safe * (lambertw(argument, 0).real + 1)
    # y = -W_{-1} solves y - ln y = distance + 1; where the exponential underflows by iteration, which converges at once.
    y = distance + 1
    for _ in range(5):
        y = distance + 1 + np.log(y)
    up = safe * (np.where(distance > 600, y, -lambertw(np.minimum(argument, -1e-300), -1).real) - 1)
    return np.where(n > 0, down, 0.0), np.where(n > 0, up, rise / 2)


def cash_limit(n: ArrayLike, mu: ArrayLike, rise: float) -> Array:
    """Signal, not below zero, whose statistic is larger by `rise` than the best one not below zero."""
    n, mu = (np.asarray(a, dtype=float) for a in np.broadcast_arrays(n, mu))
    best = np.maximum(n - mu, 0.0)
    base = cash_terms(n, best + mu)[0] + rise

    def function(x: Array) -> tuple[Array, Array]:
        value, slope, _ = cash_terms(n, x + mu)
        return value - base, slope

    return convex_root(function, best, np.sqrt(rise * (n + 1)) + rise)


def cash_matching_excess(mu: ArrayLike, significance: ArrayLike) -> Array:
    """Excess above a background `mu` which has this significance, closed form."""
    background = np.maximum(np.asarray(mu, dtype=float), TRUNCATION)
    argument = (np.asarray(significance, dtype=float) ** 2 / (2 * background) - 1) / np.e
    # exp(W(x)) = x / W(x), which does not overflow
    with np.errstate(divide="ignore", invalid="ignore"):
        w = lambertw(argument, 0).real
        factor = np.where(argument == 0, 1.0, argument / w)
    return np.asarray(background * (factor * np.e - 1))


def wstat_limit(n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, rise: float, side: int, bounded: bool = False) -> Array:
    """Signal above (`side` 1) or below (-1) the excess where the profile statistic has risen by `rise`.

    Parameters
    ----------
    n_on, n_off, alpha : array
        Counts and ratio of acceptances.
    rise : float
        Increase of -2 ln L above its value at the excess.
    side : {1, -1}
        Direction.
    bounded : bool
        Only signals not below zero are allowed, also as the best one.
    """
    on, off, ratio = (np.array(a, dtype=float) for a in np.broadcast_arrays(n_on, n_off, alpha))
    rises = np.full(on.shape, float(rise))
    if bounded:
        rises += np.where(on < ratio * off, wstat(on, off, ratio, 0.0), 0.0)
    if side > 0:
        return _tilted_signal(on, off, ratio, rises)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.asarray(-ratio * _tilted_signal(off, on, 1 / ratio, rises))
    # Without off exposure signals below zero do not exist.
    none = ratio == 0
    root[none] = on[none] - cash_errors(on[none], rise)[0]
    return np.asarray(root)


def _tilted_signal(n_on: Array, n_off: Array, alpha: Array, rise: Array) -> Array:
    """Signal above the excess at which the profile statistic is `rise`; the one below is this with the regions exchanged.

    Along the profile m = n_on / (1 - t) and b = n_off / (1 + alpha t) for one number t, half the slope of the statistic, which is
    2 n_on (e^y - 1 - y) + 2 n_off (ln(1 + alpha t) - alpha t / (1 + alpha t)) with t = 1 - e^-y. At t = 1, which only n_on = 0
    reaches, m begins to grow from zero, and the statistic is a straight line from there.
    """

    def part(t: Array) -> Array:
        return n_off * (np.log1p(alpha * t) - alpha * t / (1 + alpha * t))

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        whole = part(np.ones_like(rise))
        beyond = (n_on == 0) & (2 * whole <= rise)
        q = rise / (2 * n_on)
        high = np.where(n_on > 0, np.minimum(np.sqrt(2 * q), np.log1p(q + np.sqrt(2 * q))), 40.0)
        low, y = np.zeros_like(high), np.minimum(np.sqrt(rise / (n_on + alpha**2 * n_off)), high)
        for _ in range(100):
            t, grown = -np.expm1(-y), np.expm1(y)
            h = n_on * (grown - y) + part(t)
            slope = n_on * grown + n_off * alpha**2 * t * (1 - t) / (1 + alpha * t) ** 2
            low, high = np.where(2 * h < rise, y, low), np.where(2 * h < rise, high, y)
            # The root of the statistic is nearly a straight line.
            new = y + (np.sqrt(rise / 2) - np.sqrt(h)) * 2 * np.sqrt(h) / slope
            new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
            is_near = (np.abs(new - y) <= 1e-8 * new) | np.isnan(new) | beyond  # the error of the new one is the square of that
            y = new
            if is_near.all():
                break
        signal = n_on * np.exp(y) - alpha * n_off / (1 + alpha * -np.expm1(-y))
        end = -alpha * n_off / (1 + alpha)
    return np.asarray(np.where(beyond, end + 0.5 * rise - whole, signal))


def wstat_matching_excess(n_off: ArrayLike, alpha: ArrayLike, significance: ArrayLike, mu: ArrayLike = 0.0) -> Array:
    """Excess above alpha n_off + mu which has this significance against a signal `mu`.

    Parameters
    ----------
    n_off, alpha : array
        Off counts and ratio of acceptances.
    significance : array
        Wanted significance, positive.
    mu : array
        Signal of the null hypothesis.
    """
    arrays = np.broadcast_arrays(n_off, alpha, significance, mu)
    off, ratio, sigma, signal = (np.array(a, dtype=float) for a in arrays)
    start = ratio * off + signal

    def function(x: Array) -> tuple[Array, Array]:
        n_on = start + x
        m, b = wstat_profile(n_on, off, ratio, signal)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(n_on > 0, 2 * np.log(n_on / m), 0.0)
        return deviance(n_on, m) + deviance(off, b) - sigma**2, slope

    step = sigma * np.sqrt(start + ratio) + sigma**2 + 1e-3
    return convex_root(function, np.zeros_like(start), step)
