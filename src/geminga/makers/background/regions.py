"""Finders of off regions: copies of a region, turned about the pointing."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.makers.background.angles import angle_option
from geminga.makers.background.exclusion import is_free
from geminga.makers.background.turned import TurnedRegion
from geminga.makers.base import HasOptions
from geminga.utils.regions import region_turned

__all__ = ["ReflectedRegionsFinder", "RegionsFinder", "WobbleRegionsFinder"]

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]


class RegionsFinder(HasOptions, ABC):
    """Base of finders of off regions: one of your own has a method `run`.

    Parameters
    ----------
    binsz : Angle or str
        Pixel in which angular sizes are measured and exclusion masks are looked at.
    """

    shown: ClassVar[tuple[str, ...]] = ("binsz",)

    def __init__(self, binsz: Any = 0.01 * u.deg) -> None:
        self.binsz = angle_option(binsz, "binsz", type(self).__name__)

    @abstractmethod
    def run(self, region: Any, center: Any, exclusion_mask: Any = None) -> tuple[list[Any], Any]:
        """Find off regions; see the classes."""


class ReflectedRegionsFinder(RegionsFinder):
    """As many off regions as fit on the circle round the pointing.

    Parameters
    ----------
    angle_increment : Angle or str
        Angle by which to go on where a region is excluded.
    min_distance : Angle or str
        Angle between neighbouring off regions, seen from the pointing.
    min_distance_input : Angle or str
        Angle between the region itself and its neighbours.
    max_region_number : int
        Number of off regions at most.
    binsz : Angle or str
        Pixel in which angular sizes are measured and exclusion masks are looked at.

    Raises
    ------
    InputError
        If an angle is negative, or the number not positive.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.makers import ReflectedRegionsFinder
    >>> from geminga.utils.regions import parse_regions
    >>> region, pointing = parse_regions("icrs;circle(83.63, 22.01, 0.11)")[0], SkyCoord(83.63, 22.51, unit="deg")
    >>> regions, wcs = ReflectedRegionsFinder().run(region, pointing)
    >>> len(regions)
    12
    """

    shown: ClassVar[tuple[str, ...]] = ("angle_increment", "min_distance", "min_distance_input", "max_region_number", "binsz")

    def __init__(
        self,
        angle_increment: Any = "0.1 rad",
        min_distance: Any = "0 rad",
        min_distance_input: Any = "0.1 rad",
        max_region_number: int = 10000,
        binsz: Any = "0.01 deg",
    ) -> None:
        super().__init__(binsz=binsz)
        owner = type(self).__name__
        self.angle_increment = angle_option(angle_increment, "angle_increment", owner, "rad")
        self.min_distance = angle_option(min_distance, "min_distance", owner, "rad", may_be_zero=True)
        self.min_distance_input = angle_option(min_distance_input, "min_distance_input", owner, "rad", may_be_zero=True)
        if max_region_number < 1:
            msg = f"{owner}: max_region_number is {max_region_number}; expected at least 1."
            raise InputError(msg)
        self.max_region_number = max_region_number

    def run(self, region: Any, center: Any, exclusion_mask: Any = None) -> tuple[list[Any], Any]:
        """Find off regions.

        Parameters
        ----------
        region : SkyRegion
            Region, of any shape but a point.
        center : SkyCoord
            Pointing.
        exclusion_mask : Map, optional
            Map of bool, false where no off region may be.

        Returns
        -------
        regions : list of SkyRegion
            Off regions; none if the pointing is in the region.
        wcs : WCS
            Image centred on the pointing.

        Raises
        ------
        InputError
            If the region is a point, or more than 60 deg from the pointing.
        """
        seen = TurnedRegion.create(region, center)
        return region_turned(region, center, self.angles(seen, exclusion_mask)), seen.pixels(self.binsz).wcs

    def angles(self, seen: TurnedRegion, exclusion_mask: Any = None) -> Floats:
        """Angles (rad, from north towards east) by which the region is turned, see `run`."""
        if seen.geom.is_all_point_sky_regions:
            msg = "ReflectedRegionsFinder does not work with PointSkyRegion. Use WobbleRegionsFinder instead."
            raise InputError(msg)
        if seen.is_round_pointing:
            return np.array([])
        extent = seen.extent(self.binsz)
        excluded = None if exclusion_mask is None else seen.excluded(exclusion_mask, self.binsz, extent)
        angle = extent.size + self.min_distance.rad + self.min_distance_input.rad
        last = 2 * np.pi - extent.size - self.min_distance_input.rad
        found: list[float] = []
        while angle < last and len(found) < self.max_region_number:
            if excluded is not None and seen.contains_turned(*excluded, np.array([angle]), extent).any():
                angle += self.angle_increment.rad
            else:
                found.append(angle)
                angle += extent.size + self.min_distance.rad
        return np.array(found)


class WobbleRegionsFinder(RegionsFinder):
    """A given number of off regions, evenly spread on the circle round the pointing; works for points as well.

    Parameters
    ----------
    n_off_regions : int
        Number of off regions.
    binsz : Angle or str
        Pixel in which angular sizes are measured and exclusion masks are looked at.

    Raises
    ------
    InputError
        If the number is not positive.

    Examples
    --------
    >>> from geminga.makers import WobbleRegionsFinder
    >>> print(WobbleRegionsFinder(3).n_off_regions)
    3
    """

    shown: ClassVar[tuple[str, ...]] = ("n_off_regions", "binsz")

    def __init__(self, n_off_regions: int, binsz: Any = 0.01 * u.deg) -> None:
        super().__init__(binsz=binsz)
        if n_off_regions < 1:
            msg = f"WobbleRegionsFinder: n_off_regions is {n_off_regions}, expected at least 1."
            raise InputError(msg)
        self.n_off_regions = int(n_off_regions)

    def run(self, region: Any, center: Any, exclusion_mask: Any = None) -> tuple[list[Any], Any]:
        """Find off regions.

        Parameters
        ----------
        region : SkyRegion
            Region.
        center : SkyCoord
            Pointing.
        exclusion_mask : Map, optional
            Map of bool, false where no off region may be.

        Returns
        -------
        regions : list of SkyRegion
            Off regions; none, with a warning, if they would overlap.
        wcs : WCS
            Image centred on the pointing.

        Raises
        ------
        InputError
            If the region is more than 60 deg from the pointing.
        """
        seen = TurnedRegion.create(region, center)
        return region_turned(region, center, self.angles(seen, exclusion_mask)), seen.pixels(self.binsz).wcs

    def angles(self, seen: TurnedRegion, exclusion_mask: Any = None) -> Floats:
        """Angles (rad, from north towards east) by which the region is turned, see `run`."""
        turns = np.linspace(0, 2 * np.pi, self.n_off_regions + 2)[1:-1]
        if seen.geom.is_all_point_sky_regions:
            return turns if exclusion_mask is None else turns[self._free_points(seen, turns, exclusion_mask)]
        extent = None if seen.is_round_pointing else seen.extent(self.binsz)
        if extent is None or turns[0] < extent.size:
            log.warning("Found overlapping off regions, returning no regions; ask for fewer than %d.", self.n_off_regions)
            return np.array([])
        if exclusion_mask is None:
            return turns
        excluded = seen.excluded(exclusion_mask, self.binsz, extent)
        return turns[~seen.contains_turned(*excluded, turns, extent).any(axis=1)]

    @staticmethod
    def _free_points(seen: TurnedRegion, turns: Floats, exclusion_mask: Any) -> NDArray[np.bool_]:
        points = region_turned(seen.geom.region, seen.center, turns)
        lonlat = np.array([[point.center.icrs.ra.deg, point.center.icrs.dec.deg] for point in points])
        return is_free(exclusion_mask, *lonlat.T)
