"""Ellipses which became circles, and angles which came to the end of their range.

A circle has no position angle, and the statistic no slope in its eccentricity: a search that starts or arrives there stays,
though it is no minimum. In the coordinates e^2 cos 2phi and e^2 sin 2phi a circle is a place like any other, with a slope;
the search goes on down that slope. A position angle at the end of its range goes on from the other end, half a turn away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.fit.backends import Minimum
from geminga.modeling.fit.objective import Objective

__all__ = ["minimize_ellipses"]

Array = NDArray[np.float64]

#: Eccentricity below which a shape counts as a circle, one at which the slope is taken, and one to go on from.
CIRCLE, NEAR, ELLIPSE = 0.02, 0.1, 0.3

#: Smallest gain of the statistic that is worth a turn.
GAIN = 1e-3

#: Largest number of times that a search goes on.
MAX_TURNS = 4


def minimize_ellipses(
    backend: Callable[..., Minimum], objective: Objective, x: Array, names: list[str], options: dict[str, Any] | None
) -> Minimum:
    """Minimum of a backend, which goes on where the parameters of an ellipse misled it."""
    pairs = _free_ellipses(objective)
    minimum: Minimum | None = None
    for _ in range(MAX_TURNS if pairs else 1):
        start = _turned(objective, x, pairs)
        if minimum is not None and np.array_equal(start, x):
            break
        found = backend(objective, start, objective.low, objective.high, names, options)
        if minimum is not None:
            found.trace = minimum.trace + found.trace
            if found.stat > minimum.stat:
                break
        minimum, x = found, found.x
    assert minimum is not None
    return minimum


def _free_ellipses(objective: Objective) -> list[tuple[int, int]]:
    """Places of eccentricity and position angle of the models in which both are free."""
    place = {id(p): i for i, p in enumerate(objective.free_parameters)}
    pairs = set()
    for model in (m for dataset in objective.datasets for m in dataset.models or []):
        shape = getattr(model, "spatial_model", None)
        own = [place.get(id(getattr(shape, name, None)), -1) for name in ("e", "phi")]
        if min(own) >= 0:
            pairs.add((own[0], own[1]))
    return sorted(pairs)


def _turned(objective: Objective, x: Array, pairs: list[tuple[int, int]]) -> Array:
    """The point itself, or one from which to go on."""
    for e, phi in pairs:
        low, high = objective.low[phi], objective.high[phi]
        if x[phi] in {low, high} and high - low > 180:
            x = x.copy()
            x[phi] += 180 if x[phi] == low else -180
        if x[e] < CIRCLE:
            x = _away_from_circle(objective, x, e, phi)
    return x


def _away_from_circle(objective: Objective, x: Array, e: int, phi: int) -> Array:
    def at(eccentricity: float, angle: float) -> Array:
        moved = x.copy()
        moved[e] = np.clip(eccentricity, objective.low[e], objective.high[e])
        moved[phi] = np.clip(angle, objective.low[phi], objective.high[phi])
        return moved

    along = [objective(at(NEAR, angle), 0)[0] for angle in (0.0, 45.0, 90.0, -45.0)]
    angle = 0.5 * float(np.rad2deg(np.arctan2(along[3] - along[1], along[2] - along[0])))
    stat = objective(x, 0)[0]
    for eccentricity in (ELLIPSE, NEAR):
        moved = at(eccentricity, angle)
        if objective(moved, 0)[0] < stat - GAIN:
            return moved
    return x
