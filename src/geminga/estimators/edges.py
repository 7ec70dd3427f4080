"""Energy bands with enough counts or significance, for estimators of flux points."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.stats import CashCountsStatistic, WStatCountsStatistic

__all__ = ["resample_energy_edges"]

Array = NDArray[np.float64]

#: Quantities of a band that can be asked for; conditions are named with the ending ``_min``.
QUANTITIES = ("counts", "background", "excess", "sqrt_ts", "npred", "npred_background", "npred_signal")


def resample_energy_edges(dataset: Any, conditions: Any = {}) -> u.Quantity:  # noqa: B006
    """Edges of bands which satisfy conditions.

    From the lowest energy on, bins are joined until all conditions hold. What is left at the end belongs to the last band.

    Parameters
    ----------
    dataset : MapDataset, SpectrumDataset or their on/off kinds
        Counts inside its mask are used; bins which are masked altogether at either end are left out.
    conditions : dict
        Least values of the sums over a band: ``counts_min``, ``background_min``, ``excess_min``, ``sqrt_ts_min``, ``npred_min``,
        ``npred_background_min``, ``npred_signal_min``.

    Returns
    -------
    edges : Quantity
        Some of the edges of the dataset's energy axis.

    Raises
    ------
    NameLookupError
        If a condition is not known.
    InputError
        If all energies together do not satisfy the conditions.

    Examples
    --------
    >>> from geminga.datasets import SpectrumDataset
    >>> from geminga.estimators.utils import resample_energy_edges
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> axis = MapAxis.from_energy_edges([1, 2, 4, 8, 16], unit="TeV")
    >>> counts = RegionNDMap.create("icrs;circle(0, 0, 1)", axes=[axis])
    >>> counts.data[:, 0, 0] = [3, 1, 2, 1]
    >>> print(resample_energy_edges(SpectrumDataset(counts=counts), {"counts_min": 3}))
    [ 1.  2. 16.] TeV
    """
    known = [f"{name}_min" for name in QUANTITIES]
    for name in conditions:
        if name not in known:
            msg = f"resample_energy_edges: condition {name!r} is not known; expected some of {', '.join(known)}."
            raise NameLookupError(msg)
    wanted = {name.removesuffix("_min"): float(value) for name, value in conditions.items()}
    sums = _Sums(dataset, wanted)
    edges, start = [sums.first], sums.first
    for stop in range(sums.first + 1, sums.last + 1):
        if sums.satisfy(start, stop):
            edges.append(stop)
            start = stop
    if len(edges) == 1:
        reached = ", ".join(f"{name} {sums.total(name, sums.first, sums.last):.4g}" for name in wanted)
        msg = f"resample_energy_edges: the conditions {dict(conditions)} cannot be met; all energies together have {reached}."
        raise InputError(msg)
    edges[-1] = sums.last
    return dataset._geom.axes["energy"].edges[edges]


class _Sums:
    """Sums over the pixels inside the mask, for each energy."""

    def __init__(self, dataset: Any, wanted: dict[str, float]) -> None:
        shape = dataset._geom.data_shape
        self.inside = np.ones(shape, bool) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)
        seen = np.flatnonzero(self.inside.reshape(shape[0], -1).any(axis=1))
        if not len(seen):
            msg = f"resample_energy_edges: the mask of dataset {dataset.name!r} selects no bin."
            raise InputError(msg)
        self.first, self.last = int(seen[0]), int(seen[-1]) + 1
        self.wanted, self.is_off = wanted, dataset.stat_type == "wstat"
        self.counts = self._sum(dataset.counts)
        self.off = self._sum(dataset.counts_off) if self.is_off else np.zeros(shape[0])
        self.background = self._background(dataset)
        self.signal = self._sum(dataset.npred_signal()) if dataset.models else np.zeros(shape[0])

    def _sum(self, map_: Any) -> Array:
        if map_ is None:
            return np.zeros(len(self.inside))
        values = np.where(self.inside, np.nan_to_num(map_.frozen_data.astype(float)), 0.0)
        return np.asarray(values.reshape(len(values), -1).sum(axis=1))

    def _background(self, dataset: Any) -> Array:
        if self.is_off or dataset.background is None:
            return self._sum(dataset.background)
        return self._sum(dataset.npred_background())

    def satisfy(self, start: int, stop: int) -> bool:
        """Whether the conditions hold for some bins."""
        return all(self.total(name, start, stop) >= value * (1 - 1e-12) for name, value in self.wanted.items())

    def total(self, name: str, start: int, stop: int) -> float:
        """A quantity of some bins."""
        part = slice(start, stop)
        counts, background, signal = (float(a[part].sum()) for a in (self.counts, self.background, self.signal))
        if name == "sqrt_ts":
            off = float(self.off[part].sum())
            if self.is_off and off > 0:
                return float(WStatCountsStatistic(counts, off, background / off).sqrt_ts)
            return float(CashCountsStatistic(counts, background).sqrt_ts)
        values = {
            "counts": counts,
            "background": background,
            "excess": counts - background,
            "npred": background + signal,
            "npred_background": background,
            "npred_signal": signal,
        }
        return values[name]
