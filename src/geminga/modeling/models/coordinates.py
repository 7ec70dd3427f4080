"""The door for coordinates of models: energies and angles, in the unit they came with."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError, UnitError

__all__ = ["as_angle", "as_energy", "positive_energies"]


def _as(value: Any, unit: u.UnitBase, kind: str, name: str) -> u.Quantity:
    try:
        # As a plain Quantity: a Longitude would wrap the results of arithmetic.
        quantity = value.view(u.Quantity) if isinstance(value, u.Quantity) else u.Quantity(value)
    except (TypeError, ValueError) as error:
        msg = f"{name}: cannot read {value!r} as {kind}; expected something like '1 {unit}'."
        raise UnitError(msg) from error
    if not quantity.unit.is_equivalent(unit):
        msg = f"{name}: {value!r} has unit '{quantity.unit}'; expected {kind} such as '1 {unit}'."
        raise UnitError(msg)
    return quantity


def as_energy(energy: Any, name: str = "energy") -> u.Quantity:
    """Energy as a Quantity in the unit it came with; strings such as ``"1 TeV"`` are read.

    Raises
    ------
    UnitError
        If it has no unit or not one of energy.
    """
    return _as(energy, u.TeV, "an energy", name)


def as_angle(value: Any, name: str) -> u.Quantity:
    """Angle as a Quantity in the unit it came with; strings such as ``"1 deg"`` are read.

    Raises
    ------
    UnitError
        If it has no unit or not one of angle.
    """
    return _as(value, u.deg, "an angle", name)


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
