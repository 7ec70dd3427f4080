"""Colour maps of significance images, with a jump of colour at a significance of interest."""

from __future__ import annotations

from typing import Any

from geminga.errors import InputError

__all__ = ["colormap_hess", "colormap_milagro"]


def _check(transition: float, width: float, name: str) -> tuple[float, float]:
    if not 0 < transition < 1 or not width > 0:
        msg = f"{name}: transition is {transition} and width {width}, expected 0 < transition < 1 and width > 0."
        raise InputError(msg)
    return max(transition - width, 1e-6), min(transition + width, 1 - 1e-6)


def colormap_hess(transition: float = 0.5, width: float = 0.1) -> Any:
    """Black, blue, red, yellow, white, as in publications of H.E.S.S.

    Parameters
    ----------
    transition : float
        Place of red, between 0 and 1, for instance that of 5 standard deviations: see
        `matplotlib.colors.Normalize`.
    width : float
        Distance of blue and yellow from it.

    Returns
    -------
    colormap : LinearSegmentedColormap

    Raises
    ------
    InputError
        If the transition is not between 0 and 1, or the width not above zero.

    Examples
    --------
    >>> from geminga.visualization import colormap_hess
    >>> [round(float(c), 2) for c in colormap_hess()(0)]
    [0.0, 0.0, 0.0, 1.0]
    """
    from matplotlib.colors import LinearSegmentedColormap

    low, high = _check(transition, width, "colormap_hess")
    colors = [(0, "black"), (low, (0, 0, 0.8)), (transition, "red"), (high, "yellow"), (1, "white")]
    return LinearSegmentedColormap.from_list("hess", colors)


def colormap_milagro(transition: float = 0.5, width: float = 0.0001, huestart: float = 0.6) -> Any:
    """Grey below a transition and colours above it, as in publications of Milagro.

    Parameters
    ----------
    transition : float
        Place of the first colour, between 0 and 1.
    width : float
        Distance over which grey turns to colour.
    huestart : float
        Hue of the first colour; hues then run to red.

    Returns
    -------
    colormap : LinearSegmentedColormap

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    from matplotlib.colors import LinearSegmentedColormap, hsv_to_rgb

    low, high = _check(transition, width, "colormap_milagro")
    if not 0 <= huestart <= 1:
        msg = f"colormap_milagro: huestart is {huestart}, expected a number from 0 to 1."
        raise InputError(msg)
    hues = [huestart * (1 - i / 4) for i in range(5)]
    steps = [high + (1 - high) * i / 4 for i in range(5)]
    colors: list[tuple[float, Any]] = [(0, (1, 1, 1)), (low, (0.2, 0.2, 0.2))]
    colors += [(step, tuple(hsv_to_rgb((hue, 1, 1)))) for step, hue in zip(steps, hues, strict=True)]
    return LinearSegmentedColormap.from_list("milagro", colors)
