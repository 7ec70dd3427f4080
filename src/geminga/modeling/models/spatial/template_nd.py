"""Maps on a grid of parameters as a spatial model."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import InputError, UnsupportedError
from geminga.maps import Map, MapCoord
from geminga.modeling.models.coordinates import as_angle, as_energy
from geminga.modeling.models.derivative import Result, canonical_unit
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.models.table_axes import (
    GridFile,
    at_parameters,
    axis_parameters,
    pixel_on,
    scaled_table,
    values_scale,
)
from geminga.numerics.grid_table import along_last, bilinear
from geminga.utils.files import make_path

__all__ = ["TemplateNDSpatialModel"]


class TemplateNDSpatialModel(GridFile, SpatialModel):
    """Maps on a grid of parameters, interpolated; zero outside of the map.

    Each axis of the map other than the energy is a parameter, which starts in the middle of the axis and is bounded by it.

    Parameters
    ----------
    map : `~geminga.maps.WcsNDMap`
        Map with further axes, in sr-1; with the axis "energy_true" it depends on energy.
    interp_kwargs : dict, optional
        ``values_scale``: scale on which values are interpolated, "log" (default), "lin" or "sqrt".
    meta : dict, optional
        Meta data.
    filename : str, optional
        File of the map, for model files.
    copy_data : bool
        Copy the map.

    Raises
    ------
    InputError
        If it is not a map of the sky.
    DataError
        If a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy import units as u
    >>> from geminga.maps import MapAxis, WcsNDMap
    >>> from geminga.modeling.models import TemplateNDSpatialModel
    >>> width = MapAxis.from_nodes([1, 2], name="width", unit="deg")
    >>> map = WcsNDMap.create(npix=(3, 3), binsz=1, axes=[width], unit="sr-1")
    >>> map.data += np.array([1, 4])[:, None, None]
    >>> model = TemplateNDSpatialModel(map)
    >>> print(model.width.quantity, model(0 * u.deg, 0 * u.deg).round(6))
    1.5 deg 2.0 1 / sr
    """

    tag = ["TemplateNDSpatialModel", "templateND"]
    _dict_keys = frozenset({"type", "parameters", "frame", "filename", "unit"})
    _read_options: ClassVar[dict[str, Any]] = {"copy_data": False}

    def __init__(
        self, map: Any, interp_kwargs: Any = None, meta: Any = None, filename: Any = None, copy_data: bool = True
    ) -> None:
        if not isinstance(map, Map) or map.geom.is_region:
            msg = f"TemplateNDSpatialModel got {type(map).__name__}; expected a map of the sky with further axes."
            raise InputError(msg)
        if map.geom.is_hpx:
            msg = "TemplateNDSpatialModel: HEALPix maps are not offered; interpolate the map to a WcsGeom first."
            raise UnsupportedError(msg)
        self._map = map.copy() if copy_data else map
        self.meta = {} if meta is None else meta
        self.filename = None if filename is None else str(make_path(filename))
        self._scale = values_scale(interp_kwargs, "TemplateNDSpatialModel")
        energy = ["energy_true"] if "energy_true" in self._map.geom.axes.names else []
        self._axes, self._table = scaled_table(self._map, energy, self._scale, "TemplateNDSpatialModel")
        self.default_parameters = axis_parameters(self._axes)
        super().__init__(frame=self._map.geom.frame)

    @property
    def is_energy_dependent(self) -> bool:
        """Whether the map has an axis of energy."""
        return "energy_true" in self._map.geom.axes.names

    @property
    def _density_unit(self) -> u.UnitBase:
        return self._map.unit

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "none"."""
        return "none"

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Half of the diagonal of the map, deg."""
        width = np.ravel(self._map.geom.width.to_value("deg"))
        return float(np.hypot(*width[:2]) / 2)

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Two pixels of the map, deg."""
        return 2 * float(np.min(np.abs(self._map.geom.pixel_scales.to_value("deg"))))

    def _at_positions(self, lon: Array, lat: Array) -> Array:
        """Table at positions in deg, shape (*parameters[, n_energy], n); below the smallest value outside of the map."""
        coords = MapCoord.create({"lon": lon * u.deg, "lat": lat * u.deg}, frame=self.frame)
        x, y = (np.asarray(own, dtype=float) for own in self._map.geom.to_image().coord_to_pix(coords))
        return bilinear(self._table, x, y)

    def _inside(self, lon: Array, lat: Array) -> Any:
        coords = MapCoord.create({"lon": lon * u.deg, "lat": lat * u.deg}, frame=self.frame)
        return self._map.geom.to_image().contains(coords)

    def _values(self, lon: Array, lat: Array, energy: Array | None, values: Any) -> Result:
        """Value and gradient in the unit of the map, shapes ([n_energy,] n) and (n_par, [n_energy,] n)."""
        table = self._at_positions(lon, lat)
        shape: tuple[int, ...] = (len(lon),)
        if self.is_energy_dependent:
            axis = self._map.geom.axes["energy_true"]
            place, _ = pixel_on(axis, np.asarray(energy, dtype=float) * u.TeV.to(axis.unit))
            table = np.moveaxis(along_last(np.moveaxis(table, -2, -1), np.arange(axis.nbin, dtype=float), place), -1, -2)
            shape = (len(place), len(lon))
        value, gradient = at_parameters(table.reshape(*table.shape[: len(self._axes)], -1), self._axes, values, self._scale)
        outside = np.broadcast_to(~self._inside(lon, lat), shape).ravel()
        value, gradient = np.where(outside | (value < 0), 0, value), np.where(outside | (value < 0), 0, gradient)
        return value.reshape(shape), gradient.reshape(len(gradient), *shape)

    def evaluate(self, lon: Any, lat: Any, energy: Any = None, **kwargs: Any) -> u.Quantity:
        """Interpolate the map for values of the parameters.

        Raises
        ------
        InputError
            If the map depends on energy and none is given.
        """
        if self.is_energy_dependent and energy is None:
            msg = "TemplateNDSpatialModel depends on energy; give the energy to evaluate at."
            raise InputError(msg)
        lon, lat = (np.asarray(as_angle(own, "TemplateNDSpatialModel").to_value("deg"), dtype=float) for own in (lon, lat))
        given = {axis.name: u.Quantity(kwargs.get(axis.name, self.parameters[axis.name].quantity)) for axis in self._axes}
        values = [float(given[axis.name].to_value(axis.unit)) for axis in self._axes]
        if not self.is_energy_dependent:
            lon, lat = np.broadcast_arrays(lon, lat)
            value, _ = self._values(lon.ravel(), lat.ravel(), None, values)
            return u.Quantity(value.reshape(lon.shape), self._map.unit)
        own = np.asarray(as_energy(energy).to_value("TeV"), dtype=float)
        lon, lat, own = np.broadcast_arrays(lon, lat, own)
        energies, index = np.unique(own.ravel(), return_inverse=True)
        value, _ = self._values(lon.ravel(), lat.ravel(), energies, values)
        return u.Quantity(value[index, np.arange(lon.size)].reshape(lon.shape), self._map.unit)

    def density(self, lon: ArrayLike, lat: ArrayLike, values: ArrayLike, energy: ArrayLike | None = None) -> Result:
        """Density and its exact gradient; see `SpatialModel.density`."""
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        to_axis = np.array([par.unit.to(axis.unit) for par, axis in zip(self.parameters, self._axes, strict=True)])
        value, gradient = self._values(lon.ravel(), lat.ravel(), _floats(energy), np.asarray(values, dtype=float) * to_axis)
        factor = float(self._map.unit.to(canonical_unit(self._map.unit)))
        lead = value.shape[:-1]
        gradient = gradient * to_axis.reshape(-1, *(1,) * value.ndim) * factor
        return value.reshape(*lead, *lon.shape) * factor, gradient.reshape(len(gradient), *lead, *lon.shape)

    def to_region(self, **kwargs: Any) -> Any:
        """Outline of the map."""
        return self._map.geom.to_image().footprint_rectangle_sky_region


def _floats(energy: ArrayLike | None) -> Array | None:
    return None if energy is None else np.asarray(energy, dtype=float)
