"""Matrices as images with labels and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geminga.errors import InputError
from geminga.utils.plot import current_axes

__all__ = ["annotate_heatmap", "plot_heatmap"]


def plot_heatmap(
    data: Any,
    row_labels: Sequence[str],
    col_labels: Sequence[str],
    ax: Any = None,
    cbar_kw: dict[str, Any] | None = None,
    cbarlabel: str = "",
    **kwargs: Any,
) -> tuple[Any, Any]:
    """Plot a matrix, such as a correlation, with labels.

    Parameters
    ----------
    data : array, shape (n, m)
        Matrix.
    row_labels, col_labels : list of str
        Labels, n and m.
    ax : Axes, optional
        Where to draw.
    cbar_kw : dict, optional
        Arguments of ``Figure.colorbar``.
    cbarlabel : str
        Label of the colour bar.
    **kwargs
        Arguments of ``Axes.imshow``.

    Returns
    -------
    image, colorbar : AxesImage, Colorbar

    Raises
    ------
    InputError
        If labels and data do not fit.
    """
    data = np.asarray(data)
    if data.shape != (len(row_labels), len(col_labels)):
        msg = f"plot_heatmap: data have shape {data.shape}, the labels say {(len(row_labels), len(col_labels))}."
        raise InputError(msg)
    ax = current_axes(ax)
    image = ax.imshow(data, **kwargs)
    bar = ax.figure.colorbar(image, ax=ax, **(cbar_kw or {}))
    bar.ax.set_ylabel(cbarlabel, rotation=-90, va="bottom")
    ax.set_xticks(np.arange(data.shape[1]), labels=list(col_labels), rotation=-30, ha="right", rotation_mode="anchor")
    ax.set_yticks(np.arange(data.shape[0]), labels=list(row_labels))
    ax.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(data.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(data.shape[0] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="w", linestyle="-", linewidth=1.5)
    ax.tick_params(which="minor", bottom=False, left=False)
    return image, bar


def annotate_heatmap(
    im: Any,
    data: Any = None,
    valfmt: Any = "{x:.2f}",
    textcolors: tuple[str, str] = ("black", "white"),
    threshold: float | None = None,
    **textkw: Any,
) -> list[Any]:
    """Write the numbers of a matrix into its image.

    Parameters
    ----------
    im : AxesImage
        Image of `plot_heatmap`.
    data : array, optional
        Numbers; by default those of the image.
    valfmt : str or Formatter
        Format, with the number as ``x``.
    textcolors : tuple of str
        Colours below and above the threshold.
    threshold : float, optional
        Number at which the colour of the text changes; by default the middle of the colours.
    **textkw
        Arguments of ``Axes.text``.

    Returns
    -------
    texts : list of Text
    """
    from matplotlib.ticker import StrMethodFormatter

    values = np.asarray(im.get_array() if data is None else data)
    limit = im.norm(values.max()) / 2.0 if threshold is None else im.norm(threshold)
    formatter = StrMethodFormatter(valfmt) if isinstance(valfmt, str) else valfmt
    settings = {"horizontalalignment": "center", "verticalalignment": "center"} | textkw
    texts = []
    for row, col in np.ndindex(values.shape):
        value = values[row, col]
        color = textcolors[int(im.norm(value) > limit)]
        texts.append(im.axes.text(col, row, formatter(float(value), None), **({"color": color} | settings)))
    return texts
