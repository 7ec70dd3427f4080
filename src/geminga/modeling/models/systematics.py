"""Systematic errors of the response and background of datasets, as parameters with priors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import DataError, InputError, NameLookupError
from geminga.modeling.covariance import translated
from geminga.modeling.models.base import ModelBase, build_parameters, without_defaults
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.named import NamedModel, as_names
from geminga.modeling.models.spectral.template import read_column
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["SystematicsModel"]

Array = NDArray[np.float64]
#: What a parameter does to a factor: the parameter, whether it is a norm (else an exponent), and its row over the bins.
Row = tuple[Parameter, bool, Array]

_BANDS = ("background_norm", "background_tilt")


def _neutral(name: str) -> float:
    """Value of a parameter at which it has no effect."""
    return 1.0 if "scale" in name or "norm" in name else 0.0


def _defaults(n_bands: int) -> Parameters:
    """All parameters without any effect."""
    names = ["area_scale", "area_slope", "energy_scale", "psf_scale"]
    for i in range(n_bands):
        names += [f"background_norm_{i}", f"background_tilt_{i}"]
    return Parameters(_default(name) for name in names)


def _default(name: str) -> Parameter:
    """A parameter without effect; norms are not negative, and scales of energy and width near one."""
    low, high = (0.0, np.nan) if _neutral(name) else (np.nan, np.nan)
    if name in {"energy_scale", "psf_scale"}:
        low, high = 0.2, 5.0
    return Parameter(name, _neutral(name), min=low, max=high, frozen=True)


class SystematicsModel(NamedModel):
    r"""Systematic errors shared by some datasets, as parameters of the fit.

    With E the true energy, all are neutral at 1 or 0:

    * ``area_scale`` s, ``area_slope`` b: the effective area is multiplied by :math:`s\,(E / E_0)^{b}`;
    * ``energy_scale`` z: a photon of energy E is seen as one of :math:`z\,E`, with area, dispersion and PSF of that energy;
    * ``psf_scale``: the PSF is that many times as wide;
    * ``background_norm_0`` n, ``background_tilt_0`` t, ...: the background in a band of reconstructed energy is multiplied by
      :math:`n\,(e / E_i)^{-t}`; :math:`E_i` is the logarithmic centre of the band, or :math:`E_0` without bands. Where the
      background is measured in an off region, this is a factor on the ratio of acceptances.

    All are frozen where they have no effect, but for those which are given: a prior makes a parameter free, a number sets it,
    a `Parameter` is taken over, which links it. The effects of several models on one dataset multiply.

    Parameters
    ----------
    datasets_names : str or list of str, optional
        Datasets which share the errors; all if not given.
    energy_edges : Quantity, optional
        Edges of the bands of the background, shape (n + 1,); one band for all energies if not given. Beyond the ends the
        background is left alone.
    reference : Quantity
        Reference energy of the slope, 1 TeV.
    name : str, optional
        Name; random if not given.
    covariance_data : array, optional
        Covariance of its parameters.
    **parameters
        Prior, number or `Parameter` by name. ``background_norm`` and ``background_tilt`` without a number stand for all bands.

    Raises
    ------
    NameLookupError
        If there is no parameter of that name.
    DataError
        If the edges do not increase.

    Examples
    --------
    Ten per cent on the effective area of two datasets together, and one per cent on the background of each of two bands:

    >>> from geminga.modeling.models import GaussianPrior, SystematicsModel
    >>> model = SystematicsModel(
    ...     ["run-1", "run-2"],
    ...     energy_edges=[0.1, 1, 10] * u.TeV,
    ...     area_scale=GaussianPrior(mu=1, sigma=0.1),
    ...     background_norm=GaussianPrior(mu=1, sigma=0.01),
    ...     name="array",
    ... )
    >>> model.parameters.free_parameters.names
    ['area_scale', 'background_norm_0', 'background_norm_1']
    """

    tag: ClassVar[Any] = ["SystematicsModel", "systematics"]
    _type = "systematic"
    is_systematic: ClassVar[bool] = True
    _kinds = ()
    _dict_keys = frozenset({"name", "type", "datasets_names", "energy_edges", "reference", "parameters"})

    def __init__(
        self,
        datasets_names: Any = None,
        energy_edges: Any = None,
        reference: Any = "1 TeV",
        name: str | None = None,
        covariance_data: Any = None,
        **parameters: Any,
    ) -> None:
        self._name = self._checked_name(name)
        self.datasets_names = datasets_names
        self._energy_edges = _checked_edges(energy_edges)
        self._reference = as_energy(reference, "SystematicsModel: reference")
        self._log_reference = float(np.log(self._reference.to_value("TeV")))
        defaults = _defaults(self.n_bands)
        given = _by_parameter(parameters, defaults)
        self.default_parameters = defaults
        ModelBase.__init__(self, **{key: value for key, value in given.items() if not _is_prior(value)})
        for key, value in given.items():
            if _is_prior(value):
                own = self.__dict__[key]
                own.prior, own.frozen = value.copy(), False
        # Free by default is what was made free here.
        self.default_parameters = Parameters(p.copy() for p in self.parameters)
        if covariance_data is not None:
            self.covariance = covariance_data

    parameters = ModelBase.parameters
    parameters_unique_names = ModelBase.parameters_unique_names

    @property
    def energy_edges(self) -> u.Quantity | None:
        """Edges of the bands of the background, None for one band with all energies."""
        return self._energy_edges

    @property
    def reference(self) -> u.Quantity:
        """Reference energy of ``area_slope``."""
        return self._reference

    @property
    def n_bands(self) -> int:
        """Number of bands of the background."""
        return 1 if self._energy_edges is None else len(self._energy_edges) - 1

    def _selected(self, model_type: Any) -> list[Any]:
        super()._selected(model_type)  # refuses what is no kind
        return []

    def freeze(self, model_type: Any = None) -> None:
        """Freeze all parameters; those of a kind of component ("spectral", ...) are none."""
        if model_type is None:
            ModelBase.freeze(self)

    def unfreeze(self, model_type: Any = None) -> None:
        """Free the parameters which were free when the model was made; arguments as of `freeze`."""
        if model_type is None:
            ModelBase.unfreeze(self)

    # ---- what the forward layer asks for --------------------------------------------------------

    @property
    def active(self) -> tuple[Parameter, ...]:
        """Parameters which have, or may get, an effect: free, or not at the value without one."""
        own = (self.__dict__[name] for name in self.default_parameters.names)
        return tuple(p for p in own if not p.frozen or p.value != _neutral(p.name))

    def _area_rows(self, x: Array) -> list[Row]:
        """Parameters of the effective area, with their rows at ``x = ln(E / TeV)`` of the true energy."""
        own = self.__dict__
        return [(own["area_scale"], True, np.ones(len(x))), (own["area_slope"], False, x - self._log_reference)]

    def _background_rows(self, x: Array) -> list[Row]:
        """Parameters of the background, with their rows at ``x = ln(E / TeV)`` of the reconstructed energy."""
        edges = np.array([-np.inf, np.inf]) if self._energy_edges is None else np.log(self._energy_edges.to_value("TeV"))
        rows: list[Row] = []
        for i, (low, high) in enumerate(itertools.pairwise(edges)):
            inside = (x >= low) & (x < high)
            center = self._log_reference if self._energy_edges is None else 0.5 * (low + high)
            rows.append((self.__dict__[f"background_norm_{i}"], True, inside.astype(float)))
            rows.append((self.__dict__[f"background_tilt_{i}"], False, np.where(inside, center - x, 0.0)))
        return rows

    # ---- copies and files -----------------------------------------------------------------------

    def copy(self, name: str | None = None, copy_data: bool = False, **kwargs: Any) -> Self:
        """Copy, linked to nothing; the covariance is kept.

        Parameters
        ----------
        name : str, optional
            Name of the copy; random if not given.
        copy_data : bool
            Without effect, there are no data.
        **kwargs
            Replacements for other arguments of the class.
        """
        own = {p.name: p.copy() for p in self.parameters}
        arguments = {"datasets_names": self.datasets_names, "energy_edges": self.energy_edges, "reference": self.reference}
        replaced = {**own, **arguments, "name": name, **kwargs}
        new = type(self)(**replaced)
        if "covariance_data" not in kwargs:
            pairs = zip(self.parameters, new.parameters, strict=True)
            new._blocks = translated(self._blocks, dict(pairs))
        return new

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; parameters without effect only with `full_output`."""
        data: dict[str, Any] = {"name": self.name, "type": self.tag[0]}
        if self.datasets_names is not None:
            data["datasets_names"] = list(self.datasets_names)
        if self._energy_edges is not None:
            data["energy_edges"] = {"data": self._energy_edges.value.tolist(), "unit": str(self._energy_edges.unit)}
        data["reference"] = str(self._reference)
        entries = []
        for parameter, neutral in zip(self.parameters, _defaults(self.n_bands), strict=True):
            entry = parameter.to_dict()
            if full_output:
                entries.append(entry)
            elif parameter in self.active or parameter.prior is not None:
                entries.append(without_defaults(entry, neutral.to_dict()))
        data["parameters"] = entries
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
        edges = read_column(entry, "energy_edges", cls.__name__) if entry.get("energy_edges") is not None else None
        defaults = _defaults(1 if edges is None else max(np.size(edges) - 1, 1))
        given = list(entry.get("parameters") or [])
        named = {own.get("name") for own in given if isinstance(own, Mapping)}
        absent = [default.to_dict() for default in defaults if default.name not in named]
        parameters = build_parameters([*given, *absent], defaults, cls.__name__)
        own = {
            "datasets_names": as_names(entry.get("datasets_names")),
            "energy_edges": edges,
            "reference": entry.get("reference", "1 TeV"),
            "name": entry.get("name"),
        }
        return cls(**({p.name: p for p in parameters} | own | kwargs))

    def _header_lines(self) -> list[tuple[str, str]]:
        lines = super()._header_lines()
        return lines if self._energy_edges is None else [*lines, ("Energy edges", str(self._energy_edges))]

    def __repr__(self) -> str:
        active = ", ".join(p.name for p in self.active) or "none"
        return f"SystematicsModel(name={self.name!r}, datasets_names={self.datasets_names}, active: {active})"


