"""No change with time."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.temporal.base import TemporalModel

__all__ = ["ConstantTemporalModel"]


class ConstantTemporalModel(TemporalModel):
    """One at all times.

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import ConstantTemporalModel
    >>> print(ConstantTemporalModel()(Time("2020-01-01")))
    1.0
    """

    tag = ["ConstantTemporalModel", "const"]

    @staticmethod
    def evaluate(time: Any) -> Any:
        """Evaluate: one for each time."""
        return np.ones(u.Quantity(time).shape)
