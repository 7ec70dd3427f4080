"""Power laws with an exponential cut-off."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra_cutoff

__all__ = ["ExpCutoffPowerLaw3FGLSpectralModel", "ExpCutoffPowerLawNormSpectralModel", "ExpCutoffPowerLawSpectralModel"]

#: Exponents end here: a rising "cut-off" becomes large, not infinite.
MAX_EXPONENT = 600.0


def ratio(energy: Any, reference: Any) -> Any:
    """Energy over a reference as plain floats."""
    return u.Quantity(energy / reference).to_value("")


def plain(value: Any) -> Any:
    """Plain floats of a dimensionless number or quantity."""
    return u.Quantity(value).to_value("")


def _exp_cutoff(energy: Any, index: Any, amplitude: Any, reference: Any, lambda_: Any, alpha: Any) -> Any:
    cut = u.Quantity(lambda_ * energy).to_value("")
    exponent = np.sign(cut) * np.minimum(np.abs(cut) ** plain(alpha), np.exp(MAX_EXPONENT))
    return amplitude * np.exp(np.minimum(-plain(index) * np.log(ratio(energy, reference)) - exponent, MAX_EXPONENT))


class ExpCutoffPowerLawSpectralModel(SpectralModel):
    r"""Power law with an exponential cut-off.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma} \exp(-(\lambda E)^\alpha)

    Parameters
    ----------
    index : float
        Index, default 1.5.
    amplitude : Quantity
        Amplitude, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    lambda_ : Quantity
        Inverse of the cut-off energy, default 0.1 TeV-1. The sign stands outside the power, so that a negative one is a rise.
    alpha : float
        Sharpness of the cut-off, default 1, frozen.
    """

    tag = ["ExpCutoffPowerLawSpectralModel", "ecpl"]
    _takes_columns = True
    index = Parameter("index", 1.5)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    lambda_ = Parameter("lambda_", "0.1 TeV-1")
    alpha = Parameter("alpha", 1.0, frozen=True)

    @staticmethod
    def evaluate(energy: Any, index: Any, amplitude: Any, reference: Any, lambda_: Any, alpha: Any) -> Any:
        """Evaluate the formula for quantities."""
        return _exp_cutoff(energy, index, amplitude, reference, lambda_, alpha)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.exp_cutoff_power_law(x, *values)

    @property
    def e_peak(self) -> u.Quantity:
        """Energy where E^2 dnde is largest; NaN if it has no maximum."""
        index, alpha, lambda_ = self.index.value, self.alpha.value, self.lambda_.quantity.to("TeV-1")
        if index >= 2 or lambda_ <= 0 * lambda_.unit or alpha <= 0:
            return u.Quantity(np.nan, "TeV")
        return ((2 - index) / alpha) ** (1 / alpha) / lambda_


class ExpCutoffPowerLawNormSpectralModel(SpectralModel):
    """Power law with an exponential cut-off without dimension, a factor for other spectra.

    Parameters
    ----------
    index : float
        Index, default 0.
    norm : float
        Norm, default 1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    lambda_ : Quantity
        Inverse of the cut-off energy, default 0.1 TeV-1.
    alpha : float
        Sharpness of the cut-off, default 1, frozen.
    """

    tag = ["ExpCutoffPowerLawNormSpectralModel", "ecpl-norm"]
    _takes_columns = True
    index = Parameter("index", 0.0)
    norm = Parameter("norm", 1.0, unit="", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    lambda_ = Parameter("lambda_", "0.1 TeV-1")
    alpha = Parameter("alpha", 1.0, frozen=True)

    def __init__(
        self, index: Any = None, norm: Any = None, reference: Any = None, lambda_: Any = None, alpha: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(index=index, norm=norm, reference=reference, lambda_=lambda_, alpha=alpha, **kwargs)

    @staticmethod
    def evaluate(energy: Any, index: Any, norm: Any, reference: Any, lambda_: Any, alpha: Any) -> Any:
        """Evaluate the formula for quantities."""
        return _exp_cutoff(energy, index, u.Quantity(norm), reference, lambda_, alpha)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.exp_cutoff_power_law(x, *values)


class ExpCutoffPowerLaw3FGLSpectralModel(SpectralModel):
    r"""Power law with an exponential cut-off as in the 3FGL catalog.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma} \exp((E_0 - E) / E_c)

    Parameters
    ----------
    index : float
        Index, default 1.5.
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    ecut : Quantity
        Cut-off energy, default 10 TeV.
    """

    tag = ["ExpCutoffPowerLaw3FGLSpectralModel", "ecpl-3fgl"]
    index = Parameter("index", 1.5)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    ecut = Parameter("ecut", "10 TeV")

    @staticmethod
    def evaluate(energy: Any, index: Any, amplitude: Any, reference: Any, ecut: Any) -> Any:
        """Evaluate the formula for quantities."""
        exponent = u.Quantity((reference - energy) / ecut).to_value("")
        return amplitude * np.exp(np.minimum(-plain(index) * np.log(ratio(energy, reference)) + exponent, MAX_EXPONENT))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.exp_cutoff_power_law_3fgl(x, *values)
