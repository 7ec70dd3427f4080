"""The likelihood of one dataset from all its bins, for statistics that empty bins enter in full.

    s = sum_b s_b(mu_b)

Where the Poisson statistic needs the occupied bins alone, an off measurement makes every bin count. Sources and
templates are those of `geminga.forward.term`, over a field whose bins are all that the mask holds.

Legend: e energy, b bin, j parameter of the term.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field
from geminga.forward.many import dense_value_many
from geminga.forward.memo import Memo
from geminga.forward.steps import add_factor_second
from geminga.forward.term import Source, Template
from geminga.numerics.likelihood import Statistic

__all__ = ["DenseTerm"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Point:
    """The term at some values: states of the sources, factors of the templates, and the statistic by bin."""

    states: Sequence[Any]
    scales: Sequence[tuple[Array, Array]]
    mu: Array
    stat: float
    slope: Array
    curvature: Array


@dataclass(frozen=True)
class DenseTerm:
    """See the module's text. `parameters` are the unique parameters, in the order of the values."""

    field: Field
    parameters: tuple[Any, ...]
    statistic: Statistic
    sources: Sequence[Source]
    templates: Sequence[Template]
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(2), init=False)

    def evaluate(self, values: Array, free: NDArray[np.bool_], order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature; see `PoissonTerm.evaluate`."""
        at = self.point(values)
        if order == 0:
            return at.stat, np.zeros(0), np.zeros((0, 0))
        gradient = np.zeros(len(self.parameters))
        for source, state in zip(self.sources, at.states, strict=True):
            # A source gives the derivative of sum(weight * counts) + total, and all bins of the total are here.
            np.add.at(gradient, source.index, source.pullback(state, at.slope[state.selection.bins] - 1))
        for template, (_, derivative) in zip(self.templates, at.scales, strict=True):
            np.add.at(gradient, template.index, derivative @ self._per_energy(template, at.slope))
        if order == 1:
            return at.stat, gradient[free], np.zeros((0, 0))
        jacobian = self._jacobian(at)
        curvature = (jacobian * at.curvature) @ jacobian.T
        if order > 2:
            self._add_second(curvature, values, at)
        return at.stat, gradient[free], curvature[np.ix_(free, free)]

    value_many = dense_value_many

    def point(self, values: Array) -> _Point:
        """The term at some values; the last are remembered."""
        return self.memo.get(values.tobytes(), lambda: self._make_point(values))

    def _make_point(self, values: Array) -> _Point:
        states = [source.forward(values) for source in self.sources]
        scales = [template.scale(values) for template in self.templates]
        mu = np.zeros(len(self.field.bin_counts))
        for state in states:
            mu[state.selection.bins] += state.counts
        for template, (factor, _) in zip(self.templates, scales, strict=True):
            mu += template.bins * factor[self.field.bin_energy]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            stat, slope, curvature = self.statistic.terms(mu)
        return _Point(states, scales, mu, float(stat.sum()), slope, curvature)

    def _per_energy(self, template: Template, weight: Array) -> Array:
        summed = np.bincount(self.field.bin_energy, weight * template.bins, minlength=self.field.n_energy)
        return np.asarray(summed, dtype=float)

    def _jacobian(self, at: _Point) -> Array:
        """Derivatives of the counts in all bins, shape (j, b)."""
        jacobian = np.zeros((len(self.parameters), len(self.field.bin_counts)))
        for source, state in zip(self.sources, at.states, strict=True):
            bins = state.selection.bins
            for row, j in zip(source.jacobian(state, np.arange(len(bins))), source.index, strict=True):
                jacobian[j, bins] += row
        for template, (_, derivative) in zip(self.templates, at.scales, strict=True):
            for row, j in zip(derivative, template.index, strict=True):
                jacobian[j] += template.bins * row[self.field.bin_energy]
        return jacobian

    def _add_second(self, curvature: Array, values: Array, at: _Point) -> None:
        """Second derivatives of the counts times the slopes; those of the factors by differences of their gradients."""
        for source, state in zip(self.sources, at.states, strict=True):
            part = source.hessian(state, at.slope[state.selection.bins] - 1)
            np.add.at(curvature, np.ix_(source.index, source.index), part)
        for template in self.templates:
            add_factor_second(curvature, template, values, self._per_energy(template, at.slope))
        curvature[:] = 0.5 * (curvature + curvature.T)

    def freeze_irf(self, values: Array) -> DenseTerm:
        """The same term with each source's IRFs taken at its position in `values`."""
        sources = [s.freeze_irf(values, self.parameters) for s in self.sources]
        return replace(self, sources=sources)
