"""The statistic of one dataset at many points at once.

Sources that are folded into a matrix, and templates times a factor, predict all points by matrix products; what is left is one
logarithm for each bin and point. Where a position or a shape moves, the points are evaluated one by one.

Legend: i point, T true energy, e energy, b occupied bin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.folded import FoldedComponent
from geminga.modeling.models.derivative import evaluate_many
from geminga.numerics.poisson import TRUNCATION

__all__ = ["dense_value_many", "poisson_value_many"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Predictions made at once, in numbers.
CHUNK = 2_000_000


def _one_by_one(own: Any, points: Array) -> Array:
    nothing = np.zeros(points.shape[1], dtype=bool)
    return np.array([own.evaluate(point, nothing, 0)[0] for point in points])


def _can_batch(own: Any, points: Array) -> bool:
    """Are all sources folded, and all points where they are."""
    for source in own.sources:
        component = source.component
        if not isinstance(component, FoldedComponent):
            return False
        place = (points[:, source.index] - source.offset) * source.scale
        if (place[:, component.n_spectral :] != component.spatial).any():
            return False
    return True


def _fluxes(own: Any, points: Array) -> list[Array]:
    """Flux of each source at all points, shape (i, T)."""
    out = []
    for source in own.sources:
        values = (points[:, source.index] - source.offset) * source.scale
        component = source.component
        out.append(evaluate_many(component.component.flux, values[:, : component.n_spectral])[0])
    return out


def _factors(own: Any, points: Array) -> list[Array]:
    """Factor of each template at all points, shape (i, e)."""
    n_energy = own.field.n_energy
    return [
        np.ones((len(points), n_energy)) if t.factor is None else evaluate_many(t.factor, points[:, t.index])[0]
        for t in own.templates
    ]


def _predicted(own: Any, fluxes: list[Array], factors: list[Array], bins: Index) -> Array:
    """Counts in some bins at all points, shape (i, b)."""
    place = np.full(len(own.field.bin_counts), -1, dtype=np.intp)
    place[bins] = np.arange(len(bins))
    n = len((fluxes or factors)[0])
    mu = np.zeros((n, len(bins)))
    for source, flux in zip(own.sources, fluxes, strict=True):
        unit = source.component.unit
        at = place[unit.selection.bins]
        if len(at) == len(bins):
            mu += flux @ unit.matrix
        else:
            mu[:, at] += flux @ unit.matrix
    energy = own.field.bin_energy[bins]
    for template, factor in zip(own.templates, factors, strict=True):
        mu += template.bins[bins] * factor[:, energy]
    return mu


def _chunks(points: Array, n_bins: int) -> list[Array]:
    size = max(1, CHUNK // max(1, n_bins))
    return [points[start : start + size] for start in range(0, len(points), size)]


def poisson_value_many(self: Any, points: Array) -> Array:
    """Statistic at many points, shape (n, n_parameters) to (n,)."""
    if not _can_batch(self, points) or not (self.sources or self.templates):
        return _one_by_one(self, points)
    selections = [source.component.unit.selection for source in self.sources]
    closed = len(self.templates) == 1
    flag = np.full(len(self.field.bin_counts), not closed)
    tiles = np.zeros(len(self.tile_log_base), dtype=bool)
    if closed:
        flag[self.dark] = True
        for selection in selections:
            flag[selection.bins] = True
            tiles[selection.tiles] = True
    bins = np.flatnonzero(flag)
    # Beyond the sources the prediction is a template times a factor of energy.
    rest = self.energy_counts - self.tile_counts[tiles].sum(axis=0)
    log_rest = float(self.tile_log_base.sum() - self.tile_log_base[tiles].sum())
    counts = self.field.bin_counts[bins]
    stat = []
    for part in _chunks(points, len(bins)):
        fluxes, factors = _fluxes(self, part), _factors(self, part)
        mu = _predicted(self, fluxes, factors, bins)
        log_sum = np.log(np.maximum(mu, TRUNCATION, out=mu), out=mu) @ counts
        total = np.zeros(len(part))
        for source, flux in zip(self.sources, fluxes, strict=True):
            total += flux @ source.component.unit.total
        for template, factor in zip(self.templates, factors, strict=True):
            total += factor @ template.total
        if closed:
            positive: Any = (factors[0] > 0).all(axis=1)
            log_sum += log_rest + np.log(np.where(positive[:, None], factors[0], 1.0)) @ rest
        own = 2 * (total - log_sum) + self.constant
        if closed and not positive.all():
            own[~positive] = _one_by_one(self, part[~positive])
        stat.append(own)
    return np.concatenate(stat) if stat else np.zeros(0)


def dense_value_many(self: Any, points: Array) -> Array:
    """Statistic at many points from all bins, shape (n, n_parameters) to (n,)."""
    if not _can_batch(self, points) or not (self.sources or self.templates):
        return _one_by_one(self, points)
    bins = np.arange(len(self.field.bin_counts))
    stat = []
    for part in _chunks(points, len(bins)):
        mu = _predicted(self, _fluxes(self, part), _factors(self, part), bins)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            stat.append(self.statistic.value(mu).sum(axis=1))
    return np.concatenate(stat) if stat else np.zeros(0)
