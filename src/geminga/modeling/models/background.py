"""Model of the background of a dataset: a factor on the background it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from astropy import units as u

from geminga.errors import FormatError, InputError
from geminga.modeling.models.named import as_names, component_from_dict
from geminga.modeling.models.norm import NormModel, energy_center

__all__ = ["FoVBackgroundModel"]


class FoVBackgroundModel(NormModel):
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
            return self.evaluate(energy_center(geom))
        coords = geom.get_coord(frame=self.spatial_model.frame)
        return self.evaluate(energy=coords["energy"], lon=coords["lon"], lat=coords["lat"])

    def reset_to_default(self) -> None:
        """Set the spectral parameters to their default values."""
        self._reset_spectrum()

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
