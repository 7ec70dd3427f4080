"""Norms at nodes on the sky, interpolated between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import DataError, UnsupportedError
from geminga.maps import Map, MapCoord
from geminga.modeling.models.coordinates import as_angle
from geminga.modeling.models.derivative import Evaluator, Result, current_values
from geminga.modeling.models.node_norms import node_scale, norm_entries, norm_parameters, read_norms
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.models.spectral.template import read_column
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.numerics.scattered import node_weights_2d
from geminga.numerics.spectra_table import piecewise_norm

__all__ = ["PiecewiseNormSpatialModel"]


class PiecewiseNormSpatialModel(SpatialModel):
    """Factor given at nodes on the sky, interpolated by a smooth cubic in longitude and latitude.

    Beyond the convex hull of the nodes the value of its nearest point is taken.

    Parameters
    ----------
    coords : `~geminga.maps.MapCoord`
        Positions of the nodes, at least four.
    norms : list of `Parameter` or float, optional
        Norms, default 1.
    interp : {"lin", "log", "sqrt"}
        Scale on which norms are interpolated.
    **kwargs
        ``frame`` of the positions, default "icrs".

    Raises
    ------
    DataError
        If there are fewer than four nodes or they lie on a line, or the numbers of nodes and norms differ.
    UnsupportedError
        If the nodes have energies.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.maps import MapCoord
    >>> from geminga.modeling.models import PiecewiseNormSpatialModel
    >>> coords = MapCoord.create({"lon": [-1, -1, 1, 1, 0] * u.deg, "lat": [-1, 1, -1, 1, 0] * u.deg})
    >>> model = PiecewiseNormSpatialModel(coords, norms=[1, 2, 3, 4, 2])
    >>> print(model(0 * u.deg, 0 * u.deg).round(6))
    2.0
    """

    tag = ["PiecewiseNormSpatialModel", "piecewise-norm"]
    _dict_keys = frozenset({"type", "parameters", "frame", "lon", "lat", "interp"})
    _shared: ClassVar[frozenset[str]] = frozenset({"_coords"})

    def __init__(self, coords: Any, norms: Any = None, interp: str = "lin", **kwargs: Any) -> None:
        self._coords = coords if isinstance(coords, MapCoord) else MapCoord.create(coords)
        self._interp = interp
        self._forward = node_scale(interp, "PiecewiseNormSpatialModel")
        if any(name in {"energy", "energy_true"} for name in self._coords.axis_names):
            msg = "PiecewiseNormSpatialModel: nodes with energies are not offered; give lon and lat only."
            raise UnsupportedError(msg)
        nodes = self._nodes
        if len(nodes) < 4 or np.linalg.matrix_rank(nodes - nodes.mean(axis=0), tol=1e-9) < 2:
            msg = f"PiecewiseNormSpatialModel: {len(nodes)} nodes; expected at least 4 which do not lie on a line."
            raise DataError(msg)
        parameters = norm_parameters(norms, len(nodes), "PiecewiseNormSpatialModel")
        self.default_parameters = Parameters(par.copy() for par in parameters)
        super().__init__(**kwargs, **{par.name: par for par in parameters})

    @property
    def coords(self) -> Any:
        """Positions of the nodes."""
        return self._coords

    @property
    def norms(self) -> u.Quantity:
        """Norms at the nodes."""
        return u.Quantity(self.parameters.value)

    @property
    def is_energy_dependent(self) -> bool:
        """Whether the norms depend on energy: they do not."""
        return False

    @property
    def _nodes(self) -> Array:
        """Longitudes, wrapped around their mean direction, and latitudes in deg, shape (n, 2)."""
        lon, lat = (np.ravel(u.Quantity(own).to_value("deg")).astype(float) for own in (self._coords.lon, self._coords.lat))
        return np.stack([self._wrapped(lon, lon), lat], axis=1)

    @staticmethod
    def _wrapped(lon: Array, nodes: Array) -> Array:
        center = np.rad2deg(np.angle(np.exp(1j * np.deg2rad(nodes)).sum()))
        return np.asarray(center + (lon - center + 180) % 360 - 180)

    def _weights(self, lon: Array, lat: Array) -> Array:
        nodes = self._nodes
        lon, lat = np.broadcast_arrays(lon, lat)
        return node_weights_2d(nodes, np.stack([self._wrapped(np.ravel(lon), nodes[:, 0]), np.ravel(lat)], axis=1))

    def evaluate(self, lon: Any, lat: Any, energy: Any = None, **norms: Any) -> u.Quantity:
        """Interpolate given norms."""
        lon, lat = (np.asarray(as_angle(own, "PiecewiseNormSpatialModel").to_value("deg"), dtype=float) for own in (lon, lat))
        values = np.array([u.Quantity(norms.get(par.name, par.value)).to_value("") for par in self.parameters])
        value, _ = piecewise_norm(self._weights(lon, lat), self._forward, values)
        return u.Quantity(value.reshape(np.broadcast_shapes(lon.shape, lat.shape)), "")

    def density(self, lon: ArrayLike, lat: ArrayLike, values: ArrayLike, energy: ArrayLike | None = None) -> Result:
        """Factor at positions in deg, and its derivatives; see `SpatialModel.density`."""
        return self.density_evaluator(lon, lat)(values)

    def density_evaluator(self, lon: ArrayLike, lat: ArrayLike, energy: ArrayLike | None = None) -> Evaluator:
        """Prepare the evaluation at fixed positions; see `SpatialModel.density_evaluator`."""
        weights = self._weights(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return lambda values: piecewise_norm(weights, self._forward, np.asarray(values, dtype=float))

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "flat"."""
        return "flat"

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Infinite: pixels see the value at their centre."""
        return float("inf")

    def evaluate_geom(self, geom: Any) -> u.Quantity:
        """Factor at the pixel centres, shape of the image."""
        coords = geom.to_image().get_coord(frame=self.frame)
        value, _ = self.density(coords["lon"].to_value("deg"), coords["lat"].to_value("deg"), current_values(self.parameters))
        return u.Quantity(value.reshape(coords["lon"].shape), "")

    def integrate_geom(self, geom: Any, oversampling_factor: int | None = None) -> Any:
        """Factor at the pixel centres times the solid angle of the pixels."""
        image = geom.to_image()
        values = self.evaluate_geom(image) * image.solid_angle()
        return Map.from_geom(image, data=values.value, unit=values.unit)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        data = super().to_dict(full_output)
        entry = data["spatial"]
        entry["parameters"] = norm_entries(self.parameters, full_output)
        for name in ("lon", "lat"):
            own = u.Quantity(getattr(self._coords, name))
            entry[name] = {"data": np.ravel(own.value).tolist(), "unit": str(own.unit)}
        if self._interp != "lin":
            entry["interp"] = self._interp
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError, DataError
            If nodes are missing or do not fit.
        """
        entry = cls._entry(data, kwargs)
        lon, lat = (read_column(entry, name, cls.__name__) for name in ("lon", "lat"))
        frame = entry.get("frame", "icrs")
        norms = read_norms(entry, np.size(lon), cls.__name__)
        coords = MapCoord.create({"lon": lon, "lat": lat}, frame=frame)
        return cls(coords, norms=norms, interp=entry.get("interp", "lin"), frame=frame, **kwargs)

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; `coords` are needed."""
        return cls(norms=list(parameters), **kwargs)
