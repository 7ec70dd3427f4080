"""Maps in panels, in three colours, and the distribution of their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle

from geminga.errors import GeometryError, InputError
from geminga.maps.map.labels import bin_title
from geminga.utils.plot import sky_projection

__all__ = ["MapPanelPlotter", "plot_distribution", "plot_map_rgb"]


class MapPanelPlotter:
    """Plot a long map, such as that of a survey, in panels below each other.

    Parameters
    ----------
    figure : Figure
        Figure.
    xlim, ylim : Angle
        Bounds in longitude and latitude, two angles each; longitude falls from the first to the last panel.
    npanels : int
        Number of panels.
    **kwargs
        Arguments of `matplotlib.gridspec.GridSpec`.
    """

    def __init__(self, figure: Any, xlim: Any, ylim: Any, npanels: int = 4, **kwargs: Any) -> None:
        from matplotlib.gridspec import GridSpec

        if npanels < 1:
            msg = f"MapPanelPlotter: npanels is {npanels}, expected at least 1."
            raise InputError(msg)
        self.figure = figure
        self.parameters = {"xlim": Angle(xlim, "deg"), "ylim": Angle(ylim, "deg"), "npanels": int(npanels)}
        self.grid_spec = GridSpec(nrows=int(npanels), ncols=1, **kwargs)

    def _panel_bounds(self, panel: int) -> tuple[float, float]:
        """Largest and smallest longitude of a panel, deg."""
        first, last = (float(value) for value in self.parameters["xlim"].wrap_at("180d").to_value("deg"))
        if first < last:
            first, last = last, first
        edges = np.linspace(first, last, self.parameters["npanels"] + 1)
        return float(edges[panel - 1]), float(edges[panel])

    def plot_panel(self, map: Any, panel: int = 1, panel_fov: Any = None, **kwargs: Any) -> Any:
        """Plot one panel.

        Parameters
        ----------
        map : WcsNDMap
            Image.
        panel : int
            Number of the panel, from 1.
        panel_fov : Angle, optional
            Width of the panel; by default its share.
        **kwargs
            Arguments of `WcsNDMap.plot`.

        Returns
        -------
        ax : WCSAxes
        """
        if not 1 <= panel <= self.parameters["npanels"]:
            msg = f"MapPanelPlotter: panel is {panel}, expected a number from 1 to {self.parameters['npanels']}."
            raise InputError(msg)
        ax = self.figure.add_subplot(self.grid_spec[panel - 1], projection=sky_projection(map.geom.wcs))
        map.plot(ax=ax, **kwargs)
        left, right = self._panel_bounds(panel)
        if panel_fov is not None:
            middle, half = 0.5 * (left + right), 0.5 * Angle(panel_fov).to_value("deg")
            left, right = middle + half, middle - half
        bottom, top = (float(value) for value in self.parameters["ylim"].to_value("deg"))
        x, y = map.geom.wcs.wcs_world2pix(np.array([left, right]), np.array([bottom, top]), 0)
        # A longitude beyond the edge of the projection comes back on its other side.
        turn = 360.0 / map.geom.pixel_scales[0].to_value("deg")
        x = x - turn * np.round((x - map.geom.center_pix[0]) / turn)
        ax.set_xlim(min(x) - 0.5, max(x) + 0.5)
        ax.set_ylim(min(y) - 0.5, max(y) + 0.5)
        if panel < self.parameters["npanels"] and hasattr(ax, "coords"):
            ax.coords[0].set_axislabel(" ")
        return ax

    def plot(self, map: Any, **kwargs: Any) -> list[Any]:
        """Plot all panels.

        Parameters
        ----------
        map : WcsNDMap
            Image.
        **kwargs
            Arguments of `WcsNDMap.plot`.

        Returns
        -------
        axes : list of WCSAxes
        """
        return [self.plot_panel(map, panel=number + 1, **kwargs) for number in range(self.parameters["npanels"])]


def plot_map_rgb(map_: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot a map of three bins as one image in red, green and blue.

    Parameters
    ----------
    map_ : WcsNDMap
        Map with one axis of three bins, such as energies.
    ax : WCSAxes, optional
        Where to draw.
    **kwargs
        Arguments of `astropy.visualization.make_lupton_rgb`.

    Returns
    -------
    ax : WCSAxes

    Raises
    ------
    GeometryError
        If there are not three images.
    """
    import matplotlib.pyplot as plt
    from astropy.visualization import make_lupton_rgb

    geom = map_.geom
    if len(geom.axes) != 1 or geom.axes[0].nbin != 3:
        msg = f"plot_map_rgb: the map has axes {geom.axes.names} with {geom.axes.shape} bins, expected one axis with 3."
        raise GeometryError(msg)
    data = np.nan_to_num(map_.frozen_data.astype(float))
    peak = data.max(axis=(-2, -1), keepdims=True)
    data = data / np.where(peak > 0, peak, 1.0)
    kwargs = {"Q": 5.0, "stretch": 0.4} | kwargs
    ax = plt.subplot(projection=sky_projection(geom.wcs)) if ax is None else ax
    # Pixels that are zero in all three are divided by zero on the way.
    with np.errstate(invalid="ignore", divide="ignore"):
        rgb = make_lupton_rgb(data[0], data[1], data[2], **kwargs)
    ax.imshow(rgb, origin="lower")
    if hasattr(ax, "coords"):
        galactic = geom.frame == "galactic"
        ax.coords[0].set_axislabel("Galactic Longitude" if galactic else "Right Ascension")
        ax.coords[1].set_axislabel("Galactic Latitude" if galactic else "Declination")
    return ax


