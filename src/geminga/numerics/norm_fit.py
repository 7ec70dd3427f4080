"""Best norm, errors and limits of many independent one-parameter Poisson problems at once.

Problem p has expected counts b_i + F s_i and observed counts n_i. With x_i = s_i / b_i and T = sum s_i

    -2 ln L(F) / L(0) = 2 (F T - sum_i n_i ln(1 + F x_i)),

so the best norm solves S(F) = sum_i n_i x_i / (1 + F x_i) = T. 1/S is a concave function of F and for a single bin a
straight line, so Newton's method on 1/S ends in a few steps from anywhere. Problems that are done leave the batch.

Legend: p problem, i bin with counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geminga.numerics.stieltjes import fraction_integral, fraction_value

__all__ = ["Atoms", "NormProblem", "Problem", "best_norm", "crossing"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Number of steps of Newton's method after which intervals are halved.
MANY = 40
#: Number of problems that are solved together: what they need stays near the processor.
BATCH = 65536
#: Distance in the statistic, in units of the rise, at which the end of a search is believed.
CLOSE = 1e-3


class Problem(Protocol):
    """Many problems: what `best_norm` and `crossing` ask of them. The derivative of the statistic is 2 (total - S)."""

    @property
    def total(self) -> Array:
        """Expected counts of the source for a norm of one, shape (n_p,)."""

    @property
    def floor(self) -> Array:
        """Lowest norm, not above zero, shape (n_p,)."""

    def value(self, norm: Array) -> tuple[Array, Array]:
        """S, which falls with the norm, and dS/dF."""

    def statistic(self, norm: Array) -> Array:
        """-2 ln L relative to no source."""

    def take(self, chosen: Index) -> Problem:
        """Some of the problems."""


@dataclass(frozen=True)
class Atoms:
    """Bins with counts, summed one by one: the problem each belongs to (ascending is not asked for), ratio s/b and counts."""

    problem: Index
    ratio: Array
    counts: Array

    def value(self, norm: Array) -> tuple[Array, Array]:
        """Their part of S and dS/dF, shape of `norm`."""
        bend = self.ratio / np.maximum(1 + norm[self.problem] * self.ratio, 1e-12)
        part = self.counts * bend
        number = len(norm)
        s: Any = np.bincount(self.problem, part, minlength=number)
        slope: Any = np.bincount(self.problem, part * bend, minlength=number)
        return s, -slope

    def integral(self, norm: Array) -> Array:
        """Their part of sum n ln(1 + F x)."""
        log = np.log(np.maximum(1 + norm[self.problem] * self.ratio, 1e-12))
        return np.asarray(np.bincount(self.problem, self.counts * log, minlength=len(norm)))

    def take(self, chosen: Index, number: int) -> Atoms:
        """Those of some problems, renumbered."""
        place = np.full(number, -1, np.intp)
        place[chosen] = np.arange(len(chosen))
        new = place[self.problem]
        keep = new >= 0
        return Atoms(new[keep], self.ratio[keep], self.counts[keep])


@dataclass(frozen=True)
class NormProblem:
    """Many problems; S is a continued fraction (see `numerics.stieltjes`) plus a sum over single bins.

    Attributes
    ----------
    total, floor : array
        T, and the lowest norm (at which the expected counts of some bin vanish, negative), shape (n_p,).
    coefficients : array
        Of the continued fraction in ``scale * F``, shape (n_j, n_p).
    """

    total: Array
    floor: Array
    coefficients: Array
    scale: float
    atoms: Atoms

    def value(self, norm: Array) -> tuple[Array, Array]:
        """S and dS/dF at a norm for each problem."""
        s, slope = fraction_value(self.coefficients, norm * self.scale)
        more, more_slope = self.atoms.value(norm)
        return s * self.scale + more, slope * self.scale**2 + more_slope

    def statistic(self, norm: Array) -> Array:
        """-2 ln of the likelihood ratio to no source."""
        return np.asarray(2 * (norm * self.total - self.logarithm(norm)))

    def logarithm(self, norm: Array, order: int | None = None) -> Array:
        """Sum n ln(1 + F x), from the first `order` moments only if given."""
        # In ln(1 - F / floor) the integrand is flat on both sides of zero.
        pole = -1 / (self.floor * self.scale)
        smooth = fraction_integral(self.coefficients[:order], norm * self.scale, pole)
        return np.asarray(smooth + self.atoms.integral(norm))

    def take(self, chosen: Index) -> NormProblem:
        """Some of the problems."""
        atoms = self.atoms.take(chosen, len(self.total))
        return NormProblem(self.total[chosen], self.floor[chosen], self.coefficients[:, chosen], self.scale, atoms)

    def with_bins(self, chosen: Index, bins: Atoms) -> NormProblem:
        """The same with the bins themselves in place of the fraction for some problems (`bins.problem` counts within these)."""
        coefficients = self.coefficients.copy()
        coefficients[:, chosen] = 0.0
        keep = ~np.isin(self.atoms.problem, chosen)
        old = self.atoms
        atoms = Atoms(
            np.concatenate([old.problem[keep], chosen[bins.problem]]),
            np.concatenate([old.ratio[keep], bins.ratio]),
            np.concatenate([old.counts[keep], bins.counts]),
        )
        return replace(self, coefficients=coefficients, atoms=atoms)


def _parts(number: int) -> list[Index]:
    """Numbers of problems, at most `BATCH` in each part."""
    return [np.arange(start, min(start + BATCH, number)) for start in range(0, max(number, 1), BATCH)]


def best_norm(problem: Problem, tolerance: float = 1e-9) -> tuple[Array, NDArray[np.int_]]:
    """Norm at which the likelihood is largest, not below the floor.

    Returns
    -------
    norm, number : array
        Shape (n_p,); NaN where the total is zero. Number of steps.
    """
    parts = _parts(len(problem.total))
    if len(parts) > 1:
        norms, numbers = zip(*(best_norm(problem.take(part), tolerance) for part in parts), strict=True)
        return np.concatenate(norms), np.concatenate(numbers)
    norm = np.where(problem.total > 0, 0.0, np.nan)
    number = np.zeros(len(norm), dtype=int)
    active = np.flatnonzero(problem.total > 0)
    own, x = problem.take(active), np.zeros(len(active))
    low, high, has_low = own.floor * (1 - 1e-9), np.full(len(active), np.inf), np.zeros(len(active), dtype=bool)
    for step in range(200):
        if not len(active):
            break
        s, slope = own.value(x)
        falls = s > own.total  # the statistic still falls towards larger norms
        low, high, has_low = np.where(falls, x, low), np.where(falls, high, x), has_low | falls
        with np.errstate(divide="ignore", invalid="ignore"):
            # Newton for 1/S - 1/T; for S - T where S is not positive (an off measurement above the counts).
            new = x + np.where(s > 1e-9 * own.total, (s / own.total - 1) * s, s - own.total) / -slope
        middle = np.where(np.isfinite(high), 0.5 * (low + high), 2 * x + np.abs(own.floor))
        new = np.where((new > low) & (new < high) & (step < MANY), new, middle)
        # No counts: S is zero everywhere, and the best norm the lowest, unless the statistic falls there.
        new = np.where((s == 0) & (slope == 0) & ~has_low, low, new)
        norm[active] = new
        number[active] += 1
        done = (np.abs(new - x) <= tolerance * (np.abs(new) + 1e-3 * np.abs(own.floor))) | (high - low <= tolerance * np.abs(low))
        x = new
        if done.any():
            left = np.flatnonzero(~done)
            active, own = active[left], own.take(left)
            x, low, high, has_low = x[left], low[left], high[left], has_low[left]
    return norm, number


def crossing(problem: Problem, norm: Array, rise: float, side: int, tolerance: float = 1e-6) -> Array:
    """Norm above (`side` +1) or below (-1) the best one where the statistic has risen by `rise`.

    Parameters
    ----------
    norm : array
        Best norms, shape (n_p,); NaN where there is none.
    tolerance : float
        Of the result, in units of its distance from the best norm.

    Returns
    -------
    value : array
        Shape (n_p,). NaN without a best norm, and below it where the statistic never rises that much before the floor.
    """
    parts = _parts(len(norm))
    if len(parts) > 1:
        return np.concatenate([crossing(problem.take(part), norm[part], rise, side, tolerance) for part in parts])
    out = np.full(len(norm), np.nan)
    active = np.flatnonzero(np.isfinite(norm))
    own, best = problem.take(active), norm[active]
    edge = own.floor * (1 - 1e-9)
    target = own.statistic(best) + rise
    width = _width(own, best, rise)
    inner, outer, new = best.copy(), np.full(len(best), np.nan), best + side * width
    new = np.maximum(new, edge) if side < 0 else new
    for _ in range(200):
        if not len(active):
            break
        x = new
        f = own.statistic(x) - target
        short = f < 0
        # Beyond the floor there is nothing: where the statistic is still too low, there is no crossing.
        lost = short & (side < 0) & (x <= edge)
        inner, outer = np.where(short, x, inner), np.where(short, outer, x)
        new = _next(own, best, inner, outer, x, f, rise, side)
        new = np.maximum(new, edge) if side < 0 else new
        # Near a pole the statistic is so steep that a step of Newton's method is small far from the crossing.
        done = (np.abs(new - x) <= tolerance * np.abs(new - best)) & (np.abs(f) <= CLOSE * rise)
        done |= lost | (np.abs(outer - inner) <= tolerance * np.abs(outer - best))
        out[active] = np.where(lost, np.nan, new)
        left = np.flatnonzero(~done)
        if len(left) < len(active):
            active, own = active[left], own.take(left)
            best, target, edge, inner, outer, new = (a[left] for a in (best, target, edge, inner, outer, new))
    return out


def _next(problem: Problem, best: Array, inner: Array, outer: Array, x: Array, f: Array, rise: float, side: int) -> Array:
    """Next point of a search for a crossing between `inner`, too low, and `outer`, too high or not known yet (NaN)."""
    gradient = 2 * (problem.total - problem.value(x)[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = x - f / gradient
    newton = np.where(np.isfinite(newton) & (np.sign(newton - best) == side), newton, np.nan)
    # Without an outer end: the statistic is convex, so that from inside Newton's method overshoots, which gives one.
    far = best + 8 * (x - best)
    open_end = np.where(side * (newton - far) <= 0, newton, np.where(np.isnan(newton), best + 2 * (x - best), far))
    # From outside it comes straight in, but slowly where the statistic is far above the target.
    middle = 0.5 * (inner + outer)
    between = (side * (newton - inner) > 0) & (side * (newton - outer) < 0)
    is_slow = (f > 0.5 * rise) & (np.abs(newton - x) < 0.25 * np.abs(outer - inner))
    closed = np.where(between & ~is_slow, newton, middle)
    return np.asarray(np.where(np.isnan(outer), open_end, np.where(f == 0, x, closed)))


def _width(problem: Problem, best: Array, rise: float) -> Array:
    """First guess of the distance to the crossing, from slope and curvature of the statistic at the best norm."""
    s, slope = problem.value(best)
    lean = 2 * np.maximum(problem.total - s, 0.0)  # not zero only at the floor
    bend = np.maximum(-slope, 1e-300)
    return np.asarray(2 * rise / (lean + np.sqrt(lean**2 + 4 * rise * bend)))
