"""Broken power laws, sharp and smooth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.derivative import unit_factors
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra

__all__ = ["BrokenPowerLawSpectralModel", "SmoothBrokenPowerLawSpectralModel"]


class BrokenPowerLawSpectralModel(SpectralModel):
    r"""Broken power law.

    .. math:: \phi(E) = \phi_0 (E / E_b)^{-\Gamma}

    with index1 below the break, index2 from it on.

    Parameters
    ----------
    index1, index2 : float
        Indices below and above the break, default 2.
    amplitude : Quantity
        Value at the break, default 1e-12 cm-2 s-1 TeV-1.
    ebreak : Quantity
        Break energy, default 1 TeV.
    """

    tag = ["BrokenPowerLawSpectralModel", "bpl"]
    index1 = Parameter("index1", 2.0)
    index2 = Parameter("index2", 2.0)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    ebreak = Parameter("ebreak", "1 TeV")

    @staticmethod
    def evaluate(energy: Any, index1: Any, index2: Any, amplitude: Any, ebreak: Any) -> Any:
        """Evaluate the formula for quantities."""
        ratio = u.Quantity(energy / ebreak).to_value("")
        index = np.where(ratio < 1, u.Quantity(index1).to_value(""), u.Quantity(index2).to_value(""))
        return amplitude * ratio**-index

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.broken_power_law(x, *values)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.broken_power_law_integral(low, high, power)

    def _break_energies(self, values: Array) -> Sequence[float]:
        return (float(values[3] * unit_factors([self.ebreak])[0]),)


class SmoothBrokenPowerLawSpectralModel(SpectralModel):
    r"""Smoothly broken power law.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma_1} [1 + (E / E_b)^{(\Gamma_2 - \Gamma_1) / \beta}]^{-\beta}

    with the sign of :math:`\beta` that of :math:`\Gamma_2 - \Gamma_1`. With equal indices it is a power law.

    Parameters
    ----------
    index1, index2 : float
        Indices far below and above the break, default 2.
    amplitude : Quantity
        Amplitude, default 1e-12 cm-2 s-1 TeV-1.
    ebreak : Quantity
        Break energy, default 1 TeV.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    beta : float
        Width of the break, default 1, frozen.
    """

    tag = ["SmoothBrokenPowerLawSpectralModel", "sbpl"]
    index1 = Parameter("index1", 2.0)
    index2 = Parameter("index2", 2.0)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    ebreak = Parameter("ebreak", "1 TeV")
    reference = Parameter("reference", "1 TeV", frozen=True)
    beta = Parameter("beta", 1.0, frozen=True)

    @staticmethod
    def evaluate(energy: Any, index1: Any, index2: Any, amplitude: Any, ebreak: Any, reference: Any, beta: Any) -> Any:
        """Evaluate the formula for quantities."""
        index1, index2, beta = (u.Quantity(v).to_value("") for v in (index1, index2, beta))
        difference = np.asarray(index2 - index1, dtype=float)
        log_ratio = np.log(u.Quantity(energy / ebreak).to_value(""))
        with np.errstate(divide="ignore", invalid="ignore"):
            exponent = np.logaddexp(0.0, log_ratio * np.abs(difference) / beta) * beta * np.sign(difference)
        # Equal indices make a power law, beta = 0 a sharp break.
        exponent = np.where(beta == 0, np.maximum(log_ratio, 0.0) * difference, np.where(difference == 0, 0.0, exponent))
        return amplitude * u.Quantity(energy / reference).to_value("") ** -index1 * np.exp(-exponent)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.smooth_broken_power_law(x, *values)

    def _break_energies(self, values: Array) -> Sequence[float]:
        return (float(values[3] * unit_factors([self.ebreak])[0]),)
