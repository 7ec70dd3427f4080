"""The door for units: whatever a user gives becomes canonical floats here, once.

Below this door numbers are floats in TeV, cm, s, deg and sr.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import UnitError

__all__ = ["as_quantity", "parse_unit", "standardise_unit", "unit_from_fits_image_hdu", "values_in", "wrap_at"]

log = logging.getLogger(__name__)

# Spellings met in files that are not in the FITS standard; matched after blanks are stripped.
_SPELLINGS = {"1/s/MeV/sr": "s-1 MeV-1 sr-1", "s^-1 MeV^-1 sr^-1": "s-1 MeV-1 sr-1", "sr^(-1)": "sr-1", "m**2": "m2"}


def parse_unit(unit: str | u.UnitBase, name: str = "unit") -> u.UnitBase:
    """Parse a unit string, tolerating the spellings met in gamma-ray files.

    Raises
    ------
    UnitError
        If the string is not a unit.

    Examples
    --------
    >>> from geminga.utils.units import parse_unit
    >>> parse_unit("cm-2 s-1 TeV-1").to_string("fits")
    'TeV-1 s-1 cm-2'
    """
    if isinstance(unit, u.UnitBase):
        return unit
    text = str(unit).strip()
    try:
        return u.Unit(_SPELLINGS.get(text, text))
    except (ValueError, TypeError) as error:
        msg = f"{name}: {unit!r} is not a unit; give an astropy unit or a string such as 'TeV' or 'cm-2 s-1 TeV-1'."
        raise UnitError(msg) from error


def as_quantity(value: Any, unit: str | u.UnitBase, name: str = "value") -> u.Quantity:
    """Return `value` as a Quantity in `unit`; a bare number is taken to be in `unit`.

    Parameters
    ----------
    value : Quantity, str, float or array
        Strings such as ``"0.1 deg"`` are parsed.
    unit : str or Unit
        Unit of the result.
    name : str
        What the value is, for the error message.

    Raises
    ------
    UnitError
        If the dimension does not fit or the string is not a quantity.

    Examples
    --------
    >>> from geminga.utils.units import as_quantity
    >>> as_quantity("300 GeV", "TeV")
    <Quantity 0.3 TeV>
    """
    unit = parse_unit(unit, name)
    try:
        quantity = value if isinstance(value, u.Quantity) else u.Quantity(value)
    except (TypeError, ValueError) as error:
        msg = f"{name}: cannot read {value!r} as a quantity; expected something like '1 {unit}'."
        raise UnitError(msg) from error
    if quantity.unit == u.dimensionless_unscaled and not isinstance(value, u.Quantity):
        bare = not isinstance(value, str) or unit == u.dimensionless_unscaled
        if bare:
            return u.Quantity(quantity.value, unit)
    try:
        return quantity.to(unit)
    except u.UnitConversionError as error:
        msg = f"{name}: {value!r} has unit '{quantity.unit}', expected one convertible to '{unit}'."
        raise UnitError(msg) from error


def values_in(value: Any, unit: str | u.UnitBase, name: str = "value") -> NDArray[np.float64]:
    """Return `value` as a float array in `unit` (see `as_quantity`)."""
    return np.asarray(as_quantity(value, unit, name).value, dtype=float)


def standardise_unit(unit: str | u.UnitBase) -> u.UnitBase:
    """Remove ``ph`` and ``count`` from a unit.

    Examples
    --------
    >>> from geminga.utils.units import standardise_unit
    >>> standardise_unit("ph cm-2 s-1").to_string("fits")
    's-1 cm-2'
    """
    unit = parse_unit(unit)
    bases, powers = [], []
    for base, power in zip(unit.bases, unit.powers, strict=True):
        if str(base) not in {"ph", "photon", "ct", "count"}:
            bases.append(base)
            powers.append(power)
    return u.CompositeUnit(unit.scale, bases, powers)


def unit_from_fits_image_hdu(header: Any) -> u.UnitBase:
    """Unit in the ``BUNIT`` keyword; dimensionless if absent, or not a unit, which is reported in the log."""
    text = header.get("BUNIT", "")
    try:
        return standardise_unit(parse_unit(text))
    except UnitError:
        log.warning("Keyword BUNIT is %r, which is not a unit; values are taken to have none.", text)
        return u.dimensionless_unscaled


def wrap_at(value: Any, min_value: Any, max_value: Any) -> Any:
    """Wrap `value` into the half-open interval [min_value, max_value).

    Examples
    --------
    >>> from geminga.utils.units import wrap_at
    >>> float(wrap_at(370.0, 0.0, 360.0))
    10.0
    """
    return (value - min_value) % (max_value - min_value) + min_value
