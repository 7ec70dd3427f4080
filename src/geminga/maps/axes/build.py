"""Ways to make a `MapAxis`; each is a class method of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.errors import GeometryError, InputError, NameLookupError, UnitError
from geminga.numerics.interpolation import SCALES
from geminga.utils.units import as_quantity, parse_unit

if TYPE_CHECKING:
    from geminga.maps.axes.map import MapAxis

__all__ = ["from_bounds", "from_edges", "from_energy_bounds", "from_energy_edges", "from_nodes", "from_stack"]

ENERGY_NAMES = ("energy", "energy_true")


def check_nbin(nbin: Any) -> int:
    """Return the number of bins as an int, or raise `InputError`."""
    if isinstance(nbin, bool) or nbin != int(nbin) or nbin < 1:
        msg = f"MapAxis: nbin is {nbin!r}, expected a whole number of at least 1."
        raise InputError(msg)
    return int(nbin)


def spaced(low: float, high: float, number: int, interp: str) -> Any:
    """Numbers from `low` to `high`, both exact, evenly spaced in the scale `interp`."""
    if interp not in SCALES:
        msg = f"MapAxis: interp is {interp!r}, expected one of {sorted(SCALES)}."
        raise InputError(msg)
    if interp == "log" and not low > 0:
        msg = f"MapAxis: the lower bound is {low}, a logarithmic axis needs one above zero; give another or use interp='lin'."
        raise InputError(msg)
    scale = SCALES[interp]
    values = rounded(scale.inverse(np.linspace(scale.forward(low), scale.forward(high), number)))
    values[0], values[-1] = low, high
    return values


def rounded(values: Any) -> Any:
    """Numbers to 15 significant digits: an edge meant to be at 1 is there, so that 1 belongs to the bin above it."""
    return np.array([float(f"{value:.15g}") for value in values])


def from_bounds(cls: type[MapAxis], lo_bnd: Any, hi_bnd: Any, nbin: int, **kwargs: Any) -> MapAxis:
    """Make an axis of `nbin` bins (or nodes, ``node_type="center"``) from its two ends.

    Parameters
    ----------
    lo_bnd, hi_bnd : float or Quantity
        First and last edge, or first and last node.
    nbin : int
        Number of bins.
    **kwargs : dict
        ``interp``, ``name``, ``node_type``, ``unit``, ``boundary_type`` of `MapAxis`.

    Raises
    ------
    InputError
        If `nbin` is below 1 or the bounds are not increasing.

    Examples
    --------
    >>> from geminga.maps import MapAxis
    >>> MapAxis.from_bounds(0, 5, nbin=5, unit="deg", name="rad").edges
    <Quantity [0., 1., 2., 3., 4., 5.] deg>
    """
    nbin = check_nbin(nbin)
    if isinstance(lo_bnd, (u.Quantity, str)) or isinstance(hi_bnd, (u.Quantity, str)):
        low_q, high_q = u.Quantity(lo_bnd), u.Quantity(hi_bnd)
        unit = parse_unit(kwargs.get("unit") or low_q.unit, "MapAxis.from_bounds")
        low, high = float(as_quantity(low_q, unit, "lo_bnd").value), float(as_quantity(high_q, unit, "hi_bnd").value)
        kwargs["unit"] = unit
    else:
        low, high = float(lo_bnd), float(hi_bnd)
    centered = kwargs.get("node_type", "edges") == "center"
    if not (low < high or (centered and nbin == 1 and low == high)):
        msg = f"MapAxis: bounds are {low} and {high}, the upper one must be larger."
        raise InputError(msg)
    interp = kwargs.get("interp", "lin")
    nodes = np.array([low]) if centered and nbin == 1 else spaced(low, high, nbin if centered else nbin + 1, interp)
    return cls(nodes, **kwargs)


def from_edges(cls: type[MapAxis], edges: Any, **kwargs: Any) -> MapAxis:
    """Make an axis from its bin edges.

    Examples
    --------
    >>> from geminga.maps import MapAxis
    >>> MapAxis.from_edges([1, 2, 4], unit="deg", name="offset").nbin
    2
    """
    if "node_type" in kwargs:
        msg = f"MapAxis.from_edges: node_type={kwargs['node_type']!r} cannot be given; use MapAxis.from_nodes for nodes."
        raise InputError(msg)
    return cls(edges, node_type="edges", **kwargs)


def from_nodes(cls: type[MapAxis], nodes: Any, **kwargs: Any) -> MapAxis:
    """Make an axis from nodes, the points at which something is known.

    Examples
    --------
    >>> from geminga.maps import MapAxis
    >>> MapAxis.from_nodes([1, 10, 100], unit="TeV", interp="log").nbin
    3
    """
    if len(np.atleast_1d(nodes)) < 1:
        msg = "MapAxis.from_nodes: no nodes were given, expected at least one."
        raise InputError(msg)
    if "node_type" in kwargs:
        msg = f"MapAxis.from_nodes: node_type={kwargs['node_type']!r} cannot be given; use MapAxis.from_edges for edges."
        raise InputError(msg)
    return cls(nodes, node_type="center", **kwargs)


def _energy_name(name: str | None) -> str:
    if name is None:
        return "energy"
    if name not in ENERGY_NAMES:
        msg = f"MapAxis: an energy axis is named {name!r}, expected 'energy' or 'energy_true'."
        raise NameLookupError(msg)
    return name


def energy_quantity(value: Any, unit: Any, label: str) -> u.Quantity:
    """`value` as an energy; `unit` is that of bare numbers and, if given, of the result."""
    quantity = u.Quantity(value)
    bare = not isinstance(value, str) and quantity.unit == u.dimensionless_unscaled
    if bare and unit is not None:
        quantity = u.Quantity(quantity.value, parse_unit(unit, label))
    if not quantity.unit.is_equivalent(u.eV):
        msg = f"MapAxis: {label} has unit '{quantity.unit}', expected an energy such as 'TeV'."
        raise UnitError(msg)
    return quantity if unit is None else quantity.to(parse_unit(unit, label))


def from_energy_bounds(
    cls: type[MapAxis],
    energy_min: Any,
    energy_max: Any,
    nbin: int,
    unit: Any = None,
    per_decade: bool = False,
    name: str | None = None,
    node_type: str = "edges",
    strict_bounds: bool = True,
) -> MapAxis:
    """Make a logarithmic energy axis from its bounds.

    Parameters
    ----------
    energy_min, energy_max : float, str or Quantity
        Ends of the axis.
    nbin : int
        Number of bins, in all or per decade of energy.
    unit : str or Unit, optional
        Unit of the axis; that of `energy_max` if None.
    per_decade : bool
        `nbin` counts bins per decade. The number is rounded up so that bins are at least as fine.
    name : str, optional
        ``"energy"`` (default) or ``"energy_true"``.
    node_type : {"edges", "center"}
        Bins or nodes.
    strict_bounds : bool
        With `per_decade`, keep `energy_max` as it is (True) or the bin width (False; the last edge is then lower).

    Raises
    ------
    InputError, UnitError, NameLookupError
        For a number of bins below 1, bounds not increasing or not positive, a unit that is no energy, another name.

    Examples
    --------
    >>> from geminga.maps import MapAxis
    >>> MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=11, per_decade=True).nbin
    33
    """
    nbin = check_nbin(nbin)
    high_q = energy_quantity(energy_max, unit, "energy_max")
    unit = high_q.unit if unit is None else parse_unit(unit)
    low, high = float(energy_quantity(energy_min, unit, "energy_min").value), float(high_q.value)
    if not 0 < low < high:
        msg = f"MapAxis: energy bounds are {low} and {high} {unit}, expected 0 < energy_min < energy_max."
        raise InputError(msg)
    if per_decade:
        exact = nbin * np.log10(high / low)
        if strict_bounds:
            nbin = int(np.ceil(exact - 1e-9))
        else:
            per = nbin
            nbin = max(int(np.floor(exact + 1e-9)), 1)
            high = low * 10 ** (nbin / per)
    return from_bounds(cls, low, high, nbin, interp="log", unit=unit, name=_energy_name(name), node_type=node_type)


def from_energy_edges(
    cls: type[MapAxis], energy_edges: Any, unit: Any = None, name: str | None = None, interp: str = "log"
) -> MapAxis:
    """Make an energy axis from its edges.

    Parameters
    ----------
    energy_edges : Quantity or array
        Edges, increasing.
    unit : str or Unit, optional
        Unit of the axis, and of bare numbers.
    name : str, optional
        ``"energy"`` (default) or ``"energy_true"``.
    interp : str
        Interpolation of the axis.

    Raises
    ------
    UnitError, NameLookupError, InputError
        See `from_energy_bounds`.
    """
    return cls(energy_quantity(energy_edges, unit, "energy_edges"), interp=interp, name=_energy_name(name), node_type="edges")


def from_stack(cls: type[MapAxis], axes: Sequence[MapAxis]) -> MapAxis:
    """Join axes that follow each other.

    Raises
    ------
    InputError
        If there are none.
    GeometryError
        If one does not begin where the one before ends.
    """
    del cls
    if not axes:
        msg = "MapAxis.from_stack: no axes were given, expected at least one."
        raise InputError(msg)
    out = axes[0]
    for axis in axes[1:]:
        out = concatenate(out, axis)
    return out


def concatenate(self: MapAxis, axis: MapAxis) -> MapAxis:
    """Join two axes; `axis` must begin where this one ends, and the kind, unit and name must fit.

    Raises
    ------
    GeometryError
        If they do not follow each other.
    """
    axis, other = self, axis
    kinds = (axis.node_type, axis.interp, axis.name), (other.node_type, other.interp, other.name)
    if kinds[0] != kinds[1]:
        msg = f"MapAxis.concatenate: (node type, interp, name) are {kinds[0]} and {kinds[1]}, they must be equal."
        raise GeometryError(msg)
    nodes = as_quantity(other.node_quantity, axis.unit, f"MapAxis {other.name!r}").value
    if axis.node_type == "edges":
        if not np.isclose(nodes[0], axis.node_values[-1], rtol=1e-6, atol=1e-6 * np.min(np.abs(np.diff(axis.node_values)))):
            msg = (
                f"MapAxis.concatenate: {axis.name!r} ends at {axis.node_values[-1]} {axis.unit}, the other begins at {nodes[0]}; "
                "they must meet."
            )
            raise GeometryError(msg)
        nodes = nodes[1:]
    return axis.copy(nodes=np.concatenate([axis.node_values, nodes]))
