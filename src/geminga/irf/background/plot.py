"""Plots of background rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.irf.plot import quantity_label, table_curves, table_image

__all__ = [
    "peek_2d",
    "peek_3d",
    "plot_at_energy",
    "plot_at_energy_2d",
    "plot_spectrum",
]


def plot_at_energy(
    self: Any,
    energy: Any = 1 * u.TeV,
    add_cbar: bool = True,
    ncols: int = 3,
    figsize: tuple[float, float] | None = None,
    axes_loc: Any = None,
    kwargs_colorbar: Any = None,
    **kwargs: Any,
) -> None:
    """Plot the rate over the field of view at some energies.

    Parameters
    ----------
    energy : Quantity
        Energies.
    add_cbar : bool
        Add colour bars.
    ncols : int
        Number of columns of the grid of plots.
    figsize : tuple, optional
        Size of the figure.
    axes_loc, kwargs_colorbar : dict, optional
        Place and options of the colour bars.
    **kwargs
        Options of `matplotlib.axes.Axes.pcolormesh`.
    """
    import matplotlib.pyplot as plt

    energies = np.atleast_1d(u.Quantity(energy))
    columns = min(ncols, len(energies))
    rows = -(-len(energies) // columns)
    fig, panels = plt.subplots(rows, columns, figsize=figsize or (5 * columns, 4.4 * rows), squeeze=False)
    lon, lat = self.axes["fov_lon"], self.axes["fov_lat"]
    bar = {"add_cbar": add_cbar, "axes_loc": axes_loc, "kwargs_colorbar": kwargs_colorbar}
    for ax, value in zip(panels.flat, energies, strict=False):
        rate = self.evaluate(energy=value, fov_lon=lon.center[:, None], fov_lat=lat.center)
        table_image(ax, lon, lat, rate.value, quantity_label(self), bar, **kwargs)
        ax.set_title(f"{value:.3g}")
        ax.set_aspect("equal")
    for ax in panels.flat[len(energies) :]:
        ax.set_visible(False)
    fig.tight_layout()


def plot_at_energy_2d(
    self: Any,
    energy: Any = 1 * u.TeV,
    add_cbar: bool = True,
    ncols: int = 3,
    figsize: tuple[float, float] | None = None,
    **kwargs: Any,
) -> None:
    """Plot the rate over the field of view at some energies, see `Background3D.plot_at_energy`."""
    self.to_3d().plot_at_energy(energy=energy, add_cbar=add_cbar, ncols=ncols, figsize=figsize, **kwargs)


def plot_spectrum(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the rate integrated over the field of view against energy (options of `matplotlib.axes.Axes.plot`)."""
    edges = self.axes["offset"].edges
    energy = self.axes["energy"]
    offset = edges[-1] * (np.arange(200) + 0.5) / 200
    rings = 2 * np.pi * np.sin(offset.to_value("rad")) * (edges[-1].to_value("rad") / 200)
    rate = self.evaluate(offset=offset[:, None], energy=energy.center)
    total = u.Quantity((np.asarray(rate.value) * rings[:, None]).sum(axis=0), rate.unit * u.sr)
    ax = table_curves(
        ax, energy, {"integrated": total.value}, f"Background rate [{total.unit.to_string('latex_inline')}]", **kwargs
    )
    ax.set_yscale("log")
    return ax


def peek_2d(self: Any, figsize: tuple[float, float] = (10, 8)) -> None:
    """Plot the rate against energy, against offset, against both, and over the whole field of view."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(2, 2, figsize=figsize)
    self.plot(ax=axes[1][1])
    self.plot_offset_dependence(ax=axes[0][0])
    self.plot_energy_dependence(ax=axes[1][0])
    self.plot_spectrum(ax=axes[0][1])
    fig.tight_layout()


def peek_3d(self: Any, figsize: tuple[float, float] = (10, 8)) -> None:
    """Plot the mean over all directions, see `Background2D.peek`."""
    self.to_2d().peek(figsize)
