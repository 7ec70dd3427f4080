"""All kinds of response functions, by tag."""

from geminga.irf.edisp.kernel import EDispKernel
from geminga.irf.edisp.map import EDispKernelMap, EDispMap
from geminga.irf.psf.map import PSFMap
from geminga.irf.psf.reco import RecoPSFMap
from geminga.utils.registry import Registry

__all__ = ["IRF_REGISTRY"]

IRF_REGISTRY = Registry([PSFMap, RecoPSFMap, EDispKernelMap, EDispMap, EDispKernel])
