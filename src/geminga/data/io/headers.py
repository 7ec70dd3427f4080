"""What kind of table an HDU holds, from its keywords."""

from __future__ import annotations

from typing import Any

from geminga.irf.io.gadf import KINDS, irf_kind

__all__ = ["KIND_OF_CLASS", "hdu_kind"]

#: Type of each class of HDU that an index table may name.
KIND_OF_CLASS: dict[str, str] = {
    **{name: name for name in ("events", "gti", "pointing", "map")},
    **{tag: kind.type for tag, kind in KINDS.items()},
    "edisp_map": "edisp",
    "edisp_kernel_map": "edisp",
    "psf_map": "psf",
    "psf_map_reco": "psf",
}


def hdu_kind(header: Any) -> tuple[str, str] | None:
    """Type and class of a table as in index tables, such as ``("aeff", "aeff_2d")``; None if it is of no known kind.

    Tables without classes are known by the name of the HDU.
    """
    first, name = (str(header.get(key, "")).strip().lower() for key in ("HDUCLAS1", "EXTNAME"))
    for kind in ("events", "gti", "pointing"):
        if kind in {first, name}:
            return kind, kind
    return irf_kind(header)
