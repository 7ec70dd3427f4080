"""Plots of datasets that are not methods of them."""

from __future__ import annotations

from typing import Any

from geminga.utils.plot import sky_projection

__all__ = ["plot_npred_signal", "plot_spectrum_datasets_off_regions"]


def plot_npred_signal(dataset: Any, ax: Any = None, model_names: Any = None, region: Any = None, **kwargs: Any) -> Any:
    """Plot the counts that each model predicts against the energy.

    Parameters
    ----------
    dataset : MapDataset or SpectrumDataset
        Dataset with models.
    ax : Axes, optional
        Where to draw.
    model_names : list of str, optional
        Models; all by default.
    region : SkyRegion, optional
        Region over which counts are summed; the whole field by default.
    **kwargs
        Arguments of `RegionNDMap.plot`.

    Returns
    -------
    ax : Axes
    """
    npred = dataset.npred_signal(model_names=model_names, stack=False)
    spectrum = npred.to_region_nd_map(region)
    ax = spectrum.plot(ax=ax, axis_name="energy", **kwargs)
    ax.set_ylabel("Predicted counts")
    return ax


def plot_spectrum_datasets_off_regions(
    datasets: Any, ax: Any = None, legend: bool | None = None, legend_kwargs: dict[str, Any] | None = None, **kwargs: Any
) -> Any:
    """Draw the off regions of spectra on the sky, each dataset in its colour.

    Parameters
    ----------
    datasets : Datasets of SpectrumDatasetOnOff
        Datasets; those without off counts are left out.
    ax : WCSAxes, optional
        Where to draw; by default axes round the first on region.
    legend : bool, optional
        Add a legend; by default for at most ten datasets.
    legend_kwargs : dict, optional
        Arguments of ``Axes.legend``.
    **kwargs
        Arguments of the patches, such as ``edgecolor``; a list is taken in turn.

    Returns
    -------
    ax : WCSAxes
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    members = [d for d in datasets if d.counts_off is not None and d.counts_off.geom.region is not None]
    if ax is None and members:
        ax = plt.subplot(projection=sky_projection(members[0].counts_off.geom.to_wcs_geom(width_min="1 deg").wcs))
    colors = plt.rcParams["axes.prop_cycle"].by_key().get("color", ["black"])
    chosen = kwargs.pop("edgecolor", colors)
    chosen = [chosen] if isinstance(chosen, str) else list(chosen)
    handles = []
    for number, dataset in enumerate(members):
        color = chosen[number % len(chosen)]
        dataset.counts_off.geom.plot_region(ax=ax, edgecolor=color, kwargs_point={"color": color}, **kwargs)
        handles.append(Patch(facecolor="none", edgecolor=color, label=dataset.name))
    if handles and (legend or (legend is None and len(handles) <= 10)):
        ax.legend(handles=handles, **(legend_kwargs or {}))
    return ax
