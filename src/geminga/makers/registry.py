"""All kinds of makers, by tag."""

from geminga.makers.background.adaptive_ring import AdaptiveRingBackgroundMaker
from geminga.makers.background.fov import FoVBackgroundMaker
from geminga.makers.background.phase import PhaseBackgroundMaker
from geminga.makers.background.reflected import ReflectedRegionsBackgroundMaker
from geminga.makers.background.ring import RingBackgroundMaker
from geminga.makers.chain import DatasetsMaker
from geminga.makers.map import MapDatasetMaker
from geminga.makers.safe_mask import SafeMaskMaker
from geminga.makers.spectrum import SpectrumDatasetMaker
from geminga.utils.registry import Registry

__all__ = ["MAKER_REGISTRY"]

MAKER_REGISTRY = Registry(
    [
        ReflectedRegionsBackgroundMaker,
        AdaptiveRingBackgroundMaker,
        FoVBackgroundMaker,
        PhaseBackgroundMaker,
        RingBackgroundMaker,
        SpectrumDatasetMaker,
        MapDatasetMaker,
        SafeMaskMaker,
        DatasetsMaker,
    ]
)
