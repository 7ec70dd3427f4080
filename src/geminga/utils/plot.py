"""What plots share: axes to draw on, quantities on them, a panel below another, norms of colours."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

__all__ = ["current_axes", "quantities_on_axes", "sky_projection", "two_panels", "with_norm"]


def current_axes(ax: Any = None) -> Any:
    """Return `ax`, or the current axes of matplotlib if it is ``None``."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.gca()


@contextlib.contextmanager
def quantities_on_axes() -> Iterator[None]:
    """Let matplotlib take quantities; a second curve on the same axes is no news."""
    from astropy.visualization import quantity_support

    with warnings.catch_warnings(), quantity_support():
        warnings.filterwarnings("ignore", message="This axis already has a converter set")
        yield


def sky_projection(wcs: Any) -> Any:
    """What to give matplotlib as ``projection`` for an image on the sky."""
    from geminga.utils.sky_axes import SkyProjection

    return SkyProjection(wcs)


def two_panels(figure: Any) -> tuple[Any, Any]:
    """Axes for a spectrum and, below it on the same x axis, lower ones for its residuals."""
    grid = figure.add_gridspec(7, 1)
    upper = figure.add_subplot(grid[:5, :])
    lower = figure.add_subplot(grid[5:, :], sharex=upper)
    upper.tick_params(labelbottom=False)
    return upper, lower


def with_norm(kwargs: dict[str, Any], norm: Any, **defaults: Any) -> dict[str, Any]:
    """Options with a norm of colours made of their ``vmin`` and ``vmax``, or else of `defaults`; a norm that is given stays."""
    if "norm" in kwargs:
        return kwargs
    limits = {key: kwargs[key] for key in ("vmin", "vmax") if key in kwargs}
    others = {key: value for key, value in kwargs.items() if key not in limits}
    return others | {"norm": norm(**(defaults | limits))}
