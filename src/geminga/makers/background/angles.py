"""Angles among the options of makers of backgrounds."""

from __future__ import annotations

from typing import Any

from astropy.coordinates import Angle

from geminga.errors import InputError
from geminga.utils.units import as_quantity

__all__ = ["angle_option"]


def angle_option(value: Any, name: str, owner: str, unit: str = "deg", may_be_zero: bool = False) -> Angle:
    """Positive angle of an option.

    Raises
    ------
    InputError
        If it is not positive (or zero, where that is allowed).
    """
    angle = Angle(as_quantity(value, unit, f"{owner}: {name}"))
    if not (angle.value > 0 or (may_be_zero and angle.value == 0)):
        msg = f"{owner}: {name} is {value}, expected a positive angle."
        raise InputError(msg)
    return angle
