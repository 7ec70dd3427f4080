"""Parts of an event list. All functions return a new list; intervals are half-open, ``[low, high)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from numpy.typing import NDArray

from geminga.data.event_rows import reference_time
from geminga.errors import GeometryError, InputError
from geminga.maps import MapCoord, RegionGeom
from geminga.numerics.sphere import separation
from geminga.utils.units import values_in

if TYPE_CHECKING:
    from geminga.data.events import EventList

__all__ = [
    "select_energy",
    "select_mask",
    "select_offset",
    "select_parameter",
    "select_rad_max",
    "select_region",
    "select_row_subset",
    "select_time",
]

Mask = NDArray[np.bool_]


def elapsed_limits(time_interval: Any, reference: Time, name: str) -> tuple[float, float]:
    """Limits of a time interval in seconds since the reference.

    Raises
    ------
    InputError
        If it is not two times in order.
    """
    try:
        low, high = (float((Time(time) - reference).sec) for time in time_interval)
    except (TypeError, ValueError) as error:
        msg = f"{name}: time interval is {time_interval!r}; expected two times."
        raise InputError(msg) from error
    if not low <= high:
        msg = f"{name}: time interval {time_interval!r} ends before it starts; exchange the two."
        raise InputError(msg)
    return low, high


def _limits(values: Any, unit: u.UnitBase, name: str) -> tuple[float, float]:
    limits = values_in(values if isinstance(values, u.Quantity) else _joined(values), unit, name)
    if limits.shape != (2,):
        msg = f"EventList: {name} is {values!r}; expected a lower and an upper limit."
        raise InputError(msg)
    low, high = limits
    if not low <= high:
        msg = f"EventList: {name} {values!r} is not in order; expected the lower limit first."
        raise InputError(msg)
    return float(low), float(high)


def _joined(values: Any) -> Any:
    """Several quantities or numbers as one array."""
    items = list(values)
    return u.Quantity([u.Quantity(v) for v in items]) if any(isinstance(v, (u.Quantity, str)) for v in items) else items


def _between(values: NDArray[np.float64], limits: tuple[float, float]) -> Mask:
    return (values >= limits[0]) & (values < limits[1])


def select_row_subset(self: EventList, row_specifier: Any) -> EventList:
    """Events of some rows.

    Parameters
    ----------
    row_specifier : slice, int array or bool array
        Which rows.

    Examples
    --------
    >>> from geminga.data import EventList
    >>> from geminga.data.events import example_events
    >>> len(example_events(100).select_row_subset(slice(0, 10)))
    10
    """
    if np.isscalar(row_specifier):
        row_specifier = [row_specifier]
    return self._like(self._rows.take(row_specifier))


def select_mask(self: EventList, mask: Any) -> EventList:
    """Events where a mask is true.

    Parameters
    ----------
    mask : bool array or Map
        For each event; or a map of bool, in which events are looked up and which is false beyond its edges.

    Raises
    ------
    GeometryError
        If there is not one value for each event.
    """
    if hasattr(mask, "geom"):
        found = np.asarray(mask.get_by_coord(self.map_coord(mask.geom)), dtype=float)
        mask = np.isfinite(found) & (found != 0)
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (len(self),):
        msg = f"EventList.select_mask: mask has shape {mask.shape} and type {mask.dtype}, expected {len(self)} bools."
        raise GeometryError(msg)
    return self.select_row_subset(mask)


def select_time(self: EventList, time_interval: Any, inverted: bool = False) -> EventList:
    """Events in a time interval, or outside of it.

    Parameters
    ----------
    time_interval : Time of length two, or pair of Time
        Limits.
    inverted : bool
        Keep what lies outside.

    Raises
    ------
    InputError
        If it is not two times in order.
    """
    limits = elapsed_limits(time_interval, reference_time(self._rows.header), "EventList")
    return self.select_row_subset(_between(self.numbers("TIME"), limits) != inverted)


def select_energy(self: EventList, energy_range: Any) -> EventList:
    """Events in a range of energy.

    Parameters
    ----------
    energy_range : Quantity or pair of Quantity
        Limits.

    Raises
    ------
    UnitError
        If they are not energies.
    InputError
        If they are not two limits in order.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.data.events import example_events
    >>> bool((example_events(100).select_energy([1, 10] * u.TeV).energy >= 1 * u.TeV).all())
    True
    """
    limits = _limits(u.Quantity(_joined(energy_range)), u.TeV, "energy_range")
    return self.select_row_subset(_between(self.numbers("ENERGY"), limits))


def select_offset(self: EventList, offset_band: Any) -> EventList:
    """Events in a range of offset from the pointing.

    Parameters
    ----------
    offset_band : Quantity or pair of Quantity
        Limits.
    """
    limits = _limits(offset_band, u.deg, "offset_band")
    return self.select_row_subset(_between(self.offset.to_value("deg"), limits))


def select_parameter(self: EventList, parameter: str, values: Any, is_range: bool = True) -> EventList:
    """Events by a column.

    Parameters
    ----------
    parameter : str
        Name of the column.
    values : array, Quantity or Time
        Limits ``[low, high)``, or several such pairs (shape (n, 2)); with `is_range` false, values to look for. Bare numbers
        are in the unit of the column. A range of a column whose name ends in ``PHASE`` may wrap round at 1.
    is_range : bool
        Are these limits.

    Raises
    ------
    NameLookupError
        If there is no such column.
    InputError
        If limits are not in order.
    """
    column, wanted = _column_and_values(self, parameter, values)
    if not is_range:
        return self.select_row_subset(np.isin(column, wanted))
    if wanted.shape != (2,) and wanted.shape[1:] != (2,):
        msg = f"EventList: values for {parameter!r} have shape {wanted.shape}, expected (2,) or (n, 2); or give is_range=False."
        raise InputError(msg)
    inside = np.zeros(len(self), dtype=bool)
    for low, high in wanted.reshape(-1, 2):
        if low <= high:
            inside |= (column >= low) & (column < high)
        elif parameter.upper().endswith("PHASE"):
            inside |= (column >= low) | (column < high)
        else:
            msg = f"EventList: range of {parameter!r} is {low} to {high}; expected the lower limit first."
            raise InputError(msg)
    return self.select_row_subset(inside)


def _column_and_values(self: EventList, parameter: str, values: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Column, and values in its unit."""
    times = values if isinstance(values, Time) else Time(list(values)) if _are_times(values) else None
    if times is not None:
        return self._rows.numbers(parameter), np.asarray((times - reference_time(self._rows.header)).sec)
    column, unit = self._rows.values(parameter), self._rows.unit(parameter)
    values = _joined(values) if isinstance(values, (list, tuple)) and not _nested_or_text(values) else values
    if isinstance(values, u.Quantity):
        return column.astype(float), values_in(values, unit, parameter)
    return column, np.atleast_1d(np.asarray(values))


