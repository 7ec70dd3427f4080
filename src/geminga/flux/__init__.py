"""Fluxes: points, light curves, profiles and maps, in any flux quantity.

Which one do I want? One position, with tables and plots: `FluxPoints`. A map of the sky: `FluxMaps`.
All quantities are norms relative to a reference model; the table in `geminga.flux.quantities` says how they convert.
"""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {".maps": ["FluxMaps"], ".metadata": ["FluxMetaData"], ".points": ["FluxPoints"]},
)
