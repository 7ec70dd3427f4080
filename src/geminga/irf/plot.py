"""Plots of response functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.utils.plot import current_axes, sky_projection, with_norm

__all__ = [
    "peek_aeff",
    "peek_edisp_kernel",
    "peek_edisp_map",
    "peek_kernel",
    "peek_psf_map",
    "plot_bias",
    "plot_containment_radius_vs_energy",
    "plot_energy_dependence",
    "plot_kernel",
    "plot_matrix",
    "plot_offset_dependence",
    "plot_psf_vs_rad",
    "plot_rad_max_vs_energy",
    "plot_table",
    "quantity_label",
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


def quantity_label(self: Any) -> str:
    """What a response is, with its unit."""
    return f"{self.plotted_name} [{self.unit.to_string('latex_inline')}]"


def energies_of(axis: Any, energy: Any) -> Any:
    """Energies as a Quantity; if none are given, five over the axis."""
    if energy is None:
        return axis.center[np.linspace(0, axis.nbin - 1, 5).astype(int)]
    return np.atleast_1d(u.Quantity(energy))


def plot_table(
    self: Any, ax: Any = None, add_cbar: bool = True, axes_loc: Any = None, kwargs_colorbar: Any = None, **kwargs: Any
) -> Any:
    """Plot the values against energy and offset.

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
    from matplotlib.colors import LogNorm, Normalize

    bar = {"add_cbar": add_cbar, "axes_loc": axes_loc, "kwargs_colorbar": kwargs_colorbar}
    values = np.asarray(self.data, dtype=float)
    if self.is_plotted_in_log:
        positive = values[np.isfinite(values) & (values > 0)]
        limits = (positive.min(), positive.max()) if positive.size and positive.min() < positive.max() else (1e-1, 1.0)
        kwargs = with_norm(kwargs, LogNorm, vmin=limits[0], vmax=limits[1])
    else:
        kwargs = with_norm(kwargs, Normalize, vmin=0)
    return table_image(ax, self.axes[0], self.axes["offset"], values, quantity_label(self), bar, **kwargs)


def plot_energy_dependence(self: Any, ax: Any = None, offset: Any = None, **kwargs: Any) -> Any:
    """Plot the values against energy at some offsets.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    offset : Quantity, optional
        Offsets; some between the ends of the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    axis = self.axes[0]
    curves = {}
    for value in offsets_of(self, offset, 5 if self.is_plotted_in_log else 4):
        found = self.evaluate(**{"offset": value, axis.name: axis.center}).value
        curves[f"offset = {value:.2f}"] = np.where(found > 0, found, np.nan)
    ax = table_curves(ax, axis, curves, quantity_label(self), **kwargs)
    ax.set_yscale("log")
    return ax


def plot_offset_dependence(self: Any, ax: Any = None, energy: Any = None, **kwargs: Any) -> Any:
    """Plot the values, relative to that at the smallest offset, against offset at some energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    energy : Quantity, optional
        Energies; five over the axis if not given.
    **kwargs
        Options of `matplotlib.axes.Axes.plot`.
    """
    axis, offset = self.axes[0], self.axes["offset"]
    curves = {}
    for value in energies_of(axis, energy):
        found = self.evaluate(**{"offset": offset.center, axis.name: value}).value
        if found[0] > 0:
            curves[f"energy = {value:.3g}"] = found / found[0]
    ax = table_curves(ax, offset, curves, f"Relative {self.plotted_name.lower()}", **kwargs)
    if self.is_plotted_in_log:
        ax.set_yscale("log")
    return ax


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

    from geminga.maps.map.plot import add_colorbar

    ax = current_axes(ax)
    true, reco = self.axes["energy_true"], self.axes["energy"]
    kwargs = {"cmap": "viridis"} | with_norm(kwargs, PowerNorm, gamma=0.5)
    mesh = ax.pcolormesh(true.edges.value, reco.edges.to_value(true.unit), np.asarray(self.pdf_matrix).T, **kwargs)
    ax.set(xscale="log", yscale="log", xlabel=f"True energy [{true.unit}]", ylabel=f"Energy [{true.unit}]")
    if add_cbar:
        add_colorbar(mesh, ax=ax, axes_loc=axes_loc, **{"label": "Probability", **(kwargs_colorbar or {})})
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
    ax = fig.add_subplot(1, 2, 1, projection=sky_projection(own.geom.wcs))
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
        ax = fig.add_subplot(2, 2, 3, projection=sky_projection(image.geom.wcs))
        image.plot(ax=ax, add_cbar=True)
        ax.set_title(f"68% containment radius at {middle:.3g}")
