"""How each kind of response stands in a file, for those who write tables themselves."""

from __future__ import annotations

from typing import Any

from geminga.irf.io.gadf import KINDS, class_keywords
from geminga.irf.registry import IRF_REGISTRY

__all__ = ["IRF_DL3_HDU_SPECIFICATION"]


def _specification(tag: str) -> dict[str, Any]:
    """Name of the HDU, column of the data (of each parameter, if there are several), and keywords."""
    kind = KINDS[tag]
    parameters = getattr(IRF_REGISTRY.get_cls(tag), "required_parameters", None)
    return {
        "extname": kind.extname,
        "column_name": {name: name.upper() for name in parameters} if parameters else kind.columns[0],
        "mandatory_keywords": class_keywords(tag, is_pointlike=False) | ({"FOVALIGN": "RADEC"} if kind.type == "bkg" else {}),
    }


IRF_DL3_HDU_SPECIFICATION = {tag: _specification(tag) for tag in KINDS}
