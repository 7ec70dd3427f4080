"""Whether the data of a dataset can be used: all faults at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from geminga.datasets.products import filled_parts, label
from geminga.errors import DataError, GeometryError

__all__ = ["faults", "refuse", "validate", "where"]

_SHOWN = 3


def validate(self: Any) -> None:
    """Check that data are finite and not negative where they are used, and that all parts fit together.

    Counts, background and the like are checked in the bins of the mask, the exposure in the pixels which the mask holds at
    any energy, PSF and energy dispersion everywhere (a thousandth of the largest value below zero is rounding).

    Raises
    ------
    DataError
        Listing every fault with its map, energy bin and pixel.
    """
    refuse(self, faults(self))


def refuse(dataset: Any, found: Iterable[str]) -> None:
    """Raise `DataError` if there are faults."""
    texts = list(found)
    if texts:
        msg = f"{label(dataset)} cannot be used: " + "; ".join(texts) + ". Correct the maps or exclude the bins with a mask."
        raise DataError(msg)


def faults(dataset: Any) -> Iterator[str]:
    """Faults of the parts of a dataset, in words."""
    mask = dataset.mask
    keep = None if mask is None else mask.frozen_data
    for part, value in filled_parts(dataset):
        try:
            part.check(dataset, value)
        except (GeometryError, DataError) as error:
            yield str(error)
            continue
        if part.name in dataset.checked_maps:
            yield from _bad_bins(part.name.upper(), value, _used(value, keep))
        response = getattr(value, "psf_map", None) or getattr(value, "edisp_map", None)
        if response is not None:
            yield from _bad_response(part.name.upper(), response)


def _bad_response(name: str, value: Any) -> Iterator[str]:
    data = value.frozen_data
    low, high = (data.min(), data.max()) if data.size else (0, 0)
    if np.isfinite(low) and np.isfinite(high) and low >= -1e-3 * high:
        return
    with np.errstate(invalid="ignore"):
        kinds = {"NaN": np.isnan(data), "infinite": np.isinf(data), "negative": data < 0}
    for kind, bad in kinds.items():
        places = np.argwhere(bad)
        if len(places):
            yield f"{name} is {kind} in {len(places)} bins, {where(value, places)}"


def _used(value: Any, keep: Any) -> Any:
    """Bins in use: of the mask, or the pixels it holds at any energy for a map in true energy."""
    data = value.frozen_data
    if keep is None or keep.shape == data.shape:
        return keep
    return np.broadcast_to(keep.any(axis=tuple(range(keep.ndim - 2))), data.shape)


def _bad_bins(name: str, value: Any, keep: Any) -> Iterator[str]:
    data = value.frozen_data
    # One pass settles the usual case: a NaN makes the comparison false.
    if data.size == 0 or (data.min() >= 0 and np.isfinite(data.max())):
        return
    with np.errstate(invalid="ignore"):
        kinds = {"NaN": np.isnan(data), "infinite": np.isinf(data), "negative": data < 0}
    for kind, bad in kinds.items():
        places = np.argwhere(bad if keep is None else bad & keep)
        if len(places):
            yield f"{name} is {kind} in {len(places)} bins, {where(value, places)}"


def where(value: Any, places: Any) -> str:
    """Place of the first few bins in words."""
    texts = []
    for place in places[:_SHOWN]:
        *axes, lat, lon = (int(i) for i in place)
        names = [axis.name for axis in value.geom.axes][::-1]
        bins = ", ".join(f"{name} bin {index}" for name, index in zip(names, axes, strict=True))
        number = float(value.frozen_data[tuple(place)])
        texts.append(f"{bins + ', ' if bins else ''}pixel ({lon}, {lat}): {number:g}")
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return "at " + " | ".join(texts) + more
