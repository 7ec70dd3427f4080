"""What is wrong with fluxes: all faults at once, each with its bin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geminga.utils.faults import where

__all__ = ["faults"]

_ROUNDING = 1e-6


def faults(self: Any) -> Iterator[str]:
    """Infinite values, negative errors and counts, and limits below the value they are limits of.

    NaN stands for what is not known, which is no fault.
    """
    maps, norm = self._data, self._data["norm"]
    for name, bad in _bad_bins(maps, norm.frozen_data):
        places = np.argwhere(bad & self._success if self.has_success else bad)
        if len(places):
            own = maps[name.split(" ")[0]]
            yield f"{name} in {len(places)} bins, {where(own.frozen_data, own.geom.axes[::-1], places)}"


def _bad_bins(maps: Any, norm: Any) -> Iterator[tuple[str, Any]]:
    for name, own in maps.items():
        data = own.frozen_data
        if data.shape != norm.shape or data.dtype.kind != "f":
            continue
        yield f"{name} is infinite", np.isinf(data)
        if name in {"norm_err", "norm_errn", "norm_errp", "counts", "npred"}:
            yield f"{name} is negative", data < 0
    if "norm_ul" in maps and maps["norm_ul"].frozen_data.shape == norm.shape:
        limit = maps["norm_ul"].frozen_data
        yield "norm_ul is below norm", limit < norm - _ROUNDING * np.abs(norm)
