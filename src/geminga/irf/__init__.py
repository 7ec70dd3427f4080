"""Instrument response functions: on axes, and as maps."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".base": ["IRF", "FoVAlignment"],
        ".map": ["IRFMap"],
        ".effective_area": ["EffectiveAreaTable2D"],
        ".background.table": ["Background2D", "Background3D", "BackgroundIRF"],
        ".rad_max": ["RadMax2D"],
        ".load": ["load_irf_dict_from_file"],
        ".psf.table": ["PSF3D"],
        ".psf.parametric": ["ParametricPSF"],
        ".psf.multi_gauss": ["EnergyDependentMultiGaussPSF"],
        ".psf.king": ["PSFKing"],
        ".edisp.table": ["EnergyDispersion2D"],
        ".psf.map": ["PSFMap"],
        ".psf.reco": ["RecoPSFMap"],
        ".psf.kernel": ["PSFKernel"],
        ".edisp.map": ["EDispKernelMap", "EDispMap"],
        ".edisp.kernel": ["EDispKernel"],
        ".registry": ["IRF_REGISTRY"],
    },
)
