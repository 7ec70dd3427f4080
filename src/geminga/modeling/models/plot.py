"""Plots of where models are; the functions are methods of `DatasetModels`."""

from __future__ import annotations

from typing import Any

from geminga.utils.plot import sky_projection

__all__ = ["plot_positions", "plot_regions"]


def plot_regions(
    models: Any,
    ax: Any = None,
    kwargs_point: dict[str, Any] | None = None,
    path_effect: Any = None,
    size_factor: float | None = None,
    **kwargs: Any,
) -> Any:
    """Plot the regions of the shapes.

    Parameters
    ----------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional
        Axes; made from `wcs_geom` if not given.
    kwargs_point : dict, optional
        Style of points.
    path_effect : `~matplotlib.patheffects.PathEffect`, optional
        Effect on lines.
    size_factor : float, optional
        Factor on the size.
    **kwargs
        Style of patches.

    Returns
    -------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`
        Axes.
    """
    from geminga.maps import RegionGeom

    geom = RegionGeom.from_regions(models.to_regions(size_factor=size_factor))
    return geom.plot_region(ax=ax, kwargs_point=kwargs_point, path_effect=path_effect, **kwargs)


def plot_positions(models: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the positions as points.

    Parameters
    ----------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`, optional
        Axes; the present ones if they have a projection, else made from `wcs_geom`.
    **kwargs
        Passed to `matplotlib.axes.Axes.scatter`.

    Returns
    -------
    ax : `~astropy.visualization.wcsaxes.WCSAxes`
        Axes.
    """
    import matplotlib.pyplot as plt
    from astropy.visualization.wcsaxes import WCSAxes

    if ax is None:
        is_sky = plt.get_fignums() and isinstance(plt.gca(), WCSAxes)
        ax = plt.gca() if is_sky else plt.subplot(projection=sky_projection(models.wcs_geom.wcs))
    style = {"marker": "*", "color": "tab:blue", "label": "Positions"} | kwargs
    positions = models.positions
    ax.scatter(positions.ra.deg, positions.dec.deg, transform=ax.get_transform("icrs"), **style)
    return ax
