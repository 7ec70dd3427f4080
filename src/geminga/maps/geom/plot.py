"""Plots of geometries."""

from __future__ import annotations

from typing import Any

__all__ = ["plot_region"]


def plot_region(
    self: Any, ax: Any = None, kwargs_point: dict[str, Any] | None = None, path_effect: Any = None, **kwargs: Any
) -> Any:
    """Draw the outline of the region.

    Parameters
    ----------
    ax : WCSAxes, optional
        Axes; by default new ones round the region.
    kwargs_point : dict, optional
        Keywords of `matplotlib.lines.Line2D` for points.
    path_effect : PathEffect, optional
        Effect on lines and patches.
    **kwargs : dict
        Keywords of the patches, such as ``edgecolor``, ``facecolor``, ``lw``.

    Returns
    -------
    ax : WCSAxes
        Axes.

    Raises
    ------
    GeometryError
        If there is no region.
    """
    import matplotlib.pyplot as plt
    from matplotlib.collections import PatchCollection
    from regions import PointSkyRegion

    from geminga.utils.regions import as_region_list

    parts = as_region_list(self._known_region)
    if ax is None:
        ax = plt.subplot(projection=self.to_wcs_geom(width_min="1 deg").wcs)
    patches = []
    for part in parts:
        artist = part.to_pixel(ax.wcs).as_artist()
        if isinstance(part, PointSkyRegion):
            artist.set(**(kwargs_point or {}))
            if path_effect is not None:
                artist.set_path_effects([path_effect])
            ax.add_artist(artist)
        else:
            patches.append(artist)
    if patches:
        kwargs.setdefault("facecolor", "none")
        kwargs.setdefault("edgecolor", "black")
        collection = PatchCollection(patches, **kwargs)
        if path_effect is not None:
            collection.set_path_effects([path_effect])
        ax.add_collection(collection)
    return ax
