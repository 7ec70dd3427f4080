"""A point source."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.modeling.models.spatial import integrate
from geminga.modeling.models.spatial.base import SpatialModel
from geminga.modeling.parameter import Parameter

__all__ = ["PointSpatialModel"]


class PointSpatialModel(SpatialModel):
    """Point source.

    On maps it is spread over the four nearest pixels, with bilinear weights.

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Position, default 0 deg.
    frame : {"icrs", "galactic"}
        Frame of the position.
    """

    tag = ["PointSpatialModel", "point"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)

    is_energy_dependent = False
    _density_unit = u.Unit("sr-1")
    evaluate_geom = integrate.evaluate_point
    integrate_geom = integrate.integrate_point

    @property
    def evaluation_radius(self) -> Any:
        """0 deg."""
        return 0 * u.deg

    @property
    def evaluation_bin_size_min(self) -> Any:
        """0 deg."""
        return 0 * u.deg

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "point"."""
        return "point"

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """0 deg."""
        return 0.0

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """0 deg."""
        return 0.0

    def _radial_shape(self, x: Any, values: Any, transform: bool) -> Any:
        if not transform:
            return super()._radial_shape(x, values, transform)
        return np.ones_like(x), {}

    def to_region(self, **kwargs: Any) -> Any:
        """Point region."""
        from regions import PointSkyRegion

        return PointSkyRegion(center=self.position, **kwargs)
