"""Point spread function as a sum of three Gaussians."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.irf.psf.parametric import ParametricPSF, filled_along_energy
from geminga.numerics import psf_shapes as shapes
from geminga.utils.units import values_in

__all__ = ["EnergyDependentMultiGaussPSF"]

Array = NDArray[np.float64]


def _gaussians(parameters: dict[str, Any]) -> tuple[list[Array], list[Array]]:
    """Widths (deg) and fractions of the three Gaussians; fractions are zero where there is no PSF."""
    sigmas = [values_in(parameters[f"sigma_{i}"], "deg") for i in (1, 2, 3)]
    ampls = [1.0, *(u.Quantity(parameters[name]).to_value("") for name in ("ampl_2", "ampl_3"))]
    is_there = np.asarray(u.Quantity(parameters["scale"]).value, dtype=float) > 0
    areas = [np.asarray(ampl * sigma**2 * is_there, dtype=float) for ampl, sigma in zip(ampls, sigmas, strict=True)]
    total = sum(areas)
    norm = np.divide(1.0, total, out=np.zeros(np.shape(total)), where=np.asarray(total) > 0)
    return sigmas, [area * norm for area in areas]


class EnergyDependentMultiGaussPSF(ParametricPSF):
    r"""PSF as a sum of three Gaussians.

    The density is proportional to exp(-r² / 2σ_1²) + A_2 exp(-r² / 2σ_2²) + A_3 exp(-r² / 2σ_3²), and normalised.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true`` and ``offset``.
    data : structured array, or dict of arrays or Quantities
        ``sigma_1``, ``sigma_2``, ``sigma_3`` (deg), ``scale``, ``ampl_2``, ``ampl_3``, each of shape (energy_true, offset).
    unit : dict, optional
        Unit of each parameter.

    Examples
    --------
    >>> from geminga.irf import EnergyDependentMultiGaussPSF
    >>> from geminga.maps import MapAxis
    >>> true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    >>> offset = MapAxis.from_edges([0, 1, 2], unit="deg", name="offset")
    >>> values = {"sigma_1": 0.1, "sigma_2": 0.2, "sigma_3": 0.0, "scale": 1.0, "ampl_2": 0.25, "ampl_3": 0.0}
    >>> psf = EnergyDependentMultiGaussPSF([true, offset], data=values)
    >>> print(psf.containment(rad="0.2 deg", energy_true="2 TeV", offset="1 deg").round(4))
    0.6291
    """

    tag: ClassVar[str] = "psf_3gauss"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset"]
    required_parameters: ClassVar[list[str]] = ["sigma_1", "sigma_2", "sigma_3", "scale", "ampl_2", "ampl_3"]
    parameter_units: ClassVar[dict[str, str | None]] = {
        **dict.fromkeys(("sigma_1", "sigma_2", "sigma_3"), "deg"),
        "scale": None,
        **dict.fromkeys(("ampl_2", "ampl_3"), ""),
    }

    @classmethod
    def has_shape(cls, parameters: dict[str, Array]) -> NDArray[np.bool_]:
        """Where the scale and the first width are positive."""
        return (parameters["scale"] > 0) & (parameters["sigma_1"] > 0)

    def _filled(self) -> dict[str, Array]:
        values = super()._filled()
        # A Gaussian that is absent at an energy has no width there: take that of a neighbour, so that the one
        # interpolated in between has a sensible width. The first is there wherever there is a PSF.
        for i in (1, 2, 3):
            sigma, ampl = values[f"sigma_{i}"], values.get(f"ampl_{i}", values["scale"])
            good = (ampl != 0) & (sigma > 0)
            values[f"sigma_{i}"] = np.where(good.any(axis=0), filled_along_energy(sigma, good), 1.0)
        return values

    @staticmethod
    def evaluate_direct(rad: Any, **kwargs: Any) -> u.Quantity:
        """Density (sr-1) at a radius for given ``sigma_1``, ``sigma_2``, ``sigma_3``, ``scale``, ``ampl_2``, ``ampl_3``."""
        return u.Quantity(shapes.multi_gauss_density(values_in(rad, "deg", "rad"), *_gaussians(kwargs)), "sr-1")

    @staticmethod
    def evaluate_containment(rad: Any, **kwargs: Any) -> u.Quantity:
        """Fraction within a radius for given parameters, see `evaluate_direct`."""
        return u.Quantity(shapes.multi_gauss_containment(values_in(rad, "deg", "rad"), *_gaussians(kwargs)), "")

    @staticmethod
    def evaluate_radius(fraction: Any, **kwargs: Any) -> u.Quantity:
        """Radius within which a fraction lies for given parameters, see `evaluate_direct`; NaN where there is no PSF."""
        return u.Quantity(shapes.multi_gauss_radius(fraction, *_gaussians(kwargs)), "deg")
