"""The likelihood of datasets as a function of many points at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.modeling.fit.objective import Objective, freed

__all__ = ["Likelihood", "stat_sum_many"]

Array = NDArray[np.float64]


class Likelihood:
    """Statistic, likelihood and posterior of datasets at many points of their free parameters.

    The instrument responses are those at the sources' present positions.

    Parameters
    ----------
    datasets : Datasets, list of Dataset or Dataset
        Datasets with models.
    parameters : list of Parameter, optional
        Parameters in the order of the coordinates of a point, frozen ones may be among them; the free ones of the models in their
        order if not given. All others keep their values.

    Raises
    ------
    InputError
        If a parameter is not one of the datasets' models.
    FitError
        If there are no models, or nothing is free.
    """

    def __init__(self, datasets: Any, parameters: Sequence[Any] | None = None) -> None:
        wanted = [] if parameters is None else list(parameters)
        with freed(wanted):
            self._objective = Objective(datasets, within_bounds=False)
        own = {id(p): i for i, p in enumerate(self._objective.free_parameters)}
        if parameters is None:
            models = [m for d in self._objective.datasets for m in d.models or []]
            wanted = list({id(p): p for m in models for p in m.parameters if id(p) in own}.values())
        for p in wanted:
            if id(p) not in own:
                msg = f"Parameter {p.name!r} belongs to no model of the datasets, so the statistic does not depend on it."
                raise InputError(msg)
        self.parameters = wanted
        self._place = np.array([own[id(p)] for p in wanted], dtype=np.intp)

    @property
    def names(self) -> list[str]:
        """``model.parameter`` of each coordinate."""
        names = self._objective.names()
        return [names[i] for i in self._place]

    @property
    def nfev(self) -> int:
        """Number of points evaluated so far."""
        return self._objective.nfev

    def _full(self, points: Any) -> Array:
        points = np.asarray(points, dtype=float)
        n = len(self.parameters)
        if points.ndim != 2 or points.shape[1] != n:
            msg = f"Points have the shape {points.shape}; expected (number, {n}): a column for each of {', '.join(self.names)}."
            raise InputError(msg)
        full = np.repeat(self._objective.x0[None], len(points), axis=0)
        full[:, self._place] = points
        return full

    def stat_sum(self, points: Any, priors: bool = True) -> Array:
        """Statistic with penalties (and, unless told otherwise, priors) at points of shape (n, n_parameters), shape (n,)."""
        return self._objective.value_many(self._full(points), priors)

    def gradient(self, points: Any) -> tuple[Array, Array]:
        """The same with the exact gradient, shapes (n,) and (n, n_parameters)."""
        full = self._full(points)
        stat, gradient = np.zeros(len(full)), np.zeros((len(full), len(self.parameters)))
        for i, x in enumerate(full):
            stat[i], own, _ = self._objective(x, 1)
            gradient[i] = own[self._place]
        return stat, gradient

    def __call__(self, points: Any) -> Array:
        """Logarithm of the likelihood: minus half of the statistic without priors; -1e100 where it is not a number."""
        with np.errstate(all="ignore"):
            value = -0.5 * self.stat_sum(points, priors=False)
        return np.where(np.isfinite(value), value, -1e100)

    def log_posterior(self, points: Any) -> Array:
        """Logarithm of likelihood times prior density; minus infinity outside of the bounds of the parameters."""
        points = np.asarray(points, dtype=float)
        inside = np.ones(len(points), dtype=bool)
        for i, p in enumerate(self.parameters):
            inside &= ~((points[:, i] < p.min) | (points[:, i] > p.max))
        value = np.full(len(points), -np.inf)
        with np.errstate(all="ignore"):
            value[inside] = -0.5 * self.stat_sum(points[inside])
        return np.where(np.isnan(value), -np.inf, value)


def stat_sum_many(datasets: Any, values: Any, parameters: Any = None, gradient: bool = False) -> Any:
    """Fit statistic, priors and penalties included, at many parameter values at once.

    Models whose position and shape are not among the parameters are folded once, so that a thousand points cost little more than
    a few. The models are not changed. Instrument responses are those at the sources' present positions.

    Parameters
    ----------
    values : array
        Points, shape (n, n_parameters), each coordinate in its parameter's unit.
    parameters : list of Parameter, optional
        What the coordinates are; the free parameters of the models if not given.
    gradient : bool
        Also give the exact gradient.

    Returns
    -------
    stat : array
        Shape (n,).
    gradient : array
        Derivatives, shape (n, n_parameters); with `gradient` only.

    Raises
    ------
    InputError
        If the shape does not fit, or a parameter belongs to no model of the datasets.

    Examples
    --------
    >>> from geminga.cli.simulate import simulate_field
    >>> from geminga.datasets import Datasets
    >>> datasets = Datasets([simulate_field(seed=1)])
    >>> norm = datasets.models["demo-bkg"].spectral_model.norm
    >>> stat = datasets.stat_sum_many([[0.9], [1.0], [1.1]], parameters=[norm])
    >>> int(stat.argmin())
    1
    """
    likelihood = Likelihood(datasets, parameters)
    return likelihood.gradient(values) if gradient else likelihood.stat_sum(values)
