"""Super-exponential cut-offs of the Fermi-LAT catalogs."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.cutoff import MAX_EXPONENT, plain, ratio
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra_cutoff

__all__ = [
    "SuperExpCutoffPowerLaw3FGLSpectralModel",
    "SuperExpCutoffPowerLaw4FGLDR3SpectralModel",
    "SuperExpCutoffPowerLaw4FGLSpectralModel",
]


class SuperExpCutoffPowerLaw3FGLSpectralModel(SpectralModel):
    r"""Power law with a super-exponential cut-off as in the 3FGL catalog.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma_1} \exp((E_0 / E_c)^{\Gamma_2} - (E / E_c)^{\Gamma_2})

    Parameters
    ----------
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    ecut : Quantity
        Cut-off energy, default 10 TeV.
    index_1, index_2 : float
        Index and sharpness of the cut-off, default 1.5 and 2.
    """

    tag = ["SuperExpCutoffPowerLaw3FGLSpectralModel", "secpl-3fgl"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    ecut = Parameter("ecut", "10 TeV")
    index_1 = Parameter("index_1", 1.5)
    index_2 = Parameter("index_2", 2.0)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, reference: Any, ecut: Any, index_1: Any, index_2: Any) -> Any:
        """Evaluate the formula for quantities."""
        exponent = ratio(reference, ecut) ** plain(index_2) - ratio(energy, ecut) ** plain(index_2)
        return amplitude * np.exp(np.minimum(-plain(index_1) * np.log(ratio(energy, reference)) + exponent, MAX_EXPONENT))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.super_exp_cutoff_3fgl(x, *values)


class SuperExpCutoffPowerLaw4FGLSpectralModel(SpectralModel):
    r"""Power law with a super-exponential cut-off as in the 4FGL-DR1 and DR2 catalogs.

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma_1} \exp(a (E_0^{\Gamma_2} - E^{\Gamma_2}))

    with energies in MeV in the exponent.

    Parameters
    ----------
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    expfactor : float
        Factor a for energies in MeV, default 1e-14.
    index_1, index_2 : float
        Index and sharpness of the cut-off, default 1.5 and 2.
    """

    tag = ["SuperExpCutoffPowerLaw4FGLSpectralModel", "secpl-4fgl"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    expfactor = Parameter("expfactor", 1e-14)
    index_1 = Parameter("index_1", 1.5)
    index_2 = Parameter("index_2", 2.0)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, reference: Any, expfactor: Any, index_1: Any, index_2: Any) -> Any:
        """Evaluate the formula for quantities."""
        mev = u.Quantity(1, "MeV")
        exponent = plain(expfactor) * (ratio(reference, mev) ** plain(index_2) - ratio(energy, mev) ** plain(index_2))
        return amplitude * np.exp(np.minimum(-plain(index_1) * np.log(ratio(energy, reference)) + exponent, MAX_EXPONENT))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.super_exp_cutoff_4fgl(x, *values)


class SuperExpCutoffPowerLaw4FGLDR3SpectralModel(SpectralModel):
    r"""Power law with a super-exponential cut-off as in the 4FGL-DR3 catalog (Abdollahi et al. 2022, eq. 3 and 4).

    .. math:: \phi(E) = \phi_0 (E / E_0)^{-\Gamma_1 + d / b} \exp(d / b^2 (1 - (E / E_0)^b))

    Parameters
    ----------
    amplitude : Quantity
        Value at the reference energy, default 1e-12 cm-2 s-1 TeV-1.
    reference : Quantity
        Reference energy, default 1 TeV, frozen.
    expfactor : float
        Curvature d at the reference energy, default 0.01.
    index_1 : float
        Index at the reference energy, default 1.5.
    index_2 : float
        Sharpness b of the cut-off, default 2; at 0 the spectrum is a log parabola.
    """

    tag = ["SuperExpCutoffPowerLaw4FGLDR3SpectralModel", "secpl-4fgl-dr3"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1", interp="log")
    reference = Parameter("reference", "1 TeV", frozen=True)
    expfactor = Parameter("expfactor", 0.01)
    index_1 = Parameter("index_1", 1.5)
    index_2 = Parameter("index_2", 2.0)

    @staticmethod
    def evaluate(energy: Any, amplitude: Any, reference: Any, expfactor: Any, index_1: Any, index_2: Any) -> Any:
        """Evaluate the formula for quantities."""
        log_energy = np.log(ratio(energy, reference))
        curve, _ = spectra_cutoff.curvature(np.asarray(plain(index_2) * log_energy, dtype=float))
        exponent = -plain(index_1) * log_energy + plain(expfactor) * log_energy**2 * curve
        return amplitude * np.exp(np.minimum(exponent, MAX_EXPONENT))

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra_cutoff.super_exp_cutoff_4fgl_dr3(x, *values)

    @property
    def e_peak(self) -> u.Quantity:
        """Energy where E^2 dnde is largest; NaN if it has no maximum."""
        d, b, index = self.expfactor.value, self.index_2.value, self.index_1.value
        base = 1 + b / d * (2 - index) if d > 0 else -1.0
        if d <= 0 or (b != 0 and base <= 0):
            return u.Quantity(np.nan, "TeV")
        return self.reference.quantity * (base ** (1 / b) if b != 0 else np.exp((2 - index) / d))
