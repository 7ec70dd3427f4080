"""Figures of a report that answer to the mouse, made with plotly: spectrum, light curve and slices of maps."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import MissingDependencyError
from geminga.visualization.palette import COLORS

__all__ = ["library", "light_curve_figure", "maps_figure", "sed_figure"]

Array = NDArray[np.float64]
#: Pixels along each side of the slices, at most; larger maps are averaged.
_PIXELS = 120
_UNIT = "erg cm-2 s-1"


def _plotly() -> ModuleType:
    try:
        import plotly.graph_objects
    except ImportError as error:
        msg = "A report needs the package plotly; install it with: pip install 'geminga[report]'."
        raise MissingDependencyError(msg) from error
    return plotly.graph_objects


def library() -> str:
    """Text of plotly's JavaScript, from the installed package."""
    _plotly()
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


def _html(figure: Any, height: int = 460) -> str:
    # The legend is above, where it hides nothing.
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    figure.update_layout(template="simple_white", height=height, margin={"l": 70, "r": 20, "t": 40, "b": 60}, legend=legend)
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False, "responsive": True})
    return text


def _flat(points: Any, name: str, unit: Any) -> Array:
    return np.asarray(getattr(points, name).to_unit(unit).frozen_data, dtype=float).ravel()


def _values(points: Any, kind: str, unit: Any) -> tuple[Array, Array, Array]:
    """Values, errors and limits (NaN where the value is measured); a limit takes the place of its value."""
    value, error = _flat(points, kind, unit), _flat(points, f"{kind}_err", unit)
    limit = np.full(value.shape, np.nan)
    if points.has_ul:
        is_limit = np.ravel(points.is_ul.frozen_data).astype(bool)
        limit[is_limit] = _flat(points, f"{kind}_ul", unit)[is_limit]
        value = np.where(is_limit, np.nan, value)
    return value, error, limit


def _add_points(figure: Any, x: Any, width: Any, points: Any, kind: str, unit: Any) -> None:
    go = _plotly()
    value, error, limit = _values(points, kind, unit)
    style = {"color": COLORS[0], "size": 8}
    errors: dict[str, Any] = {"error_y": {"array": error, "type": "data", "width": 0}, "error_x": width}
    figure.add_trace(go.Scatter(x=x, y=value, mode="markers", name="measured", marker=style, **errors))
    if np.isfinite(limit).any():
        arrow = style | {"symbol": "triangle-down", "size": 11}
        figure.add_trace(go.Scatter(x=x, y=limit, mode="markers", name="upper limits", marker=arrow))


def sed_figure(points: Any, model: Any) -> str:
    """Flux points and the model with its error band, E2 dN/dE in erg cm-2 s-1 over energy in TeV."""
    go = _plotly()
    axis = points.geom.axes["energy"]
    center = axis.center.to_value("TeV")
    edges = axis.edges.to_value("TeV")
    energy = np.geomspace(edges[0], edges[-1], 80)
    figure = go.Figure()
    quantity = u.Quantity(energy, "TeV")
    curve = model.spectral_model.evaluate_error(quantity)
    middle, low, high = ((one * quantity**2).to_value(_UNIT) for one in curve)
    band = {"color": COLORS[1], "width": 0}
    figure.add_trace(go.Scatter(x=energy, y=middle + high, mode="lines", line=band, showlegend=False, hoverinfo="skip"))
    lower = np.maximum(middle - low, 1e-3 * middle)
    fill = {"fill": "tonexty", "fillcolor": "rgba(213, 94, 0, 0.2)"}
    figure.add_trace(go.Scatter(x=energy, y=lower, mode="lines", line=band, name="error of the model", hoverinfo="skip", **fill))
    figure.add_trace(go.Scatter(x=energy, y=middle, mode="lines", line={"color": COLORS[1]}, name=model.name))
    width = {"type": "data", "array": edges[1:] - center, "arrayminus": center - edges[:-1], "width": 0}
    _add_points(figure, center, width, points, "e2dnde", _UNIT)
    figure.update_xaxes(type="log", title="Energy [TeV]")
    figure.update_yaxes(type="log", title="E<sup>2</sup> dN/dE [erg cm<sup>-2</sup> s<sup>-1</sup>]", exponentformat="power")
    return _html(figure)


