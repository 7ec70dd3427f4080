"""Axes which all levels share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from geminga.maps import MapAxis, WcsGeom

__all__ = ["all_sky_image", "migra_axis_default", "rad_axis_default"]


@lru_cache(maxsize=1)
def all_sky_image() -> Any:
    """Whole sky in two pixels, for responses which are the same everywhere."""
    return WcsGeom.create(npix=(2, 1), proj="CAR", binsz=180)


@lru_cache(maxsize=1)
def rad_axis_default() -> Any:
    """Offsets of a PSF: 0 to 0.66 deg in 66 bins."""
    return MapAxis.from_bounds(0, 0.66, nbin=66, node_type="edges", name="rad", unit="deg")


@lru_cache(maxsize=1)
def migra_axis_default() -> Any:
    """Ratios of reconstructed to true energy: 0.2 to 5 in 48 bins."""
    return MapAxis.from_bounds(0.2, 5, nbin=48, node_type="edges", name="migra")
