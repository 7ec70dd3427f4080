"""Plots of temporal models."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time

__all__ = ["plot"]


def plot(self: Any, time_range: Any, ax: Any = None, n_points: int = 100, **kwargs: Any) -> Any:
    """Plot the model.

    Parameters
    ----------
    time_range : pair of Time
        Limits.
    ax : Axes, optional
        Where to plot.
    n_points : int
        Number of points.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    import matplotlib.pyplot as plt

    ax = plt.gca() if ax is None else ax
    low, high = (Time(t) for t in time_range)
    time = low + np.linspace(0, 1, n_points) * (high - low)
    values = np.broadcast_to(u.Quantity(self(time)).to_value(""), time.shape)
    ax.plot(time.mjd, values, **kwargs)
    ax.set(xlabel=f"Time [MJD, {self.scale}]", ylabel="Norm / A.U.")
    return ax
