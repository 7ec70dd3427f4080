"""Spectra of the Crab nebula."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import NameLookupError
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.cutoff import ExpCutoffPowerLawSpectralModel
from geminga.modeling.models.spectral.log_parabola import LogParabolaSpectralModel
from geminga.modeling.models.spectral.power_law import PowerLawSpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics.spectra_table import crab_polynomial

__all__ = ["MeyerCrabSpectralModel", "create_crab_spectral_model"]


class MeyerCrabSpectralModel(SpectralModel):
    """Crab nebula from 1 GeV to 100 TeV, polynomial in log E (Meyer, Horns & Zechlin 2010).

    Parameters
    ----------
    norm : float
        Norm, default 1, frozen.
    """

    tag = ["MeyerCrabSpectralModel", "meyer-crab"]
    norm = Parameter("norm", 1.0, frozen=True)
    coefficients = [-0.00449161, 0, 0.0473174, -0.179475, -0.53616, -10.2708]

    @staticmethod
    def evaluate(energy: Any, norm: Any) -> Any:
        """Evaluate the formula for quantities."""
        energy = u.Quantity(energy)
        log_energy = np.log10(energy.to_value("TeV"))
        log_flux = np.polyval(np.array(MeyerCrabSpectralModel.coefficients), log_energy)
        return norm * (u.Quantity(10**log_flux, "erg cm-2 s-1") / energy**2).to("cm-2 s-1 TeV-1")

    def _dnde_formula(self, x: Array) -> Formula:
        coefficients = np.array(self.coefficients, dtype=float)
        erg = u.Unit("erg").to("TeV")

        def formula(norm: float) -> tuple[Array, Array]:
            value, gradient = crab_polynomial(x, norm, coefficients)
            return value * erg, gradient * erg

        return formula


_UNIT = u.Unit("cm-2 s-1 TeV-1")
# Published fits, all with the reference energy 1 TeV.
_PUBLISHED: dict[str, tuple[type[SpectralModel], dict[str, Any]]] = {
    "meyer": (MeyerCrabSpectralModel, {}),
    "hegra": (PowerLawSpectralModel, {"amplitude": 2.83e-11 * _UNIT, "index": 2.62, "reference": 1 * u.TeV}),
    "hess_pl": (PowerLawSpectralModel, {"amplitude": 3.45e-11 * _UNIT, "index": 2.63, "reference": 1 * u.TeV}),
    "hess_ecpl": (
        ExpCutoffPowerLawSpectralModel,
        {"amplitude": 3.76e-11 * _UNIT, "index": 2.39, "lambda_": 1 / (14.3 * u.TeV), "reference": 1 * u.TeV},
    ),
    "magic_lp": (
        LogParabolaSpectralModel,
        {"amplitude": 3.23e-11 * _UNIT, "alpha": 2.47, "beta": 0.24 / np.log(10), "reference": 1 * u.TeV},
    ),
    "magic_ecpl": (
        ExpCutoffPowerLawSpectralModel,
        {"amplitude": 3.80e-11 * _UNIT, "index": 2.21, "lambda_": 1 / (6.0 * u.TeV), "reference": 1 * u.TeV},
    ),
}


def create_crab_spectral_model(reference: str = "meyer") -> SpectralModel:
    """Make a spectrum of the Crab nebula.

    Parameters
    ----------
    reference : {"meyer", "hegra", "hess_pl", "hess_ecpl", "magic_lp", "magic_ecpl"}
        Which publication.

    Raises
    ------
    NameLookupError
        If the reference is unknown.

    Examples
    --------
    >>> from geminga.modeling.models import create_crab_spectral_model
    >>> create_crab_spectral_model("hess_pl").index.value
    2.63
    """
    if reference not in _PUBLISHED:
        msg = f"Crab reference {reference!r} is unknown; expected one of {', '.join(_PUBLISHED)}."
        raise NameLookupError(msg)
    cls, values = _PUBLISHED[reference]
    return cls(**values)
