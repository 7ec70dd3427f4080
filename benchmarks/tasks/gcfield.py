"""Models on the Galactic Centre field that several tasks share."""

from __future__ import annotations

from typing import Any

from taskkit import Package


def background_model(package: Package, dataset: Any) -> Any:
    """Background norm, one free parameter."""
    return package.models.FoVBackgroundModel(dataset_name=dataset.name)


def point_model(package: Package, scale: float = 1.0, name: str = "gc") -> Any:
    """Point source with a power law at the Galactic Centre, four free parameters."""
    models = package.models
    return models.SkyModel(
        spectral_model=models.PowerLawSpectralModel(index=2.3, amplitude=f"{3e-12 * scale} cm-2 s-1 TeV-1"),
        spatial_model=models.PointSpatialModel(lon_0="0 deg", lat_0="0 deg", frame="galactic"),
        name=name,
    )


def gauss_model(package: Package, lon: float, lat: float, sigma: float, scale: float = 1.0, name: str = "gc") -> Any:
    """Gaussian source with a power law, five free parameters."""
    models = package.models
    return models.SkyModel(
        spectral_model=models.PowerLawSpectralModel(index=2.3, amplitude=f"{3e-12 * scale} cm-2 s-1 TeV-1"),
        spatial_model=models.GaussianSpatialModel(lon_0=f"{lon} deg", lat_0=f"{lat} deg", sigma=f"{sigma} deg", frame="galactic"),
        name=name,
    )


def ellipse_model(package: Package, scale: float = 1.0) -> Any:
    """Elliptical Gaussian source with a power law, seven free parameters."""
    model = gauss_model(package, 0.0, 0.0, 0.3, scale)
    shape = model.spatial_model
    shape.e.value, shape.phi.value = 0.3, 10
    shape.e.frozen = shape.phi.frozen = False
    return model