def _are_times(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(isinstance(v, Time) for v in values)


def _nested_or_text(values: Any) -> bool:
    return any(isinstance(v, (str, list, tuple, np.ndarray)) and not isinstance(v, u.Quantity) for v in values)


def select_region(self: EventList, regions: Any, wcs: Any = None) -> EventList:
    """Events in a region, or in any of several.

    Parameters
    ----------
    regions : str, Region or list of Region
        Regions, or a ds9 string.
    wcs : WCS, optional
        Projection in which borders of regions are straight.

    Raises
    ------
    InputError
        If there is no region.

    Examples
    --------
    >>> from geminga.data.events import example_events
    >>> events = example_events(100)
    >>> len(events.select_region("icrs;circle(83.63, 22.01, 5)")) <= len(events)
    True
    """
    geom = RegionGeom.from_regions(regions, wcs=wcs)
    coords = MapCoord({"lon": self.numbers("RA"), "lat": self.numbers("DEC")}, frame="icrs")
    return self.select_row_subset(geom.contains(coords))


def select_rad_max(self: EventList, rad_max: Any, position: SkyCoord | None = None) -> EventList:
    """Events within the radius given for their energy.

    Parameters
    ----------
    rad_max : RadMax2D
        Radius for each energy and offset; that of the nearest bin is taken.
    position : SkyCoord, optional
        Centre; the pointing by default.
    """
    pointing = self.pointing_radec
    position = pointing if position is None else position
    center = position.icrs
    distance = np.rad2deg(separation(center.ra.rad, center.dec.rad, *np.deg2rad([self.numbers("RA"), self.numbers("DEC")])))
    energy = u.Quantity(self.numbers("ENERGY"), "TeV")
    radius = rad_max.evaluate(method="nearest", energy=energy, offset=u.Quantity(center.separation(pointing)))
    return self.select_row_subset(distance <= np.broadcast_to(radius.to_value("deg"), distance.shape))
