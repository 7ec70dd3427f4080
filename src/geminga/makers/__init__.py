"""From observations to datasets."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".base": ["Maker"],
        ".map": ["MapDatasetMaker"],
        ".spectrum": ["SpectrumDatasetMaker"],
        ".safe_mask": ["SafeMaskMaker"],
        ".chain": ["DatasetsMaker", "ReductionFailure"],
        ".background.adaptive_ring": ["AdaptiveRingBackgroundMaker"],
        ".background.phase": ["PhaseBackgroundMaker"],
        ".background.reflected": ["ReflectedRegionsBackgroundMaker"],
        ".background.regions": ["ReflectedRegionsFinder", "RegionsFinder", "WobbleRegionsFinder"],
        ".background.ring": ["RingBackgroundMaker"],
        ".background.fov": ["FoVBackgroundMaker"],
        ".registry": ["MAKER_REGISTRY"],
    },
)
