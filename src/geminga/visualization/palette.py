"""Colours that people with any colour vision can tell apart (Okabe and Ito 2008, "Color Universal Design")."""

from __future__ import annotations

from typing import Any

__all__ = ["COLORS", "DIVERGING", "SEQUENTIAL", "axes_with"]

#: Lines and points, in the order of use.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: Map of colours for numbers of both signs, and for positive ones.
DIVERGING, SEQUENTIAL = "RdBu_r", "cividis"


def axes_with(ax: Any, **settings: Any) -> Any:
    """Axes given, or new ones in a figure of their own."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(7.0, 5.0), layout="constrained").add_subplot(**settings)
