"""Meta data of observations' tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from geminga.errors import FormatError
from geminga.utils.metadata import CreatorMetaData, MetaData
from geminga.utils.time import time_ref_from_dict, time_ref_to_dict

__all__ = ["GTIMetaData"]


@dataclass
class GTIMetaData(MetaData):
    """Meta data of a table of good time intervals.

    Parameters
    ----------
    reference_time : Time, optional
        Reference of the elapsed times.
    creation : CreatorMetaData, optional
        Who made the table, and when.
    """

    _tag: ClassVar[str] = "GTI"
    reference_time: Any = None
    creation: Any = None

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> GTIMetaData:
        """Record from a FITS header; without keywords of the reference time there is none.

        Raises
        ------
        FormatError
            If the format is not ``gadf``.
        """
        if format != "gadf":
            msg = f"GTI meta data: format {format!r} is not known; expected 'gadf'."
            raise FormatError(msg)
        has_reference = "MJDREFI" in header or "MJDREF" in header
        return cls(time_ref_from_dict(header) if has_reference else None, CreatorMetaData.from_header(header))

    def to_header(self, format: str = "gadf") -> dict[str, Any]:
        """Keywords of a FITS header: reference time and creator, where known."""
        reference = self.reference_time
        header = {} if reference is None else time_ref_to_dict(reference, reference.scale)
        return header | super().to_header(format)
