"""Log parabolas."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from astropy import units as u

from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.cutoff import plain, ratio
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra

__all__ = ["LogParabola2SpectralModel", "LogParabolaNormSpectralModel", "LogParabolaSpectralModel"]

_LN_10 = float(np.log(10.0))


def _log_parabola(energy: Any, amplitude: Any, reference: Any, alpha: Any, beta: Any) -> Any:
    log_energy = np.log(ratio(energy, reference))
    return amplitude * np.exp(-log_energy * (plain(alpha) + plain(beta) * log_energy))


class LogParabolaSpectralModel(SpectralModel):
    r"""Log parabola.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\alpha - \beta \ln(E / E_0)}

    Parameters
    ----------
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 10 TeV, frozen.
    alpha : float
        Index at the reference energy, default 2.
    beta : float
        Curvature, default 1.
    """

    tag = ["LogParabolaSpectralModel", "lp"]
    _takes_columns = True
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "10 TeV", frozen=True)
    alpha = Parameter("alpha", 2.0)
    beta = Parameter("beta", 1.0)

    @classmethod
    def from_log10(cls, amplitude: Any, reference: Any, alpha: Any, beta: Any) -> Self:
        """Make a model from the curvature `beta` for log10 of the energy."""
        return cls(amplitude=amplitude, reference=reference, alpha=alpha, beta=beta / _LN_10)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, reference: Any, alpha: Any, beta: Any) -> Any:
        """Evaluate the formula for quantities."""
        return _log_parabola(energy, amplitude, reference, alpha, beta)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.log_parabola(x, *values)

    @property
    def e_peak(self) -> u.Quantity:
        """Energy where E^2 dnde is largest; NaN without curvature."""
        if self.beta.value <= 0:
            return u.Quantity(np.nan, "TeV")
        return self.reference.quantity * np.exp((2 - self.alpha.value) / (2 * self.beta.value))


class LogParabolaNormSpectralModel(SpectralModel):
    """Log parabola without dimension, a factor for other spectra.

    Parameters
    ----------
    norm : float
        Value at the reference energy, default 1.
    reference : Quantity
        Reference energy, default 10 TeV, frozen.
    alpha, beta : float
        Index at the reference energy and curvature, default 0.
    """

    tag = ["LogParabolaNormSpectralModel", "lp-norm"]
    _takes_columns = True
    norm = Parameter("norm", 1.0, unit="", interp="log")
    reference = Parameter("reference", "10 TeV", frozen=True)
    alpha = Parameter("alpha", 0.0)
    beta = Parameter("beta", 0.0)

    @classmethod
    def from_log10(cls, norm: Any, reference: Any, alpha: Any, beta: Any) -> Self:
        """Make a model from the curvature `beta` for log10 of the energy."""
        return cls(norm=norm, reference=reference, alpha=alpha, beta=beta / _LN_10)

    @staticmethod
    def evaluate(energy: Any, norm: Any, reference: Any, alpha: Any, beta: Any) -> Any:
        """Evaluate the formula for quantities."""
        return _log_parabola(energy, u.Quantity(norm), reference, alpha, beta)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.log_parabola(x, *values)


class LogParabola2SpectralModel(SpectralModel):
    r"""Log parabola with a separate scale energy.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\alpha - \beta \ln(E / E_s)}

    Parameters
    ----------
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 10 TeV, frozen.
    alpha, beta : float
        Index and curvature, default 2 and 1.
    escale : Quantity
        Scale energy, default 1 TeV, frozen.
    """

    tag = ["LogParabola2SpectralModel", "lp2"]
    _takes_columns = True
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "10 TeV", frozen=True)
    alpha = Parameter("alpha", 2.0)
    beta = Parameter("beta", 1.0)
    escale = Parameter("escale", "1 TeV", frozen=True)

    @classmethod
    def from_log10(cls, amplitude: Any, reference: Any, alpha: Any, beta: Any, escale: Any) -> Self:
        """Make a model from the curvature `beta` for log10 of the energy."""
        return cls(amplitude=amplitude, reference=reference, alpha=alpha, beta=beta / _LN_10, escale=escale)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, reference: Any, alpha: Any, beta: Any, escale: Any) -> Any:
        """Evaluate the formula for quantities."""
        exponent = plain(alpha) + plain(beta) * np.log(ratio(energy, escale))
        return amplitude * np.exp(-exponent * np.log(ratio(energy, reference)))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.log_parabola_2(x, *values)

    @property
    def e_peak(self) -> u.Quantity:
        """Energy where E^2 dnde is largest; NaN without curvature.

        The exponent is (2 - alpha) L - beta L (L + ln(E0 / Es)) with L = ln(E / E0).
        """
        if self.beta.value <= 0:
            return u.Quantity(np.nan, "TeV")
        shift = float(np.log(ratio(self.reference.quantity, self.escale.quantity)))
        return self.reference.quantity * np.exp((2 - self.alpha.value) / (2 * self.beta.value) - 0.5 * shift)
