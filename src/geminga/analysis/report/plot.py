"""Figures of a report, as PNG files in memory."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from geminga.analysis.report.content import correlations
from geminga.utils.plot import sky_projection, two_panels
from geminga.visualization import plot_heatmap, plot_light_curve, plot_residual_distribution, plot_sed, plot_significance_map

__all__ = ["Picture", "correlation_picture", "light_curve_picture", "map_pictures", "sed_picture", "spectrum_picture"]

#: Parameters of which the correlations are drawn, at most.
_MOST = 25


class Picture(NamedTuple):
    """Image in the page: what it shows, and its data as text."""

    caption: str
    data: str


def _picture(caption: str, draw: Callable[[Any], None], width: float = 7.0, height: float = 4.8) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return Picture(caption, base64.b64encode(stream.getvalue()).decode("ascii"))


def spectrum_picture(dataset: Any) -> Picture:
    """Excess and prediction of a spectrum, with residuals."""

    def draw(figure: Any) -> None:
        upper, lower = two_panels(figure)
        dataset.plot_fit(upper, lower, kwargs_residuals={"method": "diff/sqrt(model)"})

    return _picture(f"Dataset {dataset.name}: excess, prediction, and residuals", draw)


def map_pictures(maps: Any, models: Sequence[Any], name: str) -> list[Picture]:
    """Significance of what the models leave, and its distribution; `maps` has one band of energy."""

    def draw_map(figure: Any) -> None:
        plot_significance_map(maps, models, ax=figure.add_subplot(projection=sky_projection(maps.geom.wcs)))

    def draw_distribution(figure: Any) -> None:
        plot_residual_distribution(maps, ax=figure.add_subplot())

    return [
        _picture(f"Dataset {name}: significance of the counts against the prediction", draw_map, 7.0, 6.0),
        _picture(f"Dataset {name}: distribution of these significances", draw_distribution),
    ]


def correlation_picture(models: Any) -> Picture | None:
    """Correlations of the free parameters; None if there is nothing to correlate."""
    names, matrix = correlations(models)
    if len(names) < 2:
        return None
    shown = names[:_MOST]

    def draw(figure: Any) -> None:
        plot_heatmap(matrix[: len(shown), : len(shown)], shown, shown, ax=figure.add_subplot(), cmap="RdBu_r", vmin=-1, vmax=1)

    more = f" (the first {_MOST} of {len(names)})" if len(names) > _MOST else ""
    return _picture(f"Correlations of the free parameters{more}", draw, 6.5, 5.5)


def sed_picture(points: Any, model: Any) -> Picture:
    """Flux points with the model and its error band."""
    return _picture(f"Spectrum of {model.name}", lambda figure: plot_sed({"flux points": points}, model, ax=figure.add_subplot()))


def light_curve_picture(points: Any, name: str) -> Picture:
    """Light curve."""
    return _picture(f"Light curve of {name}", lambda figure: plot_light_curve(points, ax=figure.add_subplot()))
