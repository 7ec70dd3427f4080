"""Formats of maps in files, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geminga.errors import NameLookupError

__all__ = ["REGION_FORMATS", "WCS_FORMATS", "RegionFormat", "WcsFormat", "find_format"]


@dataclass(frozen=True)
class WcsFormat:
    """How axes and unit of a WCS map are stored.

    Parameters
    ----------
    hdu_bands : str, optional
        Name of the HDU of the axes; ``<hdu>_BANDS`` if not given.
    axes_names : tuple of str
        Names of which the only axis must have one, if any.
    default_unit : callable, optional
        Gives the unit of a map without one from the HDU list it is in.
    """

    hdu_bands: str | None = None
    axes_names: tuple[str, ...] = ()
    default_unit: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class RegionFormat:
    """How a region map is stored: functions that read and write HDU lists and tables."""

    read: Callable[..., Any]
    write: Callable[..., Any]
    from_table: Callable[..., Any]
    to_table: Callable[..., Any]


WCS_FORMATS: dict[str, WcsFormat] = {}
REGION_FORMATS: dict[str, RegionFormat] = {}


def find_format(formats: Mapping[str, Any], name: str, what: str) -> Any:
    """Format by name.

    Raises
    ------
    NameLookupError
        If it is not known; the message lists those that are.
    """
    if name not in formats:
        msg = f"{what}: format {name!r} is not known; expected one of {', '.join(sorted(formats))}."
        raise NameLookupError(msg)
    return formats[name]
