"""A line: normal density in energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra

__all__ = ["GaussianSpectralModel"]


class GaussianSpectralModel(SpectralModel):
    r"""Gaussian line.

    .. math:: \phi(E) = N_0 / (\sigma \sqrt{2 \pi}) \exp(-(E - \bar E)^2 / (2 \sigma^2))

    Parameters
    ----------
    amplitude : Quantity
        Integral over all energies, default 1e-12 cm-2 s-1.
    mean, sigma : Quantity
        Mean and standard deviation, default 1 TeV and 2 TeV.
    """

    tag = ["GaussianSpectralModel", "gauss"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1", interp="log")
    mean = Parameter("mean", "1 TeV")
    sigma = Parameter("sigma", "2 TeV")

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, mean: Any, sigma: Any) -> Any:
        """Evaluate the formula for quantities."""
        z = u.Quantity((energy - mean) / sigma).to_value("")
        return amplitude * np.exp(-0.5 * z * z) / (sigma * np.sqrt(2 * np.pi))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.gaussian(x, *values)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.gaussian_integral(low, high, power)
