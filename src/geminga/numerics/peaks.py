"""Local maxima of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

__all__ = ["local_maxima"]


def local_maxima(image: NDArray[np.float64], threshold: float, half_width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels above a threshold that are the largest of the square around them, the highest first.

    A plateau gives one pixel: that with the lowest index. NaN is never a maximum.

    Parameters
    ----------
    image : array
        Shape (ny, nx).
    threshold : float
        Smallest value.
    half_width : int
        The square has ``2 * half_width + 1`` pixels on a side.

    Returns
    -------
    y, x : array of int
        Pixel indices.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.peaks import local_maxima
    >>> y, x = local_maxima(np.array([[0.0, 3.0, 0.0, 0.0, 5.0]]), 1.0, 1)
    >>> x.tolist()
    [4, 1]
    """
    filled = np.where(np.isfinite(image), image, -np.inf)
    highest = maximum_filter(filled, size=2 * half_width + 1, mode="constant", cval=-np.inf)
    y, x = np.nonzero((filled == highest) & (filled > threshold))
    order = np.argsort(-filled[y, x], kind="stable")
    keep: list[int] = []
    for i in order:
        if all(max(abs(y[i] - y[j]), abs(x[i] - x[j])) > half_width or filled[y[i], x[i]] != filled[y[j], x[j]] for j in keep):
            keep.append(int(i))
    return y[keep], x[keep]
