"""Counts, exposure, background and energy dispersion of one observation in one region."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from geminga.errors import GeometryError
from geminga.makers.map import MapDatasetMaker, needed, pointing_of
from geminga.makers.map_irfs import is_map
from geminga.makers.rad_max import make_counts_rad_max, needed_rad_max

__all__ = ["SpectrumDatasetMaker"]


class SpectrumDatasetMaker(MapDatasetMaker):
    """Make the spectrum of one region of one observation.

    Parameters
    ----------
    selection : list of str, optional
        What to make, of ``counts``, ``background``, ``exposure`` and ``edisp``; all if not given.
    containment_correction : bool
        Multiply the exposure by the fraction of the PSF inside the region, a circle with the source at its centre.
    background_oversampling : int, optional
        Not needed, because the integral of the background over energy is exact; kept for scripts that give it.
    use_region_center : bool
        Take responses at the centre of the region, else averages over it.

    Examples
    --------
    >>> from geminga.makers import SpectrumDatasetMaker
    >>> sorted(SpectrumDatasetMaker().selection)
    ['background', 'counts', 'edisp', 'exposure']
    """

    tag: ClassVar[str] = "SpectrumDatasetMaker"
    available_selection: ClassVar[list[str]] = ["counts", "background", "exposure", "edisp"]
    shown: ClassVar[tuple[str, ...]] = (
        "selection",
        "containment_correction",
        "background_oversampling",
        "use_region_center",
    )

    def __init__(
        self,
        selection: Any = None,
        containment_correction: bool = False,
        background_oversampling: int | None = None,
        use_region_center: bool = True,
    ) -> None:
        super().__init__(selection=selection, background_oversampling=background_oversampling)
        self.containment_correction = containment_correction
        self.use_region_center = use_region_center

    @staticmethod
    def make_counts(geom: Any, observation: Any) -> Any:
        """Counts in the region; for a point, of a point-like analysis, those within the radius ``RAD_MAX``.

        Parameters
        ----------
        geom : RegionGeom
            Geometry with an axis ``energy``.
        observation : Observation
            Observation.

        Raises
        ------
        InputError
            If the region is a point and the observation has no radius.
        """
        if not geom.is_region or not geom.is_all_point_sky_regions:
            return MapDatasetMaker.make_counts(geom, observation)
        return make_counts_rad_max(geom, needed_rad_max(observation), observation.events)

    def make_exposure(self, geom: Any, observation: Any) -> Any:  # type: ignore[override]
        """Exposure, m2 s, times the fraction of the PSF inside the region if there is a containment correction.

        Parameters
        ----------
        geom : RegionGeom
            Geometry with an axis ``energy_true``.
        observation : Observation
            Observation.

        Raises
        ------
        GeometryError
            If the containment is to be corrected for and the region is not a circle.
        """
        exposure = MapDatasetMaker.make_exposure(geom, observation, self.use_region_center)
        if not self.containment_correction:
            return exposure
        radius = getattr(geom.region, "radius", None)
        if radius is None or not hasattr(geom.region, "center"):
            msg = f"SpectrumDatasetMaker: containment_correction needs a CircleSkyRegion, got a {type(geom.region).__name__}."
            raise GeometryError(msg)
        factor = _containment(needed(observation, "psf"), geom, observation, radius)
        exposure.data = exposure.frozen_data * factor.reshape(-1, 1, 1)
        return exposure


def _containment(psf: Any, geom: Any, observation: Any, radius: Any) -> Any:
    """Fraction of the PSF of a source at the centre of a circle inside it, for each true energy."""
    energy = geom.axes["energy_true"].center
    if is_map(psf):
        return np.asarray(psf.containment(radius, energy_true=energy, position=geom.center_skydir).value)
    offset = geom.separation(pointing_of(observation))
    return np.asarray(psf.containment(rad=radius, energy_true=energy, offset=offset).value)
