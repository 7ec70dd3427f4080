"""Distributions of samples in energy bands, as violins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.utils.plot import current_axes

__all__ = ["plot_samples_violin_vs_energy"]


def plot_samples_violin_vs_energy(
    energy_edges: u.Quantity,
    samples_per_band: Sequence[Any],
    weights_per_band: Sequence[Any] | None = None,
    energy_power: float = 0,
    bw_method: Any = "scott",
    grid_size: int = 200,
    ax: Any = None,
    errorbar_kwargs: dict[str, Any] | None = None,
    errorbar_ul_kwargs: dict[str, Any] | None = None,
    violin_kwargs: dict[str, Any] | None = None,
    violin_clip: tuple[float, float] | None = None,
    y_label: str = "dN/dE",
) -> Any:
    """Plot the distribution of samples, such as those of a posterior, in each energy band, with median and 68 % interval.

    Parameters
    ----------
    energy_edges : Quantity, shape (n + 1,)
        Edges of the bands.
    samples_per_band : list of array or Quantity
        Samples of each band; an empty one is left out.
    weights_per_band : list of array, optional
        Weights of the samples.
    energy_power : float
        Power of the band's central energy that multiplies the samples.
    bw_method : str, float or callable
        Bandwidth, see `scipy.stats.gaussian_kde`.
    grid_size : int
        Number of points at which each density is drawn.
    ax : Axes, optional
        Where to draw.
    errorbar_kwargs, errorbar_ul_kwargs : dict, optional
        Arguments of ``Axes.errorbar`` for medians, and for 95 % upper limits where the interval reaches zero.
    violin_kwargs : dict, optional
        Arguments of ``Axes.fill_betweenx``.
    violin_clip : tuple of float, optional
        Quantiles between which densities are drawn.
    y_label : str
        Label of the y-axis.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the numbers of bands, samples and weights differ.
    """
    edges = u.Quantity(energy_edges)
    number = len(edges) - 1
    weights = [None] * number if weights_per_band is None else list(weights_per_band)
    if len(samples_per_band) != number or len(weights) != number:
        msg = f"plot_samples_violin_vs_energy: {number} bands, {len(samples_per_band)} samples and {len(weights)} weights."
        raise InputError(msg)
    ax = current_axes(ax)
    unit = next((s.unit for s in samples_per_band if isinstance(s, u.Quantity)), u.dimensionless_unscaled)
    label_unit = unit * edges.unit**energy_power
    for index in range(number):
        low, high = edges[index : index + 2].value
        samples = u.Quantity(samples_per_band[index], unit).value * np.sqrt(low * high) ** energy_power
        if not len(samples):
            continue
        weight = np.ones(len(samples)) if weights[index] is None else np.asarray(weights[index], dtype=float)
        clip = violin_clip or (0.0, 1.0)
        _violin(ax, low, high, samples, weight, bw_method, grid_size, clip, violin_kwargs or {})
        _summary(ax, low, high, samples, weight, errorbar_kwargs or {}, errorbar_ul_kwargs or {})
    ax.set_xscale("log")
    ax.set_yscale("log", nonpositive="clip")
    ax.set_xlabel(f"Energy [{edges.unit.to_string('latex_inline')}]")
    ax.set_ylabel(f"{y_label} [{label_unit.to_string('latex_inline')}]" if str(label_unit) else y_label)
    return ax


def _quantile(samples: Any, weights: Any, q: Any) -> Any:
    order = np.argsort(samples)
    cumulative = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    return np.interp(q, cumulative, samples[order])


def _violin(
    ax: Any, low: float, high: float, samples: Any, weights: Any, bw_method: Any, size: int, clip: Any, kwargs: dict[str, Any]
) -> None:
    """Density on a logarithmic grid, as wide as the band at its maximum."""
    from scipy.stats import gaussian_kde

    inside = (samples > 0) & (weights > 0)
    if inside.sum() < 2 or np.ptp(samples[inside]) == 0:
        return
    bounds = _quantile(samples[inside], weights[inside], np.asarray(clip))
    logs = np.log(samples[inside])
    density = gaussian_kde(logs, bw_method=bw_method, weights=weights[inside])
    grid = np.linspace(float(np.log(bounds[0])), float(np.log(bounds[1])), size)
    height = density(grid)
    middle, half = 0.5 * (np.log(low) + np.log(high)), 0.45 * np.log(high / low)
    width = half * height / height.max()
    settings = {"alpha": 0.4, "color": "tab:blue", "lw": 0} | kwargs
    ax.fill_betweenx(np.exp(grid), np.exp(middle - width), np.exp(middle + width), **settings)


def _summary(
    ax: Any, low: float, high: float, samples: Any, weights: Any, kwargs: dict[str, Any], kwargs_ul: dict[str, Any]
) -> None:
    """Median with 68 % interval, or the 95 % upper limit where the interval reaches zero."""
    below, median, above, limit = _quantile(samples, weights, np.array([0.158655, 0.5, 0.841345, 0.95]))
    middle = np.sqrt(low * high)
    xerr = [[middle - low], [high - middle]]
    if below > 0:
        settings = {"fmt": "o", "color": "black", "ms": 3} | kwargs
        ax.errorbar([middle], [median], xerr=xerr, yerr=[[median - below], [above - median]], **settings)
    elif limit > 0:
        settings = {"fmt": "v", "color": "black", "ms": 4} | kwargs_ul
        ax.errorbar([middle], [limit], xerr=xerr, **settings)
