"""The sum of all datasets' terms and the priors, as one function of the free parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import FitError, InputError, ParameterError
from geminga.utils.threads import single_thread

__all__ = ["Objective", "as_list"]

Array = NDArray[np.float64]


def as_list(datasets: Any) -> list[Any]:
    """Datasets, a list of them or a single one, as a list.

    Raises
    ------
    InputError
        If something has no ``likelihood``.
    """
    items = [datasets] if hasattr(datasets, "likelihood") else list(datasets)
    for item in items:
        if not hasattr(item, "likelihood"):
            msg = f"Cannot fit {item!r} of type {type(item).__name__}; expected a dataset, a list of them, or Datasets."
            raise InputError(msg)
    if not items:
        msg = "There is no dataset to fit; give at least one."
        raise FitError(msg)
    return items


class Objective:
    """Statistic of several datasets as a function of the values of the free parameters.

    Parameters
    ----------
    datasets : list of Dataset
        Each gives a term by ``likelihood()``.

    Raises
    ------
    FitError
        If there are no models or nothing is free.
    ParameterError
        If a free parameter's value lies outside its bounds.
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = datasets
        with single_thread():
            self.terms = [d.likelihood() for d in datasets]
        unique: dict[int, Any] = {}
        for own in self.terms:
            for p in own.parameters:
                unique.setdefault(id(p), p)
        self.parameters = list(unique.values())
        if not self.parameters:
            names = ", ".join(repr(d.name) for d in datasets)
            msg = f"No models are set on dataset {names}; set dataset.models before the fit."
            raise FitError(msg)
        self.free = np.array([not p.frozen for p in self.parameters])
        if not self.free.any():
            msg = f"All parameters are frozen ({', '.join(p.name for p in self.parameters)}); unfreeze at least one to fit."
            raise FitError(msg)
        self.start = np.array([p.value for p in self.parameters], dtype=float)
        self.free_parameters = [p for p in self.parameters if not p.frozen]
        place = {id(p): i for i, p in enumerate(self.parameters)}
        position = np.cumsum(self.free) - 1
        self._index = [np.array([place[id(p)] for p in own.parameters], dtype=np.intp) for own in self.terms]
        self._place = [position[i[self.free[i]]] for i in self._index]
        self.low, self.high = self._bounds()
        self.nfev = 0
        self._last: tuple[bytes, int, Any] = (b"", -1, None)

    def _bounds(self) -> tuple[Array, Array]:
        low = np.array([-np.inf if np.isnan(p.min) else p.min for p in self.free_parameters])
        high = np.array([np.inf if np.isnan(p.max) else p.max for p in self.free_parameters])
        for p, lo, hi in zip(self.free_parameters, low, high, strict=True):
            if lo > hi or not lo <= p.value <= hi:
                msg = (
                    f"Parameter {p.name!r} has value {p.value} outside its bounds [{p.min}, {p.max}] ({p.unit}); "
                    "change the value or the bounds before the fit."
                )
                raise ParameterError(msg)
        return low, high

    @property
    def x0(self) -> Array:
        """Present values of the free parameters."""
        return np.asarray(self.start[self.free])

    def full(self, x: Array) -> Array:
        """Values of all parameters."""
        values = self.start.copy()
        values[self.free] = x
        return values

    def __call__(self, x: Array, order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature at `x` (see `Term.evaluate` for `order`); the last result is remembered."""
        key = x.tobytes()
        if key == self._last[0] and (order == self._last[1] or order < 2 <= self._last[1]):
            return self._last[2]
        self.nfev += 1
        with single_thread():
            result = self._evaluate(x, order)
        self._last = (key, order, result)
        return result

    def _evaluate(self, x: Array, order: int) -> tuple[float, Array, Array]:
        values = self.full(x)
        n = len(x)
        stat, gradient, curvature = 0.0, np.zeros(n), np.zeros((n, n))
        for own, index, place in zip(self.terms, self._index, self._place, strict=True):
            s, g, h = own.evaluate(values[index], self.free[index], order)
            stat += s
            if order >= 1:
                gradient[place] += g
            if order >= 2:
                curvature[np.ix_(place, place)] += h
        return self._add_priors(values, stat, gradient, curvature, order)

    def _add_priors(
        self, values: Array, stat: float, gradient: Array, curvature: Array, order: int
    ) -> tuple[float, Array, Array]:
        for i, p in enumerate(self.parameters):
            if p.prior is None:
                continue
            stat += float(p.prior(values[i]))
            if order and self.free[i]:
                j = int(np.sum(self.free[:i]))
                gradient[j] += float(p.prior.derivative(values[i]))
                step = 1e-4 * max(abs(values[i]), 1e-10)
                ends = p.prior.derivative(values[i] + step) - p.prior.derivative(values[i] - step)
                curvature[j, j] += max(float(ends) / (2 * step), 0.0)
        return stat, gradient, curvature

    def refresh(self, x: Array) -> bool:
        """Move the IRFs of each source to its position at `x`; says whether that can matter."""
        values = self.full(x)
        before, known = self(x, 0)[0], (self.terms, self._last)
        self.terms = [own.freeze_irf(values[i]) for own, i in zip(self.terms, self._index, strict=True)]
        self._last = (b"", -1, None)
        if abs(self(x, 0)[0] - before) > 1e-6:
            return True
        self.terms, self._last = known
        return False

    def write(self, x: Array) -> None:
        """Write values into the parameters: the only place where a fit does."""
        for p, value in zip(self.free_parameters, x, strict=True):
            p.value = float(value)

    def names(self) -> list[str]:
        """Names of the free parameters for messages, ``model.parameter`` where the model is known."""
        owner: dict[int, str] = {}
        for dataset in self.datasets:
            for model in dataset.models or []:
                for p in model.parameters:
                    owner.setdefault(id(p), f"{model.name}.{p.name}")
        return [owner.get(id(p), p.name) for p in self.free_parameters]


def unique(items: Iterable[Any]) -> list[Any]:
    """Objects without repetition by identity, in order."""
    seen: dict[int, Any] = {}
    for item in items:
        seen.setdefault(id(item), item)
    return list(seen.values())
