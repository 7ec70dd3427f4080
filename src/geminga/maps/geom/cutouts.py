"""WCS geometries from others: parts of them, and other pixel sizes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.errors import GeometryError, InputError
from geminga.maps.axes.grouping import check_factor
from geminga.maps.geom.create import angle_pair, sky_lonlat
from geminga.utils.units import values_in

if TYPE_CHECKING:
    from geminga.maps.geom.wcs import WcsGeom

__all__ = ["crop", "cutout", "cutout_slices", "downsample", "pad_spatial", "to_binsz", "to_even_npix", "to_odd_npix", "upsample"]


@lru_cache
def overlap_errors() -> tuple[type[GeometryError], type[GeometryError]]:
    """Errors of no overlap and of a part only, which are also those of astropy.nddata (slow to import, so made when needed)."""
    from astropy.nddata import NoOverlapError, PartialOverlapError

    none = type("NoOverlapError", (GeometryError, NoOverlapError), {"__doc__": "Two images do not overlap."})
    part = type("PartialOverlapError", (GeometryError, PartialOverlapError), {"__doc__": "Two images overlap in part only."})
    return none, part


def _image(geom: WcsGeom, crpix: Any, npix: Any, scale: Any = None) -> WcsGeom:
    """Same projection with another reference pixel, size and scale."""
    return type(geom)(geom._grid.part(crpix, geom._read_npix(None, npix), scale), axes=geom.axes)


def _cut_size(geom: WcsGeom, width: Any, odd_npix: bool, min_npix: int) -> list[int]:
    widths = angle_pair(width, "cutout width")
    ratio = [w / s for w, s in zip(widths, geom.pixel_scales.to_value("deg"), strict=True)]
    sizes = [max(int(np.rint(r)), int(min_npix), 1) for r in ratio]
    return [size + (size + 1) % 2 for size in sizes] if odd_npix else sizes


def _no_overlap(position: Any, width: Any) -> GeometryError:
    return overlap_errors()[0](f"WcsGeom.cutout: a cutout of {width} round {position} does not overlap the image.")


def cutout(self: WcsGeom, position: Any, width: Any, mode: str = "trim", odd_npix: bool = False, min_npix: int = 1) -> WcsGeom:
    """Cut out a part round a position.

    Parameters
    ----------
    position : SkyCoord
        Centre, up to half a pixel.
    width : float, str, Quantity or a pair (lon, lat)
        Size (deg if a bare number), rounded to whole pixels.
    mode : {"trim", "partial", "strict"}
        What to do beyond the border: leave it out, keep the full size, or raise.
    odd_npix : bool
        Round sizes up to odd numbers.
    min_npix : int
        Least number of pixels in each direction.

    Raises
    ------
    GeometryError
        If nothing overlaps (also an `astropy.nddata.NoOverlapError`), or for "strict" not all.
    InputError
        If the width is not positive or the mode unknown.
    """
    if mode not in {"trim", "partial", "strict"}:
        msg = f"WcsGeom.cutout: mode is {mode!r}, expected 'trim', 'partial' or 'strict'."
        raise InputError(msg)
    sizes = _cut_size(self, width, odd_npix, min_npix)
    center = [float(value) for value in self._grid.to_pix(*sky_lonlat(position, self.frame))]
    if not np.isfinite(center).all():
        raise _no_overlap(position, width)
    # A centre on a pixel border, up to rounding, goes to the same pixels whatever the rounding.
    start = [int(np.ceil(c - n / 2.0 - 1e-6)) for c, n in zip(center, sizes, strict=True)]
    stop = [s + n for s, n in zip(start, sizes, strict=True)]
    limits = self._grid.npix
    if any(b <= 0 or a >= n for a, b, n in zip(start, stop, limits, strict=True)):
        raise _no_overlap(position, width)
    if mode == "strict" and any(a < 0 or b > n for a, b, n in zip(start, stop, limits, strict=True)):
        msg = f"WcsGeom.cutout: a cutout of {width} round {position} overlaps the image in part only; use mode='trim'."
        raise overlap_errors()[1](msg)
    if mode == "trim":
        start = [max(a, 0) for a in start]
        stop = [min(b, n) for b, n in zip(stop, limits, strict=True)]
    return _image(self, np.subtract(self.wcs.wcs.crpix, start), np.subtract(stop, start))


def cutout_slices(self: WcsGeom, geom: WcsGeom, mode: str = "partial") -> dict[str, tuple[slice, slice]]:
    """Where this geometry and an aligned one overlap.

    Parameters
    ----------
    geom : WcsGeom
        Another geometry, aligned with this one.
    mode : {"partial", "trim", "strict"}
        "strict" raises unless this geometry lies wholly inside the other.

    Returns
    -------
    slices : dict
        ``parent-slices`` into images of `geom` and ``cutout-slices`` into images of this one, (lat, lon).

    Raises
    ------
    GeometryError
        If they are not aligned or do not overlap.
    """
    if not self.is_aligned(geom):
        msg = "WcsGeom.cutout_slices: the geometries are not aligned (same projection, shifted by whole pixels)."
        raise GeometryError(msg)
    # Pixel of `geom` at which this geometry begins.
    start = np.round(np.subtract(geom.wcs.wcs.crpix, self.wcs.wcs.crpix)).astype(int)[::-1]
    mine, theirs = self.data_shape[-2:], geom.data_shape[-2:]
    low = [max(int(s), 0) for s in start]
    high = [min(int(s) + m, t) for s, m, t in zip(start, mine, theirs, strict=True)]
    if any(b <= a for a, b in zip(low, high, strict=True)):
        msg = "WcsGeom.cutout_slices: the geometries do not overlap."
        raise overlap_errors()[0](msg)
    if mode == "strict" and tuple(b - a for a, b in zip(low, high, strict=True)) != tuple(mine):
        msg = "WcsGeom.cutout_slices: the geometries overlap in part only."
        raise overlap_errors()[1](msg)
    parent = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    own = tuple(slice(a - int(s), b - int(s)) for a, b, s in zip(low, high, start, strict=True))
    return {"parent-slices": parent, "cutout-slices": own}  # type: ignore[dict-item]


def _border(width: Any, name: str) -> tuple[int, int]:
    pair = (width, width) if np.isscalar(width) else tuple(width)
    if len(pair) != 2 or any(int(w) != w or w < 0 for w in pair):
        msg = f"WcsGeom: {name} is {width!r}, expected one or two (lon, lat) whole numbers of at least 0."
        raise InputError(msg)
    return int(pair[0]), int(pair[1])


def crop(self: WcsGeom, crop_width: Any) -> WcsGeom:
    """Take pixels away at each border.

    Parameters
    ----------
    crop_width : int or (int, int)
        Number of pixels, (lon, lat).

    Raises
    ------
    InputError
        If no pixels are left.
    """
    border = _border(crop_width, "crop_width")
    size = [n - 2 * b for n, b in zip(self._grid.npix, border, strict=True)]
    return _image(self, np.subtract(self.wcs.wcs.crpix, border), size)


def pad_spatial(self: WcsGeom, pad_width: Any) -> WcsGeom:
    """Add pixels at each border; one number or (lon, lat)."""
    border = _border(pad_width, "pad_width")
    size = [n + 2 * b for n, b in zip(self._grid.npix, border, strict=True)]
    return _image(self, np.add(self.wcs.wcs.crpix, border), size)


def upsample(self: WcsGeom, factor: int, axis_name: str | None = None) -> WcsGeom:
    """Divide pixels (or the bins of an axis) into `factor` parts in each direction."""
    factor = check_factor(factor)
    if axis_name is not None:
        return self._with_axes(self.axes.upsample(factor, axis_name))
    crpix = (np.asarray(self.wcs.wcs.crpix) - 0.5) * factor + 0.5
    return _image(self, crpix, [n * factor for n in self._grid.npix], 1.0 / factor)


def downsample(self: WcsGeom, factor: int, axis_name: str | None = None) -> WcsGeom:
    """Join pixels (or bins of an axis).

    Parameters
    ----------
    factor : int
        Number of pixels to join in each direction.
    axis_name : str, optional
        Axis whose bins are joined instead.

    Raises
    ------
    GeometryError
        If the number of pixels is not divisible by `factor`.
    """
    factor = check_factor(factor)
    if axis_name is not None:
        return self._with_axes(self.axes.downsample(factor, axis_name))
    if any(n % factor for n in self._grid.npix):
        msg = f"Spatial shape {self._grid.npix} is not divisible by factor {factor} in all axes. Pad or crop before downsampling."
        raise GeometryError(msg)
    crpix = (np.asarray(self.wcs.wcs.crpix) - 0.5) / factor + 0.5
    return _image(self, crpix, [n // factor for n in self._grid.npix], float(factor))


def _same_center(geom: WcsGeom, npix: Any, binsz: Any) -> WcsGeom:
    return type(geom).create(
        skydir=geom.center_skydir, npix=npix, binsz=binsz, proj=geom.projection, frame=geom.frame, axes=geom.axes
    )


def to_binsz(self: WcsGeom, binsz: Any) -> WcsGeom:
    """Same centre and width with another pixel size.

    Parameters
    ----------
    binsz : float, str, Quantity or a pair (lon, lat)
        Pixel size (deg if a bare number).
    """
    size = angle_pair(binsz, "binsz")
    npix = [max(int(np.rint(w / b)), 1) for w, b in zip(self.width.value[:, 0], size, strict=True)]
    return _same_center(self, npix, size)


def to_odd_npix(self: WcsGeom, max_radius: Any = None) -> WcsGeom:
    """Same centre and pixel size with an odd number of pixels.

    Parameters
    ----------
    max_radius : Quantity, optional
        Half of the largest width wanted.
    """
    scales = self.pixel_scales.to_value("deg")
    limits = self.width.value[:, 0] / 2.0
    if max_radius is not None:
        limits = np.minimum(limits, values_in(max_radius, u.deg, "max_radius"))
    npix = [2 * int(np.ceil(r / s - 0.5 - 1e-6)) + 1 for r, s in zip(limits, scales, strict=True)]
    return _same_center(self, npix, tuple(scales))


def to_even_npix(self: WcsGeom) -> WcsGeom:
    """Same centre and pixel size with an even number of pixels."""
    return _same_center(self, [n + n % 2 for n in self._grid.npix], tuple(self.pixel_scales.to_value("deg")))
