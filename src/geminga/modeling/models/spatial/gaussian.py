"""Gaussians: round or elliptical, and with another exponent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geminga.modeling.models.derivative import Result
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.models.spatial.shapes import degrees, ellipse_region, evaluate_shape, plain, round_shape
from geminga.modeling.parameter import Parameter
from geminga.numerics import profiles, sky_shapes

__all__ = ["GaussianSpatialModel", "GeneralizedGaussianSpatialModel"]


class GaussianSpatialModel(SpatialModel):
    r"""Gaussian on the sphere, normalised to one.

    .. math:: \phi \propto \exp(-\frac{1 - \cos\theta}{2 (1 - \cos\sigma)})

    With an eccentricity, sigma is the one along the major axis; in other directions the radius of the ellipse takes its place.

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Centre, default 0 deg.
    sigma : Quantity
        Width, default 1 deg.
    e : float
        Eccentricity, default 0, frozen.
    phi : Quantity
        Position angle of the major axis from north through east, default 0 deg, frozen.
    frame : {"icrs", "galactic"}
        Frame of the centre.
    """

    tag = ["GaussianSpatialModel", "gauss"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)
    sigma = Parameter("sigma", "1 deg", min=0)
    e = Parameter("e", 0.0, min=0, max=1, frozen=True)
    phi = Parameter("phi", "0 deg", min=-180, max=180, frozen=True)

    @property
    def evaluation_radius(self) -> Any:
        """Five times sigma."""
        return 5 * self.sigma.quantity

    @property
    def evaluation_bin_size_min(self) -> Any:
        """A third of sigma."""
        return self.sigma.quantity / 3.0

    @staticmethod
    def evaluate(lon: Any, lat: Any, lon_0: Any, lat_0: Any, sigma: Any, e: Any, phi: Any) -> Any:
        """Evaluate the density in sr-1."""
        sizes = degrees(sigma), plain(e)
        if sizes[1] == 0:
            return evaluate_shape(round_shape(sky_shapes.gauss), lon, lat, lon_0, lat_0, *sizes)
        return evaluate_shape(sky_shapes.gauss, lon, lat, lon_0, lat_0, *sizes, phi=phi)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "round" if e is frozen at 0, else "none"."""
        return "round" if self._at(values)[3] == 0 and self.e.frozen else "none"

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        lon_0, lat_0, sigma, e, phi = values.tolist()
        if e == 0:
            value, gradient = sky_shapes.density(round_shape(sky_shapes.gauss), lon, lat, lon_0, lat_0, sigma, e)
            return value, np.concatenate([gradient, np.zeros((1, *value.shape))])
        return sky_shapes.density(sky_shapes.gauss, lon, lat, lon_0, lat_0, sigma, e, phi=phi)

    def _radial_shape(self, x: Array, values: Array, transform: bool) -> Any:
        value, rows = (profiles.gauss_transform if transform else profiles.gauss_profile)(x, float(values[2]))
        return value, {"sigma": rows[0]}

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Five times sigma, deg."""
        return 5.0 * float(self._at(values)[2])

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Width along the minor axis, deg."""
        _, _, sigma, e, _ = self._at(values)
        return float(sigma * np.sqrt(max(1 - e * e, 1e-6)))

    def to_region(self, size_factor: float = 1.0, **kwargs: Any) -> Any:
        """Ellipse with the semi-major axis sigma times `size_factor`; keyword arguments go to the region."""
        return ellipse_region(self, self.sigma.quantity, size_factor, **kwargs)

    @property
    def evaluation_region(self) -> Any:
        """Ellipse of five sigma."""
        return self.to_region(size_factor=5.0)


class GeneralizedGaussianSpatialModel(SpatialModel):
    r"""Generalised Gaussian.

    .. math:: \phi \propto \exp(-(\theta / r)^{1 / \eta})

    Shape 0.5 is a Gaussian, 1 an exponential, towards 0 a disk.

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Centre, default 0 deg.
    r_0 : Quantity
        Radius, default 1 deg.
    eta : float
        Shape between 0.01 and 1, default 0.5.
    e : float
        Eccentricity, default 0, frozen.
    phi : Quantity
        Position angle of the major axis from north through east, default 0 deg, frozen.
    frame : {"icrs", "galactic"}
        Frame of the centre.
    """

    tag = ["GeneralizedGaussianSpatialModel", "gauss-general"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)
    r_0 = Parameter("r_0", "1 deg")
    eta = Parameter("eta", 0.5, min=0.01, max=1.0)
    e = Parameter("e", 0.0, min=0.0, max=1.0, frozen=True)
    phi = Parameter("phi", "0 deg", min=-180, max=180, frozen=True)

    @property
    def evaluation_radius(self) -> Any:
        """``r_0 (1 + 8 eta)``."""
        return self.r_0.quantity * (1 + 8 * self.eta.value)

    @property
    def evaluation_bin_size_min(self) -> Any:
        """``r_0 / (3 + 8 eta) / (e + 1)``."""
        return self.r_0.quantity / (3 + 8 * self.eta.value) / (self.e.value + 1)

    @staticmethod
    def evaluate(lon: Any, lat: Any, lon_0: Any, lat_0: Any, r_0: Any, eta: Any, e: Any, phi: Any) -> Any:
        """Evaluate the density in sr-1."""
        sizes = degrees(r_0), plain(eta), plain(e)
        if sizes[2] == 0:
            return evaluate_shape(round_shape(sky_shapes.gauss_general), lon, lat, lon_0, lat_0, *sizes)
        return evaluate_shape(sky_shapes.gauss_general, lon, lat, lon_0, lat_0, *sizes, phi=phi)

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        lon_0, lat_0, r_0, eta, e, phi = values.tolist()
        if e == 0:
            value, gradient = sky_shapes.density(round_shape(sky_shapes.gauss_general), lon, lat, lon_0, lat_0, r_0, eta, e)
            return value, np.concatenate([gradient, np.zeros((1, *value.shape))])
        return sky_shapes.density(sky_shapes.gauss_general, lon, lat, lon_0, lat_0, r_0, eta, e, phi=phi)

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """``r_0 (1 + 8 eta)``, deg."""
        _, _, r_0, eta, _, _ = self._at(values)
        return float(r_0 * (1 + 8 * eta))

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Smallest length to resolve, deg: small for peaked shapes."""
        _, _, r_0, eta, e, _ = self._at(values)
        return float(r_0 * np.sqrt(max(1 - e * e, 1e-6)) / (1 + 4 * abs(eta - 0.5)))

    def to_region(self, size_factor: float = 1.0, **kwargs: Any) -> Any:
        """Ellipse with the semi-major axis r_0 times `size_factor`; keyword arguments go to the region."""
        return ellipse_region(self, self.r_0.quantity, size_factor, **kwargs)

    @property
    def evaluation_region(self) -> Any:
        """Ellipse with the evaluation radius."""
        return self.to_region(size_factor=1 + 8 * self.eta.value)
