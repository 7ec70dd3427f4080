"""Good time intervals beside fluxes in a file."""

from __future__ import annotations

from typing import Any

from geminga.data import GTI

__all__ = ["gti_from_hdulist"]


def gti_from_hdulist(hdulist: Any) -> Any:
    """Good time intervals of the HDU ``GTI``, ``None`` if there is none."""
    return GTI.from_table_hdu(hdulist["GTI"]) if "GTI" in hdulist else None
