"""Functions on observations, under the name from which scripts import them."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach("geminga.data.utils", {"geminga.data.features": ["get_irfs_features"]})
