"""The likelihood of flux points as a function of parameter values.

A point is predicted by the sum of the models' spectra at its energy, each times the average of its course in time over the
interval of the point. Points are independent, so that with statistic s_i and its derivatives s_i', s_i'' in the prediction m_i,

    stat = sum s_i,   gradient = sum s_i' dm_i,   curvature = sum s_i'' dm_i dm_i .

Where points are correlated, s'' is a matrix and the curvature sum s_ij'' dm_i dm_j.

Legend: i point, e energy, t time interval, j parameter of the term.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FluxPointsTerm", "FluxSource", "PointPlan", "make_flux_term", "point_plan"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Terms = Callable[[Array], tuple[Array, Array, Array]]


@dataclass(frozen=True)
class PointPlan:
    """Energies and times of points.

    Attributes
    ----------
    energy : array
        Energies, TeV, shape (n_e,).
    energy_index, time_index : array
        Which energy and time interval each point has, shape (n,).
    times : tuple or None
        Starts and stops (`Time`), over which courses in time are averaged.
    is_time_axis : bool
        Whether each interval is of its own, or all together are one.
    """

    energy: Array
    energy_index: Index
    time_index: Index
    times: tuple[Any, Any] | None
    is_time_axis: bool


def point_plan(data: Any, keep: NDArray[np.bool_]) -> PointPlan:
    """Energies and times of those flux points which are kept; `keep` has the shape of the data."""
    geom = data.geom
    where = np.indices(tuple(int(n) for n in geom.data_shape))
    energy = geom.axes["energy"].center.to_value("TeV")
    energy_index = where[geom.axes.index_data("energy")][keep]
    time_index = np.zeros(len(energy_index), dtype=np.intp)
    times, is_time_axis = None, "time" in geom.axes.names
    if is_time_axis:
        axis = geom.axes["time"]
        times, time_index = (axis.time_min, axis.time_max), where[geom.axes.index_data("time")][keep]
    elif data.gti is not None and len(data.gti.table):
        times = (data.gti.time_start, data.gti.time_stop)
    return PointPlan(np.asarray(energy, dtype=float), energy_index, time_index, times, is_time_axis)


@dataclass(frozen=True)
class FluxSource:
    """A model's differential flux at the points, and the places of its parameters in the term's values.

    Attributes
    ----------
    spectrum : callable
        Gives dnde and its gradient, shapes (n_e,) and (n_own, n_e).
    index : int array
        Places of the spectrum's parameters.
    plan : PointPlan
        Points.
    course : callable or None
        Gives the average of the course in time, shape (n_e or 1, n_t), and its gradient.
    course_index : int array
        Places of its parameters.
    course_steps : array
        Changes of these parameters that matter.
    """

    spectrum: Callable[[Array], tuple[Array, Array]]
    index: Index
    plan: PointPlan
    course: Callable[[Array], tuple[Array, Array]] | None = None
    course_index: Index = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    course_steps: Array = dataclasses.field(default_factory=lambda: np.zeros(0))

    def predict(self, values: Array) -> tuple[Array, Array]:
        """Flux of each point, and its derivatives in all parameters of the term, shape (n_parameters, n)."""
        flux, gradient = self.spectrum(values[self.index])
        jacobian = np.zeros((len(values), len(self.plan.energy_index)))
        e, t = self.plan.energy_index, self.plan.time_index
        if self.course is None:
            np.add.at(jacobian, self.index, gradient[:, e])
            return flux[e], jacobian
        average, slope = self.course(values[self.course_index])
        row = e if average.shape[0] > 1 else np.zeros_like(e)
        np.add.at(jacobian, self.index, gradient[:, e] * average[row, t])
        np.add.at(jacobian, self.course_index, slope[:, row, t] * flux[e])
        return flux[e] * average[row, t], jacobian


def _course(model: Any, plan: PointPlan) -> tuple[Callable[[Array], tuple[Array, Array]], float]:
    """Average of a temporal model over each interval, or over all of them, and the days from first to last."""
    assert plan.times is not None
    start, stop = plan.times
    span = float(np.max(stop.mjd) - np.min(start.mjd))
    if not plan.is_time_axis:
        evaluator = model.average_evaluator(start, stop, plan.energy)

        def over_all(values: Array) -> tuple[Array, Array]:
            value, gradient = evaluator(values)
            return np.reshape(value, (-1, 1)), np.reshape(gradient, (len(values), -1, 1))

        return over_all, span
    low, high, origin = model._intervals(start, stop)
    integral = model._interval_evaluator(low, high, origin, plan.energy if model.is_energy_dependent else None, 100)

    def over_each(values: Array) -> tuple[Array, Array]:
        value, gradient = integral(values)
        n = len(low)
        return np.reshape(value / (high - low), (-1, n)), np.reshape(gradient / (high - low), (len(values), -1, n))

    return over_each, span


@dataclass(frozen=True)
class FluxPointsTerm:
    """Likelihood term of flux points; see the module's text.

    Attributes
    ----------
    parameters : tuple of Parameter
        Unique parameters, in the order of the values.
    sources : sequence of FluxSource
        Models.
    terms : callable
        Takes the predictions, shape (n,); returns statistic and its derivatives, the second of shape (n,) or (n, n).
    """

    parameters: tuple[Any, ...]
    sources: Sequence[FluxSource]
    terms: Terms

    def predict(self, values: Array) -> tuple[Array, Array]:
        """Differential flux of each point, cm-2 s-1 TeV-1, and its derivatives, shape (n_parameters, n)."""
        parts = [source.predict(values) for source in self.sources]
        return np.sum([p[0] for p in parts], axis=0), np.sum([p[1] for p in parts], axis=0)

    def _steps(self, values: Array) -> Array:
        """Steps for differences of gradients."""
        steps = np.where(values != 0, 1e-5 * np.abs(values), 1e-5)
        for source in self.sources:
            # A date is a large number of which small changes matter.
            own = source.course_index
            steps[own] = np.minimum(steps[own], 1e-4 * source.course_steps)
        return steps

    def evaluate(self, values: Array, free: NDArray[np.bool_], order: int = 2) -> tuple[float, Array, Array]:
        """Statistic, gradient and curvature.

        Parameters
        ----------
        values : array
            Values of all `parameters`, each in its own unit.
        free : bool array
            Which to differentiate by.
        order : int
            0 value; 1 gradient; 2 curvature without second derivatives of the models, which is positive; 3 with them.
        """
        flux, jacobian = self.predict(values)
        stat, first, second = self.terms(flux)
        total = float(stat.sum())
        if order == 0:
            return total, np.zeros(0), np.zeros((0, 0))
        own = jacobian[free]
        gradient = own @ first
        if order == 1:
            return total, gradient, np.zeros((0, 0))
        curvature = own @ second @ own.T if second.ndim == 2 else (own * second) @ own.T
        if order > 2:
            curvature += self._second(values, free, first)
        return total, gradient, curvature

    def _second(self, values: Array, free: NDArray[np.bool_], weight: Array) -> Array:
        """Second derivatives of ``sum(weight * flux)``, from differences of its gradient."""
        rows, steps = np.flatnonzero(free), self._steps(values)
        hessian = np.zeros((len(rows), len(rows)))
        for i, j in enumerate(rows):
            ends = []
            for side in (steps[j], -steps[j]):
                moved = values.copy()
                moved[j] += side
                ends.append(self.predict(moved)[1][free] @ weight)
            hessian[i] = (ends[0] - ends[1]) / (2 * steps[j])
        return 0.5 * (hessian + hessian.T)

    def freeze_irf(self, values: Array) -> FluxPointsTerm:
        """The term itself: flux points have no instrument response."""
        return self


def make_flux_term(plan: PointPlan, models: Sequence[Any], terms: Terms) -> FluxPointsTerm:
    """Term of flux points with their models.

    Parameters
    ----------
    plan : PointPlan
        Points.
    models : sequence of SkyModel
        Models.
    terms : callable
        See `FluxPointsTerm`.
    """
    parameters: list[Any] = []
    place: dict[int, int] = {}

    def index(own: Any) -> Index:
        for parameter in own:
            if id(parameter) not in place:
                place[id(parameter)] = len(parameters)
                parameters.append(parameter)
        return np.array([place[id(parameter)] for parameter in own], dtype=np.intp)

    sources = []
    for model in models:
        spectral, temporal = model.spectral_model, getattr(model, "temporal_model", None)
        arguments: dict[str, Any] = {}
        if temporal is not None and plan.times is not None:
            course, span = _course(temporal, plan)
            arguments = {"course": course, "course_index": index(temporal.parameters)}
            arguments["course_steps"] = temporal._natural_steps(span)
        sources.append(FluxSource(spectral.dnde_evaluator(plan.energy), index(spectral.parameters), plan, **arguments))
    return FluxPointsTerm(tuple(parameters), sources, terms)
