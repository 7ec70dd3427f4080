"""Maps of significance with contours and sources, and the distribution of their values, each in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geminga.errors import GeometryError, InputError
from geminga.utils.plot import sky_projection
from geminga.visualization.palette import COLORS, DIVERGING, axes_with

__all__ = ["plot_residual_distribution", "plot_significance_map"]


def _significance(maps: Any, name: str) -> Any:
    """Image of significance: of flux maps, or a map that is given.

    Raises
    ------
    GeometryError
        If there are several bands.
    """
    chosen = maps.sqrt_ts if hasattr(maps, "sqrt_ts") else maps
    geom = getattr(chosen, "geom", None)
    if geom is None or geom.is_region:
        msg = f"{name}: got a {type(maps).__name__}; expected FluxMaps (of TSMapEstimator or ExcessMapEstimator) or a map."
        raise InputError(msg)
    if any(axis.nbin > 1 for axis in geom.axes):
        msg = f"{name}: the map has axes {geom.axes.names} with {geom.axes.shape} bins; expected one bin, see slice_by_idx."
        raise GeometryError(msg)
    return chosen.sum_over_axes(keepdims=False) if len(geom.axes) else chosen


def plot_significance_map(
    maps: Any,
    models: Any = None,
    ax: Any = None,
    *,
    levels: Sequence[float] = (3, 5, 10, 20),
    limit: float = 5.0,
    label: str = "Significance",
    **kwargs: Any,
) -> Any:
    """Plot a map of significance with its contours and the sources of models.

    Colours run from blue through white at zero to red; both ends are the limit or, on the positive side, the maximum.

    Parameters
    ----------
    maps : FluxMaps or Map
        Maps with ``sqrt_ts``, or a map; with one bin of energy.
    models : Models or list of SkyModel, optional
        Sources to mark; extended ones by their outline too.
    ax : WCSAxes, optional
        Where to draw; by default a figure of its own.
    levels : sequence of float
        Contours.
    limit : float
        Significance at the end of the colours, at least.
    label : str
        Label of the colour bar.
    **kwargs
        Arguments of `Map.plot`.

    Returns
    -------
    ax : WCSAxes

    Raises
    ------
    GeometryError
        If there are several bands of energy.
    InputError
        If it is no map.
    """
    from matplotlib.colors import TwoSlopeNorm

    image = _significance(maps, "plot_significance_map")
    ax = axes_with(ax, projection=sky_projection(image.geom.wcs))
    data = image.frozen_data
    highest = float(np.nanmax(data)) if np.isfinite(data).any() else limit
    settings = {"cmap": DIVERGING, "norm": TwoSlopeNorm(0.0, -limit, max(limit, highest))}
    ticks = [-limit, 0.0, *(level for level in (limit, 10, 20, 50, 100, 200, 500, 1000) if limit <= level <= max(limit, highest))]
    image.plot(ax=ax, add_cbar=True, kwargs_colorbar={"label": label, "ticks": ticks}, **(settings | kwargs))
    drawn = sorted(level for level in levels if level < highest)
    if drawn:
        lines = ax.contour(np.nan_to_num(data), levels=drawn, colors="black", linewidths=0.8)
        ax.clabel(lines, fmt="%g", fontsize=7)
    for model in models or []:
        _mark(ax, image, model)
    return ax


def _mark(ax: Any, image: Any, model: Any) -> None:
    """Cross and name of a source inside the image, and the outline of an extended one."""
    from matplotlib.patheffects import withStroke

    position = getattr(model, "position", None)
    if position is None or not np.all(image.geom.contains(position)):
        return
    halo = [withStroke(linewidth=2.5, foreground="white")]
    x, y = image.geom.wcs.world_to_pixel(position)
    ax.plot(x, y, marker="+", ms=10, mew=1.5, color="black", path_effects=halo, ls="")
    ax.annotate(model.name, (x, y), textcoords="offset points", xytext=(7, 7), fontsize=9, color="black", path_effects=halo)
    if "point" not in model.spatial_model.tag:
        outline = model.spatial_model.to_region().to_pixel(image.geom.wcs)
        outline.plot(ax=ax, edgecolor="black", facecolor="none", linestyle="--", linewidth=1.2)


def plot_residual_distribution(maps: Any, mask: Any = None, ax: Any = None, *, bins: int = 50, **kwargs: Any) -> Any:
    """Plot the distribution of significances over the pixels, with a normal distribution fitted to it.

    The fit is that of greatest likelihood to the values themselves: their mean and standard deviation. Without sources and with
    the right background these are 0 and 1. Neighbouring pixels share counts, so there are no errors given.

    Parameters
    ----------
    maps : FluxMaps or Map
        Maps with ``sqrt_ts``, or a map; with one bin of energy.
    mask : Map, optional
        Image of bool, true for the pixels to use, such as those without sources.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    bins : int
        Number of bins.
    **kwargs
        Arguments of ``Axes.hist``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    GeometryError
        If there are several bands of energy, or the mask has another shape.
    InputError
        If there are less than two values.
    """
    image = _significance(maps, "plot_residual_distribution")
    data = image.frozen_data.astype(float)
    keep = np.isfinite(data)
    if mask is not None:
        own = np.squeeze(mask.frozen_data)
        if own.shape != data.shape:
            msg = f"plot_residual_distribution: the mask has shape {own.shape}, the map {data.shape}."
            raise GeometryError(msg)
        keep &= own.astype(bool)
    values = data[keep]
    if len(values) < 2:
        msg = f"plot_residual_distribution: {len(values)} values to plot; check the mask."
        raise InputError(msg)
    ax = axes_with(ax)
    mean, width = float(values.mean()), float(values.std())
    low, high = min(values.min(), -5.0), max(values.max(), 5.0)
    ax.hist(values, **({"bins": np.linspace(low, high, bins + 1), "density": True, "color": "0.75", "label": "pixels"} | kwargs))
    grid = np.linspace(low, high, 400)
    ax.plot(grid, _normal(grid, mean, width), color=COLORS[0], label=rf"fit: $\mu$ = {mean:.2f}, $\sigma$ = {width:.2f}")
    ax.plot(grid, _normal(grid, 0, 1), color=COLORS[1], ls="--", label=r"expected: $\mu$ = 0, $\sigma$ = 1")
    ax.set_yscale("log")
    ax.set_ylim(0.3 / (len(values) * (high - low) / bins), 2.0)
    ax.set(xlabel="Significance", ylabel="Density of pixels")
    ax.legend(frameon=False)
    return ax


def _normal(x: Any, mean: float, width: float) -> Any:
    return np.exp(-0.5 * ((x - mean) / width) ** 2) / (width * np.sqrt(2 * np.pi)) if width > 0 else np.zeros_like(x)
