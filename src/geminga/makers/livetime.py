"""Maps of the time spent on each place of the sky."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.irf.project import make_map_exposure_true_energy
from geminga.makers.map import needed, pointing_of
from geminga.makers.masks import near_pointing
from geminga.maps import Map
from geminga.utils.units import as_quantity

__all__ = ["make_effective_livetime_map", "make_observation_time_map"]


def _near(observation: Any, geom: Any, offset_max: Any) -> NDArray[np.bool_]:
    """Image: within an offset of the pointing, by default the last node or edge of the effective area."""
    if offset_max is None:
        axis = needed(observation, "aeff").axes["offset"]
        limit = axis.node_quantity[-1]
    else:
        limit = as_quantity(offset_max, "deg", "offset_max")
    return near_pointing(observation, geom, limit.to_value("deg"))


def make_observation_time_map(observations: Any, geom: Any, offset_max: Any = None) -> Any:
    """Livetime for which each pixel was in the field of view.

    Parameters
    ----------
    observations : Observations or list of Observation
        Observations.
    geom : WcsGeom
        Image.
    offset_max : Quantity, optional
        Radius of the field of view; the largest offset of the effective area if not given.

    Returns
    -------
    time : Map
        Livetime, h.

    Raises
    ------
    GeometryError
        If the geometry has axes beside the sky.
    """
    if not geom.is_image:
        msg = f"make_observation_time_map: the geometry has the axes {geom.axes.names}; expected an image, see geom.to_image()."
        raise GeometryError(msg)
    total = np.zeros(geom.data_shape)
    for observation in observations:
        total += _near(observation, geom, offset_max) * observation.observation_live_time_duration.to_value("h")
    return Map.from_geom(geom, data=total, unit="h", dtype=float)


def make_effective_livetime_map(observations: Any, geom: Any, offset_max: Any = None) -> Any:
    """Livetime on the axis that would give the same exposure: livetime times relative effective area.

    Parameters
    ----------
    observations : Observations or list of Observation
        Observations.
    geom : WcsGeom
        Geometry with an axis ``energy_true``.
    offset_max : Quantity, optional
        Radius of the field of view; the largest offset of the effective area if not given.

    Returns
    -------
    livetime : Map
        Livetime, h; zero where the effective area on the axis is.

    Raises
    ------
    GeometryError
        If the geometry has no axis ``energy_true``.
    """
    total: Any = np.zeros(geom.data_shape)
    for observation in observations:
        aeff = needed(observation, "aeff")
        pointing = pointing_of(observation)
        exposure = make_map_exposure_true_energy(pointing, observation.observation_live_time_duration, aeff, geom)
        energy = geom.axes["energy_true"].center
        on_axis = aeff.evaluate(energy_true=energy, offset="0 deg").to_value("m2").reshape(-1, 1, 1)
        seconds = exposure.frozen_data.astype(float)
        relative = np.divide(seconds, on_axis, out=np.zeros_like(seconds), where=on_axis > 0)
        total += relative * _near(observation, geom, offset_max) / 3600.0
    return Map.from_geom(geom, data=total, unit="h", dtype=float)
