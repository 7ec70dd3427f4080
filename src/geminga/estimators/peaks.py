"""Peaks in maps of significance or flux."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from geminga.errors import GeometryError, InputError
from geminga.numerics.peaks import local_maxima

__all__ = ["find_peaks", "find_peaks_in_flux_map"]


def find_peaks(image: Any, threshold: float, min_distance: Any = 1) -> Table:
    """Local maxima of an image.

    Parameters
    ----------
    image : WcsNDMap
        One image (axes of one bin are allowed).
    threshold : float
        Smallest value of a peak.
    min_distance : int, Quantity or str
        Peaks are this far apart, in pixels or as an angle.

    Returns
    -------
    table : Table
        Columns ``value``, ``x``, ``y`` (pixel), ``ra``, ``dec`` (deg), the highest peak first. Empty if there is none.

    Raises
    ------
    GeometryError
        If it is not a single image on the sky.
    InputError
        If the distance is not positive.

    Examples
    --------
    >>> from geminga.estimators import find_peaks
    >>> from geminga.maps import Map
    >>> image = Map.create(npix=9, binsz=1)
    >>> image.data[4, 6] = 7
    >>> find_peaks(image, threshold=5)["x"].tolist()
    [6]
    """
    geom = image.geom
    if geom.is_region or int(np.prod(geom.data_shape[:-2])) != 1:
        msg = f"find_peaks: expected one image, got a map of shape {geom.data_shape}; take one with get_image_by_idx."
        raise GeometryError(msg)
    if isinstance(min_distance, (str, u.Quantity)):
        angle = u.Quantity(min_distance).to_value("deg")
        distance = int(np.rint(angle / float(np.mean(geom.pixel_scales.to_value("deg")))))
    else:
        distance = int(min_distance)
    if distance < 0:
        msg = f"find_peaks: min_distance is {min_distance!r}; expected a positive number of pixels or an angle."
        raise InputError(msg)
    if np.isnan(threshold):
        msg = "find_peaks: threshold is NaN; expected a number in the unit of the map."
        raise InputError(msg)
    data = np.asarray(image.frozen_data, dtype=float).reshape(geom.data_shape[-2:])
    y, x = local_maxima(data, float(threshold), max(distance, 1))
    table = Table()
    table["value"] = data[y, x]
    table["x"], table["y"] = x, y
    lon, lat = geom.to_image().pix_to_coord((x, y))
    icrs = SkyCoord(lon, lat, frame=geom.frame).icrs
    table["ra"], table["dec"] = icrs.ra.to("deg"), icrs.dec.to("deg")
    for name, form in {"value": ".5g", "ra": ".5f", "dec": ".5f"}.items():
        table[name].info.format = form
    return table


def find_peaks_in_flux_map(maps: Any, threshold: float, min_distance: Any = 1) -> Table:
    """Local maxima of the significance, with the fluxes found there.

    Parameters
    ----------
    maps : FluxMaps
        With one energy bin, and ``sqrt_ts``.
    threshold : float
        Smallest significance.
    min_distance : int, Quantity or str
        See `find_peaks`.

    Returns
    -------
    table : Table
        As from `find_peaks`, with a column for every quantity of the maps.
    """
    table = find_peaks(maps.sqrt_ts, threshold, min_distance)
    table.rename_column("value", "sqrt_ts")
    if not len(table):
        return table
    x, y = np.asarray(table["x"]), np.asarray(table["y"])
    for name in maps.available_quantities:
        own = maps[name]
        if name != "sqrt_ts" and own.geom.data_shape[-2:] == maps.sqrt_ts.geom.data_shape[-2:]:
            table[name] = np.asarray(own.frozen_data).reshape(-1, *own.geom.data_shape[-2:])[0, y, x]
    for name in ("flux", "flux_err", "flux_ul"):
        if name.replace("flux", "norm") in maps.available_quantities:
            table[name] = getattr(maps, name).quantity.reshape(-1, *maps.geom.data_shape[-2:])[0, y, x]
    return table
