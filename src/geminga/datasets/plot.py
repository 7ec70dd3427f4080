"""Pictures of datasets: quick looks, residuals, spectra with their masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.datasets.residuals import compute_residuals, residual_label
from geminga.utils.plot import current_axes, sky_projection, two_panels

__all__ = [
    "peek",
    "peek_spectrum",
    "plot_counts",
    "plot_excess",
    "plot_fit",
    "plot_masks",
    "plot_ratio",
    "plot_residuals",
    "plot_residuals_spatial",
    "plot_residuals_spectral",
]


def _pyplot() -> Any:
    import matplotlib.pyplot as plt

    return plt


def _panel(ax: Any, title: str, image: Any, **kwargs: Any) -> None:
    ax.set_title(title)
    if image is None:
        ax.text(0.5, 0.5, "none", transform=ax.transAxes, ha="center")
        return
    image.plot(ax=ax, add_cbar=True, **kwargs)


def peek(self: Any, figsize: tuple[float, float] = (13, 7)) -> None:
    """Show counts, excess counts, exposure and background, summed over energy.

    Parameters
    ----------
    figsize : tuple
        Size of the figure in inches.
    """
    plt = _pyplot()
    figure = plt.figure(figsize=figsize)
    wcs = getattr(self._geom.to_image(), "wcs", None)
    excess = None if self.counts is None or self.background is None else self.excess
    titled = {"Counts": self.counts, "Excess counts": excess, "Exposure": self.exposure, "Background": self.background}
    for number, (title, value) in enumerate(titled.items(), start=1):
        ax = figure.add_subplot(2, 2, number, projection=None if self._geom.is_region else sky_projection(wcs))
        if self._geom.is_region:
            ax.set_title(title)
            if value is not None:
                value.plot_hist(ax=ax)
            continue
        image = None if value is None else value.sum_over_axes()
        limits = {} if image is None or title != "Counts" else {"vmin": 0}
        _panel(ax, title, image, **limits)


def plot_residuals(
    self: Any,
    ax_spatial: Any = None,
    ax_spectral: Any = None,
    kwargs_spatial: dict[str, Any] | None = None,
    kwargs_spectral: dict[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Plot the map of residuals beside their spectrum.

    Parameters
    ----------
    ax_spatial, ax_spectral : Axes, optional
        Where to draw; new ones if not given.
    kwargs_spatial, kwargs_spectral : dict, optional
        Arguments of `plot_residuals_spatial` and `plot_residuals_spectral`. A ``region`` of the latter is shown on the map.

    Returns
    -------
    ax_spatial, ax_spectral : Axes
    """
    kwargs_spatial = kwargs_spatial or {}
    kwargs_spectral = kwargs_spectral or {}
    if ax_spatial is None or ax_spectral is None:
        figure = _pyplot().figure(figsize=(12, 4))
        ax_spatial = figure.add_subplot(121, projection=sky_projection(self._geom.wcs))
        ax_spectral = figure.add_subplot(122)
    self.plot_residuals_spatial(ax_spatial, **kwargs_spatial)
    self.plot_residuals_spectral(ax_spectral, **kwargs_spectral)
    region = kwargs_spectral.get("region")
    if region is not None:
        region.to_pixel(wcs=self._geom.wcs).plot(ax=ax_spatial)
    return ax_spatial, ax_spectral


def plot_residuals_spatial(
    self: Any,
    ax: Any = None,
    method: str = "diff",
    smooth_kernel: str = "gauss",
    smooth_radius: Any = "0.1 deg",
    **kwargs: Any,
) -> Any:
    """Plot the map of residuals, summed over energy and smoothed.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    method : {"diff", "diff/model", "diff/sqrt(model)"}
        See `residuals`.
    smooth_kernel : {"gauss", "disk", "box"}
        Kernel.
    smooth_radius : Quantity, str or float
        Its width.
    **kwargs
        Arguments of `Map.plot`.

    Returns
    -------
    ax : Axes
    """
    counts, npred, mask = self.counts.copy(data=self.counts.frozen_data.astype(float)), self.npred(), self.mask
    if mask is not None:
        counts, npred = counts * mask, npred * mask
    smoothed = [one.sum_over_axes(keepdims=False).smooth(width=smooth_radius, kernel=smooth_kernel) for one in (counts, npred)]
    values = compute_residuals(smoothed[0].frozen_data, smoothed[1].frozen_data, method)
    image = smoothed[0].copy(data=values)
    limit = 5 if method != "diff/model" else 1
    kwargs = {"cmap": "coolwarm", "vmin": -limit, "vmax": limit, "add_cbar": True} | kwargs
    return image.plot(_pyplot().subplot(projection=sky_projection(self._geom.wcs)) if ax is None else ax, **kwargs)


