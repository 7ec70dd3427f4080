"""Excess, significance and flux in a circle around every pixel."""

from __future__ import annotations

from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.estimators.base import Estimator, angle, band_axis, check_data, check_sigma, energy_groups
from geminga.estimators.exposure import estimate_exposure_reco_energy
from geminga.estimators.points.norms import NormOptions, estimate_norms, estimate_single_bins
from geminga.flux import FluxMaps
from geminga.maps import Map
from geminga.modeling.models import PowerLawSpectralModel
from geminga.numerics.binned_norm import BinnedProblem
from geminga.numerics.norm_map import correlate

__all__ = ["ExcessMapEstimator"]

Array = NDArray[np.float64]


class ExcessMapEstimator(Estimator):
    """Counts in a circle around every pixel, compared with the background expected there.

    With on/off data the background comes from the off counts (statistic W, Li & Ma 1983, ApJ 272, 317), otherwise from the
    prediction of the dataset (statistic of Cash 1979, ApJ 228, 939). All models of the dataset count as background.

    Parameters
    ----------
    correlation_radius : Quantity or str
        Radius of the circle.
    n_sigma, n_sigma_ul, n_sigma_sensitivity : float
        Standard deviations of errors, upper limits and sensitivity.
    selection_optional : list of str or "all", optional
        ``"errn-errp"``, ``"ul"``, ``"sensitivity"``.
    energy_edges : Quantity, optional
        Edges of the energy bands, rounded to those of the dataset; one band with all energies if not given.
    correlate_off : bool
        For on/off data, sum the off counts over the circle as well.
    spectral_model : SpectralModel, optional
        Spectrum of the fluxes; a power law of index 2 if not given.
    gamma_min_sensitivity, bkg_syst_fraction_sensitivity : float
        Least excess counts, and least fraction of the background, that the sensitivity may have.
    apply_threshold_sensitivity : bool
        Whether to apply these two.
    sum_over_energy_groups : bool
        Accepted for compatibility: counts of a band are always added.

    Examples
    --------
    >>> from geminga.estimators import ExcessMapEstimator
    >>> ExcessMapEstimator("0.2 deg").correlation_radius
    <Quantity 0.2 deg>
    """

    tag = "ExcessMapEstimator"
    _selection_all: ClassVar[tuple[str, ...]] = ("errn-errp", "ul", "sensitivity")

    def __init__(
        self,
        correlation_radius: Any = "0.1 deg",
        n_sigma: float = 1,
        n_sigma_ul: float = 2,
        selection_optional: Any = None,
        energy_edges: Any = None,
        correlate_off: bool = True,
        spectral_model: Any = None,
        n_sigma_sensitivity: float = 5,
        gamma_min_sensitivity: float = 10,
        bkg_syst_fraction_sensitivity: float = 0.05,
        apply_threshold_sensitivity: bool = False,
        sum_over_energy_groups: bool = False,
    ) -> None:
        self.correlation_radius = correlation_radius
        self.n_sigma = check_sigma("n_sigma", n_sigma)
        self.n_sigma_ul = check_sigma("n_sigma_ul", n_sigma_ul)
        self.n_sigma_sensitivity = check_sigma("n_sigma_sensitivity", n_sigma_sensitivity)
        self.selection_optional = selection_optional
        self.energy_edges = energy_edges
        self.correlate_off = correlate_off
        self.spectral_model = PowerLawSpectralModel() if spectral_model is None else spectral_model
        self.gamma_min_sensitivity = gamma_min_sensitivity
        self.bkg_syst_fraction_sensitivity = bkg_syst_fraction_sensitivity
        self.apply_threshold_sensitivity = apply_threshold_sensitivity
        self.sum_over_energy_groups = sum_over_energy_groups

    @property
    def correlation_radius(self) -> u.Quantity:
        """Radius of the circle."""
        return self._radius

    @correlation_radius.setter
    def correlation_radius(self, value: Any) -> None:
        self._radius = angle("correlation_radius", value)

    def estimate_kernel(self, dataset: Any) -> Any:
        """Pixels inside the circle (Map of zeros and ones, odd number of pixels).

        A radius below half a pixel is the pixel itself.
        """
        scale = float(dataset._geom.pixel_scales.to_value("deg").mean())
        radius = self.correlation_radius.to_value("deg") / scale
        half = int(np.floor(radius))
        y, x = np.mgrid[-half : half + 1, -half : half + 1]
        inside = (x**2 + y**2 <= radius**2).astype(float)
        geom = dataset._geom.to_image()
        own = type(geom).create(
            skydir=geom.center_skydir, binsz=geom.pixel_scales, npix=inside.shape[::-1], proj="TAN", frame=geom.frame
        )
        return Map.from_geom(own, data=inside)

    @staticmethod
    def estimate_mask_default(dataset: Any) -> Any:
        """The dataset's mask, or true everywhere (Map on the counts' geometry)."""
        if dataset.mask is not None:
            return dataset.mask
        return Map.from_geom(dataset._geom, data=np.ones(dataset._geom.data_shape, bool))

    def estimate_exposure_reco_energy(self, dataset: Any, kernel: Any = None, mask: Any = None, reco_exposure: Any = None) -> Any:
        """Mean exposure inside the circle at each energy (Map, cm2 s)."""
        kernel = self.estimate_kernel(dataset) if kernel is None else kernel
        mask = self.estimate_mask_default(dataset) if mask is None else mask
        reco = estimate_exposure_reco_energy(dataset, self.spectral_model) if reco_exposure is None else reco_exposure
        shape = kernel.frozen_data
        inside = np.asarray(mask.frozen_data, dtype=float)
        out = np.zeros(dataset._geom.data_shape)
        for e, (own, seen) in enumerate(zip(reco.frozen_data, inside, strict=True)):
            number = correlate(seen, shape)
            np.divide(correlate(own * seen, shape), number, out=out[e], where=number > 0.5)
        return Map.from_geom(dataset._geom, data=out, unit=reco.unit)

    def run(self, dataset: Any) -> FluxMaps:
        """Make the maps.

        Parameters
        ----------
        dataset : MapDataset or MapDatasetOnOff
            Reduced data.

        Returns
        -------
        maps : FluxMaps
            ``counts``, ``npred``, ``npred_excess``, ``norm``, ``norm_err``, ``ts``, ``sqrt_ts``, and what
            `selection_optional` asks for, with one bin for each energy band. ``npred`` is background and excess together, which
            are the counts. NaN where no pixel of the circle is inside the mask. Without exposure the norms are counts over one.

        Raises
        ------
        InputError
            For a dataset of another kind.
        DataError
            For data inside the mask that are not numbers.
        """
        if getattr(dataset, "counts", None) is None or dataset._geom.is_region:
            msg = f"ExcessMapEstimator: dataset {getattr(dataset, 'name', dataset)!r} has no map of counts; give a MapDataset."
            raise InputError(msg)
        return self._maps(dataset, energy_groups(dataset._geom.axes["energy"], self.energy_edges), None)

    def estimate_excess_map(self, dataset: Any, reco_exposure: Any = None) -> FluxMaps:
        """`FluxMaps` of a dataset in each of its energy bins.

        Parameters
        ----------
        dataset : MapDataset or MapDatasetOnOff
            Reduced data.
        reco_exposure : Map, optional
            Exposure on the geometry of the counts, in place of that of the dataset.
        """
        axis = dataset._geom.axes["energy"]
        return self._maps(dataset, energy_groups(axis, axis.edges), reco_exposure)

    def _maps(self, dataset: Any, groups: list[slice], reco_exposure: Any) -> FluxMaps:
        check_data([dataset])
        axis = dataset._geom.axes["energy"]
        kernel = self.estimate_kernel(dataset).frozen_data
        inside = np.asarray(self.estimate_mask_default(dataset).frozen_data)
        expected = None
        if reco_exposure is not None:
            flux = self.spectral_model.integral(axis.edges_min, axis.edges_max)
            expected = (reco_exposure.quantity * flux[:, None, None]).to_value("")
        elif dataset.exposure is not None:
            expected = estimate_exposure_reco_energy(dataset, self.spectral_model, normalize=False).frozen_data
        predicted = np.zeros(dataset._geom.data_shape)
        if dataset.stat_type != "wstat":
            predicted = np.asarray(dataset.npred().frozen_data, dtype=float)
        elif dataset.models:
            predicted = np.asarray(dataset.npred_signal().frozen_data, dtype=float)
        bands = []
        for group in groups:
            band = self._band(dataset, group, kernel, inside, predicted)
            bands.append(self._with_norms(band, expected, group, kernel, inside))
        cube = dataset._geom.to_image().to_cube([band_axis(axis, groups)])
        data = {name: Map.from_geom(cube, data=np.stack([band[name] for band in bands])) for name in bands[0]}
        meta = {"n_sigma": self.n_sigma, "n_sigma_ul": self.n_sigma_ul, "n_sigma_sensitivity": self.n_sigma_sensitivity}
        return FluxMaps(data, reference_model=self.spectral_model, meta=meta, gti=dataset.gti)

    def _band(self, dataset: Any, group: slice, kernel: Array, inside: NDArray[np.bool_], predicted: Array) -> dict[str, Array]:
        """Excess and its errors in counts, summed over the energies of a band."""

        def circle(data: Any) -> Array:
            return correlate(np.where(inside[group], data[group], 0.0).sum(axis=0), kernel)

        seen = correlate(inside[group].any(axis=0).astype(float), kernel) > 0.5
        counts = np.rint(circle(dataset.counts.frozen_data))
        other = np.maximum(circle(predicted), 0.0)
        off, alpha = np.full(counts.shape, np.nan), np.full(counts.shape, np.nan)
        if dataset.stat_type == "wstat":
            off, alpha = self._off(dataset, group, inside, circle)
            background = np.nan_to_num(off * alpha) + other
        else:
            background = other
        pixels = np.flatnonzero(seen)
        flat = [values.ravel()[pixels] for values in (counts, other, np.ones_like(counts), off, alpha)]
        options = NormOptions(
            self.selection_optional, self.n_sigma, self.n_sigma_ul, self.n_sigma_sensitivity, -np.inf, np.inf, np.ones(0)
        )
        if dataset.stat_type == "wstat":
            found = estimate_norms(BinnedProblem(len(pixels), np.arange(len(pixels)), *flat), options)
        else:
            found = estimate_single_bins(flat[0], flat[1], options)
        if "norm_sensitivity" in found and self.apply_threshold_sensitivity:
            least = np.maximum(self.gamma_min_sensitivity, self.bkg_syst_fraction_sensitivity * background.ravel()[pixels])
            found["norm_sensitivity"] = np.maximum(found["norm_sensitivity"], least)
        out = {"counts": np.where(seen, counts, np.nan)}
        for name, values in found.items():
            image = np.full(counts.shape, np.nan)
            image.ravel()[pixels] = values
            out[name] = image
        out["npred_excess"] = out["norm"].copy()
        out["npred"] = background + out["npred_excess"]
        return out

    def _off(self, dataset: Any, group: slice, inside: NDArray[np.bool_], circle: Any) -> tuple[Array, Array]:
        """Off counts and ratio of the acceptances around each pixel."""
        off_map, background = dataset.counts_off.frozen_data.astype(float), np.nan_to_num(dataset.background.frozen_data)
        if self.correlate_off:
            off = circle(off_map)
            expected = circle(background)
            alpha = np.divide(expected, off, out=np.zeros_like(off), where=off > 1e-6)
            empty = circle(dataset.acceptance.frozen_data), circle(dataset.acceptance_off.frozen_data)
            ratio = np.divide(*empty, out=np.zeros_like(off), where=empty[1] > 0)
            return np.rint(off), np.where(off > 0.5, alpha, ratio)
        off = np.where(inside[group], off_map[group], 0.0).sum(axis=0)
        accepted = np.where(inside[group], dataset.acceptance_off.frozen_data[group], 0.0).sum(axis=0)
        alpha = np.divide(circle(dataset.acceptance.frozen_data), accepted, out=np.zeros_like(off), where=accepted > 0)
        return off, alpha

    def _with_norms(
        self, band: dict[str, Array], expected: Array | None, group: slice, kernel: Array, inside: NDArray[np.bool_]
    ) -> dict[str, Array]:
        """Counts divided by those which the reference spectrum would give: all of the source's counts inside the circle."""
        if expected is None:
            return band
        seen = inside[group]
        # A point source at the centre of the circle has the mean exposure of the circle.
        total = correlate(np.where(seen, expected[group], 0.0).sum(axis=0), kernel)
        number = correlate(seen.any(axis=0).astype(float), kernel)
        reference = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            for name in [key for key in band if key.startswith("norm")]:
                band[name] = np.where(reference > 0, band[name] / reference, np.nan)
        return band
