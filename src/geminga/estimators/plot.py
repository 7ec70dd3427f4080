"""Figures of profiles of images."""

from __future__ import annotations

from typing import Any

__all__ = ["peek_profile", "plot_profile", "plot_profile_err"]


def _axes(ax: Any) -> Any:
    import matplotlib.pyplot as plt

    return plt.gca() if ax is None else ax


def _label(ax: Any, self: Any) -> None:
    names = {"lon": "longitude", "lat": "latitude", "radial": "distance"}
    kind = self.table.meta.get("PROFILE_TYPE", "position")
    ax.set_xlabel(f"{names.get(kind, kind)} [{self.x_ref.unit}]")
    ax.set_ylabel(f"profile [{self.profile.unit}]" if str(self.profile.unit) else "profile")
    # Longitude grows to the left, as in an image.
    first, last = self.x_min[0].value, self.x_max[-1].value
    ax.set_xlim(first, last)


def plot_profile(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the profile as a line.

    Parameters
    ----------
    ax : Axes, optional
        Axes.
    **kwargs
        Options of `~matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : Axes
        Axes.
    """
    ax = _axes(ax)
    ax.plot(self.x_ref.value, self.profile.value, **kwargs)
    _label(ax, self)
    return ax


def plot_profile_err(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the range of the errors as a band.

    Parameters
    ----------
    ax : Axes, optional
        Axes.
    **kwargs
        Options of `~matplotlib.axes.Axes.fill_between`.

    Returns
    -------
    ax : Axes
        Axes; nothing is drawn if there are no errors.
    """
    ax = _axes(ax)
    if self.profile_err is not None:
        low, high = (self.profile + sign * self.profile_err for sign in (-1, 1))
        ax.fill_between(self.x_ref.value, low.value, high.value, **({"alpha": 0.5, "linewidth": 0} | kwargs))
    _label(ax, self)
    return ax


def peek_profile(self: Any, figsize: tuple[float, float] = (8, 4.5), **kwargs: Any) -> Any:
    """Show the profile with its errors.

    Parameters
    ----------
    figsize : tuple
        Width and height, inch.
    **kwargs
        Options of the line.

    Returns
    -------
    ax : Axes
        Axes.
    """
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=figsize)
    plot_profile(self, ax, **kwargs)
    return plot_profile_err(self, ax, color=ax.lines[-1].get_color())
