"""Energies at which responses begin to be trustworthy, from tables and from curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.makers.map import needed
from geminga.maps import MapAxis

__all__ = ["bias_threshold", "crossing", "dl3_area", "dl3_background", "dl3_kernel"]

Array = NDArray[np.float64]


def crossing(energy: Array, values: Array, level: float, edges: Array, sharp: bool) -> float:
    """Energy at which a curve first reaches a level.

    Parameters
    ----------
    energy, values : array, shape (n,)
        Curve.
    level : float
        Level, positive.
    edges : array, shape (n + 1,)
        Edges of the bins of the curve.
    sharp : bool
        Interpolate in logarithms; else take the lower edge of the first bin that reaches the level.
    """
    index = int(np.argmax(values >= level))
    if not sharp or index == 0:
        return float(edges[index])
    low, high = np.log(np.maximum(values[index - 1 : index + 1].astype(float), float(np.finfo(np.float32).tiny)))
    place = (np.log(level) - low) / (high - low)
    return float(np.exp(np.log(energy[index - 1]) * (1 - place) + np.log(energy[index]) * place))


def bias_threshold(kernel: Any, bias: float) -> Any:
    """Reconstructed energy from which the bias is below a value; None if it is above everywhere."""
    try:
        return kernel.get_bias_energy(bias)[0]
    except InputError:
        return None


def dl3_area(observation: Any, offset: Any) -> tuple[Array, Array, Array]:
    """Energies (TeV), effective area and edges of the table at an offset."""
    aeff = needed(observation, "aeff")
    axis = aeff.axes["energy_true"]
    area = aeff.evaluate(energy_true=axis.center, offset=offset).value
    return axis.center.to_value("TeV"), np.asarray(area), axis.edges.to_value("TeV")


def dl3_kernel(observation: Any, offset: Any) -> Any:
    """Energy dispersion of the table at an offset, on its own energies, with as many reconstructed ones as migration asks."""
    edisp = needed(observation, "edisp")
    axis = edisp.axes["energy_true"]
    migra = edisp.axes["migra"].edges.to_value("")
    low, high = axis.edges[0] * max(migra[0], 0.1), axis.edges[-1] * migra[-1]
    reco = MapAxis.from_energy_bounds(low, high, nbin=max(2 * axis.nbin, 200))
    return edisp.to_edisp_kernel(offset=offset, energy_axis=reco)


def dl3_background(observation: Any, offset: Any) -> tuple[Array, u.Quantity]:
    """Rate of background events in each bin of the table at an offset (arbitrary scale), and the edges of the bins."""
    bkg = needed(observation, "bkg")
    table = bkg if bkg.has_offset_axis else bkg.to_2d()
    axis = table.axes["energy"]
    rate = table.evaluate(energy=axis.center, offset=offset)
    return np.asarray(rate.value * axis.bin_width.value), axis.edges