def _spectra(dataset: Any, region: Any) -> tuple[Any, Any]:
    """Counts and prediction in each energy bin of the mask, over a region or the whole field."""
    counts, npred, mask = dataset.counts, dataset.npred(), dataset.mask
    counts = counts.copy(data=counts.frozen_data.astype(float))
    if mask is not None:
        counts, npred = counts * mask, npred * mask
    if dataset._geom.is_region:
        return counts, npred
    return counts.get_spectrum(region), npred.get_spectrum(region)


def plot_residuals_spectral(
    self: Any,
    ax: Any = None,
    method: str = "diff",
    region: Any = None,
    kwargs_fit: dict[str, Any] | None = None,
    kwargs_safe: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Plot the spectrum of the residuals, with the bounds of the masks if this is a spectrum.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    method : {"diff", "diff/model", "diff/sqrt(model)"}
        See `residuals`.
    region : SkyRegion, optional
        Region to sum over; the whole field if not given.
    kwargs_fit, kwargs_safe : dict, optional
        Arguments of `Map.plot_mask` for the two masks.
    **kwargs
        Arguments of ``Axes.errorbar``.

    Returns
    -------
    ax : Axes
    """
    counts, npred = _spectra(self, region)
    axis = counts.geom.axes["energy"]
    data, model = counts.frozen_data.ravel(), npred.frozen_data.ravel()
    values = compute_residuals(data, model, method)
    errors = compute_residuals(np.sqrt(data) + model, model, method)
    ax = current_axes(ax)
    kwargs = {"color": "black", "fmt": ".", "capsize": 2, "lw": 1} | kwargs
    ax.errorbar(axis.as_plot_center, values, yerr=np.nan_to_num(np.abs(errors)), xerr=axis.as_plot_xerr, **kwargs)
    ax.axhline(0, color=kwargs["color"], lw=0.5)
    axis.format_plot_xaxis(ax=ax)
    ax.set_ylabel(f"Residuals\n{residual_label(method)}")
    spread = np.nanmax(np.abs(values), initial=0)
    ax.set_ylim(-1.05 * spread or -1, 1.05 * spread or 1)
    if self._geom.is_region and hasattr(self, "plot_masks"):
        self.plot_masks(ax=ax, kwargs_fit=kwargs_fit, kwargs_safe=kwargs_safe)
    return ax


def plot_masks(
    self: Any, ax: Any = None, kwargs_fit: dict[str, Any] | None = None, kwargs_safe: dict[str, Any] | None = None
) -> Any:
    """Shade the energy ranges of the safe and the fit mask.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    kwargs_fit, kwargs_safe : dict, optional
        Arguments of `RegionNDMap.plot_mask`.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    if self.mask_fit is not None:
        self.mask_fit.plot_mask(ax=ax, **({"label": "Mask fit", "color": "tab:green", "alpha": 0.2} | (kwargs_fit or {})))
    if self.mask_safe is not None:
        self.mask_safe.plot_mask(ax=ax, **({"label": "Mask safe", "color": "black", "alpha": 0.1} | (kwargs_safe or {})))
    if self.mask_fit is not None or self.mask_safe is not None:
        ax.legend()
    return ax


def plot_counts(
    self: Any,
    ax: Any = None,
    kwargs_counts: dict[str, Any] | None = None,
    kwargs_background: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Plot counts and background against energy.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    kwargs_counts, kwargs_background : dict, optional
        Arguments of `RegionNDMap.plot_hist` for one of them.
    **kwargs
        Arguments for both.

    Returns
    -------
    ax : Axes
    """
    ax = self.counts.plot_hist(ax=current_axes(ax), **({"label": "Counts"} | kwargs | (kwargs_counts or {})))
    if self.background is not None:
        self.background.plot_hist(ax=ax, **({"label": "Background"} | kwargs | (kwargs_background or {})))
    ax.legend(numpoints=1)
    return ax


def plot_excess(
    self: Any,
    ax: Any = None,
    kwargs_excess: dict[str, Any] | None = None,
    kwargs_npred_signal: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Plot excess counts with their errors, and the predicted signal, against energy.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    kwargs_excess, kwargs_npred_signal : dict, optional
        Arguments of ``Axes.errorbar`` and of `RegionNDMap.plot_hist`.
    **kwargs
        Arguments for both.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    axis, excess = self._geom.axes["energy"], np.asarray(self.excess.frozen_data, dtype=float).ravel()
    errors = self.excess_error.frozen_data.ravel()
    style = {"label": "Excess counts", "color": "black", "fmt": ".", "capsize": 2, "lw": 1} | kwargs | (kwargs_excess or {})
    ax.errorbar(axis.as_plot_center, excess, yerr=errors, xerr=axis.as_plot_xerr, **style)
    if self.models:
        style = {"label": "Predicted signal counts"} | kwargs | (kwargs_npred_signal or {})
        self.npred_signal().plot_hist(ax=ax, **style)
    axis.format_plot_xaxis(ax=ax)
    ax.set_ylabel("Counts")
    ax.legend(numpoints=1)
    return ax


def plot_ratio(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot counts over predicted counts against energy.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    **kwargs
        Arguments of ``Axes.errorbar``.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    counts, npred = _spectra(self, None)
    axis, data, model = counts.geom.axes["energy"], counts.frozen_data.ravel(), npred.frozen_data.ravel()
    values, errors = (np.divide(v, model, out=np.full(len(v), np.nan), where=model > 0) for v in (data, np.sqrt(data)))
    style = {"color": "black", "fmt": ".", "capsize": 2, "lw": 1} | kwargs
    ax.errorbar(axis.as_plot_center, values, yerr=errors, xerr=axis.as_plot_xerr, **style)
    ax.axhline(1, color=style["color"], lw=0.5)
    axis.format_plot_xaxis(ax=ax)
    ax.set_ylabel("Counts / predicted counts")
    return ax


def plot_fit(
    self: Any,
    ax_spectrum: Any = None,
    ax_residuals: Any = None,
    kwargs_spectrum: dict[str, Any] | None = None,
    kwargs_residuals: dict[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Plot the excess with the prediction, and the residuals below.

    Parameters
    ----------
    ax_spectrum, ax_residuals : Axes, optional
        Where to draw; new ones if not given.
    kwargs_spectrum, kwargs_residuals : dict, optional
        Arguments of `plot_excess` and `plot_residuals_spectral`.

    Returns
    -------
    ax_spectrum, ax_residuals : Axes
    """
    if ax_spectrum is None or ax_residuals is None:
        ax_spectrum, ax_residuals = two_panels(_pyplot().figure(figsize=(9, 7)))
    self.plot_excess(ax=ax_spectrum, **(kwargs_spectrum or {}))
    ax_spectrum.set_xlabel("")  # the panel below has it
    self.plot_residuals_spectral(ax=ax_residuals, **({"method": "diff/model"} | (kwargs_residuals or {})))
    return ax_spectrum, ax_residuals


def peek_spectrum(self: Any, figsize: tuple[float, float] = (16, 4)) -> None:
    """Show counts, exposure and energy dispersion.

    Parameters
    ----------
    figsize : tuple
        Size of the figure in inches.
    """
    figure = _pyplot().figure(figsize=figsize, layout="constrained")
    ax_counts, ax_exposure, ax_edisp = figure.subplots(1, 3)
    ax_counts.set_title("Counts")
    self.plot_counts(ax_counts)
    self.plot_masks(ax=ax_counts)
    ax_exposure.set_title("Exposure")
    if self.exposure is not None:
        self.exposure.plot(ax=ax_exposure, ls="-", marker=None, color="black")
        ax_exposure.set_ylabel(f"Exposure [{self.exposure.unit:latex_inline}]")
    ax_edisp.set_title("Energy Dispersion")
    if self.edisp is not None:
        self.edisp.get_edisp_kernel().plot_matrix(ax=ax_edisp, add_cbar=True)
