"""Figures of the demo, returned as PNG files in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.utils.plot import sky_projection

if TYPE_CHECKING:
    from geminga.estimators import FluxPoints
    from geminga.maps import Map
    from geminga.modeling.models import Models

__all__ = ["plot_residuals", "plot_seds"]

_UNIT = u.Unit("erg cm-2 s-1")


def _new_figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _to_png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()


def plot_residuals(significance: Map, models: Models) -> bytes:
    """Significance of the residuals with the fitted positions, and the distribution of its values."""
    figure = _new_figure(11, 4.6)
    ax = figure.add_subplot(1, 2, 1, projection=sky_projection(significance.geom.wcs))
    data = significance.frozen_data
    image = ax.imshow(data, origin="lower", cmap="RdBu_r", vmin=-5, vmax=5, interpolation="nearest")
    figure.colorbar(image, ax=ax, label="Significance of the residual")
    for model in models:
        position = getattr(model, "position", None)
        if position is not None:
            x, y = significance.geom.wcs.world_to_pixel(position)
            ax.plot(x, y, "k+", markersize=10)
            ax.annotate(model.name, (x, y), textcoords="offset points", xytext=(6, 6), fontsize=9)
    is_galactic = significance.geom.frame == "galactic"
    ax.set_xlabel("Galactic longitude" if is_galactic else "Right ascension")
    ax.set_ylabel("Galactic latitude" if is_galactic else "Declination")

    ax = figure.add_subplot(1, 2, 2)
    values = data[np.isfinite(data)]
    ax.hist(values, bins=np.linspace(-6, 6, 49), density=True, color="0.75", label="pixels")
    grid = np.linspace(-6, 6, 241)
    ax.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color="C3", label="expected without residuals")
    ax.set(xlabel="Significance of the residual", ylabel="Density of pixels")
    ax.legend(fontsize=9)
    return _to_png(figure)


def plot_seds(models: Models, points: Mapping[str, FluxPoints], energy_bounds: u.Quantity) -> bytes:
    """Fitted spectra with error bands, and flux points in bands."""
    figure = _new_figure(6.5, 4.6)
    ax = figure.add_subplot()
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_units(u.TeV)
    ax.yaxis.set_units(_UNIT)
    for index, (name, source_points) in enumerate(points.items()):
        spectral, color = models[name].spectral_model, f"C{index}"
        spectral.plot(energy_bounds, ax=ax, sed_type="e2dnde", color=color, label=name)
        spectral.plot_error(energy_bounds, ax=ax, sed_type="e2dnde", facecolor=color, alpha=0.25)
        source_points.plot(ax=ax, sed_type="e2dnde", color=color, marker="o", markersize=4)
    ax.set(xlabel="Energy [TeV]", ylabel=r"$E^2\,dN/dE$ [erg cm$^{-2}$ s$^{-1}$]")
    ax.legend(fontsize=9)
    return _to_png(figure)
