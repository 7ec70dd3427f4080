"""Files of response functions."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {".gadf": ["COMMON_IRF_HEADERS"], ".specification": ["IRF_DL3_HDU_SPECIFICATION"]}
)
