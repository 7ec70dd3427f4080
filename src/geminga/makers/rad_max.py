"""Counts of point-like analyses, within a radius that depends on energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.maps import RegionNDMap
from geminga.numerics.sphere import angle_between, unit_vector

__all__ = ["are_within_rad_max", "make_counts_off_rad_max", "make_counts_rad_max"]


def _vectors(positions: Any) -> NDArray[np.float64]:
    icrs = positions.icrs
    return unit_vector(icrs.ra.rad, icrs.dec.rad)


def are_within_rad_max(events: Any, position: Any, rad_max: Any) -> NDArray[np.bool_]:
    """Whether events are within the radius of their energy around a position.

    The radius is that of the bin of the table in which energy of the event and offset of the position are.

    Parameters
    ----------
    events : EventList
        Events.
    position : SkyCoord
        Position.
    rad_max : RadMax2D
        Radius.
    """
    target = _vectors(position).reshape(3, 1)
    separation = angle_between(_vectors(events.radec), target)
    pointing = getattr(events, "pointing_radec", None)
    offset = position.separation(pointing) if pointing is not None else position.separation(position)
    radius = rad_max.evaluate(method="nearest", energy=events.energy, offset=offset)
    return np.asarray(separation <= radius.to_value("rad"))


def make_counts_rad_max(geom: Any, rad_max: Any, events: Any) -> RegionNDMap:
    """Counts within the radius around a point.

    Parameters
    ----------
    geom : RegionGeom
        Geometry whose region is a point, with an axis ``energy``.
    rad_max : RadMax2D
        Radius.
    events : EventList
        Events.

    Raises
    ------
    GeometryError
        If the region is not a point.
    """
    if not geom.is_region or not geom.is_all_point_sky_regions:
        kind = type(getattr(geom, "region", geom)).__name__
        msg = f"make_counts_rad_max: the region is a {kind}; expected a PointSkyRegion, round which the radius is taken."
        raise GeometryError(msg)
    counts = RegionNDMap.from_geom(geom, dtype="float32")
    selected = events.select_row_subset(are_within_rad_max(events, geom.center_skydir, rad_max))
    counts.fill_events(selected)
    return counts


def make_counts_off_rad_max(geom_off: Any, rad_max: Any, events: Any) -> RegionNDMap:
    """Counts within the radius around one or several points, such as reflected positions, summed.

    Parameters
    ----------
    geom_off : RegionGeom
        Geometry whose region is a point or a union of points, with an axis ``energy``.
    rad_max : RadMax2D
        Radius, evaluated at the offset of the first point: reflected positions have the same.
    events : EventList
        Events.

    Raises
    ------
    GeometryError
        If the region has parts that are not points.
    """
    from geminga.utils.regions import compound_region_to_regions

    if not geom_off.is_region or not geom_off.is_all_point_sky_regions:
        msg = f"make_counts_off_rad_max: the region is a {type(geom_off.region).__name__}; expected PointSkyRegions only."
        raise GeometryError(msg)
    counts = RegionNDMap.from_geom(geom_off, dtype="float32")
    for region in compound_region_to_regions(geom_off.region):
        counts.fill_events(events.select_row_subset(are_within_rad_max(events, region.center, rad_max)))
    return counts
