"""Radiation of particles, computed by the package naima (extra ``naima``)."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from astropy import constants
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import FormatError, InputError, MissingDependencyError, NameLookupError, UnitError
from geminga.modeling.models.base import build_parameters
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import Evaluator, Result, differentiate, in_canonical, quantities
from geminga.modeling.models.spectral.base import Array, SpectralModel
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["NaimaSpectralModel"]

# Ratio of the mean photon density in a homogeneous sphere to that at its surface (Atoyan & Aharonian 1996, MNRAS 278, 525).
_DENSITY_RATIO = 2.24


class NaimaSpectralModel(SpectralModel):
    """Radiation of a population of particles.

    Parameters of the particle distribution, and the magnetic field of synchrotron radiation, become parameters of the model.
    Derivatives are numerical.

    Parameters
    ----------
    radiative_model : naima radiative model
        Such as ``naima.models.PionDecay`` or ``naima.models.InverseCompton``; its particle distribution is set at each
        evaluation.
    distance : Quantity
        Distance of the source; 0 gives luminosities.
    seed : str or list of str, optional
        Seed photon field of inverse Compton scattering to take alone, all if not given.
    nested_models : dict, optional
        ``{"SSC": {"B": ..., "radius": ...}}`` adds the synchrotron radiation of the same particles, in a homogeneous sphere, to
        the seed photons.
    use_cache : bool
        Let naima remember evaluations.

    Raises
    ------
    MissingDependencyError
        If naima is not installed and the model is read from a file.
    InputError
        If `seed` or `nested_models` do not fit the radiative model.

    References
    ----------
    Zabalza 2015, Proc. 34th ICRC, 922; https://naima.readthedocs.io
    """

    tag = ["NaimaSpectralModel", "naima"]
    _dict_keys = frozenset({"type", "parameters", "radiative_model", "distance", "seed", "nested_models"})
    ssc_energy: ClassVar[u.Quantity] = np.logspace(-7, 9, 100) * u.eV
    """Energies at which the synchrotron photons of nested models are computed."""

    def __init__(
        self,
        radiative_model: Any,
        distance: Any = 1.0 * u.kpc,
        seed: Any = None,
        nested_models: Mapping[str, Mapping[str, Any]] | None = None,
        use_cache: bool = False,
    ) -> None:
        if not (hasattr(radiative_model, "flux") and hasattr(radiative_model, "particle_distribution")):
            msg = f"NaimaSpectralModel got {radiative_model!r}; expected a radiative model such as naima.models.PionDecay."
            raise InputError(msg)
        # With nested models the seed photons are replaced at each evaluation: not in the user's own object.
        self.radiative_model = copy.deepcopy(radiative_model) if nested_models else radiative_model
        self.distance = _length(distance)
        self.seed = seed
        self.nested_models = {name: dict(own) for name, own in (nested_models or {}).items()}
        self._check_seeds()
        self.radiative_model._memoize = use_cache
        self.particle_distribution._memoize = use_cache
        parameters = [Parameter(name, value, frozen=name == "radius") for name, value in self._initial().items()]
        self.default_parameters = Parameters(parameters)
        super().__init__()

    def _check_seeds(self) -> None:
        name = type(self.radiative_model).__name__
        fields = getattr(self.radiative_model, "seed_photon_fields", None)
        if fields is None and (self.seed is not None or self.nested_models):
            msg = f"NaimaSpectralModel: {name} has no seed photons; leave out seed and nested_models."
            raise InputError(msg)
        unknown = set(self.nested_models) - {"SSC"}
        wrong = [key for own in self.nested_models.values() for key in own if key not in {"B", "radius"}]
        if unknown or wrong or (self.include_ssc and set(self.nested_models["SSC"]) != {"B", "radius"}):
            msg = f"NaimaSpectralModel: nested_models is {self.nested_models}; expected {{'SSC': {{'B': ..., 'radius': ...}}}}."
            raise InputError(msg)

    def _initial(self) -> dict[str, Any]:
        """Names and values of the parameters."""
        own = {name: getattr(self.particle_distribution, name) for name in self.particle_distribution.param_names}
        if "B" in self.radiative_model.param_names:
            own["B"] = self.radiative_model.B
        return own | self.nested_models.get("SSC", {})

    @property
    def particle_distribution(self) -> Any:
        """Particle distribution of the radiative model."""
        return self.radiative_model.particle_distribution

    @property
    def include_ssc(self) -> bool:
        """Whether the synchrotron photons of the same particles are among the seeds."""
        return "SSC" in self.nested_models

    @property
    def ssc_model(self) -> Any:
        """Synchrotron model (naima) which makes the seed photons; None without them."""
        if not self.include_ssc:
            return None
        options = {name: getattr(self.radiative_model, name) for name in ("Eemin", "Eemax")}
        own = _naima().models.Synchrotron(self.particle_distribution, B=self.parameters["B"].quantity, **options)
        own._memoize = False
        return own

    def _set(self, values: Mapping[str, Any]) -> None:
        """Give naima's objects the values of parameters."""
        for name, value in values.items():
            plain = value.value if value.unit == u.dimensionless_unscaled else value
            for owner in (self.particle_distribution, self.radiative_model):
                if name in owner.param_names:
                    setattr(owner, name, plain)
        if self.include_ssc:
            self._set_ssc(values["B"], values["radius"])

    def _set_ssc(self, field: u.Quantity, radius: u.Quantity) -> None:
        options = {name: getattr(self.radiative_model, name) for name in ("Eemin", "Eemax")}
        synchrotron = _naima().models.Synchrotron(self.particle_distribution, B=field, **options)
        luminosity = synchrotron.flux(self.ssc_energy, distance=0 * u.cm)
        density = (luminosity / (4 * np.pi * radius**2 * constants.c) * _DENSITY_RATIO).to("cm-3 eV-1")
        own = {"isotropic": True, "type": "array", "energy": self.ssc_energy, "photon_density": density}
        self.radiative_model.seed_photon_fields["SSC"] = own

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`."""
        return self.evaluate(as_energy(energy), *(par.quantity for par in self.parameters))

    def evaluate(self, energy: Any, *args: Any, **named: Any) -> u.Quantity:
        """Evaluate for values of the parameters in their order."""
        energy = as_energy(energy)
        values = dict(zip(self.parameters.names, args, strict=True)) if args else named
        self._set({name: u.Quantity(value) for name, value in values.items()})
        options = {} if self.seed is None else {"seed": self.seed}
        flux = self.radiative_model.flux(np.atleast_1d(energy).ravel(), distance=self.distance, **options)
        unit = 1 / (energy.unit * u.s) if self.distance.value == 0 else 1 / (energy.unit * u.cm**2 * u.s)
        return flux.reshape(energy.shape).to(unit)

    def dnde_evaluator(self, energy: ArrayLike) -> Evaluator:
        """Prepare the evaluation at fixed energies in TeV (see `SpectralModel`); frozen parameters get no derivative."""
        energy, parameters, name = np.asarray(energy, dtype=float), self.parameters, type(self).__name__

        def values_at(values: Array) -> Array:
            return in_canonical(self.evaluate(energy * u.TeV, **quantities(parameters, values)), None, name)

        is_linear = [par.name == "amplitude" and not self.include_ssc for par in parameters]

        def evaluate(values: ArrayLike) -> Result:
            wanted = [not (par.frozen or linear) for par, linear in zip(parameters, is_linear, strict=True)]
            value, gradient = differentiate(values_at, values, parameters, wanted)
            for j in np.flatnonzero(is_linear):
                gradient[j] = value / np.asarray(values, dtype=float)[j]
            return value, gradient

        return evaluate

    # Files ------------------------------------------------------------------------------------------------------------

    def to_dict(self, full_output: bool = True) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; parameters are given in full."""
        data = super().to_dict(full_output=True)
        entry = data["spectral"]
        entry["radiative_model"] = {
            "type": type(self.radiative_model).__name__,
            "particle_distribution": type(self.particle_distribution).__name__,
            **{name: _plain(getattr(self.radiative_model, name)) for name in self.radiative_model.param_names},
        }
        entry["radiative_model"].get("seed_photon_fields", {}).pop("SSC" if self.include_ssc else None, None)
        entry["distance"] = _plain(self.distance)
        if self.seed is not None:
            entry["seed"] = self.seed
        if self.nested_models:
            entry["nested_models"] = _plain(self.nested_models)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError
            If the radiative model is not described (files of gammapy do not hold it).
        MissingDependencyError
            If naima is not installed.
        """
        entry = cls._entry(data, kwargs)
        if not isinstance(entry.get("radiative_model"), Mapping):
            msg = "NaimaSpectralModel: the entry has no 'radiative_model', so that it cannot be read; make the model in a script."
            raise FormatError(msg)
        own = {par["name"]: _quantity(par) for par in entry.get("parameters") or []}
        options = {key: entry[key] for key in ("seed", "nested_models") if key in entry}
        if "nested_models" in options:
            options["nested_models"] = _values(options["nested_models"])
        new = cls(_radiative(entry["radiative_model"], own), distance=u.Quantity(entry.get("distance", "1 kpc")), **options)
        return new._holding(build_parameters(entry.get("parameters") or [], new.default_parameters, cls.__name__))

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; the radiative model is needed."""
        return cls(**kwargs)._holding(parameters)

    def copy(self, **kwargs: Any) -> Self:
        """Copy, linked to nothing, with a radiative model of its own."""
        new = super().copy(**kwargs)
        new.radiative_model = copy.deepcopy(self.radiative_model)
        return new


def _length(distance: Any) -> u.Quantity:
    own = u.Quantity(distance)
    if not (own.isscalar and own.unit.is_equivalent(u.kpc) and own.value >= 0):
        msg = f"NaimaSpectralModel: distance is {distance!r}; expected a length such as '1 kpc', or 0 kpc for luminosities."
        raise UnitError(msg)
    return own


def _naima() -> Any:
    try:
        return importlib.import_module("naima")
    except ImportError as error:
        msg = "The package naima is not installed; install it with: pip install 'geminga[naima]'."
        raise MissingDependencyError(msg) from error


def _class(name: str) -> Any:
    found = getattr(_naima().models, name, None)
    if found is None:
        msg = f"NaimaSpectralModel: naima.models has no {name!r}."
        raise NameLookupError(msg)
    return found


def _quantity(entry: Mapping[str, Any]) -> Any:
    unit = u.Unit(entry.get("unit", ""))
    return entry["value"] if unit == u.dimensionless_unscaled else u.Quantity(entry["value"], unit)


def _radiative(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """Radiative model of naima from its description and the values of the parameters."""
    options = _values({key: value for key, value in entry.items() if key not in {"type", "particle_distribution"}})
    particles, radiation = _class(entry["particle_distribution"]), _class(entry["type"])
    names = list(getattr(particles, "param_names", []))
    missing = [name for name in names if name not in values]
    if missing or not names:
        what = f"lacks the parameter {', '.join(missing)}" if missing else "cannot be made from parameters"
        msg = f"NaimaSpectralModel: particle distribution {entry['particle_distribution']!r} {what}."
        raise FormatError(msg)
    model = radiation(particles(**{name: values[name] for name in names}))
    for name, value in options.items():
        setattr(model, name, value)
    return model


def _plain(value: Any) -> Any:
    """Numbers and strings that YAML can hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, u.Quantity):
        if value.isscalar:
            return f"{float(value.value)!r} {value.unit.to_string()}".strip()
        return {"data": value.value.tolist(), "unit": value.unit.to_string()}
    return value.item() if isinstance(value, np.generic) else value


def _values(value: Any) -> Any:
    """Inverse of `_plain`."""
    if isinstance(value, Mapping):
        if set(value) == {"data", "unit"}:
            return u.Quantity(value["data"], value["unit"])
        return {key: _values(own) for key, own in value.items()}
    if isinstance(value, str) and value[:1] in "0123456789-.":
        return u.Quantity(value)
    return value
