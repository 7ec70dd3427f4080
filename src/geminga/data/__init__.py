"""Observations and the times they are good for."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {".gti": ["GTI"], ".metadata": ["GTIMetaData"]})
