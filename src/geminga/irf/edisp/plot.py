"""Plots of energy dispersion tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.irf.plot import offsets_of, table_curves, table_image
from geminga.utils.plot import with_norm

__all__ = ["peek_edisp_2d", "plot_bias_2d", "plot_migration"]


def plot_migration(self: Any, ax: Any = None, offset: Any = None, energy_true: Any = None, **kwargs: Any) -> Any:
    """Plot the density against migration at some offsets and energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset : Quantity, optional
        Offsets; the smallest of the table if not given.
    energy_true : Quantity, optional
        True energies; 0.1, 1 and 10 TeV as far as they are in the table if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    true, migra = self.axes["energy_true"], self.axes["migra"]
    if energy_true is None:
        usual = u.Quantity([0.1, 1, 10], "TeV")
        energies = usual[(usual > true.edges[0]) & (usual < true.edges[-1])]
        energies = energies if len(energies) else true.center[[true.nbin // 2]]
    else:
        energies = np.atleast_1d(u.Quantity(energy_true))
    curves = {}
    for place in offsets_of(self, offset, 1):
        for energy in energies:
            values = self.evaluate(offset=place, energy_true=energy, migra=migra.center)
            curves[f"offset = {place:.2f}, energy = {energy:.3g}"] = values.value
    return table_curves(ax, migra, curves, "Probability density", **kwargs)


def plot_bias_2d(
    self: Any,
    ax: Any = None,
    offset: Any = None,
    add_cbar: bool = False,
    axes_loc: Any = None,
    kwargs_colorbar: Any = None,
    **kwargs: Any,
) -> Any:
    """Plot the density against energy and migration at an offset.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset : Quantity, optional
        Offset; the smallest of the table if not given.
    add_cbar : bool
        Add a colour bar.
    axes_loc, kwargs_colorbar : dict, optional
        Place and options of the colour bar.
    **kwargs
        Options of `matplotlib.axes.Axes.pcolormesh`.
    """
    from matplotlib.colors import PowerNorm

    true, migra = self.axes["energy_true"], self.axes["migra"]
    values = self.evaluate(offset=offsets_of(self, offset, 1)[0], energy_true=true.center[:, None], migra=migra.center).value
    kwargs = with_norm(kwargs, PowerNorm, gamma=0.5)
    bar = {"add_cbar": add_cbar, "axes_loc": axes_loc, "kwargs_colorbar": kwargs_colorbar}
    return table_image(ax, true, migra, values, "Probability density", bar, **kwargs)


def peek_edisp_2d(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot density against migration, density against energy and migration, and the kernel."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=figsize)
    self.plot_bias(ax=axes[0])
    self.plot_migration(ax=axes[1])
    self.to_edisp_kernel(offset=offsets_of(self, None, 1)[0]).plot_matrix(ax=axes[2])
    fig.tight_layout()
