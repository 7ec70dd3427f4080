"""The Poisson likelihood of one dataset as a function of parameter values.

    -2 ln L = 2 sum(mu) - 2 sum(n ln mu)

The first sum runs over the mask and is linear in the models; the second runs over occupied bins. Where no source
reaches, mu is a template times one factor per energy, and both sums are closed forms.

Legend: e energy, b occupied bin, j parameter of the term.
"""

from __future__ import annotations

import copy as copying
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field, Selection
from geminga.forward.folded import folded
from geminga.forward.many import poisson_value_many
from geminga.forward.memo import Memo
from geminga.forward.steps import add_factor_second
from geminga.numerics.poisson import TRUNCATION

__all__ = ["Component", "PoissonTerm", "Source", "Template"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Largest number of bins in an approximate curvature.
CURVATURE_BINS = 6000


class State(Protocol):
    """Result of ``Component.forward``."""

    selection: Selection
    counts: Array
    total: float


class Component(Protocol):
    """A model over a field: value, and derivatives on request."""

    def forward(self, values: Array) -> Any:
        """Counts near the source and total; returns a `State`."""

    def pullback(self, state: Any, weight: Array) -> Array:
        """Derivatives of ``sum(weight * counts) + total``."""

    def jacobian(self, state: Any, which: Index) -> Array:
        """Derivatives of some counts, shape (n_parameters, n_which)."""

    def hessian(self, state: Any, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * counts) + total``."""

    def dense(self, values: Array) -> tuple[Array, Index]:
        """Counts in all bins near the source, shape (n_e, n), and the pixels."""


@dataclass(frozen=True)
class Source:
    """A component and the places of its parameters in the term's values."""

    name: str
    component: Any
    index: Index
    scale: Array  # component's number for one unit of the parameter (deg for positions)
    offset: Array | float = 0.0  # value at which the component's number is zero
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(2), init=False)

    def own(self, values: Array) -> Array:
        """The component's numbers at the term's values."""
        return np.asarray((values[self.index] - self.offset) * self.scale)

    def forward(self, values: Array) -> Any:
        """`Component.forward` at the term's values."""
        own = self.own(values)
        return self.memo.get(own.tobytes(), lambda: self.component.forward(own))

    def pullback(self, state: Any, weight: Array) -> Array:
        """`Component.pullback` in the parameters' own units."""
        return np.asarray(self.component.pullback(state, weight) * self.scale)

    def jacobian(self, state: Any, which: Index) -> Array:
        """`Component.jacobian` in the parameters' own units."""
        return np.asarray(self.component.jacobian(state, which) * self.scale[:, None])

    def hessian(self, state: Any, weight: Array) -> Array:
        """`Component.hessian` in the parameters' own units."""
        return np.asarray(self.component.hessian(state, weight) * np.outer(self.scale, self.scale))

    def dense(self, values: Array) -> tuple[Array, Index]:
        """`Component.dense` at the term's values."""
        counts, pixels = self.component.dense(self.own(values))
        return counts, pixels

    def freeze_irf(self, values: Array, parameters: Sequence[Any]) -> Source:
        """The same with the IRFs at its position in `values`; folded if only its spectrum can vary."""
        own = self.own(values)
        frozen = np.array([parameters[j].frozen for j in self.index], dtype=bool)
        return replace(self, component=folded(self.component.freeze_irf(own), own, frozen))


@dataclass(frozen=True)
class Template:
    """A map of counts times one factor per energy: background, or a template of predicted counts.

    Attributes
    ----------
    bins : array
        Template in the occupied bins, shape (n_b,).
    total : array
        Sum over the mask for each energy, shape (n_e,).
    factor : callable or None
        ``factor(values) -> (f, gradient)``, shapes (n_e,), (n_parameters, n_e); None for one.
    """

    name: str
    bins: Array
    total: Array
    factor: Callable[[Array], tuple[Array, Array]] | None
    index: Index
    image: Array  # (n_e, n_p), the template in every pixel of the field

    def scale(self, values: Array) -> tuple[Array, Array]:
        """Factor per energy and its gradient."""
        if self.factor is None:
            return np.ones(len(self.total)), np.zeros((0, len(self.total)))
        return self.factor(values[self.index])


