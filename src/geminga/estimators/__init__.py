"""Products: spectra, light curves and maps.

`FluxPoints` and `FluxMaps` hold fluxes in any quantity; they live in `geminga.flux`.
"""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"geminga.flux": ["FluxMaps", "FluxMetaData", "FluxPoints"]},
)
