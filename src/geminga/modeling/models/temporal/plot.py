"""Plots of temporal models."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time

from geminga.errors import InputError
from geminga.utils.plot import current_axes

__all__ = ["plot", "plot_energies", "plot_phasogram"]


def _axes_and_times(self: Any, time_range: Any, ax: Any, n_points: int) -> tuple[Any, Time]:
    ends = (time_range.time_start[0], time_range.time_stop[-1]) if hasattr(time_range, "time_start") else tuple(time_range)
    if len(ends) != 2:
        msg = f"{type(self).__name__}.plot: time_range has {len(ends)} entries; expected its start and end."
        raise InputError(msg)
    low, high = (getattr(Time(t), self.scale) for t in ends)
    ax = current_axes(ax)
    ax.set(xlabel=f"Time [MJD, {self.scale}]", ylabel="Norm / A.U.")
    return ax, low + np.linspace(0, 1, n_points) * (high - low)


def plot(self: Any, time_range: Any, ax: Any = None, n_points: int = 100, **kwargs: Any) -> Any:
    """Plot the model.

    Parameters
    ----------
    time_range : pair of `~astropy.time.Time`
        Start and end.
    ax : Axes, optional
        Where to plot.
    n_points : int
        Number of points.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : Axes
        Axes.
    """
    ax, time = _axes_and_times(self, time_range, ax, n_points)
    ax.plot(time.mjd, self(time).to_value(""), **kwargs)
    return ax


def plot_energies(self: Any, time_range: Any, ax: Any = None, n_points: int = 100, energy: Any = None, **kwargs: Any) -> Any:
    """Plot a light curve with a line for each energy."""
    if not self.is_energy_dependent:
        return plot(self, time_range, ax=ax, n_points=n_points, **kwargs)
    ax, time = _axes_and_times(self, time_range, ax, n_points)
    energy = np.atleast_1d(u.Quantity(self._energy_axis.center if energy is None else energy))
    for own, values in zip(energy, self(time, energy=energy).to_value(""), strict=True):
        ax.plot(time.mjd, values, **{"label": f"{own:.3g}", **kwargs})
    ax.legend()
    return ax


def plot_phasogram(self: Any, ax: Any = None, n_points: int = 100, **kwargs: Any) -> Any:
    """Plot the phase curve over one period.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    n_points : int
        Number of points.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : Axes
        Axes.
    """
    ax = current_axes(ax)
    phase = np.linspace(0, 1, n_points)
    ax.plot(phase, self._curve.value(np.minimum(phase, 1 - 1e-12)), **kwargs)
    ax.set(xlabel="Phase", ylabel="Norm / A.U.")
    return ax
