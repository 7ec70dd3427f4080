"""What the demo does with a dataset: start models, fit, compare with the truth, flux points, and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units as u

from geminga.errors import DataError, FitError

if TYPE_CHECKING:
    from geminga.datasets import MapDataset
    from geminga.estimators import FluxPoints
    from geminga.maps import Map
    from geminga.modeling import FitResult
    from geminga.modeling.models import Models

__all__ = [
    "default_models",
    "displaced_models",
    "fit_models",
    "flux_points",
    "parameter_table",
    "significance_map",
]

# Bands narrower than this many energy bins are joined to have a flux point each.
_BINS_PER_BAND = 2


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


def flux_points(dataset: MapDataset, name: str) -> FluxPoints:
    """Flux points of one source, with upper limits: two energy bins each, all else at the best fit.

    Parameters
    ----------
    dataset : MapDataset
        With fitted models.
    name : str
        Name of the source.
    """
    from geminga.estimators import FluxPointsEstimator

    edges = dataset.counts.geom.axes["energy"].edges
    picked = [*range(0, len(edges) - 1, _BINS_PER_BAND), len(edges) - 1]
    return FluxPointsEstimator(edges[picked], source=name, selection_optional=["ul"]).run(dataset)


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
        Image; NaN where no pixel is inside the mask.
    """
    from geminga.estimators import ExcessMapEstimator

    maps = ExcessMapEstimator(radius).run(dataset)
    return maps.sqrt_ts.get_image_by_idx((0,))
