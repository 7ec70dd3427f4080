"""Random points, distributed as a map says."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import DataError, InputError
from geminga.maps.coord import MapCoord

__all__ = ["random_source", "sample_coord"]


def random_source(random_state: Any) -> Any:
    """Source of random numbers.

    Parameters
    ----------
    random_state : int, {"random-seed", "global-rng"}, RandomState or Generator
        Seed or source.

    Raises
    ------
    InputError
        For another type.
    """
    if isinstance(random_state, (int, np.integer)):
        return np.random.RandomState(int(random_state))
    if isinstance(random_state, (np.random.RandomState, np.random.Generator)):
        return random_state
    if random_state == "random-seed":
        return np.random.default_rng()
    if random_state == "global-rng":
        return np.random.mtrand._rand
    msg = f"random_state is {random_state!r}, expected a seed, 'random-seed', 'global-rng', a RandomState or a Generator."
    raise InputError(msg)


def sample_coord(self: Any, n_events: int, random_state: Any = 0) -> MapCoord:
    """Draw points with a probability proportional to the data, evenly within each bin in pixel coordinates.

    Parameters
    ----------
    n_events : int
        Number of points.
    random_state : int, {"random-seed", "global-rng"}, RandomState or Generator
        Seed or source of random numbers.

    Returns
    -------
    coords : MapCoord
        Points, in all axes.

    Raises
    ------
    DataError
        If data are negative, not finite, or all zero.

    Examples
    --------
    >>> from geminga.maps import Map
    >>> image = Map.create(npix=(3, 3), binsz=1)
    >>> image.data[1, 1] = 1
    >>> image.sample_coord(5).shape
    (5,)
    """
    data = np.asarray(self.frozen_data, dtype=float)
    if not np.isfinite(data).all() or (data < 0).any():
        msg = "Map.sample_coord: data must be finite and not negative; replace other numbers first."
        raise DataError(msg)
    total = data.sum()
    if not total > 0:
        if n_events:
            msg = f"Map.sample_coord: all data are zero, so {n_events} points cannot be drawn."
            raise DataError(msg)
        total = 1.0
    source = random_source(random_state)
    cumulative = np.cumsum(data.ravel()) / total
    # A bin of probability zero begins where the one before ends, and side="right" passes over it.
    flat = np.searchsorted(cumulative, source.uniform(0.0, cumulative[-1], int(n_events)), side="right")
    idx = np.unravel_index(np.minimum(flat, data.size - 1), data.shape)[::-1]
    pix = [
        i + (source.uniform(-0.5, 0.5, int(n_events)) if n > 1 or not self.geom.is_region else 0.0)
        for i, n in zip(idx, data.shape[::-1], strict=True)
    ]
    if self.geom.is_region:
        pix[2:] = [i + source.uniform(-0.5, 0.5, int(n_events)) for i in idx[2:]]
    coords = self.geom.pix_to_coord(pix)
    return MapCoord.create(dict(zip(self.geom.axes_names, coords, strict=True)), frame=self.geom.frame)
