"""Plots of response functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.utils.plot import current_axes

__all__ = [
    "peek_aeff",
    "peek_edisp_kernel",
    "peek_edisp_map",
    "peek_kernel",
    "peek_psf_map",
    "plot_aeff",
    "plot_aeff_energy",
    "plot_aeff_offset",
    "plot_bias",
    "plot_containment_radius_vs_energy",
    "plot_kernel",
    "plot_matrix",
    "plot_psf_vs_rad",
    "plot_rad_max_vs_energy",
    "table_curves",
    "table_image",
]


def table_image(ax: Any, x: Any, y: Any, values: Any, label: str, bar: dict[str, Any], **kwargs: Any) -> Any:
    """Draw values, shape (x, y), over two axes; `bar` holds ``add_cbar``, ``axes_loc`` and ``kwargs_colorbar``."""
    from geminga.maps.map.plot import add_colorbar

    ax = current_axes(ax)
    kwargs = {"cmap": "viridis", "edgecolors": "face"} | kwargs
    mesh = ax.pcolormesh(x.edges.value, y.edges.value, np.asarray(values).T, **kwargs)
    x.format_plot_xaxis(ax)
    y.format_plot_yaxis(ax)
    if bar["add_cbar"]:
        add_colorbar(mesh, ax=ax, axes_loc=bar["axes_loc"], **{"label": label, **(bar["kwargs_colorbar"] or {})})
    return ax


def table_curves(ax: Any, x: Any, curves: dict[str, Any], ylabel: str, **kwargs: Any) -> Any:
    """Draw values at the centres of an axis, one curve for each label."""
    ax = current_axes(ax)
    for label, values in curves.items():
        ax.plot(x.center.value, np.asarray(values), **{"label": label, **kwargs})
    x.format_plot_xaxis(ax)
    ax.set_ylabel(ylabel)
    ax.legend()
    return ax


def offsets_of(self: Any, offset: Any, number: int) -> Any:
    """Offsets as a Quantity; if none are given, some between the ends of the axis."""
    axis = self.axes["offset"]
    if offset is None:
        ends = np.clip(axis.center.value[[0, -1]], 0, None)
        return u.Quantity(np.unique(np.linspace(ends[0], ends[1], number)), axis.unit)
    return np.atleast_1d(u.Quantity(offset))


def plot_aeff(
    self: Any, ax: Any = None, add_cbar: bool = True, axes_loc: Any = None, kwargs_colorbar: Any = None, **kwargs: Any
) -> Any:
    """Plot the area against energy and offset.

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
    label = f"Effective area [{self.unit.to_string('latex_inline')}]"
    kwargs.setdefault("vmin", 0)
    return table_image(ax, self.axes["energy_true"], self.axes["offset"], self.data, label, bar, **kwargs)


def plot_aeff_energy(self: Any, ax: Any = None, offset: Any = None, **kwargs: Any) -> Any:
    """Plot the area against energy at some offsets.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset : Quantity, optional
        Offsets; four between the ends of the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    axis = self.axes["energy_true"]
    curves = {}
    for value in offsets_of(self, offset, 4):
        area = self.evaluate(offset=value, energy_true=axis.center)
        curves[f"offset = {value:.2f}"] = np.where(area.value > 0, area.value, np.nan)
    ax = table_curves(ax, axis, curves, f"Effective area [{self.unit.to_string('latex_inline')}]", **kwargs)
    ax.set_yscale("log")
    return ax


def plot_aeff_offset(self: Any, ax: Any = None, energy: Any = None, **kwargs: Any) -> Any:
    """Plot the area, relative to that at the smallest offset, against offset at some energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    energy : Quantity, optional
        True energies; five over the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    axis = self.axes["offset"]
    true = self.axes["energy_true"]
    energies = true.center[np.linspace(0, true.nbin - 1, 5).astype(int)] if energy is None else np.atleast_1d(u.Quantity(energy))
    curves = {}
    for value in energies:
        area = self.evaluate(offset=axis.center, energy_true=value).value
        if area[0] > 0:
            curves[f"energy = {value:.3g}"] = area / area[0]
    return table_curves(ax, axis, curves, "Relative effective area", **kwargs)


def peek_aeff(self: Any, figsize: tuple[float, float] = (15, 5)) -> None:
    """Plot the area against energy, against offset and against both."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=figsize)
    self.plot(ax=axes[2])
    self.plot_energy_dependence(ax=axes[0])
    self.plot_offset_dependence(ax=axes[1])
    fig.tight_layout()


def plot_rad_max_vs_energy(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the radius against energy, a curve for each offset of the table (options of `matplotlib.axes.Axes.plot`)."""
    energy, offset = self.axes["energy"], self.axes["offset"]
    curves = {f"offset = {value:.2f}": self.data[:, i] for i, value in enumerate(offset.center)}
    kwargs.setdefault("drawstyle", "steps-mid")
    return table_curves(ax, energy, curves, f"RAD_MAX [{self.unit}]", **kwargs)


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

    ax = current_axes(ax)
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
    ax = current_axes(ax)
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
    ax = current_axes(ax)
    energies = np.atleast_1d(u.Quantity(energy_true))
    rad, values = self.psf_values_at(None)
    for energy in energies:
        ax.plot(rad, self._at_energy(values, energy), label=f"{energy:.3g}", **kwargs)
    ax.set(xlabel="Offset [deg]", ylabel="PSF [1 / sr]", yscale="log")
    ax.legend()
    return ax


def plot_containment_radius_vs_energy(self: Any, ax: Any = None, fraction: Any = (0.68, 0.95), **kwargs: Any) -> Any:
    """Plot the containment radius against energy for some fractions."""
    ax = current_axes(ax)
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
