"""Axes from axes: slices, groups of bins, finer and coarser bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.errors import GeometryError, InputError
from geminga.utils.units import as_quantity

if TYPE_CHECKING:
    from astropy.table import Table

    from geminga.maps.axes.map import MapAxis

__all__ = ["bins_between", "check_factor", "downsample", "group_table", "pad", "slice_axis", "squash", "upsample"]


def check_factor(factor: Any) -> int:
    """Return a resampling factor as an int, or raise `InputError`."""
    if factor != int(factor) or factor < 1:
        msg = f"A resampling factor is {factor!r}, expected a whole number of at least 1."
        raise InputError(msg)
    return int(factor)


def bin_range(idx: Any, nbin: int, name: str) -> np.ndarray:
    """Bin numbers selected by an index or a slice, at least one."""
    try:
        bins = np.atleast_1d(np.arange(nbin)[idx])
    except IndexError as error:
        msg = f"Axis {name!r}: bin {idx} is not there, the axis has {nbin} bins."
        raise GeometryError(msg) from error
    if not len(bins):
        msg = f"Axis {name!r}: {idx} selects none of the {nbin} bins."
        raise GeometryError(msg)
    return bins


def slice_axis(self: MapAxis, idx: Any) -> MapAxis:
    """Part of the axis.

    Parameters
    ----------
    idx : slice or int
        Bins to keep.

    Raises
    ------
    GeometryError
        If none is left, or bins that are not neighbours are taken from an axis of edges.
    """
    bins = bin_range(idx, self.nbin, self.name)
    if self.node_type == "center":
        return self.copy(nodes=self.node_values[bins])
    if len(bins) > 1 and not (np.diff(bins) == 1).all():
        msg = f"MapAxis {self.name!r}: {idx} skips bins, an axis of edges has no gaps; slice without a step."
        raise GeometryError(msg)
    return self.copy(nodes=self.node_values[bins[0] : bins[-1] + 2])


def squash(self: MapAxis) -> MapAxis:
    """One bin from the first to the last edge."""
    return self.copy(nodes=self.edge_values[[0, -1]], node_type="edges")


def pad(self: MapAxis, pad_width: Any) -> MapAxis:
    """Add bins at the ends, as wide as the outermost ones in the scale of the axis.

    Parameters
    ----------
    pad_width : int or (int, int)
        Number of bins before and after.
    """
    before, after = (pad_width, pad_width) if np.isscalar(pad_width) else pad_width
    if before < 0 or after < 0:  # type: ignore[operator]
        msg = f"MapAxis {self.name!r}: pad_width is {pad_width}, expected numbers of at least 0."
        raise InputError(msg)
    shift = 0.5 if self.node_type == "edges" else 0.0
    nodes = self.node_values
    first = self.pix_to_coord(np.arange(-before, 0) - shift).value  # type: ignore[arg-type, operator]
    last = self.pix_to_coord(len(nodes) + np.arange(after) - shift).value  # type: ignore[arg-type]
    return self.copy(nodes=np.concatenate([first, nodes, last]))


def upsample(self: MapAxis, factor: int) -> MapAxis:
    """Divide each bin (or each interval between nodes) into `factor` equal parts in the scale of the axis."""
    factor = check_factor(factor)
    steps = len(self.node_values) - 1
    pix = np.arange(steps * factor + 1) / factor - (0.5 if self.node_type == "edges" else 0.0)
    nodes = self.pix_to_coord(pix).value
    nodes[::factor] = self.node_values
    return self.copy(nodes=nodes)


def downsample(self: MapAxis, factor: int, strict: bool = True) -> MapAxis:
    """Join `factor` bins into one (or keep every `factor`-th node).

    Parameters
    ----------
    factor : int
        Number of bins to join.
    strict : bool
        Require that the number of bins is a multiple of `factor`; else the last bin is narrower.

    Raises
    ------
    GeometryError
        If `strict` and it is not.
    """
    factor = check_factor(factor)
    if self.node_type == "center":
        return self.copy(nodes=self.node_values[::factor])
    edges = self.node_values[::factor]
    if self.nbin % factor:
        if strict:
            msg = f"MapAxis {self.name!r}: {self.nbin} bins are not divisible by {factor}; give strict=False to keep a rest."
            raise GeometryError(msg)
        edges = np.append(edges, self.node_values[-1])
    return self.copy(nodes=edges)


def group_table(self: MapAxis, edges: Any) -> Table:
    """Groups of bins that come closest to given edges.

    Parameters
    ----------
    edges : Quantity or MapAxis
        Edges wanted; they are rounded to the nearest edges of this axis.

    Returns
    -------
    table : Table
        ``group_idx``, ``<name>_min``, ``<name>_max``, ``idx_min``, ``idx_max`` (inclusive) and ``bin_type``:
        ``underflow``, ``normal`` or ``overflow``.

    Raises
    ------
    GeometryError
        If all edges fall onto one.
    """
    from astropy.table import QTable, Table

    wanted = edges.edges if hasattr(edges, "edges") else edges
    pix = np.clip(self.coord_to_pix(wanted), -0.5, self.nbin - 0.5)
    starts = np.unique(np.round(pix + 0.5).astype(int))
    if len(starts) < 2:
        msg = f"MapAxis {self.name!r}: the edges {wanted} leave no whole bin between {self.edges[0]} and {self.edges[-1]}."
        raise GeometryError(msg)
    kinds = ["normal"] * (len(starts) - 1)
    if starts[0] > 0:
        starts, kinds = np.insert(starts, 0, 0), ["underflow", *kinds]
    if starts[-1] < self.nbin:
        starts, kinds = np.append(starts, self.nbin), [*kinds, "overflow"]
    table = QTable()
    table["group_idx"] = np.arange(len(kinds))
    table[f"{self.name}_min"] = self.edges[starts[:-1]]
    table[f"{self.name}_max"] = self.edges[starts[1:]]
    table["idx_min"], table["idx_max"] = starts[:-1], starts[1:] - 1
    table["bin_type"] = kinds
    return Table(table)


def bins_between(self: MapAxis, low: Any = None, high: Any = None, owner: str = "MapAxis") -> slice:
    """Bins between two coordinates, each rounded to the nearest edge.

    Parameters
    ----------
    low, high : Quantity or str, optional
        Coordinates; the ends of the axis if not given.
    owner : str
        Whose axis it is, for messages.

    Raises
    ------
    InputError
        If they are swapped.
    GeometryError
        If no bin is left.
    """
    start = self.edges[0] if low is None else as_quantity(low, self.unit, f"{self.name}_min")
    stop = self.edges[-1] if high is None else as_quantity(high, self.unit, f"{self.name}_max")
    if not start < stop:
        msg = f"{owner}: {self.name}_min {start} is not below {self.name}_max {stop}."
        raise InputError(msg)
    groups = group_table(self, u.Quantity([start, stop]))
    (group,) = groups[groups["bin_type"] == "normal"]
    return slice(int(group["idx_min"]), int(group["idx_max"]) + 1)
