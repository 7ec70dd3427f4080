"""Power laws: by amplitude, by integral flux, and as a norm."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.derivative import current_values, unit_factors
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.inversion import _canonical_values
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra
from geminga.numerics.quadrature import power_integral

__all__ = ["PowerLaw2SpectralModel", "PowerLawNormSpectralModel", "PowerLawSpectralModel"]


def _power_law_integral(energy_min: Any, energy_max: Any, index: Any, amplitude: Any, reference: Any, power: int) -> u.Quantity:
    """Integral of ``E^power A (E / E0)^-index`` for quantities of any shape, without a pole."""
    log_low = np.log(u.Quantity(energy_min / reference).to_value(""))
    log_high = np.log(u.Quantity(energy_max / reference).to_value(""))
    exponent = np.asarray(power + 1 - u.Quantity(index).to_value(""), dtype=float)
    value, _ = power_integral(0.5 * (log_low + log_high), log_high - log_low, exponent)
    return amplitude * reference ** (power + 1) * value


class PowerLawSpectralModel(SpectralModel):
    r"""Power law.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma}

    Parameters
    ----------
    index : float
        Index, default 2.
    amplitude : Quantity
        Amplitude, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.

    Examples
    --------
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> model = PowerLawSpectralModel(index=2, amplitude="1e-12 cm-2 s-1 TeV-1", reference="1 TeV")
    >>> print(model.integral("1 TeV", "10 TeV"))
    9e-13 1 / (s cm2)
    """

    tag = ["PowerLawSpectralModel", "pl"]
    _takes_columns = True
    index = Parameter("index", 2.0)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)

    @staticmethod
    def evaluate(energy: Any, index: Any, amplitude: Any, reference: Any) -> Any:
        """Evaluate the formula for quantities."""
        return amplitude * u.Quantity(energy / reference).to_value("") ** -u.Quantity(index).to_value("")

    @staticmethod
    def evaluate_integral(energy_min: Any, energy_max: Any, index: Any, amplitude: Any, reference: Any) -> Any:
        """Integral of the formula for quantities."""
        return _power_law_integral(energy_min, energy_max, index, amplitude, reference, 0)

    @staticmethod
    def evaluate_energy_flux(energy_min: Any, energy_max: Any, index: Any, amplitude: Any, reference: Any) -> Any:
        """Integral of energy times the formula for quantities."""
        return _power_law_integral(energy_min, energy_max, index, amplitude, reference, 1)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.power_law(x, *values)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.power_law_integral(low, high, power)

    def inverse(self, value: Any, *args: Any) -> u.Quantity:
        """Energy where the spectrum has the value `value`."""
        index, amplitude, reference = current_values(self.parameters) * unit_factors(self.parameters)
        return u.Quantity(reference * (_canonical_values(self, value) / amplitude) ** (-1 / index), "TeV")

    @property
    def pivot_energy(self) -> u.Quantity:
        """Energy where the relative error of the flux is smallest, ``E0 exp(cov(index, A) / (A var(index)))``."""
        covariance = self.covariance.data
        variance, cross = covariance[0, 0], covariance[0, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.reference.quantity * np.exp(np.divide(cross, self.amplitude.value * variance))


class PowerLawNormSpectralModel(SpectralModel):
    r"""Power law without dimension, a factor for other spectra.

    .. math:: \phi(E) = N (E / E_0)^{-\Delta}

    Parameters
    ----------
    tilt : float
        Tilt, default 0, frozen.
    norm : float
        Norm, default 1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    """

    tag = ["PowerLawNormSpectralModel", "pl-norm"]
    _takes_columns = True
    tilt = Parameter("tilt", 0.0, frozen=True)
    norm = Parameter("norm", 1.0, unit="", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)

    @staticmethod
    def evaluate(energy: Any, tilt: Any, norm: Any, reference: Any) -> Any:
        """Evaluate the formula for quantities."""
        return norm * u.Quantity(energy / reference).to(u.dimensionless_unscaled) ** -u.Quantity(tilt).to_value("")

    @staticmethod
    def evaluate_integral(energy_min: Any, energy_max: Any, tilt: Any, norm: Any, reference: Any) -> Any:
        """Integral of the formula for quantities."""
        return _power_law_integral(energy_min, energy_max, tilt, norm, reference, 0)

    @staticmethod
    def evaluate_energy_flux(energy_min: Any, energy_max: Any, tilt: Any, norm: Any, reference: Any) -> Any:
        """Integral of energy times the formula for quantities."""
        return _power_law_integral(energy_min, energy_max, tilt, norm, reference, 1)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.power_law(x, *values)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.power_law_integral(low, high, power)

    def inverse(self, value: Any, *args: Any) -> u.Quantity:
        """Energy where the spectrum has the value `value`."""
        tilt, norm, reference = current_values(self.parameters) * unit_factors(self.parameters)
        with np.errstate(divide="ignore", over="ignore"):
            return u.Quantity(reference * (_canonical_values(self, value) / norm) ** np.divide(-1.0, tilt), "TeV")

    @property
    def pivot_energy(self) -> u.Quantity:
        """Energy where the relative error is smallest."""
        covariance = self.covariance.data
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.reference.quantity * np.exp(np.divide(covariance[0, 1], self.norm.value * covariance[0, 0]))


class PowerLaw2SpectralModel(SpectralModel):
    r"""Power law given by its integral flux between `emin` and `emax`.

    .. math:: \phi(E) = F_0 \frac{1 - \Gamma}{E_{max}^{1 - \Gamma} - E_{min}^{1 - \Gamma}} E^{-\Gamma}

    At index 1 the limit with logarithms is used.

    Parameters
    ----------
    amplitude : Quantity
        Integral flux, default 1e-12 cm-2 s-1.
    index : float
        Index, default 2.
    emin, emax : Quantity
        Bounds of the integral, default 0.1 TeV and 100 TeV, frozen.
    """

    tag = ["PowerLaw2SpectralModel", "pl-2"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1", interp="log")
    index = Parameter("index", 2.0)
    emin = Parameter("emin", "0.1 TeV", frozen=True)
    emax = Parameter("emax", "100 TeV", frozen=True)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, index: Any, emin: Any, emax: Any) -> Any:
        """Evaluate the formula for quantities."""
        unit = u.Quantity(energy).unit
        reference = 1 * unit
        norm = _power_law_integral(emin, emax, index, 1.0, reference, 0)
        return amplitude / norm * u.Quantity(energy / reference).to_value("") ** -u.Quantity(index).to_value("")

    @staticmethod
    def evaluate_integral(energy_min: Any, energy_max: Any, amplitude: Any, index: Any, emin: Any, emax: Any) -> Any:
        """Integral of the formula for quantities."""
        part = _power_law_integral(energy_min, energy_max, index, 1.0, emin, 0)
        return amplitude * (part / _power_law_integral(emin, emax, index, 1.0, emin, 0)).to("")

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.power_law_2(x, *values)

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        return spectra.power_law_2_integral(low, high, power)

    def inverse(self, value: Any, *args: Any) -> u.Quantity:
        """Energy where the spectrum has the value `value`."""
        values = current_values(self.parameters) * unit_factors(self.parameters)
        at_one = spectra.power_law_2(np.zeros(1), *values.tolist())[0][0]
        return u.Quantity((_canonical_values(self, value) / at_one) ** (-1 / values[1]), "TeV")
