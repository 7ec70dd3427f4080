"""Plots of parameters."""

from __future__ import annotations

from typing import Any

__all__ = ["plot_correlation"]


def plot_correlation(covariance: Any, figsize: tuple[float, float] | None = None, **kwargs: Any) -> Any:
    """Plot a correlation matrix with its values.

    Parameters
    ----------
    covariance : `Covariance`
        Covariance.
    figsize : tuple, optional
        Size of a new figure in inches; grows with the number of parameters if not given.
    **kwargs
        Passed to `matplotlib.axes.Axes.imshow`; ``ax`` gives the axes.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Axes.
    """
    import matplotlib.pyplot as plt

    names = covariance.parameters.names
    ax = kwargs.pop("ax", None)
    if ax is None:
        size = max(4.0, 0.6 * len(names) + 2)
        _, ax = plt.subplots(figsize=figsize or (size, size), layout="constrained")
    matrix = covariance.correlation
    image = ax.imshow(matrix, **({"cmap": "coolwarm", "vmin": -1, "vmax": 1} | kwargs))
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    for row, line in enumerate(matrix):
        for column, value in enumerate(line):
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.7 else "black")
    ax.figure.colorbar(image, ax=ax, shrink=0.8, label="Correlation")
    return ax