def _normal(x: Any, mu: float, sigma: float) -> Any:
    return np.exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def _fit(func: Any, bins: Any, heights: Any, data: Any, kwargs: dict[str, Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    from scipy.optimize import curve_fit

    function = _normal if isinstance(func, str) else func
    kwargs = {"full_output": True} | kwargs
    if isinstance(func, str):
        kwargs.setdefault("p0", (float(np.mean(data)), float(np.std(data)) or 1.0))
    param, covar, info, *_ = curve_fit(function, bins, heights, **kwargs)
    return function, {"param": param, "covar": covar, "info_dict": info}


def plot_distribution(
    wcs_map: Any,
    mask: Any = None,
    ax: Any = None,
    ncols: int = 3,
    func: Any = None,
    kwargs_hist: dict[str, Any] | None = None,
    kwargs_axes: dict[str, Any] | None = None,
    kwargs_fit: dict[str, Any] | None = None,
) -> tuple[Any, list[dict[str, Any]]]:
    """Plot the distribution of the numbers of a map, such as significances, in each of its bins, and fit it.

    Parameters
    ----------
    wcs_map : WcsNDMap
        Map with at most one axis.
    mask : WcsNDMap, optional
        Mask of the pixels to use, an image or on the geometry of the map.
    ax : Axes or array of Axes, optional
        Where to draw; one for each bin.
    ncols : int
        Number of panels in a row.
    func : callable or "norm", optional
        Function ``func(x, *parameters)`` to be fitted; "norm" is the normal distribution.
    kwargs_hist : dict, optional
        Arguments of ``Axes.hist``.
    kwargs_axes : dict, optional
        Arguments of ``Axes.set``.
    kwargs_fit : dict, optional
        Arguments of `scipy.optimize.curve_fit`.

    Returns
    -------
    axes : array of Axes
    results : list of dict
        ``axis_edges``, and if a function was fitted ``param``, ``covar`` and ``info_dict``, for each bin.

    Raises
    ------
    GeometryError
        If the map is no WCS map, has more than one axis, or the mask does not fit.
    """
    if getattr(wcs_map.geom, "is_region", True) or len(wcs_map.geom.axes) > 1:
        msg = f"plot_distribution: expected a WCS map with at most one axis, got axes {wcs_map.geom.axes_names}."
        raise GeometryError(msg)
    if isinstance(func, str) and func != "norm":
        msg = f"plot_distribution: func is {func!r}, expected a callable or 'norm'."
        raise InputError(msg)
    axis = wcs_map.geom.axes[0] if len(wcs_map.geom.axes) else None
    images = wcs_map.frozen_data.reshape(-1, *wcs_map.geom.data_shape[-2:])
    try:
        keep = np.ones(images.shape, bool) if mask is None else np.broadcast_to(mask.frozen_data.astype(bool), images.shape)
    except ValueError as error:
        msg = f"plot_distribution: the mask has shape {mask.frozen_data.shape}, the map {wcs_map.frozen_data.shape}."
        raise GeometryError(msg) from error
    kwargs_hist = {"density": True, "bins": 50, "alpha": 0.5} | (kwargs_hist or {})
    axes = _grid(len(images), ncols) if ax is None else np.atleast_1d(ax)
    results = []
    for index, panel in enumerate(axes.ravel()):
        if index >= len(images):
            panel.set_visible(False)
            continue
        data = images[index][keep[index]]
        results.append(_panel(panel, data[np.isfinite(data)], func, kwargs_hist, kwargs_fit or {}))
        results[-1]["axis_edges"] = None if axis is None else u.Quantity([axis.edges_min[index], axis.edges_max[index]])
        panel.set(xlabel=f"Values [{wcs_map.unit}]" if str(wcs_map.unit) else "Values", ylabel="Distribution")
        if axis is not None:
            panel.set_title(bin_title(axis, index))
        panel.set(**(kwargs_axes or {}))
    return axes, results


def _grid(number: int, ncols: int) -> Any:
    """Axes for a number of panels."""
    import matplotlib.pyplot as plt

    cols = max(min(ncols, number), 1)
    rows = -(-number // cols)
    return np.atleast_1d(plt.subplots(rows, cols, figsize=(5 * cols, 4 * rows))[1])


def _panel(ax: Any, data: Any, func: Any, kwargs_hist: dict[str, Any], kwargs_fit: dict[str, Any]) -> dict[str, Any]:
    heights, edges, _ = ax.hist(data, **kwargs_hist)
    if func is None:
        return {}
    middle = 0.5 * (edges[1:] + edges[:-1])
    function, result = _fit(func, middle, heights, data, kwargs_fit)
    fine = np.linspace(edges[0], edges[-1], 500)
    label = ", ".join(
        f"{value:.2f} ± {np.sqrt(variance):.2f}"
        for value, variance in zip(result["param"], np.diag(result["covar"]), strict=True)
    )
    ax.plot(fine, function(fine, *result["param"]), lw=2, color="black", label=label)
    ax.legend()
    return result
