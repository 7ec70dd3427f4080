"""The likelihood of spectra: one region each, sources whose counts are linear in their true-energy flux.

    mu[d, e] = b[d, e] + sum_m sum_T F_m[d, T] K_m[d, T, e]

K, made once, is exposure times the part of the source inside the region times energy dispersion; the flux F, a function of
the spectral parameters, is all that is evaluated. Derivatives fold in the same way, so value, gradient and second
derivatives are a few small matrix products, exact.

Datasets of one shape are joined into one term, with an axis for the dataset in front: many spectra cost as many
numbers, but no more Python than one.

Legend: d dataset, s distinct set of spectral parameters, m model, T true energy, e energy, j parameter of a model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geminga.forward.memo import Memo
from geminga.forward.steps import second_of
from geminga.modeling.models.derivative import Evaluator, evaluate_many
from geminga.numerics.likelihood import Statistic

__all__ = ["Blocks", "Signal", "SpectrumTerm"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
#: Places of parameters, shape (n, k), and the parts of the curvature which belong to them, shape (n, k, k).
Blocks = tuple[Index, Array]


@dataclass(frozen=True)
class Signal:
    """One model in each dataset: counts ``flux @ matrix``, or ``flux * matrix`` for a factor on each bin.

    Parameters
    ----------
    name : str
        Name of the model in the first dataset.
    flux : Evaluator
        Flux in the bins of true energy (or the factor) and its derivatives, for values of the model's parameters.
    index : array
        Where the parameters of each dataset's model stand among the values of the term, shape (d, j).
    matrix : array
        Shape (d, T, e), cm2 s; (d, e) for factors.
    key : hashable
        Signals of equal keys have equal fluxes for equal values.
    rows : bool array or None
        Which bins of the flux the matrix is for; None for all.
    is_background : bool
        Whether it is a background without a model, which is no prediction of one.
    """

    name: str
    flux: Evaluator
    index: Index
    matrix: Array
    key: Hashable
    rows: Flags | None = None
    is_background: bool = False
    distinct: Index = dataclasses.field(init=False)  # rows of `index` without repetition, shape (s, j)
    which: Index = dataclasses.field(init=False)  # for each dataset its row of `distinct`

    def __post_init__(self) -> None:
        if len(self.index) == 1:
            distinct, which = self.index, np.zeros(1, dtype=np.intp)
        else:
            distinct, which = np.unique(self.index, axis=0, return_inverse=True)
        object.__setattr__(self, "distinct", distinct)
        object.__setattr__(self, "which", which.reshape(-1))

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Flux of each distinct set of parameters and its derivatives, shapes (s, T) and (s, j, T)."""
        return self.fluxes(values[self.distinct])

    def fluxes(self, own: Array) -> tuple[Array, Array]:
        """The same for any values of the model's parameters, shape (n, j)."""
        value, gradient = evaluate_many(self.flux, own)
        return (value, gradient) if self.rows is None else (value[..., self.rows], gradient[..., self.rows])

    def of_bins(self, bins: Flags) -> Signal:
        """The same for some of the bins, without the true energies that do not reach any of these."""
        matrix = self.matrix[..., bins]
        kept: Any = bins if self.matrix.ndim == 2 else matrix.any(axis=(0, 2))
        if kept.all():
            return replace(self, matrix=matrix)
        rows: Any = np.zeros(len(kept) if self.rows is None else len(self.rows), dtype=bool)
        rows[np.flatnonzero(kept) if self.rows is None else np.flatnonzero(self.rows)[kept]] = True
        return replace(self, matrix=matrix if self.matrix.ndim == 2 else matrix[:, kept], rows=rows)

    def fold(self, flux: Array) -> Array:
        """Counts from fluxes of the distinct sets, shape (s, ..., T) to (d, ..., e)."""
        own = flux if len(flux) == 1 else flux[self.which]
        if self.matrix.ndim == 2:
            return np.asarray(own * self.matrix.reshape(len(self.matrix), *(1,) * (own.ndim - 2), -1))
        if own.ndim == 2:
            return np.asarray(np.matmul(own[:, None], self.matrix)[:, 0])
        return np.asarray(np.matmul(own, self.matrix))

    def unfold(self, weight: Array) -> Array:
        """Weights of bins, shape (d, e), as weights of the fluxes of the distinct sets, shape (s, T): transpose of `fold`."""
        own = self.matrix * weight if self.matrix.ndim == 2 else np.matmul(self.matrix, weight[:, :, None])[:, :, 0]
        if len(self.distinct) == 1:
            return np.asarray(own.sum(axis=0, keepdims=True))
        if len(self.distinct) == len(own):
            out = np.empty_like(own)
            out[self.which] = own
            return out
        out = np.zeros((len(self.distinct), own.shape[1]))
        np.add.at(out, self.which, own)
        return out

    def second(self, values: Array, at: tuple[Array, Array], weight: Array, free: Flags) -> Array:
        """Second derivatives of ``sum(weight * flux)``, shape (s, j, j); `at` is the flux and its derivatives there."""
        columns = np.flatnonzero(free[self.distinct].any(axis=0))
        if self.rows is not None:
            weight, own = np.zeros((len(weight), len(self.rows))), weight
            weight[:, self.rows] = own
        return second_of(self.flux, values[self.distinct], at, weight, columns)


