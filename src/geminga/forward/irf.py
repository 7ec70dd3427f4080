"""PSF and energy dispersion at a position, interpolated between the pixels of their maps.

Both are linear in the map's values, so everything made from the corners of a cell (transforms, profiles) could be
shared; here the values themselves are mixed, which takes microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from geminga.forward.memo import Memo
from geminga.numerics.radial import SQUARE_DEG, psf_integral, psf_transform

__all__ = ["FixedIrf", "Irf", "IrfSource", "MapIrf", "PsfTable", "make_psf_scales"]

Array = NDArray[np.float64]


#: How far the transform of a PSF is known beyond `k_max`: by more than a width moves while the rule of its wave numbers stays.
BEYOND = 1.2


@dataclass(frozen=True)
class PsfTable:
    """Point spread function at one place: values (sr-1) at `rad` (deg), zero beyond `edge`; integral one."""

    rad: Array
    edge: float
    values: Array  # (n_T, n_rad), or (n_e, n_rad) if in reconstructed energy
    core: float  # smallest scale, deg
    reach: float  # deg, beyond which nothing is left at any energy
    k_max: float  # 1/deg, beyond which the transform is negligible
    is_reco: bool = False

    @cached_property
    def _spline(self) -> CubicSpline:
        """Transform at equidistant wave numbers, which a quarter of a radian at `reach` resolves, to a fifth beyond `k_max`."""
        largest = BEYOND * self.k_max
        k = np.linspace(0, largest, int(np.ceil(4 * largest * self.reach)) + 8)
        table = psf_transform(k, self.rad, self.edge, self.values).T
        return CubicSpline(k, table, bc_type=((1, np.zeros(table.shape[1])), "not-a-knot"), extrapolate=False)

    def transform(self, k: Array) -> tuple[Array, Array]:
        """Hankel transform at wave numbers (1/deg) and its derivative, shapes (n_T, n_k); zero beyond `BEYOND` `k_max`."""
        return np.nan_to_num(self._spline(k).T), np.nan_to_num(self._spline(k, 1).T)


@dataclass(frozen=True)
class Irf:
    """PSF (None for a perfect one) and energy dispersion, shape (n_T, n_e), at one place."""

    psf: PsfTable | None
    response: Array
    key: Hashable = ()


class IrfSource(Protocol):
    """Gives the IRFs at a position (deg, in the model's frame)."""

    def at(self, lon: float, lat: float) -> Irf:
        """IRFs at the position."""


@dataclass(frozen=True)
class FixedIrf:
    """The same IRFs everywhere."""

    irf: Irf

    def at(self, lon: float, lat: float) -> Irf:
        """IRFs, whatever the position."""
        return self.irf


@dataclass(frozen=True)
class MapIrf:
    """IRFs from maps.

    Parameters
    ----------
    psf_corners : callable or None
        ``psf_corners(lon, lat)`` gives values at the four surrounding pixels, shape (4, n_T, n_rad), and weights (4,).
    response_corners : callable
        The same for the energy dispersion, shape (4, n_T, n_e).
    scales : tuple
        Core, reach and largest wave number of the PSF, over all pixels used so far.
    """

    psf_corners: Callable[[float, float], tuple[Array, Array]] | None
    response_corners: Callable[[float, float], tuple[Array, Array]]
    rad: Array
    edge: float
    scales: tuple[float, float, float]
    is_reco: bool
    memo: Memo = field(default_factory=lambda: Memo(4))

    def at(self, lon: float, lat: float) -> Irf:
        """IRFs at the position."""
        key = (float(lon), float(lat))
        return self.memo.get(key, lambda: self._make(*key))

    def _make(self, lon: float, lat: float) -> Irf:
        corners, weight = self.response_corners(lon, lat)
        response = np.einsum("c,cTe->Te", weight, corners)
        psf = None
        if self.psf_corners is not None:
            corners, weight = self.psf_corners(lon, lat)
            values = np.einsum("c,cTr->Tr", weight, corners)
            psf = PsfTable(self.rad, self.edge, values, *self.scales, is_reco=self.is_reco)
        return Irf(psf, response, (lon, lat))


def normalise_psf(rad: Array, edge: float, values: Array) -> Array:
    """Divide tabulated PSFs by their integral; rows that are zero stay zero. Shape (..., n_rad)."""
    flat = values.reshape(-1, values.shape[-1])
    integral = psf_integral(rad, edge, flat)[:, None]
    return np.divide(flat, integral, out=np.zeros_like(flat), where=integral > 0).reshape(values.shape)


def make_psf_scales(rad: Array, edge: float, values: Array) -> tuple[float, float, float]:
    """Smallest core (deg), reach (deg) and largest wave number (1/deg) of normalised PSFs, shape (n, n_rad)."""
    good = values[values.max(axis=1) > 0]
    if len(good) == 0:
        return float(rad[-1]), float(edge), 12.0 / float(rad[-1])
    measure = 2 * np.pi * rad * np.gradient(rad) * SQUARE_DEG
    enclosed = np.cumsum(good * measure, axis=1)
    enclosed /= enclosed[:, -1:]
    short = np.flatnonzero((1 - enclosed).max(axis=0) > 1e-6)
    reach = float(edge if len(short) == 0 or short[-1] + 2 >= len(rad) else rad[short[-1] + 2])
    core = max(float(rad[np.argmax(enclosed > 0.393, axis=1)].min()), float(rad[0]))
    k = np.geomspace(0.5, 12.0, 40) / core
    above = np.flatnonzero(np.abs(psf_transform(k, rad, edge, good)).max(axis=0) > 1e-7)
    return core, reach, float(k[min(above[-1] + 1, len(k) - 1)]) if len(above) else float(k[-1])
