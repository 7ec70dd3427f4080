"""What kind of table an HDU holds, from its keywords."""

from __future__ import annotations

from typing import Any

__all__ = ["KIND_OF_CLASS", "hdu_kind"]

# HDUCLAS2 of response functions, and their type in index tables.
_TYPES = {"EFF_AREA": "aeff", "EDISP": "edisp", "RPSF": "psf", "PSF": "psf", "BKG": "bkg", "RAD_MAX": "rad_max"}

#: Type of each class of HDU that an index table may name.
KIND_OF_CLASS = {
    "events": "events",
    "gti": "gti",
    "pointing": "pointing",
    "aeff_2d": "aeff",
    "edisp_2d": "edisp",
    "edisp_map": "edisp",
    "edisp_kernel_map": "edisp",
    "psf_table": "psf",
    "psf_3gauss": "psf",
    "psf_king": "psf",
    "psf_map": "psf",
    "psf_map_reco": "psf",
    "bkg_2d": "bkg",
    "bkg_3d": "bkg",
    "rad_max_2d": "rad_max",
    "map": "map",
}


def hdu_kind(header: Any) -> tuple[str, str] | None:
    """Type and class of a table as in index tables, such as ``("aeff", "aeff_2d")``; None if it is of no known kind.

    Some files write the short ``HDUCLAS4 = "2D"`` instead of ``"AEFF_2D"``.
    """
    first, second, fourth = (str(header.get(key, "")).strip().upper() for key in ("HDUCLAS1", "HDUCLAS2", "HDUCLAS4"))
    if first in {"EVENTS", "GTI", "POINTING"}:
        return first.lower(), first.lower()
    kind = _TYPES.get(second)
    if first != "RESPONSE" or kind is None:
        return None
    name = fourth.lower()
    for candidate in (name, f"{kind}_{name}"):
        if KIND_OF_CLASS.get(candidate) == kind:
            return kind, candidate
    return None
