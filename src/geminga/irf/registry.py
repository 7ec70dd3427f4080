"""All kinds of response functions, by tag."""

from geminga.irf.background.table import Background2D, Background3D
from geminga.irf.edisp.kernel import EDispKernel
from geminga.irf.edisp.map import EDispKernelMap, EDispMap
from geminga.irf.edisp.table import EnergyDispersion2D
from geminga.irf.effective_area import EffectiveAreaTable2D
from geminga.irf.psf.king import PSFKing
from geminga.irf.psf.map import PSFMap
from geminga.irf.psf.multi_gauss import EnergyDependentMultiGaussPSF
from geminga.irf.psf.reco import RecoPSFMap
from geminga.irf.psf.table import PSF3D
from geminga.irf.rad_max import RadMax2D
from geminga.utils.registry import Registry

__all__ = ["IRF_REGISTRY"]

IRF_REGISTRY = Registry(
    [
        EffectiveAreaTable2D,
        EnergyDispersion2D,
        PSF3D,
        EnergyDependentMultiGaussPSF,
        PSFKing,
        Background3D,
        Background2D,
        PSFMap,
        RecoPSFMap,
        EDispKernelMap,
        RadMax2D,
        EDispMap,
        EDispKernel,
    ]
)
