"""Templates of counts, to which no response is applied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u

from geminga.errors import FormatError, GeometryError, InputError
from geminga.maps import Map
from geminga.maps.axes.grouping import bins_between
from geminga.modeling.models.named import component_from_dict
from geminga.modeling.models.norm import NormModel, energy_center

__all__ = ["TemplateNPredModel"]


class TemplateNPredModel(NormModel):
    """Template of predicted counts with a factor; no response is applied to it.

    Parameters
    ----------
    map : `Map`
        Counts, on an axis "energy" with edges.
    spectral_model : `SpectralModel`, optional
        Dimensionless model of the energy; `PowerLawNormSpectralModel` if not given.
    name : str, optional
        Name; random if not given.
    filename : str, optional
        File of the map, which model files refer to.
    datasets_names : str or list of str, optional
        Datasets it belongs to, all if not given.
    copy_data : bool
        Copy the map, else share it.
    spatial_model : `SpatialModel`, optional
        Model of the position.
    covariance_data : array, optional
        Covariance of its parameters.

    Raises
    ------
    GeometryError
        If the map has no axis "energy" with edges.
    """

    tag: ClassVar[Any] = "TemplateNPredModel"
    _dict_keys = frozenset({"name", "type", "datasets_names", "filename", "spectral", "spatial", "unit"})

    def __init__(
        self,
        map: Any,
        spectral_model: Any = None,
        name: str | None = None,
        filename: str | Path | None = None,
        datasets_names: Any = None,
        copy_data: bool = True,
        spatial_model: Any = None,
        covariance_data: Any = None,
    ) -> None:
        self.map = map.copy() if copy_data else map
        self._name = self._checked_name(name)
        self.filename = filename
        self.datasets_names = datasets_names
        self.spectral_model = spectral_model
        self.spatial_model = spatial_model
        if covariance_data is not None:
            self.covariance = covariance_data

    @property
    def map(self) -> Any:
        """Counts."""
        return self._map

    @map.setter
    def map(self, value: Any) -> None:
        names = value.geom.axes.names
        if "energy" not in names or value.geom.axes["energy"].node_type != "edges":
            msg = f"TemplateNPredModel: the map has axes {names}; it needs an axis 'energy' with edges."
            raise GeometryError(msg)
        self._map = value

    @property
    def energy_center(self) -> u.Quantity:
        """Centres of the energy bins, of a shape which broadcasts to that of the map."""
        return energy_center(self.map.geom)

    @property
    def position(self) -> Any:
        """Centre of the map (SkyCoord)."""
        return self.map.geom.center_skydir

    @property
    def evaluation_radius(self) -> u.Quantity:
        """Half the larger width of the map."""
        return np.max(self.map.geom.width) / 2.0

    def evaluate(self) -> Any:
        """Counts times the factor.

        Returns
        -------
        npred : `Map`
            On the geometry of the template.
        """
        factor = self.spectral_model(self.energy_center).to_value("")
        if self.spatial_model is not None:
            factor = factor * self.spatial_model.evaluate_geom(self.map.geom).value
        geom = self.map.geom
        return type(self.map)(geom=geom, data=np.asarray(self.map.frozen_data * factor), unit=self.map.unit)

    def copy(self, name: str | None = None, copy_data: bool = False, **kwargs: Any) -> Self:
        """Copy, with its covariance.

        Parameters
        ----------
        name : str, optional
            Name of the copy; random if not given.
        copy_data : bool
            Also copy the map, else it is shared.
        **kwargs
            Replacements for other arguments of the class.
        """
        arguments = {
            "name": name,
            "map": self.map,
            "filename": self.filename,
            "datasets_names": self.datasets_names,
            "copy_data": copy_data,
        }
        return self._remade(arguments, kwargs, copy_data)

    def cutout(self, position: Any, width: Any, mode: str = "trim", name: str | None = None) -> Self:
        """Part of the template around a position.

        Parameters
        ----------
        position : SkyCoord
            Centre.
        width : Quantity or str
            Width, one or (longitude, latitude).
        mode : {"trim", "partial", "strict"}
            What to do at the border.
        name : str, optional
            Name of the result; random if not given.
        """
        return self.copy(name=name, map=self.map.cutout(position=position, width=width, mode=mode))

    def slice_by_energy(self, energy_min: Any = None, energy_max: Any = None, name: str | None = None) -> Self:
        """Part of the template within an energy range.

        Parameters
        ----------
        energy_min, energy_max : Quantity or str, optional
            Range; rounded to the edges of the bins.
        name : str, optional
            Name of the result; random if not given.

        Raises
        ------
        InputError
            If the ends of the range are swapped.
        GeometryError
            If no bin lies in it.
        """
        bins = bins_between(self.map.geom.axes["energy"], energy_min, energy_max, f"TemplateNPredModel {self.name!r}")
        return self.copy(name=name, map=self.map.slice_by_idx({"energy": bins}).copy())

    def stack(self, other: TemplateNPredModel, weights: Any = None, nan_to_num: bool = True) -> None:
        """Add another template in place; both are first multiplied by their factors, which then is 1.

        Parameters
        ----------
        other : `TemplateNPredModel`
            Template on an aligned geometry.
        weights : `Map`, optional
            Weights of the other one.
        nan_to_num : bool
            Count NaN as 0.
        """
        total = self.evaluate()
        total.stack(other.evaluate(), weights=weights, nan_to_num=nan_to_num)
        self.map = total
        self._reset_spectrum()
        self.spatial_model = None

    def write(self, overwrite: bool = False) -> None:
        """Write the map to `filename`.

        Raises
        ------
        InputError
            If there is no file name.
        FileExistsRefusal
            If the file exists and `overwrite` is false.
        """
        if self.filename is None:
            msg = f"TemplateNPredModel {self.name!r} has no filename; set its attribute 'filename' first."
            raise InputError(msg)
        self.map.write(self.filename, overwrite=overwrite)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        data: dict[str, Any] = {"name": self.name, "type": self.tag}
        for _, model in self._components():
            data.update(model.to_dict(full_output=full_output))
        if self.filename is not None:
            data["filename"] = str(self.filename)
        if self.datasets_names is not None:
            data["datasets_names"] = list(self.datasets_names)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it; the map is read from its file.

        Raises
        ------
        FormatError, NameLookupError, ParameterError, UnitError, FileError
            Naming what came and what is known.
        """
        entry = cls._entry(data, kwargs)
        filename = entry.get("filename")
        if filename is None and "map" not in kwargs:
            msg = f"TemplateNPredModel {entry.get('name')!r} has no 'filename'; expected the file of its map."
            raise FormatError(msg)
        own = {
            "map": kwargs["map"] if "map" in kwargs else Map.read(filename),
            "spectral_model": component_from_dict(entry.get("spectral"), "spectral"),
            "spatial_model": component_from_dict(entry.get("spatial"), "spatial"),
            "name": entry.get("name"),
            "filename": filename,
            "datasets_names": entry.get("datasets_names"),
            "copy_data": False,
        }
        return cls(**(own | kwargs))
