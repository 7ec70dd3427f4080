"""Covariance between the energies of flux points.

It is stored as the correlation matrix, ``correlation``, on a further axis ``energy_other``. A correlation does not depend on the
kind of flux or on the reference model, so that tables of any kind hold the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.flux.quantities import find_sed_type
from geminga.maps import MapAxis, RegionGeom, RegionNDMap

__all__ = ["correlation_map", "covariance", "energy_correlation", "other_axis"]

Array = NDArray[np.float64]

OTHER = "energy_other"


def other_axis(energy: Any) -> Any:
    """Energy axis under the name of the further axis."""
    if energy.node_type == "edges":
        return MapAxis.from_edges(energy.edges, interp="log", name=OTHER)
    return MapAxis.from_nodes(energy.center, interp="log", name=OTHER)


def correlation_map(points: Any, values: Array) -> Any:
    """Correlation of all energies as a map, for points in energy only.

    Raises
    ------
    GeometryError
        If there are other axes, or the shape does not fit.
    """
    axis = points.geom.axes["energy"]
    if points.geom.axes.names != ["energy"] or np.shape(values) != (axis.nbin, axis.nbin):
        msg = f"A correlation of shape {np.shape(values)} does not fit flux points with the axes {points.geom.axes_names}."
        raise GeometryError(msg)
    geom = RegionGeom.create(points.geom.region, axes=[other_axis(axis), axis])
    return RegionNDMap.from_geom(geom, data=np.asarray(values, dtype=float).reshape(geom.data_shape))


def energy_correlation(points: Any) -> Array | None:
    """Correlation matrix of the energies that there are, shape (n, n); ``None`` if it is not known.

    Bins which were cut away since the points were made are left out on both sides. The diagonal is one, and bins without error
    are correlated with no other.
    """
    stored = points._data.get("correlation")
    if stored is None or points.geom.axes.names != ["energy"]:
        return None
    own, other = points.geom.axes["energy"].center, stored.geom.axes[OTHER].center
    place = [int(np.argmin(np.abs(other / energy - 1))) for energy in own]
    if not np.allclose(other[place] / own, 1, rtol=1e-4):
        return None
    matrix = stored.frozen_data[..., 0, 0].astype(float)[:, place]
    matrix = np.nan_to_num(0.5 * (matrix + matrix.T))
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)


def covariance(self: Any, sed_type: str = "dnde") -> u.Quantity:
    """Covariance between the energies, for one standard deviation.

    Parameters
    ----------
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}
        Kind of flux.

    Returns
    -------
    covariance : Quantity
        Shape (n, n), unit of the flux squared; diagonal, of the squared errors, if no correlation is known.

    Raises
    ------
    GeometryError
        If there are other axes than energy.
    InputError
        If there are no errors.

    Examples
    --------
    >>> from geminga.flux import FluxPoints
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> axis = MapAxis.from_energy_edges([1, 10, 100], unit="TeV")
    >>> norm = RegionNDMap.create(None, axes=[axis])
    >>> points = FluxPoints({"norm": norm + 1, "norm_err": norm + 2}, PowerLawSpectralModel())
    >>> points.covariance("likelihood").value.tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    """
    if self.geom.axes.names != ["energy"]:
        msg = f"{type(self).__name__}.covariance: there are the axes {self.geom.axes.names}; slice to energy alone."
        raise GeometryError(msg)
    if "norm_err" not in self._data:
        msg = f"{type(self).__name__}.covariance: there are no symmetric errors, only {self.available_quantities}."
        raise InputError(msg)
    error = self[f"{find_sed_type(sed_type).prefix}_err"].quantity[:, 0, 0] / float(self.n_sigma)
    matrix = energy_correlation(self)
    matrix = np.eye(len(error)) if matrix is None else matrix
    return matrix * error[:, None] * error[None, :]
