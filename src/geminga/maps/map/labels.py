"""What plots say: titles of bins, names of data, and the lines along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.maps.axes.plot import axis_label

__all__ = ["axis_to_plot", "bin_title", "data_label", "lines_along", "plain"]

_ENERGY_UNITS = ((u.TeV, "TeV"), (u.GeV, "GeV"), (u.MeV, "MeV"), (u.keV, "keV"))


def _number(value: float) -> str:
    """Three digits."""
    size = abs(value)
    if not np.isfinite(value) or size == 0 or size >= 1e4 or size < 1e-2:
        return f"{value:.3g}"
    return f"{value:.0f}" if size >= 99.95 else f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def _coordinate(axis: Any, value: Any) -> str:
    """Coordinate with unit; energies in the unit that makes them readable."""
    if axis.is_energy_axis:
        # 999.96 GeV is shown as 1.00 TeV.
        unit, name = next((pair for pair in _ENERGY_UNITS if value.to_value(pair[0]) >= 0.9995), _ENERGY_UNITS[-1])
        return f"{_number(value.to_value(unit))} {name}"
    return f"{_number(value.value)} {value.unit}".strip()


def bin_title(axis: Any, index: int) -> str:
    """Title of a bin, such as ``"Energy 100 GeV - 158 GeV"``.

    Parameters
    ----------
    axis : MapAxis, TimeMapAxis or LabelMapAxis
        Axis.
    index : int
        Bin.
    """
    name = axis_label(axis).split(" [")[0]
    if axis.node_type == "label":
        return f"{name} {axis.center[index]}"
    if axis.node_type == "intervals":
        return f"{name} {axis.as_plot_labels[index]}"
    if axis.node_type == "center":
        return f"{name} {_coordinate(axis, axis.center[index])}"
    return f"{name} {_coordinate(axis, axis.edges_min[index])} - {_coordinate(axis, axis.edges_max[index])}"


def axis_to_plot(self: Any, axis_name: str | None) -> Any:
    """Axis by name, or the only one with several bins."""
    axes = self.geom.axes
    if axis_name is not None:
        return axes[axis_name]
    if not len(axes) or not axes.is_unidimensional:
        msg = f"RegionNDMap.plot: axis_name must be given, the axes are {axes.names} with {axes.shape} bins."
        raise InputError(msg)
    return axes.primary_axis


def lines_along(self: Any, axis: Any) -> list[tuple[NDArray[Any], str]]:
    """Numbers along an axis, and a label, for each bin of all other axes."""
    position = self.geom.axes.index_data(axis.name)
    others = [one for one in self.geom.axes if one.name != axis.name][::-1]
    data = np.moveaxis(self.frozen_data[..., 0, 0], position, -1)
    rows = []
    for idx in np.ndindex(data.shape[:-1]):
        label = "; ".join(bin_title(one, i) for one, i in zip(others, idx, strict=True) if one.nbin > 1)
        rows.append((np.asarray(data[idx], dtype=float), label))
    return rows


def plain(values: Any) -> Any:
    """Numbers of a Quantity; dates as they are."""
    return getattr(values, "value", values)


def data_label(self: Any, default: str = "Data") -> str:
    """Label of the data, with their unit."""
    unit = self.unit.to_string("latex_inline") if str(self.unit) else ""
    return f"Data [{unit}]" if unit else default
