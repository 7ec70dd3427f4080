"""Maps reduced to a region: spectra, histograms, cutouts with a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from geminga.errors import GeometryError, InputError
from geminga.maps.map import get
from geminga.maps.map.reduce import weighted

__all__ = [
    "cutout_and_mask_region",
    "get_spectrum",
    "mask_contains_region",
    "to_region_nd_map",
    "to_region_nd_map_histogram",
]


def get_spectrum(self: Any, region: Any = None, func: Any = np.nansum, weights: Any = None) -> Any:
    """Spectrum of a region.

    Parameters
    ----------
    region : SkyRegion, optional
        Region; the whole image by default.
    func : callable
        How pixels are joined; gets ``axis``.
    weights : WcsNDMap, optional
        Weights that multiply the data first.

    Returns
    -------
    spectrum : RegionNDMap
        Map on the region.
    """
    return self.to_region_nd_map(region=region, func=func, weights=weights)


def to_region_nd_map(self: Any, region: Any = None, func: Any = np.nansum, weights: Any = None, method: str = "nearest") -> Any:
    """Reduce the pixels whose centre is in a region to one.

    Parameters
    ----------
    region : SkyRegion, SkyCoord, str or None
        Region; a position or a point takes the number there; the whole image by default.
    func : callable
        How pixels are joined: `numpy.nansum`, `numpy.mean`, `numpy.any`, ...; gets ``axis``.
    weights : WcsNDMap, optional
        Weights that multiply the data first.
    method : {"nearest", "linear"}
        How the number at a point is found.

    Returns
    -------
    map : RegionNDMap
        Map on the region.

    Raises
    ------
    GeometryError
        If no pixel has its centre in the region.
    """
    from regions import PointSkyRegion

    from geminga.maps.geom.region import RegionGeom

    if not callable(func):
        msg = f"to_region_nd_map: func is {func!r}; expected a function such as numpy.nansum."
        raise InputError(msg)
    source = self if weights is None else self._like(weighted(self, weights))
    if isinstance(region, SkyCoord):
        region = PointSkyRegion(region)
    if region is None:
        region = self.geom.footprint_rectangle_sky_region
        mask = np.ones(self.geom.to_image().data_shape, dtype=bool)
        geom = RegionGeom(region=region, axes=self.geom.axes, wcs=self.geom.wcs)
    else:
        geom = RegionGeom.create(region, axes=self.geom.axes, wcs=self.geom.wcs)
        if geom.is_all_point_sky_regions and not hasattr(geom.region, "region1"):
            coords = geom.get_coord(sparse=True)
            there = get.interp_by_coord(source, coords, method=method)
            there = np.broadcast_to(there > 0.5 if self.is_mask else there, geom.data_shape)
            return source._like(np.array(there, dtype=source.frozen_data.dtype), geom)
        mask = self.geom.to_image().region_mask([geom.region]).frozen_data
    if not mask.any():
        msg = f"Map.to_region_nd_map: no pixel of the map has its centre in the region {region}; choose another or larger one."
        raise GeometryError(msg)
    values = np.asarray(func(source.frozen_data[..., mask], axis=-1))
    return source._like(values.reshape(geom.data_shape), geom)


def to_region_nd_map_histogram(
    self: Any, region: Any = None, bins_axis: Any = None, nbin: int = 100, density: bool = False
) -> Any:
    """Histogram of the numbers in a region, for each bin of the axes.

    Parameters
    ----------
    region : SkyRegion, optional
        Region; the whole image by default.
    bins_axis : MapAxis, optional
        Bins of the numbers, in the unit of the map; by default `nbin` from the least to the greatest number.
    nbin : int
        Number of bins.
    density : bool
        Give a density, whose integral over the bins is one.

    Returns
    -------
    histogram : RegionNDMap
        With the axis ``bins`` before those of the map.
    """
    from geminga.maps.axes.map import MapAxis
    from geminga.maps.geom.region import RegionGeom

    image = self.geom.to_image()
    mask = np.ones(image.data_shape, dtype=bool)
    if region is None:
        region = self.geom.footprint_rectangle_sky_region
    else:
        mask = image.region_mask([region]).frozen_data
    values = self.frozen_data[..., mask].reshape(-1, int(mask.sum())).astype(float)
    if bins_axis is None:
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        # The greatest number belongs to the last bin.
        high = np.nextafter(high, np.inf) if high > low else low + 1.0
        bins_axis = MapAxis.from_edges(np.linspace(low, high, nbin + 1), name="bins", unit=self.unit)
    edges = bins_axis.edges.to_value(self.unit)
    counts = [np.histogram(row[np.isfinite(row)], bins=edges, density=density)[0] for row in values]
    geom = RegionGeom.create(region, wcs=self.geom.wcs, axes=[bins_axis, *self.geom.axes])
    unit = self.unit**-1 if density else u.dimensionless_unscaled
    return self._like(np.array(counts).reshape(geom.data_shape), geom, unit=unit)


def cutout_and_mask_region(self: Any, region: Any = None) -> tuple[Any, Any]:
    """Smallest cutout that holds a region, and the mask of the region on it.

    Parameters
    ----------
    region : SkyRegion, optional
        Region; the whole image by default.

    Returns
    -------
    cutout, mask : tuple of WcsNDMap
        The mask is an image.
    """
    from geminga.maps.geom.region import RegionGeom

    if region is None:
        image = self.geom.to_image()
        return self.copy(), self._like(np.ones(image.data_shape, dtype=bool), image, unit="")
    geom = RegionGeom.create(region, wcs=self.geom.wcs)
    cutout = self.cutout(position=geom.center_skydir, width=tuple(geom.width))
    return cutout, cutout.geom.to_image().region_mask([geom.region])


def mask_contains_region(self: Any, region: Any) -> bool:
    """Whether a region lies wholly in the true part of a mask.

    Parameters
    ----------
    region : SkyRegion, PixelRegion or list of these
        Region; a small one counts as the pixel its centre is in.

    Raises
    ------
    InputError
        If the map is no mask.
    GeometryError
        If it is no image.
    """
    if not self.is_mask:
        msg = f"mask_contains_region is only supported for boolean masks, the data are {self.frozen_data.dtype}."
        raise InputError(msg)
    if not self.geom.is_image:
        msg = f"mask_contains_region: method only supported for 2D images, the map has axes {self.geom.axes.names}."
        raise GeometryError(msg)
    from geminga.maps.geom.region import RegionGeom

    geom = RegionGeom.create(region, wcs=self.geom.wcs)
    box = geom.to_wcs_geom()
    mask = box.region_mask([geom.region])
    if not mask.frozen_data.any():
        inside = self.get_by_coord(geom.center_skydir, fill_value=False)
        return bool(inside.all())
    coords = box.get_coord().apply_mask(mask.frozen_data)
    return bool(self.get_by_coord(coords, fill_value=False).all())
