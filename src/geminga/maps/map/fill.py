"""Adding to and setting bins of a map. All functions change the map in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, UnitError
from geminga.maps.coord import MapCoord
from geminga.maps.map.get import checked_idx, coord_to_pix
from geminga.maps.map.reduce import check_finite

__all__ = ["fill_by_coord", "fill_by_idx", "fill_by_pix", "fill_events", "set_by_coord", "set_by_idx", "set_by_pix"]


def numbers(self: Any, values: Any, name: str) -> NDArray[Any]:
    """Numbers in the unit of the map; bare numbers are in it."""
    if not isinstance(values, u.Quantity):
        return np.asarray(values)
    try:
        return np.asarray(values.to_value(self.unit))
    except u.UnitConversionError as error:
        msg = f"Map: {name} are in '{values.unit}', expected a unit convertible to '{self.unit}'."
        raise UnitError(msg) from error


def fill_events(self: Any, events: Any, weights: Any = None) -> None:
    """Count events.

    Parameters
    ----------
    events : EventList
        Events, whose columns give the coordinates of all axes.
    weights : array, optional
        A weight for each event; one by default.
    """
    geom, coords = self.geom, events.map_coord(self.geom)
    # The sky last, as it costs most: only of events which are in a bin of all other axes.
    bins = geom.axes.coord_to_idx(coords, clip=False)
    inside = np.ones(coords.shape, dtype=bool)
    for index in bins:
        inside &= index >= 0
    image = geom.to_image()
    place = MapCoord({"lon": coords.lon[inside], "lat": coords.lat[inside]}, frame=coords.frame)
    pixels = image.pix_to_idx(coord_to_pix(image, place))
    if weights is not None:
        weights = np.broadcast_to(numbers(self, weights, "weights"), inside.shape)[inside]
    self.fill_by_idx((*pixels, *(index[inside] for index in bins)), weights=weights)


def fill_by_coord(self: Any, coords: Any, weights: Any = None) -> None:
    """Add to the bins in which points are; points outside are left out.

    Parameters
    ----------
    coords : tuple, dict or MapCoord
        Points, in all axes.
    weights : array or Quantity, optional
        What to add for each point; one by default.

    Raises
    ------
    DataError
        If there is NaN in the weights.
    """
    self.fill_by_pix(coord_to_pix(self.geom, coords), weights=weights)


def fill_by_pix(self: Any, pix: Any, weights: Any = None) -> None:
    """Add to the bins in which pixel coordinates ``(lon, lat, ...)`` are; see `fill_by_coord`."""
    self.fill_by_idx(self.geom.pix_to_idx(pix), weights=weights)


def fill_by_idx(self: Any, idx: Any, weights: Any = None) -> None:
    """Add to bins.

    Parameters
    ----------
    idx : tuple of int array
        Indices ``(lon, lat, axes[0], ...)``; those below zero are left out.
    weights : array or Quantity, optional
        What to add; one by default. A mask becomes true where a weight is not zero.

    Raises
    ------
    GeometryError
        If indices are beyond the map, or weights do not broadcast to them.
    DataError
        If there is NaN in the weights.
    """
    shape = self.frozen_data.shape
    arrays = np.broadcast_arrays(*checked_idx(self.geom, idx))
    inside = np.logical_and.reduce([i >= 0 for i in arrays])
    for values, size in zip(arrays, shape[::-1], strict=True):
        if (values >= size).any():
            msg = f"Map: index {int(values.max())} is beyond the {size} bins of an axis (axes {self.geom.axes_names})."
            raise GeometryError(msg)
    flat = np.ravel_multi_index([i[inside] for i in arrays[::-1]], shape)
    if weights is not None:
        weights = numbers(self, weights, "weights")
        check_finite(weights, "weights")
        try:
            weights = np.broadcast_to(weights, inside.shape)[inside].astype(float)
        except ValueError as error:
            msg = f"Map: weights have shape {weights.shape}, expected one that broadcasts to {inside.shape}."
            raise GeometryError(msg) from error
    filled = np.bincount(flat, weights=weights, minlength=int(np.prod(shape))).reshape(shape)
    data = self._content.array
    if data.dtype == bool:
        np.logical_or(data, filled != 0, out=data)
    else:
        np.add(data, filled, out=data, casting="unsafe")
    self._content.touch()


def set_by_coord(self: Any, coords: Any, vals: Any) -> None:
    """Set the bins in which points are; points outside are left out.

    Parameters
    ----------
    coords : tuple, dict or MapCoord
        Points, in all axes.
    vals : array or Quantity
        Numbers to set.
    """
    self.set_by_pix(coord_to_pix(self.geom, coords), vals)


def set_by_pix(self: Any, pix: Any, vals: Any) -> None:
    """Set the bins in which pixel coordinates ``(lon, lat, ...)`` are; see `set_by_coord`."""
    idx = np.broadcast_arrays(*self.geom.pix_to_idx(pix))
    inside = np.logical_and.reduce([i >= 0 for i in idx])
    vals = np.broadcast_to(numbers(self, vals, "values"), inside.shape)
    self.set_by_idx(tuple(i[inside] for i in idx), vals[inside])


def set_by_idx(self: Any, idx: Any, vals: Any) -> None:
    """Set bins.

    Parameters
    ----------
    idx : tuple of int array
        Indices ``(lon, lat, axes[0], ...)``.
    vals : array or Quantity
        Numbers to set.
    """
    self._content.array[checked_idx(self.geom, idx)[::-1]] = numbers(self, vals, "values")
    self._content.touch()
