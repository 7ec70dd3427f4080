"""Sky regions: lists and unions of them, shapes in a row, other frames.

Regions are those of the package regions; it is imported when first needed, since that takes longer than all the rest.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord

from geminga.errors import InputError, UnsupportedError
from geminga.utils.units import as_quantity

__all__ = [
    "compound_region_to_regions",
    "make_concentric_annulus_sky_regions",
    "make_orthogonal_rectangle_sky_regions",
    "region_to_frame",
    "region_turned",
    "regions_to_compound_region",
]


def parse_regions(text: str) -> list[Any]:
    """Regions of a ds9 string such as ``"icrs;circle(83.63, 22.01, 0.5)"``.

    Raises
    ------
    InputError
        If the string holds no region.
    """
    from regions import Regions

    try:
        found = list(Regions.parse(text, format="ds9"))
    except Exception as error:  # the parser raises many kinds
        msg = f"Region string {text!r} cannot be read as ds9: {error}"
        raise InputError(msg) from error
    if not found:
        msg = f"Region string {text!r} holds no region; expected something like 'icrs;circle(83.63, 22.01, 0.5)'."
        raise InputError(msg)
    return found


def as_region_list(regions: Any) -> list[Any]:
    """Simple regions of what users give: a ds9 string, a region, a union, or a list of these.

    Raises
    ------
    InputError
        For another type.
    """
    from regions import CompoundPixelRegion, CompoundSkyRegion, Region

    if isinstance(regions, str):
        return parse_regions(regions)
    if isinstance(regions, (CompoundSkyRegion, CompoundPixelRegion)):
        return list(compound_region_to_regions(regions)) if regions.operator is operator.or_ else [regions]
    if isinstance(regions, Region):
        return [regions]
    try:
        items = list(regions)
    except TypeError as error:
        msg = f"Regions are of type {type(regions).__name__}, expected a Region, a ds9 string or a list of these."
        raise InputError(msg) from error
    return [region for item in items for region in as_region_list(item)]


def compound_region_to_regions(region: Any) -> Any:
    """Regions of which a union is made.

    Parameters
    ----------
    region : Region
        Union, or a region of another kind, which is then the only one.

    Returns
    -------
    regions : Regions
        List of regions.

    Raises
    ------
    UnsupportedError
        If regions are joined by anything but the union operator.
    """
    from regions import CompoundPixelRegion, CompoundSkyRegion, Regions

    found: list[Any] = []
    stack = [region]
    while stack:
        current = stack.pop()
        if not isinstance(current, (CompoundSkyRegion, CompoundPixelRegion)):
            found.append(current)
        elif current.operator is operator.or_:
            stack += [current.region2, current.region1]
        else:
            msg = f"Only union operator supported, the compound region is joined by {current.operator.__name__!r}."
            raise _NotAUnionError(msg)
    return Regions(found)


class _NotAUnionError(UnsupportedError, ValueError):
    """A compound region is not a union (also a `ValueError`)."""


def regions_to_compound_region(regions: Any) -> Any:
    """Union of several regions (the region itself if there is one).

    Parameters
    ----------
    regions : Regions or list of Region
        Regions.

    Raises
    ------
    InputError
        If there are none.
    """
    items = list(regions)
    if not items:
        msg = "regions_to_compound_region: no regions were given, expected at least one."
        raise InputError(msg)
    union = items[0]
    for region in items[1:]:
        union = union.union(region)
    return union


def region_to_frame(region: Any, frame: str) -> Any:
    """Same region in another sky frame.

    Parameters
    ----------
    region : SkyRegion
        Circle, annulus, ellipse, rectangle, polygon, line, point or a union of these.
    frame : str
        Frame, such as ``"galactic"``.

    Returns
    -------
    region : SkyRegion
        New region; position angles count from the north of the new frame.

    Raises
    ------
    InputError
        If it is not a region on the sky.
    """
    from regions import CompoundSkyRegion, SkyRegion

    if not isinstance(region, SkyRegion):
        msg = f"region_to_frame: got {type(region).__name__}, expected a region on the sky."
        raise InputError(msg)
    if isinstance(region, CompoundSkyRegion):
        parts = region_to_frame(region.region1, frame), region_to_frame(region.region2, frame)
        return CompoundSkyRegion(*parts, operator=region.operator, meta=region.meta, visual=region.visual)
    changes: dict[str, Any] = {}
    for name in ("center", "vertices", "start", "end"):
        position = getattr(region, name, None)
        if isinstance(position, SkyCoord):
            changes[name] = position.transform_to(frame)
    if hasattr(region, "angle"):
        # Regions count angles from the longitude axis towards the north: turn by what the north turns.
        old = region.center
        north = old.directional_offset_by(0 * u.deg, 1 * u.arcsec).transform_to(frame)
        changes["angle"] = Angle(region.angle - changes["center"].position_angle(north)).wrap_at("180d").to("deg")
    return region.copy(**changes)


def region_turned(region: Any, pivot: SkyCoord, angles: Any) -> list[Any]:
    """Same region turned about a position, once for each angle.

    Parameters
    ----------
    region : SkyRegion
        Circle, annulus, ellipse, rectangle, polygon, line, point or a union of these.
    pivot : SkyCoord
        Position about which to turn.
    angles : Quantity or array
        Angles (rad), from north towards east.

    Returns
    -------
    regions : list of SkyRegion
        In the frame of the region.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.utils.regions import parse_regions, region_turned
    >>> region = parse_regions("icrs;circle(0, -1, 0.1)")[0]
    >>> turned = region_turned(region, SkyCoord(0, 0, unit="deg"), [np.pi])[0]
    >>> print(turned.center.dec.round(6))
    1d00m00s
    """
    from regions import CompoundSkyRegion

    angles = np.atleast_1d(as_quantity(angles, u.rad, "angles"))
    if isinstance(region, CompoundSkyRegion):
        parts = zip(*(region_turned(part, pivot, angles) for part in (region.region1, region.region2)), strict=True)
        return [CompoundSkyRegion(*pair, operator=region.operator, meta=region.meta, visual=region.visual) for pair in parts]
    changes: list[dict[str, Any]] = [{} for _ in angles]
    for name in ("center", "vertices", "start", "end"):
        position = getattr(region, name, None)
        if isinstance(position, SkyCoord):
            turned = _positions_turned(position, pivot.transform_to(position.frame), angles)
            for number, change in enumerate(changes):
                change[name] = turned[number]
    if hasattr(region, "angle"):
        # The direction to the pivot keeps its angle to the region.
        to_pivot = region.center.position_angle(pivot)
        for change in changes:
            angle = region.angle + change["center"].position_angle(pivot) - to_pivot
            change["angle"] = Angle(angle).wrap_at("180d").to("deg")
    return [region.copy(**change) for change in changes]


def _positions_turned(position: SkyCoord, pivot: SkyCoord, angles: u.Quantity) -> SkyCoord:
    """Positions of shape (angle, ...)."""
    start = pivot.position_angle(position)
    all_angles = start + angles.reshape(angles.shape + (1,) * position.ndim)
    return pivot.directional_offset_by(all_angles, pivot.separation(position))


def make_orthogonal_rectangle_sky_regions(
    start_pos: SkyCoord, end_pos: SkyCoord, wcs: Any, height: Any, nbin: int = 1
) -> list[Any]:
    """Rectangles in a row between two positions, along the line between them.

    Parameters
    ----------
    start_pos, end_pos : SkyCoord
        Ends of the row.
    wcs : WCS
        Projection in which the line is straight.
    height : Quantity
        Size across the line.
    nbin : int
        Number of rectangles.

    Returns
    -------
    regions : list of RectangleSkyRegion
        From the start to the end.

    Raises
    ------
    InputError
        If `nbin` is below 1.
    """
    from regions import RectangleSkyRegion

    if nbin < 1:
        msg = f"make_orthogonal_rectangle_sky_regions: nbin is {nbin}, expected at least 1."
        raise InputError(msg)
    height = as_quantity(height, u.deg, "height")
    ends = SkyCoord([start_pos.transform_to(end_pos.frame), end_pos])
    x, y = ends.to_pixel(wcs)
    centers = (np.arange(nbin) + 0.5) / nbin
    positions = SkyCoord.from_pixel(x[0] + centers * (x[1] - x[0]), y[0] + centers * (y[1] - y[0]), wcs)
    width = start_pos.separation(end_pos).to("rad") / nbin
    angle = start_pos.transform_to(positions.frame).position_angle(end_pos) - 90 * u.deg
    return [RectangleSkyRegion(center=p, width=width, height=height, angle=angle) for p in positions]


def make_concentric_annulus_sky_regions(
    center: SkyCoord, radius_max: Any, radius_min: Any = 1e-5 * u.deg, nbin: int = 11
) -> list[Any]:
    """Rings round a centre.

    Parameters
    ----------
    center : SkyCoord
        Centre.
    radius_max, radius_min : Quantity
        Outermost and innermost radius.
    nbin : int
        Number of radii, one more than rings.

    Returns
    -------
    regions : list of CircleAnnulusSkyRegion
        From the inside to the outside.

    Raises
    ------
    InputError
        If radii are not in order or `nbin` is below 2.
    """
    from regions import CircleAnnulusSkyRegion

    outer, inner = as_quantity(radius_max, u.deg, "radius_max"), as_quantity(radius_min, u.deg, "radius_min")
    if not 0 < inner.value < outer.value or nbin < 2:
        msg = f"Annuli need 0 < radius_min < radius_max and nbin >= 2, got {inner}, {outer} and {nbin}."
        raise InputError(msg)
    radii = np.linspace(inner, outer, nbin)
    return [CircleAnnulusSkyRegion(center, low, high) for low, high in zip(radii[:-1], radii[1:], strict=True)]
