"""Radial profiles of round sources through PSF and pixel, as Hermite tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import UnsupportedError
from geminga.forward.irf import Irf, PsfTable
from geminga.numerics.cells import cell_table
from geminga.numerics.radial import back_transform, pixel_transform, psf_operator, psf_transform, wave_numbers

__all__ = [
    "Profile",
    "extended_profile",
    "extended_second",
    "point_profile",
    "point_profile_on",
    "quantise",
    "second_by_differences",
    "transform_reach",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Cubic cells between radii ``step * arange(n_cells + 1)`` (deg, along the chord)."""

    step: float
    n_cells: int
    table: Array  # (n_T, 4 n_cells)
    shape_gradient: Array  # (n_shape, n_T, 4 n_cells)
    middle: float = 1.0  # of the range of widths of the PSF for which it has these nodes


def point_profile(irf: Irf, side: float) -> Profile:
    """Profile of a point: the PSF, averaged over a pixel of side `side` (deg)."""
    psf = irf.psf
    if psf is None:  # not a radial component; the plan never makes one
        msg = "A point source without PSF has no profile."
        raise UnsupportedError(msg)
    step = quantise(min(psf.core / 5, side))
    n_nodes = int(np.ceil((psf.reach + side) / step / 8) * 8) + 2
    table = cell_table(*point_profile_on(psf, side, step, n_nodes), step)
    return Profile(step, n_nodes - 1, table, np.zeros((0, *table.shape)))


def point_profile_on(psf: PsfTable, side: float, step: float, n_nodes: int) -> tuple[Array, Array]:
    """Values and slopes of a PSF averaged over a pixel at radii ``step * arange(n_nodes)``, shapes (n_T, n_nodes)."""
    value, slope = psf_operator(psf.rad, psf.edge, side, step, n_nodes)
    return psf.values @ value.T, psf.values @ slope.T


@dataclass(frozen=True)
class _Rule:
    """Way from the transform of a shape at wave numbers k to its profile through PSF and pixel at the nodes."""

    step: float
    k: Array  # (n_k,)
    kernel: Array  # transform of PSF and pixel, (n_T, n_k)
    both: Array  # to values and slopes, (n_k, 2 n_nodes)

    def profiles(self, transforms: Array) -> Array:
        """Values and slopes, shape (n, n_T, 2, n_nodes), of transforms of shape (n, n_k)."""
        product = (self.kernel[None] * transforms[:, None]).reshape(-1, len(self.k)) @ self.both
        return product.reshape(len(transforms), len(self.kernel), 2, -1)

    def tables(self, profiles: Array) -> Array:
        """Profiles as cubic cells, shape (n, n_T, 4 n_cells)."""
        return np.array([cell_table(p[:, 0], p[:, 1], self.step) for p in profiles])


def _rule(spatial: Any, values: Array, irf: Irf, side: float, grid: tuple[float, int] | None) -> _Rule:
    psf = irf.psf
    core, reach, k_psf = (psf.core, psf.reach, psf.k_max) if psf is not None else (0.0, 0.0, np.inf)
    feature = float(np.hypot(spatial.feature_size(values), core))
    radius = float(spatial.support_radius(values)) + reach
    step = quantise(min(feature / 4, radius / 16)) if grid is None else grid[0]
    n_nodes = int(np.ceil(radius / step / 8) * 8) + 2 if grid is None else grid[1] + 1
    radius = max(radius, step * n_nodes)
    k, weight = wave_numbers(min(transform_reach(spatial, values), k_psf), radius * 1.15)
    smear = pixel_transform(k, side)
    if psf is None:
        kernel = np.broadcast_to(smear, (irf.response.shape[0], len(k)))
    else:
        kernel = psf_transform(k, psf.rad, psf.edge, psf.values) * smear
    chord = np.deg2rad(step * np.arange(n_nodes))
    both = back_transform(k, weight, np.rad2deg(2 * np.arcsin(np.minimum(chord / 2, 1))))
    return _Rule(step, k, kernel, np.concatenate(both, axis=1))


def extended_profile(spatial: Any, values: Array, irf: Irf, side: float, grid: tuple[float, int] | None) -> Profile:
    """Profile of a round source by its transform times that of PSF and pixel; `grid` fixes step and number of nodes."""
    rule = _rule(spatial, values, irf, side, grid)
    model, gradient = spatial.radial_transform(rule.k, values)
    profiles = rule.profiles(np.array([model, *gradient[2:]]))
    keep = profiles.shape[-1] if grid is not None else _reach(profiles[0, :, 0])
    tables = rule.tables(profiles[..., :keep])
    return Profile(rule.step, keep - 1, tables[0], tables[1:])


def extended_second(spatial: Any, values: Array, irf: Irf, side: float, nodes: Profile) -> Array:
    """Second derivatives of such a profile by the shape on its nodes: tables, shape (n_shape, n_shape, n_T, 4 n_cells).

    The transform alone depends on the shape, so that differences of its gradient take the same way.
    """
    rule = _rule(spatial, values, irf, side, (nodes.step, nodes.n_cells))
    second = second_by_differences(lambda moved: spatial.radial_transform(rule.k, moved)[1][2:], values)
    tables = rule.tables(rule.profiles(second.reshape(-1, len(rule.k))))
    return tables.reshape(*second.shape[:2], *tables.shape[1:])


def second_by_differences(gradient: Callable[[Array], Array], values: Array) -> Array:
    """Derivatives of a gradient by the shape, which follows the position in `values`, shape (n_shape, n_shape, ...)."""
    out = []
    for i in range(2, len(values)):
        step = 1e-4 * (abs(values[i]) if values[i] != 0 else 1e-2)
        ends = [gradient(values + sign * step * (np.arange(len(values)) == i)) for sign in (1, -1)]
        out.append((np.asarray(ends[0]) - np.asarray(ends[1])) / (2 * step))
    return np.array(out)


def quantise(step: float) -> float:
    """Round down to a power of sqrt(2), so that small changes of a size keep the nodes."""
    return float(2.0 ** (np.floor(2 * np.log2(step)) / 2))


def _reach(profile: Array, missing: float = 3e-6) -> int:
    """Number of nodes beyond which at most a fraction `missing` of any profile lies (in steps of 8)."""
    measure = np.abs(profile) * np.arange(profile.shape[1])
    enclosed = np.cumsum(measure, axis=1)
    short = (enclosed < (1 - missing) * enclosed[:, -1:]).any(axis=0)
    last = int(np.flatnonzero(short)[-1]) + 2 if short.any() else 1
    return min(int(np.ceil(last / 8) * 8) + 2, int(profile.shape[1]))


def transform_reach(spatial: Any, values: Array) -> float:
    """Wave number beyond which a model's transform stays below 1e-9 (infinite if it never does)."""
    size = max(float(spatial.feature_size(values)), 1e-9)
    k = np.geomspace(0.1, 200.0, 60) / size
    m, _ = spatial.radial_transform(k, values)
    large = np.flatnonzero(np.abs(m) > 1e-9)
    if len(large) == 0:
        return float(k[0])
    return float(k[large[-1] + 1]) if large[-1] + 1 < len(k) else float("inf")
