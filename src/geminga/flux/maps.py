"""`FluxMaps`: norms on a geometry, with the reference model that gives them their units."""

from __future__ import annotations

import copy as copying
import html
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.flux import checks, derived, select
from geminga.flux.broadcast import same_axes
from geminga.flux.io import fits as files
from geminga.flux.quantities import OTHERS, SedType, all_quantities, dimensionless_name, split, with_quantities
from geminga.flux.reference import RECORDED, as_sky_model, default_reference_model, reference_of
from geminga.maps import Map
from geminga.utils.faults import Checked

__all__ = ["FluxMaps"]

log = logging.getLogger(__name__)


class _QuantityMissingError(NameLookupError, AttributeError):
    """A quantity is not there (still an `AttributeError` for those who catch it)."""


@with_quantities
class FluxMaps(Checked):
    """Fluxes on the sky in bins of energy, and perhaps of time.

    They are norms relative to a reference model; every other quantity (``dnde``, ``flux``, ``eflux``, ``e2dnde`` with their
    errors and upper limits) is converted when asked for, see `geminga.flux.quantities`.

    Parameters
    ----------
    data : dict of Map
        ``norm``, and any of ``norm_err``, ``norm_errn``, ``norm_errp``, ``norm_ul``, ``norm_sensitivity``, ``ts``, ``sqrt_ts``,
        ``stat``, ``stat_null``, ``stat_scan``, ``npred``, ``counts``, ``is_ul``, ``success``, ... on one geometry, which has an
        axis ``energy``. ``stat_scan`` has a further axis ``norm``, counts and predicted counts may have one ``dataset``.
    reference_model : SkyModel or SpectralModel
        Reference.
    meta : dict, optional
        ``n_sigma``, ``n_sigma_ul``, ``sqrt_ts_threshold_ul``, ``sed_type_init`` and anything else.
    gti : GTI, optional
        Good time intervals.
    filter_success_nan : bool
        Give NaN for fluxes whose fit did not succeed.

    Raises
    ------
    InputError
        If ``norm`` or the reference model is missing, or a quantity is not known.
    GeometryError
        If geometries do not fit together or there is no energy axis.
    UnitError
        If a norm has a unit.

    Examples
    --------
    >>> from geminga.flux import FluxMaps
    >>> from geminga.maps import Map, MapAxis
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> energy = MapAxis.from_energy_edges([1, 10], unit="TeV")
    >>> norm = Map.create(npix=2, binsz=1, axes=[energy])
    >>> norm.data += 2
    >>> maps = FluxMaps({"norm": norm}, PowerLawSpectralModel())
    >>> print(maps.flux.quantity[0, 0, 0].to("1e-12 cm-2 s-1"))
    1.8 1e-12 / (s cm2)
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        reference_model: Any,
        meta: Mapping[str, Any] | None = None,
        gti: Any = None,
        filter_success_nan: bool = True,
    ) -> None:
        self._reference_model = as_sky_model(reference_model)
        self._data = _checked(type(self).__name__, data)
        self.meta = {"sed_type_init": "likelihood"} | dict(meta or {})
        self.gti = gti
        self._filter_success_nan = bool(filter_success_nan)

    _remedy = "Correct the values, or mark the bins with success=False."

    _faults = checks.faults

    # What there is

    @property
    def geom(self) -> Any:
        """Geometry of the norm."""
        return self._data["norm"].geom

    @property
    def available_quantities(self) -> list[str]:
        """Names of the quantities that are stored."""
        return [name for name in self._data if name not in RECORDED]

    all_quantities = staticmethod(all_quantities)

    @property
    def filter_success_nan(self) -> bool:
        """Whether fluxes are NaN where the fit did not succeed."""
        return self._filter_success_nan

    @filter_success_nan.setter
    def filter_success_nan(self, value: bool) -> None:
        self._filter_success_nan = bool(value)

    def _missing(self, name: str) -> _QuantityMissingError:
        known = ", ".join(self.available_quantities)
        msg = f"{type(self).__name__}: quantity '{name}' is not defined; there are {known}."
        return _QuantityMissingError(msg)

    def _stored(self, name: str) -> Any:
        if name not in self._data:
            raise self._missing(name)
        return self._data[name]

    def __getitem__(self, name: str) -> Any:
        known = split(name) is not None or name in OTHERS or name in derived.NAMES
        if not known:
            msg = f"{type(self).__name__}: {name!r} is no quantity; there are {', '.join(self.available_quantities)}."
            raise _QuantityMissingError(msg)
        return getattr(self, name)

    # Fluxes and their reference

    def _flux_map(self, kind: SedType, suffix: str) -> Any:
        """Norm times reference."""
        name = dimensionless_name(kind.prefix + suffix)
        if name not in self._data:
            raise self._missing(kind.prefix + suffix)
        norm = self._data[name]
        if self._filter_success_nan and self.has_success and not self._success.all():
            norm = norm.copy(data=np.where(self._success, norm.frozen_data.astype(float), np.nan))
        if kind.prefix == "norm":
            return norm
        reference = self._reference(kind)
        return Map.from_geom(norm.geom, data=norm.frozen_data * reference.value, unit=reference.unit, meta=norm.meta)

    def _reference(self, kind: SedType) -> u.Quantity:
        """Reference of each bin, of a shape which broadcasts to that of the maps."""
        return reference_of(kind, self.geom, self._data, self._reference_model)

    @property
    def reference_model(self) -> Any:
        """Reference model (`SkyModel`)."""
        return self._reference_model

    @property
    def reference_spectral_model(self) -> Any:
        """Spectrum of the reference model (`SpectralModel`)."""
        return self._reference_model.spectral_model

    @property
    def reference_model_default(self) -> Any:
        """What is assumed where no reference model is given: a power law of index 2 (`SkyModel`)."""
        return default_reference_model()

    @property
    def is_convertible_to_flux_sed_type(self) -> bool:
        """Whether energy bins have edges, so that integral fluxes are defined."""
        return self.energy_axis.node_type == "edges"

    @property
    def sed_type_init(self) -> str | None:
        """Kind of flux these were made from."""
        return self.meta.get("sed_type_init")

    @property
    def sed_type_plot_default(self) -> str:
        """Kind of flux that is plotted by default: the one these were made from, ``dnde`` for norms."""
        return "dnde" if self.sed_type_init in {None, "likelihood"} else str(self.sed_type_init)

    # Energies

    energy_axis = property(lambda self: self.geom.axes["energy"], doc="Energy axis (`MapAxis`).")
    energy_ref = property(lambda self: self.energy_axis.center, doc="Reference energies (Quantity).")
    energy_min = property(lambda self: self.energy_axis.edges_min, doc="Lower edges of the energy bins (Quantity).")
    energy_max = property(lambda self: self.energy_axis.edges_max, doc="Upper edges of the energy bins (Quantity).")

    # Errors, limits, significance

    n_sigma = property(lambda self: self.meta.get("n_sigma", 1), doc="Number of standard deviations of errors.")
    n_sigma_ul = property(lambda self: self.meta.get("n_sigma_ul"), doc="Number of standard deviations of upper limits.")
    has_ul = property(lambda self: "norm_ul" in self._data, doc="Whether there are upper limits.")
    has_any_ts = property(lambda self: any(n in self._data for n in ("ts", "sqrt_ts")), doc="Whether significances are known.")
    has_stat_profiles = property(lambda self: "stat_scan" in self._data, doc="Whether there are profiles of the fit statistic.")
    has_success = property(lambda self: "success" in self._data, doc="Whether it is known which fits succeeded.")

    @property
    def _success(self) -> Any:
        return np.nan_to_num(self._data["success"].frozen_data.astype(float)) != 0

    @property
    def sqrt_ts_threshold_ul(self) -> float:
        """Significance below which a value is taken as an upper limit; setting it decides anew which ones are.

        Raises
        ------
        InputError
            On setting something that is no number.
        """
        return self.meta.get("sqrt_ts_threshold_ul", 2)

    @sqrt_ts_threshold_ul.setter
    def sqrt_ts_threshold_ul(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or np.isnan(value):
            msg = f"{type(self).__name__}: sqrt_ts_threshold_ul is {value!r}; expected a number such as 2."
            raise InputError(msg)
        self.meta["sqrt_ts_threshold_ul"] = value
        if self.has_any_ts:
            self._data.pop("is_ul", None)

    is_ul = property(derived.is_ul, derived.set_is_ul)
    ts = property(derived.ts)
    sqrt_ts = property(derived.sqrt_ts)
    ts_scan = property(derived.ts_scan)
    npred_background = property(derived.npred_background)
    npred_excess_ref = property(derived.npred_excess_ref)
    npred_excess_err = property(lambda self: derived.npred_excess_times(self, "norm_err"), doc="Error of `npred_excess`.")
    npred_excess_errn = property(lambda self: derived.npred_excess_times(self, "norm_errn"), doc="Its lower error.")
    npred_excess_errp = property(lambda self: derived.npred_excess_times(self, "norm_errp"), doc="Its upper error.")
    npred_excess_ul = property(lambda self: derived.npred_excess_times(self, "norm_ul"), doc="Its upper limit.")

    def _other(self, name: str) -> Any:
        return self._stored(name)

    # Making and selecting

    from_maps = classmethod(select.from_maps)
    from_stack = classmethod(select.from_stack)
    to_maps = select.to_maps
    iter_by_axis = select.iter_by_axis
    slice_by_idx = select.slice_by_idx
    slice_by_coord = select.slice_by_coord
    slice_by_energy = select.slice_by_energy
    slice_by_time = select.slice_by_time
    get_flux_points = select.get_flux_points

    def _like(self, data: Mapping[str, Any]) -> Any:
        """Same class, reference model and meta data with other maps."""
        return type(self)(data, self._reference_model, copying.deepcopy(self.meta), self.gti, self._filter_success_nan)

    def copy(self, reference_model: Any = None) -> Any:
        """Copy with all data.

        Parameters
        ----------
        reference_model : SkyModel or SpectralModel, optional
            Another reference model. Norms stay as they are, so that fluxes change; this is noted in the log.
        """
        data = {name: value.copy() for name, value in self._data.items()}
        new = type(self)(data, self._reference_model, copying.deepcopy(self.meta), copying.deepcopy(self.gti))
        new.filter_success_nan = self._filter_success_nan
        if reference_model is not None:
            log.warning("%s.copy: another reference model changes all fluxes, norms stay as they are.", type(self).__name__)
            new._reference_model = as_sky_model(reference_model)
            new._data = {name: value for name, value in new._data.items() if name not in RECORDED}
        return new

    # Files

    read = classmethod(files.read)
    write = files.write
    from_hdulist = classmethod(files.from_hdulist)
    to_hdulist = files.to_hdulist

    def __str__(self) -> str:
        title = type(self).__name__
        geom = self.geom
        rows = {
            "geom": type(geom).__name__,
            "axes": geom.axes_names,
            "shape": tuple(int(n) for n in geom.data_shape[::-1]),
            "quantities": self.available_quantities,
            "ref. model": self.reference_spectral_model.tag[-1],
            "n_sigma": self.n_sigma,
            "n_sigma_ul": self.n_sigma_ul,
            "sqrt_ts_threshold_ul": self.sqrt_ts_threshold_ul,
            "sed type init": self.sed_type_init,
        }
        lines = [title, "-" * len(title), "", *(f"  {key:22} : {value}" for key, value in rows.items())]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _checked(owner: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Maps by name, on geometries that fit together, norms without unit."""
    norm = data.get("norm") if isinstance(data, Mapping) else None
    if not isinstance(norm, Map):
        names = sorted(data) if isinstance(data, Mapping) else type(data).__name__
        msg = f"{owner}: data have no map 'norm' ({names}); give the norms, or fluxes to {owner}.from_maps."
        raise InputError(msg)
    if "energy" not in norm.geom.axes.names:
        msg = f"{owner}: the maps have the axes {norm.geom.axes.names}; expected one named 'energy' among them."
        raise GeometryError(msg)
    maps: dict[str, Any] = {}
    for name, value in data.items():
        kind = split(name)
        if (kind is None and name not in OTHERS and name not in RECORDED) or (kind is not None and kind[0].prefix != "norm"):
            known = ", ".join(all_quantities("likelihood"))
            msg = f"{owner}: quantity {name!r} cannot be stored; expected one of {known}; give other fluxes to {owner}.from_maps."
            raise InputError(msg)
        if not isinstance(value, Map):
            msg = f"{owner}: quantity {name!r} is a {type(value).__name__}; expected a Map."
            raise InputError(msg)
        if not same_axes(norm.geom, value.geom):
            msg = f"{owner}: quantity {name!r} has the geometry {value.geom}, which does not fit that of the norm, {norm.geom}."
            raise GeometryError(msg)
        maps[name] = value.to_unit("") if kind is not None and value.unit != u.dimensionless_unscaled else value
    return maps
