"""Several axes in order, each with its own name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.maps.axes import plot, tables
from geminga.maps.axes.map import MapAxis

if TYPE_CHECKING:
    from geminga.maps.coord import MapCoord

__all__ = ["MapAxes"]


class MapAxes(Sequence):
    """Axes of a map, first one fastest in the data array.

    Parameters
    ----------
    axes : sequence of MapAxis, TimeMapAxis or LabelMapAxis
        Axes, with different names.
    n_spatial_axes : int, optional
        Number of spatial axes before these, with which data arrays and grids of coordinates are shaped.

    Raises
    ------
    NameLookupError
        If a name stands twice.

    Examples
    --------
    >>> from geminga.maps import MapAxes, MapAxis
    >>> axes = MapAxes([MapAxis([1, 2, 3], name="energy"), MapAxis([0, 1], name="rad")])
    >>> axes.names, axes.shape
    (['energy', 'rad'], (2, 1))
    """

    def __init__(self, axes: Sequence[Any], n_spatial_axes: int | None = None) -> None:
        self._axes = tuple(axes)
        self._n_spatial_axes = n_spatial_axes
        strange = [axis for axis in self._axes if not hasattr(axis, "nbin")]
        if strange:
            msg = f"{strange[0]!r} is not an axis; expected a MapAxis, TimeMapAxis or LabelMapAxis."
            raise InputError(msg)
        names = [axis.name for axis in self._axes]
        for name in names:
            if names.count(name) > 1:
                msg = f"Axis names must be unique, got {name!r} twice in {names}; rename one axis."
                raise NameLookupError(msg)
        self._names = names

    # State

    @property
    def names(self) -> list[str]:
        """Names of the axes."""
        return list(self._names)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bins of each axis, in the order of the axes (the reverse of the data array)."""
        return tuple(axis.nbin for axis in self._axes)

    @property
    def reverse(self) -> MapAxes:
        """Axes in the order of the data array."""
        return type(self)(self._axes[::-1])

    @property
    def is_flat(self) -> bool:
        """Whether each axis has one bin."""
        return all(axis.nbin == 1 for axis in self._axes)

    @property
    def is_unidimensional(self) -> bool:
        """Whether at most one axis has more than one bin."""
        return sum(axis.nbin > 1 for axis in self._axes) <= 1

    @property
    def primary_axis(self) -> Any:
        """The only axis with more than one bin, or the one with most bins."""
        if not self._axes:
            msg = "MapAxes: there are no axes, so there is no primary one."
            raise NameLookupError(msg)
        return max(self._axes, key=lambda axis: axis.nbin)

    @property
    def center_coord(self) -> tuple[Any, ...]:
        """Coordinate at the middle of each axis."""
        return tuple(axis.pix_to_coord((axis.nbin - 1) / 2.0) for axis in self._axes)

    @property
    def iter_with_reshape(self) -> Iterator[tuple[tuple[int, ...], Any]]:
        """Pairs of the shape which turns an axis' array into one that broadcasts with the others, and the axis."""
        for index, axis in enumerate(self._axes):
            yield self._shape_of(index), axis

    def _shape_of(self, index: int) -> tuple[int, ...]:
        """In data order if the number of spatial axes is known, else in the order of the axes."""
        if self._n_spatial_axes is None:
            shape = [1] * len(self._axes)
            shape[index] = -1
            return tuple(shape)
        shape = [1] * (len(self._axes) + self._n_spatial_axes)
        shape[len(self._axes) - 1 - index] = -1
        return tuple(shape)

    # Lookup

    def __len__(self) -> int:
        return len(self._axes)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, str):
            return self._axes[self.index(idx)]
        if isinstance(idx, slice):
            return type(self)(self._axes[idx])
        if hasattr(idx, "node_type"):
            return self._axes[self._axes.index(idx)]
        return self._axes[idx]

    def __add__(self, other: Sequence[Any]) -> MapAxes:
        return type(self)([*self._axes, *other], n_spatial_axes=self._n_spatial_axes)

    def __contains__(self, value: object) -> bool:
        return value in self._names if isinstance(value, str) else value in self._axes

    def index(self, axis_name: str) -> int:  # type: ignore[override]
        """Position of an axis.

        Raises
        ------
        NameLookupError
            If no axis has this name.
        """
        try:
            return self._names.index(axis_name)
        except ValueError:
            msg = f"Axis {axis_name!r} is not in the list of axis names: {self._names}."
            raise NameLookupError(msg) from None

    def index_data(self, axis_name: str) -> int:
        """Position of an axis in the data array."""
        return len(self._axes) - 1 - self.index(axis_name)

    def assert_names(self, required_names: Sequence[str], allow_extra: bool = False) -> None:
        """Raise `NameLookupError` unless the axes have these names in this order (perhaps followed by others)."""
        required = list(required_names)
        if (self._names[: len(required)] if allow_extra else self._names) != required:
            msg = f"Incorrect axis order or names: expected {required}, got {self._names}."
            raise NameLookupError(msg)

    # Coordinates

    def get_coord(self, mode: str = "center", axis_name: str | None = None) -> dict[str, Any]:
        """Coordinates of all bins, shaped to broadcast against each other.

        Parameters
        ----------
        mode : {"center", "edges"}
            Centres, or edges of the axis `axis_name`.
        axis_name : str, optional
            Axis whose edges are wanted.
        """
        coords = {}
        for index, axis in enumerate(self._axes):
            edges = mode == "edges" and axis.name == axis_name
            values = axis.edges if edges else _centers(axis)
            coords[axis.name] = values.reshape(self._shape_of(index))
        return coords

    def bin_volume(self) -> Any:
        """Product of the bin widths, shape of the axes (1 if there are none)."""
        volume: Any = np.array(1.0)
        for shape, axis in self.iter_with_reshape:
            volume = volume * axis.bin_width.reshape(shape)
        return volume if isinstance(volume, u.Quantity) or volume.ndim else 1

    def coord_to_idx(self, coord: MapCoord | dict[str, Any], clip: bool = True) -> tuple[NDArray[np.intp], ...]:
        """Bin of each axis; see `MapAxis.coord_to_idx`."""
        return tuple(np.atleast_1d(axis.coord_to_idx(self._pick(coord, axis.name), clip=clip)) for axis in self._axes)

    def coord_to_pix(self, coord: MapCoord | dict[str, Any]) -> tuple[NDArray[np.float64], ...]:
        """Pixel coordinate of each axis."""
        return tuple(np.atleast_1d(axis.coord_to_pix(self._pick(coord, axis.name))) for axis in self._axes)

    def _pick(self, coord: Any, name: str) -> Any:
        try:
            return coord[name]
        except KeyError as error:
            msg = f"Coordinates have no {name!r}, which is an axis; all of {self._names} are needed."
            raise NameLookupError(msg) from error

    def pix_to_idx(self, pix: Sequence[Any], clip: bool = False) -> tuple[NDArray[np.intp], ...]:
        """Bin of each axis from pixel coordinates."""
        return tuple(axis.pix_to_idx(p, clip=clip) for axis, p in zip(self._axes, pix, strict=True))

    def pix_to_coord(self, pix: Sequence[Any]) -> tuple[Any, ...]:
        """Coordinate of each axis from pixel coordinates."""
        return tuple(axis.pix_to_coord(p) for axis, p in zip(self._axes, pix, strict=True))

    # Other axes

    def _with(self, axis_name: str, change: Any) -> MapAxes:
        index = self.index(axis_name)
        axes = [*self._axes[:index], change(self._axes[index]), *self._axes[index + 1 :]]
        return type(self)(axes, n_spatial_axes=self._n_spatial_axes)

    def copy(self) -> MapAxes:
        """Copy (axes are values, so they are shared)."""
        return type(self)(self._axes, n_spatial_axes=self._n_spatial_axes)

    def upsample(self, factor: int, axis_name: str) -> MapAxes:
        """Divide the bins of one axis."""
        return self._with(axis_name, lambda axis: axis.upsample(factor))

    def downsample(self, factor: int, axis_name: str) -> MapAxes:
        """Join the bins of one axis."""
        return self._with(axis_name, lambda axis: axis.downsample(factor))

    def pad(self, axis_name: str, pad_width: Any) -> MapAxes:
        """Add bins at the ends of one axis."""
        return self._with(axis_name, lambda axis: axis.pad(pad_width))

    def squash(self, axis_name: str) -> MapAxes:
        """Make one bin of an axis."""
        return self._with(axis_name, lambda axis: axis.squash())

    def replace(self, axis: Any) -> MapAxes:
        """Put another axis in the place of the one with its name."""
        return self._with(axis.name, lambda _: axis)

    def resample(self, axis: Any) -> MapAxes:
        """Join bins of the axis with the same name so that its edges come closest to those of `axis`."""
        return self._with(axis.name, lambda old: resampled(old, axis))

    def drop(self, axis_name: str) -> MapAxes:
        """Leave one axis out."""
        index = self.index(axis_name)
        return type(self)([*self._axes[:index], *self._axes[index + 1 :]], n_spatial_axes=self._n_spatial_axes)

    def slice_by_idx(self, slices: dict[str, Any]) -> MapAxes:
        """Cut axes; a slice keeps the axis, an int drops it.

        Raises
        ------
        NameLookupError
            If a name is not that of an axis.
        """
        for name in slices:
            self.index(name)
        axes = []
        for axis in self._axes:
            idx = slices.get(axis.name, slice(None))
            if isinstance(idx, slice):
                axes.append(axis if idx == slice(None) else axis.slice(idx))
            else:
                axis.slice(idx)  # refuses a bin that is not there
        return type(self)(axes, n_spatial_axes=self._n_spatial_axes)

    def rename_axes(self, names: str | Sequence[str], new_names: str | Sequence[str]) -> MapAxes:
        """Rename axes."""
        old = [names] if isinstance(names, str) else list(names)
        new = [new_names] if isinstance(new_names, str) else list(new_names)
        for name in old:
            self.index(name)
        table = dict(zip(old, new, strict=True))
        axes = [axis.rename(table[axis.name]) if axis.name in table else axis for axis in self._axes]
        return type(self)(axes, n_spatial_axes=self._n_spatial_axes)

    @classmethod
    def from_default(cls, axes: Any, n_spatial_axes: int | None = None) -> MapAxes:
        """Make axes from a sequence of them (a bare array is the edges of an axis ``axis0``, ``axis1``, ...), or None."""
        if isinstance(axes, cls) and axes._n_spatial_axes == n_spatial_axes:
            return axes
        items = [] if axes is None else list(axes)
        return cls([_as_axis(item, index) for index, item in enumerate(items)], n_spatial_axes=n_spatial_axes)

    # Files

    from_table = classmethod(tables.axes_from_table)
    from_table_hdu = classmethod(tables.axes_from_table_hdu)
    to_table = tables.axes_to_table
    to_table_hdu = tables.axes_to_table_hdu
    to_header = tables.axes_to_header

    # Comparison

    def is_allclose(self, other: Any, **kwargs: Any) -> bool:
        """Whether there are as many axes and each is close to the other one; see `MapAxis.is_allclose`."""
        if not isinstance(other, MapAxes) or len(self) != len(other):
            return False
        return all(one.is_allclose(two, **kwargs) for one, two in zip(self._axes, other, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MapAxes):
            return NotImplemented
        return self.is_allclose(other)

    __hash__ = object.__hash__

    def __str__(self) -> str:
        return "\n".join(str(axis) for axis in self._axes)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._names})"

    _repr_html_ = plot.repr_html


def _as_axis(item: Any, index: int) -> Any:
    """An axis as it is, edges as an axis named by its number."""
    return item if hasattr(item, "node_type") else MapAxis.from_edges(item, name=f"axis{index}")


def _centers(axis: Any) -> Any:
    """Centres as the axis' own coordinates: instants for a time axis."""
    return axis.time_mid if hasattr(axis, "time_mid") else axis.center


def resampled(old: Any, axis: Any) -> Any:
    """`old` with bins joined to come closest to `axis`."""
    groups = old.group_table(axis)
    groups = groups[groups["bin_type"] == "normal"]
    start = [*groups["idx_min"], groups["idx_max"][-1] + 1]
    return old.copy(nodes=old.edge_values[start], node_type="edges")
