"""Spatial models on geometries: density at pixel centres, and integral over pixels.

A pixel is averaged over sub-pixels as small as the model's finest feature asks for, inside the model's evaluation radius only.
Where a built-in shape lies wholly inside, the sum is made exactly one: the edge of a disk or shell would otherwise need very
many sub-pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.nddata import NoOverlapError

from geminga.maps import Map

__all__ = ["evaluate_geom", "evaluate_point", "integrate_geom", "integrate_point", "ones"]

#: Largest number of sub-pixels along a side.
MAX_FACTOR = 200
#: How many more sub-pixels a shape with edges gets.
_SHARPER = 10


def _own_coords(self: Any, geom: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Longitude and latitude in the model's frame, and the energy if the model depends on it."""
    cube = self.is_energy_dependent and geom.has_energy_axis
    coords = (geom if cube else geom.to_image()).get_coord(frame=self.frame)
    extra = {}
    if cube:
        name = "energy_true" if "energy_true" in geom.axes.names else "energy"
        extra = {"energy": coords[name]}
    return coords["lon"], coords["lat"], extra


def evaluate_geom(self: Any, geom: Any) -> u.Quantity:
    """Density at the pixel centres.

    Parameters
    ----------
    geom : Geom
        Geometry; other axes than energy are left out.

    Returns
    -------
    density : Quantity
        sr-1, shape of the image (or of the cube for models that depend on energy).
    """
    lon, lat, extra = _own_coords(self, geom)
    return u.Quantity(self(lon, lat, *extra.values()))


def ones(geom: Any) -> Any:
    """One in every pixel."""
    image = geom.to_image()
    return Map.from_geom(image, data=np.ones(image.data_shape), unit="")


def integrate_geom(self: Any, geom: Any, oversampling_factor: int | None = None) -> Any:
    """Integral over each pixel.

    Parameters
    ----------
    geom : WcsGeom or RegionGeom
        Geometry; other axes than energy are left out.
    oversampling_factor : int, optional
        Sub-pixels along the side of a pixel; chosen from the model's finest feature if not given.

    Returns
    -------
    map : Map
        Dimensionless for a model normalised on the sky.
    """
    own = geom if self.is_energy_dependent and geom.has_energy_axis else geom.to_image()
    if geom.is_region:
        return _integrate_region(self, own, oversampling_factor)
    radius = self.evaluation_radius
    part = own
    position = self.position
    if radius is not None and position is not None:
        pixel = np.max(np.abs(own.pixel_scales))
        width = 2 * np.maximum(u.Quantity(radius).to("deg"), u.Quantity(pixel).to("deg"))
        try:
            part = own.cutout(position, width, odd_npix=False)
        except NoOverlapError:
            return Map.from_geom(own, data=np.zeros(own.data_shape), unit="")
    factor = _factor(self, own) if oversampling_factor is None else int(oversampling_factor)
    fine = part.upsample(factor) if factor > 1 else part
    density = evaluate_geom(self, fine)
    ny, nx = part.to_image().data_shape
    values = density.value.reshape(*density.shape[:-2], ny, factor, nx, factor).mean(axis=(-3, -1))
    integral = u.Quantity(values, density.unit) * part.to_image().solid_angle()
    integral = integral.to("") if integral.unit.is_equivalent("") else integral
    if oversampling_factor is None and _is_whole(self, own):
        integral = integral / float(integral.sum().value)
    out = Map.from_geom(own, data=np.zeros(own.data_shape), unit=integral.unit)
    out.stack(Map.from_geom(part, data=np.broadcast_to(integral.value, part.data_shape).copy(), unit=integral.unit))
    return out


def _factor(self: Any, geom: Any) -> int:
    size = self.evaluation_bin_size_min
    if size is None:
        return 1
    pixel = float(np.max(np.abs(geom.pixel_scales.to_value("deg"))))
    finest = float(u.Quantity(size).to_value("deg")) / (_SHARPER if self._is_sharp else 1)
    if not finest > 0:
        return MAX_FACTOR
    return int(np.clip(np.ceil(pixel / finest - 1e-9), 1, MAX_FACTOR))


def _is_whole(self: Any, geom: Any) -> bool:
    """Is a shape normalised on the sky wholly inside the geometry."""
    if not self._is_own_density or self.symmetry(None) == "flat" or self.evaluation_radius is None:
        return False
    image = geom.to_image()
    x, y = (float(np.ravel(v)[0]) for v in image.coord_to_pix({"skycoord": self.position}))
    scales = np.abs(image.pixel_scales.to_value("deg"))
    reach = float(u.Quantity(self.evaluation_radius).to_value("deg")) / scales
    ny, nx = image.data_shape
    lon_inside = reach[0] - 0.5 <= x <= nx - 0.5 - reach[0]
    return bool(lon_inside and reach[1] - 0.5 <= y <= ny - 0.5 - reach[1])


def _integrate_region(self: Any, geom: Any, oversampling_factor: int | None) -> Any:
    """Integral over a region: density on its sub-pixels, weighted by how much of each is inside."""
    wcs_geom = geom.to_image().to_wcs_geom()
    factor = oversampling_factor or max(10, _factor(self, wcs_geom))
    fine = wcs_geom.upsample(factor)
    weights = wcs_geom.upsample(factor).region_mask([geom.region]).data
    if self.is_energy_dependent and geom.has_energy_axis:
        fine = fine.to_cube([axis for axis in geom.axes if axis.name in {"energy", "energy_true"}])
    values = evaluate_geom(self, fine) * fine.to_image().solid_angle() * np.squeeze(weights)
    total = values.sum(axis=(-2, -1))
    total = total.to("") if total.unit.is_equivalent("") else total
    data = np.broadcast_to(np.reshape(total.value, (*np.shape(total), 1, 1)), geom.data_shape).copy()
    return Map.from_geom(geom, data=data, unit=total.unit)


def _point_weights(self: Any, geom: Any) -> Any:
    """Bilinear weights of the four nearest pixel centres, or whether a region contains the point."""
    image = geom.to_image()
    if image.is_region:
        inside = np.asarray(image.contains({"skycoord": self.position}), dtype=float)
        return np.broadcast_to(inside.reshape(-1)[:1].reshape(1, 1), image.data_shape).copy()
    x, y = (float(np.ravel(v)[0]) for v in image.coord_to_pix({"skycoord": self.position}))
    data = np.zeros(image.data_shape)
    if not (np.isfinite(x) and np.isfinite(y)):
        return data
    ny, nx = data.shape
    for iy in (int(np.floor(y)), int(np.floor(y)) + 1):
        for ix in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= ix < nx and 0 <= iy < ny:
                data[iy, ix] = (1 - abs(x - ix)) * (1 - abs(y - iy))
    return data


def integrate_point(self: Any, geom: Any, oversampling_factor: int | None = None) -> Any:
    """Fraction of the source in each pixel: bilinear weights of the four nearest, or 0 and 1 for a region."""
    return Map.from_geom(geom.to_image(), data=_point_weights(self, geom), unit="")


def evaluate_point(self: Any, geom: Any) -> u.Quantity:
    """Fraction of the source in each pixel over its solid angle, sr-1."""
    return _point_weights(self, geom) / geom.to_image().solid_angle()
