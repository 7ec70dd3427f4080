"""Plots of spatial models."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.maps import Map, WcsGeom
from geminga.utils.plot import sky_projection

__all__ = ["plot", "plot_error", "plot_grid", "plot_interactive", "plot_position_error"]


def plot_map(self: Any, geom: Any = None) -> Any:
    """Map of the model, on a geometry of its own if none is given.

    Raises
    ------
    InputError
        If the model has no size from which a geometry could be made.
    """
    if geom is None:
        radius = self.evaluation_radius
        if radius is None:
            msg = f"{type(self).__name__} covers the whole sky; give a geom to plot it."
            raise InputError(msg)
        width = 2 * np.maximum(u.Quantity(radius).to("deg"), 0.1 * u.deg)
        geom = WcsGeom.create(skydir=self.position, frame=self.frame, width=width, binsz=width / 100, proj="TAN")
    if self.is_energy_dependent:
        return Map.from_geom(geom, data=self.evaluate_geom(geom).value, unit=self.evaluate_geom(geom).unit)
    image = geom.to_image()
    density = self.evaluate_geom(image)
    return Map.from_geom(image, data=density.value, unit=density.unit)


def plot(self: Any, ax: Any = None, geom: Any = None, **kwargs: Any) -> Any:
    """Plot the density.

    Parameters
    ----------
    ax : WCSAxes, optional
        Where to plot.
    geom : WcsGeom, optional
        Geometry; one around the model if not given.
    **kwargs
        Options of `WcsNDMap.plot`.
    """
    own = plot_map(self, geom)
    if not own.geom.is_flat:
        msg = f"{type(self).__name__} depends on energy; use plot_grid or plot_interactive."
        raise InputError(msg)
    return own.plot(ax=ax, **kwargs)


def plot_interactive(self: Any, ax: Any = None, geom: Any = None, **kwargs: Any) -> Any:
    """Plot the density with a slider for the energy (options of `Map.plot_interactive`)."""
    return plot_map(self, geom).plot_interactive(**kwargs)


def plot_grid(self: Any, geom: Any = None, **kwargs: Any) -> Any:
    """Plot the density at each energy (options of `Map.plot_grid`)."""
    return plot_map(self, geom).plot_grid(**kwargs)


def _wcs_axes(self: Any, ax: Any) -> Any:
    import matplotlib.pyplot as plt

    if ax is not None:
        return ax
    geom = WcsGeom.create(skydir=self.position, frame=self.frame, width=1, binsz=0.02, proj="TAN")
    return plt.subplot(projection=sky_projection(geom.wcs))


def plot_position_error(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the ellipse which contains the position with 95 % probability."""
    ax = _wcs_axes(self, ax)
    kwargs.setdefault("facecolor", "none")
    kwargs.setdefault("edgecolor", "tab:orange")
    ax.add_artist(self.position_error.to_pixel(ax.wcs).as_artist(**kwargs))
    return ax


def plot_error(
    self: Any,
    ax: Any = None,
    which: Any = "position",
    size_factor: float = 1.0,
    kwargs_position: Any = None,
    kwargs_extension: Any = None,
) -> Any:
    """Plot errors of position and extension.

    Parameters
    ----------
    ax : WCSAxes, optional
        Where to plot.
    which : {"position", "extension", "all"} or list
        What to plot.
    size_factor : float
        Multiple of the extension.
    kwargs_position, kwargs_extension : dict, optional
        Options of the artists.
    """
    ax = _wcs_axes(self, ax)
    wanted = {"position", "extension"} if which == "all" or "all" in which else {which} if isinstance(which, str) else set(which)
    if "position" in wanted:
        self.plot_position_error(ax=ax, **(kwargs_position or {}))
    if "extension" in wanted:
        options = {"facecolor": "none", "edgecolor": "tab:blue", **(kwargs_extension or {})}
        size = next((par for par in self.parameters if par.name in {"sigma", "r_0", "radius"}), None)
        for shift in (-1, 0, 1) if size is not None else (0,):
            model = self.copy()
            if size is not None:
                own = model.parameters[size.name]
                own.value = max(own.value + shift * own.error, 1e-9)
            region = model.to_region(size_factor=size_factor)
            style = {} if shift == 0 else {"linestyle": "--"}
            ax.add_artist(region.to_pixel(ax.wcs).as_artist(**{**options, **style}))
    return ax
