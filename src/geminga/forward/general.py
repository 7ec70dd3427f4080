"""What sources of any shape have in common: their parts, their place, and the lattice they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field
from geminga.forward.irf import IrfSource, PsfTable
from geminga.forward.lattice import Density, Extent, plan_extent
from geminga.modeling.models.derivative import Evaluator

__all__ = ["GeneralSource"]

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class GeneralSource:
    """One source of any shape over one field.

    Parameters
    ----------
    density : callable
        ``density(lon, lat, spatial values) -> (density, gradient)``, in sr-1, shape (n_T or 1, n) and
        (n_spatial, n_T or 1, n); lon and lat in deg in the model's frame.
    center : tuple of float or None
        Where the plane is centred (lon, lat in deg); None follows the first two spatial values.
    active : bool array
        Spatial parameters that may vary; the others get no derivative.
    """

    field: Field
    flux: Evaluator
    density: Density
    support: Callable[[Array], float | None]
    feature: Callable[[Array], float]
    center: tuple[float, float] | None
    rotation: Array
    irf: IrfSource
    exposure: tuple[Array, Array]
    n_spectral: int
    n_spatial: int
    active: NDArray[np.bool_]

    def _center(self, spatial: Array) -> tuple[float, float]:
        return self.center if self.center is not None else (float(spatial[0]), float(spatial[1]))

    def _extent(self, spatial: Array, psf: PsfTable, max_nodes: int, **options: Any) -> Extent:
        """Lattice for a source with these spatial values; options of `plan_extent`."""
        place = (self.field, self._center(spatial), self.center is None, self.rotation)
        return plan_extent(*place, self.feature(spatial), self.support(spatial), psf, max_nodes, **options)
