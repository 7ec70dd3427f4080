"""Fluxes in a row of regions: a profile across the sky."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.estimators.base import as_list
from geminga.estimators.points.sed import PER_DATASET, FluxPointsEstimator
from geminga.flux import FluxPoints
from geminga.maps import MapAxis
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from geminga.utils.threads import single_thread

__all__ = ["FluxProfileEstimator"]

Array = NDArray[np.float64]

#: Name of the source in each region.
SOURCE = "profile-source"


class FluxProfileEstimator(FluxPointsEstimator):
    """Flux of the counts in each of several regions.

    Each region becomes a spectrum; all that the datasets predict there, by their background and their models, is its
    background. All regions and bands of energy are solved in one batch.

    Parameters
    ----------
    regions : list of SkyRegion
        Regions, such as those of `geminga.utils.regions.make_orthogonal_rectangle_sky_regions`.
    spectral_model : SpectralModel, optional
        Spectrum of the fluxes; a power law of index 2 if not given.
    **kwargs
        Further options of `FluxPointsEstimator`.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.estimators import FluxProfileEstimator
    >>> from geminga.utils.regions import make_concentric_annulus_sky_regions
    >>> regions = make_concentric_annulus_sky_regions(SkyCoord(0, 0, unit="deg"), 0.6 * u.deg, nbin=4)
    >>> estimator = FluxProfileEstimator(regions, energy_edges=[1, 10] * u.TeV)
    >>> print(estimator.projected_distance_axis.center.round(2))
    [0.1 0.3 0.5] deg
    """

    tag = "FluxProfileEstimator"

    def __init__(self, regions: Any, spectral_model: Any = None, **kwargs: Any) -> None:
        self.regions = list(regions)
        if not self.regions:
            msg = "FluxProfileEstimator: regions are empty; give at least one region."
            raise InputError(msg)
        self.spectral_model = PowerLawSpectralModel() if spectral_model is None else spectral_model
        super().__init__(**kwargs)

    @property
    def config_parameters(self) -> dict[str, Any]:
        """Options by name, without the regions."""
        return {name: value for name, value in super().config_parameters.items() if name != "regions"}

    @property
    def projected_distance_axis(self) -> MapAxis:
        """Distance of each region from the first one, or for annuli from their centre (`MapAxis`, deg).

        Annuli which follow one another have their radii as edges.
        """
        if all(hasattr(region, "inner_radius") for region in self.regions):
            low = np.array([region.inner_radius.to_value("deg") for region in self.regions])
            high = np.array([region.outer_radius.to_value("deg") for region in self.regions])
            if np.allclose(low[1:], high[:-1], rtol=1e-6):
                return MapAxis.from_edges(np.append(low, high[-1]), unit="deg", name="projected-distance")
            return MapAxis.from_nodes(0.5 * (low + high), unit="deg", name="projected-distance")
        centers = [_center(region) for region in self.regions]
        distance = [centers[0].separation(center).to_value("deg") for center in centers]
        return MapAxis.from_nodes(distance, unit="deg", name="projected-distance")

    def get_scale_model(self, models: Any = None) -> Any:
        """Spectrum of the fluxes, fixed but for a norm."""
        source = SkyModel(self.spectral_model, name=SOURCE)
        return super().get_scale_model([source] if self.source in (0, SOURCE) else models)

    def run(self, datasets: Any) -> FluxPoints:  # type: ignore[override]
        """Estimate the profile.

        Parameters
        ----------
        datasets : Datasets, list of MapDataset or MapDataset
            Maps. They are not changed.

        Returns
        -------
        points : FluxPoints
            As of `FluxPointsEstimator.run`, with the axis ``projected-distance``. A region which is not wholly inside the field
            of any dataset, or partly masked, is a row of NaN; the reason is in ``meta["failures"]``.
        """
        items = as_list(datasets)
        source = SkyModel(self.spectral_model, name=SOURCE)
        spectra, place, owner, failures = self._spectra(items, source)
        axis = self._energy_axis(items)
        with single_thread():
            rows = self._estimate(spectra, source, axis, place, len(self.regions))
        for name in PER_DATASET:
            out = np.full((len(items), len(self.regions), axis.nbin), np.nan)
            for number, (which, where) in enumerate(zip(owner, place, strict=True)):
                out[which, where] = rows[name][number, where]
            rows[name] = out
        points = self._points(rows, None, [axis, self.projected_distance_axis], items, source)
        if failures:
            points.meta["failures"] = failures + points.meta.get("failures", [])
        return points

    def _spectra(self, items: list[Any], source: Any) -> tuple[list[Any], list[int], list[int], list[str]]:
        """Spectra of all regions, the numbers of their region and of their dataset, and what could not be made."""
        spectra: list[Any] = []
        place: list[int] = []
        owner: list[int] = []
        failures: list[str] = []
        for which, dataset in enumerate(items):
            predicted = _prediction(dataset)
            for where, region in enumerate(self.regions):
                try:
                    spectrum = dataset.to_spectrum_dataset(region, name=dataset.name)
                except GeometryError as error:
                    failures.append(f"region {where}: {error}")
                    continue
                spectrum.background = _inside(predicted, region, dataset) if predicted is not None else spectrum.background
                spectrum.models = [source]
                spectra.append(spectrum)
                place.append(where)
                owner.append(which)
        if not spectra:
            msg = f"FluxProfileEstimator: no region can be used. {failures[0]}"
            raise GeometryError(msg)
        return spectra, place, owner, failures


def _prediction(dataset: Any) -> Any:
    """All predicted counts (Map), ``None`` where the background is measured in an off region."""
    return None if dataset.stat_type == "wstat" else dataset.npred()


def _inside(predicted: Any, region: Any, dataset: Any) -> Any:
    """Predicted counts in a region, in its safe range."""
    weights = dataset.mask_safe
    return predicted.to_region_nd_map(region, func=np.sum, weights=weights)


def _center(region: Any) -> Any:
    """Centre of any region."""
    if getattr(region, "center", None) is not None:
        return region.center
    from geminga.maps import RegionGeom

    return RegionGeom.create(region).center_skydir
