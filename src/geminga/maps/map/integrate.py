"""Integrals along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import NameLookupError

__all__ = ["cumsum", "integral", "normalize"]


def _widths(axis: Any) -> u.Quantity:
    """What a bin of the axis contributes to an integral: its width, or for radii the area of its ring, sr."""
    if axis.name == "rad":
        return u.Quantity(2 * np.pi * axis.center.to_value("rad") * axis.bin_width.to_value("rad"), "sr")
    return u.Quantity(axis.bin_width)


def cumsum(self: Any, axis_name: str) -> Any:
    """Integral along an axis from its lower end to each edge.

    Parameters
    ----------
    axis_name : str
        Axis; data of an axis ``rad`` are integrated over the area of rings.

    Returns
    -------
    map : Map
        Map whose axis has the edges as nodes, in the unit of the map times that of the axis (sr for ``rad``).
    """
    axis = self.geom.axes[axis_name]
    position = self.geom.axes.index_data(axis_name)
    widths = _widths(axis)
    shape = [1] * self.frozen_data.ndim
    shape[position] = -1
    steps = np.nan_to_num(self.frozen_data.astype(float)) * widths.value.reshape(shape)
    data = np.cumsum(steps, axis=position)
    data = np.concatenate([np.zeros_like(data.take([0], axis=position)), data], axis=position)
    nodes = axis.copy(nodes=axis.edges, node_type="center")
    return self._like(data, self.geom.replace_axis(nodes), unit=self.unit * widths.unit)


def integral(self: Any, axis_name: str, coords: Any, **kwargs: Any) -> u.Quantity:
    """Integral along an axis from its lower end to given coordinates.

    Parameters
    ----------
    axis_name : str
        Axis.
    coords : dict or MapCoord
        Upper ends on the axis, and coordinates on all others. Beyond the axis the integral stays what it is at the end.
    **kwargs
        Arguments of `interp_by_coord`.

    Returns
    -------
    integral : Quantity
        In the unit of the map times that of the axis (sr for ``rad``).
    """
    sums = self.cumsum(axis_name)
    axis = sums.geom.axes[axis_name]
    inside = dict(coords) if isinstance(coords, dict) else {name: coords[name] for name in coords.axis_names}
    if "lon" in inside and getattr(coords, "frame", None) is not None:
        inside = {"skycoord": coords.skycoord} | {k: v for k, v in inside.items() if k not in {"lon", "lat"}}
    low, high = axis.center[[0, -1]]
    inside[axis_name] = np.clip(u.Quantity(inside[axis_name]), low, high)
    return u.Quantity(sums.interp_by_coord(inside, **kwargs), sums.unit)


def normalize(self: Any, axis_name: str | None = None) -> None:
    """Divide by the integral along an axis, in place; zero where that is zero.

    Parameters
    ----------
    axis_name : str, optional
        Axis; may be left out if there is only one.

    Raises
    ------
    NameLookupError
        If it is left out and there are several axes or none.
    """
    if axis_name is None:
        if len(self.geom.axes) != 1:
            msg = f"Map.normalize: axis_name must be given, the axes are {self.geom.axes.names}."
            raise NameLookupError(msg)
        axis_name = self.geom.axes.names[0]
    sums = self.cumsum(axis_name)
    total = sums.frozen_data.take([-1], axis=self.geom.axes.index_data(axis_name))
    with np.errstate(divide="ignore", invalid="ignore"):
        data = np.where(total != 0, self.frozen_data / total, 0.0)
    self.quantity = u.Quantity(np.nan_to_num(data), self.unit / sums.unit)
