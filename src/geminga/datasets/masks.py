"""Masks of a dataset: where they are true in energy, as images, and brought to the pixels of the responses."""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np

from geminga.maps import Map

__all__ = [
    "energy_range",
    "energy_range_total",
    "image_of",
    "in_safe_range",
    "irf_weights",
    "mask_safe_edisp",
    "mask_safe_psf",
    "reduce_mask",
    "report_nan",
]

log = logging.getLogger(__name__)


def image_of(mask: Any) -> Any:
    """Image of a mask: true where it is at any energy; ``None`` for no mask."""
    if mask is None:
        return None
    return mask.reduce_over_axes(func=np.logical_or)


def in_safe_range(dataset: Any, part: Any) -> Any:
    """A mask restricted to the safe range of its dataset."""
    if dataset.mask_safe is None or part is dataset.mask_safe:
        return part
    return part & dataset.mask_safe


def reduce_mask(mask: Any, factor: int, axis_name: str | None) -> Any:
    """Merge `factor` bins of a mask into one, true if any of them is."""
    geom = mask.geom.downsample(factor, axis_name=axis_name)
    data = mask.frozen_data
    last = data.ndim - 1
    axes = [last - 1, last] if axis_name is None else [mask.geom.axes.index_data(axis_name)]
    if axis_name is None and mask.geom.is_region:
        return mask.copy()
    shape: list[int] = []
    for axis, size in enumerate(data.shape):
        shape += [size // factor, factor] if axis in axes else [size, 1]
    merged = data.reshape(shape).any(axis=tuple(range(1, 2 * data.ndim, 2)))
    return Map.from_geom(geom, data=merged)


def irf_weights(mask: Any, geom: Any) -> Any:
    """Safe mask on the pixels of a response, ``None`` for no mask.

    A response with bins of reconstructed energy gets a weight for each of them, any other the image of the mask. If it
    has one spatial bin only, this counts where any pixel of the mask does.

    Parameters
    ----------
    mask : Map or None
        Safe mask on the geometry of the counts.
    geom : Geom
        Geometry of the response.

    Returns
    -------
    weights : Map
        Boolean, with axes of length one where the response has axes other than reconstructed energy.
    """
    if mask is None:
        return None
    binned = "energy" in geom.axes.names and "energy_true" in geom.axes.names
    target = geom.to_image().to_cube([axis if binned and axis.name == "energy" else axis.squash() for axis in geom.axes])
    source = mask if binned else image_of(mask)
    if geom.is_region or int(np.prod(geom.to_image().data_shape)) <= 2:
        data = source.frozen_data.any(axis=(-2, -1))
    else:
        data = source.get_by_coord(_coords(source, geom)) == 1
    data = np.asarray(data)
    shape = tuple(int(n) for n in target.data_shape)
    if binned:
        n_energy = geom.axes["energy"].nbin
        data = data.reshape((1, n_energy) + (data.shape[1:] or (1, 1)))
    return Map.from_geom(target, data=np.broadcast_to(data, shape).copy())


def _coords(source: Any, geom: Any) -> Any:
    """Centres of the response's pixels, for each energy of the source."""
    sky = geom.to_image().get_coord().skycoord
    if source.geom.is_image:
        return {"skycoord": sky}
    energy = source.geom.axes["energy"].center[:, np.newaxis, np.newaxis]
    return {"skycoord": sky, "energy": energy}


def mask_safe_psf(dataset: Any) -> Any:
    """Safe mask on the pixels of the PSF (`Map`), ``None`` if mask or PSF are missing."""
    return None if dataset.psf is None else irf_weights(dataset.mask_safe, dataset.psf.psf_map.geom)


def mask_safe_edisp(dataset: Any) -> Any:
    """Safe mask on the pixels of the energy dispersion (`Map`), ``None`` if mask or energy dispersion are missing."""
    return None if dataset.edisp is None else irf_weights(dataset.mask_safe, dataset.edisp.edisp_map.geom)


def energy_range(mask: Any, geom: Any) -> tuple[Any, Any]:
    """Lowest and highest energy of the true bins of a mask in each pixel.

    Parameters
    ----------
    mask : Map or None
        Mask; all bins are true if ``None``.
    geom : Geom
        Geometry of the counts.

    Returns
    -------
    energy_min, energy_max : Map
        Images in the unit of the energy axis, NaN in pixels without a true bin.
    """
    axis = geom.axes["energy"]
    image = geom.squash("energy").to_image() if hasattr(geom, "to_image") else geom
    data = np.ones(geom.data_shape, dtype=bool) if mask is None else mask.frozen_data
    shape = (-1,) + (1,) * (data.ndim - 1 - geom.axes.index_data("energy"))
    low = np.where(data, axis.edges_min.value.reshape(shape), np.inf).min(axis=tuple(range(data.ndim - 2)))
    high = np.where(data, axis.edges_max.value.reshape(shape), -np.inf).max(axis=tuple(range(data.ndim - 2)))
    low[np.isinf(low)], high[np.isinf(high)] = np.nan, np.nan
    return (
        Map.from_geom(image, data=low, unit=axis.unit),
        Map.from_geom(image, data=high, unit=axis.unit),
    )


def energy_range_total(dataset: Any) -> tuple[u.Quantity, u.Quantity]:
    """Lowest and highest energy of the mask over all pixels; NaN if nothing is selected."""
    low, high = dataset.energy_range
    unit = low.unit
    if np.all(np.isnan(low.frozen_data)):
        return u.Quantity(np.nan, unit), u.Quantity(np.nan, unit)
    return u.Quantity(np.nanmin(low.frozen_data), unit), u.Quantity(np.nanmax(high.frozen_data), unit)


def report_nan(name: str, value: Any, safe: Any) -> None:
    """Say in the log that bins of a map that are not a number count as zero when datasets are summed up."""
    data = value.frozen_data
    if data.dtype.kind == "f" and np.isnan(data.sum()) and (n := int(np.sum(np.isnan(data) & np.asarray(safe, bool)))):
        log.warning("%s: %d bins of a map are NaN inside the safe mask; they count as zero in the sum.", name, n)
