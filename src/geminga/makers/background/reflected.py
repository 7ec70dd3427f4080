"""Background from off regions at the same distance from the pointing."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, ClassVar

import numpy as np
from astropy import units as u

from geminga.datasets.products import label
from geminga.errors import DataError, GeometryError, InputError
from geminga.makers.background.measured import with_off_counts
from geminga.makers.background.regions import ReflectedRegionsFinder
from geminga.makers.background.turned import TurnedRegion
from geminga.makers.base import Maker
from geminga.makers.map import pointing_of
from geminga.makers.masks import uniform_mask
from geminga.makers.rad_max import make_counts_off_rad_max, needed_rad_max
from geminga.maps import RegionGeom, RegionNDMap
from geminga.utils.regions import as_region_list, region_turned, regions_to_compound_region

__all__ = ["ReflectedRegionsBackgroundMaker"]

log = logging.getLogger(__name__)


class ReflectedRegionsBackgroundMaker(Maker):
    """Count events in off regions: the region of the dataset turned about the pointing.

    Parameters
    ----------
    region_finder : RegionsFinder, optional
        How to find off regions; by default `ReflectedRegionsFinder`.
    exclusion_mask : Map, optional
        Map of bool, false where no off region may be.
    **kwargs
        Options of `ReflectedRegionsFinder`, instead of a finder.

    Raises
    ------
    InputError
        If there is a finder and options.

    Notes
    -----
    The acceptance is taken to be radially symmetric: it is 1 for the region and for each off region. Where there is no off region
    the safe mask is false everywhere, with a warning.

    Examples
    --------
    >>> from geminga.makers import ReflectedRegionsBackgroundMaker
    >>> ReflectedRegionsBackgroundMaker(min_distance="0.2 rad").region_finder.min_distance
    <Angle 0.2 rad>
    """

    tag: ClassVar[str] = "ReflectedRegionsBackgroundMaker"
    shown: ClassVar[tuple[str, ...]] = ("region_finder",)

    def __init__(self, region_finder: Any = None, exclusion_mask: Any = None, **kwargs: Any) -> None:
        if region_finder is not None and kwargs:
            msg = f"ReflectedRegionsBackgroundMaker got a region_finder and {sorted(kwargs)}; give the options to the finder."
            raise InputError(msg)
        self.exclusion_mask = exclusion_mask
        self.region_finder = ReflectedRegionsFinder(**kwargs) if region_finder is None else region_finder

    def make_counts_off(self, dataset: Any, observation: Any) -> tuple[Any, Any]:
        """Count events in the off regions.

        Parameters
        ----------
        dataset : SpectrumDataset
            Dataset with counts.
        observation : Observation
            Observation.

        Returns
        -------
        counts_off : RegionNDMap
            Off counts, all 0 if there is no off region.
        acceptance_off : RegionNDMap
            Number of off regions.

        Raises
        ------
        GeometryError
            If the counts are not those of a region.
        DataError
            If the regions of a point-like analysis overlap.
        """
        geom = dataset.counts.geom
        if not geom.is_region or geom.region is None:
            msg = f"{type(self).__name__}: counts of {label(dataset)} are not those of a region; expected a SpectrumDataset."
            raise GeometryError(msg)
        seen = TurnedRegion.create(geom, pointing_of(observation))
        geom_off, number, turns = self._regions(seen)
        acceptance_off = RegionNDMap.from_geom(geom, data=np.full(geom.data_shape, float(number)))
        if number == 0:
            return RegionNDMap.from_geom(geom), acceptance_off
        if geom.is_all_point_sky_regions:
            return _counts_round_points(geom, geom_off, observation), acceptance_off
        if turns is None:
            counts_off = RegionNDMap.from_geom(geom_off)
            counts_off.fill_events(observation.events)
            return counts_off, acceptance_off
        return _counts_turned(seen, turns, self.region_finder.binsz, geom_off, observation.events), acceptance_off

    def _regions(self, seen: TurnedRegion) -> tuple[Any, int, Any]:
        """Geometry of the off regions, their number, and by what they are turned, where the finder says so."""
        finder, axes = self.region_finder, seen.geom.axes
        if not hasattr(finder, "angles"):
            regions, wcs = finder.run(region=seen.geom.region, center=seen.center, exclusion_mask=self.exclusion_mask)
            return RegionGeom.from_regions(regions, axes=axes, wcs=wcs) if regions else None, len(regions), None
        turns = finder.angles(seen, self.exclusion_mask)
        if len(turns) == 0:
            return None, 0, turns
        # To make a dozen regions takes longer than to count, and not many look at them.
        make = partial(_union_turned, seen.geom.region, seen.center, turns)
        return RegionGeom.deferred(make, axes=axes, wcs=seen.pixels(finder.binsz).wcs), len(turns), turns

    def run(self, dataset: Any, observation: Any) -> Any:
        """Make an on/off dataset.

        Parameters
        ----------
        dataset : SpectrumDataset
            Dataset with counts; it is not changed.
        observation : Observation
            Observation.

        Returns
        -------
        dataset : SpectrumDatasetOnOff
            With off counts, acceptance 1 and the number of off regions as off acceptance.
        """
        counts_off, acceptance_off = self.make_counts_off(dataset, observation)
        new = with_off_counts(dataset, counts_off, 1.0, acceptance_off)
        if not acceptance_off.frozen_data.any():
            log.warning(
                "ReflectedRegionsBackgroundMaker: no off region found outside the exclusion mask for %s; its safe mask is false.",
                label(dataset),
            )
            new.mask_safe = uniform_mask(dataset.counts.geom, False)
        return new


def _union_turned(region: Any, center: Any, turns: Any) -> Any:
    return regions_to_compound_region(region_turned(region, center, turns))


def _counts_turned(seen: TurnedRegion, turns: Any, binsz: Any, geom_off: Any, events: Any) -> RegionNDMap:
    """Counts of events which are in any of the turned regions: those that turned back are in the region."""
    inside = seen.is_in_turned(events.numbers("RA"), events.numbers("DEC"), turns, seen.extent(binsz))
    everywhere = RegionNDMap.from_geom(RegionGeom.create(None, axes=geom_off.axes))
    everywhere.fill_events(events.select_mask(inside))
    return RegionNDMap.from_geom(geom_off, data=everywhere.frozen_data.copy())


def _counts_round_points(geom: Any, geom_off: Any, observation: Any) -> RegionNDMap:
    """Counts within RAD_MAX round points.

    Raises
    ------
    InputError
        If there is no RAD_MAX.
    DataError
        If circles overlap.
    """
    rad_max = needed_rad_max(observation)
    offset = geom.region.center.separation(pointing_of(observation))
    energy = geom.axes["energy"].center
    radius = rad_max.evaluate(method="nearest", energy=energy, offset=u.Quantity(offset)).to_value("deg").max()
    centers = [geom.region.center.icrs, *(region.center.icrs for region in as_region_list(geom_off.region))]
    closest = min(a.separation(b).deg for i, a in enumerate(centers) for b in centers[:i])
    if closest < 2 * radius:
        msg = (
            f"Observation {observation.obs_id}: on and off regions of radius {radius:.3f} deg are {closest:.3f} deg apart and "
            "overlap; ask for fewer off regions."
        )
        raise DataError(msg)
    return make_counts_off_rad_max(geom_off, rad_max, observation.events)
