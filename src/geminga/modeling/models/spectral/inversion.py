"""The energy where a spectrum has a given value, and where its energy flux peaks."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from scipy.optimize import minimize_scalar

from geminga.errors import UnitError
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import current_values
from geminga.numerics.roots import inversion

__all__ = ["e_peak", "inverse", "inverse_all"]


def _canonical_values(model: Any, values: Any) -> Any:
    unit = model._dnde_unit
    try:
        return np.asarray(u.Quantity(values).to_value(unit), dtype=float)
    except (TypeError, ValueError, u.UnitConversionError) as error:
        msg = f"{type(model).__name__}: cannot invert at {values!r}; expected a value convertible to '{unit}'."
        raise UnitError(msg) from error


def inverse_all(
    self: Any, values: Any, energy_min: u.Quantity = 0.1 * u.TeV, energy_max: u.Quantity = 100 * u.TeV
) -> list[u.Quantity]:
    """All energies where the spectrum has given values.

    Parameters
    ----------
    values : Quantity
        Values of the spectrum.
    energy_min, energy_max : Quantity
        Range to search in.

    Returns
    -------
    energies : list of Quantity
        For each value the energies in increasing order; NaN if there is none.
    """
    low, high = (
        float(as_energy(e, name).to_value("TeV")) for e, name in ((energy_min, "energy_min"), (energy_max, "energy_max"))
    )
    parameters = current_values(self.parameters)

    def dnde(energy: Any) -> Any:
        return self.dnde_evaluator(np.atleast_1d(energy))(parameters)[0]

    found = []
    for value in np.atleast_1d(_canonical_values(self, values)).ravel():
        energies = inversion(dnde, float(value), low, high)
        found.append(u.Quantity(energies if len(energies) else [np.nan], "TeV"))
    return found


def inverse(self: Any, value: Any, energy_min: u.Quantity = 0.1 * u.TeV, energy_max: u.Quantity = 100 * u.TeV) -> u.Quantity:
    """Lowest energy where the spectrum has a given value.

    Parameters
    ----------
    value : Quantity
        Value of the spectrum, of any shape.
    energy_min, energy_max : Quantity
        Range to search in.

    Returns
    -------
    energy : Quantity
        Shape of `value`; NaN where there is none.
    """
    first = [energies[0].value for energies in self.inverse_all(value, energy_min, energy_max)]
    return u.Quantity(np.reshape(first, np.shape(value)), "TeV")


def e_peak(self: Any) -> u.Quantity:
    """Energy where ``E^2 dnde`` is largest, between 1 MeV and 10 PeV; NaN if it has no maximum there."""
    parameters = current_values(self.parameters)

    def height(x: Any) -> Any:
        x = np.atleast_1d(x)
        return np.exp(2 * x) * self.dnde_evaluator(np.exp(x))(parameters)[0]

    grid = np.linspace(np.log(1e-6), np.log(1e4), 500)
    values = height(grid)
    best = int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
    if best in {0, len(grid) - 1} or not values[best] > 0 or np.ptp(values[best - 1 : best + 2]) < 1e-12 * values[best]:
        return u.Quantity(np.nan, "TeV")
    scale = values[best]
    bounds = (grid[best - 1], grid[best + 1])
    found = minimize_scalar(lambda x: -height(x)[0] / scale, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return u.Quantity(np.exp(found.x), "TeV")
