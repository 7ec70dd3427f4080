"""W statistic and its derivatives with 60 digits, for the tests."""

from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np

CORNERS = list(product([0, 1, 5, 1000], [0, 1, 7, 1000], [1e-12, 1e-6, 0.2, 1, 30], [0, 1e-8, 0.1, 3, 1e4]))


def profile(n_on, n_off, alpha, mu):
    """Statistic at the textbook root of the quadratic equation, with the predictions m and b."""
    c = alpha * (n_on + n_off) - (1 + alpha) * mu
    b = (c + mp.sqrt(c**2 + 4 * alpha * (alpha + 1) * n_off * mu)) / (2 * alpha * (alpha + 1))
    m = mu + alpha * b
    b, m = (mp.mpf(0) if abs(x) < mp.mpf(10) ** -40 else x for x in (b, m))
    stat = mu + (1 + alpha) * b - n_on - n_off
    stat += n_on * mp.log(n_on / m) if n_on > 0 else 0
    stat += n_off * mp.log(n_off / b) if n_off > 0 else 0
    return 2 * stat, m, b


def exact_terms(n_on, n_off, alpha, mu) -> tuple[float, float, float]:
    """Statistic and its first and second derivative by mu (from the right)."""
    with mp.workdps(60):
        n_on, n_off, alpha, mu = (mp.mpf(float(x)) for x in (n_on, n_off, alpha, mu))
        stat, m, b = profile(n_on, n_off, alpha, mu)
        # The background is where the statistic is stationary, so only the direct dependence on mu is left.
        slope = 2 * (1 - n_on / m) if n_on > 0 else mp.mpf(2)
        curvature = mp.mpf(0)
        if n_on > 0 and n_off == 0:
            # Up to mu = alpha n_on / (1 + alpha) the background absorbs the difference; m stays, the slope too.
            curvature = mp.mpf(0) if b > 0 else 2 * n_on / m**2
        elif n_on > 0:
            # dm/dmu = 1 + alpha db/dmu, from the derivative of the stationarity 1 + alpha = alpha n_on / m + n_off / b
            by_mu = 1 / (1 + alpha**2 * n_on * b**2 / (n_off * m**2))
            curvature = 2 * n_on / m**2 * by_mu
        return float(stat), float(slope), float(curvature)


def differenced_terms(n_on, n_off, alpha, mu) -> tuple[float, float, float]:
    """The same by differences of the statistic, without any formula for the derivatives."""
    with mp.workdps(60):
        n_on, n_off, alpha, mu = (mp.mpf(float(x)) for x in (n_on, n_off, alpha, mu))

        def stat(x):
            return profile(n_on, n_off, alpha, x)[0]

        h = mu * mp.mpf(10) ** -15
        up, middle, down = stat(mu + h), stat(mu), stat(mu - h)
        return float(middle), float((up - down) / (2 * h)), float((up - 2 * middle + down) / h**2)


def random_points(n: int, seed: int = 0):
    """Points over many decades; every tenth without on or without off counts."""
    rng = np.random.default_rng(seed)
    n_on, n_off = rng.poisson(10 ** rng.uniform(-1, 4, (2, n)))
    n_on[::20], n_off[10::20] = 0, 0
    return np.array([n_on, n_off, 10 ** rng.uniform(-8, 1.5, n), 10 ** rng.uniform(-6, 4, n)]).T
