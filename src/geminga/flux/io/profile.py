"""The layout ``profile``: a row for each distance along a profile."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import FormatError
from geminga.flux.io.energy import energy_columns, quantity, read_energy
from geminga.flux.io.registry import TABLE_FORMATS, TableFormat
from geminga.maps import MapAxis

__all__ = ["read_profile_axes"]

_NAME = "projected-distance"


def _columns(geom: Any) -> dict[str, Any]:
    axis = geom.axes[_NAME]
    distances = {"x_min": axis.edges_min, "x_max": axis.edges_max, "x_ref": axis.center}
    return distances | energy_columns(geom.axes["energy"], axis.nbin)


def read_profile_axes(table: Any) -> list[Any]:
    """Energy axis and axis of distances: of nodes ``x_ref``, or of bins that are not half way between them."""
    center = quantity(table, "x_ref")
    if not center.unit.is_equivalent("deg"):
        msg = f"Column 'x_ref' has the unit {str(center.unit)!r}; expected one of angle, such as 'deg'."
        raise FormatError(msg)
    axis = MapAxis.from_nodes(center, name=_NAME, interp="lin")
    if {"x_min", "x_max"} <= set(table.colnames):
        low, high = (quantity(table, name).to_value(center.unit) for name in ("x_min", "x_max"))
        width = float(np.min(high - low))
        is_node = np.allclose(axis.edges_min.value, low, rtol=0, atol=1e-6 * width)
        if not is_node and np.allclose(low[1:], high[:-1], rtol=0, atol=1e-6 * width):
            axis = MapAxis.from_edges(np.append(low, high[-1]), unit=center.unit, name=_NAME)
    return [read_energy(table, is_cell=True), axis]


TABLE_FORMATS["profile"] = TableFormat(
    name="profile",
    marker="x_ref",
    axes=("energy", _NAME),
    columns=_columns,
    meta=lambda geom: {},
    read_axes=read_profile_axes,
)
