"""Series of fluxes as arrays: checked, with the axis of time last."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time, TimeDelta
from numpy.typing import NDArray

from geminga.errors import InputError

__all__ = ["check_length", "checked_series", "elapsed", "known_sum", "plain"]

Array = NDArray[np.float64]


def plain(values: Any, unit: u.UnitBase | None, name: str) -> Array:
    """Numbers in a unit."""
    if isinstance(values, u.Quantity) and unit is not None:
        if not values.unit.is_equivalent(unit):
            msg = f"{name} has the unit '{values.unit}'; expected one convertible to '{unit}'."
            raise InputError(msg)
        return np.asarray(values.to_value(unit), dtype=float)
    return np.asarray(getattr(values, "value", values), dtype=float)


def checked_series(flux: Any, flux_err: Any, axis: int) -> tuple[Array, Array]:
    """Flux and error with the axis of time last, both NaN where one is not known.

    Raises
    ------
    InputError
        If shapes or units do not fit, or an error is negative.
    """
    unit = getattr(flux, "unit", None)
    f, e = plain(flux, unit, "flux"), plain(flux_err, unit, "flux_err")
    if f.shape != e.shape or f.ndim == 0:
        msg = f"flux has the shape {f.shape}, flux_err {e.shape}; expected the same, with at least one axis."
        raise InputError(msg)
    if np.any(e < 0):
        msg = f"flux_err has {int(np.sum(e < 0))} negative values, the lowest is {np.nanmin(e)}; expected standard deviations."
        raise InputError(msg)
    known = np.isfinite(f) & np.isfinite(e)
    f, e = np.where(known, f, np.nan), np.where(known, e, np.nan)
    return np.moveaxis(f, axis, -1), np.moveaxis(e, axis, -1)


def known_sum(values: Array) -> Array:
    """Sum over time of what is known."""
    return np.asarray(np.nansum(values, axis=-1))


def elapsed(coords: Any) -> tuple[Array, u.UnitBase]:
    """Times as numbers since the first, and their unit."""
    if isinstance(coords, Time):
        return np.asarray((coords - coords[0]).to_value("d"), dtype=float), u.d
    if isinstance(coords, TimeDelta):
        return np.asarray(coords.to_value("d"), dtype=float), u.d
    quantity = u.Quantity(coords)
    return np.asarray(quantity.value, dtype=float), quantity.unit


def check_length(times: Array, n: int, name: str) -> None:
    """Refuse times that are not one for each point; raises `InputError`."""
    if times.shape != (n,):
        msg = f"{name} has the shape {times.shape}; expected one time for each of the {n} points."
        raise InputError(msg)
