"""Meta data of a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from geminga.utils.metadata import CreatorMetaData, MetaData, ObsInfoMetaData, PointingInfoMetaData

__all__ = ["MapDatasetMetaData"]


@dataclass
class MapDatasetMetaData(MetaData):
    """Where a dataset comes from.

    Parameters
    ----------
    creation : CreatorMetaData, optional
        Who made it, and when.
    obs_info : ObsInfoMetaData or list, optional
        Observations.
    pointing : PointingInfoMetaData or list, optional
        Pointings.
    event_type : str or list, optional
        Event types.
    optional : dict, optional
        Anything else.
    """

    _tag: ClassVar[str] = "MapDataset"
    creation: CreatorMetaData = field(default_factory=CreatorMetaData)
    obs_info: Any = None
    pointing: Any = None
    event_type: Any = field(default=None, metadata={"keyword": "EVT_TYPE"})
    optional: dict[str, Any] | None = None

    @classmethod
    def from_header(cls, header: Any, format: str = "gadf") -> Self:
        """Meta data from the primary header of a dataset file."""
        obs_info = ObsInfoMetaData.from_header(header, format)
        pointing = PointingInfoMetaData.from_header(header, format)
        return cls(
            creation=CreatorMetaData.from_header(header, format),
            obs_info=None if obs_info == ObsInfoMetaData() else obs_info,
            pointing=None if pointing == PointingInfoMetaData() else pointing,
            event_type=header.get("EVT_TYPE"),
        )

    def stack(self, other: MapDatasetMetaData) -> None:
        """Add what is known of another dataset, in place: single values become lists of the different ones."""
        for name in ("obs_info", "pointing", "event_type"):
            merged = _listed(getattr(self, name))
            merged += [value for value in _listed(getattr(other, name)) if value not in merged]
            setattr(self, name, merged[0] if len(merged) == 1 else merged or None)
        if other.optional:
            self.optional = other.optional | (self.optional or {})


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
