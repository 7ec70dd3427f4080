"""A constant spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra

__all__ = ["ConstantSpectralModel"]


class ConstantSpectralModel(SpectralModel):
    """The same value at every energy.

    Parameters
    ----------
    const : Quantity
        Value, default 1e-12 cm-2 s-1 TeV-1.
    """

    tag = ["ConstantSpectralModel", "const"]
    const = Parameter("const", "1e-12 cm-2 s-1 TeV-1")

    @staticmethod
    def evaluate(energy: Any, const: Any) -> Any:
        """Evaluate the formula for quantities."""
        return np.ones(np.shape(u.Quantity(energy).value)) * const

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda const: spectra.constant(x, const)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.constant_integral(low, high, power)
