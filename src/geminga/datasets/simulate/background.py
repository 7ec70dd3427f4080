"""Events of the background and of templates of counts: no response is applied to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.datasets.simulate.places import to_icrs
from geminga.datasets.simulate.sources import Photons, draw_energies
from geminga.datasets.simulate.times import draw_uniform_times
from geminga.errors import DataError
from geminga.numerics.sampling import draw_columns

__all__ = ["draw_counts"]


def draw_counts(expected: Any, gti: Any, rng: Any, what: str) -> Photons:
    """Events distributed as a map of expected counts, in a random number, at a constant rate.

    Within a pixel they are uniform; within a bin of energy they follow a power law with the slope of the bins beside it.

    Parameters
    ----------
    expected : Map
        Expected counts, axis ``energy``.
    gti : GTI
        Good time, without overlaps.
    rng : RandomState or Generator
        Source of random numbers.
    what : str
        Name, for messages.

    Raises
    ------
    DataError
        If a number is negative or infinite.
    """
    geom, data = expected.geom, np.nan_to_num(np.asarray(expected.frozen_data, dtype=float), posinf=np.inf)
    if not np.isfinite(data).all() or (data < 0).any():
        msg = f"{what}: expected counts go from {data.min()} to {data.max()}; events need finite numbers of at least zero."
        raise DataError(msg)
    table = data.reshape(len(data), -1)
    per_energy = table.sum(axis=1)
    edges, n = geom.axes["energy"].edges.to_value("TeV"), int(rng.poisson(per_energy.sum()))
    energy, rows = draw_energies(edges, per_energy, n, rng)
    column, x = draw_columns(rows, lambda used: table[used], table.shape[1], rng)
    iy, ix = np.divmod(np.maximum(column, 0), geom.data_shape[-1])
    place = geom.to_image().pix_to_coord((ix + x - 0.5, iy + rng.uniform(-0.5, 0.5, size=len(rows))))
    lon, lat = to_icrs(place[0], place[1], geom.frame)
    return Photons(draw_uniform_times(gti, len(energy), rng), energy, lon, lat)
