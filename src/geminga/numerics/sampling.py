"""Random numbers from many tabulated distributions at once: no loop over bins, and none over events.

A table holds one distribution in each row. Its cumulative sums, each with the number of its row added, form one increasing
array, so that all events are looked up in one sorted search.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["draw_columns", "draw_power_law", "log_slopes"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Numbers which a block of rows may hold at a time.
_BLOCK = 4_000_000
#: Numbers which a table may hold to be searched in any order.
_CACHE = 50_000


def log_slopes(edges: ArrayLike, contents: ArrayLike) -> Array:
    """Slope d ln(density) / d ln(x) in each bin, from the mean densities of its neighbours.

    Parameters
    ----------
    edges : array, shape (n + 1,)
        Positive, increasing.
    contents : array, shape (n,)
        Integrals over the bins; next to an empty bin the slope is -1, that is uniform in ln(x).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.sampling import log_slopes
    >>> edges = np.geomspace(1, 16, 5)
    >>> log_slopes(edges, 1 / edges[:-1] - 1 / edges[1:]).round(6).tolist()
    [-2.0, -2.0, -2.0, -2.0]
    """
    edges, contents = np.asarray(edges, dtype=float), np.asarray(contents, dtype=float)
    if len(contents) < 2:
        return np.full(len(contents), -1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.gradient(np.log(contents / np.diff(edges)), 0.5 * np.log(edges[1:] * edges[:-1]))
    # Steeper than this is an edge of the distribution, not a slope.
    return np.clip(np.where(np.isfinite(slope), slope, -1.0), -20.0, 20.0)


def draw_power_law(low: Array, high: Array, slope: Array, fraction: Array) -> Array:
    """Numbers between limits with a density ``x ** slope``, which encloses `fraction` below them; all of shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.sampling import draw_power_law
    >>> one = np.ones(2)
    >>> draw_power_law(one, 4 * one, np.array([-1.0, 0.0]), 0.5 * one).tolist()
    [2.0, 2.5]
    """
    power = slope + 1
    log_ratio = np.log(high / low)
    scaled = power * log_ratio
    is_flat = np.abs(scaled) < 1e-6
    safe = np.where(is_flat, 1.0, power)
    place = np.where(is_flat, fraction * log_ratio, np.log1p(fraction * np.expm1(np.where(is_flat, 0.0, scaled))) / safe)
    return np.asarray(low * np.exp(place))


def draw_columns(rows: Index, weights: Callable[[Index], Array], n_columns: int, rng: Any) -> tuple[Index, Array]:
    """Draw a column for each event from the distribution that a row of a table holds.

    Parameters
    ----------
    rows : array of int, shape (n,)
        Row of each event.
    weights : callable
        ``weights(rows)`` gives some rows of the table (they are asked for once each), shape (len(rows), n_columns), not
        negative.
    n_columns : int
        Number of columns.
    rng : RandomState or Generator
        Source of random numbers.

    Returns
    -------
    column : array of int, shape (n,)
        Column; -1 where the row is zero everywhere.
    fraction : array, shape (n,)
        Where in the column, uniform between 0 and 1: what is left of the random number.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.sampling import draw_columns
    >>> table = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    >>> draw_columns(np.array([1, 0, 1]), lambda rows: table[rows], 3, np.random.default_rng(0))[0].tolist()
    [2, 1, 2]
    """
    target = rng.uniform(size=len(rows))
    column, fraction = np.empty(len(rows), dtype=np.intp), np.empty(len(rows))
    used = np.flatnonzero(np.bincount(rows)) if len(rows) else np.zeros(0, dtype=np.intp)
    step = max(_BLOCK // max(n_columns, 1), 1)
    # Where all rows fit into the cache, events need no order; else those of a row are looked up one after the other.
    order: Any = slice(None)
    if len(used) * n_columns > _CACHE:
        order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    first = np.searchsorted(sorted_rows, used[::step]) if len(used) > step else np.zeros(1, dtype=np.intp)
    for number, (start, stop) in enumerate(zip(first, [*first[1:], len(rows)], strict=True)):
        block = used[number * step : (number + 1) * step]
        events = order if len(first) == 1 else order[start:stop]
        which = np.searchsorted(block, sorted_rows[start:stop])
        table = np.asarray(weights(block), dtype=float)
        column[events], fraction[events] = _draw_block(table, which, target[events])
    return column, fraction


def _draw_block(table: Array, row: Index, target: Array) -> tuple[Index, Array]:
    """Columns and fractions of events in rows of a table."""
    n_columns = table.shape[1]
    enclosed = np.cumsum(table, axis=1)
    total = enclosed[:, -1:]
    has_any = total[:, 0] > 0
    np.divide(enclosed, total, out=enclosed, where=has_any[:, None])
    enclosed += np.arange(len(table))[:, None]
    flat = enclosed.ravel()
    place = np.searchsorted(flat, row + target, side="right")
    column = np.clip(place - row * n_columns, 0, n_columns - 1)
    cell = row * n_columns + column
    above = flat[cell]
    below = np.where(column > 0, flat[cell - 1], row.astype(float))
    width = above - below
    rest = np.divide(row + target - below, width, out=np.full(len(row), 0.5), where=width > 0)
    return np.where(has_any[row], column, -1), np.clip(rest, 0.0, 1.0)
