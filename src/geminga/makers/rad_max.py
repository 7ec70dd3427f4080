"""Counts of point-like analyses, within a radius that depends on energy."""

from __future__ import annotations

from typing import Any

from geminga.errors import GeometryError, InputError
from geminga.maps import RegionNDMap
from geminga.utils.regions import compound_region_to_regions

__all__ = ["make_counts_off_rad_max", "make_counts_rad_max", "needed_rad_max"]


def _need_points(geom: Any, function: str) -> None:
    if not geom.is_region or not geom.is_all_point_sky_regions:
        kind = type(getattr(geom, "region", geom)).__name__
        msg = f"{function}: the region is a {kind}; expected PointSkyRegions, round which the radius is taken."
        raise GeometryError(msg)


def needed_rad_max(observation: Any) -> Any:
    """Radius of an observation.

    Raises
    ------
    InputError
        If there is none.
    """
    if observation.rad_max is None:
        msg = (
            f"Observation {observation.obs_id} has no RAD_MAX, so events round a point cannot be counted; give a circle, or a "
            "point-like observation."
        )
        raise InputError(msg)
    return observation.rad_max


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
    _need_points(geom, "make_counts_rad_max")
    return _counts(geom, rad_max, events, [geom.region])


def make_counts_off_rad_max(geom_off: Any, rad_max: Any, events: Any) -> RegionNDMap:
    """Counts within the radius around several points, such as reflected positions, summed.

    Parameters
    ----------
    geom_off : RegionGeom
        Geometry whose region is a point or a union of points, with an axis ``energy``.
    rad_max : RadMax2D
        Radius.
    events : EventList
        Events.

    Raises
    ------
    GeometryError
        If the region has parts that are not points.
    """
    _need_points(geom_off, "make_counts_off_rad_max")
    return _counts(geom_off, rad_max, events, compound_region_to_regions(geom_off.region))


def _counts(geom: Any, rad_max: Any, events: Any, regions: Any) -> RegionNDMap:
    counts = RegionNDMap.from_geom(geom, dtype="float32")
    for region in regions:
        counts.fill_events(events.select_rad_max(rad_max, position=region.center))
    return counts
