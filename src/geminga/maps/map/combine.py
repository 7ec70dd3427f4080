"""Several maps to one: stacking, adding, joining along an axis, sums of products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.map.arithmetic import same_geometry
from geminga.maps.map.fill import numbers
from geminga.maps.map.reduce import check_finite

__all__ = ["coadd", "dot", "from_stack", "stack"]


def _overlap(self: Any, other: Any) -> tuple[Any, Any]:
    """Where in this map and in the other one the pixels they share are."""
    everything = (Ellipsis, slice(None), slice(None))
    if same_geometry(self.geom, other.geom):
        return everything, everything
    aligned = type(self.geom) is type(other.geom) and not self.geom.is_region and other.geom.is_aligned(self.geom)
    if not aligned or self.geom.axes != other.geom.axes:
        msg = (
            f"Can only stack equal maps or cutout maps: axes {self.geom.axes_names} {tuple(map(int, self.geom.data_shape))} and "
            f"{other.geom.axes_names} {tuple(map(int, other.geom.data_shape))}; bring one to the other with .resample."
        )
        raise GeometryError(msg)
    slices = other.geom.cutout_slices(self.geom, mode="partial")
    return (Ellipsis, *slices["parent-slices"]), (Ellipsis, *slices["cutout-slices"])


def stack(self: Any, other: Any, weights: Any = None, nan_to_num: bool = True) -> None:
    """Add another map, in place. Masks are joined.

    Parameters
    ----------
    other : Map
        Map on the same geometry, or on one with the same axes whose pixels are among those of this one.
    weights : Map, optional
        Weights that multiply the other map first; may be an image.
    nan_to_num : bool
        Take NaN of the other map as zero.

    Raises
    ------
    GeometryError
        If the maps do not fit.
    UnitError
        If the units do not.
    """
    mine, theirs = _overlap(self, other)
    values: NDArray[Any] = other.frozen_data[theirs]
    if other.unit != self.unit:
        values = numbers(self, other.quantity[theirs], "data to stack")
    if nan_to_num and values.dtype.kind == "f":
        unknown = np.isnan(values)
        values = np.where(unknown, 0, values) if unknown.any() else values
    if weights is not None:
        values = values * _fitting_weights(weights, other, theirs)
    data = self._content.array
    if data.dtype == bool:
        data[mine] |= values != 0
    else:
        np.add(data[mine], values, out=data[mine], casting="unsafe")
    self._content.touch()


def _fitting_weights(weights: Any, other: Any, where: Any) -> NDArray[Any]:
    factor = np.asarray(getattr(weights, "frozen_data", weights))
    shape = other.frozen_data.shape
    geom = getattr(weights, "geom", None)
    # The usual case first: images are made only to compare them.
    same_sky = geom is None or geom is other.geom or same_geometry(geom.to_image(), other.geom.to_image())
    try:
        factor = np.broadcast_to(factor, shape)
    except ValueError:
        same_sky = False
    if not same_sky:
        msg = f"Map.stack: weights of shape {factor.shape} do not fit the map to stack, of shape {shape} {other.geom.axes_names}."
        raise GeometryError(msg)
    check_finite(factor, "weights")
    return np.asarray(factor[where])


def coadd(self: Any, map_in: Any, weights: Any = None) -> None:
    """Add the content of another map, in place; each of its bins goes to the bin its centre is in.

    Parameters
    ----------
    map_in : Map
        Map on any geometry with the same axes' names.
    weights : Map, optional
        Weights that multiply the other map first.

    Raises
    ------
    UnitError
        If the units do not convert.
    """
    values = map_in.quantity
    if weights is not None:
        values = values * np.asarray(getattr(weights, "frozen_data", weights))
    if same_geometry(self.geom, map_in.geom):
        self.data = self.frozen_data + numbers(self, values, "data to add")
    else:
        self.fill_by_coord(map_in.geom.get_coord(), weights=values)


def from_stack(cls: Any, maps: Sequence[Any], axis: Any = None, axis_name: str | None = None) -> Any:
    """Join maps along an axis.

    Parameters
    ----------
    maps : list of Map
        Maps with the same geometry beside that axis.
    axis : MapAxis, optional
        New axis with a bin for each map.
    axis_name : str, optional
        Axis of the maps along which they follow each other; instead of `axis`. Maps with one axis need no name.

    Returns
    -------
    map : Map
        In the unit of the first map.

    Raises
    ------
    InputError
        If there are no maps, or neither axis nor name.
    GeometryError
        If the maps do not fit together.
    """
    maps = list(maps)
    if maps and axis is None and axis_name is None and len(maps[0].geom.axes) == 1:
        axis_name = maps[0].geom.axes[0].name
    if not maps or (axis is None) == (axis_name is None):
        msg = (
            f"Map.from_stack: got {len(maps)} maps, axis={axis!r} and axis_name={axis_name!r}; expected maps and one of the two."
        )
        raise InputError(msg)
    first = maps[0]
    if axis is not None:
        geom, position = first.geom.to_cube([axis]), 0
        _check_equal(maps, [m.geom for m in maps])
        if axis.nbin != len(maps):
            msg = f"Map.from_stack: {len(maps)} maps for an axis of {axis.nbin} bins, expected one for each."
            raise GeometryError(msg)
        parts = [numbers(first, m.quantity, "data")[np.newaxis] for m in maps]
    else:
        _check_equal(maps, [m.geom.drop(axis_name) for m in maps])
        axes = [m.geom.axes[axis_name] for m in maps]
        geom = first.geom.replace_axis(type(axes[0]).from_stack(axes))
        position = geom.axes.index_data(axis_name)
        parts = [numbers(first, m.quantity, "data") for m in maps]
    data = np.concatenate(parts, axis=position)
    return first._like(data.astype(np.result_type(*[m.frozen_data.dtype for m in maps]), copy=False), geom)


def _check_equal(maps: Sequence[Any], geoms: Sequence[Any]) -> None:
    for number, geom in enumerate(geoms):
        if not same_geometry(geoms[0], geom):
            msg = f"Map.from_stack: map {number} has another geometry than map 0: {maps[number].geom} and {maps[0].geom}."
            raise GeometryError(msg)


def dot(self: Any, other: Any) -> Any:
    """Sum of products over the one axis shared with another map, such as counts in true energy times a dispersion.

    Parameters
    ----------
    other : RegionNDMap
        Map without sky, which shares one axis.

    Returns
    -------
    map : Map
        The other axes of `other` stand where the shared axis was.

    Raises
    ------
    GeometryError
        If `other` is no region map, or not exactly one axis is shared.
    """
    if not getattr(getattr(other, "geom", None), "is_region", False):
        msg = f"Map.dot: got {type(other).__name__}, dot product can be applied to a RegionNDMap."
        raise GeometryError(msg)
    shared = [name for name in self.geom.axes.names if name in other.geom.axes.names]
    if len(shared) != 1 or self.geom.axes[shared[0]] != other.geom.axes[shared[0]]:
        names = f"{self.geom.axes.names} and {other.geom.axes.names}"
        msg = f"Map.dot: axes {names} must share one axis with equal bins, they share {shared}."
        raise GeometryError(msg)
    name = shared[0]
    mine, theirs = self.geom.axes.index_data(name), other.geom.axes.index_data(name)
    kernel = np.moveaxis(other.frozen_data[..., 0, 0], theirs, 0)
    data = np.tensordot(np.moveaxis(self.frozen_data, mine, -1), kernel, axes=(-1, 0))
    further = [axis for axis in other.geom.axes if axis.name != name]
    data = np.moveaxis(data, list(range(data.ndim - len(further), data.ndim)), list(range(mine, mine + len(further))))
    axes = [new for axis in self.geom.axes for new in (further if axis.name == name else [axis])]
    return self._like(data, self.geom.to_image().to_cube(axes), unit=self.unit * other.unit)
