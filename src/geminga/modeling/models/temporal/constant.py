"""No change with time."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.temporal.base import TemporalModel

__all__ = ["ConstantTemporalModel"]


class ConstantTemporalModel(TemporalModel):
    """One at all times."""

    tag = ["ConstantTemporalModel", "const"]

    @staticmethod
    def evaluate(time: Any) -> Any:
        """Evaluate: one for each time."""
        return np.ones(u.Quantity(time).shape)
