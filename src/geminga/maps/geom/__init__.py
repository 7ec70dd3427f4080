"""Geometries: a part of the sky, in pixels (`WcsGeom`) or as one region (`RegionGeom`), times axes."""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {".base": ["Geom"], ".wcs": ["WcsGeom"], ".region": ["RegionGeom"]},
)
