"""Adaptive smoothing: each pixel on the smallest scale on which it is significant."""

from __future__ import annotations

from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.convolution import Gaussian2DKernel, Tophat2DKernel
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.estimators.base import Estimator, band_axis, check_data, energy_groups
from geminga.estimators.exposure import estimate_exposure_reco_energy
from geminga.maps import Map, Maps
from geminga.modeling.models import PowerLawSpectralModel
from geminga.numerics.norm_map import correlate
from geminga.stats import CashCountsStatistic

__all__ = ["ASmoothMapEstimator"]

Array = NDArray[np.float64]

METHODS = ("lima", "asmooth")


class ASmoothMapEstimator(Estimator):
    """Image smoothed on the smallest scale on which the counts around each pixel are significant.

    Parameters
    ----------
    scales : Quantity
        Sizes of the kernels (parameter of the kernel: standard deviation or radius), see `get_scales`.
    kernel : type
        Class of the kernel, of `astropy.convolution`.
    spectral_model : SpectralModel, optional
        Spectrum of the fluxes; a power law of index 2 if not given.
    method : {"lima", "asmooth"}
        Significance of the counts in the kernel above the background: that of the Cash statistic, or excess divided by the
        root of counts plus background.
    threshold : float
        Significance from which a scale is taken.
    energy_edges : Quantity, optional
        Edges of the energy bands, rounded to those of the dataset; all energies in one if not given.

    References
    ----------
    H. Ebeling, D. A. White, F. V. N. Rangarajan (2006), MNRAS 368, 65.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.estimators import ASmoothMapEstimator
    >>> scales = ASmoothMapEstimator.get_scales(3, factor=2) * 0.1 * u.deg
    >>> print(scales.round(4))
    [0.0188 0.0376 0.0752] deg
    """

    tag = "ASmoothMapEstimator"
    _selection_all: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        scales: Any = None,
        kernel: Any = Gaussian2DKernel,
        spectral_model: Any = None,
        method: str = "lima",
        threshold: float = 5,
        energy_edges: Any = None,
    ) -> None:
        if method not in METHODS:
            msg = f"ASmoothMapEstimator: method {method!r} is not known; expected 'lima' or 'asmooth'."
            raise NameLookupError(msg)
        self.scales = None if scales is None else u.Quantity(scales)
        self.kernel, self.method, self.threshold = kernel, method, threshold
        self.spectral_model = PowerLawSpectralModel() if spectral_model is None else spectral_model
        self.energy_edges = energy_edges

    def selection_all(self) -> None:
        """Nothing is optional."""

    @staticmethod
    def get_scales(n_scales: int, factor: float = np.float64(np.sqrt(2)), kernel: Any = Gaussian2DKernel) -> Array:
        """Sizes of kernels, each larger by a factor, in pixels.

        Parameters
        ----------
        n_scales : int
            Number of sizes.
        factor : float
            Ratio of successive sizes.
        kernel : type
            `Gaussian2DKernel` or `Tophat2DKernel`; the smallest one covers about one pixel.

        Returns
        -------
        scales : array
            Sizes.

        Raises
        ------
        InputError
            For another kernel.
        """
        areas = {Gaussian2DKernel: 9 * np.pi, Tophat2DKernel: np.pi}
        if kernel not in areas:
            msg = (
                f"ASmoothMapEstimator.get_scales: kernel {kernel!r}; expected Gaussian2DKernel or Tophat2DKernel, or give scales."
            )
            raise InputError(msg)
        return np.asarray(np.sqrt(1 / areas[kernel]) * float(factor) ** np.arange(n_scales))

    def get_kernels(self, pixel_scale: Any) -> list[Any]:
        """Kernels of all scales, their largest value one.

        Parameters
        ----------
        pixel_scale : Quantity
            Size of a pixel.
        """
        size = u.Quantity(pixel_scale).to_value("deg")
        kernels = [self.kernel(scale / size, mode="oversample") for scale in self._scales().to_value("deg")]
        for kernel in kernels:
            kernel.normalize("peak")
        return kernels

    def _scales(self) -> u.Quantity:
        if self.scales is None or not self.scales.size or not (self.scales.value > 0).all():
            msg = f"ASmoothMapEstimator: scales are {self.scales}; give positive angles, see get_scales."
            raise InputError(msg)
        return u.Quantity(np.sort(self.scales))

    def run(self, dataset: Any) -> Maps:
        """Smooth the counts.

        Parameters
        ----------
        dataset : MapDataset or MapDatasetOnOff
            Reduced data. Its background is what significance is measured against; its sources are part of the image.

        Returns
        -------
        maps : Maps
            ``counts`` and ``background`` per pixel, ``scale`` (deg), ``sqrt_ts``, and ``flux`` per pixel (cm-2 s-1) if there is
            exposure. Where no scale is significant, ``scale`` and ``sqrt_ts`` are NaN and the others are their mean over all
            such pixels.

        Raises
        ------
        InputError
            If there are no scales, or the dataset has no counts or background.
        DataError
            For data inside the mask that are not numbers.
        """
        check_data([dataset])
        axis = dataset._geom.axes["energy"]
        groups = energy_groups(axis, self.energy_edges)
        inside = np.ones(dataset._geom.data_shape, bool) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)
        parts = {"counts": _counts(dataset), "background": _background(dataset)}
        if dataset.exposure is not None:
            # Expected counts of the whole flux of the spectrum.
            signal = estimate_exposure_reco_energy(dataset, self.spectral_model, normalize=False)
            parts["signal"] = signal.frozen_data.astype(float)
        bands = [self._band(dataset, group, parts, inside) for group in groups]
        cube = dataset._geom.to_image().to_cube([band_axis(axis, groups)])
        units = {"scale": u.deg, "flux": u.Unit("cm-2 s-1")}
        data = {
            name: Map.from_geom(cube, data=np.stack([band[name] for band in bands]), unit=units.get(name, ""))
            for name in bands[0]
        }
        return Maps(**data)

    def estimate_maps(self, dataset: Any) -> Maps:
        """Maps of a dataset with all energies in one band; see `run`."""
        whole = self.copy()
        whole.energy_edges = None
        maps: Maps = whole.run(dataset)
        return maps

    def _band(self, dataset: Any, group: slice, parts: dict[str, Array], inside: NDArray[np.bool_]) -> dict[str, Array]:
        """Images of one band of energies."""
        seen = inside[group]
        image = {name: np.where(seen, parts[name][group], 0.0).sum(axis=0) for name in ("counts", "background")}
        pixels = np.asarray(seen.any(axis=0))
        size = dataset._geom.pixel_scales.mean()
        out = self._smoothed(image, pixels, self.get_kernels(size))
        if "signal" in parts:
            edges = dataset._geom.axes["energy"].edges[group.start : group.stop + 1]
            flux = self.spectral_model.integral(edges[0], edges[-1]).to_value("cm-2 s-1")
            expected = np.where(seen, parts["signal"][group], 0.0).sum(axis=0) / flux
            with np.errstate(divide="ignore", invalid="ignore"):
                out["flux"] = np.where(expected > 0, (out["counts"] - out["background"]) / expected, np.nan)
        return out

    def _smoothed(self, image: dict[str, Array], pixels: NDArray[np.bool_], kernels: list[Any]) -> dict[str, Array]:
        """Each pixel on its scale."""
        shape = pixels.shape
        out = {name: np.full(shape, np.nan) for name in ("counts", "background", "scale", "sqrt_ts")}
        left = pixels.copy()
        for scale, kernel in zip(self._scales().to_value("deg"), kernels, strict=True):
            if not left.any():
                break
            weights = np.asarray(kernel.array, dtype=float)
            counts, background = (np.maximum(correlate(image[name], weights), 0.0) for name in ("counts", "background"))
            root = self._significance(counts, background)
            # Pixels outside of the mask hold nothing: a mean is over those inside.
            area = correlate(pixels.astype(float), weights)
            chosen = left & (root >= self.threshold)
            values = (counts[chosen] / area[chosen], background[chosen] / area[chosen], scale, root[chosen])
            for name, value in zip(out, values, strict=True):
                out[name][chosen] = value
            left &= ~chosen
        for name in ("counts", "background"):
            out[name][left] = image[name][left].mean() if left.any() else np.nan
        return out

    def _significance(self, counts: Array, background: Array) -> Array:
        if self.method == "lima":
            return np.asarray(np.nan_to_num(CashCountsStatistic(counts, background).sqrt_ts))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num((counts - background) / np.sqrt(counts + background)))


def _counts(dataset: Any) -> Array:
    if getattr(dataset, "counts", None) is None or dataset._geom.is_region:
        msg = f"ASmoothMapEstimator: dataset {getattr(dataset, 'name', dataset)!r} has no map of counts; give a MapDataset."
        raise InputError(msg)
    return np.asarray(dataset.counts.frozen_data, dtype=float)


def _background(dataset: Any) -> Array:
    """Expected background, from the off counts where it is measured."""
    background = dataset.background
    if background is not None and dataset.stat_type != "wstat":
        background = dataset.npred_background()
    if background is None:
        msg = f"ASmoothMapEstimator: dataset {dataset.name!r} has no background; set dataset.background."
        raise InputError(msg)
    return np.asarray(np.nan_to_num(background.frozen_data.astype(float)))
