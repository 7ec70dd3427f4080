"""Masks on the geometry of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.irf.points import field_points, icrs_vector
from geminga.makers.map import pointing_of
from geminga.maps import Map

__all__ = ["near_pointing", "uniform_mask"]


def uniform_mask(geom: Any, value: bool) -> Any:
    """Map of bool that is the same everywhere."""
    return Map.from_geom(geom, data=np.full(geom.data_shape, value), dtype=bool)


def near_pointing(observation: Any, geom: Any, limit: float) -> NDArray[np.bool_]:
    """Image: pixel centres nearer to the pointing of an observation than a limit in deg."""
    points = field_points(geom)
    offset = points.offset(icrs_vector(pointing_of(observation)))
    return np.asarray(points.image((offset < limit)[np.newaxis])[0])
