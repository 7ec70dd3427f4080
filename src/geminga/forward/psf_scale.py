"""Radial profiles through a PSF of uncertain width.

A PSF w times as wide has the transform psf(w k). The transform of the table is made once, as a spline, and the profile of an
extended source is its own transform times that and back; the derivative by w is k psf'(w k), exact for the spline. The profile
of a point is the PSF itself: its tables at some widths are interpolated by a polynomial in ln w, which is differentiated.

Legend: k wave number (1/deg), T true energy, node radius node.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.irf import Irf, PsfTable
from geminga.forward.memo import Memo
from geminga.forward.profile import Profile, point_profile_on, quantise, transform_reach
from geminga.numerics.cells import cell_table
from geminga.numerics.radial import back_transform, pixel_transform, wave_numbers

__all__ = ["rounded", "widened_extended", "widened_point", "wider"]

Array = NDArray[np.float64]

#: Half the range of ln w within which nodes and rules stay.
HALF = float(np.log(2) / 8)

#: Widths (in `HALF`) at which the tables of a point are made: Chebyshev points, one of them in the middle.
POINTS = np.cos(np.pi * np.arange(5) / 4)

_tables = Memo(8)


def wider(psf: PsfTable, w: float) -> PsfTable:
    """The PSF w times as wide."""
    core, reach, k_max = psf.core * w, psf.reach * w, psf.k_max / w
    return replace(psf, rad=psf.rad * w, edge=psf.edge * w, values=psf.values / w**2, core=core, reach=reach, k_max=k_max)


def _middle(w: float) -> float:
    """Middle of the range which a width lies in; 1 for those near 1."""
    return float(np.exp(2 * HALF * np.round(np.log(w) / (2 * HALF))))


def rounded(psf: PsfTable, w: float) -> PsfTable:
    """The PSF with the scales of all widths near w, so that these stay while w moves."""
    return _around(psf, _middle(w))


def _around(psf: PsfTable, middle: float) -> PsfTable:
    low, high = middle * np.exp([-HALF, HALF])
    return replace(psf, core=psf.core * low, reach=psf.reach * high, k_max=psf.k_max / low)


def widened_point(irf: Irf, scales: Array, side: float, nodes: Profile | None = None) -> Profile:
    """Profile of a point through a PSF whose width is multiplied by `scales`; the shape gradient has a row for each of these.

    With the `nodes` of another profile, whose width is a little different.
    """
    assert irf.psf is not None
    w = float(scales.prod())
    middle = _middle(w) if nodes is None else nodes.middle
    near = _around(irf.psf, middle)
    step = quantise(min(near.core / 5, side))
    n_nodes = int(np.ceil((near.reach + side) / step / 8) * 8) + 2
    psf, key = irf.psf, (id(irf.psf), side, middle)
    _, powers = _tables.get(key, lambda: (psf, _point_tables(psf, side, step, n_nodes, middle)))  # the identity stays its own
    order = np.arange(len(POINTS))
    t = np.log(w / middle) / HALF
    table = np.tensordot(t**order, powers, 1)
    slope = np.tensordot(order[1:] * t ** order[:-1], powers[1:], 1) / HALF
    return Profile(step, n_nodes - 1, table, slope[None] / scales[:, None, None], middle)


def _point_tables(psf: PsfTable, side: float, step: float, n_nodes: int, middle: float) -> Array:
    """Coefficients of the powers of ln(w / middle) / HALF, each a table of the profile."""
    widths = middle * np.exp(HALF * POINTS)
    tables = [cell_table(*point_profile_on(wider(psf, float(w)), side, step, n_nodes), step) for w in widths]
    return np.asarray(np.tensordot(np.linalg.inv(np.vander(POINTS, increasing=True)), np.array(tables), 1))


@lru_cache(maxsize=16)
def _rule(k_max: float, radius: float, step: float, n_nodes: int) -> tuple[Array, Array]:
    """Wave numbers, and the matrix from a transform at these to values and slopes at the nodes."""
    k, weight = wave_numbers(k_max, radius * 1.15)
    chord = np.deg2rad(step * np.arange(n_nodes))
    both = back_transform(k, weight, np.rad2deg(2 * np.arcsin(np.minimum(chord / 2, 1))))
    return k, np.concatenate(both, axis=1)


def widened_extended(spatial: Any, values: Array, scales: Array, irf: Irf, side: float, nodes: Profile | None = None) -> Profile:
    """Profile of a round source through such a PSF; rows of the gradient for the `scales` follow those of the shape."""
    assert irf.psf is not None
    w = float(scales.prod())
    middle = _middle(w) if nodes is None else nodes.middle
    near = _around(irf.psf, middle)
    radius = float(spatial.support_radius(values)) + near.reach
    feature = float(np.hypot(spatial.feature_size(values), near.core))
    step = quantise(min(feature / 4, radius / 16)) if nodes is None else nodes.step
    n_nodes = int(np.ceil(radius / step / 8) * 8) + 2 if nodes is None else nodes.n_cells + 1
    k_max = min(transform_reach(spatial, values), near.k_max)
    k, both = _rule(k_max, max(radius, step * n_nodes), step, n_nodes)
    model, gradient = spatial.radial_transform(k, values)
    psf, slope = irf.psf.transform(w * k)
    kernels = [psf * model, *(psf * row for row in gradient[2:]), *(k * slope * model * (w / scale) for scale in scales)]
    smeared = np.array(kernels) * pixel_transform(k, side)
    product = (smeared.reshape(-1, len(k)) @ both).reshape(len(kernels), len(psf), 2, n_nodes)
    tables = np.array([cell_table(p[:, 0], p[:, 1], step) for p in product])
    return Profile(step, n_nodes - 1, tables[0], tables[1:], middle)
