"""Instrument response functions: on axes, and as maps."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".base": ["IRF", "FoVAlignment"],
        ".map": ["IRFMap"],
        ".psf.map": ["PSFMap"],
        ".psf.reco": ["RecoPSFMap"],
        ".psf.kernel": ["PSFKernel"],
        ".edisp.map": ["EDispKernelMap", "EDispMap"],
        ".edisp.kernel": ["EDispKernel"],
        ".registry": ["IRF_REGISTRY"],
    },
)
