"""Spectra of cosmic rays at Earth (Bernloehr et al. 2013, Astroparticle Physics 43, 171, table 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import NameLookupError
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.power_law import PowerLawSpectralModel
from geminga.modeling.parameter import Parameter
from geminga.numerics import spectra

__all__ = ["LogGaussianSpectralModel", "create_cosmic_ray_spectral_model"]


class LogGaussianSpectralModel(SpectralModel):
    """Normal density in ln E.

    Parameters
    ----------
    L : Quantity
        Integral over all energies.
    Ep : Quantity
        Median energy.
    w : float
        Standard deviation in ln E.
    """

    tag = ["LogGaussianSpectralModel", "log-gauss"]
    L = Parameter("L", 1e-12, unit="cm-2 s-1")
    Ep = Parameter("Ep", 0.107, unit="TeV")
    w = Parameter("w", 0.776)

    @staticmethod
    def evaluate(energy: Any, L: Any, Ep: Any, w: Any) -> Any:
        """Evaluate the formula for quantities."""
        width = u.Quantity(w).to_value("")
        z = np.log(u.Quantity(energy / Ep).to_value("")) / width
        return L / (energy * width * np.sqrt(2 * np.pi)) * np.exp(-0.5 * z**2)

    def _dnde_formula(self, x: Array) -> Formula:
        return lambda *values: spectra.log_gaussian(x, *values)


# Index, and amplitude at 1 TeV in m-2 s-1 TeV-1 sr-1.
_PARTICLES = {
    "proton": (2.70, 0.096),
    "N": (2.64, 0.0719),
    "Si": (2.66, 0.0284),
    "Fe": (2.63, 0.0134),
    "electron": (3.21, 6.85e-5),
}
_WHOLE_SKY = 4 * np.pi * u.sr


def create_cosmic_ray_spectral_model(particle: str = "proton") -> SpectralModel:
    """Make the spectrum of cosmic rays of one kind, integrated over the sky.

    Parameters
    ----------
    particle : {"proton", "N", "Si", "Fe", "electron"}
        Kind of particle; electrons are a power law and a log-normal shoulder.

    Raises
    ------
    NameLookupError
        If the particle is unknown.

    Examples
    --------
    >>> from geminga.modeling.models import create_cosmic_ray_spectral_model
    >>> create_cosmic_ray_spectral_model("proton").index.value
    2.7
    """
    if particle not in _PARTICLES:
        msg = f"Particle {particle!r} is unknown; expected one of {', '.join(_PARTICLES)}."
        raise NameLookupError(msg)
    index, amplitude = _PARTICLES[particle]
    flux = (amplitude * u.Unit("m-2 s-1 TeV-1 sr-1") * _WHOLE_SKY).to("m-2 s-1 TeV-1")
    model = PowerLawSpectralModel(index=index, amplitude=flux, reference=1 * u.TeV)
    if particle != "electron":
        return model
    shoulder = (3.19e-3 * u.Unit("m-2 s-1 sr-1") * _WHOLE_SKY).to("m-2 s-1")
    total: SpectralModel = model + LogGaussianSpectralModel(L=shoulder, Ep=0.107 * u.TeV, w=0.776)
    return total
