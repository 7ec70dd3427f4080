"""The likelihood of an on and an off measurement whose ratio of acceptances is uncertain.

The background b of the off region is profiled; the prediction in the on region is q = s + alpha f b with the signal s and a
factor f of energy. With y = alpha f b, w = dW/ds = 2 (1 - n_on / q), c = 2 n_on / q^2 and D = c y^2 + 2 n_off, the profile
statistic W has

    dW/dln f        = y w
    d2W/ds dln f    = y W_ss - c y^2 w / D
    d2W/(dln f)^2   = y^2 W_ss + y w - y^2 (w^2 + 2 w c y) / D

from the derivatives of the statistic by s, ln f and b, with b eliminated. The terms with W_ss alone are positive.

Legend: e energy, b bin, k parameter of the factor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.dense import DenseTerm
from geminga.modeling.models.derivative import Evaluator

__all__ = ["RatioTerm"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RatioTerm(DenseTerm):
    """A `DenseTerm` with a factor on the ratio of acceptances.

    Attributes
    ----------
    factor : Evaluator
        f and its gradient, shapes (n_e,) and (n_k, n_e).
    index : array of int
        Places of its parameters.
    """

    factor: Evaluator = field(kw_only=True)
    index: NDArray[np.intp] = field(kw_only=True)

    def _inner(self, values: Array) -> tuple[DenseTerm, Array]:
        """The term for the factor at some values, and the derivatives of its logarithm."""
        own = values[self.index]

        def make() -> tuple[DenseTerm, Array]:
            f, gradient = self.factor(own)
            statistic: Any = self.statistic
            scaled = statistic.with_ratio(f[self.field.bin_energy])
            return DenseTerm(self.field, self.parameters, scaled, self.sources, self.templates), gradient / f

        return self.memo.get(own.tobytes(), make)

    def evaluate(self, values: Array, free: NDArray[np.bool_], order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature; see `PoissonTerm.evaluate`."""
        inner, slopes = self._inner(values)
        stat, gradient, curvature = inner.evaluate(values, np.ones(len(values), bool), order)
        if order == 0:
            return stat, gradient, curvature
        at = inner.point(values)
        statistic: Any = inner.statistic
        y = statistic.background(at.mu)
        energy = self.field.bin_energy
        by_ratio = np.bincount(energy, y * at.slope, minlength=self.field.n_energy)
        np.add.at(gradient, self.index, slopes @ by_ratio)
        if order == 1:
            return stat, gradient[free], curvature
        rows, jacobian = slopes[:, energy], inner._jacobian(at)
        mixed, both = y * at.curvature, y**2 * at.curvature
        if order > 2:
            w = at.slope
            c = 2 * statistic.n_on / np.maximum(at.mu + y, 1e-100) ** 2
            bend = c * y**2 + 2 * statistic.n_off
            inverse = np.divide(y**2, bend, out=np.zeros_like(y), where=bend > 0)
            mixed = mixed - c * w * inverse
            both = both + y * w - (w**2 + 2 * w * c * y) * inverse
        cross = (jacobian * mixed) @ rows.T
        np.add.at(curvature.T, self.index, cross.T)
        np.add.at(curvature, self.index, cross.T)
        block = (rows * both) @ rows.T
        if order > 2:
            block += self._second(values, np.asarray(by_ratio, dtype=float))
        np.add.at(curvature, np.ix_(self.index, self.index), block)
        return stat, gradient[free], curvature[np.ix_(free, free)]

    def _second(self, values: Array, weight: Array) -> Array:
        """Second derivatives of ``sum(weight * ln f)``, by differences of the first ones."""
        own = values[self.index]
        out = np.empty((len(own), len(own)))
        for k, step in enumerate(1e-5 * np.maximum(np.abs(own), 1e-2)):
            ends = [self.factor(own + sign * step * (np.arange(len(own)) == k)) for sign in (1, -1)]
            up, down = (gradient / f for f, gradient in ends)
            out[k] = (up - down) @ weight / (2 * step)
        return 0.5 * (out + out.T)

    def value_many(self, points: Array) -> Array:
        """Statistic at many points, shape (n, n_parameters): one by one, as each has its own ratio."""
        nothing = np.zeros(points.shape[1], dtype=bool)
        return np.array([self.evaluate(point, nothing, 0)[0] for point in points])
