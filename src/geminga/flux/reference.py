"""The reference model of fluxes: what norms are relative to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.flux.broadcast import along
from geminga.flux.quantities import SedType
from geminga.modeling.models import PowerLawSpectralModel, SkyModel, TemplateSpectralModel

__all__ = ["RECORDED", "as_sky_model", "assume_default", "default_reference_model", "model_through", "reference_of"]

log = logging.getLogger(__name__)

#: Reference values as a file recorded them; they win over those of a model that only interpolates them.
RECORDED = ("ref_dnde", "ref_flux", "ref_eflux")


def default_reference_model() -> Any:
    """Power law of index 2 (`SkyModel`)."""
    return SkyModel(spectral_model=PowerLawSpectralModel(index=2))


def assume_default(owner: str) -> Any:
    """The default reference model; that it is assumed is noted in the log."""
    log.warning("%s: no reference model is given, a power law of index 2 is assumed.", owner)
    return default_reference_model()


def as_sky_model(model: Any) -> Any:
    """Reference model as a `SkyModel`.

    Raises
    ------
    InputError
        If it has no spectrum.
    """
    if hasattr(model, "spectral_model"):
        return model
    if model is None or not hasattr(model, "integral"):
        msg = (
            f"Fluxes need a reference model, got {model!r}; expected a SkyModel or a SpectralModel. Norms without one have no "
            "meaning; fluxes in units can be given to from_maps or from_table, which assume a power law of index 2."
        )
        raise InputError(msg)
    return SkyModel(spectral_model=model)


def model_through(energy: u.Quantity, dnde: u.Quantity) -> Any:
    """Spectrum that interpolates differential fluxes (`SkyModel`), ``None`` if there is no positive one."""
    good = np.isfinite(dnde.value) & (dnde.value > 0) & (energy.value > 0)
    if not good.any():
        return None
    order = np.argsort(energy.value[good])
    return SkyModel(spectral_model=TemplateSpectralModel(energy=energy[good][order], values=dnde[good][order]))


def reference_of(kind: SedType, geom: Any, maps: Mapping[str, Any], model: Any) -> u.Quantity:
    """Reference of each bin, of a shape which broadcasts to data on a geometry: as recorded among maps, else of a model.

    Raises
    ------
    InputError
        If the kind is an integral over bins, and energies have no edges.
    """
    axis = geom.axes["energy"]
    if kind.needs_edges and axis.node_type != "edges":
        msg = f"Energies are given without bin edges, so that there is no SED type {kind.name!r}; use 'dnde' or 'e2dnde'."
        raise InputError(msg)
    recorded = maps.get("ref_dnde" if kind.prefix == "e2dnde" else f"ref_{kind.prefix}")
    if recorded is None:
        return along(geom, "energy", kind.reference(model.spectral_model, axis))
    if kind.prefix == "e2dnde":
        return (recorded.quantity * along(geom, "energy", axis.center) ** 2).to(kind.internal_unit)
    return recorded.quantity.to(kind.internal_unit)
