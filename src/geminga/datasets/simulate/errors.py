"""What the systematic errors of a dataset do to the photons of a source, as the prediction has it.

A photon of energy E is seen as one of ``energy_scale`` times E; the area has a factor, and the PSF is wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.systematics import Nuisance, Systematics
from geminga.numerics.sphere import offset_by, position_angle, separation

__all__ = ["SourceErrors"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SourceErrors:
    """Systematic errors of one source.

    Parameters
    ----------
    energy_scale : float
        Energy at which photons are seen over their own.
    psf_scale : float
        Factor on the width of the PSF.
    """

    systematics: Systematics
    energy_scale: float
    psf_scale: float
    acts_on_area: bool

    @classmethod
    def create(cls, dataset: Any, model: Any) -> SourceErrors:
        """Those which the models of a dataset say.

        Raises
        ------
        UnsupportedError
            If there is an energy scale for a source which looks different at each energy.
        """
        errors = Systematics(dataset.models or ())
        energy, psf = (prod(p.value for p in found) for found in (errors.energy_scales(model), errors.psf_scales(model)))
        return cls(errors, energy, psf, bool(model.apply_irf["exposure"]))

    def area_factor(self, edges: Array) -> Array:
        """Factor on the effective area in bins of the energy which is seen (TeV), shape (n,)."""
        found: Nuisance = self.systematics.area(edges)
        if found.factor is None or not self.acts_on_area:
            return np.ones(len(edges) - 1)
        return np.asarray(found.factor(np.array([p.value for p in found.parameters]))[0])

    def widened(self, true: tuple[Array, Array], seen: tuple[Array, Array]) -> tuple[Array, Array]:
        """Positions (longitude and latitude, deg) seen through the wider PSF, from true ones and those seen through the PSF."""
        if self.psf_scale == 1:
            return seen
        lon, lat, lon_seen, lat_seen = (np.deg2rad(values) for values in (*true, *seen))
        distance = self.psf_scale * separation(lon, lat, lon_seen, lat_seen)
        lon, lat = np.rad2deg(offset_by(lon, lat, position_angle(lon, lat, lon_seen, lat_seen), distance))
        return lon % 360, lat