@dataclass(frozen=True)
class _Point:
    """The term at some parameter values: what every order of derivative starts from."""

    states: Sequence[Any]
    scales: Sequence[tuple[Array, Array]]  # factor of each template and its gradient
    touched: Index  # occupied bins which need the full expression
    n: Array  # their counts
    energy: NDArray[np.int32]
    bases: Sequence[Array]  # templates in them
    mu: Array
    rest: Array  # counts in the other bins, per energy
    stat: float


@dataclass(frozen=True)
class PoissonTerm:
    """See the module's text. `parameters` are the unique parameters, in the order of the values."""

    field: Field
    parameters: tuple[Any, ...]
    sources: Sequence[Source]
    templates: Sequence[Template]
    constant: float = 0.0
    log_base: Array = dataclasses.field(init=False)  # n ln(base), zero where the base is not positive
    energy_counts: Array = dataclasses.field(init=False)
    dark: Index = dataclasses.field(init=False)
    tile_log_base: Array = dataclasses.field(init=False)
    tile_counts: Array = dataclasses.field(init=False)
    memo_bins: Memo = dataclasses.field(default_factory=lambda: Memo(2), init=False)
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(1), init=False)

    def __post_init__(self) -> None:
        n, e = self.field.bin_counts, self.field.bin_energy
        base = self.templates[0].bins if len(self.templates) == 1 else np.zeros(len(n))
        bright = base > 0
        log_base = np.zeros(len(n))
        log_base[bright] = n[bright] * np.log(base[bright])
        object.__setattr__(self, "log_base", log_base)
        object.__setattr__(self, "energy_counts", np.bincount(e, n * bright, minlength=self.field.n_energy))
        object.__setattr__(self, "dark", np.flatnonzero(~bright))
        # The same sums for each tile: what a source touches is a union of tiles.
        tile = np.repeat(np.arange(len(self.field.bin_start) - 1), np.diff(self.field.bin_start))
        n_tile, n_e = len(self.field.bin_start) - 1, self.field.n_energy
        object.__setattr__(self, "tile_log_base", np.bincount(tile, log_base, minlength=n_tile))
        counts = np.bincount(tile * n_e + e, n * bright, minlength=n_tile * n_e).reshape(n_tile, n_e)
        object.__setattr__(self, "tile_counts", counts)

    def _touched(self, states: Sequence[State], closed: bool) -> Index:
        """Occupied bins which need the full expression."""
        if not closed:
            return np.arange(len(self.field.bin_counts))
        if len(states) == 1 and len(self.dark) == 0:
            return states[0].selection.bins
        flag = np.zeros(len(self.field.bin_counts), bool)
        flag[self.dark] = True
        for state in states:
            flag[state.selection.bins] = True
        return np.flatnonzero(flag)

    def evaluate(self, values: Array, free: NDArray[np.bool_], order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature.

        Parameters
        ----------
        values : array
            Values of all `parameters`, each in its own unit.
        free : bool array
            Which to differentiate by.
        order : int
            0 value; 1 gradient; 2 approximate curvature (positive, from a sample of bins where there are very many);
            3 exact second derivatives.
        """
        at = self.memo.get(values.tobytes(), lambda: self._make_point(values))
        if order == 0:
            return at.stat, np.zeros(0), np.zeros((0, 0))
        weight = -at.n / at.mu  # enormous where mu is not positive: no minimum can be there
        own = self._source_weights(at, weight)
        gradient = self._gradient(at, weight, own)
        if order == 1:
            return at.stat, gradient[free], np.zeros((0, 0))
        curvature = self._curvature(at, exact=order > 2)
        if order > 2:
            self._add_second(curvature, at, own)
            self._add_template_second(curvature, values, at, weight)
        return at.stat, gradient[free], curvature[np.ix_(free, free)]

    value_many = poisson_value_many

    def _make_point(self, values: Array) -> _Point:
        states = [s.forward(values) for s in self.sources]
        scales = [t.scale(values) for t in self.templates]
        closed = len(self.templates) == 1 and bool((scales[0][0] > 0).all())
        touched = self._touched(states, closed)
        n, energy, bases = self._bins(states, touched)
        mu = np.maximum(self._expected(states, scales, touched, energy, bases), TRUNCATION)
        total = sum(s.total for s in states) + sum(float(f @ t.total) for (f, _), t in zip(scales, self.templates, strict=True))
        log_sum = float(n @ np.log(mu))
        rest = np.zeros(self.field.n_energy)
        if closed:
            tiles = self._tiles(states)
            rest = self.energy_counts - self.tile_counts[tiles].sum(axis=0)
            log_sum += float(self.tile_log_base.sum() - self.tile_log_base[tiles].sum())
            log_sum += float(rest @ np.log(scales[0][0]))
        return _Point(states, scales, touched, n, energy, bases, mu, rest, 2 * (total - log_sum) + self.constant)

    def _tiles(self, states: Sequence[State]) -> Index:
        """Tiles which any source touches."""
        if len(states) == 1:
            return states[0].selection.tiles
        flag = np.zeros(len(self.tile_log_base), bool)
        for state in states:
            flag[state.selection.tiles] = True
        return np.flatnonzero(flag)

    def _bins(self, states: Sequence[State], touched: Index) -> tuple[Array, NDArray[np.int32], list[Array]]:
        """Counts, energy and templates in the touched bins."""
        key = tuple(id(state.selection) for state in states)
        kept = [state.selection for state in states]  # so that the identities stay theirs
        energy = self.field.bin_energy

        def make() -> tuple[Any, ...]:
            return kept, self.field.bin_counts[touched], energy[touched], [t.bins[touched] for t in self.templates]

        _, n, own_energy, bases = self.memo_bins.get((key, len(touched)), make)
        return n, own_energy, bases

    def _expected(
        self,
        states: Sequence[State],
        scales: Sequence[tuple[Array, Array]],
        touched: Index,
        energy: NDArray[np.int32],
        bases: Sequence[Array],
    ) -> Array:
        if len(states) == 1 and touched is states[0].selection.bins:
            mu = states[0].counts.copy()
        else:
            full = np.zeros(len(self.field.bin_counts))
            for state in states:
                full[state.selection.bins] += state.counts
            mu = full[touched]
        for base, (f, _) in zip(bases, scales, strict=True):
            mu += base * f[energy]
        return mu

    def _per_energy(self, at: _Point, weight: Array, number: int) -> Array:
        """Derivative of the statistic (halved) by the factor of a template at each energy."""
        factor = at.scales[number][0]
        out = self.templates[number].total + np.bincount(at.energy, weight * at.bases[number], minlength=len(factor))
        return np.asarray(out - np.divide(at.rest, factor, out=np.zeros_like(factor), where=at.rest > 0))

    def _source_weights(self, at: _Point, weight: Array) -> list[Array]:
        """Derivative of the statistic (halved) by the counts of each source in its bins."""
        if len(at.states) == 1 and at.touched is at.states[0].selection.bins:
            return [weight]
        full = np.zeros(len(self.field.bin_counts))
        full[at.touched] = weight
        return [full[state.selection.bins] for state in at.states]

    def _gradient(self, at: _Point, weight: Array, own: Sequence[Array]) -> Array:
        gradient = np.zeros(len(self.parameters))
        for source, state, part in zip(self.sources, at.states, own, strict=True):
            np.add.at(gradient, source.index, 2 * source.pullback(state, part))
        for number, (template, (_, df)) in enumerate(zip(self.templates, at.scales, strict=True)):
            if len(df):
                np.add.at(gradient, template.index, 2 * (df @ self._per_energy(at, weight, number)))
        return gradient

    def _sample(self, states: Sequence[State], touched: Index, exact: bool) -> tuple[Index | slice, Array | float]:
        """Places in `touched` of the bins for the curvature, and the number of bins each stands for."""
        stride = 1 if exact else max(1, -(-len(touched) // CURVATURE_BINS))
        if stride == 1:
            return slice(None), 1.0
        compact = [s for s in states if len(s.selection.bins) <= CURVATURE_BINS]
        if not compact:
            places = np.arange(0, len(touched), stride)
            return places, np.full(len(places), len(touched) / len(places))
        weight = np.zeros(len(self.field.bin_counts))
        weight[touched[::stride]] = stride
        for state in compact:
            weight[state.selection.bins] = 1.0
        own = weight[touched]
        places = np.flatnonzero(own)
        return places, own[places]

    def _curvature(self, at: _Point, exact: bool) -> Array:
        position, weight = self._sample(at.states, at.touched, exact)
        chosen = at.touched[position]
        jacobian = np.zeros((len(self.parameters), len(chosen)))
        for source, state in zip(self.sources, at.states, strict=True):
            if at.touched is state.selection.bins:
                which = np.arange(len(at.touched)) if isinstance(position, slice) else position
                for row, j in zip(source.jacobian(state, which), source.index, strict=True):
                    jacobian[j] += row
                continue
            place = np.full(len(self.field.bin_counts), -1, dtype=np.intp)
            place[chosen] = np.arange(len(chosen))
            where = place[state.selection.bins]
            which = np.flatnonzero(where >= 0)
            part = source.jacobian(state, which)
            for row, j in zip(part, source.index, strict=True):
                jacobian[j, where[which]] += row
        for base, template, (_, df) in zip(at.bases, self.templates, at.scales, strict=True):
            for row, j in zip(df, template.index, strict=True):
                jacobian[j] += base[position] * row[at.energy[position]]
        jacobian *= np.sqrt(2 * weight * at.n[position]) / at.mu[position]
        curvature = jacobian @ jacobian.T
        for template, (f, df) in zip(self.templates, at.scales, strict=True):
            if len(df) and at.rest.any():
                part = 2 * (df * (at.rest / f**2)) @ df.T
                np.add.at(curvature, np.ix_(template.index, template.index), part)
        return curvature

    def _add_second(self, curvature: Array, at: _Point, own: Sequence[Array]) -> None:
        for source, state, part in zip(self.sources, at.states, own, strict=True):
            np.add.at(curvature, np.ix_(source.index, source.index), 2 * source.hessian(state, part))

    def _add_template_second(self, curvature: Array, values: Array, at: _Point, weight: Array) -> None:
        """Second derivatives of the factors, from differences of their gradients."""
        for number, template in enumerate(self.templates):
            add_factor_second(curvature, template, values, 2 * self._per_energy(at, weight, number))
        curvature[:] = 0.5 * (curvature + curvature.T)

    def freeze_irf(self, values: Array) -> PoissonTerm:
        """The same term with each source's IRFs taken at its position in `values`."""
        sources = [s.freeze_irf(values, self.parameters) for s in self.sources]
        new = copying.copy(self)  # the sums over bins do not depend on the IRFs
        for name, value in {"sources": sources, "memo": Memo(1), "memo_bins": Memo(2)}.items():
            object.__setattr__(new, name, value)
        return new

    def dense(self, values: Array) -> Array:
        """Expected counts in every pixel of the field, shape (n_e, n_p): the slow twin of `evaluate`."""
        mu = np.zeros((self.field.n_energy, len(self.field.pixel)))
        for source in self.sources:
            counts, pixels = source.dense(values)
            mu[:, pixels] += counts
        for template in self.templates:
            mu += template.image * template.scale(values)[0][:, None]
        return mu

    def dense_stat(self, values: Array) -> float:
        """Statistic from `dense`, bin by bin."""
        mu = self.dense(values)
        mask = self.field.mask[self.field.group]
        inside = np.zeros_like(mu)
        inside[self.field.bin_energy, self.field.bin_pixel] = self.field.bin_counts
        mu, n = mu[mask], inside[mask]
        occupied = n > 0
        stat = 2 * (mu.sum() - n[occupied] @ np.log(np.maximum(mu[occupied], TRUNCATION)))
        return float(stat + self.constant)
