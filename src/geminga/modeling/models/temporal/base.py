"""What every temporal model does, derived from its formula.

A model of one's own gives parameters and ``evaluate`` with Quantities; it is averaged by quadrature and differentiated
numerically. A built-in model adds `TemporalModel._interval_evaluator`: exact integrals with their derivatives.

Legend: low and high are the bounds of intervals in days since `origin`, a whole MJD in the model's scale, so that no digits
are lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import ArrayLike, NDArray

from geminga.errors import InputError, NameLookupError
from geminga.modeling.models.base import ModelBase
from geminga.modeling.models.derivative import Evaluator, Result, current_values, differentiate, in_canonical, quantities
from geminga.modeling.models.temporal import plot as figures
from geminga.numerics.interpolation import bracket
from geminga.numerics.radial import gauss_legendre
from geminga.numerics.sampling import draw_columns
from geminga.utils.random import get_random_state
from geminga.utils.units import as_quantity

__all__ = ["TemporalModel", "days_since"]

Array = NDArray[np.float64]

#: Largest number of cells of a table that times are drawn from.
_MAX_CELLS = 1_000_000
#: Energies at which light curves that depend on energy are tabulated for this.
_N_NODES = 60
_MJD_0 = 2400000.5


def days_since(time: Time, origin: float, scale: str) -> Array:
    """Days from a whole MJD to times, in a time scale."""
    own = getattr(time, scale)
    return np.asarray((own.jd1 - _MJD_0 - origin) + own.jd2, dtype=float)


class TemporalModel(ModelBase):
    """Base class of temporal models: a dimensionless factor against time.

    A model of one's own derives from it::

        class Halving(TemporalModel):
            tag = ["Halving", "halving"]
            period = Parameter("period", "3 d")
            t_ref = Parameter("t_ref", "55000 d", frozen=True)

            @staticmethod
            def evaluate(time, period, t_ref):
                return 0.5 ** ((time - t_ref) / period).to_value("")

        TEMPORAL_MODEL_REGISTRY.append(Halving)

    Parameters
    ----------
    **kwargs
        Parameters by name, and ``scale``, the time scale in which ``t_ref`` counts (default "utc").

    Raises
    ------
    NameLookupError
        If the time scale or a parameter is unknown.
    """

    _type = "temporal"
    _dict_keys = frozenset({"type", "parameters", "scale"})

    evaluate: Any
    plot = figures.plot

    def __init__(self, **kwargs: Any) -> None:
        scale = kwargs.pop("scale", "utc")
        if scale not in Time.SCALES:
            msg = f"{type(self).__name__}: time scale {scale!r} is not known; choose one of {', '.join(Time.SCALES)}."
            raise NameLookupError(msg)
        self.scale = scale
        super().__init__(**kwargs)

    @property
    def is_energy_dependent(self) -> bool:
        """Whether it depends on energy."""
        return False

    @property
    def _break_energies(self) -> tuple[float, ...]:
        """Energies in TeV where the dependence on energy has a kink."""
        return ()

    def _natural_steps(self, span: float) -> Array:
        """Changes of the parameters, in their units, which matter over a span in days."""
        return np.ones(len(self.parameters))

    # Reference --------------------------------------------------------------------------------------------------------

    @property
    def reference_time(self) -> Any:
        """Reference time as a `~astropy.time.Time`; None for models without ``t_ref``."""
        if "t_ref" not in self.parameters.names:
            return None
        return Time(self.parameters["t_ref"].quantity.to_value("d"), format="mjd", scale=self.scale)

    @reference_time.setter
    def reference_time(self, value: Time) -> None:
        if "t_ref" not in self.parameters.names:
            msg = f"{type(self).__name__} has no reference time that could be set."
            raise InputError(msg)
        self.parameters["t_ref"].quantity = u.Quantity(float(getattr(Time(value), self.scale).mjd), "d")

    @staticmethod
    def time_sum(t_min: Time, t_max: Time) -> u.Quantity:
        """Sum of the durations, d."""
        return u.Quantity(np.sum(np.atleast_1d((t_max - t_min).to_value("d"))), "d")

    # Values -----------------------------------------------------------------------------------------------------------

    def __call__(self, time: Any, energy: Any = None, **kwargs: Any) -> u.Quantity:
        """Evaluate at times.

        Parameters
        ----------
        time : `~astropy.time.Time`
            Times.
        energy : Quantity, optional
            Energies, for models which depend on them.

        Returns
        -------
        value : Quantity
            Dimensionless, shape of `time`.
        """
        arguments = {par.name: par.quantity for par in self.parameters}
        mjd = u.Quantity(getattr(Time(time), self.scale).mjd, "d")
        return u.Quantity(np.broadcast_to(self.evaluate(mjd, **arguments, **kwargs), mjd.shape))

    # Averages ---------------------------------------------------------------------------------------------------------

    def _interval_evaluator(self, low: Array, high: Array, origin: float, energy: Array | None, n_nodes: int) -> Evaluator:
        """Integral over each interval in days, shape ([n_energy,] n), and its gradient by the parameters in their units."""
        x, w = gauss_legendre(n_nodes)
        width = high - low
        time = u.Quantity(origin + low[:, None] + width[:, None] * x, "d")
        parameters, name = self.parameters, type(self).__name__
        # A date is a large number; what matters is the length of the intervals.
        steps = {par.name: 1e-4 * np.median(width) * u.d.to(par.unit) for par in parameters if par.name == "t_ref" and len(width)}

        def values_at(values: Array) -> Array:
            own = in_canonical(self.evaluate(time, **quantities(parameters, values)), u.dimensionless_unscaled, name)
            return np.asarray(np.broadcast_to(own, time.shape) @ w * width)

        return lambda values: differentiate(values_at, values, parameters, steps=steps)

    def _intervals(self, t_min: Any, t_max: Any) -> tuple[Array, Array, float]:
        start, stop = Time(t_min), Time(t_max)
        origin = float(np.floor(np.min(getattr(start, self.scale).mjd))) if start.size else 0.0
        low, high = (np.ravel(days_since(time, origin, self.scale)) for time in (start, stop))
        if (high < low).any():
            msg = f"{type(self).__name__}: t_max is before t_min; exchange them."
            raise InputError(msg)
        return low, high, origin

    def average_evaluator(self, t_min: Any, t_max: Any, energy: ArrayLike | None = None) -> Evaluator:
        """Prepare the average over intervals, weighted by their durations.

        Parameters
        ----------
        t_min, t_max : `~astropy.time.Time`
            Bounds of the intervals, shape (n,).
        energy : array, optional
            Energies in TeV, shape (n_energy,), for models which depend on them.

        Returns
        -------
        evaluator : callable
            Takes parameter values in their own units; returns the average, a float or shape (n_energy,), and its
            derivatives with a parameter axis in front.

        Raises
        ------
        InputError
            If an interval ends before it starts, or all have no duration.
        """
        low, high, origin = self._intervals(t_min, t_max)
        total = float(np.sum(high - low))
        if not total > 0:
            msg = f"{type(self).__name__}: the {len(low)} time intervals have no duration to average over; check the GTI."
            raise InputError(msg)
        own = np.asarray(energy, dtype=float) if energy is not None and self.is_energy_dependent else None
        evaluator = self._interval_evaluator(low, high, origin, own, 100)

        def average(values: ArrayLike) -> Result:
            value, gradient = evaluator(values)
            return np.asarray(value.sum(axis=-1) / total), gradient.sum(axis=-1) / total

        return average

    def integral(self, t_min: Any, t_max: Any, oversampling_factor: int = 100, **kwargs: Any) -> u.Quantity:
        """Average over intervals: the integral over each, divided by the sum of all durations.

        Parameters
        ----------
        t_min, t_max : `~astropy.time.Time`
            Bounds.
        oversampling_factor : int
            Gauss-Legendre nodes in each interval, for models without closed form.
        **kwargs
            ``energy``, for models which depend on it.

        Returns
        -------
        integral : Quantity
            One value for each interval; their sum is the average. With energies these come first.

        Raises
        ------
        InputError
            If an interval ends before it starts, or the integral is not finite.
        """
        low, high, origin = self._intervals(t_min, t_max)
        energy = self._energies(kwargs.pop("energy", None), kwargs)
        evaluator = self._interval_evaluator(low, high, origin, energy, int(oversampling_factor))
        value, _ = evaluator(current_values(self.parameters))
        if not np.all(np.isfinite(value)):
            what = ", ".join(f"{par.name}={par.quantity}" for par in self.parameters)
            msg = f"{type(self).__name__} ({what}) has no finite integral from {Time(t_min)} to {Time(t_max)}; check t_ref."
            raise InputError(msg)
        total = float(np.sum(high - low))
        value = value / total if total > 0 else np.zeros_like(value)
        return u.Quantity(value.reshape((*value.shape[:-1], *Time(t_min).shape)), "")

    def _energies(self, energy: Any, unknown: Mapping[str, Any]) -> Array | None:
        if unknown:
            msg = f"{type(self).__name__}.integral: unknown option {', '.join(unknown)}; known: energy."
            raise InputError(msg)
        if energy is None or not self.is_energy_dependent:
            return None
        return np.ravel(np.asarray(as_quantity(energy, "TeV", "energy").value, dtype=float))

    # Samples ----------------------------------------------------------------------------------------------------------

    def sample_time(
        self, n_events: int, t_min: Any, t_max: Any, t_delta: Any = "1 s", random_state: Any = 0, *, energy: Any = None
    ) -> Time:
        """Draw times by inversion of the integral.

        Parameters
        ----------
        n_events : int
            Number of times.
        t_min, t_max : `~astropy.time.Time`
            Bounds; of several intervals if they are arrays.
        t_delta : Quantity or str
            Step of the table that is inverted; at most a million steps are made.
        random_state : int, RandomState or Generator
            Seed.
        energy : Quantity, optional
            Energy of each event, for models which depend on it; the sum over the energies of the model if not given.

        Returns
        -------
        time : `~astropy.time.Time`
            Not sorted, in the model's scale.

        Raises
        ------
        InputError
            If the model is zero or not finite between the bounds.
        """
        low, high, origin = self._intervals(t_min, t_max)
        step = float(as_quantity(t_delta, "d", "t_delta").value)
        if not step > 0:
            msg = f"{type(self).__name__}.sample_time: t_delta is {t_delta!r}; expected a positive duration."
            raise InputError(msg)
        own = None if energy is None or not self.is_energy_dependent else as_quantity(energy, "TeV", "energy").value
        days = self._draw_days(int(n_events), low, high, origin, step, get_random_state(random_state), own)
        return Time(origin, days, format="mjd", scale=self.scale)

    def _draw_days(self, n: int, low: Array, high: Array, origin: float, step: float, rng: Any, energy: Any) -> Array:
        """Times in days since the origin, distributed as the model says over intervals."""
        nodes = None if energy is None else _nodes_around(energy, self._break_energies)
        width = high - low
        cells = np.maximum(np.ceil(width / max(step, width.sum() * (1 if nodes is None else len(nodes)) / _MAX_CELLS)), 1)
        cells = cells.astype(int)
        number = np.arange(cells.sum()) - np.repeat(np.cumsum(cells) - cells, cells)
        size = np.repeat(width / cells, cells)
        start = np.repeat(low, cells) + number * size
        value, _ = self._interval_evaluator(start, start + size, origin, nodes, 2)(current_values(self.parameters))
        table = np.clip(np.atleast_2d(value), 0, None)
        table = table.sum(axis=0)[None] if nodes is None else table
        if n and not (np.isfinite(table).all() and (table.sum(axis=1) > 0).all()):
            what = f"{Time(origin + low.min(), format='mjd').iso} and {Time(origin + high.max(), format='mjd').iso}"
            msg = f"{type(self).__name__} is zero or not finite between {what}; nothing can be drawn, check t_ref."
            raise InputError(msg)
        rows = np.zeros(n, dtype=np.intp) if nodes is None else _nearest_nodes(nodes, energy, rng)
        column, fraction = draw_columns(rows, lambda used: table[used], table.shape[1], rng)
        return np.asarray(start[column] + fraction * size[column])

    # Dictionaries -----------------------------------------------------------------------------------------------------

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        data = super().to_dict(full_output)
        data["temporal"]["scale"] = self.scale
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it."""
        entry = cls._entry(data, kwargs)
        if "scale" in entry:
            kwargs.setdefault("scale", entry["scale"])
        return super().from_dict(data, **kwargs)


def _nodes_around(energy: Array, breaks: tuple[float, ...]) -> Array:
    """Energies between those of events, close to each other, with the breaks among them."""
    low, high = (float(np.min(energy)), float(np.max(energy))) if len(energy) else (1.0, 1.0)
    return np.unique([*np.geomspace(low, high, _N_NODES), *(own for own in breaks if low < own < high)])


def _nearest_nodes(nodes: Array, energy: Array, rng: Any) -> NDArray[np.intp]:
    """One of the two nodes around each energy, with the weights of interpolation."""
    index, fraction = bracket(np.log(energy), np.log(nodes))
    return np.asarray(index + (rng.uniform(size=len(index)) < fraction))
