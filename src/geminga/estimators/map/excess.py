"""Excess, significance and flux in a circle around every pixel."""

from __future__ import annotations

from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.estimators.base import Estimator, angle, band_axis, check_data, check_sigma, energy_groups
from geminga.estimators.exposure import estimate_exposure_reco_energy
from geminga.estimators.map.single_bins import cash_excess, wstat_excess
from geminga.estimators.points.norms import NormOptions
from geminga.flux import FluxMaps
from geminga.maps import Map
from geminga.modeling.models import PowerLawSpectralModel
from geminga.numerics.norm_map import Correlation

__all__ = ["ExcessMapEstimator"]

Array = NDArray[np.float64]

#: Sums below this fraction of the largest pixel are rounding of the Fourier transform.
NOISE = 1e-13


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
        circle = _Circle(kernel.frozen_data, mask.frozen_data)
        out = np.zeros(dataset._geom.data_shape)
        for e in range(len(out)):
            number = circle.number(slice(e, e + 1))
            np.divide(circle.total(reco.frozen_data, slice(e, e + 1)), number, out=out[e], where=number > 0.5)
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
        circle = _Circle(self.estimate_kernel(dataset).frozen_data, self.estimate_mask_default(dataset).frozen_data)
        expected, predicted = self._expected(dataset, reco_exposure), self._predicted(dataset)
        out: dict[str, Array] = {}
        for number, group in enumerate(groups):
            for name, image in self._band(dataset, group, circle, expected, predicted).items():
                # Filled band by band, so that a map is held once.
                out.setdefault(name, np.empty((len(groups), *image.shape)))[number] = image
        cube = dataset._geom.to_image().to_cube([band_axis(axis, groups)])
        meta = {"n_sigma": self.n_sigma, "n_sigma_ul": self.n_sigma_ul, "n_sigma_sensitivity": self.n_sigma_sensitivity}
        data = {name: Map.from_geom(cube, data=values) for name, values in out.items()}
        return FluxMaps(data, reference_model=self.spectral_model, meta=meta, gti=dataset.gti)

    def _expected(self, dataset: Any, reco_exposure: Any) -> Array | None:
        """Counts in each bin if all flux of the reference spectrum came from the pixel; None without exposure."""
        if reco_exposure is not None:
            axis = dataset._geom.axes["energy"]
            flux = self.spectral_model.integral(axis.edges_min, axis.edges_max)
            return np.asarray((reco_exposure.quantity * flux[:, None, None]).to_value(""))
        if dataset.exposure is None:
            return None
        return np.asarray(estimate_exposure_reco_energy(dataset, self.spectral_model, normalize=False).frozen_data)

    @staticmethod
    def _predicted(dataset: Any) -> Array | None:
        """What is expected without a further source, but for a background that was measured; None for nothing."""
        if dataset.stat_type != "wstat":
            return np.asarray(dataset.npred().frozen_data, dtype=float)
        return np.asarray(dataset.npred_signal().frozen_data, dtype=float) if dataset.models else None

    def _band(
        self, dataset: Any, group: slice, circle: _Circle, expected: Array | None, predicted: Array | None
    ) -> dict[str, Array]:
        """All images of one band. Fluxes are counts over those which the reference spectrum would give."""
        number = circle.number(group)
        pixels = number > 0.5
        counts = circle.total(dataset.counts.frozen_data, group)
        other = np.zeros_like(counts) if predicted is None else np.maximum(circle.total(predicted, group), 0.0)
        options = NormOptions(self.selection_optional, self.n_sigma, self.n_sigma_ul, self.n_sigma_sensitivity)
        background = other[pixels]
        if dataset.stat_type == "wstat":
            off, alpha = (values[pixels] for values in self._off(dataset, group, circle))
            found = wstat_excess(counts[pixels], background, off, alpha, options)
            background = background + off * alpha
        else:
            found = cash_excess(counts[pixels], background, options)
        if "norm_sensitivity" in found and self.apply_threshold_sensitivity:
            least = np.maximum(self.gamma_min_sensitivity, self.bkg_syst_fraction_sensitivity * background)
            found["norm_sensitivity"] = np.maximum(found["norm_sensitivity"], least)
        found |= {"counts": counts[pixels], "npred_excess": found["norm"], "npred": background + found["norm"]}
        if expected is not None:
            # A point source at the centre of the circle has the mean exposure of the circle, and all its counts inside.
            reference = circle.total(expected, group)[pixels] / number[pixels]
            factor = np.divide(1.0, reference, out=np.full_like(reference, np.nan), where=reference > 0)
            found |= {name: values * factor for name, values in found.items() if name.startswith("norm")}
        return {name: _image(values, pixels) for name, values in found.items()}

    def _off(self, dataset: Any, group: slice, circle: _Circle) -> tuple[Array, Array]:
        """Off counts and ratio of the acceptances around each pixel."""
        counts_off, acceptance, acceptance_off = (
            getattr(dataset, name).frozen_data for name in ("counts_off", "acceptance", "acceptance_off")
        )
        own = circle.total(acceptance, group)
        if not self.correlate_off:
            accepted = circle.inside_total(acceptance_off, group)
            alpha = np.divide(own, accepted, out=np.zeros_like(own), where=accepted > 0)
            return circle.inside_total(counts_off, group), alpha
        off = circle.total(counts_off, group)
        expected = circle.total(np.nan_to_num(dataset.background.frozen_data), group)
        accepted = circle.total(acceptance_off, group)
        ratio = np.divide(own, accepted, out=np.zeros_like(off), where=accepted > 0)
        return off, np.divide(expected, off, out=ratio, where=off > 0)


class _Circle:
    """Sums over the bins of a band and the circle around each pixel, of bins inside the mask."""

    def __init__(self, kernel: Array, inside: Any) -> None:
        self._inside = np.asarray(inside, dtype=bool)
        self._sum = Correlation(self._inside.shape[1:], kernel)
        self._numbers: dict[bytes, Array] = {}

    def inside_total(self, data: Any, group: slice) -> Array:
        """Sum over the energies of a band in each pixel."""
        inside = self._inside[group]
        image: Array = np.sum(data[group], axis=0, where=inside, dtype=float)
        return image

    def total(self, data: Any, group: slice) -> Array:
        """Sum over the energies of a band and over the circle."""
        image = self.inside_total(data, group)
        total = self._sum(image)
        if (np.rint(image) == image).all():
            return np.rint(total)  # whole numbers have whole sums
        return np.where(np.abs(total) < NOISE * np.abs(image).max(initial=0.0), 0.0, total)

    def number(self, group: slice) -> Array:
        """Pixels of the circle that have a bin inside the mask."""
        seen = self._inside[group].any(axis=0)
        key = np.packbits(seen).tobytes()
        if key not in self._numbers:
            self._numbers[key] = np.rint(self._sum(seen.astype(float)))
        return self._numbers[key]


def _image(values: Array, pixels: NDArray[np.bool_]) -> Array:
    """Image with the values at some pixels, NaN elsewhere."""
    out = np.full(pixels.shape, np.nan)
    out[pixels] = values
    return out
