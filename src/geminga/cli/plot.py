"""Figures of the demo, returned as PNG files in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geminga.utils.plot import sky_projection
from geminga.visualization import plot_residual_distribution, plot_sed, plot_significance_map

if TYPE_CHECKING:
    from geminga.estimators import FluxPoints
    from geminga.maps import Map
    from geminga.modeling.models import Models

__all__ = ["plot_residuals", "plot_seds"]


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
    """Significance of the residuals with the fitted sources, and the distribution of its values."""
    figure = _new_figure(12.4, 4.8)
    figure.get_layout_engine().set(wspace=0.08)
    ax = figure.add_subplot(1, 2, 1, projection=sky_projection(significance.geom.wcs))
    plot_significance_map(significance, models, ax=ax, label="Significance of the residual")
    plot_residual_distribution(significance, ax=figure.add_subplot(1, 2, 2))
    return _to_png(figure)


def plot_seds(models: Models, points: Mapping[str, FluxPoints]) -> bytes:
    """Fitted spectra with error bands, and flux points in bands; each source in its own panel."""
    columns = min(len(points), 2)
    rows = -(-len(points) // columns)
    figure = _new_figure(6.0 * columns, 4.6 * rows)
    for number, (name, own) in enumerate(points.items(), start=1):
        plot_sed({"flux points": own}, models[name], ax=figure.add_subplot(rows, columns, number))
    return _to_png(figure)
