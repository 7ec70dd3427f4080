"""Lines in diagrams: contours of two parameters, counts against the distance squared."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import InputError

__all__ = ["plot_contour_line", "plot_theta_squared_table"]


def plot_contour_line(ax: Any, x: Any, y: Any, **kwargs: Any) -> None:
    """Plot a smooth closed line through points round a minimum.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : array
        Points in order round the line, at least three.
    **kwargs
        Arguments of ``Axes.plot`` for the line; a ``marker`` or the colour goes to the points too.

    Raises
    ------
    InputError
        If there are fewer than three points.
    """
    from scipy.interpolate import CubicSpline

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 3:
        msg = f"plot_contour_line: x and y have shapes {x.shape} and {y.shape}, expected two equal ones with at least 3 points."
        raise InputError(msg)
    closed = np.append(np.arange(len(x)), 0)
    if x[0] == x[-1] and y[0] == y[-1]:
        closed = np.arange(len(x))
    points = np.stack([x[closed], y[closed]], axis=1)
    scale = np.ptp(points, axis=0)
    step = np.hypot(*(np.diff(points, axis=0) / np.where(scale > 0, scale, 1.0)).T)
    keep = np.append(True, step > 0)
    points, along = points[keep], np.concatenate([[0.0], np.cumsum(step[step > 0])])
    line = CubicSpline(along, points, bc_type="periodic")(np.linspace(0.0, along[-1], 30 * len(points)))
    marker = kwargs.pop("marker", "+")
    (drawn,) = ax.plot(line[:, 0], line[:, 1], **kwargs)
    ax.plot(x, y, linestyle="", marker=marker, color=kwargs.get("color", drawn.get_color()))


def plot_theta_squared_table(table: Any) -> None:
    """Plot counts, background and significance against the squared distance from a position.

    Parameters
    ----------
    table : Table
        Columns ``theta2_min``, ``theta2_max``, ``counts``, ``counts_off``, ``alpha``, ``excess``, ``excess_errn``,
        ``excess_errp``, ``sqrt_ts``.

    Raises
    ------
    InputError
        If a column is missing.
    """
    import matplotlib.pyplot as plt

    needed = ("theta2_min", "theta2_max", "counts", "counts_off", "alpha", "excess", "excess_errn", "excess_errp", "sqrt_ts")
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        msg = f"plot_theta_squared_table: the table lacks the columns {', '.join(missing)}; it has {', '.join(table.colnames)}."
        raise InputError(msg)
    columns = {name: np.asarray(table[name], dtype=float) for name in needed}
    low, high = columns["theta2_min"], columns["theta2_max"]
    edges, middle = np.append(low, high[-1]), 0.5 * (low + high)
    off = columns["alpha"] * columns["counts_off"]
    ax = plt.subplot(2, 1, 1)
    half = 0.5 * (high - low)
    style = {"fmt": "+", "linestyle": ""}
    ax.errorbar(middle, columns["counts"], xerr=half, yerr=np.sqrt(columns["counts"]), label="Counts", **style)
    off_error = columns["alpha"] * np.sqrt(columns["counts_off"])
    ax.errorbar(middle, off, xerr=half, yerr=off_error, label="Counts Off", **style)
    excess_error = np.abs([columns["excess_errn"], columns["excess_errp"]])
    ax.errorbar(middle, columns["excess"], xerr=half, yerr=np.nan_to_num(excess_error), label="Excess", **style)
    ax.set_ylabel("Counts")
    ax.set_xticks([])
    ax.set_xlabel("")
    ax.legend()
    ax_significance = plt.subplot(2, 1, 2, sharex=ax)
    ax_significance.stairs(columns["sqrt_ts"], edges, baseline=0)
    ax_significance.axhline(0, color="black", lw=0.5)
    unit = getattr(table["theta2_max"], "unit", None)
    ax_significance.set_xlabel(f"Theta squared [{unit}]" if unit else "Theta squared")
    ax_significance.set_ylabel("Significance")
