"""What every spatial model does, derived from its formula.

A model of one's own gives parameters and ``evaluate`` with Quantities; if it has `evaluation_radius`, it is only looked at
within. The built-in shapes add exact densities and gradients (`SpatialModel._density`) and, where they are round, their radial
profile and transform. Numbers are in deg and sr-1 here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord, UnitSphericalRepresentation, frame_transform_graph
from numpy.typing import ArrayLike, NDArray

from geminga.errors import NameLookupError, ParameterError, UnsupportedError
from geminga.modeling.models.base import ModelBase
from geminga.modeling.models.coordinates import as_angle
from geminga.modeling.models.derivative import (
    Evaluator,
    Result,
    current_values,
    differentiate,
    in_canonical,
    quantities,
    unit_factors,
)
from geminga.modeling.models.spatial import integrate
from geminga.modeling.models.spatial import plot as figures
from geminga.modeling.parameter import Parameter
from geminga.numerics.sphere import frame_rotation, lonlat, rotate, unit_vector

__all__ = ["SpatialModel", "to_frame"]

Array = NDArray[np.float64]

#: Semi-axes of an ellipse that holds 95 % of a bivariate normal distribution, in standard deviations.
_AXIS_95 = float(np.sqrt(-2 * np.log(0.05)))


class SpatialModel(ModelBase):
    """Base class of spatial models.

    Parameters
    ----------
    **kwargs
        Parameters by name, and ``frame`` ("icrs" or "galactic", default "icrs").
    """

    _type = "spatial"
    _is_sharp = False
    """Has the shape edges, so that pixels need more sub-pixels than its size says."""
    _dict_keys = frozenset({"type", "parameters", "frame"})

    evaluate: Callable[..., Any]

    evaluate_geom = integrate.evaluate_geom
    integrate_geom = integrate.integrate_geom
    plot = figures.plot
    plot_interactive = figures.plot_interactive
    plot_grid = figures.plot_grid
    plot_error = figures.plot_error
    plot_position_error = figures.plot_position_error

    def __init__(self, **kwargs: Any) -> None:
        frame = kwargs.pop("frame", "icrs")
        name = getattr(frame, "name", frame)
        if not isinstance(name, str) or frame_transform_graph.lookup_name(name) is None:
            msg = f"{type(self).__name__}: frame {frame!r} is unknown; expected a celestial frame such as 'icrs' or 'galactic'."
            raise NameLookupError(msg)
        self.frame = name
        super().__init__(**kwargs)

    def __call__(self, lon: Any, lat: Any, energy: Any = None) -> u.Quantity:
        """Evaluate the model at positions in its frame, and energies if it depends on them.

        Raises
        ------
        UnitError
            If a coordinate has the wrong dimension.
        """
        lon, lat = as_angle(lon, f"{type(self).__name__}: lon"), as_angle(lat, f"{type(self).__name__}: lat")
        arguments = {par.name: par.quantity for par in self.parameters}
        if energy is not None and self.is_energy_dependent:
            return self.evaluate(lon, lat, energy, **arguments)
        return self.evaluate(lon, lat, **arguments)

    @property
    def is_energy_dependent(self) -> bool:
        """Whether the shape depends on energy."""
        return "energy" in inspect.signature(self.evaluate).parameters

    # Position ---------------------------------------------------------------------------------------------------------

    @property
    def _has_position(self) -> bool:
        names = self.default_parameters.names
        return "lon_0" in names and "lat_0" in names

    @property
    def position(self) -> Any:
        """Centre as a `~astropy.coordinates.SkyCoord` in the model's frame; None if it has none.

        A position set in another frame is converted.
        """
        if not self._has_position:
            return None
        return SkyCoord(self.lon_0.quantity, self.lat_0.quantity, frame=self.frame)  # type: ignore[attr-defined]

    @position.setter
    def position(self, skycoord: Any) -> None:
        if not self._has_position:
            msg = f"{type(self).__name__} has no position that could be set."
            raise UnsupportedError(msg)
        spherical = skycoord.transform_to(self.frame).data.represent_as(UnitSphericalRepresentation)
        # In the unit in which the coordinates come: rad if they had to be converted.
        self.lon_0.quantity = u.Quantity(spherical.lon)  # type: ignore[attr-defined]
        self.lat_0.quantity = u.Quantity(spherical.lat)  # type: ignore[attr-defined]

    @property
    def position_lonlat(self) -> tuple[float, float]:
        """Longitude and latitude of the centre in rad."""
        return float(self.lon_0.quantity.to_value("rad")), float(self.lat_0.quantity.to_value("rad"))  # type: ignore[attr-defined]

    @property
    def phi_0(self) -> Any:
        """Longitude about which the model is turned, an attribute for models of one's own; 0 unless set."""
        return self.__dict__.get("_phi_0", 0.0)

    @phi_0.setter
    def phi_0(self, value: Any) -> None:
        self.__dict__["_phi_0"] = value

    @classmethod
    def from_position(cls, position: Any, **kwargs: Any) -> Self:
        """Make a model centred at a position, in its frame.

        Parameters
        ----------
        position : `~astropy.coordinates.SkyCoord`
            Centre.
        **kwargs
            Further arguments of the class.
        """
        kwargs.setdefault("frame", position.frame.name)
        spherical = position.transform_to(kwargs["frame"]).spherical
        return cls(lon_0=u.Quantity(spherical.lon).to("deg"), lat_0=u.Quantity(spherical.lat).to("deg"), **kwargs)

    @property
    def position_error(self) -> Any:
        """Ellipse that contains the position with 95 % probability.

        Raises
        ------
        ParameterError
            If the position has no error.
        """
        from regions import EllipseSkyRegion

        covariance = self.covariance.get_subcovariance([self.lon_0, self.lat_0]).data  # type: ignore[attr-defined]
        units = [self.lon_0.unit.to("deg") * float(np.cos(self.lat_0.quantity.to_value("rad"))), self.lat_0.unit.to("deg")]  # type: ignore[attr-defined]
        variances, axes = np.linalg.eigh(covariance * np.outer(units, units))
        minor, major = _AXIS_95 * np.sqrt(np.maximum(variances, 0.0))
        if not minor > 0:
            msg = f"{type(self).__name__}: the position has no errors; fit lon_0 and lat_0 first, or set their errors."
            raise ParameterError(msg)
        east, north = axes[:, 1] * np.sign(axes[1, 1] or 1.0)
        return EllipseSkyRegion(
            center=self.position,
            width=2 * minor * u.deg,
            height=2 * major * u.deg,
            angle=np.rad2deg(np.arctan2(east, north)) * u.deg,
        )

    # Size -------------------------------------------------------------------------------------------------------------

    @property
    def evaluation_radius(self) -> Any:
        """Angle from the centre beyond which the model is not looked at; None for everywhere."""
        return None

    @property
    def evaluation_bin_size_min(self) -> Any:
        """Pixel size needed to integrate the model; None if any will do."""
        return None

    def to_region(self, **kwargs: Any) -> Any:
        """Outline as a sky region; a circle with the evaluation radius, or the whole sky.

        Parameters
        ----------
        **kwargs
            Passed to the region.
        """
        from regions import CircleSkyRegion

        radius, position = self.evaluation_radius, self.position
        if radius is None or position is None:
            return _whole_sky(self.frame, **kwargs)
        return CircleSkyRegion(center=position, radius=u.Quantity(radius), **kwargs)

    @property
    def evaluation_region(self) -> Any:
        """Region in which the model is looked at."""
        return self.to_region()

    # What predictions ask for -----------------------------------------------------------------------------------------

    def _at(self, values: ArrayLike | None) -> Array:
        """Canonical values (deg) from values in the parameters' own units, or the current ones."""
        own = current_values(self.parameters) if values is None else np.asarray(values, dtype=float)
        return own * unit_factors(self.parameters)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "point", "round", "flat" or "none"."""
        return "none"

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result | None:
        """Density and gradient for canonical values; None to differentiate `evaluate`."""
        return None

    def density(self, lon: ArrayLike, lat: ArrayLike, values: ArrayLike, energy: ArrayLike | None = None) -> Result:
        """Density on the sky.

        Parameters
        ----------
        lon, lat : array
            Positions in deg in the model's frame, shape (n,).
        values : array
            Parameter values in their own units.
        energy : array, optional
            Energies in TeV for models that depend on energy, shape (n_energy,).

        Returns
        -------
        density, gradient : array
            sr-1 (canonical unit of the model), shape (n,) or (n_energy, n), and derivatives with a parameter axis in front.
        """
        if self._is_own_density:
            result = self._density(lon, lat, self._at(values))
            if result is not None:
                value, gradient = result
                factors = unit_factors(self.parameters)
                return value, gradient * factors.reshape(-1, *(1,) * value.ndim)
        lon, lat = (np.asarray(angle, dtype=float) * u.deg for angle in (lon, lat))
        extra = []
        if energy is not None and self.is_energy_dependent:
            extra = [np.asarray(energy, dtype=float)[:, None] * u.TeV]
        parameters, name = self.parameters, type(self).__name__
        shape = np.broadcast_shapes(lon.shape, lat.shape, *(e.shape for e in extra))  # type: ignore[union-attr]
        free = [not par.frozen for par in parameters]

        def function(own: Array) -> Array:
            value = self.evaluate(lon, lat, *extra, **quantities(parameters, own))
            return np.broadcast_to(in_canonical(value, None, name), shape)

        return differentiate(function, values, parameters, free)

    @property
    def _density_unit(self) -> u.UnitBase:
        """Unit of the values."""
        lon, lat = self.position_lonlat if self._has_position else (0.0, 0.0)
        return self(lon * u.rad, lat * u.rad, *((1 * u.TeV,) if self.is_energy_dependent else ())).unit

    def density_evaluator(self, lon: ArrayLike, lat: ArrayLike, energy: ArrayLike | None = None) -> Evaluator:
        """Prepare the evaluation of `density` at fixed positions; the result takes the parameter values."""
        return lambda values: self.density(lon, lat, values, energy)

    @property
    def _is_own_density(self) -> bool:
        """Whether the exact density belongs to the `evaluate` in force."""
        for cls in type(self).__mro__:
            if "_density" in vars(cls):
                return cls is not SpatialModel
            if "evaluate" in vars(cls):
                return False
        return False

    def radial_profile(self, r: ArrayLike, values: ArrayLike) -> Result:
        """Density at a distance from the centre, in the plane.

        Parameters
        ----------
        r : array
            Distances in deg, shape (n,).
        values : array
            Parameter values in their own units.

        Returns
        -------
        profile, gradient : array
            sr-1, shapes (n,) and (n_par, n).
        """
        return self._radial(np.asarray(r, dtype=float), values, transform=False)

    def radial_transform(self, k: ArrayLike, values: ArrayLike) -> Result:
        """Fourier transform of the profile.

        Parameters
        ----------
        k : array
            Wave numbers in 1/deg, shape (n,).
        values : array
            Parameter values in their own units.

        Returns
        -------
        transform, gradient : array
            1 at k = 0; shapes (n,) and (n_par, n).
        """
        return self._radial(np.asarray(k, dtype=float), values, transform=True)

    def _radial_shape(self, x: Array, values: Array, transform: bool) -> tuple[Array, Mapping[str, Array]]:
        """Profile or transform for canonical values, and the rows of the gradient which are not zero."""
        msg = f"{type(self).__name__} is not round; a radial profile exists for shapes whose symmetry is 'round'."
        raise UnsupportedError(msg)

    def _radial(self, x: Array, values: ArrayLike, transform: bool) -> Result:
        value, rows = self._radial_shape(x, self._at(values), transform)
        parameters = self.parameters
        gradient = np.zeros((len(parameters), len(x)))
        for i, par in enumerate(parameters):
            if par.name in rows:
                np.multiply(rows[par.name], unit_factors([par])[0], out=gradient[i])
        return value, gradient

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Radius in deg beyond which the model is negligible; None if there is none."""
        radius = self._with(values, "evaluation_radius")
        return None if radius is None else float(u.Quantity(radius).to_value("deg"))

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """Smallest length in deg that needs resolving."""
        size = self._with(values, "evaluation_bin_size_min")
        if size is not None and u.Quantity(size).value > 0:
            return float(u.Quantity(size).to_value("deg"))
        radius = self.support_radius(values)
        return float("inf") if radius is None else 0.1 * radius

    def _with(self, values: ArrayLike | None, attribute: str) -> Any:
        """Attribute of the model at other parameter values."""
        if values is None or np.array_equal(values, current_values(self.parameters)):
            return getattr(self, attribute)
        model = self.copy()
        for par, value in zip(model.parameters, np.asarray(values, dtype=float), strict=True):
            par.value = float(value)
        return getattr(model, attribute)

    # Dictionaries -----------------------------------------------------------------------------------------------------

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        data = super().to_dict(full_output)["spatial"]
        return {"spatial": {"type": data["type"], "frame": self.frame, "parameters": data["parameters"]}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it."""
        entry = cls._entry(data, kwargs)
        if "frame" in entry:
            kwargs.setdefault("frame", entry["frame"])
        return super().from_dict(data, **kwargs)

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters."""
        return super().from_parameters(parameters, **kwargs)


def _whole_sky(frame: str, **kwargs: Any) -> Any:
    from regions import RectangleSkyRegion

    center = SkyCoord(0 * u.deg, 0 * u.deg, frame=frame)
    return RectangleSkyRegion(center=center, width=360 * u.deg, height=180 * u.deg, **kwargs)


def to_frame(lon: Array, lat: Array, origin: str, target: str) -> tuple[Array, Array]:
    """Positions in deg from one celestial frame to another."""
    if origin == target:
        return lon, lat
    if {origin, target} <= {"icrs", "galactic"}:
        new = lonlat(rotate(frame_rotation(origin, target), unit_vector(np.deg2rad(lon), np.deg2rad(lat))))
        return np.rad2deg(new[0]), np.rad2deg(new[1])
    spherical = SkyCoord(lon * u.deg, lat * u.deg, frame=origin).transform_to(target).spherical
    return np.asarray(spherical.lon.deg), np.asarray(spherical.lat.deg)
