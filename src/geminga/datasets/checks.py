"""Whether the data of a dataset can be used: all faults at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import astropy.units as u
import numpy as np

from geminga.datasets.products import filled_parts, label
from geminga.errors import DataError, GeometryError
from geminga.utils.faults import are_good, bad_values, refuse

__all__ = ["REMEDY", "check_values", "faults", "validate"]

_EXPOSURE = u.Unit("cm2 s")
_REMEMBERED = 4096
#: Stamps of maps that were found to be good, oldest first.
_good: dict[int, None] = {}
REMEDY = "Correct the maps or exclude the bins with a mask."


def validate(self: Any) -> None:
    """Check that data are finite and not negative where they are used, and that all parts are there and fit together.

    Counts, background and the like are checked in the bins of the mask, the exposure in the pixels which the mask holds at
    any energy, PSF and energy dispersion everywhere (a thousandth of the largest value below zero is rounding).

    Raises
    ------
    DataError
        Listing every fault with its map, energy bin and pixel.
    """
    refuse(label(self), self._faults(), REMEDY)


def check_values(self: Any) -> None:
    """Check the parts that are there, as `validate` does; what is missing may not be needed."""
    refuse(label(self), faults(self), REMEDY)


def faults(self: Any) -> Iterator[str]:
    """Faults of the parts of a dataset, in words."""
    mask = self.mask
    keep = None if mask is None else mask.frozen_data
    for part, value in filled_parts(self):
        try:
            part.check(self, value)
        except (GeometryError, DataError) as error:
            yield str(error)
            continue
        if part.name in self.checked_maps and not _is_good(value):
            yield from bad_values(part.name.upper(), value.frozen_data, value.geom.axes[::-1], _used(value, keep))
        response = getattr(value, "_faults", None)
        if response is not None:
            yield from (f"{part.name.upper()}: {text}" for text in response())
    yield from _exposure_faults(self)


def _is_good(value: Any) -> bool:
    """Whether all bins of a map are good, as most are; those of a map which was checked in this state are not looked at again."""
    stamp = value.settled_stamp
    if stamp in _good:
        return True
    if not are_good(value.frozen_data, 0.0):
        return False
    if stamp is not None:
        _good[stamp] = None
        while len(_good) > _REMEMBERED:
            _good.pop(next(iter(_good)), None)
    return True


def _exposure_faults(self: Any) -> Iterator[str]:
    """A wrong unit, and axes of true energy that differ between exposure and responses."""
    if self.exposure is None:
        return
    if not self.exposure.unit.is_equivalent(_EXPOSURE):
        yield f"EXPOSURE is in '{self.exposure.unit}'; expected a unit convertible to 'cm2 s'"
    axis = self.exposure.geom.axes["energy_true"]
    for part, value in filled_parts(self):
        names = part.geom(value).axes.names
        if part.name == "exposure" or "energy_true" not in names:
            continue
        other = part.geom(value).axes["energy_true"]
        if part.name == "edisp" and other != axis:
            yield f"EDISP has {other.nbin} bins of true energy, {_span(other)}, EXPOSURE has {axis.nbin}, {_span(axis)}"


def _span(axis: Any) -> str:
    return f"{axis.edges[0]:.4g} to {axis.edges[-1]:.4g}"


def _used(value: Any, keep: Any) -> Any:
    """Bins in use: of the mask, or the pixels it holds at any energy for a map in true energy."""
    data = value.frozen_data
    if keep is None or keep.shape == data.shape:
        return keep
    image = keep.any(axis=tuple(range(keep.ndim - 2)))
    # A mask on other pixels is a fault of its own.
    return np.broadcast_to(image, data.shape) if image.shape == data.shape[-2:] else None
