"""A map as a spatial model."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import FileError, InputError
from geminga.maps import Map
from geminga.modeling.models.base import build_parameters
from geminga.modeling.models.spatial.base import SpatialModel
from geminga.modeling.models.spatial.plot import plot_map
from geminga.modeling.models.table_axes import read_map
from geminga.modeling.parameter import Parameter
from geminga.numerics.sphere import lonlat, rotate, unit_vector
from geminga.utils.files import make_path, reading

__all__ = ["TemplateSpatialModel"]

log = logging.getLogger(__name__)


class TemplateSpatialModel(SpatialModel):
    """Map as a spatial model, interpolated between its pixels; zero outside.

    Parameters
    ----------
    map : Map
        Map in sr-1 (or with energy axis and any unit); without a unit sr-1 is assumed.
    meta : dict, optional
        Meta data.
    normalize : bool
        Divide each image by its integral.
    interp_kwargs : dict, optional
        Arguments of `Map.interp_by_coord`.
    filename : str, optional
        File of the map, for model files.
    copy_data : bool
        Copy the map.
    **kwargs
        ``lon_0``, ``lat_0`` move the centre of the map on the sphere; by default it stays where it is.

    Raises
    ------
    InputError
        If the map has no positive value to normalise by.
    """

    tag = ["TemplateSpatialModel", "template"]
    lon_0 = Parameter("lon_0", 0.0, unit="deg", frozen=True)
    lat_0 = Parameter("lat_0", 0.0, unit="deg", min=-90, max=90, frozen=True)
    _dict_keys = frozenset({"type", "parameters", "frame", "filename", "normalize", "unit"})
    _shared = frozenset({"_map"})

    def __init__(
        self,
        map: Any,
        meta: dict[str, Any] | None = None,
        normalize: bool = True,
        interp_kwargs: dict[str, Any] | None = None,
        filename: Any = None,
        copy_data: bool = True,
        **kwargs: Any,
    ) -> None:
        if not isinstance(map, Map):
            msg = f"TemplateSpatialModel got {type(map).__name__}; expected a Map (TemplateSpatialModel.read reads a file)."
            raise InputError(msg)
        if filename is not None:
            filename = str(make_path(filename))
        own = map.copy() if copy_data else map
        if (own.frozen_data < 0).any():
            log.warning("Template map has negative values; they are set to zero.")
        if not np.isfinite(own.frozen_data).all():
            log.warning("Template map has values which are NaN or infinite; they are set to zero.")
        values = np.clip(np.nan_to_num(own.frozen_data.astype(float), posinf=0.0), 0, None)
        unit = own.unit
        if unit == u.dimensionless_unscaled:
            log.warning("Template map has no unit; sr-1 is assumed.")
            unit = u.Unit("sr-1")
        if normalize:
            values, unit = _normalized(values, own.geom), u.Unit("sr-1")
        self._map = Map.from_geom(own.geom, data=values, unit=unit, meta=own.meta)
        self.meta = meta or {}
        self.normalize = normalize
        self.filename = filename
        self._interp = {"method": "linear", "fill_value": 0, **(interp_kwargs or {})}
        geom = own.geom
        kwargs["frame"] = geom.frame
        center = geom.center_skydir.transform_to(geom.frame).spherical
        kwargs.setdefault("lon_0", u.Quantity(center.lon).to("deg"))
        kwargs.setdefault("lat_0", u.Quantity(center.lat).to("deg"))
        self._origin = (float(center.lon.deg), float(center.lat.deg))
        super().__init__(**kwargs)

    @property
    def map(self) -> Any:
        """The map, clipped and normalised."""
        return self._map

    @property
    def map_center(self) -> Any:
        """Centre of the map."""
        return self._map.geom.center_skydir

    @property
    def is_energy_dependent(self) -> bool:
        """Has the map more than one energy."""
        return any(axis.name in {"energy", "energy_true"} and axis.nbin > 1 for axis in self._map.geom.axes)

    @property
    def evaluation_radius(self) -> Any:
        """Half of the largest side of the map."""
        return np.max(self._map.geom.width) / 2.0

    @property
    def _density_unit(self) -> u.UnitBase:
        return self._map.unit

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "none"."""
        return "none"

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Half of the diagonal of the map, deg."""
        width = np.ravel(self._map.geom.width.to_value("deg"))
        return float(np.hypot(np.max(width), np.max(width)) / 2)

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Two pixels of the map, deg."""
        return 2 * float(np.min(np.abs(self._map.geom.pixel_scales.to_value("deg"))))

    def _moved(self, lon: Any, lat: Any, lon_0: float, lat_0: float) -> tuple[Any, Any]:
        """Positions on the map which stand for positions around the moved centre (rotation on the sphere)."""
        if np.allclose([lon_0, lat_0], self._origin, rtol=0, atol=1e-10):
            return lon, lat
        matrix = _turn(lon_0, lat_0).T
        vector = rotate(_turn(*self._origin) @ matrix, unit_vector(np.deg2rad(lon), np.deg2rad(lat)))
        x, y = lonlat(vector)
        return np.rad2deg(x), np.rad2deg(y)

    def evaluate(self, lon: Any, lat: Any, energy: Any = None, lon_0: Any = None, lat_0: Any = None) -> u.Quantity:
        """Interpolate the map."""
        x0 = self._origin[0] if lon_0 is None else float(u.Quantity(lon_0).to_value("deg"))
        y0 = self._origin[1] if lat_0 is None else float(u.Quantity(lat_0).to_value("deg"))
        lon_deg, lat_deg = (np.asarray(u.Quantity(v).to_value("deg"), dtype=float) for v in (lon, lat))
        x, y = self._moved(lon_deg, lat_deg, x0, y0)
        coords: dict[str, Any] = {"lon": x * u.deg, "lat": y * u.deg}
        for axis in self._map.geom.axes:
            coords[axis.name] = energy if energy is not None and self.is_energy_dependent else axis.center[0]
        settings = {"values_scale": "log" if self.is_energy_dependent else "lin", **self._interp}
        values = self._map.interp_by_coord(coords, **settings)
        values = np.clip(np.nan_to_num(np.asarray(getattr(values, "value", values), dtype=float)), 0, None)
        shape = np.broadcast_shapes(lon_deg.shape, lat_deg.shape, *(np.shape(c) for c in coords.values()))
        return u.Quantity(values.reshape(shape), self._map.unit)

    def copy(self, copy_data: bool = False, **kwargs: Any) -> TemplateSpatialModel:
        """Copy, linked to nothing; the map is shared unless `copy_data`. Keyword arguments are new values of parameters."""
        return super().copy(copy_data=copy_data, **kwargs)

    @classmethod
    def read(cls, filename: Any, normalize: bool = True, **kwargs: Any) -> TemplateSpatialModel:
        """Read the map from a FITS file.

        Raises
        ------
        FileError
            If it cannot be read.
        """
        with reading(filename):
            return cls(Map.read(filename), normalize=normalize, filename=filename, copy_data=False, **kwargs)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> TemplateSpatialModel:
        """Make it from an entry of a model file, reading its map; a relative name is looked up in ``path`` first.

        Raises
        ------
        FormatError
            If the entry names no file.
        """
        path = kwargs.pop("path", "")
        entry = dict(cls._entry(data, kwargs))
        name = entry.get("filename")
        if path and name and (Path(path) / str(name)).exists():
            entry["filename"] = Path(path) / str(name)
        new = cls(read_map(entry, cls.__name__), normalize=entry.get("normalize", True), filename=name, copy_data=False, **kwargs)
        return new._holding(build_parameters(entry.get("parameters") or [], new.parameters, cls.__name__))

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Entry of a model file; the map is written by `write`."""
        data = super().to_dict(full_output)
        entry = data["spatial"]
        entry["filename"] = self.filename
        entry["normalize"] = self.normalize
        entry["unit"] = str(self._map.unit)
        return data

    def write(self, overwrite: bool = False, filename: Any = None) -> None:
        """Write the map to its file.

        Raises
        ------
        FileError
            If there is no file name, or the file exists and `overwrite` is false.
        """
        target = filename or self.filename
        if target is None:
            msg = "TemplateSpatialModel has no filename; set model.filename, or give one."
            raise FileError(msg)
        path = make_path(target)
        if path is not None and path.exists() and not overwrite:
            log.warning("Template file %s exists and is kept; give overwrite=True to replace it.", path)
            return
        self._map.write(target, overwrite=overwrite)
        self.filename = str(target)

    def to_region(self, **kwargs: Any) -> Any:
        """Outline of the map."""
        return self._map.geom.to_image().footprint_rectangle_sky_region

    def plot(self, ax: Any = None, geom: Any = None, **kwargs: Any) -> Any:
        """Plot the map (see `SpatialModel.plot`)."""
        own = plot_map(self, self._map.geom if geom is None else geom)
        return (own if own.geom.is_flat else own.sum_over_axes()).plot(ax=ax, **kwargs)

    def plot_interactive(self, ax: Any = None, geom: Any = None, **kwargs: Any) -> Any:
        """Plot with a slider for the energy."""
        return super().plot_interactive(ax=ax, geom=self._map.geom if geom is None else geom, **kwargs)

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n\nNormalize: {self.normalize}\n\nMap\n---\n\n{self._map}"


def _normalized(values: Any, geom: Any) -> Any:
    """Each image divided by its integral."""
    solid_angle = geom.to_image().solid_angle().to_value("sr")
    total = np.nansum(values * solid_angle, axis=(-2, -1), keepdims=True)
    if not (total > 0).all():
        msg = "TemplateSpatialModel cannot normalise an image without positive values; give normalize=False or another map."
        raise InputError(msg)
    return values / total


def _turn(lon: float, lat: float) -> Any:
    """Rotation which takes the x axis to a position, north staying north."""
    phi, theta = np.deg2rad(lon), np.deg2rad(lat)
    about_z = np.array([[np.cos(phi), -np.sin(phi), 0], [np.sin(phi), np.cos(phi), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(theta), 0, -np.sin(theta)], [0, 1, 0], [np.sin(theta), 0, np.cos(theta)]])
    return about_z @ about_y
