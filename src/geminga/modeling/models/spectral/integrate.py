"""Integral of any function of energy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u

from geminga.modeling.models.coordinates import positive_energies
from geminga.modeling.models.derivative import canonical_unit
from geminga.numerics.quadrature import log_panels

__all__ = ["integrate_spectrum"]


def integrate_spectrum(
    func: Callable[..., Any],
    energy_min: Any,
    energy_max: Any,
    ndecade: int = 100,
    energy_flux: bool = False,
    parameter_samples: Any = None,
) -> u.Quantity:
    """Integrate a function of energy.

    Gauss-Legendre quadrature in ln E with 20 nodes a decade.

    Parameters
    ----------
    func : callable
        Takes a Quantity of energies, and the parameter samples if given.
    energy_min, energy_max : Quantity
        Bounds, broadcast together.
    ndecade : int
        More than 100 takes proportionally more nodes.
    energy_flux : bool
        Integrate energy times the function.
    parameter_samples : list of Quantity, optional
        Samples of each parameter, shape (n_samples,) each; the result has the samples as first axis.

    Returns
    -------
    integral : Quantity
        Integral over energy in TeV.
    """
    low, high = np.broadcast_arrays(positive_energies(energy_min, "energy_min"), positive_energies(energy_max, "energy_max"))
    rule = log_panels(low.ravel(), high.ravel(), energy_power=int(energy_flux), per_decade=max(20.0, ndecade / 5))
    energy = u.Quantity(np.exp(rule.log_energy), "TeV")
    columns = [u.Quantity(sample).reshape(-1, 1) for sample in parameter_samples or ()]
    value = u.Quantity(func(energy, *columns))
    raw = value.unit * u.TeV ** (1 + int(energy_flux))
    unit = canonical_unit(raw)
    lead = np.broadcast_shapes(value.shape, energy.shape)
    total = rule.integrate(np.broadcast_to(value.value, lead)) * raw.to(unit)
    return u.Quantity(total.reshape(*lead[:-1], *low.shape), unit)
