"""The door for energies of models."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError, UnitError

__all__ = ["as_energy", "positive_energies"]


def as_energy(energy: Any, name: str = "energy") -> u.Quantity:
    """Energy as a Quantity in the unit it came with; strings such as ``"1 TeV"`` are read.

    Raises
    ------
    UnitError
        If it has no unit or not one of energy.
    """
    try:
        quantity = energy if isinstance(energy, u.Quantity) else u.Quantity(energy)
    except (TypeError, ValueError) as error:
        msg = f"{name}: cannot read {energy!r} as an energy; expected something like '1 TeV'."
        raise UnitError(msg) from error
    if not quantity.unit.is_equivalent(u.TeV):
        msg = f"{name}: {energy!r} has unit '{quantity.unit}'; expected an energy such as '1 TeV'."
        raise UnitError(msg)
    return quantity


def positive_energies(energy: Any, name: str) -> NDArray[np.float64]:
    """Energies in TeV, as floats above 0.

    Raises
    ------
    UnitError, InputError
        If these are no energies, or one is not above 0.
    """
    values = np.asarray(as_energy(energy, name).to_value(u.TeV), dtype=float)
    if not np.all(values > 0):
        msg = f"{name}: {energy!r} is not positive everywhere; expected energies above 0 to integrate over."
        raise InputError(msg)
    return values
