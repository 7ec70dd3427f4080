"""Several models merged into one template; the functions are methods of `DatasetModels`."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.modeling import registry

__all__ = ["to_template_sky_model", "to_template_spectral_model"]


def _energy_axis(geom: Any) -> Any:
    return geom.axes["energy_true"]


def _flux_density(model: Any, geom: Any) -> Any:
    """Differential flux of a model at the centres of the energy bins, integrated over each pixel."""
    axis = _energy_axis(geom)
    shape = [1] * len(geom.data_shape)
    shape[geom.axes.index_data(axis.name)] = -1
    value = model.spectral_model(axis.center).reshape(shape)
    if model.spatial_model is not None:
        value = value * model.spatial_model.integrate_geom(geom).quantity
    return value


def to_template_sky_model(models: Any, geom: Any, spectral_model: Any = None, name: str | None = None) -> Any:
    """One sky model with a template in place of the sky models.

    Parameters
    ----------
    geom : `Geom`
        Geometry of the template, with an axis "energy_true".
    spectral_model : `SpectralModel`, optional
        Factor on the template; `PowerLawNormSpectralModel` if not given.
    name : str, optional
        Name; random if not given.

    Returns
    -------
    model : `SkyModel`
        With the sum of the models, averaged over each pixel, at the centres of the energy bins.
    """
    from geminga.maps import Map

    total = Map.from_geom(geom, unit="cm-2 s-1 TeV-1 sr-1", dtype=float)
    data = np.zeros(geom.data_shape)
    for model in models.select(tag="sky-model"):
        data += (_flux_density(model, geom) / geom.to_image().solid_angle()).to_value(total.unit)
    total.data = data
    spatial = registry.SPATIAL_MODEL_REGISTRY.get_cls("template")(total, normalize=False)
    if spectral_model is None:
        spectral_model = registry.SPECTRAL_MODEL_REGISTRY.get_cls("pl-norm")()
    return registry.MODEL_REGISTRY.get_cls("sky-model")(spectral_model=spectral_model, spatial_model=spatial, name=name)


def to_template_spectral_model(models: Any, geom: Any, mask: Any = None) -> Any:
    """Spectrum of the sum of the sky models within a geometry.

    Parameters
    ----------
    geom : `Geom`
        Geometry with an axis "energy_true".
    mask : `Map` of bool, optional
        Pixels to count.

    Returns
    -------
    model : `TemplateSpectralModel`
        Differential flux at the centres of the energy bins.
    """
    from astropy import units as u

    axis = _energy_axis(geom)
    position = geom.axes.index_data(axis.name)
    others = tuple(number for number in range(len(geom.data_shape)) if number != position)
    values = np.zeros(axis.nbin) * u.Unit("cm-2 s-1 TeV-1")
    for model in models.select(tag="sky-model"):
        density = _flux_density(model, geom)
        if model.spatial_model is not None:
            density = np.broadcast_to(density, geom.data_shape, subok=True)
            density = (density if mask is None else density * mask.frozen_data).sum(axis=others)
        values = values + density.reshape(axis.nbin)
    return registry.SPECTRAL_MODEL_REGISTRY.get_cls("template")(energy=axis.center, values=values)
