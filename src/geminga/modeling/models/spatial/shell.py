"""Projected spherical shells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geminga.modeling.models.derivative import Result
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.models.spatial.shapes import degrees, evaluate_shape, plain
from geminga.modeling.parameter import Parameter
from geminga.numerics import profiles, sky_shapes

__all__ = ["Shell2SpatialModel", "ShellSpatialModel"]


def _annulus(model: Any, inner: Any, outer: Any, size_factor: float, **kwargs: Any) -> Any:
    from regions import CircleAnnulusSkyRegion, CircleSkyRegion

    if inner <= 0 * inner.unit:
        return CircleSkyRegion(center=model.position, radius=outer * size_factor, **kwargs)
    return CircleAnnulusSkyRegion(
        center=model.position, inner_radius=inner * size_factor, outer_radius=outer * size_factor, **kwargs
    )


class ShellSpatialModel(SpatialModel):
    r"""Spherical shell of constant emissivity seen in projection, normalised to one.

    .. math:: \phi \propto \sqrt{R_o^2 - \theta^2} - \sqrt{R^2 - \theta^2}

    with each root zero beyond its radius.

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Centre, default 0 deg.
    radius : Quantity
        Inner radius, default 1 deg.
    width : Quantity
        Width, default 0.2 deg.
    frame : {"icrs", "galactic"}
        Frame of the centre.
    """

    tag = ["ShellSpatialModel", "shell"]
    _is_sharp = True
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)
    radius = Parameter("radius", "1 deg")
    width = Parameter("width", "0.2 deg")

    @property
    def evaluation_radius(self) -> Any:
        """Outer radius."""
        return self.radius.quantity + self.width.quantity

    @property
    def evaluation_bin_size_min(self) -> Any:
        """Width."""
        return self.width.quantity

    @staticmethod
    def evaluate(lon: Any, lat: Any, lon_0: Any, lat_0: Any, radius: Any, width: Any) -> Any:
        """Evaluate the density in sr-1."""
        return evaluate_shape(sky_shapes.shell, lon, lat, lon_0, lat_0, degrees(radius), degrees(width))

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "round"."""
        return "round"

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        return sky_shapes.density(sky_shapes.shell, lon, lat, *values.tolist())

    def _radial_shape(self, x: Array, values: Array, transform: bool) -> Any:
        value, rows = (profiles.shell_transform if transform else profiles.shell_profile)(x, float(values[2]), float(values[3]))
        return value, {"radius": rows[0], "width": rows[1]}

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Outer radius, deg."""
        values = self._at(values)
        return float(values[2] + max(values[3], 0.0))

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Width, deg."""
        values = self._at(values)
        return float(max(values[3], 0.01 * values[2]))

    def to_region(self, size_factor: float = 1.0, **kwargs: Any) -> Any:
        """Annulus scaled by `size_factor`; keyword arguments go to the region."""
        return _annulus(self, self.radius.quantity, self.evaluation_radius, size_factor, **kwargs)


class Shell2SpatialModel(SpatialModel):
    """Spherical shell seen in projection, given by its outer radius and relative width.

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Centre, default 0 deg.
    r_0 : Quantity
        Outer radius, default 1 deg.
    eta : float
        Width relative to the outer radius, between 0.02 and 1, default 0.2.
    frame : {"icrs", "galactic"}
        Frame of the centre.
    """

    tag = ["Shell2SpatialModel", "shell2"]
    _is_sharp = True
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)
    r_0 = Parameter("r_0", "1 deg")
    eta = Parameter("eta", 0.2, min=0.02, max=1)

    @property
    def evaluation_radius(self) -> Any:
        """Outer radius."""
        return self.r_0.quantity

    @property
    def r_in(self) -> Any:
        """Inner radius."""
        return (1 - self.eta.value) * self.r_0.quantity

    @property
    def evaluation_bin_size_min(self) -> Any:
        """Width."""
        return self.eta.value * self.r_0.quantity

    @staticmethod
    def evaluate(lon: Any, lat: Any, lon_0: Any, lat_0: Any, r_0: Any, eta: Any) -> Any:
        """Evaluate the density in sr-1."""
        outer, relative = degrees(r_0), plain(eta)
        return evaluate_shape(sky_shapes.shell, lon, lat, lon_0, lat_0, (1 - relative) * outer, relative * outer)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "round"."""
        return "round"

    @staticmethod
    def _chain(r_0: float, eta: float, by_radius: Array, by_width: Array) -> tuple[Array, Array]:
        """Derivatives with respect to r_0 and eta from those with respect to radius and width."""
        return (1 - eta) * by_radius + eta * by_width, r_0 * (by_width - by_radius)

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        lon_0, lat_0, r_0, eta = values.tolist()
        value, rows = sky_shapes.density(sky_shapes.shell, lon, lat, lon_0, lat_0, (1 - eta) * r_0, eta * r_0)
        return value, np.stack([rows[0], rows[1], *self._chain(r_0, eta, rows[2], rows[3])])

    def _radial_shape(self, x: Array, values: Array, transform: bool) -> Any:
        _, _, r_0, eta = values.tolist()
        value, rows = (profiles.shell_transform if transform else profiles.shell_profile)(x, (1 - eta) * r_0, eta * r_0)
        by_r_0, by_eta = self._chain(r_0, eta, rows[0], rows[1])
        return value, {"r_0": by_r_0, "eta": by_eta}

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Outer radius, deg."""
        return float(self._at(values)[2])

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Width, deg."""
        values = self._at(values)
        return float(values[2] * max(values[3], 0.01))

    def to_region(self, size_factor: float = 1.0, **kwargs: Any) -> Any:
        """Annulus scaled by `size_factor`; keyword arguments go to the region."""
        return _annulus(self, self.r_in, self.r_0.quantity, size_factor, **kwargs)
