"""Times of events within good time intervals, in s since the reference time of these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError

__all__ = ["draw_model_times", "draw_uniform_times", "good_time"]

Array = NDArray[np.float64]


def good_time(dataset: Any, owner: str) -> Any:
    """Good time intervals of a dataset, without overlaps.

    Raises
    ------
    InputError
        If there is no good time: events need a time.
    """
    gti = dataset.gti
    if gti is None or not float(gti.time_sum.value) > 0:
        msg = f"{owner}: dataset {dataset.name!r} has no good time in which events could be; set dataset.gti."
        raise InputError(msg)
    return gti.union(merge_equal=False)


def _bounds(gti: Any) -> tuple[Array, Array]:
    return np.asarray(gti.met_start.to_value("s")), np.asarray(gti.met_stop.to_value("s"))


def draw_uniform_times(gti: Any, n: int, rng: Any) -> Array:
    """Times at a constant rate."""
    start, stop = _bounds(gti)
    enclosed = np.append(0.0, np.cumsum(stop - start))
    elapsed = enclosed[-1] * rng.uniform(size=n)
    which = np.clip(np.searchsorted(enclosed, elapsed, side="right") - 1, 0, len(start) - 1)
    return np.asarray(start[which] + elapsed - enclosed[which])


def draw_model_times(temporal: Any, gti: Any, energy: Any, t_delta: Any, rng: Any) -> Array:
    """Times as a temporal model says, for events of given energies (Quantity)."""
    n = len(energy)
    if temporal is None or n == 0:
        return draw_uniform_times(gti, n, rng)
    times = temporal.sample_time(n, gti.time_start, gti.time_stop, t_delta=t_delta, random_state=rng, energy=energy)
    start, stop = _bounds(gti)
    seconds = np.asarray((times - gti.time_ref).sec, dtype=float)
    # Rounding of dates must not bring an event out of its interval.
    which = np.clip(np.searchsorted(start, seconds, side="right") - 1, 0, len(start) - 1)
    return np.asarray(np.clip(seconds, start[which], np.nextafter(stop[which], start[which])))
