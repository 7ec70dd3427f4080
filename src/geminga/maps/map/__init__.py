"""Maps: a geometry, numbers on it, and their unit."""

from __future__ import annotations

from geminga.maps.map.base import Map
from geminga.maps.map.collection import Maps
from geminga.maps.map.measure import containment_radius, containment_region
from geminga.maps.map.region import RegionNDMap
from geminga.maps.map.wcs import WcsMap, WcsNDMap

__all__ = ["Map", "Maps", "RegionNDMap", "WcsMap", "WcsNDMap", "containment_radius", "containment_region"]
