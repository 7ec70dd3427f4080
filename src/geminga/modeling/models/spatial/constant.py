"""Shapes without a shape: the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import UnsupportedError
from geminga.modeling.models.derivative import Result
from geminga.modeling.models.spatial import integrate
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.parameter import Parameter

__all__ = ["ConstantFluxSpatialModel", "ConstantSpatialModel"]


class ConstantSpatialModel(SpatialModel):
    """The same density everywhere.

    Parameters
    ----------
    value : Quantity
        Density, default 1 sr-1, frozen.
    """

    tag = ["ConstantSpatialModel", "const"]
    value = Parameter("value", "1 sr-1", frozen=True)

    frame = "icrs"
    evaluation_radius = None
    position = None

    @staticmethod
    def evaluate(lon: Any, lat: Any, value: Any) -> Any:
        """Evaluate the density."""
        return np.broadcast_to(value, np.broadcast_shapes(np.shape(lon), np.shape(lat)), subok=True)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "flat"."""
        return "flat"

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        shape = np.broadcast_shapes(np.shape(lon), np.shape(lat))
        return np.full(shape, float(values[0])), np.ones((1, *shape))

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Infinite: nothing to resolve."""
        return float("inf")

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        data = super().to_dict(full_output)["spatial"]
        if not full_output and self.value.quantity == 1 * u.Unit("sr-1"):
            data["parameters"] = []
        return {"spatial": {"type": data["type"], "parameters": data["parameters"]}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it; without parameters the value is 1 sr-1."""
        return super().from_dict(data, **kwargs) if cls._entry(data, kwargs).get("parameters") else cls(**kwargs)


class ConstantFluxSpatialModel(SpatialModel):
    """One in every pixel: the flux is that of the pixel, whatever its size."""

    tag = ["ConstantFluxSpatialModel", "const-flux"]
    _density_unit = u.Unit("sr-1")

    frame = "icrs"
    evaluation_radius = None
    position = None

    @staticmethod
    def evaluate(lon: Any, lat: Any) -> Any:
        """Not a function of the position alone.

        Raises
        ------
        UnsupportedError
            Always: the density depends on the pixel; use `evaluate_geom`.
        """
        msg = "ConstantFluxSpatialModel has no density at a position: it is one per pixel; use evaluate_geom or integrate_geom."
        raise UnsupportedError(msg)

    @staticmethod
    def evaluate_geom(geom: Any) -> Any:
        """One over the solid angle of each pixel."""
        return 1 / geom.to_image().solid_angle()

    @staticmethod
    def integrate_geom(geom: Any, oversampling_factor: int | None = None) -> Any:
        """Map of ones."""
        return integrate.ones(geom)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "flat"."""
        return "flat"

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Infinite: nothing to resolve."""
        return float("inf")

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        return {"spatial": {"type": self.tag[0], "parameters": []}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it."""
        cls._entry(data, kwargs)
        return cls()
