"""Plots of PSF tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.irf.plot import table_curves, table_image

__all__ = ["peek_psf", "plot_containment_radius", "plot_containment_radius_vs_energy", "plot_psf_vs_rad"]


def plot_containment_radius(
    self: Any,
    ax: Any = None,
    fraction: float = 0.68,
    add_cbar: bool = True,
    axes_loc: Any = None,
    kwargs_colorbar: Any = None,
    **kwargs: Any,
) -> Any:
    """Plot the containment radius against energy and offset.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    fraction : float
        Fraction.
    add_cbar : bool
        Add a colour bar.
    axes_loc, kwargs_colorbar : dict, optional
        Place and options of the colour bar.
    **kwargs
        Options of `matplotlib.axes.Axes.pcolormesh`.
    """
    true, offset = self.axes["energy_true"], self.axes["offset"]
    radius = self.containment_radius(fraction, energy_true=true.center[:, None], offset=offset.center)
    bar = {"add_cbar": add_cbar, "axes_loc": axes_loc, "kwargs_colorbar": kwargs_colorbar}
    label = f"Containment radius, {100 * fraction:.0f}% [{radius.unit}]"
    return table_image(ax, true, offset, radius.value, label, bar, **kwargs)


def plot_containment_radius_vs_energy(
    self: Any, ax: Any = None, fraction: Any = (0.68, 0.95), offset: Any = [0, 1] * u.deg, **kwargs: Any
) -> Any:
    """Plot the containment radius against energy for some fractions and offsets.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    fraction : sequence of float
        Fractions.
    offset : Quantity
        Offsets.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    true = self.axes["energy_true"]
    curves = {}
    for place in np.atleast_1d(u.Quantity(offset)):
        for value in np.ravel(fraction):
            radius = self.containment_radius(float(value), energy_true=true.center, offset=place)
            curves[f"{place:.2f}, {100 * value:.0f}%"] = radius.to_value("deg")
    return table_curves(ax, true, curves, "Containment radius [deg]", **kwargs)


def plot_psf_vs_rad(
    self: Any,
    ax: Any = None,
    offset: Any = [0] * u.deg,
    energy_true: Any = [0.1, 1, 10] * u.TeV,
    **kwargs: Any,
) -> Any:
    """Plot the density against radius at some energies and offsets.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset, energy_true : Quantity
        Offsets and energies.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    table = self.to_psf3d() if hasattr(self, "to_psf3d") else self
    rad = table.axes["rad"]
    curves = {}
    for place in np.atleast_1d(u.Quantity(offset)):
        for energy in np.atleast_1d(u.Quantity(energy_true)):
            values = self.evaluate(rad=rad.center, energy_true=energy, offset=place)
            curves[f"offset = {place:.2f}, energy = {energy:.3g}"] = values.to_value("sr-1")
    ax = table_curves(ax, rad, curves, "PSF [1 / sr]", **kwargs)
    highest = max((values.max() for values in curves.values()), default=0.0)
    if highest > 0:
        # What lies eight decades below the centre is of no interest.
        ax.set(yscale="log", ylim=(1e-8 * highest, 2 * highest))
    return ax


def peek_psf(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot the containment radius against energy and offset, against energy, and the density against radius."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=figsize)
    self.plot_containment_radius(fraction=0.68, ax=axes[0])
    self.plot_containment_radius_vs_energy(ax=axes[1])
    self.plot_psf_vs_rad(ax=axes[2])
    fig.tight_layout()
