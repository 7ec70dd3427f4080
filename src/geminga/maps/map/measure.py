"""How far an image reaches: radius and region that contain a fraction of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.coordinates import Angle, SkyCoord
from numpy.typing import NDArray

from geminga.errors import DataError, GeometryError, InputError
from geminga.utils.regions import regions_to_compound_region

__all__ = ["containment_radius", "containment_region"]


def _image(map_: Any, fraction: float, name: str) -> NDArray[np.float64]:
    """Image data, checked."""
    if not map_.geom.is_flat or map_.geom.is_region:
        msg = f"{name}: the map has axes {map_.geom.axes.names}, method only supported for 2D images; use .sum_over_axes."
        raise GeometryError(msg)
    if not 0 < fraction < 1:
        msg = f"{name}: fraction is {fraction}, expected a number between 0 and 1."
        raise InputError(msg)
    data = np.nan_to_num(map_.frozen_data.reshape(map_.geom.to_image().data_shape).astype(float))
    if not data.sum() > 0:
        msg = f"{name}: the sum of the image is {data.sum()}, expected one above zero."
        raise DataError(msg)
    return np.asarray(data)


def containment_radius(map_: Any, fraction: float = 0.393, position: SkyCoord | None = None) -> Angle:
    """Radius within which a fraction of an image is.

    Parameters
    ----------
    map_ : WcsNDMap
        Image.
    fraction : float
        Fraction, by default that within one standard deviation of a round Gaussian.
    position : SkyCoord, optional
        Centre; that of the image by default.

    Returns
    -------
    radius : Angle
        Interpolated between the distances of pixels.

    Examples
    --------
    >>> from geminga.maps import Map, containment_radius
    >>> image = Map.create(npix=(5, 5), binsz=1)
    >>> image.data[1:4, 1:4] = 1
    >>> bool(1 < containment_radius(image, 0.9).deg < 1.5)
    True
    """
    data = _image(map_, fraction, "containment_radius")
    image = map_.geom.to_image()
    position = image.center_skydir if position is None else position
    separation = image.separation(position).to_value("deg").ravel()
    # Pixels at the same distance, up to rounding, belong together.
    radius, ring = np.unique(separation.round(9), return_inverse=True)
    contained = np.cumsum(np.bincount(ring, weights=data.ravel())) / data.sum()
    return Angle(np.interp(fraction, contained, radius), "deg")


def _contour_level(data: NDArray[np.float64], fraction: float) -> float:
    """Number above which a fraction of the sum is."""
    ranked = np.sort(data.ravel())[::-1]
    contained = np.cumsum(ranked) / data.sum()
    return float(np.interp(fraction, contained, ranked))


def containment_region(map_: Any, fraction: float = 0.393, apply_union: bool = True) -> Any:
    """Region in which an image is brightest and that contains a fraction of it.

    Parameters
    ----------
    map_ : WcsNDMap
        Image.
    fraction : float
        Fraction.
    apply_union : bool
        Join the parts to one region; else give a list.

    Returns
    -------
    region : PolygonSkyRegion, CompoundSkyRegion or list of PolygonSkyRegion
        Region(s) bounded by the line of equal brightness.
    """
    from contourpy import contour_generator
    from regions import PolygonSkyRegion

    data = _image(map_, fraction, "containment_region")
    # A border of zeros closes the lines.
    padded = np.pad(data, 1)
    lines = contour_generator(z=padded).lines(_contour_level(data, fraction))
    image = map_.geom.to_image()
    regions = []
    for line in lines:
        points = np.asarray(line)[:-1] - 1.0
        if len(points) < 3:
            continue
        lon, lat = (value.to_value("deg") for value in image.pix_to_coord((points[:, 0], points[:, 1]))[:2])
        regions.append(PolygonSkyRegion(SkyCoord(lon, lat, unit="deg", frame=image.frame)))
    if not regions:
        msg = f"containment_region: no line encloses the fraction {fraction} of the image; it may be flat."
        raise DataError(msg)
    return regions_to_compound_region(regions) if apply_union else regions
