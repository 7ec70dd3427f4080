"""Energy dispersion applied to a map of predicted counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import GeometryError
from geminga.maps import Map

__all__ = ["apply_edisp"]


def apply_edisp(input_map: Any, edisp: Any) -> Any:
    """Fold a map from true to reconstructed energy.

    Parameters
    ----------
    input_map : Map
        Map with axis ``energy_true``.
    edisp : EDispKernel or None
        Energy dispersion; if ``None`` the axis is only renamed to ``energy``.

    Returns
    -------
    map : Map
        With axis ``energy``.

    Raises
    ------
    GeometryError
        If the map has no true energy axis, or another number of bins than the kernel.
    """
    axes = input_map.geom.axes
    if "energy_true" not in axes.names:
        msg = f"apply_edisp: the map has axes {axes.names}; expected an axis named 'energy_true'."
        raise GeometryError(msg)
    if edisp is None:
        return input_map.rename_axes(["energy_true"], ["energy"])
    matrix, position = edisp.pdf_matrix, axes.index_data("energy_true")
    data = input_map.frozen_data
    if matrix.shape[0] != data.shape[position]:
        msg = (
            f"apply_edisp: the map has {data.shape[position]} true energies, the kernel {matrix.shape[0]}; they must be the same."
        )
        raise GeometryError(msg)
    folded = np.moveaxis(np.tensordot(data, matrix, axes=(position, 0)), -1, position)
    new = [edisp.axes["energy"] if axis.name == "energy_true" else axis for axis in axes]
    return Map.from_geom(input_map.geom.to_image().to_cube(new), data=folded, unit=input_map.unit)
