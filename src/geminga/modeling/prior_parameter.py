"""Numbers of priors."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.parameter import Parameter

__all__ = ["PriorParameter"]


class PriorParameter(Parameter):
    """A number of a prior, such as its mean; never fitted.

    Parameters
    ----------
    name, value, unit, scale, min, max, error, scale_method, scale_transform
        See `Parameter`.
    """

    _type = "prior"

    def __init__(
        self,
        name: str,
        value: Any,
        unit: str | u.UnitBase = "",
        scale: float = 1,
        min: Any = np.nan,
        max: Any = np.nan,
        error: float = 0,
        scale_method: str | None = "scale10",
        scale_transform: str = "lin",
    ) -> None:
        super().__init__(
            name, value, unit, scale, min, max, error=error, scale_method=scale_method, scale_transform=scale_transform
        )

    def to_dict(self) -> dict[str, Any]:
        """Name, value and unit."""
        return {"name": self._name, "value": self._value, "unit": self._unit.to_string("fits")}

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name={self._name!r}, value={self._value!r}, factor={self.factor!r}, scale={self._scale!r}, "
            f"unit={self._unit!r}, min={self._min!r}, max={self._max!r})"
        )
