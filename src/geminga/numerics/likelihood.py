"""Fit statistics of fixed counts as functions of the prediction: value, slope and curvature of every bin.

What depends on the counts alone is prepared once; `geminga.numerics.poisson` has the same formulas for any counts, to
full relative precision. Here the absolute precision is that of the sums in double precision, which is what a fit sees.

Arrays of counts have shape (dataset, energy); predictions broadcast to it from the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from geminga.numerics import poisson
from geminga.numerics.poisson import TRUNCATION

__all__ = ["Cash", "Cstat", "Statistic", "Wstat"]

Array = NDArray[np.float64]
Terms = tuple[Array, Array, Array]


class Statistic(Protocol):
    """A statistic of given counts."""

    def terms(self, mu: Array) -> Terms:
        """Statistic of each bin, and its first and second derivative by the prediction."""

    def value(self, mu: Array) -> Array:
        """Statistic of each bin."""

    def join(self, others: Sequence[Self]) -> Self:
        """The same statistic of the counts of several, one below the other."""

    def take(self, bins: NDArray[np.bool_]) -> Self:
        """The same statistic of some bins of each dataset."""


@dataclass(frozen=True)
class Cash:
    """``2 (mu - n ln mu)`` with a logarithm that stops at the truncation, but whose slope goes on.

    So a step which makes a bin with counts negative is always seen to be uphill.
    """

    n: Array
    needs: ClassVar[tuple[str, ...]] = ("counts",)

    def value(self, mu: Array) -> Array:
        """Statistic of each bin."""
        return np.asarray(2 * (mu - self.n * np.log(np.maximum(mu, TRUNCATION))))

    def terms(self, mu: Array) -> Terms:
        """Statistic, slope and curvature of each bin."""
        safe = np.maximum(mu, TRUNCATION)
        ratio = self.n / safe
        return np.asarray(2 * (mu - self.n * np.log(safe))), 2 - 2 * ratio, 2 * ratio / safe

    def join(self, others: Sequence[Self]) -> Self:
        """Counts of all, one below the other."""
        return type(self)(np.concatenate([self.n, *(other.n for other in others)]))

    def take(self, bins: NDArray[np.bool_]) -> Self:
        """Some bins of each dataset."""
        return type(self)(self.n[:, bins])


@dataclass(frozen=True)
class Cstat(Cash):
    """`Cash`, zero where the prediction equals the counts."""

    def value(self, mu: Array) -> Array:
        """Statistic of each bin."""
        return super().value(mu) + poisson.goodness(self.n)

    def terms(self, mu: Array) -> Terms:
        """Statistic, slope and curvature of each bin."""
        value, slope, curvature = super().terms(mu)
        return value + poisson.goodness(self.n), slope, curvature


class Wstat:
    """Profile statistic of on and off counts as a function of the signal (see `geminga.numerics.poisson.wstat`).

    Parameters
    ----------
    n_on, n_off, alpha : array
        Counts, and the ratio of acceptances on to off.
    """

    needs: ClassVar[tuple[str, ...]] = ("counts", "counts_off", "alpha")

    def __init__(self, n_on: Array, n_off: Array, alpha: Array) -> None:
        self.n_on, self.n_off, self.alpha = np.broadcast_arrays(n_on, n_off, alpha)
        one = 1 + self.alpha
        self._one = one
        self._total = self.alpha * (self.n_on + self.n_off)
        self._difference = self.alpha * (self.n_on - self.n_off)
        self._cross = 4 * self.alpha**2 * self.n_on * self.n_off
        self._constant = xlogy(self.n_on, self.n_on) - self.n_on + xlogy(self.n_off, self.n_off) - self.n_off
        self._product = self.n_on * self.n_off
        self._alpha_on = self.alpha**2 * self.n_on
        self._is_plain = bool((self.alpha > 0).all())
        self._without_off = (self.n_off == 0) & (self.n_on > 0)
        self._has_without_off = bool(self._without_off.any())

    def _profile(self, mu: Array) -> tuple[Array, Array]:
        """Predictions in the on and in the off region for signals that are not negative."""
        scaled = self._one * mu
        root = np.sqrt((self._difference - scaled) ** 2 + self._cross)
        c = self._total - scaled
        # Each form of the root is taken where nothing cancels.
        above = (c + root) / (2 * self.alpha * self._one)
        b = np.where(c >= 0, above, 2 * self.n_off * mu / np.maximum(root - c, 1e-300))
        return (self._total + scaled + root) / (2 * self._one), b

    def with_ratio(self, factor: Array) -> Wstat:
        """The same counts with `factor` times the ratio of acceptances."""
        return Wstat(self.n_on, self.n_off, self.alpha * factor)

    def background(self, mu: Array) -> Array:
        """Profiled background in the on region for a signal."""
        return np.asarray(self.alpha * poisson.wstat_background(self.n_on, self.n_off, self.alpha, mu))

    def _is_simple(self, mu: Array) -> bool:
        """Does the quick form hold: off exposure everywhere and no negative signal (nor NaN)."""
        return self._is_plain and mu.size > 0 and bool(mu.min() >= 0)

    def value(self, mu: Array) -> Array:
        """Statistic of each bin."""
        if not self._is_simple(mu):
            return poisson.wstat(self.n_on, self.n_off, self.alpha, mu)
        return self._value(*self._profile(mu))

    def _value(self, m: Array, b: Array) -> Array:
        log_m, log_b = np.log(np.maximum(m, TRUNCATION)), np.log(np.maximum(b, TRUNCATION))
        return np.asarray(2 * (m + b - self.n_on * log_m - self.n_off * log_b + self._constant))

    def terms(self, mu: Array) -> Terms:
        """Statistic, slope and curvature of each bin; the background follows the signal."""
        if not self._is_simple(mu):
            return poisson.wstat_terms(self.n_on, self.n_off, self.alpha, mu)
        m, b = self._profile(mu)
        safe = np.maximum(m, TRUNCATION)
        slope = 2 - 2 * self.n_on / safe
        curvature = 2 * self._product / np.maximum(self._alpha_on * b * b + self.n_off * safe * safe, 1e-300)
        if self._has_without_off:
            # Without off counts the background is zero from some signal on, and the rest is a Poisson measurement.
            alone = self._without_off & (b <= 0)
            curvature = np.where(alone, 2 * self.n_on / safe**2, curvature)
        return self._value(m, b), slope, curvature

    def join(self, others: Sequence[Wstat]) -> Wstat:
        """Counts of all, one below the other."""
        parts = [self, *others]
        return Wstat(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("n_on", "n_off", "alpha")))

    def take(self, bins: NDArray[np.bool_]) -> Wstat:
        """Some bins of each dataset."""
        return Wstat(self.n_on[:, bins], self.n_off[:, bins], self.alpha[:, bins])
