"""Plots of response functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

__all__ = [
    "peek_edisp_kernel",
    "peek_edisp_map",
    "peek_kernel",
    "peek_psf_map",
    "plot_bias",
    "plot_containment_radius_vs_energy",
    "plot_kernel",
    "plot_matrix",
    "plot_psf_vs_rad",
]


def _axes(ax: Any) -> Any:
    import matplotlib.pyplot as plt

    return plt.gca() if ax is None else ax


def plot_matrix(
    self: Any, ax: Any = None, add_cbar: bool = False, axes_loc: Any = None, kwargs_colorbar: Any = None, **kwargs: Any
) -> Any:
    """Plot the matrix.

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
    from matplotlib.colors import PowerNorm

    ax = _axes(ax)
    true, reco = self.axes["energy_true"], self.axes["energy"]
    kwargs.setdefault("norm", PowerNorm(gamma=0.5))
    kwargs.setdefault("cmap", "viridis")
    mesh = ax.pcolormesh(true.edges.value, reco.edges.to_value(true.unit), np.asarray(self.pdf_matrix).T, **kwargs)
    ax.set(xscale="log", yscale="log", xlabel=f"True energy [{true.unit}]", ylabel=f"Energy [{true.unit}]")
    if add_cbar:
        ax.figure.colorbar(mesh, ax=ax, **{"label": "Probability", **(kwargs_colorbar or {})})
    return ax


def plot_bias(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the relative bias against true energy (options of `matplotlib.axes.Axes.plot`)."""
    ax = _axes(ax)
    axis = self.axes["energy_true"]
    ax.plot(axis.center.value, self.get_bias(axis.center).value, **kwargs)
    ax.set(xscale="log", xlabel=f"True energy [{axis.unit}]", ylabel="(E$_{reco}$ - E$_{true}$) / E$_{true}$")
    return ax


def peek_edisp_kernel(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot bias and matrix beside each other."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=figsize)
    self.plot_bias(ax=axes[0])
    self.plot_matrix(ax=axes[1], add_cbar=True)
    plt.tight_layout()


def peek_edisp_map(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot bias and matrix at the centre, and the exposure summed over energy."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=figsize)
    names = self.edisp_map.geom.axes.names
    if "migra" in names:
        reco = self.edisp_map.geom.axes["energy_true"].copy(name="energy")
        kernel = self.get_edisp_kernel(energy_axis=reco)
    else:
        kernel = self.get_edisp_kernel()
    kernel.plot_bias(ax=axes[0])
    kernel.plot_matrix(ax=axes[1], add_cbar=True)
    fig.tight_layout()


def plot_kernel(self: Any, ax: Any = None, energy: Any = None, add_cbar: bool = False, **kwargs: Any) -> Any:
    """Plot the kernel at an energy, or summed over all.

    Parameters
    ----------
    ax : WCSAxes, optional
        Where to plot.
    energy : Quantity, optional
        Energy; the sum over all if not given.
    add_cbar : bool
        Add a colour bar.
    """
    own = self.psf_kernel_map
    if energy is not None:
        name = own.geom.axes.names[0]
        index = int(own.geom.axes[name].coord_to_idx(u.Quantity(energy), clip=True)[0])
        image = own.slice_by_idx({name: index})
    else:
        image = own.sum_over_axes(keepdims=False)
    return image.plot(ax=ax, add_cbar=add_cbar, **kwargs)


def peek_kernel(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot the summed kernel and its profile."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=figsize)
    own = self.psf_kernel_map.sum_over_axes(keepdims=False)
    ax = fig.add_subplot(1, 2, 1, projection=own.geom.wcs)
    own.plot(ax=ax, add_cbar=True)
    ax = fig.add_subplot(1, 2, 2)
    separation = own.geom.separation(own.geom.center_skydir).deg
    ax.plot(separation.ravel(), own.frozen_data.ravel(), ".")
    ax.set(xlabel="Offset [deg]", ylabel="Kernel", yscale="log")


def plot_psf_vs_rad(self: Any, ax: Any = None, energy_true: Any = [0.1, 1, 10] * u.TeV, **kwargs: Any) -> Any:
    """Plot the density against offset at some energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    energy_true : Quantity, optional
        Energies; 0.1, 1 and 10 TeV if not given.
    """
    ax = _axes(ax)
    energies = np.atleast_1d(u.Quantity(energy_true))
    rad, values = self.psf_values_at(None)
    for energy in energies:
        ax.plot(rad, self._at_energy(values, energy), label=f"{energy:.3g}", **kwargs)
    ax.set(xlabel="Offset [deg]", ylabel="PSF [1 / sr]", yscale="log")
    ax.legend()
    return ax


def plot_containment_radius_vs_energy(self: Any, ax: Any = None, fraction: Any = (0.68, 0.95), **kwargs: Any) -> Any:
    """Plot the containment radius against energy for some fractions."""
    ax = _axes(ax)
    axis = self.psf_map.geom.axes[self.energy_name]
    for value in np.atleast_1d(fraction):
        radius = self.containment_radius(value, axis.center)
        ax.plot(axis.center.value, radius.value, label=f"{100 * value:.0f}%", **kwargs)
    ax.set(xscale="log", xlabel=f"Energy [{axis.unit}]", ylabel="Containment radius [deg]")
    ax.legend()
    return ax


def peek_psf_map(self: Any, figsize: tuple[float, float] = (12, 10)) -> None:
    """Plot density, containment radius, and a map of the latter at the middle energy."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=figsize)
    self.plot_psf_vs_rad(ax=fig.add_subplot(2, 2, 1))
    self.plot_containment_radius_vs_energy(ax=fig.add_subplot(2, 2, 2))
    axis = self.psf_map.geom.axes[self.energy_name]
    middle = axis.center[axis.nbin // 2]
    if not self.has_single_spatial_bin:
        image = self.containment_radius_map(middle)
        ax = fig.add_subplot(2, 2, 3, projection=image.geom.wcs)
        image.plot(ax=ax, add_cbar=True)
        ax.set_title(f"68% containment radius at {middle:.3g}")
