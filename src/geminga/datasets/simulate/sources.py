"""Photons of sky models: energies, places and times, before PSF and energy dispersion.

The expected number in a fine bin of true energy is flux times exposure. Within a bin energies follow a power law with the
slope of the neighbours; places and times follow, given the energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.datasets.simulate.errors import SourceErrors
from geminga.datasets.simulate.places import places_of
from geminga.datasets.simulate.times import draw_model_times
from geminga.modeling.models.derivative import current_values
from geminga.modeling.models.flux import flux_evaluator
from geminga.numerics.interpolation import SCALES, bracket, interpolate_linear
from geminga.numerics.sampling import draw_columns, draw_power_law, log_slopes

__all__ = ["Photons", "draw_energies", "draw_photons"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Photons:
    """Time (s since the reference of the good time), energy (TeV), longitude and latitude (deg, ICRS); shape (n,)."""

    time: Array
    energy: Array
    lon: Array
    lat: Array


def draw_photons(dataset: Any, model: Any, gti: Any, factor: int, t_delta: Any, rng: Any) -> Photons:
    """Photons of one sky model that are seen, in a random number.

    Parameters
    ----------
    dataset : MapDataset
        Gives the exposure.
    model : SkyModel
        Source.
    gti : GTI
        Good time, without overlaps.
    factor : int
        Parts of each bin of true energy.
    t_delta : Quantity
        Step in time of variable sources.
    rng : RandomState or Generator
        Source of random numbers.
    """
    axis = dataset.exposure.geom.axes["energy_true"]
    edges, nodes = axis.upsample(factor).edges.to_value("TeV"), axis.center.to_value("TeV")
    places, errors = places_of(model, dataset), SourceErrors.create(dataset, model)
    expected = _expected(model, gti, edges, nodes, places.exposure, errors)
    seen, _ = draw_energies(edges, expected, int(rng.poisson(expected.sum())), rng)
    lon, lat = places.draw(_nearby(seen, nodes, places.exposure.value, rng), rng)
    energy = seen / errors.energy_scale
    time = draw_model_times(model.temporal_model, gti, u.Quantity(energy, "TeV"), t_delta, rng)
    return Photons(time, energy, lon, lat)


def _expected(model: Any, gti: Any, edges: Array, nodes: Array, exposure: u.Quantity, errors: SourceErrors) -> Array:
    """Expected number of photons between edges in the energy at which they are seen, shape (n,)."""
    spectral, temporal = model.spectral_model, model.temporal_model
    parameters = [*spectral.parameters, *(() if temporal is None else temporal.parameters)]
    flux, _ = flux_evaluator(spectral, temporal, gti, edges / errors.energy_scale)(current_values(parameters))
    scale = (spectral._dnde_unit * u.TeV * exposure.unit).to("")
    log = SCALES["log"]
    middle = np.sqrt(edges[1:] * edges[:-1])
    area = log.inverse(interpolate_linear(np.log(middle), np.log(nodes), log.forward(exposure.value)))
    return np.asarray(np.clip(np.nan_to_num(flux * area * scale * errors.area_factor(edges)), 0, None))


def draw_energies(edges: Array, expected: Array, n: int, rng: Any) -> tuple[Array, Index]:
    """Energies distributed over bins as expected and as power laws within, and their bins."""
    if n == 0:
        return np.zeros(0), np.zeros(0, dtype=np.intp)
    index, fraction = draw_columns(np.zeros(n, dtype=np.intp), lambda used: expected[None][used], len(expected), rng)
    return draw_power_law(edges[index], edges[index + 1], log_slopes(edges, expected)[index], fraction), index


def _nearby(energy: Array, nodes: Array, exposure: Array, rng: Any) -> Index:
    """One of the two nodes around each energy, with the weights of interpolation times the exposure."""
    if len(nodes) == 1:
        return np.zeros(len(energy), dtype=np.intp)
    index, fraction = bracket(np.log(energy), np.log(nodes))
    upper = np.clip(fraction, 0, 1) * exposure[index + 1]
    lower = np.clip(1 - fraction, 0, 1) * exposure[index]
    return np.asarray(index + (rng.uniform(size=len(index)) * (lower + upper) < upper))
