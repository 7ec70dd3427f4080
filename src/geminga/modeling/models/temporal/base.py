"""What every temporal model does, derived from its formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from astropy import units as u
from astropy.time import Time

from geminga.errors import InputError, NameLookupError
from geminga.modeling.models.base import ModelBase
from geminga.modeling.models.temporal import plot as figures
from geminga.numerics.radial import gauss_legendre
from geminga.utils.random import get_random_state
from geminga.utils.units import as_quantity

__all__ = ["TemporalModel"]


class TemporalModel(ModelBase):
    """Base class of temporal models: a dimensionless factor against time.

    Parameters
    ----------
    **kwargs
        Parameters by name, and ``scale``, the time scale in which ``t_ref`` counts (default "utc").
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
    def reference_time(self) -> Any:
        """Reference time; None for models without ``t_ref``."""
        if "t_ref" not in self.parameters.names:
            return None
        return Time(self.parameters["t_ref"].quantity.to_value("d"), format="mjd", scale=self.scale)

    @reference_time.setter
    def reference_time(self, value: Time) -> None:
        self.parameters["t_ref"].value = float(getattr(Time(value), self.scale).mjd)

    @staticmethod
    def time_sum(t_min: Time, t_max: Time) -> u.Quantity:
        """Sum of the durations, d."""
        return u.Quantity(np.sum(np.atleast_1d((t_max - t_min).to_value("d"))), "d")

    def _days(self, time: Time) -> u.Quantity:
        return u.Quantity(getattr(time, self.scale).mjd, "d")

    def __call__(self, time: Any, energy: Any = None, **kwargs: Any) -> Any:
        """Evaluate at times."""
        arguments = {par.name: par.quantity for par in self.parameters}
        return self.evaluate(self._days(Time(time)), **arguments, **kwargs)

    def integral(self, t_min: Any, t_max: Any, oversampling_factor: int = 100, **kwargs: Any) -> Any:
        """Average over intervals: the integral over each, divided by the sum of all durations.

        Parameters
        ----------
        t_min, t_max : Time
            Limits.
        oversampling_factor : int
            Gauss-Legendre nodes in each interval.

        Returns
        -------
        integral : array
            One value for each interval; their sum is the average.
        """
        low = np.atleast_1d(self._days(Time(t_min)).value)
        high = np.atleast_1d(self._days(Time(t_max)).value)
        if (high < low).any():
            msg = f"{type(self).__name__}.integral: t_max is before t_min; exchange them."
            raise InputError(msg)
        x, w = gauss_legendre(int(oversampling_factor))
        time = low[:, None] + (high - low)[:, None] * x
        arguments = {par.name: par.quantity for par in self.parameters}
        values = np.broadcast_to(u.Quantity(self.evaluate(u.Quantity(time, "d"), **arguments)).to_value(""), time.shape)
        total = float(np.sum(high - low))
        if total == 0:
            return np.zeros(len(low))
        return (values @ w) * (high - low) / total

    def sample_time(self, n_events: int, t_min: Any, t_max: Any, t_delta: Any = "1 s", random_state: Any = 0) -> Time:
        """Draw times.

        Parameters
        ----------
        n_events : int
            Number of times.
        t_min, t_max : Time
            Limits.
        t_delta : Quantity or str
            Step of the table that is inverted.
        random_state : int, RandomState or Generator
            Seed.
        """
        t_min = Time(t_min, scale=self.scale)
        span = float((Time(t_max) - t_min).to_value("s"))
        step = float(as_quantity(t_delta, "s", "t_delta").value)
        grid = np.linspace(0, span, max(int(np.ceil(span / step)), 1) + 1)
        middle = 0.5 * (grid[1:] + grid[:-1])
        rate = np.clip(np.broadcast_to(u.Quantity(self(t_min + middle * u.s)).to_value(""), middle.shape), 0, None)
        cdf = np.concatenate([[0.0], np.cumsum(rate)])
        draw = get_random_state(random_state).uniform(size=n_events) * cdf[-1]
        return t_min + np.interp(draw, cdf, grid) * u.s

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
