"""Integration and interpolation of a response function along one of its axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.numerics.quadrature import trapz_loglog

__all__ = ["integrate_log_log", "interp_missing_data", "scaled"]

Array = NDArray[np.float64]


def scaled(axis: Any, values: Any) -> Array:
    """Coordinates of an axis in the scale in which it is linear."""
    number = u.Quantity(values, copy=False).to_value(axis.unit)
    if axis.interp == "log":
        return np.asarray(np.log(np.clip(number, np.finfo(np.float32).tiny, None)))
    return np.asarray(np.sqrt(number) if axis.interp == "sqrt" else number, dtype=float)


def integrate_log_log(self: Any, axis_name: str, method: str = "linear", **kwargs: Any) -> u.Quantity:
    """Integral along an axis between neighbouring coordinates given for it, exact for power laws.

    Parameters
    ----------
    axis_name : str
        Axis to integrate over.
    method : str
        Interpolation, see `evaluate`.
    **kwargs : Quantity
        A coordinate for each axis; they broadcast. That of `axis_name` varies along one dimension.

    Returns
    -------
    integral : Quantity
        One entry less than coordinates along that dimension.

    Raises
    ------
    InputError
        If the coordinate of `axis_name` does not vary along one dimension.
    """
    x = u.Quantity(kwargs[axis_name])
    along = [i - x.ndim for i, n in enumerate(x.shape) if n > 1]
    if len(along) != 1:
        msg = f"{type(self).__name__}.integrate_log_log: {axis_name} has shape {x.shape}; it must vary along one dimension."
        raise InputError(msg)
    values = self.evaluate(method=method, **kwargs)
    last = [np.moveaxis(array, along[0], -1) for array in (values.value, np.broadcast_to(x.value, values.shape))]
    y_pairs, x_pairs = (np.stack([array[..., :-1], array[..., 1:]], axis=-1) for array in last)
    data = np.moveaxis(trapz_loglog(y_pairs, x_pairs), -1, along[0])
    return u.Quantity(data, values.unit * x.unit)


def interp_missing_data(self: Any, axis_name: str) -> None:
    """Replace zeros and NaN by log-log interpolation between their neighbours along an axis, in place.

    Zeros and NaN before the first and after the last good value stay.
    """
    position = self.axes.index(axis_name)
    x = scaled(self.axes[axis_name], self.axes[axis_name].center)
    data = np.array(self.data)
    rows = np.moveaxis(data, position, 0)
    good = np.isfinite(rows) & (rows > 0)
    index = np.arange(len(x)).reshape(-1, *[1] * (rows.ndim - 1))
    before = np.maximum.accumulate(np.where(good, index, -1), axis=0)
    after = np.minimum.accumulate(np.where(good, index, len(x))[::-1], axis=0)[::-1]
    where = np.nonzero(~good & (before >= 0) & (after < len(x)))
    if where[0].size:
        low, high = before[where], after[where]
        place = (x[where[0]] - x[low]) / (x[high] - x[low])
        first, second = (np.log(rows[(i, *where[1:])].astype(float)) for i in (low, high))
        rows[where] = np.exp(first * (1 - place) + second * place)
        self.data = data
