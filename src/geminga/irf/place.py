"""The response at one place of a map, all axes kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.numerics import interpolation

__all__ = ["bilinear_corners", "values_at"]


def bilinear_corners(image: Any, position: Any) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows, columns and weights of the four pixels of an image geometry around a position.

    The position is a SkyCoord, or a tuple of two numbers in deg in the frame of the geometry, which is faster; None is the
    centre.
    """
    ny, nx = image.data_shape[-2:]
    if ny * nx == 1 or image.is_region:
        zero = np.zeros(1, dtype=np.intp)
        return zero, zero, np.ones(1)
    if isinstance(position, tuple):
        x, y = image.wcs.wcs_world2pix([position], 0)[0]
    else:
        position = image.center_skydir if position is None else position
        x, y = (float(np.ravel(v)[0]) for v in image.coord_to_pix({"skycoord": position}))
    return interpolation.bilinear_corners(x, y, (ny, nx))


def values_at(own: Any, position: Any, nearest: bool = False) -> NDArray[np.float64]:
    """Map interpolated at a position on its pixels (or its nearest pixel), all axes kept: shape (..., axis 1, axis 0).

    Pixels where the map is zero for all bins (no exposure) are left out as long as one other is there.
    """
    rows, columns, weight = bilinear_corners(own.geom.to_image(), position)
    values = np.nan_to_num(np.asarray(own.frozen_data[..., rows, columns], dtype=float))
    valid = values.reshape(-1, len(weight)).max(axis=0) > 0
    kept = weight * valid
    kept = kept / kept.sum() if kept.sum() > 0 else weight
    return np.asarray(values[..., int(np.argmax(kept))] if nearest else values @ kept)
