"""Counts, exposure, background and responses of one observation as maps."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from astropy.table import Table

from geminga.datasets import MapDatasetMetaData
from geminga.errors import DataError, InputError
from geminga.irf.background.project import make_map_background_irf, needs_time
from geminga.irf.project import make_edisp_kernel_map, make_edisp_map, make_map_exposure_true_energy, make_psf_map
from geminga.makers.base import Maker
from geminga.makers.map_irfs import exposure_on, is_map, response_on
from geminga.maps import Map
from geminga.utils.metadata import ObsInfoMetaData, PointingInfoMetaData

__all__ = ["MapDatasetMaker"]

log = logging.getLogger(__name__)


class MapDatasetMaker(Maker):
    """Make maps of one observation.

    Parameters
    ----------
    selection : list of str, optional
        What to make, of ``counts``, ``exposure``, ``background``, ``psf`` and ``edisp``; all if not given.
    background_oversampling : int, optional
        Not needed, because the integral of the background over energy is exact; kept for scripts that give it.
    background_interp_missing_data : bool
        Fill gaps of the background rate (zeros and NaN) along energy by interpolation.
    background_pad_offset : bool
        Continue a radially symmetric background rate by one bin with the value of its last one.
    fov_rotation_step : Quantity
        Angle by which a field of view aligned with the horizon may turn before its background is evaluated again.

    Examples
    --------
    >>> from geminga.makers import MapDatasetMaker
    >>> print(MapDatasetMaker(selection=["counts"]))
    MapDatasetMaker
    ---------------
    <BLANKLINE>
      selection                      : {'counts'}
      background_interp_missing_data : True
      background_pad_offset          : True
      fov_rotation_step              : 1.0 deg
    <BLANKLINE>
    """

    tag: ClassVar[str] = "MapDatasetMaker"
    available_selection: ClassVar[list[str]] = ["counts", "exposure", "background", "psf", "edisp"]
    shown: ClassVar[tuple[str, ...]] = (
        "selection",
        "background_oversampling",
        "background_interp_missing_data",
        "background_pad_offset",
        "fov_rotation_step",
    )

    def __init__(
        self,
        selection: Any = None,
        background_oversampling: int | None = None,
        background_interp_missing_data: bool = True,
        background_pad_offset: bool = True,
        fov_rotation_step: Any = 1.0 * u.deg,
    ) -> None:
        self.selection = self._checked(selection)
        self.background_oversampling = background_oversampling
        self.background_interp_missing_data = background_interp_missing_data
        self.background_pad_offset = background_pad_offset
        self.fov_rotation_step = fov_rotation_step

    @classmethod
    def _checked(cls, selection: Any) -> set[str]:
        if selection is None:
            return set(cls.available_selection)
        if isinstance(selection, str) or not isinstance(selection, Iterable):
            msg = f"{cls.__name__}: selection is {selection!r}; expected a list of {', '.join(cls.available_selection)}."
            raise InputError(msg)
        unknown = set(selection) - set(cls.available_selection)
        if unknown:
            known = ", ".join(cls.available_selection)
            msg = f"{cls.__name__}: {unknown} is not a valid method of selection; choose from {known}."
            raise InputError(msg)
        return set(selection)

    # ---- parts -------------------------------------------------------------------------------

    @staticmethod
    def make_counts(geom: Any, observation: Any) -> Any:
        """Counts of the events.

        Parameters
        ----------
        geom : Geom
            Geometry with an axis ``energy``.
        observation : Observation
            Observation.
        """
        counts = Map.from_geom(geom, dtype="float32")
        counts.fill_events(observation.events)
        return counts

    @staticmethod
    def make_exposure(geom: Any, observation: Any, use_region_center: bool = True) -> Any:
        """Exposure, m2 s.

        Parameters
        ----------
        geom : Geom
            Geometry with an axis ``energy_true``.
        observation : Observation
            Observation.
        use_region_center : bool
            For a region: take the effective area at its centre, else the average over it.
        """
        aeff = needed(observation, "aeff")
        if is_map(aeff):
            return exposure_on(geom, aeff)
        return make_map_exposure_true_energy(
            pointing=pointing_of(observation),
            livetime=observation.observation_live_time_duration,
            aeff=aeff,
            geom=geom,
            use_region_center=use_region_center,
        )

    @staticmethod
    def make_exposure_irf(geom: Any, observation: Any, use_region_center: bool = True) -> Any:
        """Exposure on the geometry of a response, see `make_exposure`."""
        return MapDatasetMaker.make_exposure(geom, observation, use_region_center)

    def make_edisp(self, geom: Any, observation: Any) -> Any:
        """Energy dispersion in migration.

        Parameters
        ----------
        geom : Geom
            Geometry with the axes ``migra`` and ``energy_true``.
        observation : Observation
            Observation.
        """
        return self._edisp(geom, observation, "migra", make_edisp_map)

    def make_edisp_kernel(self, geom: Any, observation: Any) -> Any:
        """Energy dispersion as probabilities of bins of reconstructed energy.

        Parameters
        ----------
        geom : Geom
            Geometry with the axes ``energy`` and ``energy_true``.
        observation : Observation
            Observation.
        """
        return self._edisp(geom, observation, "energy", make_edisp_kernel_map)

    def _edisp(self, geom: Any, observation: Any, axis_name: str, make: Any) -> Any:
        edisp = needed(observation, "edisp")
        use_center = getattr(self, "use_region_center", True)
        exposure = self.make_exposure_irf(geom.squash(axis_name), observation, use_center)
        if is_map(edisp):
            return response_on(geom, edisp, exposure)
        return make(edisp, pointing_of(observation), geom, exposure, use_center)

    def make_psf(self, geom: Any, observation: Any) -> Any:
        """PSF.

        Parameters
        ----------
        geom : Geom
            Geometry with the axes ``rad`` and ``energy_true``, or ``energy`` for a PSF in reconstructed energy.
        observation : Observation
            Observation.

        Raises
        ------
        InputError
            If a PSF in reconstructed energy is asked for, and the observation has one in true energy.
        """
        psf = needed(observation, "psf")
        if "energy" in geom.axes.names:
            if not is_map(psf):
                msg = (
                    f"Observation {observation.obs_id}: a {type(psf).__name__} is in true energy; create the dataset with "
                    "reco_psf=False."
                )
                raise InputError(msg)
            return response_on(geom, psf, None)
        exposure = self.make_exposure_irf(geom.squash("rad"), observation)
        if is_map(psf):
            return response_on(geom, psf, exposure)
        return make_psf_map(psf, pointing_of(observation), geom, exposure)

    def make_background(self, geom: Any, observation: Any) -> Any:
        """Expected background counts.

        Parameters
        ----------
        geom : Geom
            Geometry with an axis ``energy``.
        observation : Observation
            Observation.
        """
        bkg = needed(observation, "bkg")
        if is_map(bkg):
            return bkg.interp_to_geom(geom, preserve_counts=True)
        moves = needs_time(observation.pointing, bkg)
        return make_map_background_irf(
            pointing=observation.pointing,
            ontime=observation.observation_time_duration,
            bkg=self._completed(bkg),
            geom=geom,
            time_start=observation.tstart if moves else None,
            fov_rotation_step=self.fov_rotation_step,
            oversampling=self.background_oversampling,
            use_region_center=getattr(self, "use_region_center", True),
            location=observation.observatory_earth_location if moves else None,
        )

    def _completed(self, bkg: Any) -> Any:
        """Background without gaps, continued beyond its last offset; the original stays as it is."""
        if (np.asarray(bkg.data) < 0).any():
            log.warning("The background rate is negative in %d bins; there is none there.", (np.asarray(bkg.data) < 0).sum())
        if self.background_pad_offset and bkg.has_offset_axis:
            bkg = bkg.pad((0, 1), mode="edge", axis_name="offset")
        if self.background_interp_missing_data and not (np.asarray(bkg.data) > 0).all():
            bkg = bkg.slice_by_idx({})
            bkg.interp_missing_data(axis_name="energy")
        return bkg

    @staticmethod
    def make_meta_table(observation: Any) -> Table:
        """Table with one row: telescope, identifier, mode and pointing.

        Parameters
        ----------
        observation : Observation
            Observation.
        """
        info, pointing = observation.obs_info, observation.pointing
        row = {
            "TELESCOP": getattr(info, "telescope", None) or "",
            "OBS_ID": observation.obs_id,
            "OBS_MODE": pointing.mode.name,
        }
        table = Table([row])
        fixed = pointing.fixed_icrs
        names = ("RA_PNT", "DEC_PNT") if fixed is not None else ("ALT_PNT", "AZ_PNT")
        place = (fixed.ra, fixed.dec) if fixed is not None else (pointing.fixed_altaz.alt, pointing.fixed_altaz.az)
        for name, value in zip(names, place, strict=True):
            table[name] = u.Quantity([value.deg], "deg")
        return table

    @staticmethod
    def _make_meta(observation: Any) -> MapDatasetMetaData:
        info = observation.obs_info or ObsInfoMetaData(obs_id=observation.obs_id)
        pointing = PointingInfoMetaData(radec_mean=observation.pointing.fixed_icrs)
        return MapDatasetMetaData(obs_info=[info], pointing=[pointing])

    # ---- all ---------------------------------------------------------------------------------

    def _parts(self, dataset: Any, observation: Any) -> dict[str, Any]:
        geoms = _on_shared_grids(dataset.geoms)
        parts: dict[str, Any] = {}
        if "counts" in self.selection:
            parts["counts"] = self.make_counts(geoms["geom"], observation)
        if "exposure" in self.selection:
            parts["exposure"] = self.make_exposure(geoms["geom_exposure"], observation)
        if "background" in self.selection:
            parts["background"] = self.make_background(geoms["geom"], observation)
        if "psf" in self.selection:
            parts["psf"] = self.make_psf(geoms["geom_psf"], observation)
        if "edisp" in self.selection:
            geom = geoms["geom_edisp"]
            make = self.make_edisp_kernel if "energy" in geom.axes.names else self.make_edisp
            parts["edisp"] = make(geom, observation)
        return parts

    def run(self, dataset: Any, observation: Any) -> Any:
        """Make the maps of an observation.

        If the whole geometry lies outside the field of view for which the effective area is given, so that the exposure is
        zero, the safe mask of the result is false everywhere, with a warning: nothing is then stacked or fitted.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with the geometries and the name; it is not changed.
        observation : Observation
            Observation.

        Returns
        -------
        dataset : MapDataset
            New dataset with what was selected, a safe mask that is true everywhere, and the models of `dataset`.

        Raises
        ------
        DataError
            If the observation lacks a response, or one is not a number where it is needed.
        """
        geom = dataset.geoms["geom"]
        parts = self._parts(dataset, observation)
        is_seen = "exposure" not in parts or bool((parts["exposure"].frozen_data > 0).any())
        if not is_seen:
            separation = pointing_of(observation).separation(geom.center_skydir)
            log.warning(
                "Observation %s: the exposure is zero, the centre of the geometry is %.2f deg from the pointing; "
                "the safe mask is false everywhere.",
                observation.obs_id,
                separation.deg,
            )
        parts["mask_safe"] = Map.from_geom(geom, data=np.full(geom.data_shape, is_seen), dtype=bool)
        return type(dataset)(
            name=dataset.name,
            models=dataset.models,
            gti=observation.gti,
            meta_table=self.make_meta_table(observation),
            meta=self._make_meta(observation),
            **parts,
        )


def _on_shared_grids(geoms: dict[str, Any]) -> dict[str, Any]:
    """Geometries of which those with equal pixels share one image, so that its coordinates are computed once."""
    images: list[Any] = []
    shared = {}
    for name, geom in geoms.items():
        image = geom.to_image()
        known = next((one for one in images if not geom.is_region and one == image), None)
        if known is None:
            images.append(image)
            shared[name] = geom
        else:
            shared[name] = known.to_cube(geom.axes)
    return shared


def needed(observation: Any, name: str) -> Any:
    """Response of an observation.

    Raises
    ------
    DataError
        If there is none.
    """
    irf = getattr(observation, name)
    if irf is None:
        has = ", ".join(observation.available_irfs) or "none"
        msg = f"Observation {observation.obs_id} has no {name} (it has: {has}); leave it out of the selection of the maker."
        raise DataError(msg)
    return irf


def pointing_of(observation: Any) -> Any:
    """Pointing on the sky, in the middle of the observation if it drifts."""
    fixed = observation.pointing.fixed_icrs
    return observation.get_pointing_icrs(observation.tmid) if fixed is None else fixed
