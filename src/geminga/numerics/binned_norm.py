"""One norm for each of many groups of bins: the problems behind flux points and light curves.

Every bin knows the problem it belongs to, its counts, the counts expected from everything but the source, and those
expected from the source for a norm of one. Bins with a known background use the Cash statistic, bins with an off
measurement the profile statistic W.

Legend: p problem, i bin, F norm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.poisson import TRUNCATION, cash_terms, wstat_terms

__all__ = ["BinnedProblem"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Least expectation of a bin with counts: the first one above that at which the logarithm is cut.
LEAST = TRUNCATION * (1 + 1e-9)


@dataclass(frozen=True)
class _Quiet:
    """Sums over bins without counts, for each problem: expected counts of others and of the source, and the lowest norm."""

    other: Array
    signal: Array
    floor: Array

    def take(self, chosen: Index) -> _Quiet:
        """Some of the problems."""
        return _Quiet(self.other[chosen], self.signal[chosen], self.floor[chosen])


@dataclass(frozen=True)
class BinnedProblem:
    """Problems of bins, for `numerics.norm_fit`.

    Attributes
    ----------
    number : int
        Number of problems.
    problem : array of int
        Problem of each bin, shape (n_i,).
    counts, other, signal : array
        Counts, expected counts without the source, and of the source for a norm of one, shape (n_i,).
    off, alpha : array
        Off counts, and ratio of the acceptances; NaN for bins whose background is known (and part of `other`).
    quiet : _Quiet or None
        Sums over bins that were left out, see `occupied`.
    """

    number: int
    problem: Index
    counts: Array
    other: Array
    signal: Array
    off: Array
    alpha: Array
    quiet: _Quiet | None = field(default=None, kw_only=True)

    def _sum(self, values: Array) -> Array:
        out: Any = np.bincount(self.problem, values, minlength=self.number)
        return np.asarray(out, dtype=float)

    @cached_property
    def total(self) -> Array:
        """Expected counts of the source for a norm of one, shape (n_p,)."""
        total = self._sum(self.signal)
        return total if self.quiet is None else total + self.quiet.signal

    @cached_property
    def is_off(self) -> NDArray[np.bool_]:
        """Bins with an off measurement."""
        return np.asarray(np.isfinite(self.alpha))

    @cached_property
    def floor(self) -> Array:
        """Lowest norm, shape (n_p,): that at which expected counts vanish.

        The W statistic has no lowest norm; it is bounded by minus ten times all counts.
        """
        if self.quiet is not None:
            return self.quiet.floor
        counts = np.where(self.is_off, self.counts + np.nan_to_num(self.off * self.alpha), self.counts + self.other)
        with np.errstate(divide="ignore", invalid="ignore"):
            wide = -10 * (self._sum(counts) + 1) / self.total
            own = np.where((self.signal > 0) & ~self.is_off, -self.other / self.signal, -np.inf)
        np.maximum.at(wide, self.problem, own)
        return np.where(self.total > 0, np.minimum(wide, 0.0), -1.0)

    def terms(self, norm: Array) -> tuple[Array, Array, Array]:
        """Statistic of each bin, and its first and second derivative by the expected counts."""
        mu = self.other + norm[self.problem] * self.signal
        # Where nothing is expected but there are counts the statistic is steep, not flat: more signal is needed.
        value, slope, bend = cash_terms(self.counts, np.where(self.counts > 0, np.maximum(mu, LEAST), mu))
        if self.is_off.any():
            own = self.is_off
            parts = wstat_terms(self.counts[own], self.off[own], self.alpha[own], mu[own])
            value[own], slope[own], bend[own] = parts
        return value, slope, bend

    def value(self, norm: Array) -> tuple[Array, Array]:
        """S and dS/dF: the derivative of the statistic is 2 (T - S)."""
        _, slope, bend = self.terms(norm)
        # Bins without counts have the slope 2, and no part in S.
        part = self._sum(self.signal * (1 - 0.5 * slope))
        return part, -0.5 * self._sum(self.signal**2 * bend)

    def absolute(self, norm: Array) -> Array:
        """Statistic, summed over the bins of each problem."""
        stat = self._sum(self.terms(norm)[0])
        return stat if self.quiet is None else stat + 2 * (self.quiet.other + norm * self.quiet.signal)

    @cached_property
    def null(self) -> Array:
        """Statistic without the source."""
        return self.absolute(np.zeros(self.number))

    def statistic(self, norm: Array) -> Array:
        """Statistic relative to no source."""
        return self.absolute(norm) - self.null

    def take(self, chosen: Index) -> BinnedProblem:
        """Some of the problems, renumbered."""
        place = np.full(self.number, -1, np.intp)
        place[chosen] = np.arange(len(chosen))
        new = place[self.problem]
        keep = new >= 0
        names = {f.name for f in fields(self)} - {"number", "problem", "quiet"}
        parts: dict[str, Any] = {name: getattr(self, name)[keep] for name in names}
        quiet = None if self.quiet is None else self.quiet.take(chosen)
        return BinnedProblem(number=len(chosen), problem=new[keep], quiet=quiet, **parts)

    def occupied(self) -> BinnedProblem:
        """The same without bins which have no counts above a known background: their statistic is a straight line."""
        empty = ~self.is_off & (self.counts == 0)
        if 2 * np.count_nonzero(empty) < len(empty) or self.quiet is not None:
            return self
        other, signal = (self._sum(np.where(empty, values, 0.0)) for values in (self.other, self.signal))
        keep = ~empty
        parts: dict[str, Any] = {f.name: getattr(self, f.name)[keep] for f in fields(self) if f.name not in {"number", "quiet"}}
        return BinnedProblem(number=self.number, quiet=_Quiet(other, signal, self.floor), **parts)
