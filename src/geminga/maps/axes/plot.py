"""How axes look: labels, error bars, scales of matplotlib axes and the block in notebooks."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from astropy import units as u

__all__ = [
    "format_plot_xaxis",
    "format_plot_yaxis",
    "label_edges",
    "number_labels",
    "number_scale",
    "number_text",
    "number_xerr",
    "repr_html",
    "use_center_as_plot_labels",
]

_LABELS = {"energy": "Energy", "energy_true": "True Energy", "rad": "Offset", "offset": "Offset", "migra": "Energy Migration"}


def repr_html(self: Any) -> str:
    """Block for notebooks."""
    return f"<pre>{html.escape(str(self))}</pre>"


def _get_use_center(self: Any) -> bool:
    """Whether labels show the centre of a bin instead of its edges."""
    return bool(getattr(self, "_use_center_as_plot_labels", self.node_type == "center"))


def _set_use_center(self: Any, value: bool) -> None:
    self._use_center_as_plot_labels = bool(value)


use_center_as_plot_labels = property(_get_use_center, _set_use_center, doc=_get_use_center.__doc__)


def number_labels(self: Any) -> list[str]:
    """One label for each bin."""
    if self.use_center_as_plot_labels:
        return [f"{center:.2e}" for center in self.center]
    return [f"{low:.2e} - {high:.2e}" for low, high in self.iter_by_edges]


def number_xerr(self: Any) -> tuple[u.Quantity, u.Quantity]:
    """Distances of the centres from the lower and the upper edges."""
    return self.center - self.edges[:-1], self.edges[1:] - self.center


def number_scale(self: Any) -> str:
    """Scale of a matplotlib axis."""
    return "log" if self.interp == "log" else "linear"


def number_text(self: Any) -> str:
    """Summary of an axis of numbers."""
    is_edges = self.node_type == "edges"
    ends, label = (self.edge_values, "edges") if is_edges else (self.center_values, "center")
    pad = " " * (6 - len(label))
    return (
        f"{type(self).__name__}\n\n"
        f"\tname       : {self.name:<10s}\n"
        f"\tunit       : {str(self.unit)!r:<10s}\n"
        f"\tnbins      : {self.nbin:<10d}\n"
        f"\tnode type  : {self.node_type:<10s}\n"
        f"\t{label} min{pad} : {ends.min():.1e} {self.unit}\n"
        f"\t{label} max{pad} : {ends.max():.1e} {self.unit}\n"
        f"\tinterp     : {self.interp:<10s}\n"
    )


def axis_label(axis: Any) -> str:
    """Text beside a plot."""
    name = _LABELS.get(axis.name, axis.name.replace("_", " ").capitalize())
    unit = getattr(axis, "unit", u.dimensionless_unscaled)
    return name if unit == u.dimensionless_unscaled else f"{name} [{unit.to_string('latex_inline')}]"


def _format_number(ax: Any, axis: Any, which: str) -> Any:
    getattr(ax, f"set_{which}scale")(axis.as_plot_scale)
    getattr(ax, f"set_{which}label")(axis_label(axis))
    limits = axis.edges.value
    getattr(ax, f"set_{which}lim")(limits.min(), limits.max())
    return ax


def format_plot_xaxis(self: Any, ax: Any) -> Any:
    """Set scale, limits and label of the x-axis of a plot; returns `ax`."""
    return _format_number(ax, self, "x")


def format_plot_yaxis(self: Any, ax: Any) -> Any:
    """Set scale, limits and label of the y-axis of a plot; returns `ax`."""
    return _format_number(ax, self, "y")


def label_edges(self: Any) -> Any:
    """Edges of categories, at half numbers."""
    return np.arange(self.nbin + 1) - 0.5


def format_label_xaxis(self: Any, ax: Any) -> Any:
    """Write the labels below the x-axis of a plot; returns `ax`."""
    ax.set_xticks(self.as_plot_center)
    ax.set_xticklabels(self.as_plot_labels, rotation=30, ha="right", rotation_mode="anchor")
    return ax


def format_time_xaxis(self: Any, ax: Any) -> Any:
    """Set dates below the x-axis of a plot; returns `ax`."""
    from matplotlib.dates import DateFormatter

    ax.set_xlabel(f"{self.name.capitalize()} [{self.time_format}]")
    if self.time_format == "iso":
        ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d %H:%M:%S"))
        for label in ax.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
    return ax


def time_labels(self: Any) -> list[str]:
    """One label for each interval."""
    pairs = zip(getattr(self.time_min, self.time_format), getattr(self.time_max, self.time_format), strict=True)
    return [f"{low} - {high}" for low, high in pairs]


def _plot_values(axis: Any, times: Any) -> Any:
    return times.datetime if axis.time_format == "iso" else getattr(times, axis.time_format)


def time_edges(self: Any) -> Any:
    """Edges for plots, dates for the format iso."""
    return _plot_values(self, self.time_edges)


def time_center(self: Any) -> Any:
    """Middles for plots, dates for the format iso."""
    return _plot_values(self, self.time_mid)


def time_xerr(self: Any) -> tuple[Any, Any]:
    """Distances of the middles from starts and stops."""
    middle = time_center(self)
    return middle - _plot_values(self, self.time_min), _plot_values(self, self.time_max) - middle
