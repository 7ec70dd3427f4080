"""The model of a source: a spectrum, a shape, and a course in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u
from astropy.nddata import NoOverlapError

from geminga.errors import FormatError, GeometryError, InputError, NameLookupError, UnitError
from geminga.modeling.models.flux import flux_evaluator, temporal_average
from geminga.modeling.models.named import NamedModel, as_component, component_from_dict
from geminga.modeling.registry import COMPONENT_REGISTRIES
from geminga.utils.units import as_quantity

__all__ = ["SkyModel"]

_IRFS = ("exposure", "psf", "edisp")
_CUTOUT_MARGIN = 0.1 * u.deg


class SkyModel(NamedModel):
    """Model of the emission of a source, the product of its components.

    Parameters
    ----------
    spectral_model : `SpectralModel`
        Spectrum.
    spatial_model : `SpatialModel`, optional
        Shape; without it, the flux stands in each pixel or region as it is.
    temporal_model : `TemporalModel`, optional
        Course in time, 1 if not given.
    name : str, optional
        Name; random if not given.
    apply_irf : dict, optional
        Whether to apply "exposure", "psf" and "edisp"; true where not given.
    datasets_names : str or list of str, optional
        Datasets it belongs to, all if not given.
    covariance_data : array, optional
        Covariance of its parameters.

    Raises
    ------
    InputError
        If a component is of the wrong kind.
    NameLookupError
        If `apply_irf` names something else.
    UnitError
        If the product of spectrum and shape is no flux.

    Examples
    --------
    >>> from geminga.modeling.models import SkyModel
    >>> model = SkyModel.create("pl", "point", name="crab")
    >>> model.parameters.names
    ['index', 'amplitude', 'reference', 'lon_0', 'lat_0']
    """

    tag: ClassVar[Any] = ["SkyModel", "sky-model"]
    _dict_keys = frozenset({"name", "type", "apply_irf", "datasets_names", "spectral", "spatial", "temporal"})

    def __init__(
        self,
        spectral_model: Any,
        spatial_model: Any = None,
        temporal_model: Any = None,
        name: str | None = None,
        apply_irf: Mapping[str, bool] | None = None,
        datasets_names: Any = None,
        covariance_data: Any = None,
    ) -> None:
        self.spectral_model = spectral_model
        self.spatial_model = spatial_model
        self.temporal_model = temporal_model
        self._name = self._checked_name(name)
        self.apply_irf = _checked_irfs(apply_irf)
        self.datasets_names = datasets_names
        self._check_unit()
        if covariance_data is not None:
            self.covariance = covariance_data

    def _check_unit(self) -> None:
        """Refuse a product which is no flux: predicted counts would be a number without meaning."""
        unit, expected = self.spectral_model._dnde_unit, u.Unit("MeV-1")
        if self.spatial_model is not None:
            unit, expected = unit * self.spatial_model._density_unit, expected / u.sr
        if self.apply_irf["exposure"]:
            expected = expected * u.Unit("cm-2 s-1")
        if not unit.is_equivalent(expected):
            spatial = "" if self.spatial_model is None else f" and {type(self.spatial_model).__name__}"
            msg = (
                f"SkyModel {self.name!r}: {type(self.spectral_model).__name__}{spatial} give the unit '{unit}'; expected one "
                f"convertible to '{expected}'. Multiply a norm model with a spectrum, or use it in a background model."
            )
            raise UnitError(msg)

    @property
    def spectral_model(self) -> Any:
        """Spectrum."""
        return self._spectral_model

    @spectral_model.setter
    def spectral_model(self, model: Any) -> None:
        self._spectral_model = as_component(model, "spectral", "SkyModel", optional=False)

    @property
    def spatial_model(self) -> Any:
        """Shape, or None."""
        return self._spatial_model

    @spatial_model.setter
    def spatial_model(self, model: Any) -> None:
        self._spatial_model = as_component(model, "spatial", "SkyModel")

    @property
    def temporal_model(self) -> Any:
        """Course in time, or None."""
        return self._temporal_model

    @temporal_model.setter
    def temporal_model(self, model: Any) -> None:
        self._temporal_model = as_component(model, "temporal", "SkyModel")

    @classmethod
    def create(cls, spectral_model: Any, spatial_model: Any = None, temporal_model: Any = None, **kwargs: Any) -> Self:
        """Make a model from the tags of its components.

        Parameters
        ----------
        spectral_model, spatial_model, temporal_model : str or model
            Tag such as "pl" or "PowerLawSpectralModel", or a model.
        **kwargs
            Arguments of `SkyModel`.

        Raises
        ------
        NameLookupError
            If a tag is unknown; the message lists what is known.
        """
        given = {"spectral": spectral_model, "spatial": spatial_model, "temporal": temporal_model}
        made = {
            f"{kind}_model": COMPONENT_REGISTRIES[kind].get_cls(model)() if isinstance(model, str) else model
            for kind, model in given.items()
        }
        return cls(**made, **kwargs)

    @property
    def frame(self) -> str | None:
        """Coordinate frame of the shape, None without shape."""
        return None if self.spatial_model is None else self.spatial_model.frame

    @property
    def position(self) -> Any:
        """Position (SkyCoord), None if it has none."""
        return None if self.spatial_model is None else getattr(self.spatial_model, "position", None)

    @property
    def position_lonlat(self) -> Any:
        """Longitude and latitude in rad, in the frame of the shape; None without shape."""
        return None if self.spatial_model is None else self.spatial_model.position_lonlat

    @property
    def evaluation_radius(self) -> Any:
        """Radius beyond which the model is negligible (Quantity), None if there is no such radius."""
        return None if self.spatial_model is None else self.spatial_model.evaluation_radius

    @property
    def evaluation_region(self) -> Any:
        """Region beyond which the model is negligible, None without shape."""
        return None if self.spatial_model is None else self.spatial_model.evaluation_region

    @property
    def evaluation_bin_size_min(self) -> Any:
        """Smallest bin size that the shape needs, None for any."""
        return None if self.spatial_model is None else self.spatial_model.evaluation_bin_size_min

    def evaluate(self, lon: Any, lat: Any, energy: Any, time: Any = None) -> u.Quantity:
        """Differential surface brightness.

        Parameters
        ----------
        lon, lat : Quantity
            Position in the frame of the shape.
        energy : Quantity
            True energy.
        time : Time, optional
            Time; the course in time is left out if not given.

        Returns
        -------
        value : Quantity
            For example in cm-2 s-1 TeV-1 sr-1, without sr-1 if there is no shape; inputs are broadcast.
        """
        value = self.spectral_model(energy)
        if self.spatial_model is not None:
            where = (lon, lat, energy) if self.spatial_model.is_energy_dependent else (lon, lat)
            value = value * self.spatial_model(*where)
        if self.temporal_model is not None and time is not None:
            value = value * self._temporal_factor(energy, time)
        return value

    def _temporal_factor(self, energy: Any, time: Any) -> Any:
        if not self.temporal_model.is_energy_dependent:
            return self.temporal_model(time)
        factor = self.temporal_model(time, energy=np.ravel(energy))
        return factor.reshape(*np.shape(energy), *factor.shape[1:])

    def __call__(self, lon: Any, lat: Any, energy: Any, time: Any = None) -> u.Quantity:
        """See `evaluate`."""
        return self.evaluate(lon, lat, energy, time)

    def evaluate_geom(self, geom: Any, gti: Any = None) -> u.Quantity:
        """Differential surface brightness at the pixel centres.

        Parameters
        ----------
        geom : `Geom`
            Geometry with an axis "energy_true".
        gti : `GTI`, optional
            Intervals over which to average the course in time.

        Returns
        -------
        value : Quantity
            Of a shape which broadcasts to that of `geom`.
        """
        axis = _energy_axis(geom)
        value = self.spectral_model(_along(geom, axis, axis.center))
        if self.spatial_model is not None:
            value = value * self.spatial_model.evaluate_geom(geom)
        average = temporal_average(self.temporal_model, gti, axis.center.to_value("TeV"))
        return value * (_along(geom, axis, u.Quantity(average)) if np.ndim(average) else average)

    def integrate_geom(self, geom: Any, gti: Any = None, oversampling_factor: int | None = None) -> Any:
        """Flux in each bin.

        Parameters
        ----------
        geom : `Geom`
            Geometry with an axis "energy_true".
        gti : `GTI`, optional
            Intervals over which to average the course in time.
        oversampling_factor : int, optional
            Number of sub-pixels along a side; chosen by the shape if not given.

        Returns
        -------
        flux : `Map`
            In cm-2 s-1 for the usual spectra.
        """
        from geminga.maps import Map

        axis = _energy_axis(geom)
        value = _along(geom, axis, self._integrated(axis.edges, gti))
        if self.spatial_model is not None:
            value = value * self.spatial_model.integrate_geom(geom, oversampling_factor=oversampling_factor).quantity
        data = np.array(np.broadcast_to(value.value, geom.data_shape))
        return Map.from_geom(geom=geom, data=data, unit=value.unit)

    def _integrated(self, edges: u.Quantity, gti: Any) -> u.Quantity:
        """Flux in energy bins, averaged over the intervals."""
        spectral, temporal = self.spectral_model, self.temporal_model
        if temporal is None or gti is None:
            return spectral.integral(edges[:-1], edges[1:])
        evaluator = flux_evaluator(spectral, temporal, gti, edges.to_value("TeV"))
        value, _ = evaluator([par.value for par in (*spectral.parameters, *temporal.parameters)])
        return u.Quantity(value, spectral._dnde_unit * u.TeV)

    def contributes(self, mask: Any, margin: Any = "0 deg") -> bool:
        """Whether the source reaches a pixel of a mask.

        Parameters
        ----------
        mask : `Map` of bool, or None
            Mask; None is true everywhere.
        margin : Quantity or str
            Added to the width of the square that is looked at.
        """
        if mask is None:
            return True
        if self.position is None or self.evaluation_radius is None:
            return bool(mask.frozen_data.any())
        if mask.geom.is_region:
            if mask.geom.is_all_point_sky_regions:
                return True
            geom = mask.geom.to_wcs_geom()
            mask = geom.region_mask([mask.geom.region]) if mask.geom.region is not None else mask
        width = 2 * self.evaluation_radius + _CUTOUT_MARGIN + as_quantity(margin, "deg", "margin")
        try:
            cutout = mask.cutout(position=self.position, width=width)
        except (NoOverlapError, GeometryError):
            return False
        return bool(cutout.frozen_data.any())

    def copy(self, name: str | None = None, copy_data: bool = False, **kwargs: Any) -> Self:
        """Copy, with its covariance.

        Parameters
        ----------
        name : str, optional
            Name of the copy; random if not given.
        copy_data : bool
            Also copy the maps of templates, else they are shared.
        **kwargs
            Replacements for other arguments of the class.
        """
        arguments = {"name": name, "apply_irf": dict(self.apply_irf), "datasets_names": self.datasets_names}
        return self._remade(arguments, kwargs, copy_data)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files.

        Parameters
        ----------
        full_output : bool
            Also give what is as by default.
        """
        data: dict[str, Any] = {"name": self.name, "type": self.tag[0]}
        if not all(self.apply_irf.values()):
            data["apply_irf"] = dict(self.apply_irf)
        if self.datasets_names is not None:
            data["datasets_names"] = list(self.datasets_names)
        for _, model in self._components():
            data.update(model.to_dict(full_output=full_output))
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError, NameLookupError, ParameterError, UnitError
            Naming what came and what is known.
        """
        entry = cls._entry(data, kwargs)
        if not isinstance(entry.get("spectral"), dict):
            msg = f"SkyModel {entry.get('name')!r} has no 'spectral' model; expected a mapping with the key 'type'."
            raise FormatError(msg)
        kinds = {f"{kind}_model": component_from_dict(entry.get(kind), kind) for kind in cls._kinds}
        own = {"name": entry.get("name"), "apply_irf": entry.get("apply_irf"), "datasets_names": entry.get("datasets_names")}
        if own["name"] is not None:
            own["name"] = str(own["name"])
        return cls(**(kinds | own | kwargs))

    def _header_lines(self) -> list[tuple[str, str]]:
        names = {kind: type(model).__name__ for kind, model in self._components()}
        return [
            *super()._header_lines(),
            ("Spectral model type", names["spectral"]),
            ("Spatial  model type", names.get("spatial", "")),
            ("Temporal model type", names.get("temporal", "")),
        ]


def _checked_irfs(apply_irf: Mapping[str, bool] | None) -> dict[str, bool]:
    given = {} if apply_irf is None else dict(apply_irf)
    for key, value in given.items():
        if key not in _IRFS:
            msg = f"SkyModel: apply_irf got {key!r}; known: {', '.join(_IRFS)}."
            raise NameLookupError(msg)
        if not isinstance(value, (bool, np.bool_)):
            msg = f"SkyModel: apply_irf[{key!r}] got {value!r}; expected True or False."
            raise InputError(msg)
    return {key: bool(given.get(key, True)) for key in _IRFS}


def _energy_axis(geom: Any) -> Any:
    names = geom.axes.names
    for name in ("energy_true", "energy"):
        if name in names:
            return geom.axes[name]
    msg = f"The geometry has axes {names}; a sky model needs one named 'energy_true'."
    raise GeometryError(msg)


def _along(geom: Any, axis: Any, values: u.Quantity) -> u.Quantity:
    """Give values along an axis the shape which broadcasts to the geometry."""
    shape = [1] * len(geom.data_shape)
    shape[geom.axes.index_data(axis.name)] = -1
    return values.reshape(shape)
