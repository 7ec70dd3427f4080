"""Formats of the Fermi tools: as gadf, with the energies under another name, and units that are not written but known."""

from __future__ import annotations

from typing import Any

from geminga.maps.io.registry import WCS_FORMATS, WcsFormat

__all__: list[str] = []


def _template_unit(hdulist: Any) -> str:
    """Unit of a cube without BUNIT: an exposure if there are good time intervals, else the flux of a diffuse model."""
    return "cm2 s" if any(hdu.name == "GTI" for hdu in hdulist) else "cm-2 s-1 MeV-1 sr-1"


_ENERGIES = ("energy", "energy_true")
WCS_FORMATS["fgst-ccube"] = WcsFormat("EBOUNDS", _ENERGIES)
WCS_FORMATS["fgst-template"] = WcsFormat("ENERGIES", _ENERGIES, _template_unit)
WCS_FORMATS["fgst-bexpcube"] = WcsFormat("ENERGIES", _ENERGIES, lambda _: "cm2 s")
