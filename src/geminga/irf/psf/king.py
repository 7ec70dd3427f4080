"""Point spread function as a King function."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.irf.psf.parametric import ParametricPSF
from geminga.numerics import psf_shapes as shapes
from geminga.utils.units import values_in

__all__ = ["PSFKing"]

Array = NDArray[np.float64]


class PSFKing(ParametricPSF):
    """PSF as a King function (Ackermann et al. 2013, ApJ 765, 54, eq. 3).

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true`` and ``offset``.
    data : structured array, or dict of arrays or Quantities
        ``gamma`` and ``sigma`` (deg), each of shape (energy_true, offset).
    unit : dict, optional
        Unit of each parameter.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.irf import PSFKing
    >>> print(PSFKing.evaluate_containment(0.1 * u.deg, gamma=2.5, sigma=0.06 * u.deg).round(4))
    0.4846
    """

    tag: ClassVar[str] = "psf_king"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset"]
    required_parameters: ClassVar[list[str]] = ["gamma", "sigma"]
    parameter_units: ClassVar[dict[str, str | None]] = {"gamma": "", "sigma": "deg"}
    default_interp_kwargs: ClassVar[dict[str, Any]] = {"bounds_error": False, "fill_value": None}

    @classmethod
    def has_shape(cls, parameters: dict[str, Array]) -> NDArray[np.bool_]:
        """Where the width is positive and the density can be normalised (gamma > 1)."""
        return (parameters["sigma"] > 0) & (parameters["gamma"] > 1)

    @staticmethod
    def _floats(gamma: Any, sigma: Any) -> tuple[Array, Array, NDArray[np.bool_]]:
        gamma, sigma = np.asarray(u.Quantity(gamma).to_value(""), dtype=float), values_in(sigma, "deg", "sigma")
        good = (sigma > 0) & (gamma > 1)
        return np.where(good, gamma, 2.0), np.where(good, sigma, 1.0), good

    @staticmethod
    def evaluate_direct(rad: Any, gamma: Any, sigma: Any) -> u.Quantity:  # type: ignore[override]
        """Density (sr-1) at a radius for given ``gamma`` and ``sigma``; zero if they define none."""
        gamma, sigma, good = PSFKing._floats(gamma, sigma)
        return u.Quantity(np.where(good, shapes.king_density(values_in(rad, "deg", "rad"), gamma, sigma), 0.0), "sr-1")

    @staticmethod
    def evaluate_containment(rad: Any, gamma: Any, sigma: Any) -> u.Quantity:  # type: ignore[override]
        """Fraction within a radius for given ``gamma`` and ``sigma``."""
        gamma, sigma, good = PSFKing._floats(gamma, sigma)
        return u.Quantity(np.where(good, shapes.king_containment(values_in(rad, "deg", "rad"), gamma, sigma), 0.0), "")

    @staticmethod
    def evaluate_radius(fraction: Any, gamma: Any, sigma: Any) -> u.Quantity:  # type: ignore[override]
        """Radius within which a fraction lies for given ``gamma`` and ``sigma``; NaN if they define no density."""
        gamma, sigma, good = PSFKing._floats(gamma, sigma)
        return u.Quantity(np.where(good, shapes.king_radius(fraction, gamma, sigma), np.nan), "deg")
