"""An axis of numbers: bins with edges, or nodes with values between them interpolated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError, UnitError
from geminga.maps.axes import build, formats, grouping, plot
from geminga.numerics.interpolation import SCALES, interpolate_linear
from geminga.utils.units import parse_unit

__all__ = ["MapAxis"]

Floats = NDArray[np.float64]


def frozen(values: Any) -> Any:
    """Make an array read-only, since axes are values and share their arrays."""
    values.flags.writeable = False
    return values


class MapAxis:
    """An axis of numbers with a unit.

    Pixel coordinates count from 0 at the centre of the first bin; bins are half open, ``[low, high)``.
    An axis never changes; its arrays are read-only.

    Parameters
    ----------
    nodes : array or Quantity
        Edges of the bins (``node_type="edges"``) or nodes (``"center"``), strictly increasing or decreasing.
    interp : {"lin", "log", "sqrt"}
        Scale in which the axis is even between nodes.
    name : str
        Name.
    node_type : {"edges", "center"}
        What `nodes` are.
    unit : str or Unit
        Unit of bare numbers.
    boundary_type : {"monotonic", "periodic"}
        A periodic axis takes coordinates modulo its length.

    Raises
    ------
    InputError
        If nodes are too few, not finite or not in order, or an option is unknown.

    Examples
    --------
    >>> from geminga.maps import MapAxis
    >>> axis = MapAxis([1, 10, 100], interp="log", name="energy", unit="TeV")
    >>> axis.center.round(2)
    <Quantity [ 3.16, 31.62] TeV>
    >>> axis.coord_to_idx([0.5, 2, 100]).tolist()
    [-1, 0, -1]
    """

    def __init__(
        self,
        nodes: Any,
        interp: str = "lin",
        name: str = "",
        node_type: str = "edges",
        unit: Any = "",
        boundary_type: str = "monotonic",
    ) -> None:
        if not isinstance(nodes, (u.Quantity, np.ndarray)) and any(isinstance(node, u.Quantity) for node in nodes):
            nodes = u.Quantity(nodes)
        if isinstance(nodes, u.Quantity):
            self._unit = nodes.unit if nodes.unit != u.dimensionless_unscaled else parse_unit(unit, f"MapAxis {name!r}")
            nodes = nodes.value
        else:
            self._unit = parse_unit(unit, f"MapAxis {name!r}")
        for label, value, known in (
            ("interp", interp, tuple(SCALES)),
            ("node_type", node_type, ("edges", "center")),
            ("boundary_type", boundary_type, ("monotonic", "periodic")),
        ):
            if value not in known:
                msg = f"MapAxis {name!r}: {label} is {value!r}, expected one of {', '.join(known)}."
                raise InputError(msg)
        self._name, self._interp, self._node_type, self._boundary_type = str(name), interp, node_type, boundary_type
        try:
            self._nodes: Floats = frozen(np.array(nodes, dtype=float))
        except (TypeError, ValueError) as error:
            msg = f"MapAxis: nodes are {nodes!r}; expected numbers, or a MapAxis where axes are asked for."
            raise InputError(msg) from error
        self._check_nodes()

    def _check_nodes(self) -> None:
        nodes, least = self._nodes, 2 if self._node_type == "edges" else 1
        problem = ""
        if nodes.ndim != 1 or len(nodes) < least:
            problem = f"have shape {nodes.shape}, expected one dimension and at least {least}"
        elif len(nodes) == 1:
            problem = "" if np.isfinite(nodes[0]) else "are not finite"
        elif not np.isfinite(nodes).all():
            problem = f"are {nodes[:8]}, expected finite numbers"
        elif self._interp == "log" and (nodes <= 0).any():
            problem = f"are {nodes[:8]}, expected numbers above zero on a logarithmic scale"
        else:
            steps = nodes[1:] - nodes[:-1]
            if not ((steps > 0).all() or (steps < 0).all()):
                problem = f"are {nodes[:8]}{'...' if len(nodes) > 8 else ''}, expected finite numbers in strict order, each once"
        if problem:
            msg = f"MapAxis {self._name!r}: {self._node_type} nodes {problem}."
            raise InputError(msg)

    # State

    name = property(lambda self: self._name, doc="Name of the axis.")
    unit = property(lambda self: self._unit, doc="Unit of the axis.")
    interp = property(lambda self: self._interp, doc="Scale of the axis: lin, log or sqrt.")
    node_type = property(lambda self: self._node_type, doc="What the nodes are: edges or center.")
    boundary_type = property(lambda self: self._boundary_type, doc="monotonic or periodic.")

    @property
    def nbin(self) -> int:
        """Number of bins."""
        return len(self._nodes) - (self._node_type == "edges")

    @property
    def is_energy_axis(self) -> bool:
        """Whether the axis is ``energy`` or ``energy_true``."""
        return self._name in build.ENERGY_NAMES

    @property
    def is_continuous(self) -> bool:
        """Whether the axis is made of numbers which can be interpolated."""
        return True

    # Numbers, as plain floats in the unit of the axis

    @property
    def node_values(self) -> Floats:
        """Nodes as given, float array in `unit`."""
        return self._nodes

    @property
    def node_quantity(self) -> u.Quantity:
        """Nodes as given."""
        return u.Quantity(self._nodes, self._unit, copy=False)

    @cached_property
    def edge_values(self) -> Floats:
        """Edges, float array in `unit`, shape (nbin + 1,)."""
        if self._node_type == "edges":
            return self._nodes
        return frozen(self._from_pix(np.arange(self.nbin + 1) - 0.5))

    @cached_property
    def center_values(self) -> Floats:
        """Centres, float array in `unit`, shape (nbin,)."""
        if self._node_type == "center":
            return self._nodes
        return frozen(self._from_pix(np.arange(self.nbin, dtype=float)))

    @cached_property
    def _grid(self) -> tuple[Floats, Floats]:
        """Nodes in the scale of the axis, increasing, and their pixel coordinates."""
        scaled = SCALES[self._interp].forward(self._nodes)
        pix = np.arange(len(scaled), dtype=float) - (0.5 if self._node_type == "edges" else 0.0)
        return (scaled, pix) if self._is_increasing else (scaled[::-1].copy(), pix[::-1].copy())

    @property
    def _is_increasing(self) -> bool:
        return len(self._nodes) == 1 or bool(self._nodes[-1] > self._nodes[0])

    def _from_pix(self, pix: Any) -> Floats:
        scaled, grid_pix = self._grid
        if not self._is_increasing:
            scaled, grid_pix = scaled[::-1], grid_pix[::-1]
        return SCALES[self._interp].inverse(interpolate_linear(pix, grid_pix, scaled))

    def _values(self, coord: Any) -> Floats:
        """Coordinates as floats in the unit of the axis; bare numbers are taken to be in it."""
        if not isinstance(coord, u.Quantity):
            if not isinstance(coord, str):
                try:
                    return np.asarray(coord, dtype=float)
                except (TypeError, ValueError):
                    pass
            coord = u.Quantity(coord)
        if coord.unit is self._unit:
            return np.asarray(coord.value, dtype=float)
        if coord.unit == u.dimensionless_unscaled and self._unit != u.dimensionless_unscaled:
            return np.asarray(coord.value, dtype=float)
        try:
            return np.asarray(coord.to_value(self._unit), dtype=float)
        except u.UnitConversionError as error:
            msg = f"MapAxis {self._name!r}: a coordinate has unit '{coord.unit}', expected one convertible to '{self._unit}'."
            raise UnitError(msg) from error

    # Numbers, as quantities

    @cached_property
    def edges(self) -> u.Quantity:
        """Edges, shape (nbin + 1,)."""
        return u.Quantity(self.edge_values, self._unit, copy=False)

    @cached_property
    def center(self) -> u.Quantity:
        """Centres: mean, geometric mean (log) or the mean of roots squared (sqrt) of the edges; shape (nbin,)."""
        return u.Quantity(self.center_values, self._unit, copy=False)

    edges_min = property(lambda self: self.edges[:-1], doc="Lower edges, shape (nbin,).")
    edges_max = property(lambda self: self.edges[1:], doc="Upper edges, shape (nbin,).")
    bin_width = property(lambda self: self.edges[1:] - self.edges[:-1], doc="Widths, shape (nbin,).")
    bounds = property(lambda self: self.node_quantity[[0, -1]], doc="First and last node: the outer edges, or the outer centres.")

    @property
    def iter_by_edges(self) -> Iterator[tuple[u.Quantity, u.Quantity]]:
        """Pairs of lower and upper edge."""
        yield from zip(self.edges[:-1], self.edges[1:], strict=True)

    @property
    def nbin_per_decade(self) -> float:
        """Number of bins in a factor of ten, of a logarithmic axis."""
        if self._interp != "log":
            msg = f"MapAxis {self._name!r}: nbin_per_decade needs a logarithmic axis, this one is {self._interp!r}."
            raise InputError(msg)
        return float(abs(self.nbin / np.log10(self.edge_values[-1] / self.edge_values[0])))

    # Coordinates

    def coord_to_pix(self, coord: Any) -> Floats:
        """Pixel coordinates, continued linearly (in the scale of the axis) beyond the ends."""
        return interpolate_linear(SCALES[self._interp].forward(self._wrapped(self._values(coord))), *self._grid)

    def pix_to_coord(self, pix: Any) -> u.Quantity:
        """Coordinates of pixel coordinates."""
        return u.Quantity(self._from_pix(np.asarray(pix, dtype=float)), self._unit, copy=False)

    def coord_to_idx(self, coord: Any, clip: bool = False) -> NDArray[np.intp]:
        """Index of the bin, -1 outside; the last edge is outside.

        Parameters
        ----------
        coord : Quantity or array
            Coordinates.
        clip : bool
            Give the nearest bin instead of -1; NaN stays -1.
        """
        values = self._wrapped(np.atleast_1d(self._values(coord)))
        edges = self.edge_values
        if self._is_increasing:
            idx = np.searchsorted(edges, values, side="right") - 1
        else:
            idx = self.nbin - np.searchsorted(edges[::-1], values, side="left")
        if clip:
            return np.where(np.isnan(values), -1, np.clip(idx, 0, self.nbin - 1))
        return np.where((idx >= self.nbin) | (idx < 0) | np.isnan(values), -1, idx)

    def pix_to_idx(self, pix: Any, clip: bool = False) -> NDArray[np.intp]:
        """Index of the bin of pixel coordinates, -1 outside (or the nearest one if `clip`)."""
        return pix_to_idx(pix, self.nbin, clip)

    def _modulo(self, values: Floats) -> Floats:
        low, high = sorted((self.edge_values[0], self.edge_values[-1]))
        return np.asarray(low + np.mod(values - low, high - low))

    def _wrapped(self, values: Floats) -> Floats:
        return values if self._boundary_type == "monotonic" else self._modulo(values)

    def wrap_coord(self, coord: Any) -> u.Quantity:
        """Coordinates modulo the length of the axis; a periodic axis does this by itself."""
        return u.Quantity(self._modulo(self._values(coord)), self._unit)

    def round(self, coord: Any, clip: bool = False) -> u.Quantity:
        """Nearest edge (in pixels); with `clip` one of the axis, else perhaps beyond it."""
        pix = np.round(self.coord_to_pix(np.atleast_1d(self._values(coord))) + 0.5)
        clipped = np.clip(pix, 0, self.nbin)
        edges = self.edge_values[np.where(np.isnan(pix), 0, clipped).astype(int)]
        return u.Quantity(edges if clip else np.where(clipped == pix, edges, self._from_pix(pix - 0.5)), self._unit)

    # Other axes

    def copy(self, **kwargs: Any) -> MapAxis:
        """Copy with some arguments replaced; a new ``unit`` alone converts the nodes."""
        if "unit" in kwargs and "nodes" not in kwargs:
            kwargs["nodes"] = self.node_quantity.to(parse_unit(kwargs["unit"], f"MapAxis {self._name!r}"))
        defaults = {
            "nodes": self._nodes,
            "interp": self._interp,
            "name": self._name,
            "node_type": self._node_type,
            "unit": self._unit,
            "boundary_type": self._boundary_type,
        }
        return type(self)(**{**defaults, **kwargs})

    def rename(self, new_name: str) -> MapAxis:
        """Same axis under another name."""
        return self.copy(name=new_name)

    def to_node_type(self, node_type: str) -> MapAxis:
        """Same axis, given by its edges or its centres."""
        if node_type == self._node_type:
            return self
        return self.copy(nodes=self.edge_values if node_type == "edges" else self.center_values, node_type=node_type)

    from_bounds = classmethod(build.from_bounds)  # type: ignore[arg-type]
    from_edges = classmethod(build.from_edges)  # type: ignore[arg-type]
    from_nodes = classmethod(build.from_nodes)  # type: ignore[arg-type]
    from_energy_bounds = classmethod(build.from_energy_bounds)
    from_energy_edges = classmethod(build.from_energy_edges)
    from_stack = classmethod(build.from_stack)
    concatenate = build.concatenate

    slice = grouping.slice_axis
    squash = grouping.squash
    pad = grouping.pad
    upsample = grouping.upsample
    downsample = grouping.downsample
    group_table = grouping.group_table

    from_table = classmethod(formats.axis_from_table)
    from_table_hdu = classmethod(formats.axis_from_table_hdu)
    to_table = formats.axis_to_table
    to_table_hdu = formats.axis_to_table_hdu
    to_header = formats.axis_to_header

    # Comparison

    def bands_values(self) -> tuple[Any, ...]:
        """Columns of a BANDS table: centres, lower and upper edges."""
        return self.center, self.edges_min, self.edges_max

    def is_allclose(self, other: Any, **kwargs: Any) -> bool:
        """Whether kind, scale, name (whatever its case) and edges are equal.

        Parameters
        ----------
        other : MapAxis
            Another axis.
        **kwargs : dict
            ``rtol`` (default 1e-6) and ``atol`` in `unit` (default 1e-6 of the narrowest bin).
        """
        if not isinstance(other, MapAxis):
            return False
        if self is other:
            return True
        same = (self._node_type, self._interp, self._name.upper()) == (other.node_type, other.interp, other.name.upper())
        if not same or len(self._nodes) != len(other.node_values) or not self._unit.is_equivalent(other.unit):
            return False
        theirs = other.node_values if other.unit is self._unit else other.node_quantity.to_value(self._unit)
        narrowest = np.min(np.abs(np.diff(self._nodes))) if len(self._nodes) > 1 else 0.0
        return bool(np.allclose(self._nodes, theirs, rtol=kwargs.get("rtol", 1e-6), atol=kwargs.get("atol", 1e-6 * narrowest)))

    def is_aligned(self, other: MapAxis, atol: float = 2e-2) -> bool:
        """Whether the centres of one fall onto centres of the other, within `atol` bins."""
        for one, two in ((self, other), (other, self)):
            pix = one.coord_to_pix(two.center)
            if not np.all(np.abs(pix - np.round(pix)) < atol):
                return False
        return True

    def assert_name(self, required_name: str) -> None:
        """Raise `NameLookupError` unless the axis has this name."""
        if self._name != required_name:
            msg = f"Axis is named {self._name!r}, expected {required_name!r}; rename it with .rename({required_name!r})."
            raise NameLookupError(msg)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MapAxis):
            return NotImplemented
        return self.is_allclose(other)

    __hash__ = object.__hash__

    # Display

    use_center_as_plot_labels = plot.use_center_as_plot_labels
    as_plot_labels = property(plot.number_labels)
    as_plot_edges = property(lambda self: self.edges, doc="Edges for plots.")
    as_plot_center = property(lambda self: self.center, doc="Centres for plots.")
    as_plot_xerr = property(plot.number_xerr)
    as_plot_scale = property(plot.number_scale)
    format_plot_xaxis = plot.format_plot_xaxis
    format_plot_yaxis = plot.format_plot_yaxis

    __str__ = plot.number_text
    __repr__ = __str__
    _repr_html_ = plot.repr_html


def pix_to_idx(pix: Any, nbin: int, clip: bool) -> NDArray[np.intp]:
    """Index of the bin whose centre is nearest; -1 outside and for NaN, or the nearest bin if `clip`."""
    rounded = np.floor(np.asarray(pix, dtype=float) + 0.5)
    if clip:
        return np.where(np.isnan(rounded), -1, np.clip(rounded, 0, nbin - 1)).astype(np.intp)
    return np.where((rounded >= 0) & (rounded < nbin), rounded, -1).astype(np.intp)
