"""The sum of all datasets' terms and the priors, as one function of the free parameters."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import FitError, InputError, ParameterError
from geminga.modeling.fit.constraints import Constraints, penalties_of
from geminga.modeling.fit.curvature import Curvature, Dense
from geminga.modeling.models.collection import Models
from geminga.numerics.arrow import Arrow, ArrowLayout, arrow_layout
from geminga.utils.threads import single_thread

__all__ = ["Objective", "all_or_nothing", "as_list", "freed", "models_of", "stat_sum_of", "unique"]

Array = NDArray[np.float64]


def as_list(datasets: Any) -> list[Any]:
    """Datasets, a list of them or a single one, as a list.

    Raises
    ------
    InputError
        If something has no ``likelihood``.
    """
    is_one = hasattr(datasets, "likelihood") or not isinstance(datasets, Iterable)
    items = [datasets] if is_one else list(datasets)
    for item in items:
        if not hasattr(item, "likelihood"):
            msg = f"Cannot fit {item!r} of type {type(item).__name__}; expected a dataset, a list of them, or Datasets."
            raise InputError(msg)
    if not items:
        msg = "There is no dataset to fit; give at least one."
        raise FitError(msg)
    return items


def models_of(datasets: Any) -> Models:
    """Models of datasets, each once, with their penalties."""
    return Models(unique(m for d in as_list(datasets) for m in d.models or []), penalties=penalties_of(datasets))


def stat_sum_of(datasets: Any) -> float:
    """Statistic of datasets at the present values, with the priors and penalties of their models, as in a fit."""
    models = models_of(datasets)
    constraints = models.parameters.prior_stat_sum() + sum(penalty.stat_sum() for penalty in models.penalties)
    return float(sum(d.stat_sum() for d in as_list(datasets)) + constraints)


#: From this number of free parameters on, the curvature is kept in blocks if most of it is zero.
MANY = 60


def _joined(terms: list[Any]) -> list[Any]:
    """Terms of one shape made one, where they can be (trait ``batch_key``), so that they are evaluated at once."""
    groups: dict[Hashable, list[Any]] = {}
    for own in terms:
        groups.setdefault(getattr(own, "batch_key", id(own)), []).append(own)
    return [group[0].join(group[1:]) if hasattr(group[0], "join") else group[0] for group in groups.values()]


def _values_of(own: Any, points: Array) -> Array:
    """Statistic of a term at many points."""
    if hasattr(own, "value_many"):
        return np.asarray(own.value_many(points))
    nothing = np.zeros(points.shape[1], dtype=bool)
    return np.array([own.evaluate(point, nothing, 0)[0] for point in points])


@contextmanager
def all_or_nothing(parameters: Sequence[Any], models: Models) -> Iterator[None]:
    """Whatever goes wrong inside, Ctrl-C included, leaves parameters and covariance as they were."""
    before = [(p, p.value, p.error, p.frozen) for p in unique([*parameters, *models.parameters])]
    blocks = [(own, own._blocks) for own in models._walk()]
    try:
        yield
    except BaseException:
        for p, value, error, frozen in before:
            p.value, p.error, p.frozen = value, error, frozen
        for own, block in blocks:
            own._blocks = block
        raise


@contextmanager
def freed(parameters: Iterable[Any]) -> Iterator[None]:
    """Parameters are free inside."""
    frozen = [p for p in parameters if p.frozen]
    try:
        for p in frozen:
            p.frozen = False
        yield
    finally:
        for p in frozen:
            p.frozen = True


def _without_parameters(datasets: list[Any]) -> str:
    """Why there is nothing to fit, in words."""
    names = ", ".join(repr(d.name) for d in datasets)
    models = dict.fromkeys(repr(m.name) for d in datasets for m in d.models or ())
    if models:
        return f"No parameter of the models {', '.join(models)} has an effect on dataset {names}; set models with others to fit."
    return (
        f"No models are set on dataset {names}; set dataset.models before the fit. "
        "A model with datasets_names belongs to the datasets of these names alone."
    )


class Objective:
    """Statistic of several datasets as a function of the values of the free parameters.

    Parameters
    ----------
    datasets : Datasets, list of Dataset or Dataset
        Each gives a term by ``likelihood()``.
    within_bounds : bool
        Refuse values outside their bounds, from which a search could not start.
    penalties : list, optional
        Penalties on the parameters; those of the models if not given.

    Raises
    ------
    FitError
        If there are no models or nothing is free.
    UnsupportedError
        If a penalty does not give its derivatives.
    ParameterError
        If a free parameter's value lies outside its bounds.
    """

    def __init__(self, datasets: Any, within_bounds: bool = True, penalties: Sequence[Any] | None = None) -> None:
        self.datasets = as_list(datasets)
        with single_thread():
            self.terms = _joined([d.likelihood() for d in self.datasets])
        self.parameters = unique(p for own in self.terms for p in own.parameters)
        if not self.parameters:
            raise FitError(_without_parameters(self.datasets))
        self.free = np.array([not p.frozen for p in self.parameters])
        if not self.free.any():
            msg = f"All parameters are frozen ({', '.join(p.name for p in self.parameters)}); unfreeze at least one to fit."
            raise FitError(msg)
        self.start = np.array([p.value for p in self.parameters], dtype=float)
        self.free_parameters = [p for p in self.parameters if not p.frozen]
        place = {id(p): i for i, p in enumerate(self.parameters)}
        self._position = np.where(self.free, np.cumsum(self.free) - 1, -1)
        self._index = [np.array([place[id(p)] for p in own.parameters], dtype=np.intp) for own in self.terms]
        self._free = [self.free[i] for i in self._index]
        self._place = [self._position[i[f]] for i, f in zip(self._index, self._free, strict=True)]
        self.constraints = Constraints(self.parameters, penalties_of(datasets) if penalties is None else penalties)
        self.low, self.high = self._bounds(within_bounds)
        self.logarithmic = np.array([p.interp == "log" for p in self.free_parameters])
        self.layout = self._layout() if len(self.free_parameters) >= MANY else None
        self.nfev = 0
        self._last: tuple[bytes, int, Any] = (b"", -1, None)
        self._is_small = all(getattr(own, "is_small", False) for own in self.terms)

    def _bounds(self, check: bool) -> tuple[Array, Array]:
        low = np.array([-np.inf if np.isnan(p.min) else p.min for p in self.free_parameters])
        high = np.array([np.inf if np.isnan(p.max) else p.max for p in self.free_parameters])
        for p, lo, hi in zip(self.free_parameters, low, high, strict=True):
            if lo > hi:
                msg = f"Parameter {p.name!r} has the lower bound {lo} above the upper bound {hi} ({p.unit}); exchange them."
                raise ParameterError(msg)
            if check and not lo <= p.value <= hi:
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

    @cached_property
    def nuisances(self) -> NDArray[np.bool_]:
        """Free parameters with a prior that pulls them somewhere."""
        out = np.zeros(len(self.free_parameters), dtype=bool)
        for i, prior in self.constraints.priors:
            j = self._position[i]
            out[j] |= j >= 0 and float(prior.curvature(self.start[i])) > 0
        return out

    def size(self, x: Array) -> Array:
        """Natural size of each free parameter: its value, or the width of its prior if that is larger."""
        size = np.abs(x)
        for i, prior in self.constraints.priors:
            j = self._position[i]
            bend = float(prior.curvature(x[j])) if j >= 0 else 0.0
            size[j] = max(size[j], np.sqrt(2 / bend)) if bend > 0 else size[j]
        return size

    def full(self, x: Array) -> Array:
        """Values of all parameters."""
        values = self.start.copy()
        values[self.free] = x
        return values

    def _threads(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._is_small else single_thread()

    def _remembered(self, x: Array, order: int) -> tuple[float, Array, Any]:
        """Statistic, gradient and curvature (dense or in blocks); the last result is remembered."""
        key = x.tobytes()
        if key == self._last[0] and (order == self._last[1] or order < 2 <= self._last[1]):
            result: tuple[float, Array, Any] = self._last[2]
            return result
        self.nfev += 1
        with self._threads():
            result = self._evaluate(x, order) if self.layout is None else self._evaluate_blocks(x, order, self.layout)
        self._last = (key, order, result)
        return result

    def __call__(self, x: Array, order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature at `x` (see `Term.evaluate` for `order`)."""
        stat, gradient, curvature = self._remembered(x, order)
        return stat, gradient, curvature if self.layout is None or order < 2 else curvature.dense()

    def value_many(self, points: Array, priors: bool = True) -> Array:
        """Statistic at many points, shape (n, n_free): at once where the terms can. `priors` are left out if false."""
        values = np.repeat(self.start[None], len(points), axis=0)
        values[:, self.free] = points
        stat = np.zeros(len(points))
        self.nfev += len(points)
        with self._threads():
            for own, index in zip(self.terms, self._index, strict=True):
                stat += _values_of(own, values[:, index])
        return stat + self.constraints.values(values, priors)

    def blocks(self, x: Array, order: int = 2) -> tuple[float, Array, Arrow]:
        """The same with the curvature in blocks; only if there is a `layout`."""
        return self._remembered(x, order)

    def curvature(self, x: Array, order: int = 3) -> tuple[float, Array, Curvature]:
        """The same with the curvature as an object."""
        stat, gradient, curvature = self._remembered(x, order)
        return stat, gradient, Dense(curvature) if self.layout is None else curvature

    def _evaluate(self, x: Array, order: int) -> tuple[float, Array, Array]:
        values = self.full(x)
        n = len(x)
        stat, gradient, curvature = 0.0, np.zeros(n), np.zeros((n, n))
        for own, index, free, place in zip(self.terms, self._index, self._free, self._place, strict=True):
            s, g, h = own.evaluate(values[index], free, order)
            stat += s
            if order >= 1:
                gradient[place] += g
            if order >= 2:
                curvature[place[:, None], place] += h
        if not self.constraints:
            return stat, gradient, curvature
        s, g, bends, blocks = self._constrained(values, order)
        np.einsum("ii->i", curvature)[:] += bends
        for at, block in blocks:
            np.add.at(curvature, np.ix_(at, at), block)
        return stat + s, gradient + g, curvature

    def _evaluate_blocks(self, x: Array, order: int, layout: ArrowLayout) -> tuple[float, Array, Arrow]:
        values = self.full(x)
        stat, gradient, data = 0.0, np.zeros(len(x)), np.zeros(layout.size + 1)
        for own, index, free, place in zip(self.terms, self._index, self._free, self._place, strict=True):
            if hasattr(own, "evaluate_blocks"):
                s, g, blocks = own.evaluate_blocks(values[index], free, order)
            else:
                s, g, h = own.evaluate(values[index], free, order)
                blocks = [(np.flatnonzero(free)[None], h[None])] if order >= 2 else []
            stat += s
            if order >= 1:
                gradient[place] += g
            for columns, block in blocks:
                at = self._position[index[columns]]
                i, j = np.broadcast_arrays(at[:, :, None], at[:, None, :])
                used = (i >= 0) & (j >= 0)
                data += np.bincount(layout.target(i[used], j[used]), block[used], minlength=len(data))
        s, g, bends, constraints = self._constrained(values, order)
        everything = np.arange(len(x))
        data += np.bincount(layout.target(everything, everything), bends, minlength=len(data))
        for at, block in constraints:
            i, j = np.broadcast_arrays(at[:, None], at[None, :])
            data += np.bincount(layout.target(i.ravel(), j.ravel()), block.ravel(), minlength=len(data))
        return stat + s, gradient + g, Arrow(layout, data[:-1])

    def _constrained(self, values: Array, order: int) -> tuple[float, Array, Array, list[tuple[NDArray[np.intp], Array]]]:
        """Priors and penalties: sum, gradient and second derivatives by the free parameters, and blocks of curvature."""
        stat, gradient, bends, blocks = self.constraints.derivatives(values, exact=order > 2)
        out = []
        for index, block in blocks if order >= 2 else []:
            at = self._position[index]
            out.append((at[at >= 0], block[np.ix_(at >= 0, at >= 0)]))
        return stat, gradient[self.free], bends[self.free], out

    def _layout(self) -> ArrowLayout | None:
        """Blocks of the curvature: parameters of one dataset alone are private. None if most of it is not zero anyway."""
        n = len(self.free_parameters)
        rows = []
        for own, index in zip(self.terms, self._index, strict=True):
            members = own.members() if hasattr(own, "members") else np.arange(len(index))[None]
            rows += [np.unique(row[row >= 0]) for row in self._position[index[members]]]
        rows += [np.unique(row[row >= 0]) for row in (self._position[group] for group in self.constraints.groups())]
        count = np.bincount(np.concatenate(rows), minlength=n)
        private = [row[count[row] == 1] for row in rows]
        layout = arrow_layout(n, private)
        return layout if layout.size < 0.25 * n * n else None

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
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        owner: dict[int, str] = {}
        for model in unique(m for dataset in self.datasets for m in dataset.models or []):
            for p in model.parameters:
                owner.setdefault(id(p), f"{model.name}.{p.name}")
        return [owner.get(id(p), p.name) for p in self.free_parameters]


def unique(items: Iterable[Any]) -> list[Any]:
    """Objects without repetition by identity, in order."""
    seen: dict[int, Any] = {}
    for item in items:
        seen.setdefault(id(item), item)
    return list(seen.values())
