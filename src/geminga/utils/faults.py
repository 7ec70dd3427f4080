"""Faults in data: all of them at once, each with its place.

A class that derives from `Checked` lists its faults in ``_faults``. ``validate`` refuses an object that has any, as predictions
and fits do with their datasets; readers report them in the log, so that faulty files can still be looked at and mended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError

__all__ = ["Checked", "are_good", "bad_values", "refuse", "reported", "where"]

log = logging.getLogger(__name__)

_SHOWN = 3
#: For types of numbers: integers of the same size, and infinity read as such.
_BITS = {np.dtype(f).str: (i, np.array(np.inf, f).view(i)[()]) for f, i in ((np.float32, np.uint32), (np.float64, np.uint64))}

T = TypeVar("T", bound="Checked")


class Checked:
    """What can say what is wrong with it."""

    _remedy = "Correct the values."

    def _label(self) -> str:
        """How messages name it."""
        return type(self).__name__

    def _faults(self) -> Iterable[str]:
        """Faults in words."""
        return ()

    def validate(self) -> None:
        """Check the values.

        Raises
        ------
        DataError
            Listing every fault with its place.
        """
        refuse(self._label(), self._faults(), self._remedy)


def refuse(label: str, faults: Iterable[str], remedy: str) -> None:
    """Raise `DataError` if there are faults."""
    texts = list(faults)
    if texts:
        msg = f"{label} cannot be used: {'; '.join(texts)}. {remedy}"
        raise DataError(msg)


def reported(own: T, source: str) -> T:
    """What was read from a file; its faults are reported in the log."""
    texts = list(own._faults())
    if texts:
        log.warning("%s: %s: %s. %s", source, own._label(), "; ".join(texts), own._remedy)
    return own


def bad_values(
    name: str, data: NDArray[Any], axes: Sequence[Any], keep: Any = None, floor: float | None = 0.0, is_sky: bool = True
) -> Iterator[str]:
    """Bins that are NaN, infinite or below `floor`.

    Parameters
    ----------
    name : str
        What the values are.
    data : array
        Values.
    axes : list of axis
        Axes of all dimensions but those of the sky, in the order of the array.
    keep : array of bool, optional
        Bins that matter.
    floor : float or None
        Lowest value that is allowed, None for no limit.
    is_sky : bool
        Whether the last two dimensions are pixels.
    """
    if are_good(data, floor):
        return
    with np.errstate(invalid="ignore"):
        kinds = {"NaN": np.isnan(data), "infinite": np.isinf(data)}
        if floor is not None:
            kinds["negative"] = data < min(floor, 0)
    for kind, bad in kinds.items():
        places = np.argwhere(bad if keep is None else bad & keep)
        if len(places):
            yield f"{name} is {kind} in {len(places)} bins, {where(data, axes, places, is_sky)}"


def are_good(data: NDArray[Any], floor: float | None) -> bool:
    """Whether all values are finite and none is below `floor`: yes is certain, no may be wrong."""
    if data.size == 0 or data.dtype.kind not in "fiu":
        return True
    bits = _BITS.get(data.dtype.str)
    if bits is not None and floor == 0:
        # One pass: read as integers without sign, finite numbers which are not negative come before all others.
        return bool(data.view(bits[0]).max() < bits[1])
    # A NaN makes the comparisons false.
    low, high = data.min(), data.max()
    return bool(np.isfinite(low) and np.isfinite(high) and (floor is None or low >= floor))


def where(data: NDArray[Any], axes: Sequence[Any], places: NDArray[Any], is_sky: bool = True) -> str:
    """Place of the first few bins in words."""
    texts = []
    for place in places[:_SHOWN]:
        index = [int(i) for i in place]
        bins = [f"{axis.name} bin {i}" for axis, i in zip(axes, index, strict=False)]
        if is_sky:
            bins.append(f"pixel ({index[-1]}, {index[-2]})")
        texts.append(f"{', '.join(bins)}: {float(data[tuple(place)]):g}")
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return "at " + " | ".join(texts) + more
