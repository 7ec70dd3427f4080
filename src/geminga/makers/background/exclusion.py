"""Exclusion masks: maps of bool, false where sources are and no background may be taken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError
from geminga.maps import MapCoord

__all__ = ["check_mask", "is_free"]


def check_mask(mask: Any) -> None:
    """Refuse an exclusion mask that is not one of bool."""
    if not mask.is_mask:
        msg = f"Exclusion mask has data of type {mask.frozen_data.dtype}; expected a map of bool, false where sources are."
        raise DataError(msg)


def is_free(mask: Any, lon: Any, lat: Any) -> NDArray[np.bool_]:
    """Whether positions (deg, icrs) are not excluded; nothing is outside of the mask.

    Raises
    ------
    DataError
        If the mask is not one of bool.
    """
    check_mask(mask)
    image = mask if mask.geom.is_image else mask.reduce_over_axes(np.logical_and, keepdims=False)
    found = np.asarray(image.get_by_coord(MapCoord({"lon": lon, "lat": lat}, frame="icrs")), dtype=float)
    return np.nan_to_num(found, nan=1.0) != 0
