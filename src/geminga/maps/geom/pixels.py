"""Indices, pixel coordinates and coordinates of all pixels of a WCS geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.coord import MapCoord

if TYPE_CHECKING:
    from geminga.maps.geom.wcs import WcsGeom

__all__ = ["get_coord", "get_idx", "get_pix"]


def _check_mode(geom: WcsGeom, mode: str, axis_name: str | None) -> None:
    if mode not in {"center", "edges"}:
        msg = f"WcsGeom: mode is {mode!r}, expected 'center' or 'edges'."
        raise InputError(msg)
    if axis_name not in {None, "lon", "lat"}:
        geom.axes.index(str(axis_name))


def _check_idx(geom: WcsGeom, idx: Any) -> tuple[int, ...]:
    """Bin of each axis, none below zero; an int is allowed for one axis."""
    numbers = (idx,) if np.isscalar(idx) else tuple(idx)
    shape = geom.axes.shape
    if len(numbers) != len(shape) or any(not -n <= i < n for i, n in zip(numbers, shape, strict=False)):
        msg = f"WcsGeom: idx is {idx}, expected one index below {shape} for each axis of {geom.axes.names}."
        raise GeometryError(msg)
    return tuple(int(i) % n for i, n in zip(numbers, shape, strict=True))


def _ranges(geom: WcsGeom, idx: Any, mode: str, axis_name: str | None) -> list[NDArray[np.float64]]:
    """Pixel coordinates along each axis, (lon, lat, ...), shaped to broadcast against each other."""
    sizes = [*geom._grid.npix, *geom.axes.shape]
    names = geom.axes_names
    selected: list[Any] = [None, None, *(_check_idx(geom, idx) if idx is not None else [None] * len(geom.axes))]
    out = []
    for position, (name, size) in enumerate(zip(names, sizes, strict=True)):
        edges = mode == "edges" and (name == axis_name or (axis_name is None and position < 2))
        values = np.arange(size, dtype=float) if selected[position] is None else np.array([float(selected[position])])
        if edges:
            values = np.append(values - 0.5, values[-1] + 0.5)
        shape = [1] * len(sizes)
        shape[len(sizes) - 1 - position] = -1
        out.append(values.reshape(shape))
    return out


def get_idx(self: WcsGeom, idx: Any = None, flat: bool = False) -> tuple[NDArray[np.intp], ...]:
    """Indices ``(lon, lat, ...)`` of all pixels.

    Parameters
    ----------
    idx : tuple of int, optional
        Bin of each axis beside the sky, to get one image.
    flat : bool
        Give arrays of one dimension.

    Returns
    -------
    idx : tuple of int array
        Each of the shape of the data.
    """
    arrays = [values.astype(np.intp) for values in np.broadcast_arrays(*_ranges(self, idx, "center", None))]
    return tuple(values.ravel() for values in arrays) if flat else tuple(arrays)


def get_pix(self: WcsGeom, idx: Any = None, mode: str = "center") -> tuple[NDArray[np.float64], ...]:
    """Pixel coordinates ``(lon, lat, ...)`` of all pixels (or of their corners, ``mode="edges"``).

    Parameters
    ----------
    idx : tuple of int, optional
        Bin of each axis beside the sky, to get one image.
    mode : {"center", "edges"}
        Centres or corners.
    """
    _check_mode(self, mode, None)
    return tuple(values.copy() for values in np.broadcast_arrays(*_ranges(self, idx, mode, None)))


def get_coord(
    self: WcsGeom,
    idx: Any = None,
    mode: str = "center",
    frame: str | None = None,
    sparse: bool = False,
    axis_name: str | None = None,
) -> MapCoord:
    """Coordinates of all pixels.

    Parameters
    ----------
    idx : tuple of int, optional
        Bin of each axis beside the sky, to get one image.
    mode : {"center", "edges"}
        Centres, or edges of the axis `axis_name` (corners of pixels if None).
    frame : str, optional
        Sky frame of the result.
    sparse : bool
        Give arrays that broadcast against each other instead of full ones.
    axis_name : str, optional
        Axis whose edges are wanted, ``lon`` and ``lat`` included.

    Returns
    -------
    coords : MapCoord
        Coordinates, NaN outside the projection. Arrays are read-only views and are computed once.

    Examples
    --------
    >>> from geminga.maps import WcsGeom
    >>> WcsGeom.create(npix=(4, 3), binsz=1).get_coord().lon.shape
    (3, 4)
    """
    _check_mode(self, mode, axis_name)
    key = ("coord", None if idx is None else _check_idx(self, idx), mode, frame, axis_name)
    if key not in self._cache:
        self._cache[key] = _sparse_coord(self, idx, mode, frame or self.frame, axis_name)
    coords: MapCoord = self._cache[key]
    return MapCoord(coords._data, frame=coords.frame, match_by_name=False) if sparse else coords.broadcasted


def _sparse_coord(geom: WcsGeom, idx: Any, mode: str, frame: str, axis_name: str | None) -> MapCoord:
    ranges = _ranges(geom, idx, mode, axis_name)
    along_lon = mode == "edges" and axis_name in {None, "lon"}
    along_lat = mode == "edges" and axis_name in {None, "lat"}
    if along_lon or along_lat:
        lon, lat = geom._grid.edge_lonlat(along_lon, along_lat)
    else:
        lon, lat = geom._grid.lonlat if frame == geom.frame else geom._grid.lonlat_in(frame)
    shape = (1,) * len(geom.axes) + lon.shape
    data = {"lon": u.Quantity(lon.reshape(shape), "deg", copy=False), "lat": u.Quantity(lat.reshape(shape), "deg", copy=False)}
    for axis, pix in zip(geom.axes, ranges[2:], strict=True):
        data[axis.name] = axis.pix_to_coord(pix)
    native = MapCoord(data, frame=geom.frame if along_lon or along_lat else frame, match_by_name=True)
    return native.to_frame(frame)