def light_curve_figure(points: Any) -> str:
    """Integral flux in cm-2 s-1 over the time in MJD; the first band of energy."""
    go = _plotly()
    first = points.slice_by_idx({"energy": slice(0, 1)})
    axis = first.geom.axes["time"]
    start, stop = axis.time_min.mjd, axis.time_max.mjd
    center = 0.5 * (start + stop)
    figure = go.Figure()
    width = {"type": "data", "array": stop - center, "arrayminus": center - start, "width": 0}
    _add_points(figure, center, width, first, "flux", "cm-2 s-1")
    figure.update_xaxes(title="Time [MJD]", tickformat=".2f")
    figure.update_yaxes(title="Flux [cm<sup>-2</sup> s<sup>-1</sup>]", exponentformat="power")
    return _html(figure, 400)


def _coarse(image: Array, factor: int) -> Array:
    """Mean over blocks of pixels; the rest at the edges is left out."""
    rows, columns = (size // factor * factor for size in image.shape)
    blocks = image[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
    return blocks.mean(axis=(1, 3))


def maps_figure(counts: Any, significance: Any) -> str:
    """Counts, and significance of what the models leave, with a slider over the energy.

    Parameters
    ----------
    counts : Map
        Counts of each energy, shape (energy, lat, lon).
    significance : Map
        Significance on the same bins.
    """
    go = _plotly()
    from plotly.subplots import make_subplots

    geom = counts.geom.to_image()
    factor = max(1, -(-max(geom.data_shape) // _PIXELS))
    scale = geom.pixel_scales.to_value("deg")
    shape = tuple(size // factor for size in geom.data_shape)
    lat, lon = ((np.arange(n) - (n - 1) / 2) * factor * s for n, s in zip(shape, scale[::-1], strict=True))
    figure = make_subplots(1, 2, subplot_titles=("counts in a pixel", "significance of the residual"), horizontal_spacing=0.14)
    places = ({"x": 0.43, "len": 0.9}, {"x": 1.0, "len": 0.9})
    for index, (one, other) in enumerate(zip(counts.frozen_data, significance.frozen_data, strict=True)):
        images: list[tuple[Any, str, dict[str, Any]]] = [
            (one, "Cividis", {}),
            (other, "RdBu_r", {"zmid": 0, "zmin": -5, "zmax": 5}),
        ]
        for column, (image, colors, limits) in enumerate(images):
            data = np.round(_coarse(np.asarray(image, dtype=float), factor), 3).astype("float32")
            heat = go.Heatmap(x=-lon, y=lat, z=data, colorscale=colors, colorbar=places[column], visible=index == 0, **limits)
            figure.add_trace(heat, 1, column + 1)
    edges = counts.geom.axes["energy"].edges.to_value("TeV")
    number = len(edges) - 1
    steps = [
        {
            "method": "restyle",
            "label": f"{edges[i]:.2g} – {edges[i + 1]:.2g}",
            "args": [{"visible": [k // 2 == i for k in range(2 * number)]}],
        }
        for i in range(number)
    ]
    shown = {"prefix": "Energy: ", "suffix": " TeV"}
    figure.update_layout(sliders=[{"steps": steps, "currentvalue": shown, "pad": {"t": 60}}])
    figure.update_xaxes(title="offset in longitude [deg]", autorange="reversed", constrain="domain")
    figure.update_yaxes(title="offset in latitude [deg]", constrain="domain")
    for column, name in ((1, "x"), (2, "x2")):
        figure.update_yaxes(scaleanchor=name, row=1, col=column)
    return _html(figure, 600)