@dataclass(frozen=True)
class _Point:
    """The term at some values: fluxes with derivatives, predicted counts, statistic and its derivatives by bin."""

    fluxes: Sequence[tuple[Array, Array]]
    mu: Array
    stat: float
    slope: Array
    curvature: Array


@dataclass(frozen=True)
class SpectrumTerm:
    """See the module's text. `parameters` are the unique parameters, in the order of the values."""

    parameters: tuple[Any, ...]
    statistic: Statistic
    signals: tuple[Signal, ...]
    offset: Array  # counts that no model touches, shape (d, e)
    used: Flags  # bins inside the mask, shape (d, e); the others are neutral
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(2), init=False)
    is_small: ClassVar[bool] = True  # its products are too small for a second thread to be started

    # ---- value ---------------------------------------------------------------------------------

    def _point(self, values: Array) -> _Point:
        return self.memo.get(values.tobytes(), lambda: self._make_point(values))

    def _make_point(self, values: Array) -> _Point:
        fluxes = [signal(values) for signal in self.signals]
        mu = self.offset
        for signal, (flux, _) in zip(self.signals, fluxes, strict=True):
            mu = mu + signal.fold(flux)
        stat, slope, curvature = self.statistic.terms(mu)
        return _Point(fluxes, mu, float(stat.sum()), slope, curvature)

    def folded(self, values: Array) -> Array:
        """Predicted counts of the models, shape (d, e)."""
        return self._sum(values, np.zeros_like(self.offset), [own for own in self.signals if not own.is_background])

    def _sum(self, values: Array, mu: Array, signals: Sequence[Signal]) -> Array:
        for signal in signals:
            mu = mu + signal.fold(signal(values)[0])
        return mu

    def dense(self, values: Array) -> Array:
        """Predicted counts with the background which no model touches, shape (d, e)."""
        return self._sum(values, self.offset, self.signals)

    def value_many(self, points: Array) -> Array:
        """Statistic at many points, shape (n, n_parameters): all fluxes and predictions at once."""
        n_bin = max(1, self.offset.size + sum(signal.distinct.shape[0] * signal.matrix.shape[1] for signal in self.signals))
        size = max(1, 4_000_000 // n_bin)
        parts = [self._values(points[start : start + size]) for start in range(0, len(points), size)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _values(self, points: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mu = np.broadcast_to(self.offset, (len(points), *self.offset.shape))
            for signal in self.signals:
                n_set, n = signal.distinct.shape
                flux, _ = signal.fluxes(points[:, signal.distinct].reshape(-1, n))
                flux = np.moveaxis(flux.reshape(len(points), n_set, flux.shape[-1]), 0, 1)
                mu = mu + np.moveaxis(signal.fold(flux), 0, 1)
            return np.asarray(self.statistic.value(mu).sum(axis=(1, 2)))

    # ---- derivatives ---------------------------------------------------------------------------

    def evaluate(self, values: Array, free: Flags, order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature.

        Parameters
        ----------
        values : array
            Values of all `parameters`, each in its own unit.
        free : bool array
            Which to differentiate by.
        order : int
            0 value; 1 gradient; 2 positive curvature J^T W J; 3 exact second derivatives.
        """
        stat, gradient, blocks = self.evaluate_blocks(values, free, order)
        if order < 2:
            return stat, gradient, np.zeros((0, 0))
        n = len(values)
        curvature = np.zeros(n * n)
        for index, block in blocks:
            target = index[:, :, None] * n + index[:, None, :]
            curvature += np.bincount(target.ravel(), block.ravel(), minlength=n * n)
        full = curvature.reshape(n, n)
        return stat, gradient, full if free.all() else full[free][:, free]

    def evaluate_blocks(self, values: Array, free: Flags, order: int = 2) -> tuple[float, Array, list[Blocks]]:
        """As `evaluate`, with the curvature as a sum of blocks over all parameters; those of frozen ones mean nothing."""
        # Absurd values of a trial step overflow; the statistic is then not finite and the step refused.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._evaluate(values, free, order)

    def _evaluate(self, values: Array, free: Flags, order: int) -> tuple[float, Array, list[Blocks]]:
        at = self._point(values)
        if order == 0:
            return at.stat, np.zeros(0), []
        if order == 1:
            return at.stat, self._gradient(at, len(values))[free], []
        index, jacobian = self._jacobian(at, free)
        part = np.matmul(jacobian, at.slope[:, :, None])
        gradient = np.asarray(np.bincount(index.ravel(), part.ravel(), minlength=len(values)), dtype=float)
        blocks: list[Blocks] = [(index, np.matmul(jacobian * at.curvature[:, None], jacobian.swapaxes(1, 2)))]
        if order > 2:
            pairs = zip(self.signals, at.fluxes, strict=True)
            blocks += [(s.distinct, s.second(values, flux, s.unfold(at.slope), free)) for s, flux in pairs]
        return at.stat, gradient[free], blocks

    def _gradient(self, at: _Point, n: int) -> Array:
        """Gradient by one transposed fold for each model, whatever the number of parameters."""
        gradient = np.zeros(n)
        for signal, (_, derivative) in zip(self.signals, at.fluxes, strict=True):
            part = np.matmul(derivative, signal.unfold(at.slope)[:, :, None])
            gradient += np.bincount(signal.distinct.ravel(), part.ravel(), minlength=n)
        return gradient

    def _jacobian(self, at: _Point, free: Flags) -> tuple[Index, Array]:
        """Derivatives of the counts by those parameters which are free in any dataset: places (d, j), rows (d, j, e)."""
        places, rows = [], []
        for signal, (_, derivative) in zip(self.signals, at.fluxes, strict=True):
            columns = np.flatnonzero(free[signal.index].any(axis=0))
            places.append(signal.index[:, columns])
            rows.append(signal.fold(derivative[:, columns]))
        if len(rows) == 1:
            return places[0], rows[0]
        n_set, n_energy = self.offset.shape
        places.append(np.zeros((n_set, 0), dtype=np.intp))
        return np.concatenate(places, axis=1), np.concatenate([*rows, np.zeros((n_set, 0, n_energy))], axis=1)

    def members(self) -> Index:
        """Parameters of each dataset, shape (d, j)."""
        parts = [signal.index for signal in self.signals]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(self.offset), 0), dtype=np.intp)

    # ---- many datasets -------------------------------------------------------------------------

    @property
    def batch_key(self) -> Hashable:
        """Terms with equal keys can be joined."""
        return (
            type(self.statistic),
            self.offset.shape[1:],
            tuple((s.key, s.matrix.shape[1:], s.rows is None) for s in self.signals),
        )

    def join(self, others: Sequence[SpectrumTerm]) -> SpectrumTerm:
        """One term for the datasets of several, all of the same `batch_key`, without the bins which none of them uses."""
        terms = (self, *others)
        parameters = {id(p): p for term in terms for p in term.parameters}
        place = {key: position for position, key in enumerate(parameters)}
        own = [np.array([place[id(p)] for p in term.parameters], dtype=np.intp) for term in terms]
        used = np.concatenate([term.used for term in terms])
        bins: Any = used.any(axis=0)
        signals = []
        for number, signal in enumerate(self.signals):
            members = [term.signals[number] for term in terms]
            index = np.concatenate([at[member.index] for at, member in zip(own, members, strict=True)])
            matrix = np.concatenate([member.matrix for member in members])
            signals.append(replace(signal, index=index, matrix=matrix).of_bins(bins))
        statistic: Any = self.statistic
        joined = statistic.join([term.statistic for term in others]).take(bins)
        offset = np.concatenate([term.offset[:, bins] for term in terms])
        return SpectrumTerm(tuple(parameters.values()), joined, tuple(signals), offset, used[:, bins])

    def freeze_irf(self, values: Array) -> SpectrumTerm:
        """The IRFs of a region do not move."""
        return self
