"""All kinds of makers, by tag."""

from geminga.makers.background.fov import FoVBackgroundMaker
from geminga.makers.chain import DatasetsMaker
from geminga.makers.map import MapDatasetMaker
from geminga.makers.safe_mask import SafeMaskMaker
from geminga.makers.spectrum import SpectrumDatasetMaker
from geminga.utils.registry import Registry

__all__ = ["MAKER_REGISTRY"]

MAKER_REGISTRY = Registry([FoVBackgroundMaker, SpectrumDatasetMaker, MapDatasetMaker, SafeMaskMaker, DatasetsMaker])
