"""Responses that come as maps already, as for water Cherenkov observatories: brought to the geometry of a dataset."""

from __future__ import annotations

from typing import Any

from geminga.irf import IRFMap
from geminga.maps import Map

__all__ = ["exposure_on", "is_map", "response_on"]


def is_map(irf: Any) -> bool:
    """Whether a response is a map, not a table of the field of view."""
    return isinstance(irf, (Map, IRFMap))


def exposure_on(geom: Any, exposure: Any) -> Any:
    """Exposure map interpolated on the pixels of a geometry, which may have further axes of one bin."""
    simple = exposure.interp_to_geom(geom.to_image().to_cube([geom.axes["energy_true"]]))
    data = simple.frozen_data.reshape(geom.data_shape)
    return Map.from_geom(geom, data=data, unit=simple.unit, meta=exposure.meta, dtype=data.dtype)


def response_on(geom: Any, irf: Any, exposure: Any) -> Any:
    """PSF or energy dispersion map interpolated on the pixels of a geometry, with another exposure.

    Parameters
    ----------
    geom : Geom
        Geometry with the axes of the response.
    irf : IRFMap
        Response.
    exposure : Map, optional
        Exposure on the pixels and true energies of the geometry.
    """
    kind = type(irf)
    own = getattr(irf, "psf_map", None)
    return kind((irf.edisp_map if own is None else own).interp_to_geom(geom), exposure)
