"""Models of what is measured besides sources: the background of a dataset, and templates of counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u

from geminga.errors import FormatError, GeometryError, InputError
from geminga.modeling import registry
from geminga.modeling.models.named import NamedModel, as_component, as_names, component_from_dict

__all__ = ["FoVBackgroundModel", "TemplateNPredModel"]


def _norm_spectrum(model: Any, owner: str) -> Any:
    """A dimensionless spectral model; a power law of norm 1 if none is given."""
    if model is None:
        return registry.SPECTRAL_MODEL_REGISTRY.get_cls("pl-norm")()
    as_component(model, "spectral", owner, optional=False)
    if not model.is_norm_spectral_model:
        msg = f"{owner}: spectral_model got a {type(model).__name__}; a norm spectral model is required, such as "
        msg += "PowerLawNormSpectralModel."
        raise InputError(msg)
    return model


class _NormModel(NamedModel):
    """What the two background models share: freezing acts on the spectrum unless said otherwise."""

    _kinds = ("spectral", "spatial")

    def freeze(self, model_type: Any = "spectral") -> None:
        """Freeze parameters.

        Parameters
        ----------
        model_type : {"spectral", "spatial", None}
            Which component, all if None.
        """
        super().freeze(model_type)

    def unfreeze(self, model_type: Any = "spectral") -> None:
        """Free those parameters which are free by default; arguments as of `freeze`."""
        super().unfreeze(model_type)

    @property
    def spectral_model(self) -> Any:
        """Norm as a function of energy."""
        return self._spectral_model

    @spectral_model.setter
    def spectral_model(self, model: Any) -> None:
        self._spectral_model = _norm_spectrum(model, type(self).__name__)

    @property
    def spatial_model(self) -> Any:
        """Norm as a function of position, or None."""
        return self._spatial_model

    @spatial_model.setter
    def spatial_model(self, model: Any) -> None:
        self._spatial_model = as_component(model, "spatial", type(self).__name__)


class FoVBackgroundModel(_NormModel):
    """Factor on the background of one dataset.

    Parameters
    ----------
    dataset_name : str
        Name of the dataset.
    spectral_model : `SpectralModel`, optional
        Dimensionless model of the energy; `PowerLawNormSpectralModel` if not given.
    spatial_model : `SpatialModel`, optional
        Model of the position.
    covariance_data : array, optional
        Covariance of its parameters.
    name : str, optional
        Name; that of the dataset with "-bkg" if not given.

    Raises
    ------
    InputError
        If the spectral model is not dimensionless.

    Examples
    --------
    >>> from geminga.modeling.models import FoVBackgroundModel
    >>> FoVBackgroundModel(dataset_name="cta").name
    'cta-bkg'
    """

    tag: ClassVar[Any] = ["FoVBackgroundModel", "fov-bkg"]
    _dict_keys = frozenset({"name", "type", "datasets_names", "spectral", "spatial", "parameters"})

    def __init__(
        self,
        dataset_name: str,
        spectral_model: Any = None,
        spatial_model: Any = None,
        covariance_data: Any = None,
        name: str | None = None,
    ) -> None:
        names = as_names(dataset_name)
        if names is None or len(names) != 1:
            msg = f"FoVBackgroundModel: dataset_name got {dataset_name!r}; expected the name of one dataset."
            raise InputError(msg)
        self.datasets_names = names
        self._name = self._checked_name(f"{names[0]}-bkg" if name is None else name)
        self.spectral_model = spectral_model
        self.spatial_model = spatial_model
        if covariance_data is not None:
            self.covariance = covariance_data

    @staticmethod
    def contributes(*args: Any, **kwargs: Any) -> bool:
        """A background contributes everywhere."""
        return True

    def evaluate(self, energy: Any, lon: Any = None, lat: Any = None) -> u.Quantity:
        """Factor on the background.

        Parameters
        ----------
        energy : Quantity
            Reconstructed energy.
        lon, lat : Quantity, optional
            Position in the frame of the spatial model, needed if there is one.
        """
        value = self.spectral_model(energy)
        if self.spatial_model is not None:
            if lon is None or lat is None:
                msg = f"FoVBackgroundModel {self.name!r} has a spatial model; give lon and lat."
                raise InputError(msg)
            where = (lon, lat, energy) if self.spatial_model.is_energy_dependent else (lon, lat)
            value = value * self.spatial_model(*where).value
        return value

    def evaluate_geom(self, geom: Any) -> u.Quantity:
        """Factor at the bin centres.

        Parameters
        ----------
        geom : `Geom`
            Geometry with an axis "energy".

        Returns
        -------
        factor : Quantity
            Dimensionless, of a shape which broadcasts to that of `geom`.
        """
        if self.spatial_model is None:
            return self.evaluate(_energy_center(geom))
        coords = geom.get_coord(frame=self.spatial_model.frame)
        return self.evaluate(energy=coords["energy"], lon=coords["lon"], lat=coords["lat"])

    def reset_to_default(self) -> None:
        """Set the spectral parameters to their default values."""
        spectral = self.spectral_model
        for parameter, default in zip(spectral.parameters, spectral.default_parameters, strict=True):
            parameter.unit = default.unit
            parameter.value = default.value

    def copy(self, name: str | None = None, copy_data: bool = False, **kwargs: Any) -> Self:
        """Copy, with its covariance.

        Parameters
        ----------
        name : str, optional
            Name of the copy; that of the dataset with "-bkg" if not given.
        copy_data : bool
            Also copy the maps of templates, else they are shared.
        **kwargs
            Replacements for other arguments of the class.
        """
        arguments = {"dataset_name": (self.datasets_names or [""])[0], "name": name}
        return self._remade(arguments, kwargs, copy_data)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; with the name if it is not the usual one."""
        names = list(self.datasets_names or [])
        data: dict[str, Any] = {} if self.name == f"{names[0]}-bkg" and not full_output else {"name": self.name}
        data |= {"type": self.tag[0], "datasets_names": names}
        for _, model in self._components():
            data.update(model.to_dict(full_output=full_output))
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Files of old versions, with parameters instead of a spectral model, read as a `PowerLawNormSpectralModel`.

        Raises
        ------
        FormatError, NameLookupError, ParameterError, UnitError
            Naming what came and what is known.
        """
        entry = cls._entry(data, kwargs)
        names = as_names(entry.get("datasets_names"))
        if names is None or len(names) != 1:
            msg = f"FoVBackgroundModel: 'datasets_names' is {entry.get('datasets_names')!r}; expected a list of one dataset name."
            raise FormatError(msg)
        spectral = entry.get("spectral")
        if spectral is None and "parameters" in entry:
            spectral = {"type": "PowerLawNormSpectralModel", "parameters": entry["parameters"]}
        own = {
            "dataset_name": names[0],
            "spectral_model": component_from_dict(spectral, "spectral"),
            "spatial_model": component_from_dict(entry.get("spatial"), "spatial"),
            "name": entry.get("name"),
        }
        return cls(**(own | kwargs))

    def _header_lines(self) -> list[tuple[str, str]]:
        lines = [*super()._header_lines(), ("Spectral model type", type(self.spectral_model).__name__)]
        if self.spatial_model is not None:
            lines.append(("Spatial  model type", type(self.spatial_model).__name__))
        return lines


class TemplateNPredModel(_NormModel):
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
        return _energy_center(self.map.geom)

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
        """
        axis = self.map.geom.axes["energy"]
        low = axis.edges[0] if energy_min is None else u.Quantity(energy_min)
        high = axis.edges[-1] if energy_max is None else u.Quantity(energy_max)
        group = axis.group_table(edges=u.Quantity([low, high]))
        normal = group[[str(kind).strip() == "normal" for kind in group["bin_type"]]]
        first, last = int(normal["idx_min"][0]), int(normal["idx_max"][0]) + 1
        return self.copy(name=name, map=self.map.slice_by_idx({"energy": slice(first, last)}).copy())

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
        for parameter, default in zip(self.spectral_model.parameters, self.spectral_model.default_parameters, strict=True):
            parameter.unit = default.unit
            parameter.value = default.value
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
        from geminga.maps import Map

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


def _energy_center(geom: Any) -> u.Quantity:
    """Centres of the axis "energy", of a shape which broadcasts to that of the geometry."""
    shape = [1] * len(geom.data_shape)
    shape[geom.axes.index_data("energy")] = -1
    return geom.axes["energy"].center.reshape(shape)
