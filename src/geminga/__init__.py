"""Geminga: gamma-ray astronomy from event lists to spectra, light curves and maps."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("geminga")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