def _is_prior(value: Any) -> bool:
    return isinstance(value, ModelBase) and value.type == "prior"


def _checked_edges(edges: Any) -> u.Quantity | None:
    if edges is None:
        return None
    edges = np.atleast_1d(as_energy(edges, "SystematicsModel: energy_edges"))
    if edges.ndim != 1 or len(edges) < 2 or not edges[0] > 0 or not np.all(np.diff(edges.value) > 0):
        msg = f"SystematicsModel: energy_edges is {edges}; expected at least 2 increasing positive energies."
        raise DataError(msg)
    return edges


def _by_parameter(given: Mapping[str, Any], defaults: Parameters) -> dict[str, Any]:
    """What was given for each parameter; names without number stand for all bands."""
    known = defaults.names
    out: dict[str, Any] = {}
    for key, value in given.items():
        names = [name for name in known if name.rpartition("_")[0] == key] if key in _BANDS else [key]
        if key not in _BANDS and key not in known:
            msg = (
                f"SystematicsModel has no parameter {key!r}; known: {', '.join(known)}, and {' and '.join(_BANDS)} for all bands."
            )
            raise NameLookupError(msg)
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        if is_list and (key not in _BANDS or len(value) != len(names)):
            msg = f"SystematicsModel: {key} got {len(value)} values; expected one, or one for each of {len(names)} bands."
            raise InputError(msg)
        out |= dict(zip(names, value if is_list else [value] * len(names), strict=True))
    return out
