"""Maps: numbers on a pixelised sky (or in a region of it) times further axes, mostly energy.

`MapAxis` and its kin make an axis, `WcsGeom` and `RegionGeom` join axes with a part of the sky, `Map` holds the numbers.
"""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".axes.label": ["LabelMapAxis"],
        ".axes.collection": ["MapAxes"],
        ".axes.map": ["MapAxis"],
        ".axes.time": ["TimeMapAxis"],
        ".coord": ["MapCoord"],
        ".geom": ["Geom", "RegionGeom", "WcsGeom"],
        ".map": ["Map", "Maps", "RegionNDMap", "WcsMap", "WcsNDMap", "containment_radius", "containment_region"],
    },
)
