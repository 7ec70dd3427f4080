"""Sampling of posteriors: `Sampler` and its backends."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {".base": ["Sampler"], ".result": ["SamplerResult"]})
