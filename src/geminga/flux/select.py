"""Fluxes from maps in any quantity, parts of fluxes, and several of them joined."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from geminga.errors import GeometryError, InputError, UnitError
from geminga.flux.quantities import OTHERS, SED_TYPES, SUFFIXES, SedType, find_sed_type, guess_sed_type
from geminga.flux.reference import RECORDED, as_sky_model, assume_default, reference_of
from geminga.maps import Map, Maps
from geminga.utils.units import as_quantity

__all__ = [
    "from_maps",
    "from_stack",
    "get_flux_points",
    "iter_by_axis",
    "slice_by_coord",
    "slice_by_energy",
    "slice_by_idx",
    "slice_by_time",
    "to_maps",
]

log = logging.getLogger(__name__)

# Part of a bin that rounding may take a bound away from an edge.
_ROUNDING = 1e-6


def from_maps(
    cls: Any,
    /,
    maps: Mapping[str, Any],
    sed_type: str | None = None,
    reference_model: Any = None,
    gti: Any = None,
    meta: Any = None,
) -> Any:
    """Make fluxes from maps of any quantity.

    Parameters
    ----------
    maps : dict of Map
        Fluxes such as ``dnde`` and ``dnde_err``, and other quantities (``ts``, ``counts``, ...).
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}, optional
        Kind of the fluxes; that of which there is a value if not given.
    reference_model : SkyModel or SpectralModel, optional
        Reference; a power law of index 2 if not given, which is noted in the log. Norms (``likelihood``) need one.
    gti : GTI, optional
        Good time intervals.
    meta : dict, optional
        Meta data.

    Raises
    ------
    InputError
        If there is no value of the kind, norms come without reference model, or energies have no bin edges and the kind
        needs them.
    UnitError
        If a map has a unit of another kind.
    GeometryError
        If there is no energy axis.
    NameLookupError
        If the kind is unknown.
    """
    kind = guess_sed_type(maps) if sed_type is None else find_sed_type(sed_type)
    if kind is None or kind.prefix not in maps:
        wanted = ", ".join(one.prefix for one in SED_TYPES.values()) if kind is None else kind.prefix
        msg = f"{cls.__name__}.from_maps: no map {wanted} among {', '.join(sorted(maps))}; give it, or another sed_type."
        raise InputError(msg)
    if reference_model is None and kind.prefix != "norm":
        reference_model = assume_default(cls.__name__)
    model = as_sky_model(reference_model)
    geom = maps[kind.prefix].geom
    reference = reference_of(kind, geom, maps, model)
    data = {}
    for suffix in SUFFIXES:
        value = maps.get(kind.prefix + suffix)
        if value is not None:
            if not value.unit.is_equivalent(kind.unit):
                msg = f"{cls.__name__}: {kind.prefix}{suffix} has the unit '{value.unit}'; expected one such as '{kind.unit}'."
                raise UnitError(msg)
            with np.errstate(divide="ignore", invalid="ignore"):
                norm = value.quantity.to(reference.unit) / reference
            data[f"norm{suffix}"] = Map.from_geom(value.geom, data=norm.value)
    data |= {name: maps[name] for name in (*OTHERS, *RECORDED) if name in maps}
    return cls(data, model, meta={"sed_type_init": kind.name} | dict(meta or {}), gti=gti)


def to_maps(self: Any, sed_type: str | None = None) -> Maps:
    """Maps of all stored quantities in one kind of flux.

    Parameters
    ----------
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}, optional
        Kind of flux; norms (``likelihood``) if not given.

    Returns
    -------
    maps : Maps
        Those on the geometry of the norm: `stat_scan` and quantities for each dataset have further axes and are left out.
    """
    return Maps(
        **{name: value for name, value in quantity_maps(self, sed_type).items() if value.geom.axes.names == self.geom.axes.names}
    )


def quantity_maps(self: Any, name: str | None) -> dict[str, Any]:
    """All stored quantities by name, fluxes in one kind; with `is_ul`, and with `sqrt_ts` if `ts` is known."""
    kind = find_sed_type(name or "likelihood")
    stored = {*self.available_quantities, "is_ul"} | ({"sqrt_ts"} if self.has_any_ts else set())
    names = [kind.prefix + suffix for suffix in SUFFIXES if f"norm{suffix}" in stored]
    return {n: getattr(self, n) for n in [*names, *[n for n in OTHERS if n in stored]]}


def from_stack(cls: Any, /, maps: Sequence[Any], axis: Any, meta: Any = None) -> Any:
    """Join fluxes along a new axis, such as the points of a light curve.

    Parameters
    ----------
    maps : list of FluxMaps
        Fluxes on one geometry. Quantities which not all of them have are left out, which is noted in the log.
    axis : MapAxis, TimeMapAxis or LabelMapAxis
        New axis with a bin for each.
    meta : dict, optional
        Meta data; those of the first if not given.

    Returns
    -------
    fluxes : FluxMaps
        Relative to the reference model of the first; where those differ, the reference of each bin is kept.

    Raises
    ------
    InputError
        If there is none.
    GeometryError
        If they do not fit together, or with the axis.
    """
    maps = list(maps)
    if not maps:
        msg = f"{cls.__name__}.from_stack: got no fluxes; give at least one."
        raise InputError(msg)
    first = maps[0]
    common = [name for name in first._data if all(name in one._data for one in maps) and name not in RECORDED]
    lost = {name for one in maps for name in one._data if name not in common and name not in RECORDED}
    if lost:
        log.warning("%s.from_stack: %s are not known for all and are left out.", cls.__name__, ", ".join(sorted(lost)))
    data = {name: Map.from_stack([one._data[name] for one in maps], axis=axis) for name in common}
    data |= _stacked_references(maps, axis)
    gtis = [one.gti for one in maps if one.gti is not None]
    gti = type(gtis[0]).from_stack(gtis).union() if gtis else None
    return cls(data, first.reference_model, meta=dict(first.meta if meta is None else meta), gti=gti)


def _stacked_references(maps: Sequence[Any], axis: Any) -> dict[str, Any]:
    """Reference values of each bin, if the references of the parts differ."""
    kinds = [SED_TYPES["dnde"]]
    if all(one.is_convertible_to_flux_sed_type for one in maps):
        kinds += [SED_TYPES["flux"], SED_TYPES["eflux"]]
    values: dict[SedType, list[Any]] = {
        k: [np.broadcast_to(one._reference(k), one.geom.data_shape, subok=True) for one in maps] for k in kinds
    }
    same = all(np.allclose(v.value, own[0].to_value(v.unit), rtol=1e-10, atol=0) for own in values.values() for v in own)
    if same and not any(name in one._data for one in maps for name in RECORDED):
        return {}
    found = {}
    for kind, own in values.items():
        parts = [Map.from_geom(one.geom, data=np.array(v.value), unit=v.unit) for one, v in zip(maps, own, strict=True)]
        found[f"ref_{kind.prefix}"] = Map.from_stack(parts, axis=axis)
    return found


def iter_by_axis(self: Any, axis_name: str) -> Iterator[Any]:
    """Yield the fluxes of each bin of an axis.

    Parameters
    ----------
    axis_name : str
        Axis; it is dropped, except for ``energy``, which stays with one bin.
    """
    for index in range(self.geom.axes[axis_name].nbin):
        yield self.slice_by_idx({axis_name: index})


def slice_by_idx(self: Any, slices: Mapping[str, Any]) -> Any:
    """Keep some bins.

    Parameters
    ----------
    slices : dict
        Axis name to slice or index; an index drops the axis, except for ``energy``, which stays with one bin.

    Raises
    ------
    NameLookupError
        If there is no such axis.
    """
    slices = dict(slices)
    energy = slices.get("energy")
    if isinstance(energy, (int, np.integer)):
        slices["energy"] = slice(int(energy), int(energy) + 1 or None)
    return self._like({name: value.slice_by_idx(slices) for name, value in self._data.items()})


def slice_by_coord(self: Any, slices: Mapping[str, slice]) -> Any:
    """Keep the bins between coordinates.

    Parameters
    ----------
    slices : dict
        Axis name to a slice of two coordinates (Quantity, or Time), either may be ``None``. Bins which overlap the range are
        kept; time intervals if they lie wholly inside.

    Raises
    ------
    GeometryError
        If no bin is left.
    """
    return self.slice_by_idx({name: _index_slice(self.geom.axes[name], part) for name, part in slices.items()})


def _index_slice(axis: Any, part: slice) -> slice:
    if axis.node_type == "intervals":
        inside = np.ones(axis.nbin, dtype=bool)
        tolerance = _ROUNDING * axis.time_delta
        if part.start is not None:
            inside &= axis.time_min >= part.start - tolerance
        if part.stop is not None:
            inside &= axis.time_max <= part.stop + tolerance
        found = np.flatnonzero(inside)
        low, high = (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)
    else:
        low, high = 0, axis.nbin
        if part.start is not None:
            low = max(int(np.floor(float(axis.coord_to_pix(part.start)) + 0.5 + _ROUNDING)), 0)
        if part.stop is not None:
            high = min(int(np.ceil(float(axis.coord_to_pix(part.stop)) + 0.5 - _ROUNDING)), axis.nbin)
    if high <= low:
        msg = f"Fluxes: no bin of axis {axis.name!r} lies between {part.start} and {part.stop}; the axis goes {_bounds(axis)}."
        raise GeometryError(msg)
    return slice(low, high)


def _bounds(axis: Any) -> str:
    low, high = axis.time_bounds if axis.node_type == "intervals" else axis.bounds
    return f"from {low} to {high}"


def slice_by_energy(self: Any, energy_min: Any, energy_max: Any) -> Any:
    """Keep the bins between two energies, which are rounded to the nearest edges.

    Parameters
    ----------
    energy_min, energy_max : Quantity or str
        Energies.

    Raises
    ------
    GeometryError
        If no bin is left.
    """
    axis = self.energy_axis
    bounds = [as_quantity(value, axis.unit, name) for name, value in {"energy_min": energy_min, "energy_max": energy_max}.items()]
    low, high = (int(np.clip(np.round(float(axis.coord_to_pix(value)) + 0.5), 0, axis.nbin)) for value in bounds)
    if high <= low:
        msg = f"Fluxes: no energy bin lies between {bounds[0]} and {bounds[1]}; the axis goes {_bounds(axis)}."
        raise GeometryError(msg)
    return self.slice_by_idx({"energy": slice(low, high)})


def slice_by_time(self: Any, time_min: Any, time_max: Any) -> Any:
    """Keep the time intervals which lie wholly between two times.

    Parameters
    ----------
    time_min, time_max : Time
        Times.

    Raises
    ------
    NameLookupError
        If there is no time axis.
    GeometryError
        If no interval is left.
    """
    return self.slice_by_coord({"time": slice(time_min, time_max)})


def get_flux_points(self: Any, position: Any = None) -> Any:
    """Fluxes at a position.

    Parameters
    ----------
    position : SkyCoord, optional
        Position, of which the pixel is taken; the centre of the map if not given. Fluxes of a region are taken as they are.

    Returns
    -------
    points : FluxPoints
        In a point region.

    Raises
    ------
    GeometryError
        If the position lies outside the map.
    """
    cls = importlib.import_module("geminga.flux").FluxPoints  # it derives from the class this is a method of
    data = dict(self._data)
    if not self.geom.is_region:
        position = self.geom.center_skydir if position is None else position
        if not self.geom.to_image().contains(position).all():
            msg = f"{type(self).__name__}.get_flux_points: {position} lies outside the map round {self.geom.center_skydir}."
            raise GeometryError(msg)
        data = {name: _at(value, position) for name, value in data.items()}
    return cls(data, self.reference_model, meta=dict(self.meta), gti=self.gti, filter_success_nan=self.filter_success_nan)


def _at(map_: Any, position: Any) -> Any:
    """Map of the point region at a position, in the type of the map."""
    found = map_.to_region_nd_map(position)
    return found.copy(data=found.frozen_data.astype(map_.frozen_data.dtype))
