"""Plots of background rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.irf.plot import offsets_of, table_curves, table_image

__all__ = [
    "peek_2d",
    "peek_3d",
    "plot_2d",
    "plot_at_energy",
    "plot_at_energy_2d",
    "plot_energy_dependence",
    "plot_offset_dependence",
    "plot_spectrum",
]


def _label(irf: Any) -> str:
    return f"Background rate [{irf.unit.to_string('latex_inline')}]"


def _log_norm(values: Any) -> Any:
    """Logarithmic colours over the positive values."""
    from matplotlib.colors import LogNorm

    positive = values[np.isfinite(values) & (values > 0)]
    return LogNorm(*((positive.min(), positive.max()) if positive.size and positive.min() < positive.max() else (1e-1, 1.0)))


def plot_2d(
    self: Any, ax: Any = None, add_cbar: bool = True, axes_loc: Any = None, kwargs_colorbar: Any = None, **kwargs: Any
) -> Any:
    """Plot the rate against energy and offset.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    add_cbar : bool
        Add a colour bar.
    axes_loc, kwargs_colorbar : dict, optional
        Place and options of the colour bar.
    **kwargs
        Options of `matplotlib.axes.Axes.pcolormesh`.
    """
    bar = {"add_cbar": add_cbar, "axes_loc": axes_loc, "kwargs_colorbar": kwargs_colorbar}
    values = np.asarray(self.data, dtype=float)
    kwargs.setdefault("norm", _log_norm(values))
    return table_image(ax, self.axes["energy"], self.axes["offset"], values, _label(self), bar, **kwargs)


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
        table_image(ax, lon, lat, rate.value, _label(self), bar, **kwargs)
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


def plot_energy_dependence(self: Any, ax: Any = None, offset: Any = None, **kwargs: Any) -> Any:
    """Plot the rate against energy at some offsets.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset : Quantity, optional
        Offsets; five between the ends of the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    energy = self.axes["energy"]
    curves = {f"offset = {v:.2f}": self.evaluate(offset=v, energy=energy.center).value for v in offsets_of(self, offset, 5)}
    ax = table_curves(ax, energy, curves, _label(self), **kwargs)
    ax.set_yscale("log")
    return ax


def plot_offset_dependence(self: Any, ax: Any = None, energy: Any = None, **kwargs: Any) -> Any:
    """Plot the rate, relative to that at the smallest offset, against offset at some energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    energy : Quantity, optional
        Energies; five over the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    axis, offset = self.axes["energy"], self.axes["offset"]
    energies = axis.center[np.linspace(0, axis.nbin - 1, 5).astype(int)] if energy is None else np.atleast_1d(u.Quantity(energy))
    curves = {}
    for value in energies:
        rate = self.evaluate(offset=offset.center, energy=value).value
        if rate[0] > 0:
            curves[f"energy = {value:.3g}"] = rate / rate[0]
    ax = table_curves(ax, offset, curves, "Relative background rate", **kwargs)
    ax.set_yscale("log")
    return ax


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
