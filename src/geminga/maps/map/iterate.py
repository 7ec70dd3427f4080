"""Walking over bins and images of a map. What comes out are views, into which one may write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["iter_by_axis", "iter_by_axis_data", "iter_by_image", "iter_by_image_data", "iter_by_image_index", "split_by_axis"]


def iter_by_axis(self: Any, axis_name: str, keepdims: bool = False) -> Iterator[Any]:
    """Yield a map for each bin of an axis.

    Parameters
    ----------
    axis_name : str
        Axis.
    keepdims : bool
        Keep the axis, with one bin.
    """
    for index in range(self.geom.axes[axis_name].nbin):
        yield self.slice_by_idx({axis_name: slice(index, index + 1) if keepdims else index})


def split_by_axis(self: Any, axis_name: str) -> list[Any]:
    """List of maps, one for each bin of an axis, which is dropped."""
    return list(iter_by_axis(self, axis_name))


def iter_by_image_index(self: Any) -> Iterator[tuple[int, ...]]:
    """Yield the index of each image in the data array."""
    yield from np.ndindex(tuple(int(n) for n in self.geom.data_shape[:-2]))


def iter_by_image(self: Any, keepdims: bool = False) -> Iterator[Any]:
    """Yield a map for each image.

    Parameters
    ----------
    keepdims : bool
        Keep the axes, with one bin each.
    """
    names = self.geom.axes.names[::-1]
    for idx in iter_by_image_index(self):
        yield self.slice_by_idx({n: slice(i, i + 1) if keepdims else i for n, i in zip(names, idx, strict=True)})


def iter_by_image_data(self: Any) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """Yield the data of each image, a view, and its index in the data array."""
    for idx in iter_by_image_index(self):
        yield self.data[idx], idx


def iter_by_axis_data(self: Any, axis_name: str) -> Iterator[tuple[Any, Any]]:
    """Yield the index of each bin of an axis and its quantities."""
    position = self.geom.axes.index_data(axis_name)
    for index in range(self.geom.axes[axis_name].nbin):
        where = (slice(None),) * position + (index,)
        yield where, self.quantity[where]
