r"""The table of flux quantities: every name, unit and conversion of fluxes is derived from it.

A flux is stored as a norm relative to a reference model; ``quantity = norm * reference``. The reference of a bin is

========  =========================  ==========================
SED type  reference                  unit in tables
========  =========================  ==========================
dnde      dN/dE at ``e_ref``         cm-2 s-1 TeV-1
e2dnde    dN/dE times E\ :sup:`2`     erg cm-2 s-1
flux      integral over the bin      cm-2 s-1
eflux     integral of E dN/dE        erg cm-2 s-1
norm      1                          (none)
========  =========================  ==========================

Each comes as value, error (``_err``), lower and upper error (``_errn``, ``_errp``), upper limit (``_ul``) and sensitivity. The
SED type ``likelihood`` of files is the norm together with the reference values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import NameLookupError

__all__ = [
    "DEFAULT_UNITS",
    "FORMATS",
    "OTHERS",
    "SED_TYPES",
    "SUFFIXES",
    "SedType",
    "all_quantities",
    "dimensionless_name",
    "find_sed_type",
    "guess_sed_type",
    "split",
    "with_quantities",
]


@dataclass(frozen=True)
class SedType:
    """A kind of flux.

    Attributes
    ----------
    name : str
        Name in files and arguments.
    prefix : str
        First part of the names of its quantities.
    unit : Unit
        Unit in tables.
    internal_unit : Unit
        Unit of maps: that of tables with TeV for energy.
    text : str
        What it is, for documentation.
    needs_edges : bool
        Whether it is an integral over an energy bin.
    formula : callable
        Takes a spectral model and an energy axis; returns the reference of each bin (Quantity).
    """

    name: str
    prefix: str
    unit: u.UnitBase
    internal_unit: u.UnitBase
    text: str
    needs_edges: bool
    formula: Callable[[Any, Any], u.Quantity]

    def reference(self, spectrum: Any, axis: Any) -> u.Quantity:
        """Reference of each bin of an energy axis, in `internal_unit`."""
        return self.formula(spectrum, axis).to(self.internal_unit)


_DNDE, _FLUX, _NORM = u.Unit("cm-2 s-1 TeV-1"), u.Unit("cm-2 s-1"), u.dimensionless_unscaled
_ERG, _TEV = u.Unit("erg cm-2 s-1"), u.Unit("TeV cm-2 s-1")


def _dnde(spectrum: Any, axis: Any) -> u.Quantity:
    return spectrum(axis.center)


def _e2dnde(spectrum: Any, axis: Any) -> u.Quantity:
    return spectrum(axis.center) * axis.center**2


def _flux(spectrum: Any, axis: Any) -> u.Quantity:
    return spectrum.integral(axis.edges_min, axis.edges_max)


def _eflux(spectrum: Any, axis: Any) -> u.Quantity:
    return spectrum.energy_flux(axis.edges_min, axis.edges_max)


def _one(spectrum: Any, axis: Any) -> u.Quantity:
    return u.Quantity(np.ones(axis.nbin))


#: Kinds of flux by name, in the order in which the kind of a table is guessed.
SED_TYPES: dict[str, SedType] = {
    kind.name: kind
    for kind in (
        SedType("dnde", "dnde", _DNDE, _DNDE, "Differential flux", False, _dnde),
        SedType("e2dnde", "e2dnde", _ERG, _TEV, "Differential flux times energy squared", False, _e2dnde),
        SedType("flux", "flux", _FLUX, _FLUX, "Integral flux", True, _flux),
        SedType("eflux", "eflux", _ERG, _TEV, "Integral energy flux", True, _eflux),
        SedType("likelihood", "norm", _NORM, _NORM, "Norm relative to the reference model", False, _one),
    )
}

#: Endings of the names of a flux, and what they mean.
SUFFIXES: dict[str, str] = {
    "": "",
    "_err": ", symmetric error",
    "_errn": ", lower error",
    "_errp": ", upper error",
    "_ul": ", upper limit",
    "_sensitivity": ", sensitivity",
}

#: Quantities that are no fluxes, and what they mean.
OTHERS: dict[str, str] = {
    "ts": "Test statistic of the source, ``stat_null - stat``",
    "sqrt_ts": "Square root of the test statistic, signed as the norm",
    "npred": "Predicted counts of all models, for each dataset",
    "npred_excess": "Predicted counts of the source, for each dataset",
    "stat": "Fit statistic at the best norm",
    "stat_null": "Fit statistic without the source",
    "stat_scan": "Fit statistic on the axis ``norm``",
    "dnde_scan_values": "Differential flux at the nodes of `stat_scan`, where these differ from bin to bin",
    "niter": "Number of iterations",
    "is_ul": "Whether the value is an upper limit",
    "counts": "Counts, for each dataset",
    "success": "Whether the fit succeeded",
    "correlation": "Correlation with the other energies, on the axis ``energy_other``",
    "n_dof": "Number of degrees of freedom",
    "alpha": "Ratio of the acceptances of the on and the off region",
    "acceptance_on": "Acceptance of the on region",
    "acceptance_off": "Acceptance of the off region",
}

#: Units of quantities that are no fluxes and have one.
DEFAULT_UNITS: dict[str, u.UnitBase] = {"dnde_scan_values": SED_TYPES["dnde"].unit}

#: How columns are shown in formatted tables.
FORMATS: dict[str, str] = {
    **dict.fromkeys(("e_ref", "e_min", "e_max", "norm_scan", "ts", "sqrt_ts", "stat", "stat_null", "stat_scan"), ".3f"),
    **{f"{k.prefix}{s}": ".3f" if k.prefix == "norm" else ".3e" for k in SED_TYPES.values() for s in SUFFIXES},
    **dict.fromkeys(("ref_dnde", "ref_flux", "ref_eflux", "dnde_scan_values"), ".3e"),
}

_ALIASES = {"norm": "likelihood"}
_FLUXES = {f"{kind.prefix}{suffix}": (kind, suffix) for kind in SED_TYPES.values() for suffix in SUFFIXES}


def find_sed_type(name: str | None) -> SedType:
    """Kind of flux by name; ``norm`` is another word for ``likelihood``.

    Raises
    ------
    NameLookupError
        If there is no such kind.
    """
    key = str(name).strip().lower()
    key = _ALIASES.get(key, key)
    if key not in SED_TYPES:
        msg = f"SED type {name!r} is not known; expected one of {', '.join(SED_TYPES)}."
        raise NameLookupError(msg)
    return SED_TYPES[key]


def all_quantities(sed_type: str) -> list[str]:
    """Names of all quantities that a table or file of this SED type may hold.

    Raises
    ------
    NameLookupError
        If there is no such SED type.

    Examples
    --------
    >>> from geminga.flux import FluxMaps
    >>> FluxMaps.all_quantities("flux")[:3]
    ['flux', 'flux_err', 'flux_errn']
    """
    prefix = find_sed_type(sed_type).prefix
    return [prefix + suffix for suffix in SUFFIXES] + list(OTHERS)


def split(quantity: str) -> tuple[SedType, str] | None:
    """Kind and ending of the name of a flux, ``None`` if it is no flux.

    Examples
    --------
    >>> from geminga.flux.quantities import split
    >>> split("e2dnde_ul")[0].name, split("e2dnde_ul")[1], split("ts")
    ('e2dnde', '_ul', None)
    """
    return _FLUXES.get(quantity)


def dimensionless_name(quantity: str) -> str:
    """Name under which a quantity is stored: the norm for a flux, others as they are."""
    found = split(quantity)
    return quantity if found is None else f"norm{found[1]}"


def guess_sed_type(names: Collection[str]) -> SedType | None:
    """Kind of flux of which there is a value, ``None`` if there is none."""
    return next((kind for kind in SED_TYPES.values() if kind.prefix in names), None)


def with_quantities(cls: type) -> type:
    """Class decorator: a property for each name of the table.

    The class offers ``_flux_map(kind, suffix)``, ``_reference(kind)`` and ``_other(name)``.
    """
    for name, (kind, suffix) in _FLUXES.items():
        _add(cls, name, "_flux_map", kind, suffix, text=f"{kind.text}{SUFFIXES[suffix]} (`Map`).")
    for kind in SED_TYPES.values():
        if kind.prefix != "norm":
            text = f"{kind.text} of the reference model (Quantity), of a shape which broadcasts to that of the maps."
            _add(cls, f"{kind.prefix}_ref", "_reference", kind, text=text)
    for name, text in OTHERS.items():
        if name not in vars(cls):
            _add(cls, name, "_other", name, text=f"{text} (`Map`).")
    return cls


def _add(cls: type, name: str, method: str, *arguments: Any, text: str) -> None:
    """Property that calls a method with arguments."""

    def get(self: Any) -> Any:
        return getattr(self, method)(*arguments)

    setattr(cls, name, property(get, doc=text))
