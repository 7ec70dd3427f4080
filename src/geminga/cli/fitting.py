"""What the demo does with a dataset: start models, fit, compare with the truth, fit bands, and look at residuals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import DataError, FitError

if TYPE_CHECKING:
    from geminga.datasets import MapDataset
    from geminga.maps import Map
    from geminga.modeling import FitResult
    from geminga.modeling.models import Models

__all__ = [
    "FluxPoint",
    "default_models",
    "displaced_models",
    "fit_bands",
    "fit_models",
    "parameter_table",
    "significance_map",
]

# Bands narrower than this many energy bins are joined to have a flux point each.
_BINS_PER_BAND = 2


@dataclass(frozen=True)
class FluxPoint:
    """Flux of one source in one band, as a norm relative to the fitted model."""

    energy_min: u.Quantity
    energy_max: u.Quantity
    norm: float
    error: float
    ts: float

    @property
    def energy(self) -> u.Quantity:
        """Geometric mean of the edges."""
        return np.sqrt(self.energy_min * self.energy_max)

    @property
    def is_upper_limit(self) -> bool:
        """Whether the source is seen with less than two sigma."""
        return self.ts < 4 or self.norm <= 0


def displaced_models(models: Models) -> Models:
    """Copy of the true models to start a fit from: off by 0.03 deg, by 0.2 in index and by 30 % in amplitude."""
    from geminga.modeling.models import Models

    shifts: dict[str, tuple[float, float]] = {
        "index": (1.0, 0.2),
        "amplitude": (0.7, 0.0),
        "lon_0": (1.0, 0.03),
        "lat_0": (1.0, -0.03),
        "sigma": (0.8, 0.0),
    }
    copies = [model.copy(name=model.name) for model in models]
    for parameter in (p for model in copies for p in model.parameters if not p.frozen):
        factor, shift = shifts.get(parameter.name, (1.0, 0.0))
        parameter.value = factor * parameter.value + shift
    return Models(copies)


def default_models(dataset: MapDataset) -> Models:
    """Point source at the brightest pixel of the smoothed excess, and the background norm.

    Raises
    ------
    DataError
        If the dataset has no counts.
    """
    from geminga.modeling.models import FoVBackgroundModel, Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

    if dataset.counts is None or not np.any(dataset.counts.frozen_data):
        msg = f"Dataset {dataset.name!r} has no counts, so there is nothing to fit; give a dataset with a COUNTS map."
        raise DataError(msg)
    background = [] if dataset.background is None else [FoVBackgroundModel(dataset_name=dataset.name)]
    excess = dataset.counts.copy() if dataset.background is None else dataset.excess
    if dataset.mask is not None:
        excess = excess * dataset.mask
    image = excess.sum_over_axes(keepdims=False).smooth("0.1 deg")
    row, column = np.unravel_index(np.nanargmax(image.frozen_data), image.frozen_data.shape)
    position = image.geom.pix_to_coord((column, row))
    spatial = PointSpatialModel(lon_0=position[0], lat_0=position[1], frame=image.geom.frame)
    source = SkyModel(spectral_model=PowerLawSpectralModel(index=2.3), spatial_model=spatial, name="source")
    source.spectral_model.amplitude.value = 1e-12
    return Models([source, *background])


def fit_models(dataset: MapDataset, models: Models) -> FitResult:
    """Set the models on the dataset and fit them.

    Raises
    ------
    FitError
        If the fit does not converge.
    """
    from geminga.modeling import Fit

    dataset.models = models
    result = Fit().run([dataset])
    if not result.success:
        msg = f"Fit of dataset {dataset.name!r} did not converge: {result.message} Try other start values with --models."
        raise FitError(msg)
    return result


def _show(value: float, error: float) -> str:
    """Number with the digits that its error warrants."""
    if not (error > 0 and value):
        return f"{value:.4g}"
    digits = max(int(np.ceil(np.log10(abs(value) / error))) + 1, 2)
    return f"{value:#.{digits}g}".rstrip(".")


def parameter_table(models: Models, truth: Models | None = None) -> str:
    """Fitted parameters with errors, and beside them the truth and the pull (fit - truth) / error."""
    head = f"{'parameter':20} {'unit':16}{'fit':>12}{'error':>10}"
    lines = [head if truth is None else f"{head}{'truth':>12}{'pull':>7}"]
    for model in models:
        for parameter in (p for p in model.parameters if not p.frozen):
            label = f"{model.name}.{parameter.name}"
            value, error = float(parameter.value), float(parameter.error)
            line = f"{label:20} {parameter.unit.to_string('fits'):16}{_show(value, error):>12}{error:>10.2g}"
            if truth is not None:
                true = truth[model.name].parameters[parameter.name].quantity.to_value(parameter.unit)
                pull = (value - true) / error if error > 0 else np.nan
                line += f"{_show(float(true), error):>12}{pull:>7.2f}"
            lines.append(line)
    return "\n".join(lines)


def energy_bands(edges: u.Quantity) -> list[tuple[u.Quantity, u.Quantity]]:
    """Neighbouring bins joined to bands."""
    picked = list(range(0, len(edges) - 1, _BINS_PER_BAND))
    return [(edges[i], edges[min(i + _BINS_PER_BAND, len(edges) - 1)]) for i in picked]


def fit_bands(dataset: MapDataset, name: str) -> Iterator[FluxPoint]:
    """Fit the amplitude of one source in bands of energy, all else at the best fit.

    Parameters
    ----------
    dataset : MapDataset
        With fitted models.
    name : str
        Name of the source.

    Yields
    ------
    FluxPoint
        One for each band in which the mask leaves a bin.
    """
    from geminga.modeling import Fit

    for low, high in energy_bands(dataset.counts.geom.axes["energy"].edges):
        band = dataset.slice_by_energy(low, high, name=dataset.name)
        if band.mask is not None and not band.mask.frozen_data.any():
            continue
        models = dataset.models.copy()
        models.freeze()
        amplitude = models[name].spectral_model.parameters["amplitude"]
        best = amplitude.value
        amplitude.frozen = False
        band.models = models
        result = Fit().run([band])
        fitted, error = amplitude.value, amplitude.error
        amplitude.value = 0.0
        ts = max(float(band.stat_sum()) - float(result.total_stat), 0.0)
        yield FluxPoint(low, high, norm=fitted / best, error=error / abs(best), ts=ts)


def significance_map(dataset: MapDataset, radius: u.Quantity) -> Map:
    """Significance of counts against prediction in a circle around each pixel, signed, in sigma.

    Parameters
    ----------
    dataset : MapDataset
        With counts and models.
    radius : Quantity
        Radius of the circle.

    Returns
    -------
    Map
        Image; NaN where nothing is predicted.

    Notes
    -----
    The square root of the likelihood ratio of the observed and the predicted counts (Cash 1979, ApJ 228, 939).
    """
    from geminga.maps import Map

    counts, npred = (
        (m if dataset.mask is None else m * dataset.mask).sum_over_axes(keepdims=False) for m in (dataset.counts, dataset.npred())
    )
    pixel = float(np.mean(np.abs(counts.geom.pixel_scales.to_value("deg"))))
    data = _significance(counts.frozen_data, npred.frozen_data, radius.to_value("deg") / pixel)
    return Map.from_geom(counts.geom, data=data)


def _significance(counts: NDArray[Any], npred: NDArray[Any], radius: float) -> NDArray[np.float64]:
    """Significance of the sums in a circle of `radius` pixels."""
    from scipy.signal import fftconvolve

    size = int(np.ceil(radius))
    y, x = np.mgrid[-size : size + 1, -size : size + 1]
    disk = (x**2 + y**2 <= radius**2).astype(float)
    n = np.rint(fftconvolve(counts.astype(float), disk, mode="same"))
    mu = fftconvolve(npred.astype(float), disk, mode="same")
    good = mu > 1e-6
    safe = np.where(good, mu, 1.0)
    log_term = np.where(n > 0, n * np.log(np.where(n > 0, n, 1.0) / safe), 0.0)
    ts = 2 * np.clip(log_term - (n - safe), 0, None)
    return np.where(good, np.sign(n - safe) * np.sqrt(ts), np.nan)
