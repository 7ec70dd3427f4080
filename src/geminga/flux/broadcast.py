"""Arrays on geometries that have some axes in common: norms without, scans with an axis of their own."""

from __future__ import annotations

from typing import Any

from astropy import units as u
from numpy.typing import NDArray

__all__ = ["along", "lift", "same_axes"]


def along(geom: Any, axis_name: str, values: u.Quantity) -> u.Quantity:
    """Values along an axis in the shape that broadcasts to the data of a geometry."""
    shape = [1] * len(geom.data_shape)
    shape[geom.axes.index_data(axis_name)] = -1
    return values.reshape(shape)


def lift(data: NDArray[Any], geom: Any, target: Any) -> NDArray[Any]:
    """Data on a geometry in the shape that broadcasts to one with further axes; common axes are in the same order."""
    sizes = dict(zip(geom.axes.names, geom.axes.shape, strict=True))
    shape = [int(sizes.get(axis.name, 1)) for axis in target.axes][::-1]
    return data.reshape([*shape, *data.shape[-2:]])


def same_axes(geom: Any, other: Any) -> bool:
    """Whether `other` is `geom`, perhaps with further axes."""
    if geom.to_image() != other.to_image():
        return False
    names = other.axes.names
    common = [name for name in names if name in geom.axes.names]
    return common == geom.axes.names and all(geom.axes[name] == other.axes[name] for name in common)
